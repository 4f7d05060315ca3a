//! Offers and lines for this module's tests.

use super::{Cart, CartKind, CartLine, CartOwner, CartState, Offer};
use crate::domain::{
    cart_sums::CartSums,
    id::{CartId, CustomerId, PriceListId, ProductId, UserId},
    money::{Currency, Money},
    price::{Assignment, Audience, Buyer, Ladder, PriceEntry, PriceList, PriceSet},
    quantity::{OrderLimits, Precision, Quantity},
    schedule::Schedule,
    scope::Site,
    sku::Sku,
    stock::StockBand,
    tax::{TaxCategory, TaxMode},
    time::Micros,
};
use uuid::Uuid;

/// Whole ones, in dollars, in stock.
pub(crate) fn offer_of(name: &str, minor: i64) -> Offer {
    let price = Money { minor, currency: Currency::USD };
    Offer {
        product: product(),
        sku: Sku::new(name).unwrap(),
        precision: Precision::default(),
        ladder: ladder(price),
        tax_category: TaxCategory::default(),
        limits: OrderLimits::default(),
        band: StockBand::InStock,
    }
}

/// The same at the same number in another currency.
pub(crate) fn currency(offer: Offer, currency: Currency) -> Offer {
    let minor = offer.ladder.lowest().unwrap().amount.minor;
    Offer { ladder: ladder(Money { minor, currency }), ..offer }
}

/// From so many on at another price.
pub(crate) fn tier(name: &str, minor: i64, from: i64, less: i64) -> Offer {
    let list = PriceListId(Uuid::from_u128(4));
    let customer = CustomerId(Uuid::from_u128(5));
    let lists = [PriceList {
        id: list,
        name: "list".into(),
        currency: Currency::USD,
        active: true,
        priority: 0,
        tax: TaxMode::Exclusive,
        schedule: Schedule::ALWAYS,
    }];
    let assigned = [Assignment { list, audience: Audience::Customer { customer } }];
    let buyer = Buyer { customer: Some(customer), group: None, site: Site("main".into()) };
    let (usd, tax) = (Currency::USD, TaxMode::Exclusive);
    let set = PriceSet::resolve(&buyer, usd, tax, &lists, &assigned, Micros(0));
    let entry = PriceEntry {
        list,
        product: product(),
        unit: "each".into(),
        min_quantity: Quantity::of_steps(from).unwrap(),
        amount: less,
    };
    let base = Some(Money { minor, currency: usd });
    Offer { ladder: Ladder::new(&set, product(), "each", base, &[entry]), ..offer_of(name, minor) }
}

/// Without lines, at this version.
pub(crate) fn cart(version: i64) -> Cart {
    Cart {
        id: CartId(Uuid::from_u128(3)),
        owner: CartOwner::User(UserId(Uuid::from_u128(2))),
        kind: CartKind::Active,
        state: CartState::Open,
        name: "Cart".into(),
        note: None,
        version,
        sums: CartSums::default(),
        next_place: 1,
        created_at: Micros(0),
        updated_at: Micros(0),
    }
}

/// As if it had just been added.
pub(crate) fn line_of(offer: &Offer, quantity: i64) -> CartLine {
    CartLine {
        sku: offer.sku.clone(),
        product: offer.product,
        place: 1,
        priced: offer.priced(Quantity::of_steps(quantity).unwrap()).unwrap(),
        band: offer.band,
        note: None,
        added_at: Micros(0),
        updated_at: Micros(0),
    }
}

fn ladder(price: Money) -> Ladder {
    let set = PriceSet::base(price.currency, TaxMode::Exclusive);
    Ladder::new(&set, product(), "each", Some(price), &[])
}

fn product() -> ProductId {
    ProductId(Uuid::from_u128(9))
}
