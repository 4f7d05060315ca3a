//! Checkout in three steps, and what became of it: address, sending and paying, review, order.
//!
//! Each step is a form that carries what was said before in hidden fields, so it works without
//! scripts and keeps nothing until the order is placed. Never cached.

use crate::domain::{
    address::AddressDraft,
    country::Country,
    money::Money,
    order::{FulfilmentStatus, Order, OrderLine, OrderStatus},
    payment::{Decline, PaymentState},
    shipping::ShippingQuote,
    tax::TaxMode,
    totals::Summary,
};
use crate::views::{
    render::render,
    shell::{Meta, Shell},
};
use askama::Template;
use bytes::Bytes;

/// What a buyer has said so far, as it was typed.
#[derive(Debug, Clone, Default)]
pub struct CheckoutDraft {
    pub email: String,
    pub address: AddressDraft,
    /// Where the invoice goes; nothing in it: to the same address.
    pub billing: AddressDraft,
    /// The id of a way of sending.
    pub shipping: String,
    pub coupon: String,
    /// A payment provider's name.
    pub provider: String,
    /// What stands for the card there.
    pub token: String,
}

/// What is wrong: with a field, by its name, or with all of it.
#[derive(Debug, Clone)]
pub struct CheckoutError {
    pub field: Option<String>,
    pub text: String,
}

pub struct CheckoutPage<'a> {
    pub shell: &'a Shell,
    pub offset: i64,
    pub form_token: &'a str,
    pub cart_lines: u64,
    pub draft: &'a CheckoutDraft,
    pub errors: &'a [CheckoutError],
    pub step: CheckoutStep<'a>,
}

pub enum CheckoutStep<'a> {
    Address,
    Payment {
        quotes: &'a [ShippingQuote],
        /// Cards are taken on a form of the shop's own.
        cards: Option<&'a CardOffer>,
        invoice: bool,
        subtotal: Money,
    },
    Review {
        /// The cart's id: it becomes one order, however often the button is pressed.
        cart: &'a str,
        lines: &'a [OrderLine],
        summary: &'a Summary,
        shipping: Option<&'a ShippingQuote>,
        hash: &'a str,
        /// It is not what was shown before.
        changed: bool,
    },
}

/// Whose cards, and numbers to try where all is play money.
pub struct CardOffer {
    pub provider: &'static str,
    pub to_try: Vec<(String, &'static str)>,
}

struct Field<'a> {
    name: &'static str,
    label: &'static str,
    value: &'a str,
    complete: &'static str,
    kind: &'static str,
    most: u16,
    wanted: bool,
    error: Option<&'a str>,
}

/// An address's fields, and its country, which stands behind the region.
struct AddressFields<'a> {
    fields: Vec<Field<'a>>,
    country: &'static str,
    country_complete: &'static str,
    countries: Vec<(String, &'static str, bool)>,
    country_error: Option<&'a str>,
    /// Whether it has to be there.
    wanted: bool,
}

#[derive(Template)]
#[template(path = "checkout.html")]
struct Page<'a> {
    shell: &'a Shell,
    meta: Meta<'a>,
    form_token: &'a str,
    draft: &'a CheckoutDraft,
    ship: AddressFields<'a>,
    bill: AddressFields<'a>,
    errors: &'a [CheckoutError],
    step: &'a CheckoutStep<'a>,
}

pub fn checkout(page: &CheckoutPage<'_>) -> Bytes {
    let title = match page.step {
        CheckoutStep::Address => "Where to?",
        CheckoutStep::Payment { .. } => "Delivery and payment",
        CheckoutStep::Review { .. } => "Review your order",
    };
    let view = Page {
        shell: page.shell,
        meta: Meta {
            title: title.into(),
            offset: page.offset,
            cart_lines: Some(page.cart_lines),
            ..Meta::default()
        },
        form_token: page.form_token,
        draft: page.draft,
        ship: ship_fields(page),
        bill: bill_fields(page),
        errors: page.errors,
        step: &page.step,
    };
    let lines = match page.step {
        CheckoutStep::Review { lines, .. } => lines.len(),
        _ => 0,
    };
    render(&view, 16_384 + page.shell.menu.len() + lines * 400)
}

