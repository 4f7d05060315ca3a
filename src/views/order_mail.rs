//! What a buyer is mailed of an order: as text, and as a page for readers that show one.
//!
//! Written when it is sent, of the order as it is then, so a payment that came meanwhile is told.
//! What people typed stays on its line: nothing of it can begin another one, nor a header.

use super::{
    checkout_page::{TotalRow, quantity, totals},
    mail::{MailText, Sender},
};
use crate::domain::{
    address::Address,
    order::{Action, Order, OrderLetter, OrderLine, OrderStatus, OrderStep},
    payment::{InvoiceTerms, PaymentState},
    secret::Secret,
};
use askama::Template;

pub struct OrderMail<'a> {
    pub sender: &'a Sender,
    pub letter: OrderLetter,
    pub order: &'a Order,
    /// What happened to it, in order.
    pub steps: &'a [OrderStep],
    /// Of a guest's link.
    pub token: Option<&'a Secret>,
}

#[derive(Template)]
#[template(path = "mail_order.html")]
struct Page<'a> {
    shop: &'a str,
    url: &'a str,
    subject: &'a str,
    opening: &'a str,
    lines: &'a [Line],
    totals: &'a [TotalRow],
    ship_to: &'a [String],
    bill_to: Option<&'a [String]>,
    delivery: Option<String>,
    payment: Option<String>,
    link: &'a str,
    link_words: &'a str,
}

struct Line {
    quantity: String,
    name: String,
    sku: String,
    amount: String,
}

impl Line {
    fn of(line: &OrderLine) -> Self {
        Self {
            quantity: quantity(line),
            name: plain(&line.name),
            sku: line.sku.to_string(),
            amount: line.priced.amount().to_string(),
        }
    }
}

pub fn order_mail(mail: &OrderMail<'_>) -> MailText {
    let order = mail.order;
    let Sender { shop, url } = mail.sender;
    let shop = plain(shop);
    let subject = match mail.letter {
        OrderLetter::Placed => format!("Your order {} at {shop}", order.number),
        OrderLetter::Shipped => format!("Your order {} is on its way", order.number),
        OrderLetter::Cancelled => format!("Your order {} is cancelled", order.number),
        OrderLetter::Refunded => format!("Your order {}: your money goes back", order.number),
    };
    let opening = opening(mail, &shop);
    let lines: Vec<_> = order.lines.iter().map(Line::of).collect();
    let totals = totals(&order.summary);
    let ship_to = address(&order.ship_to);
    let bill_to = order.bill_to.as_ref().map(address);
    let delivery = order.shipping.as_ref().map(|quote| plain(&quote.name));
    let payment = (mail.letter == OrderLetter::Placed).then(|| payment(order)).flatten();
    let (link, link_words) = link(mail);
    let page = Page {
        shop: &shop,
        url,
        subject: &subject,
        opening: &opening,
        lines: &lines,
        totals: &totals,
        ship_to: &ship_to,
        bill_to: bill_to.as_deref(),
        delivery,
        payment,
        link: &link,
        link_words,
    };
    let body = text(&page);
    MailText { html: page.render().ok(), subject, body }
}

fn text(page: &Page<'_>) -> String {
    let mut body = format!("Hello,\n\n{}\n\n", page.opening);
    for line in page.lines {
        let Line { quantity, name, sku, amount } = line;
        body.push_str(&format!("  {quantity} × {name}\n    {sku}   {amount}\n"));
    }
    body.push('\n');
    for row in page.totals {
        body.push_str(&format!("  {:<24} {:>16}\n", row.label, row.amount));
    }
    let mut part = |title: &str, lines: &[String]| {
        body.push_str(&format!("\n{title}:\n"));
        for line in lines {
            body.push_str(&format!("  {line}\n"));
        }
    };
    part("To", page.ship_to);
    if let Some(bill_to) = page.bill_to {
        part("The invoice goes to", bill_to);
    }
    if let Some(delivery) = &page.delivery {
        part("Delivery", std::slice::from_ref(delivery));
    }
    if let Some(payment) = &page.payment {
        part("Payment", std::slice::from_ref(payment));
    }
    let Page { shop, url, link, link_words, .. } = page;
    body.push_str(&format!("\n{link_words}\n\n{link}\n\n{shop}\n{url}\n"));
    body
}

