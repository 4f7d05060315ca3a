//! `/api/v1/quotes`: what customers ask the price of, and what they are offered.
//!
//! A customer sees their own; staff sees all, and answers.

use super::{JSON, fresh, link_next};
use crate::{
    actors::keepers::{
        carts::{Named, Wanted},
        quotes::QuotesError,
        writer::Told,
    },
    domain::{
        id::QuoteId,
        money::Money,
        policy::{Permission, Right},
        quote::{MOST_LINES, Quote, QuoteAct, QuoteRefusal, QuoteStatus},
        time::Micros,
    },
    http::{
        access::Access,
        api::carts::NewLine,
        app::App,
        carting::of_rows,
        cursor::{self, BeforeQuote},
        error::{Code, Problem},
        extract::{Param, Takes},
        once,
        openapi::{Doc, json},
        resource::{Answer, Asked, Intake, Operation, Resource},
    },
    ports::{
        quotes::{QuoteFilter, QuoteWritten},
        writer::{Answering, Written},
    },
    views::PriceView,
};
use http::{HeaderValue, Method, StatusCode, header};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use uuid::Uuid;
use warp::reply::Response;

const ADDRESS: &str = "/api/v1/quotes";
const ID: Param = Param::new(
    "id",
    Takes::Formed { most: 36, pattern: "^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$" },
    "The quote's id.",
);
const LIST: &[Param] = &[
    Param::new(
        "after",
        Takes::Formed { most: cursor::MOST, pattern: cursor::PATTERN },
        "Where to go on: `next` of the answer before.",
    ),
    Param::new("limit", Takes::Integer { least: 1, most: 100, default: 25 }, "Quotes at most."),
    Param::new(
        "status",
        Takes::OneOf(QuoteStatus::KEPT),
        "Only those in this state; of offers, those too whose time is over.",
    ),
];

/// What somebody wants to know the price of.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewQuote {
    #[schema(min_items = 1, max_items = 200)]
    lines: Vec<NewLine>,
    /// What the shop should know.
    #[serde(default)]
    #[schema(max_length = 2000)]
    wish: String,
}