/// Name, label, what a browser fills in, whether an address can't do without.
type Texts = [(&'static str, &'static str, &'static str, bool); 8];

const SHIP: Texts = [
    ("name", "Name", "shipping name", true),
    ("company", "Company (optional)", "shipping organization", false),
    ("street", "Street and number", "shipping address-line1", true),
    ("street_more", "Floor, door (optional)", "shipping address-line2", false),
    ("postcode", "Postcode", "shipping postal-code", false),
    ("city", "Town or city", "shipping address-level2", true),
    ("region", "State or province, where there is one", "shipping address-level1", false),
    ("phone", "Phone, for the carrier (optional)", "shipping tel", false),
];
const BILL: Texts = [
    ("bill_name", "Name", "billing name", true),
    ("bill_company", "Company (optional)", "billing organization", false),
    ("bill_street", "Street and number", "billing address-line1", true),
    ("bill_street_more", "Floor, door (optional)", "billing address-line2", false),
    ("bill_postcode", "Postcode", "billing postal-code", false),
    ("bill_city", "Town or city", "billing address-level2", true),
    ("bill_region", "State or province, where there is one", "billing address-level1", false),
    ("bill_phone", "Phone (optional)", "billing tel", false),
];

fn ship_fields<'a>(page: &CheckoutPage<'a>) -> AddressFields<'a> {
    let mut all = address_fields(page, &page.draft.address, &SHIP, true);
    let email = Field {
        name: "email",
        label: "E-mail, for the confirmation",
        value: &page.draft.email,
        complete: "email",
        kind: "email",
        most: 254,
        wanted: true,
        error: error(page, "email"),
    };
    all.fields.insert(0, email);
    AddressFields { country: "country", country_complete: "shipping country", ..all }
}

fn bill_fields<'a>(page: &CheckoutPage<'a>) -> AddressFields<'a> {
    let all = address_fields(page, &page.draft.billing, &BILL, false);
    AddressFields {
        country: "bill_country",
        country_complete: "billing country",
        country_error: error(page, "bill_country"),
        ..all
    }
}

fn address_fields<'a>(
    page: &CheckoutPage<'a>,
    draft: &'a AddressDraft,
    texts: &Texts,
    wanted: bool,
) -> AddressFields<'a> {
    let AddressDraft { name, company, street, street_more, postcode, city, region, country, phone } =
        draft;
    let values = [name, company, street, street_more, postcode, city, region, phone];
    let field = |(value, (name, label, complete, needed)): (
        &'a String,
        &(&'static str, &'static str, &'static str, bool),
    )| Field {
        name,
        label,
        value,
        complete,
        kind: if name.ends_with("phone") { "tel" } else { "text" },
        most: 100,
        wanted: wanted && *needed,
        error: error(page, name),
    };
    AddressFields {
        fields: values.into_iter().zip(texts).map(field).collect(),
        country: "country",
        country_complete: "country",
        countries: countries(country),
        country_error: error(page, "country"),
        wanted,
    }
}

fn error<'a>(page: &CheckoutPage<'a>, of: &str) -> Option<&'a str> {
    let found = page.errors.iter().find(|error| error.field.as_deref() == Some(of));
    found.map(|error| error.text.as_str())
}

/// By their names, with the chosen one marked.
fn countries(chosen: &str) -> Vec<(String, &'static str, bool)> {
    let mut all: Vec<_> = Country::all()
        .map(|country| {
            let code = country.code().to_owned();
            let is_chosen = code.eq_ignore_ascii_case(chosen.trim());
            (code, country.name(), is_chosen)
        })
        .collect();
    all.sort_by_key(|(_, name, _)| *name);
    all
}

impl Page<'_> {
    /// What stands for nothing in particular.
    fn general(&self) -> Vec<&str> {
        let named = |name: &str| {
            [&self.ship, &self.bill].iter().any(|group| {
                group.country == name || group.fields.iter().any(|field| field.name == name)
            }) && matches!(self.step, CheckoutStep::Address)
        };
        let general = |error: &&CheckoutError| !error.field.as_deref().is_some_and(named);
        self.errors.iter().filter(general).map(|error| error.text.as_str()).collect()
    }

    /// What is wrong with fields: where, which, and how.
    fn particular(&self) -> Vec<(&'static str, &'static str, &str)> {
        let mut all = Vec::new();
        for group in [&self.ship, &self.bill] {
            for field in &group.fields {
                all.extend(field.error.map(|error| (field.name, field.label, error)));
            }
            all.extend(group.country_error.map(|error| (group.country, "Country", error)));
        }
        all
    }

    fn bills_elsewhere(&self) -> bool {
        !self.draft.billing.is_blank()
    }

    fn quantity(&self, line: &OrderLine) -> String {
        quantity(line)
    }

    fn totals(&self) -> Vec<TotalRow> {
        match self.step {
            CheckoutStep::Review { summary, .. } => totals(summary),
            _ => Vec::new(),
        }
    }

    fn country_name(&self, group: &AddressFields<'_>) -> &'static str {
        let chosen = group.countries.iter().find(|(_, _, chosen)| *chosen);
        chosen.map_or("", |(_, name, _)| name)
    }

    fn number(&self) -> u8 {
        match self.step {
            CheckoutStep::Address => 1,
            CheckoutStep::Payment { .. } => 2,
            CheckoutStep::Review { .. } => 3,
        }
    }
}

/// A line of what it comes to.
pub(super) struct TotalRow {
    pub(super) label: String,
    pub(super) amount: String,
    pub(super) is_sum: bool,
}

