//! `/quote`, `/quotes/{id}` and `/account/quotes`: asking what something costs, for somebody who has
//! logged in, and taking what is offered. Without scripts.

use super::Shown;
use crate::{
    actors::keepers::{
        carts::{Named, Wanted},
        quotes::QuotesError,
        writer::Told,
    },
    domain::{
        cart::{CartEdit, CartKind, LineRefusal, RowRefusal, paste},
        id::QuoteId,
        once::{BodyHash, IdempotencyKey, OnceName},
        policy::Right,
        quote::{Quote, QuoteAct},
    },
    http::{
        access::Access,
        app::App,
        cursor::{self, BeforeQuote},
        error::{Code, Problem},
        extract::{Param, Takes},
        once,
        personal::{HTML, see_other, sentence},
        resource::{Asked, Operation, Resource},
    },
    ports::{
        quotes::{QuoteFilter, QuoteWritten},
        writer::{Answering, Written},
    },
    views::{self, QuickOrderError, QuoteForm, QuoteRow},
};
use http::{StatusCode, header};
use std::sync::Arc;
use warp::reply::Response;

const READ: Access = Access::Buyer(Right::OrdersRead);
const WRITE: Access = Access::Buyer(Right::OrdersWrite);
/// Quotes of one page.
const PAGE: usize = 20;
const LIST: &[Param] = &[Param::new(
    "after",
    Takes::Formed { most: cursor::MOST, pattern: cursor::PATTERN },
    "Where to go on.",
)];
const ONE: &[Param] = &[Param::new("done", Takes::OneOf(DONE), "What was just done.")];
const DONE: &[&str] = &["asked", "accept", "decline", "withdraw"];

pub(super) fn resources() -> Vec<Resource> {
    vec![
        Resource::new(
            "/quote",
            [
                Operation::personal(WRITE, &[], |a, b| Box::pin(begin(a, b))),
                Operation::form(WRITE, |a, b| Box::pin(ask(a, b))),
            ],
        ),
        Resource::new(
            "/quote/{sku}",
            [Operation::personal(WRITE, &[], |a, b| Box::pin(begin(a, b)))],
        ),
        Resource::new(
            "/quotes/{id}",
            [Operation::personal(READ, ONE, |a, b| Box::pin(show(a, b)))],
        ),
        Resource::new("/quotes/{id}/reply", [Operation::form(WRITE, |a, b| Box::pin(reply(a, b)))]),
        Resource::new("/quotes/{id}/cart", [Operation::form(WRITE, |a, b| Box::pin(buy(a, b)))]),
        Resource::new(
            "/account/quotes",
            [Operation::personal(READ, LIST, |a, b| Box::pin(show_all(a, b)))],
        ),
    ]
}

async fn begin(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let rows = asked.path.first().map(|sku| format!("{sku} 1\n")).unwrap_or_default();
    form(&app, asked, &rows, &[], None).await
}

async fn form(
    app: &App,
    mut asked: Asked,
    rows: &str,
    errors: &[QuickOrderError],
    error: Option<&str>,
) -> Result<Response, Problem> {
    let mut shown = Shown::new(app, &mut asked, None, Vec::new()).await?;
    if !errors.is_empty() || error.is_some() {
        shown.status = StatusCode::UNPROCESSABLE_ENTITY;
    }
    let once = match asked.form.text("once") {
        "" => app.ids.next().to_string(),
        once => once.to_owned(),
    };
    let wish = asked.form.text("wish");
    let page = QuoteForm { rows, wish, once: &once, errors, error };
    Ok(shown.answer(app, &asked, views::quote_form(&shown.frame(), &page)))
}

async fn ask(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let rows = asked.form.raw("rows").to_owned();
    let paste = paste::read(&rows);
    if !paste.errors.is_empty() {
        let errors: Vec<_> = paste
            .errors
            .iter()
            .map(|error| QuickOrderError {
                line: error.at.line,
                column: error.at.column,
                sku: None,
                text: error.why.to_string(),
            })
            .collect();
        return form(&app, asked, &rows, &errors, None).await;
    }
    let who = asked.visit.must_act()?;
    let Ok(key) = IdempotencyKey::new(asked.form.text("once").as_bytes()) else {
        return Ok(see_other("/quote"));
    };
    let wish = asked.form.text("wish").to_owned();
    let wanted: Vec<_> = paste
        .rows
        .iter()
        .map(|row| Wanted { sku: row.sku.to_string(), quantity: row.quantity.clone(), note: None })
        .collect();
    let name = OnceName::new(who, "POST /quote", &key);
    let body = BodyHash::of(format!("{rows}\0{wish}").as_bytes());
    match app.quotes.ask(&who, &wanted, &wish, Named { name, body, answer: answered() }).await {
        Ok(Told::Answer(answer)) => {
            app.mails.wake.wake();
            Ok(once::respond(&app, answer))
        }
        Ok(Told::Once(other)) => Err(Problem::internal(format!("asking came to {other:?}"))),
        Err(QuotesError::Lines(refused)) => {
            let errors: Vec<_> = refused.iter().map(|row| refusal(&paste, row)).collect();
            form(&app, asked, &rows, &errors, None).await
        }
        Err(error @ (QuotesError::Empty | QuotesError::TooMany | QuotesError::TooLong)) => {
            let told = sentence(&error.to_string());
            form(&app, asked, &rows, &[], Some(&told)).await
        }
        Err(error) => Err(error.into()),
    }
}