/// Prices for all of a quote's lines.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Offer {
    /// In the order of the quote's lines.
    #[schema(min_items = 1, max_items = 200)]
    lines: Vec<OfferedLine>,
    /// RFC 3339; from then on the offer can't be taken.
    #[schema(format = DateTime)]
    valid_until: String,
    /// What the customer should know.
    #[serde(default)]
    #[schema(max_length = 2000)]
    answer: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OfferedLine {
    #[schema(max_length = 64)]
    sku: String,
    /// For one unit, in the shop's currency.
    #[schema(max_length = 30, example = "49.90")]
    unit_price: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Refusing {
    #[serde(default)]
    #[schema(max_length = 2000)]
    answer: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct QuoteReply {
    action: ReplyName,
}

#[derive(Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ReplyName {
    /// Take the offer: its prices are the customer's own from then on.
    Accept,
    Decline,
    /// Ask no longer.
    Withdraw,
}

#[derive(Serialize, ToSchema)]
struct QuoteList {
    items: Vec<QuoteView>,
    /// Hand it back as `after` for older ones; `null` at the end.
    #[schema(required)]
    next: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct QuoteView {
    id: Uuid,
    /// What people call it.
    #[schema(example = "3F9A1C2B")]
    label: String,
    customer: Uuid,
    /// `requested`, `offered`, `accepted`, `declined`, `refused`, `withdrawn` or `expired`.
    status: &'static str,
    /// Rises with each change; its `ETag` too.
    version: i64,
    lines: Vec<QuoteLineView>,
    wish: String,
    answer: String,
    /// RFC 3339, UTC.
    #[schema(required, format = DateTime)]
    valid_until: Option<String>,
    /// RFC 3339, UTC.
    #[schema(format = DateTime)]
    created_at: String,
    /// RFC 3339, UTC.
    #[schema(format = DateTime)]
    updated_at: String,
}

#[derive(Serialize, ToSchema)]
struct QuoteLineView {
    sku: String,
    name: String,
    #[schema(example = "2.5")]
    quantity: String,
    unit: String,
    /// For one unit; `null` before there is an offer.
    #[schema(required)]
    offered: Option<PriceView>,
}

impl QuoteView {
    fn of(quote: &Quote, now: Micros) -> Self {
        Self {
            id: quote.id.0,
            label: quote.label(),
            customer: quote.customer.0,
            status: quote.status_at(now).as_str(),
            version: quote.version,
            lines: quote
                .body
                .lines
                .iter()
                .map(|line| QuoteLineView {
                    sku: line.sku.to_string(),
                    name: line.name.clone(),
                    quantity: line.quantity_text(),
                    unit: line.unit.clone(),
                    offered: line.offered.as_ref().map(PriceView::from),
                })
                .collect(),
            wish: quote.body.wish.clone(),
            answer: quote.body.answer.clone(),
            valid_until: quote.valid_until.map(Micros::rfc3339),
            created_at: quote.created_at.rfc3339(),
            updated_at: quote.updated_at.rfc3339(),
        }
    }
}

impl From<QuotesError> for Problem {
    fn from(error: QuotesError) -> Self {
        let told = error.to_string();
        match error {
            QuotesError::NoBuyer => Self::new(Code::Forbidden, told),
            QuotesError::Empty | QuotesError::TooMany => Self::field("/lines", told),
            QuotesError::TooLong => Self::field("/wish", told),
            QuotesError::Lines(rows) => of_rows(&rows, |row| (format!("/lines/{row}"), None)),
            QuotesError::Refused(why) => match why {
                QuoteRefusal::NotNow(_) | QuoteRefusal::Expired => Self::new(Code::Conflict, told),
                QuoteRefusal::Until => Self::field("/valid_until", told),
                QuoteRefusal::TooLong => Self::field("/answer", told),
                QuoteRefusal::Prices { .. } | QuoteRefusal::Currencies | QuoteRefusal::NoPrice => {
                    Self::field("/lines", told)
                }
            },
            QuotesError::Stale => Self::new(Code::PreconditionFailed, told),
            QuotesError::Documents(error) => error.into(),
            QuotesError::Store(error) => error.into(),
            QuotesError::Write(error) => error.into(),
            QuotesError::Once(error) => error.into(),
        }
    }
}

pub(super) fn resources() -> Vec<Resource> {
    let tag = "quotes";
    let list = Doc::new("list_quotes", tag, "Quotes, the newest first")
        .about("One's customer's; all of them for staff. A guest has none.")
        .answer(200, "Some of them.", json::<QuoteList>());
    let ask = Doc::new("ask_quote", tag, "Ask what products cost")
        .about(
            "Of products whose price is on request, or for a better price. The shop answers by \
             mail and here.",
        )
        .body(json::<NewQuote>())
        .answer(201, "The quote, without prices yet.", json::<QuoteView>());
    let one = Doc::new("get_quote", tag, "A quote")
        .about("Its `ETag` stands for this version of it.")
        .place(ID)
        .answer(200, "The quote.", json::<QuoteView>());
    let moves = |id, summary| {
        Doc::new(id, tag, summary)
            .place(ID)
            .answer(200, "The quote as it is now.", json::<QuoteView>())
            .problem(Code::Conflict)
            .problem(Code::PreconditionFailed)
    };
    let reply = moves("reply_to_quote", "Take an offer, decline it, or ask no longer")
        .about(
            "The prices of a taken offer are the customer's own, from the quoted quantities on, \
             until the offer's end and for two weeks at least.",
        )
        .body(json::<QuoteReply>());
    let offer = moves("offer_quote", "Offer prices")
        .about("Again, and to one whose time is over, too.")
        .body(json::<Offer>());
    let refuse =
        moves("refuse_quote", "Say that there is nothing to offer").body(json::<Refusing>());
    let shopper = |method, params, run: fn(Arc<App>, Asked) -> Answer| {
        Operation::new(method, Access::Shopper(Right::OrdersRead), params, run)
    };
    let buyer = |run| Operation::new(Method::POST, Access::Buyer(Right::OrdersWrite), &[], run);
    let staff =
        |run| Operation::new(Method::POST, Access::Staff(Permission::OrdersWrite), &[], run);
    vec![
        Resource::new(
            ADDRESS,
            [
                shopper(Method::GET, LIST, |a, b| Box::pin(show_all(a, b))).doc(list),
                buyer(|a, b| Box::pin(ask_one(a, b))).takes(Intake::Json).once().doc(ask),
            ],
        ),
        Resource::new(
            "/api/v1/quotes/{id}",
            [shopper(Method::GET, &[], |a, b| Box::pin(show(a, b))).doc(one)],
        ),
        Resource::new(
            "/api/v1/quotes/{id}/reply",
            [buyer(|a, b| Box::pin(reply_to(a, b))).takes(Intake::Json).doc(reply)],
        ),
        Resource::new(
            "/api/v1/quotes/{id}/offer",
            [staff(|a, b| Box::pin(make_offer(a, b))).takes(Intake::Json).doc(offer)],
        ),
        Resource::new(
            "/api/v1/quotes/{id}/refuse",
            [staff(|a, b| Box::pin(refuse_one(a, b))).takes(Intake::Json).doc(refuse)],
        ),
    ]
}

async fn show_all(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let before = asked.query.text("after").map(|text| cursor::read::<BeforeQuote>("after", text));
    let before = before.transpose()?.map(|place| QuoteId(place.0));
    let limit = asked.query.size("limit");
    let status = asked.query.text("status").and_then(QuoteStatus::parse);
    let staff = sees_all(&asked);
    let customer = asked.visit.principal().and_then(|who| who.customer());
    let mut quotes = Vec::new();
    if staff || customer.is_some() {
        let filter = QuoteFilter { status, customer: customer.filter(|_| !staff) };
        let most = u32::try_from(limit + 1).unwrap_or(u32::MAX);
        quotes = app.quotes.list(filter, before, most).await?;
    }
    let more = quotes.len() > limit;
    quotes.truncate(limit);
    let next = quotes.last().filter(|_| more).map(|last| cursor::write(BeforeQuote(last.id.0)));
    let now = app.clock.now();
    let items = quotes.iter().map(|quote| QuoteView::of(quote, now)).collect();
    let mut response = fresh(&app, &QuoteList { items, next: next.clone() });
    link_next(&mut response, ADDRESS, &asked.query.address(), next.as_deref());
    Ok(response)
}

async fn ask_one(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let (who, name) = (asked.visit.must_act()?, asked.name()?);
    let (wish, body): (NewQuote, _) = asked.body.json_and_hash().await?;
    if wish.lines.len() > MOST_LINES {
        return Err(QuotesError::TooMany.into());
    }
    let wanted: Vec<Wanted> = wish.lines.into_iter().map(Into::into).collect();
    let named = Named { name, body, answer: asked_answer() };
    match app.quotes.ask(&who, &wanted, &wish.wish, named).await? {
        Told::Answer(answer) => {
            app.mails.wake.wake();
            Ok(once::respond(&app, answer))
        }
        Told::Once(other) => Err(Problem::internal(format!("asking came to {other:?}"))),
    }
}

fn asked_answer() -> Answering {
    Arc::new(|written| match written {
        Written::Quote(QuoteWritten::Kept(quote)) => {
            let place = (header::LOCATION, format!("{ADDRESS}/{}", quote.id));
            let tag = (header::ETAG, tag(quote.version));
            let view = QuoteView::of(quote, quote.updated_at);
            let body = serde_json::to_vec(&view).unwrap_or_default();
            Some(once::kept(StatusCode::CREATED, [place, tag], JSON, body))
        }
        _ => None,
    })
}

async fn show(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let quote = find(&app, &asked).await?;
    Ok(shown(&app, &quote))
}

async fn reply_to(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let quote = find(&app, &asked).await?;
    let if_version = super::version_to_match(&asked.headers)?;
    let who = asked.visit.must_act()?;
    let reply: QuoteReply = asked.body.json().await?;
    let act = match reply.action {
        ReplyName::Accept => QuoteAct::Accept,
        ReplyName::Decline => QuoteAct::Decline,
        ReplyName::Withdraw => QuoteAct::Withdraw,
    };
    let quote = app.quotes.act(&who, quote.id, act, if_version).await?.ok_or_else(absent)?;
    app.mails.wake.wake();
    Ok(shown(&app, &quote))
}

async fn make_offer(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let quote = find(&app, &asked).await?;
    let if_version = super::version_to_match(&asked.headers)?;
    let who = asked.visit.must_act()?;
    let offer: Offer = asked.body.json().await?;
    let told = "a time such as 2030-01-31T18:00:00Z";
    let until = Micros::parse(&offer.valid_until);
    let valid_until = until.ok_or_else(|| Problem::field("/valid_until", told))?;
    let mut prices = Vec::with_capacity(offer.lines.len());
    for (n, line) in offer.lines.iter().enumerate() {
        let of = quote.body.lines.get(n);
        if of.is_none_or(|of| of.sku.as_str() != line.sku) {
            let told = "name the quote's lines in their order";
            return Err(Problem::field(&format!("/lines/{n}/sku"), told));
        }
        let price = Money::parse_price(&line.unit_price, app.config.currency).map_err(|error| {
            Problem::field(&format!("/lines/{n}/unit_price"), error.to_string())
        })?;
        prices.push(price);
    }
    let act = QuoteAct::Offer { prices, answer: offer.answer.trim().to_owned(), valid_until };
    let quote = app.quotes.act(&who, quote.id, act, if_version).await?.ok_or_else(absent)?;
    app.mails.wake.wake();
    Ok(shown(&app, &quote))
}

async fn refuse_one(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let quote = find(&app, &asked).await?;
    let if_version = super::version_to_match(&asked.headers)?;
    let who = asked.visit.must_act()?;
    let refusing: Refusing = asked.body.json().await?;
    let act = QuoteAct::Refuse { answer: refusing.answer.trim().to_owned() };
    let quote = app.quotes.act(&who, quote.id, act, if_version).await?.ok_or_else(absent)?;
    app.mails.wake.wake();
    Ok(shown(&app, &quote))
}

/// The quote of an address, if who asks may see it.
async fn find(app: &App, asked: &Asked) -> Result<Quote, Problem> {
    let id: QuoteId = asked.path[0].parse().map_err(|_| absent())?;
    let quote = app.quotes.get(id).await?.ok_or_else(absent)?;
    let customer = asked.visit.principal().and_then(|who| who.customer());
    match sees_all(asked) || customer == Some(quote.customer) {
        true => Ok(quote),
        false => Err(absent()),
    }
}

fn sees_all(asked: &Asked) -> bool {
    asked.visit.admit(Access::Staff(Permission::OrdersRead)).is_ok()
}

fn shown(app: &App, quote: &Quote) -> Response {
    let mut response = fresh(app, &QuoteView::of(quote, app.clock.now()));
    if let Ok(tag) = HeaderValue::from_str(&tag(quote.version)) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

fn tag(version: i64) -> String {
    format!("\"{version}\"")
}

fn absent() -> Problem {
    Problem::new(Code::NotFound, "there is no such quote")
}
