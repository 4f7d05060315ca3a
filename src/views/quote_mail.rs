//! What the shop and a customer are mailed of a quote: plain text.

use super::mail::{MailText, Sender};
use crate::domain::quote::{Quote, QuoteStatus};

pub struct QuoteMail<'a> {
    pub sender: &'a Sender,
    pub quote: &'a Quote,
    /// Else it goes to who asked.
    pub to_shop: bool,
}

/// With what the queue calls it.
pub fn quote_mail(mail: &QuoteMail<'_>) -> (&'static str, MailText) {
    let QuoteMail { sender: Sender { shop, url }, quote, to_shop } = mail;
    let label = quote.label();
    let (kind, subject, opening) = match quote.status {
        QuoteStatus::Requested => (
            "quote_requested",
            format!("Quote {label} is asked for"),
            "somebody asks what this costs:",
        ),
        QuoteStatus::Offered => (
            "quote_offered",
            format!("Our offer {label}"),
            "you asked us what this costs. We offer it to you at:",
        ),
        QuoteStatus::Refused => (
            "quote_refused",
            format!("Your request {label}"),
            "you asked us what this costs, and we are sorry that we can't offer it:",
        ),
        QuoteStatus::Accepted => (
            "quote_accepted",
            format!("Offer {label} is taken"),
            "the offer is taken, and can be ordered at its prices:",
        ),
        QuoteStatus::Declined => {
            ("quote_declined", format!("Offer {label} is declined"), "the offer is declined:")
        }
        QuoteStatus::Withdrawn | QuoteStatus::Expired => {
            ("quote_withdrawn", format!("Quote {label} is withdrawn"), "nobody waits for it now:")
        }
    };
    let mut body = format!("Hello,\n\n{opening}\n\n");
    for line in &quote.body.lines {
        let (quantity, name) = (line.quantity_text(), plain(&line.name));
        let price = line.offered.map(|price| format!("   {price} per {}", plain(&line.unit)));
        let price = price.unwrap_or_default();
        body.push_str(&format!("  {quantity} × {name}\n    {}{price}\n", line.sku));
    }
    for (who, words) in [("They wrote", &quote.body.wish), ("We wrote", &quote.body.answer)] {
        if !words.is_empty() && (*to_shop || who == "We wrote") {
            let words: String = words.lines().map(|line| format!("  {}\n", plain(line))).collect();
            body.push_str(&format!("\n{who}:\n{words}"));
        }
    }
    if let (QuoteStatus::Offered, Some(until)) = (quote.status, quote.valid_until) {
        body.push_str(&format!("\nThe offer holds until {} (UTC).\n", until.day()));
    }
    let place = if *to_shop { "admin/quotes" } else { "quotes" };
    let shop = plain(shop);
    body.push_str(&format!("\nIt is here:\n\n{url}/{place}/{}\n\n{shop}\n{url}\n", quote.id));
    (kind, MailText { subject: plain(&subject), body, html: None })
}

/// On one line.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