fn answered() -> Answering {
    Arc::new(|written| match written {
        Written::Quote(QuoteWritten::Kept(quote)) => {
            let place = (header::LOCATION, format!("/quotes/{}?done=asked", quote.id));
            Some(once::kept(StatusCode::SEE_OTHER, [place], HTML, Vec::new()))
        }
        _ => None,
    })
}

fn refusal(paste: &paste::Paste, refused: &RowRefusal) -> QuickOrderError {
    let at = paste.rows.get(refused.row).map(|row| match refused.why {
        LineRefusal::Quantity(_) => row.quantity_at,
        _ => row.at,
    });
    QuickOrderError {
        line: at.map_or(1, |at| at.line),
        column: at.map_or(1, |at| at.column),
        sku: refused.sku.as_ref().map(ToString::to_string),
        text: refused.why.to_string(),
    }
}

async fn find(app: &App, asked: &Asked) -> Result<Quote, Problem> {
    let id: QuoteId = asked.path[0].parse().map_err(|_| Problem::not_found())?;
    let quote = app.quotes.get(id).await?.ok_or_else(Problem::not_found)?;
    match quote.customer == asked.visit.must_act_for()? {
        true => Ok(quote),
        false => Err(Problem::not_found()),
    }
}

async fn show(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let quote = find(&app, &asked).await?;
    page(&app, asked, &quote, None).await
}

async fn page(
    app: &App,
    mut asked: Asked,
    quote: &Quote,
    error: Option<&str>,
) -> Result<Response, Problem> {
    let done = asked.query.optional("done").map(|done| match done {
        "asked" => "Thank you. We have your request.",
        "accept" => "The offer is yours.",
        "decline" => "You declined the offer.",
        _ => "We know that you ask no longer.",
    });
    let mut shown = Shown::new(app, &mut asked, done, Vec::new()).await?;
    if error.is_some() {
        shown.status = StatusCode::CONFLICT;
    }
    Ok(shown.answer(app, &asked, views::quote(&shown.frame(), quote, app.clock.now(), error)))
}

async fn reply(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let quote = find(&app, &asked).await?;
    let action = asked.form.text("action").to_owned();
    let act = match action.as_str() {
        "accept" => QuoteAct::Accept,
        "decline" => QuoteAct::Decline,
        "withdraw" => QuoteAct::Withdraw,
        _ => return Err(Problem::new(Code::BadContent, "the form says nothing to do")),
    };
    let version = asked.form.text("version").parse().ok();
    let who = asked.visit.must_act()?;
    match app.quotes.act(&who, quote.id, act, version).await {
        Ok(_) => {
            app.mails.wake.wake();
            Ok(see_other(&format!("/quotes/{}?done={action}", quote.id)))
        }
        Err(error @ (QuotesError::Refused(_) | QuotesError::Stale)) => {
            let told = sentence(&error.to_string());
            let quote = find(&app, &asked).await?;
            page(&app, asked, &quote, Some(&told)).await
        }
        Err(error) => Err(error.into()),
    }
}

/// Puts what was agreed on into the cart, at the prices that are the buyer's own now.
async fn buy(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let quote = find(&app, &asked).await?;
    let who = asked.visit.must_act()?;
    let wanted: Vec<_> = quote
        .body
        .lines
        .iter()
        .map(|line| Wanted {
            sku: line.sku.to_string(),
            quantity: line.quantity_text(),
            note: None,
        })
        .collect();
    let (changes, refused) = app.carts.offers(&who, &wanted)?;
    if let Some(row) = refused.first() {
        let told = match row.why {
            LineRefusal::OnRequest => "These prices don't count yet: try again in a moment.".into(),
            _ => sentence(&row.why.to_string()),
        };
        return page(&app, asked, &quote, Some(&told)).await;
    }
    let changes = changes.into_iter().map(|(_, change)| change).collect();
    let edit = CartEdit::Lines { changes, partial: false };
    app.carts.edit(&who, app.carts.of(CartKind::Active), None, edit).await?;
    Ok(see_other("/cart?done=added"))
}

async fn show_all(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let filter = QuoteFilter { status: None, customer: Some(asked.visit.must_act_for()?) };
    let before = asked.query.text("after").map(|text| cursor::read::<BeforeQuote>("after", text));
    let before = before.transpose()?.map(|place| QuoteId(place.0));
    let mut found = app.quotes.list(filter, before, PAGE as u32 + 1).await?;
    let more = found.len() > PAGE;
    found.truncate(PAGE);
    let next = found.last().filter(|_| more).map(|last| cursor::write(BeforeQuote(last.id.0)));
    let now = app.clock.now();
    let rows: Vec<_> = found.iter().map(|quote| QuoteRow::of(quote, now)).collect();
    let shown = Shown::new(&app, &mut asked, None, Vec::new()).await?;
    let page = views::quotes(&shown.frame(), &rows, before.is_none(), next.as_deref());
    Ok(shown.answer(&app, &asked, page))
}
