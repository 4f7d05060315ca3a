//! Quotes as staff sees them: the list, and one with prices to be filled in.

use super::{AdminFrame, FRAME};
use crate::{
    domain::{
        quote::{Quote, QuoteLine, QuoteStatus},
        time::Micros,
    },
    views::{moment::Moment, render::render},
};
use askama::Template;
use bytes::Bytes;

/// A quote as its row shows it.
struct Row {
    id: String,
    label: String,
    asked: Moment,
    email: String,
    words: &'static str,
    class: &'static str,
    products: usize,
}

impl Row {
    fn of(quote: &Quote, now: Micros) -> Self {
        let (words, class) = mark(quote.status_at(now));
        Self {
            id: quote.id.to_string(),
            label: quote.label(),
            asked: Moment::of(quote.created_at),
            email: quote.email.clone(),
            words,
            class,
            products: quote.body.lines.len(),
        }
    }
}

fn mark(status: QuoteStatus) -> (&'static str, &'static str) {
    match status {
        QuoteStatus::Requested => ("To answer", "mark mark-do"),
        QuoteStatus::Offered => ("Offered", "mark mark-wait"),
        QuoteStatus::Accepted => ("Taken", "mark mark-good"),
        QuoteStatus::Declined => ("Declined", "mark mark-off"),
        QuoteStatus::Refused => ("Not offered", "mark mark-off"),
        QuoteStatus::Withdrawn => ("Withdrawn", "mark mark-off"),
        QuoteStatus::Expired => ("Over", "mark mark-off"),
    }
}

pub struct QuotesRoom<'a> {
    pub quotes: &'a [Quote],
    pub now: Micros,
    /// Only those that wait for an answer.
    pub open: bool,
    pub is_first: bool,
    /// Where the first page of this question is.
    pub first: &'a str,
    /// Where the list goes on.
    pub next: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "admin_quotes.html")]
struct List<'a> {
    frame: &'a AdminFrame<'a>,
    page: &'a QuotesRoom<'a>,
    rows: Vec<Row>,
}

pub fn quotes(frame: &AdminFrame<'_>, page: &QuotesRoom<'_>) -> Bytes {
    let rows: Vec<_> = page.quotes.iter().map(|quote| Row::of(quote, page.now)).collect();
    let size = FRAME + rows.len() * 512;
    render(&List { frame, page, rows }, size)
}

pub struct QuoteRoom<'a> {
    pub quote: &'a Quote,
    pub now: Micros,
    /// Whether whoever looks may answer.
    pub may_answer: bool,
    /// What was typed: a price for each line, until when, and what is said.
    pub prices: &'a [String],
    pub until: &'a str,
    pub answer: &'a str,
}

#[derive(Template)]
#[template(path = "admin_quote.html")]
struct One<'a> {
    frame: &'a AdminFrame<'a>,
    page: &'a QuoteRoom<'a>,
    quote: &'a Quote,
    label: String,
    words: &'static str,
    class: &'static str,
    can_answer: bool,
    asked: Moment,
    until: Option<Moment>,
}

impl One<'_> {
    /// Each line with its place and what stands in its field.
    fn lines(&self) -> impl Iterator<Item = (usize, &QuoteLine, String)> {
        self.quote.body.lines.iter().enumerate().map(|(n, line)| {
            let typed = self.page.prices.get(n).cloned();
            let kept = || line.offered.map(|price| price.amount()).unwrap_or_default();
            (n, line, typed.unwrap_or_else(kept))
        })
    }
}

pub fn quote(frame: &AdminFrame<'_>, page: &QuoteRoom<'_>) -> Bytes {
    let quote = page.quote;
    let status = quote.status_at(page.now);
    let (words, class) = mark(status);
    let open = [QuoteStatus::Requested, QuoteStatus::Offered, QuoteStatus::Expired];
    let view = One {
        frame,
        page,
        quote,
        label: quote.label(),
        words,
        class,
        can_answer: page.may_answer && open.contains(&status),
        asked: Moment::of(quote.created_at),
        until: quote.valid_until.map(Moment::of),
    };
    render(&view, FRAME + quote.body.lines.len() * 512)
}
