//! `/cart`: a shopper's own pages. Each works without scripts, and none is kept by anybody.
//!
//! What can be put into a cart from a page that is the same for everybody is sent with no token in
//! the form; such a form has to come from a page of ours all the same. Every change ends in a
//! redirect, so that loading the page again does nothing twice.

mod change;
mod quick;

pub(super) use crate::http::personal::{html, see_other};

use super::sentence;
use crate::{
    actors::keepers::carts::{ShownLine, Wanted},
    domain::{
        cart::{Cart, CartEdit, CartKind, CartOwner, CartTarget},
        id::CartId,
        policy::Right,
        principal::Principal,
    },
    http::{
        access::Access,
        app::App,
        cursor::{self, BehindPlace},
        error::{Code, Problem},
        extract::{Param, Takes},
        forgery::Proof,
        headers,
        resource::{Asked, Operation, Resource},
        visit::Visit,
    },
    views::{self, CartPage, CartPageError, CartReview, CartRow},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;
use std::{collections::HashMap, sync::Arc};
use warp::reply::Response;

/// Lines of one page.
const PAGE: usize = 50;
const SHOPPER: Access = Access::Shopper(Right::Carts);
const PARAMS: &[Param] = &[
    Param::new(
        "after",
        Takes::Formed { most: cursor::MOST, pattern: cursor::PATTERN },
        "Where to go on.",
    ),
    Param::new("done", Takes::OneOf(DONE), "What was just done."),
];
const DONE: &[&str] = &[
    "added", "updated", "removed", "later", "moved", "noted", "seen", "listed", "saved", "deleted",
    "active",
];

/// Beside a page that is the same for everybody.
#[derive(Serialize)]
struct Summary {
    /// In the active cart.
    lines: u64,
    signed_in: bool,
}

/// What a script is told of what it added.
#[derive(Serialize)]
struct Told {
    #[serde(skip_serializing_if = "Option::is_none")]
    lines: Option<u64>,
    /// A sentence for people.
    told: String,
}

pub(super) fn resources() -> Vec<Resource> {
    let own = vec![
        Resource::new(
            "/cart",
            [Operation::personal(SHOPPER, PARAMS, |a, b| Box::pin(show_active(a, b)))],
        ),
        Resource::new(
            "/cart/list/{id}",
            [Operation::personal(SHOPPER, PARAMS, |a, b| Box::pin(show_list(a, b)))],
        ),
        Resource::new(
            "/cart/summary",
            [Operation::personal(SHOPPER, &[], |a, b| Box::pin(summary(a, b)))],
        ),
        Resource::new(
            "/cart/add",
            [Operation::form(SHOPPER, |a, b| Box::pin(add(a, b))).proof(Proof::Origin)],
        ),
    ];
    own.into_iter().chain(change::resources()).chain(quick::resources()).collect()
}

/// Who has carts, of those who have a session.
pub(super) fn shopper(visit: &Visit) -> Option<Principal> {
    visit.principal().filter(|who| CartOwner::of(who).is_some())
}

async fn summary(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let cart = match shopper(&asked.visit) {
        Some(who) => app.carts.of_kind(&who, CartKind::Active).await?,
        None => None,
    };
    let lines = cart.as_ref().map_or(0, Cart::lines);
    let signed_in = asked.visit.session().is_some_and(|session| session.user().is_some());
    Ok(json(&app, StatusCode::OK, &Summary { lines, signed_in }))
}

async fn add(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let who = asked.visit.principal_or_guest(&app).await?;
    let scripted = wants_json(&asked.headers);
    let wanted = Wanted {
        sku: asked.form.text("sku").to_owned(),
        quantity: match asked.form.text("quantity") {
            "" => "1".to_owned(),
            given => given.to_owned(),
        },
        note: None,
    };
    let (changes, refused) = app.carts.offers(&who, std::slice::from_ref(&wanted))?;
    let added = match refused.first() {
        Some(row) => Err(sentence(&row.why.to_string())),
        None => {
            let changes = changes.into_iter().map(|(_, change)| change).collect();
            let edit = CartEdit::Lines { changes, partial: false };
            let target = app.carts.of(CartKind::Active);
            change::tried(app.carts.edit(&who, target, None, edit).await)?.map_err(|rows| {
                rows.first().map(|row| sentence(&row.why.to_string())).unwrap_or_default()
            })
        }
    };
    match added {
        Ok(edited) if scripted => {
            let lines = edited.cart.lines();
            let told = match lines {
                1 => "Added. It is the first product in your cart.".to_owned(),
                lines => format!("Added. There are {lines} products in your cart."),
            };
            Ok(json(&app, StatusCode::OK, &Told { lines: Some(lines), told }))
        }
        Ok(_) => Ok(see_other("/cart?done=added")),
        Err(told) if scripted => {
            Ok(json(&app, StatusCode::UNPROCESSABLE_ENTITY, &Told { lines: None, told }))
        }
        Err(told) => Err(Problem::new(Code::BadContent, told)),
    }
}

fn wants_json(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| accept.starts_with("application/json"))
}

async fn show_active(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    show(&app, asked, Shown { cart: Which::Active, ..Shown::default() }).await
}