fn opening(mail: &OrderMail<'_>, shop: &str) -> String {
    let order = mail.order;
    let off = matches!(order.state.status, OrderStatus::Cancelled | OrderStatus::Refunded);
    match mail.letter {
        // It may have been declined before this was sent; another mail says why.
        OrderLetter::Placed if off => {
            format!("we had your order at {shop}, and it has been cancelled since:")
        }
        OrderLetter::Placed => format!("thank you for your order at {shop}. This is what we have:"),
        OrderLetter::Shipped => "it has left our warehouse:".to_owned(),
        OrderLetter::Cancelled => format!("{} {}", why(mail.steps), money_back(order)),
        OrderLetter::Refunded => {
            "we have given order to pay your money back, the way it came:".to_owned()
        }
    }
}

/// Why it was cancelled, by its last step that did so.
fn why(steps: &[OrderStep]) -> &'static str {
    let off = |step: &&OrderStep| step.state.status == OrderStatus::Cancelled;
    match steps.iter().find(off).map(|step| step.action) {
        Some(Action::HoldEnds) => {
            "your order was not paid in time, so we have let go of its goods and cancelled it."
        }
        Some(Action::PaymentIs { .. }) => {
            "the payment for your order was declined, so we have cancelled it."
        }
        _ => "your order is cancelled.",
    }
}

fn money_back(order: &Order) -> &'static str {
    use PaymentState::{Captured, PartlyCaptured, PartlyRefunded, Refunded};
    match order.state.payment {
        Captured | PartlyCaptured | PartlyRefunded | Refunded => {
            "What you paid goes back to you, the way it came."
        }
        _ => "Nothing is charged.",
    }
}

/// What is next about its money. `None`: nothing, as it is off.
fn payment(order: &Order) -> Option<String> {
    use PaymentState::{Authorised, Captured, Pending, Unknown};
    let total = order.total();
    let invoice = order.provider == InvoiceTerms::PROVIDER;
    let terms = order.customer.map(InvoiceTerms::usual).filter(|_| invoice);
    Some(match (terms, order.state.payment) {
        (_, Captured) => format!("{total}: paid, thank you."),
        (Some(terms), Pending | Unknown | Authorised) => {
            let (days, number) = (terms.net_days, order.number);
            format!("{total} by invoice, within {days} days; please name {number} as you pay.")
        }
        (None, Authorised) => format!("{total}: your bank has approved it."),
        (None, Pending | Unknown) => {
            format!("{total}: we are waiting for your bank's word, and write if it says no.")
        }
        _ => return None,
    })
}

/// Where the order is to be seen, and what is said of it.
fn link(mail: &OrderMail<'_>) -> (String, &'static str) {
    let place = format!("{}/orders/{}", mail.sender.url, mail.order.id);
    match (mail.token, mail.letter) {
        (Some(token), _) => (
            format!("{place}?token={}", token.expose()),
            "This link shows your order to whoever has it, so keep it to yourself:",
        ),
        (None, OrderLetter::Placed) => (place, "Your order, and what becomes of it, is here:"),
        (None, _) if mail.order.customer.is_none() => (
            place,
            "Your order is here; on another device, open the link of the mail that confirmed it:",
        ),
        (None, _) => (place, "Your order is here:"),
    }
}

fn address(address: &Address) -> Vec<String> {
    let Address { name, company, street, street_more, postcode, city, region, country, .. } =
        address;
    let town = match postcode {
        Some(postcode) => format!("{} {city}", postcode.as_str()),
        None => city.clone(),
    };
    [Some(name), company.as_ref(), Some(street), street_more.as_ref(), Some(&town), region.as_ref()]
        .into_iter()
        .flatten()
        .map(|line| plain(line))
        .chain([country.name().to_owned()])
        .collect()
}

/// On one line.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
