//! What an order would be now: lines at today's prices, ways of sending, what it comes to.

use super::{Orders, OrdersError};
use crate::{
    actors::keepers::carts::Wanted,
    domain::{
        address::Address,
        cart::{Cart, LineChange, RowRefusal, compare::Standing},
        cart_sums::CartSums,
        coupon::{CouponCode, CouponRefusal, CouponUser},
        document::ProductDocument,
        id::{CartId, ShippingMethodId},
        line::PricedLine,
        money::{Currency, Money},
        order::OrderLine,
        principal::Principal,
        review::{Review, ReviewHash, ReviewLine},
        rulebook::{Rulebook, Sending},
        shipping::{Parcel, ShippingQuote},
        totals::{Summary, Terms, Totals},
    },
};
use std::sync::Arc;

/// What is to be ordered.
#[derive(Debug, Clone)]
pub(crate) enum Basket {
    Cart(CartId),
    /// Without a cart.
    Lines(Vec<Wanted>),
}

/// What a buyer says of an order to be.
#[derive(Debug, Clone)]
pub(crate) struct Checkout {
    pub(crate) basket: Basket,
    pub(crate) email: String,
    pub(crate) ship_to: Address,
    pub(crate) bill_to: Option<Address>,
    pub(crate) shipping: Option<ShippingMethodId>,
    pub(crate) coupon: Option<CouponCode>,
    /// Whom wrong codes are counted for; `None`: it came from this machine.
    pub(crate) from: Option<String>,
}

/// What a buyer is shown before ordering.
#[derive(Debug, Clone)]
pub(crate) struct Reviewed {
    /// `None`: there is no cart behind it.
    pub(crate) cart: Option<Cart>,
    pub(crate) lines: Vec<OrderLine>,
    /// What can be chosen; none where the shop has laid nothing down about sending.
    pub(crate) quotes: Vec<ShippingQuote>,
    pub(crate) shipping: Option<ShippingQuote>,
    pub(crate) summary: Summary,
    /// Stands for all of this; see [`Review`].
    pub(crate) hash: ReviewHash,
}

/// Lines as they can be bought now.
struct Priced {
    cart: Option<Cart>,
    lines: Vec<PricedLine>,
    documents: Vec<Arc<ProductDocument>>,
}

impl Orders {
    /// What can be chosen for sending it, before anything was.
    pub(crate) async fn quotes(
        &self,
        who: &Principal,
        checkout: &Checkout,
    ) -> Result<Vec<ShippingQuote>, OrdersError> {
        let priced = self.priced(who, &checkout.basket).await?;
        let rules = self.parts.rules.now();
        let (sums, currency) = sums(&priced.lines)?;
        let discount = self.discount(who, checkout, &sums, currency).await?;
        offered(&rules, checkout, &sums, currency, discount)
    }

    pub(crate) async fn review(
        &self,
        who: &Principal,
        checkout: &Checkout,
    ) -> Result<Reviewed, OrdersError> {
        let Priced { cart, lines, documents } = self.priced(who, &checkout.basket).await?;
        let rules = self.parts.rules.now();
        let (sums, currency) = sums(&lines)?;
        let discount = self.discount(who, checkout, &sums, currency).await?;
        let quotes = offered(&rules, checkout, &sums, currency, discount)?;
        let shipping = match checkout.shipping {
            Some(id) => {
                let chosen = quotes.iter().find(|quote| quote.method == id);
                Some(chosen.cloned().ok_or(OrdersError::OtherShipping)?)
            }
            None if quotes.is_empty() => None,
            None => return Err(OrdersError::NoShipping),
        };
        let place = checkout.ship_to.destination();
        let tax = rules.tax_at(&place);
        let terms = Terms { currency, discount, shipping: shipping.as_ref(), tax };
        let totals = Totals::of(&lines, &terms)?;
        let shown: Vec<_> = lines
            .iter()
            .zip(&documents)
            .map(|(line, document)| ReviewLine {
                product: document.id,
                quantity: line.quantity(),
                unit_price: line.price().amount,
                tax: line.price().tax,
            })
            .collect();
        let hash = Review {
            lines: &shown,
            coupon: checkout.coupon.as_ref(),
            shipping: shipping.as_ref().map(|quote| quote.method),
            summary: &totals.summary,
            ship_to: &checkout.ship_to,
            bill_to: checkout.bill_to.as_ref(),
        }
        .hash();
        let lines = lines.into_iter().zip(&documents).zip(totals.lines);
        let lines = lines.map(|((priced, document), total)| OrderLine {
            product: document.id,
            sku: document.sku.clone(),
            name: document.name.clone(),
            unit: document.unit.clone(),
            priced,
            total,
        });
        let (lines, summary) = (lines.collect(), totals.summary);
        Ok(Reviewed { cart, lines, quotes, shipping, summary, hash })
    }

