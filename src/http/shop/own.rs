//! What pages of the shop show to whoever is signed in: what things cost them, and what is in their
//! cart. And to everybody, while there is a price list for everybody: what things cost by it.
//!
//! Theirs is made anew and kept by nobody, so it is right without any script; the page for everybody
//! is kept under what lists say to everybody.

use crate::{
    actors::keepers::carts::Prices,
    domain::{
        cart::{Cart, CartKind, Offer, compare::Standing},
        document::ProductDocument,
        id::ProductId,
        money::Money,
        principal::Principal,
        quantity::Quantity,
    },
    http::{
        api::search::suggestions_as, app::App, cache::Built, error::Problem, resource::Asked,
        shop::cart::shopper,
    },
    views::{self, SuggestedProduct, SuggestionsView, Visitor},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use warp::reply::Response;

pub(super) struct Own {
    who: Principal,
    /// Whether any list is for them; else what things cost everybody is what they cost them.
    priced: bool,
    /// `None`: nobody is signed in.
    pub(super) visitor: Option<Visitor>,
}

impl Own {
    /// `None`: nobody is signed in, and the page is as for everybody.
    pub(super) async fn of(app: &App, asked: &Asked) -> Option<Self> {
        asked.visit.session()?.user()?;
        let who = asked.visit.principal()?;
        let priced = app.rules.has_lists_for(&who);
        // Without the database the page still stands; a script asks for the count later.
        let cart_lines = match shopper(&asked.visit) {
            Some(who) => {
                let cart = app.carts.of_kind(&who, CartKind::Active).await.ok();
                cart.map(|cart| cart.as_ref().map_or(0, Cart::lines))
            }
            None => Some(0),
        };
        Some(Self { who, priced, visitor: Some(Visitor { cart_lines }) })
    }

    /// What a list for everybody says. `None`: there is none, and products' own prices hold.
    pub(super) fn of_everybody(app: &App) -> Option<Self> {
        let who = Principal::NOBODY;
        app.rules.has_lists_for(&who).then_some(Self { who, priced: true, visitor: None })
    }

    /// The document with what it and its variants cost them, and from which quantities on.
    pub(super) fn priced(
        &self,
        app: &App,
        document: &ProductDocument,
    ) -> Result<(ProductDocument, Vec<(String, Money)>), Problem> {
        let mut own = document.clone();
        if !self.priced {
            return Ok((own, Vec::new()));
        }
        let mut tiers = Vec::new();
        if let Standing::Offered(offer) = app.rules.standing(&self.who, Some(document)) {
            own.price = unit_price(&offer);
            let tier = |(from, price): (Quantity, Money)| (from.text(offer.precision), price);
            let all = offer.ladder.tiers().into_iter();
            tiers = all.map(|one| tier((one.min_quantity, one.amount))).collect();
        }
        for variant in &mut own.variants {
            let found = app.documents.by_sku(&app.scope, &variant.sku)?;
            let found = found.map(|found| found.document);
            if let Standing::Offered(offer) = app.rules.standing(&self.who, found.as_ref()) {
                variant.price = unit_price(&offer);
            }
        }
        Ok((own, tiers))
    }

    /// Cards of these with what they cost them; one that is gone is left out.
    pub(super) fn cards(&self, app: &App, ids: &[ProductId]) -> Result<Vec<Bytes>, Problem> {
        if !self.priced {
            return Ok(app.documents.cards(&app.scope, ids)?.into_iter().flatten().collect());
        }
        let (_, shell) = app.shell();
        let documents = app.documents.documents(&app.scope, ids)?;
        let card = |document: ProductDocument| {
            let (own, _) = self.priced(app, &document)?;
            Ok(views::product_card_with(&own, shell.pictures()))
        };
        documents.into_iter().flatten().map(card).collect()
    }
}

impl Own {
    /// What the search field offers for `typed`.
    pub(super) async fn suggestions(
        &self,
        app: &App,
        typed: &str,
        most: usize,
    ) -> Result<SuggestionsView, Problem> {
        let shown = |document: &ProductDocument| {
            self.priced(app, document).map(|(own, _)| SuggestedProduct::from(&own))
        };
        suggestions_as(app, typed, most, shown).await
    }
}

/// For one whole unit, or where less than one can't be had, for the least there is a price for.
fn unit_price(offer: &Offer) -> Option<Money> {
    let one = Quantity::of_units(1, offer.precision).ok()?;
    let price = offer.ladder.at(one).or_else(|| offer.ladder.tiers().first().copied());
    price.map(|price| price.amount)
}

/// The page for them alone: it has no tag, and nobody keeps it.
pub(super) fn answer(built: &Built, asked: &Asked) -> Response {
    let mut taken = HeaderMap::new();
    if let Some(coding) = asked.headers.get(header::ACCEPT_ENCODING) {
        taken.insert(header::ACCEPT_ENCODING, coding.clone());
    }
    let mut response: Response = built.page.answer(&Method::GET, &taken);
    let headers = response.headers_mut();
    headers.remove(header::ETAG);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