pub(super) fn totals(summary: &Summary) -> Vec<TotalRow> {
    let row =
        |label: &str, amount: String| TotalRow { label: label.to_owned(), amount, is_sum: false };
    let money = |minor| summary.money(minor).to_string();
    let mut rows = vec![row("Goods", money(summary.subtotal))];
    if summary.discount > 0 {
        rows.push(row("Discount", format!("−{}", money(summary.discount))));
    }
    let delivery = match summary.shipping {
        0 => "free".to_owned(),
        asked => money(asked),
    };
    rows.push(row("Delivery", delivery));
    rows.extend(summary.taxes.iter().map(|tax| {
        let contained = if tax.mode == TaxMode::Inclusive { ", contained" } else { "" };
        row(&format!("Tax {}{contained}", tax.rate), money(tax.tax))
    }));
    rows.push(TotalRow { is_sum: true, ..row("Total", money(summary.total)) });
    rows
}

pub(super) fn quantity(line: &OrderLine) -> String {
    let quantity = line.priced.quantity().text(line.priced.precision());
    match line.unit.as_str() {
        "each" => quantity,
        unit => format!("{quantity} {unit}"),
    }
}

pub struct OrderPage<'a> {
    pub shell: &'a Shell,
    pub offset: i64,
    pub form_token: &'a str,
    pub order: &'a Order,
    pub declined: Option<Decline>,
    /// It was placed a moment ago.
    pub fresh: bool,
    /// Something that could not be done, in a sentence.
    pub error: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "order.html")]
struct OneOrder<'a> {
    shell: &'a Shell,
    meta: Meta<'a>,
    form_token: &'a str,
    order: &'a Order,
    headline: String,
    told: String,
    /// Where its money is.
    paid: String,
    /// Its payment has no verdict yet: the page loads itself again.
    waits: bool,
    is_off: bool,
    can_cancel: bool,
    error: Option<&'a str>,
}

impl OneOrder<'_> {
    fn totals(&self) -> Vec<TotalRow> {
        totals(&self.order.summary)
    }

    fn quantity(&self, line: &OrderLine) -> String {
        quantity(line)
    }
}

pub fn order(page: &OrderPage<'_>) -> Bytes {
    let order = page.order;
    let waits = order.state.status == OrderStatus::Pending;
    let (headline, told) = words(page);
    let view = OneOrder {
        shell: page.shell,
        meta: Meta {
            title: format!("Order {}", order.number).into(),
            offset: page.offset,
            ..Meta::default()
        },
        form_token: page.form_token,
        order,
        headline,
        told,
        paid: paid(order.state.payment).to_owned(),
        waits,
        is_off: matches!(order.state.status, OrderStatus::Cancelled | OrderStatus::Refunded),
        can_cancel: matches!(order.state.status, OrderStatus::Pending | OrderStatus::Confirmed),
        error: page.error,
    };
    render(&view, 12_288 + page.shell.menu.len() + order.lines.len() * 400)
}

/// Where the money is, in a buyer's words.
fn paid(state: PaymentState) -> &'static str {
    match state {
        PaymentState::Pending | PaymentState::Unknown => "not paid yet",
        PaymentState::Authorised => "approved",
        PaymentState::PartlyCaptured => "paid in part",
        PaymentState::Captured => "paid",
        PaymentState::PartlyRefunded => "given back in part",
        PaymentState::Refunded => "given back",
        PaymentState::Declined => "declined",
        PaymentState::Voided | PaymentState::Expired => "called off",
    }
}

fn words(page: &OrderPage<'_>) -> (String, String) {
    let order = page.order;
    let paid = order.state.payment;
    let (headline, told) = match order.state.status {
        OrderStatus::Pending => (
            "We are waiting for the payment",
            "The goods are set aside for you meanwhile. This page looks again by itself.",
        ),
        OrderStatus::Confirmed if page.fresh => {
            ("Thank you for your order", "It is confirmed. We will pack it next.")
        }
        OrderStatus::Confirmed => ("Your order is confirmed", "We will pack it next."),
        OrderStatus::Processing => ("We are packing your order", "It leaves the warehouse soon."),
        OrderStatus::Shipped => ("Your order is on its way", "It has left the warehouse."),
        OrderStatus::Completed => ("Your order has arrived", "We hope it is what you wanted."),
        OrderStatus::Cancelled => match page.declined {
            Some(why) => ("The payment was declined", why.words()),
            None if paid.is_good() => {
                ("This order is cancelled", "What you paid goes back to you.")
            }
            None => ("This order is cancelled", "Nothing was charged, or it went back to you."),
        },
        OrderStatus::Refunded if order.state.fulfilment == FulfilmentStatus::Returned => {
            ("Your money is on its way back", "Thank you for returning the goods.")
        }
        OrderStatus::Refunded => {
            ("Your money is on its way back", "It depends on the bank how long.")
        }
    };
    (headline.to_owned(), told.to_owned())
}
