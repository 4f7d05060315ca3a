//! `/api/v1/carts`: a shopper's carts and lists.
//!
//! `{id}` is a cart's id, or `active` or `later` for the one of that kind, which the first line
//! that is added makes. What another has is as what isn't there.

mod batch;
mod lines;
mod view;

pub(crate) use lines::NewLine;

use super::{fresh, keeping};
use crate::{
    actors::keepers::{carts::Named, writer::Told},
    domain::{
        cart::{
            Cart, CartAct, CartAnswer, CartEdit, CartKind, CartOwner, CartRefusal, CartTarget,
            Edited, MOST_NAME, MOST_NOTE,
        },
        policy::Right,
        principal::Principal,
    },
    http::{
        access::Access,
        app::App,
        error::{Code, Problem},
        extract::{Param, Takes},
        headers, once,
        openapi::{Doc, json},
        resource::{Answer, Asked, Intake, Operation, Resource},
    },
    ports::writer::{Answering, Written},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use serde::{Deserialize, Deserializer, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use view::{CartKindView, CartList, CartView};
use warp::reply::Response;

const ADDRESS: &str = "/api/v1/carts";
const ID: Param = Param::new(
    "id",
    Takes::Formed {
        most: 36,
        pattern: "^(active|later|[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12})$",
    },
    "The cart's id, or `active` or `later`.",
);

/// A list to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewCart {
    #[schema(min_length = 1, max_length = 80)]
    name: String,
    #[serde(default)]
    #[schema(max_length = 1000)]
    note: Option<String>,
}

/// What to change of a cart; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CartChange {
    #[serde(default)]
    #[schema(min_length = 1, max_length = 80)]
    name: Option<String>,
    /// `null` takes it away.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 1000)]
    note: Option<Option<String>>,
    /// Making a list active makes the active one a list.
    #[serde(default)]
    kind: Option<CartKindView>,
}

/// Tells `null` from nothing.
fn given<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

pub(super) fn resources() -> Vec<Resource> {
    let tag = "carts";
    let create = Doc::new("create_cart", tag, "Make a list")
        .about("The cart that is bought from needs no making: add lines to `active`.")
        .body(json::<NewCart>())
        .answer(201, "The new list.", json::<CartView>())
        .problem(Code::Conflict);
    let list = Doc::new("list_carts", tag, "One's open carts")
        .about("The active one first, then that for later, then lists by age.")
        .answer(200, "All of them.", json::<CartList>());
    let one = Doc::new("get_cart", tag, "A cart")
        .about("Its `ETag` stands for this version of it, lines included.")
        .place(ID)
        .answer(200, "The cart, without its lines.", json::<CartView>());
    let change = Doc::new("change_cart", tag, "Rename a cart, note something, make it active")
        .about("Needs `If-Match` with the cart's `ETag`.")
        .place(ID)
        .body(json::<CartChange>())
        .answer(200, "The cart as it is now.", json::<CartView>())
        .problem(Code::Conflict)
        .problem(Code::PreconditionFailed)
        .problem(Code::PreconditionRequired);
    let delete = Doc::new("delete_cart", tag, "Delete a cart with its lines")
        .about("Needs `If-Match` with the cart's `ETag`.")
        .place(ID)
        .bare(204, "It is gone.")
        .problem(Code::Conflict)
        .problem(Code::PreconditionFailed)
        .problem(Code::PreconditionRequired);
    let own = vec![
        Resource::new(
            ADDRESS,
            [
                mine(Method::GET, &[], |a, b| Box::pin(show_all(a, b))).doc(list),
                mine(Method::POST, &[], |a, b| Box::pin(make(a, b)))
                    .takes(Intake::Json)
                    .once()
                    .doc(create),
            ],
        ),
        Resource::new(
            "/api/v1/carts/{id}",
            [
                mine(Method::GET, &[], |a, b| Box::pin(show(a, b))).doc(one),
                mine(Method::PATCH, &[], |a, b| Box::pin(describe(a, b)))
                    .takes(Intake::Json)
                    .doc(change),
                mine(Method::DELETE, &[], |a, b| Box::pin(delete_cart(a, b))).doc(delete),
            ],
        ),
    ];
    // The last one is tried first, and `batch` is no SKU.
    own.into_iter().chain(lines::resources()).chain(batch::resources()).collect()
}

