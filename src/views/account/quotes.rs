//! Asking what something costs, and what became of that.

use super::AccountFrame;
use crate::domain::{
    quote::{Quote, QuoteLine, QuoteStatus},
    time::Micros,
};
use crate::views::{
    cart_page::QuickOrderError,
    moment::Moment,
    render::render,
    shell::{Meta, Shell},
};
use askama::Template;
use bytes::Bytes;

/// A form with what was typed.
pub struct QuoteForm<'a> {
    /// SKUs with quantities, line by line.
    pub rows: &'a str,
    pub wish: &'a str,
    /// Sent twice it is one wish.
    pub once: &'a str,
    pub errors: &'a [QuickOrderError],
    /// What is wrong with nothing in particular.
    pub error: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "quote_form.html")]
struct Form<'a> {
    shell: &'a Shell,
    meta: Meta<'a>,
    frame: &'a AccountFrame<'a>,
    form: &'a QuoteForm<'a>,
}

pub fn quote_form(frame: &AccountFrame<'_>, form: &QuoteForm<'_>) -> Bytes {
    let (shell, meta) = (frame.shell, frame.meta("Ask for a quote"));
    render(&Form { shell, meta, frame, form }, frame.size() + form.rows.len() + form.wish.len())
}

#[derive(Template)]
#[template(path = "quote.html")]
struct One<'a> {
    shell: &'a Shell,
    meta: Meta<'a>,
    frame: &'a AccountFrame<'a>,
    quote: &'a Quote,
    label: String,
    words: &'static str,
    told: &'static str,
    status: QuoteStatus,
    until: Option<Moment>,
    error: Option<&'a str>,
}

impl One<'_> {
    fn price(&self, line: &QuoteLine) -> String {
        line.offered.map_or_else(|| "–".to_owned(), |price| price.to_string())
    }
}

/// `error`: something that could not be done, in a sentence.
pub fn quote(frame: &AccountFrame<'_>, quote: &Quote, now: Micros, error: Option<&str>) -> Bytes {
    let status = quote.status_at(now);
    let page = One {
        shell: frame.shell,
        meta: frame.meta("Quote"),
        frame,
        quote,
        label: quote.label(),
        words: words(status),
        told: match status {
            QuoteStatus::Requested => "We will answer by mail, and here.",
            QuoteStatus::Offered => "Take the offer to order at these prices.",
            QuoteStatus::Accepted => {
                "These prices are yours, from the quoted quantities on. They count a moment after \
                 you took the offer."
            }
            QuoteStatus::Declined => "You declined this offer.",
            QuoteStatus::Refused => "We are sorry: we can't offer this.",
            QuoteStatus::Withdrawn => "You asked for it no longer.",
            QuoteStatus::Expired => "The time of this offer is over. Ask again, and we look anew.",
        },
        status,
        until: quote.valid_until.map(Moment::of),
        error,
    };
    render(&page, frame.size() + quote.body.lines.len() * 400)
}

/// A quote as its row shows it.
pub struct QuoteRow {
    id: String,
    label: String,
    asked: Moment,
    words: &'static str,
    products: usize,
}

impl QuoteRow {
    pub fn of(quote: &Quote, now: Micros) -> Self {
        Self {
            id: quote.id.to_string(),
            label: quote.label(),
            asked: Moment::of(quote.created_at),
            words: words(quote.status_at(now)),
            products: quote.body.lines.len(),
        }
    }
}

fn words(status: QuoteStatus) -> &'static str {
    match status {
        QuoteStatus::Requested => "Waiting for our answer",
        QuoteStatus::Offered => "Waiting for you",
        QuoteStatus::Accepted => "Taken",
        QuoteStatus::Declined => "Declined",
        QuoteStatus::Refused => "Not offered",
        QuoteStatus::Withdrawn => "Withdrawn",
        QuoteStatus::Expired => "Over",
    }
}

#[derive(Template)]
#[template(path = "account_quotes.html")]
struct List<'a> {
    shell: &'a Shell,
    meta: Meta<'a>,
    rows: &'a [QuoteRow],
    is_first: bool,
    next: Option<&'a str>,
}

/// `next`: the cursor of the page behind this one.
pub fn quotes(
    frame: &AccountFrame<'_>,
    rows: &[QuoteRow],
    is_first: bool,
    next: Option<&str>,
) -> Bytes {
    let (shell, meta) = (frame.shell, frame.meta("Quotes"));
    render(&List { shell, meta, rows, is_first, next }, frame.size() + rows.len() * 512)
}