async fn show_list(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let id = asked.path[0].parse().map_err(|_| Problem::not_found())?;
    show(&app, asked, Shown { cart: Which::Id(id), ..Shown::default() }).await
}

#[derive(Default)]
enum Which {
    #[default]
    Active,
    Id(CartId),
}

/// What a page shows beyond what is there.
#[derive(Default)]
struct Shown {
    cart: Which,
    /// The cursor that a form was sent from behind.
    after: Option<String>,
    /// What could not be done, and what was typed: by SKU.
    errors: Vec<(Option<String>, String)>,
    typed: HashMap<String, String>,
}

async fn show(app: &App, mut asked: Asked, shown: Shown) -> Result<Response, Problem> {
    let who = shopper(&asked.visit);
    let (carts, cart) = match (&who, &shown.cart) {
        (None, Which::Active) => (Vec::new(), None),
        (None, Which::Id(_)) => return Err(Problem::not_found()),
        (Some(who), which) => {
            let carts = app.carts.open(who).await?;
            let cart = match which {
                Which::Active => carts.iter().find(|cart| cart.kind == CartKind::Active).cloned(),
                Which::Id(id) => Some(app.carts.cart(who, *id).await?),
            };
            (carts, cart)
        }
    };
    let asked_after = asked.query.optional("after").map(str::to_owned);
    let after = shown.after.or(asked_after).filter(|after| !after.is_empty());
    let behind = after.as_deref().map(|text| cursor::read::<BehindPlace>("after", text));
    let behind = behind.transpose()?.map_or(0, |place| place.0);
    let (mut lines, review) = match (&who, &cart) {
        (Some(who), Some(cart)) => {
            let lines = app.carts.lines(who, cart, behind, PAGE as u32 + 1).await?;
            (lines, Some(app.carts.review(who, cart).await?))
        }
        _ => (Vec::new(), None),
    };
    let more = lines.len() > PAGE;
    lines.truncate(PAGE);
    let next = lines.last().filter(|_| more);
    let next = next.map(|last| cursor::write(BehindPlace(last.line.place)));
    let review = review.filter(|review| !review.lines.is_empty());
    let place_of = |sku: &Option<String>| {
        let line = lines.iter().find(|line| Some(line.line.sku.as_str()) == sku.as_deref());
        line.map(|line| line.line.place)
    };
    let errors: Vec<_> = shown
        .errors
        .iter()
        .map(|(sku, text)| CartPageError { text: text.clone(), place: place_of(sku) })
        .collect();
    let rows: Vec<_> = lines.iter().map(|line| row(line, &shown.typed)).collect();
    let form_token = asked.visit.form_token(app);
    let (_, shell) = app.shell();
    let failed = !errors.is_empty();
    let page = CartPage {
        shell: &shell,
        offset: app.offset(),
        form_token: &form_token,
        cart: cart.as_ref(),
        carts: &carts,
        lines: &rows,
        review: review.as_ref().map(|review| CartReview {
            rows: review
                .lines
                .iter()
                .map(|line| (&line.line, line.document.as_deref(), line.changes.as_slice()))
                .collect(),
            changed: review.changed,
            token: &review.token,
        }),
        after: after.as_deref(),
        next: next.as_deref(),
        done: asked.query.optional("done").filter(|_| !failed).and_then(done),
        errors: &errors,
    };
    let status = if failed { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok(html(app, &asked, status, views::cart(&page)))
}

fn row<'a>(shown: &'a ShownLine, typed: &'a HashMap<String, String>) -> CartRow<'a> {
    CartRow {
        line: &shown.line,
        document: shown.document.as_deref(),
        standing: &shown.standing,
        changes: &shown.changes,
        typed: typed.get(shown.line.sku.as_str()).map(String::as_str),
    }
}

fn done(what: &str) -> Option<&'static str> {
    Some(match what {
        "added" => "It is in your cart.",
        "updated" => "The quantities are as you set them.",
        "removed" => "It is no longer in here.",
        "later" => "It is saved for later.",
        "moved" => "It is on the other list now.",
        "noted" => "Your note is kept.",
        "seen" => "The sum is made of the new prices now.",
        "listed" => "The list is made.",
        "saved" => "The list is as you described it.",
        "deleted" => "The list is gone.",
        "active" => "This is your cart now.",
        _ => return None,
    })
}

/// Where a cart is looked at.
fn address(cart: &Cart) -> String {
    match cart.kind {
        CartKind::Active => "/cart".into(),
        CartKind::Later | CartKind::List => format!("/cart/list/{}", cart.id),
    }
}

/// Which cart a form is about; the active one unless it says another.
fn target(app: &App, form: &str) -> Result<CartTarget, Problem> {
    match form {
        "" => Ok(app.carts.of(CartKind::Active)),
        id => id.parse().map(CartTarget::Id).map_err(|_| Problem::not_found()),
    }
}

fn json(app: &App, status: StatusCode, value: &impl Serialize) -> Response {
    let body = serde_json::to_vec(value).unwrap_or_default();
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    *response.headers_mut() = headers::of_data(&app.config);
    let content_type = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response
}