fn mine(method: Method, params: &'static [Param], run: fn(Arc<App>, Asked) -> Answer) -> Operation {
    Operation::new(method, Access::Shopper(Right::Carts), params, run)
}

async fn show_all(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let carts = match asked.visit.principal() {
        Some(who) if CartOwner::of(&who).is_some() => app.carts.open(&who).await?,
        _ => Vec::new(),
    };
    Ok(fresh(&app, &CartList { items: carts.iter().map(CartView::of).collect() }))
}

async fn make(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let (who, name) = keeping(&app, &mut asked).await?;
    let (wanted, hash): (NewCart, _) = asked.body.json_and_hash().await?;
    let (list, note) = (named(&wanted.name)?, noted("/note", wanted.note)?);
    let act = CartAct::Create { id: app.carts.new_id(), name: list, note };
    let answer = answering(|edited| {
        let place = (header::LOCATION, format!("{ADDRESS}/{}", edited.cart.id));
        (StatusCode::CREATED, vec![place], body(&CartView::of(&edited.cart)))
    });
    let named = Named { name, body: hash, answer };
    told(&app, app.carts.act_once(&who, act, named).await?, Problem::from)
}

async fn show(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let cart = cart_of(&app, &who(&asked)?, &asked.path[0]).await?;
    Ok(shown(&app, &cart))
}

async fn describe(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let who = who(&asked)?;
    let cart = cart_of(&app, &who, &asked.path[0]).await?;
    let expect = must_match(&asked.headers, &cart)?;
    let change: CartChange = asked.body.json().await?;
    let edit = CartEdit::Describe {
        name: change.name.as_deref().map(named).transpose()?,
        note: change.note.map(|note| noted("/note", note)).transpose()?,
        kind: change.kind.map(CartKind::from),
    };
    let edited = app.carts.edit(&who, CartTarget::Id(cart.id), Some(expect), edit).await?;
    Ok(shown(&app, &edited.cart))
}

async fn delete_cart(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let who = who(&asked)?;
    let cart = cart_of(&app, &who, &asked.path[0]).await?;
    let expect = Some(must_match(&asked.headers, &cart)?);
    app.carts.act(&who, CartAct::Delete { id: cart.id, expect }).await?;
    let mut response = Response::new(Vec::new().into());
    *response.status_mut() = StatusCode::NO_CONTENT;
    *response.headers_mut() = headers::of_data(&app.config);
    Ok(response)
}

/// Whose cart it is about; nobody has none.
fn who(asked: &Asked) -> Result<Principal, Problem> {
    asked.visit.principal().ok_or_else(absent)
}

/// Which cart an address means.
fn target(app: &App, text: &str) -> Result<CartTarget, Problem> {
    match text {
        "active" => Ok(app.carts.of(CartKind::Active)),
        "later" => Ok(app.carts.of(CartKind::Later)),
        id => id.parse().map(CartTarget::Id).map_err(|_| absent()),
    }
}

pub(crate) async fn cart_of(app: &App, who: &Principal, text: &str) -> Result<Cart, Problem> {
    match target(app, text)? {
        CartTarget::Id(id) => Ok(app.carts.cart(who, id).await?),
        CartTarget::Kind { kind, .. } => app.carts.of_kind(who, kind).await?.ok_or_else(absent),
    }
}

fn absent() -> Problem {
    Problem::new(Code::NotFound, "there is no such cart")
}

fn named(text: &str) -> Result<String, Problem> {
    let name = text.trim();
    let fits = (1..=MOST_NAME).contains(&name.chars().count());
    if fits && !name.chars().any(char::is_control) {
        return Ok(name.to_owned());
    }
    Err(Problem::field("/name", format!("a name is 1 to {MOST_NAME} characters on one line")))
}

