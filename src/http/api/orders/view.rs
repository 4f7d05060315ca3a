//! Orders as the API writes them.

use crate::{
    actors::keepers::orders::Reviewed,
    domain::{
        address::Address,
        money::Money,
        order::{Order, OrderLine, OrderStep},
        shipping::ShippingQuote,
        tax::TaxMode,
        totals::Summary,
    },
    views::PriceView,
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Serialize, ToSchema)]
pub(super) struct OrderList {
    pub(super) items: Vec<OrderView>,
    /// Hand it back as `after` for older ones; `null` at the end.
    #[schema(required)]
    pub(super) next: Option<String>,
}

/// An order as it was agreed, and where it is.
#[derive(Serialize, ToSchema)]
pub(crate) struct OrderView {
    id: Uuid,
    /// What people call it.
    #[schema(example = 1001)]
    number: i64,
    /// `pending`, `confirmed`, `processing`, `shipped`, `completed`, `cancelled` or `refunded`.
    status: &'static str,
    /// Where its money is: `pending`, `authorised`, `captured`, `declined`, …
    payment: &'static str,
    /// The payment provider's name.
    provider: String,
    /// `unfulfilled`, `shipped`, `delivered` or `returned`.
    fulfilment: &'static str,
    /// Rises with each change; its `ETag` too.
    version: i64,
    email: String,
    lines: Vec<OrderLineView>,
    totals: TotalsView,
    #[schema(required)]
    coupon: Option<String>,
    #[schema(required)]
    shipping: Option<String>,
    ship_to: AddressView,
    /// `null`: the same.
    #[schema(required)]
    bill_to: Option<AddressView>,
    /// Until then its goods are held while it is pending; RFC 3339, UTC.
    #[schema(required, format = DateTime)]
    held_until: Option<String>,
    /// RFC 3339, UTC.
    #[schema(format = DateTime)]
    placed_at: String,
    /// RFC 3339, UTC.
    #[schema(format = DateTime)]
    updated_at: String,
    /// What happened since it was placed; empty in lists.
    history: Vec<StepView>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct OrderLineView {
    sku: String,
    name: String,
    #[schema(example = "2.5")]
    quantity: String,
    unit: String,
    unit_price: PriceView,
    /// Before the discount, as the price is shown.
    amount: PriceView,
    discount: PriceView,
    tax: PriceView,
    /// With tax and discount.
    total: PriceView,
}

/// What it comes to: `subtotal − discount + shipping + tax_on_top = total`.
#[derive(Serialize, ToSchema)]
pub(super) struct TotalsView {
    subtotal: PriceView,
    discount: PriceView,
    shipping: PriceView,
    /// All tax, on top and contained.
    tax: PriceView,
    tax_on_top: PriceView,
    total: PriceView,
    taxes: Vec<TaxView>,
}

#[derive(Serialize, ToSchema)]
struct TaxView {
    #[schema(example = "19 %")]
    rate: String,
    /// Whether the prices contain it.
    included: bool,
    net: PriceView,
    tax: PriceView,
}

#[derive(Serialize, ToSchema)]
pub(super) struct AddressView {
    name: String,
    #[schema(required)]
    company: Option<String>,
    street: String,
    #[schema(required)]
    street_more: Option<String>,
    #[schema(required)]
    postcode: Option<String>,
    city: String,
    #[schema(required)]
    region: Option<String>,
    country: String,
    #[schema(required)]
    phone: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct StepView {
    /// RFC 3339, UTC.
    #[schema(format = DateTime)]
    at: String,
    by: String,
    action: String,
    note: String,
    status: &'static str,
    payment: &'static str,
    fulfilment: &'static str,
}

/// A way of sending, and what it asks for this order.
#[derive(Serialize, ToSchema)]
pub(crate) struct ShippingQuoteView {
    id: Uuid,
    name: String,
    price: PriceView,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ShippingQuotes {
    /// None: the shop has laid nothing down about sending, and asks nothing for it.
    items: Vec<ShippingQuoteView>,
}

/// What an order would be now.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReviewView {
    /// Stands for all that is shown here; an order is placed with it.
    hash: String,
    lines: Vec<OrderLineView>,
    totals: TotalsView,
    /// What can be chosen for sending it.
    shipping_methods: Vec<ShippingQuoteView>,
    /// The names of the payment providers that this buyer can pay by.
    payment_providers: Vec<&'static str>,
}

impl ReviewView {
    pub(crate) fn of(reviewed: &Reviewed, payment_providers: Vec<&'static str>) -> Self {
        Self {
            hash: reviewed.hash.to_string(),
            lines: reviewed.lines.iter().map(OrderLineView::of).collect(),
            totals: TotalsView::of(&reviewed.summary),
            shipping_methods: reviewed.quotes.iter().map(ShippingQuoteView::of).collect(),
            payment_providers,
        }
    }
}

impl ShippingQuotes {
    pub(crate) fn of(quotes: &[ShippingQuote]) -> Self {
        Self { items: quotes.iter().map(ShippingQuoteView::of).collect() }
    }
}

impl ShippingQuoteView {
    fn of(quote: &ShippingQuote) -> Self {
        let (id, name) = (quote.method.0, quote.name.clone());
        Self { id, name, price: PriceView::from(&quote.amount) }
    }
}

impl OrderView {
    pub(crate) fn of(order: &Order, steps: Vec<OrderStep>) -> Self {
        Self {
            id: order.id.0,
            number: order.number.0,
            status: order.state.status.as_str(),
            payment: order.state.payment.as_str(),
            provider: order.provider.clone(),
            fulfilment: order.state.fulfilment.as_str(),
            version: order.version,
            email: order.email.clone(),
            lines: order.lines.iter().map(OrderLineView::of).collect(),
            totals: TotalsView::of(&order.summary),
            coupon: order.coupon.as_ref().map(ToString::to_string),
            shipping: order.shipping.as_ref().map(|quote| quote.name.clone()),
            ship_to: AddressView::of(&order.ship_to),
            bill_to: order.bill_to.as_ref().map(AddressView::of),
            held_until: order.held_until.map(|at| at.rfc3339()),
            placed_at: order.placed_at.rfc3339(),
            updated_at: order.updated_at.rfc3339(),
            history: steps.into_iter().map(StepView::of).collect(),
        }
    }
}

impl OrderLineView {
    fn of(line: &OrderLine) -> Self {
        let priced = &line.priced;
        let price =
            |minor| PriceView::from(&Money { minor, currency: priced.price().amount.currency });
        Self {
            sku: line.sku.to_string(),
            name: line.name.clone(),
            quantity: priced.quantity().text(priced.precision()),
            unit: line.unit.clone(),
            unit_price: PriceView::from(&priced.price().amount),
            amount: price(line.total.amount),
            discount: price(line.total.discount),
            tax: price(line.total.tax),
            total: price(line.total.gross),
        }
    }
}

impl TotalsView {
    fn of(summary: &Summary) -> Self {
        let price = |minor| PriceView::from(&summary.money(minor));
        let tax = |line: &crate::domain::totals::TaxLine| TaxView {
            rate: line.rate.to_string(),
            included: line.mode == TaxMode::Inclusive,
            net: price(line.net),
            tax: price(line.tax),
        };
        Self {
            subtotal: price(summary.subtotal),
            discount: price(summary.discount),
            shipping: price(summary.shipping),
            tax: price(summary.tax),
            tax_on_top: price(summary.tax_on_top),
            total: price(summary.total),
            taxes: summary.taxes.iter().map(tax).collect(),
        }
    }
}

impl AddressView {
    fn of(address: &Address) -> Self {
        let Address { name, company, street, street_more, postcode, city, region, country, phone } =
            address.clone();
        Self {
            name,
            company,
            street,
            street_more,
            postcode: postcode.map(|code| code.as_str().to_owned()),
            city,
            region,
            country: country.to_string(),
            phone,
        }
    }
}

impl StepView {
    fn of(step: OrderStep) -> Self {
        Self {
            at: step.at.rfc3339(),
            by: step.by,
            action: step.action.verb().to_owned(),
            note: step.note,
            status: step.state.status.as_str(),
            payment: step.state.payment.as_str(),
            fulfilment: step.state.fulfilment.as_str(),
        }
    }
}
