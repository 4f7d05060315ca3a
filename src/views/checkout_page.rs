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

#[derive(Template)]
#[template(path = "checkout.html")]
struct Page<'a> {
    shell: &'a Shell,
    meta: Meta<'a>,
    form_token: &'a str,
    draft: &'a CheckoutDraft,
    fields: Vec<Field<'a>>,
    countries: Vec<(String, &'static str, bool)>,
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
        fields: fields(page),
        countries: countries(&page.draft.address.country),
        errors: page.errors,
        step: &page.step,
    };
    let lines = match page.step {
        CheckoutStep::Review { lines, .. } => lines.len(),
        _ => 0,
    };
    render(&view, 16_384 + page.shell.menu.len() + lines * 400)
}

fn fields<'a>(page: &CheckoutPage<'a>) -> Vec<Field<'a>> {
    let AddressDraft { name, company, street, street_more, postcode, city, region, phone, .. } =
        &page.draft.address;
    let error = |of: &str| {
        let found = page.errors.iter().find(|error| error.field.as_deref() == Some(of));
        found.map(|error| error.text.as_str())
    };
    let field = |name, label, value: &'a str, complete, wanted| Field {
        name,
        label,
        value,
        complete,
        kind: match name {
            "email" => "email",
            "phone" => "tel",
            _ => "text",
        },
        most: if name == "email" { 254 } else { 100 },
        wanted,
        error: error(name),
    };
    vec![
        field("email", "E-mail, for the confirmation", &page.draft.email, "email", true),
        field("name", "Name", name, "shipping name", true),
        field("company", "Company (optional)", company, "shipping organization", false),
        field("street", "Street and number", street, "shipping address-line1", true),
        field(
            "street_more",
            "Floor, door (optional)",
            street_more,
            "shipping address-line2",
            false,
        ),
        field("postcode", "Postcode", postcode, "shipping postal-code", false),
        field("city", "Town or city", city, "shipping address-level2", true),
        field(
            "region",
            "State or province, where there is one",
            region,
            "shipping address-level1",
            false,
        ),
        field("phone", "Phone, for the carrier (optional)", phone, "shipping tel", false),
    ]
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
            self.fields.iter().any(|field| field.name == name)
                && matches!(self.step, CheckoutStep::Address)
        };
        let general = |error: &&CheckoutError| !error.field.as_deref().is_some_and(named);
        self.errors.iter().filter(general).map(|error| error.text.as_str()).collect()
    }

    fn country_error(&self) -> Option<&str> {
        let found = self.errors.iter().find(|error| error.field.as_deref() == Some("country"));
        found.map(|error| error.text.as_str())
    }

    fn country_name(&self) -> &str {
        let chosen = self.countries.iter().find(|(_, _, chosen)| *chosen);
        chosen.map_or("", |(_, name, _)| name)
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