    async fn priced(&self, who: &Principal, basket: &Basket) -> Result<Priced, OrdersError> {
        match basket {
            Basket::Cart(id) => self.of_cart(who, *id).await,
            Basket::Lines(wanted) => self.of_lines(who, wanted),
        }
    }

    /// A cart's lines, if they are as their buyer last saw them.
    async fn of_cart(&self, who: &Principal, id: CartId) -> Result<Priced, OrdersError> {
        let (cart, shown) = self.parts.carts.whole(who, id).await?;
        let changed = shown.iter().filter(|line| !line.changes.is_empty()).count();
        if changed > 0 {
            return Err(OrdersError::CartChanged { changed });
        }
        let (mut lines, mut documents) = (Vec::new(), Vec::new());
        for line in shown {
            if let (Standing::Offered(_), Some(document)) = (line.standing, line.document) {
                lines.push(line.line.priced);
                documents.push(document);
            }
        }
        match lines.is_empty() {
            true => Err(OrdersError::Empty),
            false => Ok(Priced { cart: Some(cart), lines, documents }),
        }
    }

    fn of_lines(&self, who: &Principal, wanted: &[Wanted]) -> Result<Priced, OrdersError> {
        let (changes, mut refused) = self.parts.carts.offers(who, wanted)?;
        let (mut lines, mut documents) = (Vec::new(), Vec::new());
        for (row, change) in changes {
            let LineChange::Add { offer, quantity, .. } = change else { continue };
            let found = self.parts.documents.by_sku(&self.parts.scope, &offer.sku)?;
            match (offer.priced(quantity), found) {
                (Ok(priced), Some(found)) => {
                    lines.push(priced);
                    documents.push(Arc::new(found.document));
                }
                (Err(why), _) => refused.push(RowRefusal { row, sku: Some(offer.sku), why }),
                // It went between two looks.
                (Ok(_), None) => return Err(OrdersError::Empty),
            }
        }
        if !refused.is_empty() {
            refused.sort_by_key(|refusal| refusal.row);
            return Err(OrdersError::Lines(refused));
        }
        match lines.is_empty() {
            true => Err(OrdersError::Empty),
            false => Ok(Priced { cart: None, lines, documents }),
        }
    }

    /// Whether its coupon can still be used is asked again where the order is written.
    async fn discount(
        &self,
        who: &Principal,
        checkout: &Checkout,
        sums: &CartSums,
        currency: Currency,
    ) -> Result<Option<Money>, OrdersError> {
        let Some(code) = &checkout.coupon else { return Ok(None) };
        let subtotal = sums.subtotal(currency).map_err(|_| OrdersError::Currencies)?;
        let user = CouponUser::of(who.customer(), &checkout.email);
        let account = who.customer().map(|customer| customer.to_string());
        let guessers: Vec<_> = checkout.from.iter().chain(&account).collect();
        for guesser in &guessers {
            self.parts.guesses.take(guesser).map_err(OrdersError::Guesses)?;
        }
        let told = self.parts.rules.coupon(code.as_str(), subtotal, Some(user)).await?;
        if !matches!(told, Err(CouponRefusal::Unknown)) {
            // Only codes that are none count.
            guessers.iter().for_each(|guesser| self.parts.guesses.give_back(guesser));
        }
        let (_, off) = told?;
        Ok(Some(off))
    }
}

fn sums(lines: &[PricedLine]) -> Result<(CartSums, Currency), OrdersError> {
    let sums = CartSums::of(lines).map_err(crate::domain::totals::TotalsError::from)?;
    let currency = lines.first().map(|line| line.amount().currency).ok_or(OrdersError::Empty)?;
    match lines.iter().all(|line| line.amount().currency == currency) {
        true => Ok((sums, currency)),
        false => Err(OrdersError::Currencies),
    }
}

fn offered(
    rules: &Rulebook,
    checkout: &Checkout,
    sums: &CartSums,
    currency: Currency,
    discount: Option<Money>,
) -> Result<Vec<ShippingQuote>, OrdersError> {
    let subtotal = sums.subtotal(currency).map_err(|_| OrdersError::Currencies)?;
    let off = discount.map_or(0, |off| off.minor);
    let parcel =
        Parcel { subtotal: Money { minor: subtotal.minor - off, currency }, units: sums.units() };
    match rules.sending(checkout.ship_to.country, &parcel) {
        Sending::NotAsked => Ok(Vec::new()),
        Sending::Choose(quotes) if quotes.is_empty() => Err(OrdersError::NoDelivery),
        Sending::Choose(quotes) => Ok(quotes),
    }
}