fn noted(pointer: &str, note: Option<String>) -> Result<Option<String>, Problem> {
    let note = note.map(|note| note.trim().to_owned()).filter(|note| !note.is_empty());
    match note {
        Some(note) if note.chars().count() > MOST_NOTE => {
            Err(Problem::field(pointer, format!("a note has at most {MOST_NOTE} characters")))
        }
        note => Ok(note),
    }
}

/// A cart with its version as a tag.
fn shown(app: &App, cart: &Cart) -> Response {
    let mut response = fresh(app, &CartView::of(cart));
    if let Ok(tag) = HeaderValue::from_str(&tag(cart)) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// Strong: a version stands for the same bytes wherever it is read.
fn tag(cart: &Cart) -> String {
    format!("\"{}\"", cart.version)
}

/// The version that `If-Match` names, if it names this cart's; `None` when it isn't there.
fn matched(headers: &HeaderMap, cart: &Cart) -> Result<Option<i64>, Problem> {
    if !headers.contains_key(header::IF_MATCH) {
        return Ok(None);
    }
    let tag = tag(cart);
    let given = headers.get_all(header::IF_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut tags = given.flat_map(|value| value.split(',')).map(str::trim);
    if tags.any(|given| given == "*" || given == tag) {
        return Ok(Some(cart.version));
    }
    let told = format!("the cart has changed since: its ETag is {tag}");
    Err(Problem::new(Code::PreconditionFailed, told))
}

fn must_match(headers: &HeaderMap, cart: &Cart) -> Result<i64, Problem> {
    let told = "this needs the header If-Match with the ETag of the cart you have seen";
    matched(headers, cart)?.ok_or_else(|| Problem::new(Code::PreconditionRequired, told))
}

/// The version that `If-Match` asks for of a cart that may not have been read.
async fn expected(
    app: &App,
    who: &Principal,
    headers: &HeaderMap,
    text: &str,
) -> Result<Option<i64>, Problem> {
    match headers.contains_key(header::IF_MATCH) {
        true => matched(headers, &cart_of(app, who, text).await?),
        false => Ok(None),
    }
}

fn body(view: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(view).unwrap_or_default()
}

/// What is kept of a write that was made. A refusal isn't: carts change, and nothing was done.
fn answering(
    made: impl Fn(&Edited) -> (StatusCode, Vec<(HeaderName, String)>, Vec<u8>) + Send + Sync + 'static,
) -> Answering {
    Arc::new(move |written| match written {
        Written::Cart(CartAnswer::Done(edited)) => {
            let (status, mut headers, body) = made(edited);
            headers.push((header::ETAG, tag(&edited.cart)));
            Some(once::kept(status, headers, super::JSON, body))
        }
        _ => None,
    })
}

/// What a write under a name came to; `refused` says what its refusal means here.
fn told(
    app: &App,
    told: Told,
    refused: impl FnOnce(CartRefusal) -> Problem,
) -> Result<Response, Problem> {
    match told {
        Told::Answer(answer) => Ok(once::respond(app, answer)),
        Told::Once(Written::Cart(CartAnswer::Refused(refusal))) => Err(refused(refusal)),
        Told::Once(other) => Err(Problem::internal(format!("an edit came to {other:?}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cart::testing;

    #[test]
    fn if_match_names_one_version_or_any() {
        let cart = testing::cart(7);
        let ask = |given: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in given {
                headers.append(header::IF_MATCH, HeaderValue::from_static(value));
            }
            matched(&headers, &cart).map_err(|problem| problem.code)
        };
        assert_eq!(ask(&[]), Ok(None));
        for given in [&["\"7\""][..], &["*"], &["\"1\", \"7\""], &["\"1\"", "\"7\""]] {
            assert_eq!(ask(given), Ok(Some(7)), "{given:?}");
        }
        for given in ["\"6\"", "7", "W/\"7\"", ""] {
            assert_eq!(ask(&[given]), Err(Code::PreconditionFailed), "{given}");
        }
        let nothing = must_match(&HeaderMap::new(), &cart).map_err(|problem| problem.code);
        assert_eq!(nothing, Err(Code::PreconditionRequired));
    }
}
