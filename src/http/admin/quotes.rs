//! `/admin/quotes` and one of them: what customers ask the price of, and what they are offered.

use super::{Shown, may};
use crate::{
    domain::{
        id::QuoteId,
        money::Money,
        policy::Permission,
        quote::{Quote, QuoteAct, QuoteStatus},
        time::Micros,
    },
    http::{
        access::Access,
        app::App,
        cursor::{self, BeforeQuote},
        error::{Code, Problem},
        extract::{Param, Takes},
        form::Form,
        personal::see_other,
        resource::{Asked, Operation, Resource},
    },
    ports::quotes::QuoteFilter,
    views::admin::{self as views, QuoteRoom, QuotesRoom},
};
use std::{sync::Arc, time::Duration};
use warp::reply::Response;

pub(super) const HERE: &str = "/admin/quotes";
const READ: Access = Access::Staff(Permission::OrdersRead);
const WRITE: Access = Access::Staff(Permission::OrdersWrite);

/// Quotes of one page.
const PAGE: usize = 50;
const LIST: &[Param] = &[
    Param::new(
        "after",
        Takes::Formed { most: cursor::MOST, pattern: cursor::PATTERN },
        "Where to go on.",
    ),
    Param::new("all", Takes::Flag, "Also those that wait for no answer of ours."),
];
const ONE: &[Param] = &[Param::new("done", Takes::OneOf(DONE), "What was just done.")];
const DONE: &[&str] = &["offer", "refuse"];
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How long an offer is proposed to hold.
const USUAL: Duration = Duration::from_secs(30 * 24 * 60 * 60);

pub(super) fn resources() -> Vec<Resource> {
    vec![
        Resource::new(HERE, [Operation::personal(READ, LIST, |a, b| Box::pin(show_all(a, b)))]),
        Resource::new(
            "/admin/quotes/{id}",
            [
                Operation::personal(READ, ONE, |a, b| Box::pin(show(a, b))),
                Operation::form(WRITE, |a, b| Box::pin(act(a, b))),
            ],
        ),
    ]
}

async fn show_all(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let shown = Shown::new(&app, &mut asked, HERE).await?;
    let before = asked.query.text("after").map(|text| cursor::read::<BeforeQuote>("after", text));
    let before = before.transpose()?.map(|place| QuoteId(place.0));
    let open = asked.query.text("all") != Some("true");
    let filter = QuoteFilter { customer: None, status: open.then_some(QuoteStatus::Requested) };
    let mut found = app.quotes.list(filter, before, PAGE as u32 + 1).await?;
    let more = found.len() > PAGE;
    found.truncate(PAGE);
    let first = if open { HERE.to_owned() } else { format!("{HERE}?all=true") };
    let next = found.last().filter(|_| more).map(|last| {
        let sign = if open { '?' } else { '&' };
        format!("{first}{sign}after={}", cursor::write(BeforeQuote(last.id.0)))
    });
    let page = QuotesRoom {
        quotes: &found,
        now: app.clock.now(),
        open,
        is_first: before.is_none(),
        first: &first,
        next: next.as_deref(),
    };
    Ok(shown.answer(&app, &asked, views::quotes(&shown.frame("Quotes"), &page)))
}

async fn find(app: &App, asked: &Asked) -> Result<Quote, Problem> {
    let absent = || Problem::new(Code::NotFound, "there is no such quote");
    let id: QuoteId = asked.path[0].parse().map_err(|_| absent())?;
    app.quotes.get(id).await?.ok_or_else(absent)
}

async fn show(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let quote = find(&app, &asked).await?;
    let done = asked.query.text("done").map(|done| match done {
        "offer" => "The offer is sent.",
        _ => "They are told that there is nothing to offer.",
    });
    let shown = Shown::new(&app, &mut asked, HERE).await?.done(done);
    // An offer that stands is sent anew as it was, but for what is changed.
    let now = app.clock.now();
    let stands = quote.valid_until.filter(|until| *until > now).map(|until| until.minus(DAY));
    let until = stands.unwrap_or_else(|| now.plus(USUAL)).day();
    let answer = quote.body.answer.clone();
    Ok(page(&app, &asked, &shown, &quote, (&[], &until, &answer)))
}

/// `typed`: prices, until when, and what is said.
fn page(
    app: &App,
    asked: &Asked,
    shown: &Shown,
    quote: &Quote,
    typed: (&[String], &str, &str),
) -> Response {
    let (prices, until, answer) = typed;
    let may_answer = may(asked, Permission::OrdersWrite);
    let room = QuoteRoom { quote, now: app.clock.now(), may_answer, prices, until, answer };
    let title = format!("Quote {}", quote.label());
    shown.answer(app, asked, views::quote(&shown.frame(&title), &room))
}

async fn act(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let quote = find(&app, &asked).await?;
    let form = &asked.form;
    let action = form.text("action").to_owned();
    let (until, answer) = (form.text("until").to_owned(), form.text("answer").to_owned());
    let field = |n| form.text(&format!("price.{n}")).to_owned();
    let prices: Vec<_> = (0..quote.body.lines.len()).map(field).collect();
    let version = form.text("version").parse();
    let version = version.map_err(|_| Problem::new(Code::BadContent, "the form has no version"))?;
    let who = asked.visit.must_act()?;
    let wished = wish(&app, form, &quote, &prices);
    let done = match wished {
        Ok(act) => app.quotes.act(&who, quote.id, act, Some(version)).await.map_err(Into::into),
        Err(problem) => Err(problem),
    };
    match done {
        Ok(_) => {
            app.mails.wake.wake();
            Ok(see_other(&format!("{HERE}/{}?done={action}", quote.id)))
        }
        Err(problem) => {
            let shown = Shown::new(&app, &mut asked, HERE).await?.failed(problem)?;
            let quote = find(&app, &asked).await?;
            Ok(page(&app, &asked, &shown, &quote, (&prices, &until, &answer)))
        }
    }
}

fn wish(app: &App, form: &Form, quote: &Quote, prices: &[String]) -> Result<QuoteAct, Problem> {
    let bad = |told: String| Problem::new(Code::BadContent, told);
    let answer = form.text("answer").to_owned();
    match form.text("action") {
        "offer" => {}
        "refuse" => return Ok(QuoteAct::Refuse { answer }),
        _ => return Err(bad("the form says nothing to do".into())),
    }
    let day = Micros::parse(&format!("{}T00:00:00Z", form.text("until")));
    let valid_until = day.ok_or_else(|| bad("say until which day the offer holds".into()))?;
    let lines = quote.body.lines.iter().zip(prices);
    let prices = lines.map(|(line, text)| {
        Money::parse_price(text, app.config.currency)
            .map_err(|error| bad(format!("the price of {}: {error}", line.sku)))
    });
    let prices = prices.collect::<Result<Vec<_>, _>>()?;
    Ok(QuoteAct::Offer { prices, answer, valid_until: valid_until.plus(DAY) })
}
