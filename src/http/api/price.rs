//! `/api/v1/products/{sku}/price`: what a product costs whoever asks, by quantity.
//!
//! The product itself is the same for everybody and can be kept by anybody; this is personal.

use super::fresh;
use crate::{
    actors::keepers::carts::Prices,
    domain::{
        cart::{Offer, compare::Standing},
        policy::Right,
        price::UnitPrice,
        principal::Principal,
        quantity::Quantity,
        sku::Sku,
        tax::TaxMode,
    },
    http::{
        access::Access,
        app::App,
        error::{Code, Problem},
        extract::{Param, Takes},
        openapi::{Doc, json},
        resource::{Asked, Operation, Resource},
    },
    views::PriceView,
};
use http::Method;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;
use warp::reply::Response;

const SKU: Param = Param::new("sku", Takes::Text { most: 64 }, "The product's SKU.");
const QUANTITY: &[Param] = &[Param::new(
    "quantity",
    Takes::Text { most: 24 },
    "How many are taken; one when it is left out.",
)];

/// What a product costs whoever asks.
#[derive(Serialize, ToSchema)]
struct OwnPrice {
    sku: String,
    /// For one unit when so many are taken; `null`: on request.
    #[schema(required)]
    unit_price: Option<PriceView>,
    /// Whether its prices contain their tax.
    tax_included: bool,
    /// What one is called.
    unit: String,
    /// Prices by quantity, from the least; one when they don't differ.
    tiers: Vec<TierView>,
}

/// A price that holds from a quantity on.
#[derive(Serialize, ToSchema)]
struct TierView {
    #[schema(example = "10")]
    from: String,
    price: PriceView,
}

pub(super) fn resources() -> Vec<Resource> {
    let doc = Doc::new("get_own_price", "prices", "What a product costs oneself")
        .about(
            "By the price lists that are for the one who asks, for their group or for everybody. \
             Who has no session gets everybody's.",
        )
        .place(SKU)
        .answer(200, "The price, by quantity.", json::<OwnPrice>());
    let get = Operation::new(Method::GET, Access::Shopper(Right::Carts), QUANTITY, |a, b| {
        Box::pin(show(a, b))
    });
    vec![Resource::new("/api/v1/products/{sku}/price", [get.doc(doc)])]
}

async fn show(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let absent = || Problem::new(Code::NotFound, "there is no such product for sale");
    let sku = Sku::new(&asked.path[0]).map_err(|_| absent())?;
    let found = app.documents.by_sku(&app.scope, &sku)?.ok_or_else(absent)?;
    let who = asked.visit.principal().unwrap_or(Principal::System);
    let unit = found.document.unit.clone();
    let view = match app.rules.standing(&who, Some(&found.document)) {
        Standing::Offered(offer) => offered(&offer, unit, asked.query.text("quantity"))?,
        Standing::OnRequest => OwnPrice {
            sku: sku.to_string(),
            unit_price: None,
            tax_included: false,
            unit,
            tiers: Vec::new(),
        },
        Standing::HasVariants(_) | Standing::NotSold => return Err(absent()),
    };
    Ok(fresh(&app, &view))
}

fn offered(offer: &Offer, unit: String, quantity: Option<&str>) -> Result<OwnPrice, Problem> {
    let tier = |price: &UnitPrice| TierView {
        from: price.min_quantity.text(offer.precision),
        price: PriceView::from(&price.amount),
    };
    let quantity = match quantity {
        None => Quantity::of_units(1, offer.precision),
        Some(text) => Quantity::parse(text, offer.precision),
    };
    let quantity = quantity.map_err(|error| Problem::parameter("quantity", error.to_string()))?;
    let price = offer.ladder.at(quantity);
    Ok(OwnPrice {
        sku: offer.sku.to_string(),
        unit_price: price.map(|price| PriceView::from(&price.amount)),
        tax_included: price.is_some_and(|price| price.tax == TaxMode::Inclusive),
        unit,
        tiers: offer.ladder.tiers().into_iter().map(tier).collect(),
    })
}
