//! `/api/v1/keys`: keys for programs, with a part of what their maker may do.

use super::{accounts::UUID, fresh, no_content};
use crate::{
    actors::keepers::{
        accounts::{KeyMade, Making},
        sessions::Whence,
    },
    domain::{
        once::KeptAnswer,
        policy::{Permission, Right},
        session::{Session, Who},
        time::Micros,
    },
    http::{
        access::Access,
        app::App,
        error::{Code, Problem},
        extract::Param,
        once,
        openapi::{Doc, json},
        resource::{Asked, Intake, Operation, Resource},
    },
};
use http::{HeaderValue, Method, StatusCode};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use uuid::Uuid;
use warp::reply::Response;

const ID: Param = Param::new("id", UUID, "The key's id.");
const MOST_NAME: usize = 100;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewKey {
    /// What it is for, to tell it from others.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// What it may do: of what its maker may, some; never log in, make keys or say who else does.
    #[schema(min_items = 1)]
    scopes: Vec<String>,
    /// RFC 3339; left out: as long as the shop lets keys last.
    #[schema(format = DateTime)]
    until: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct MadeKey {
    /// To be sent as `Authorization: Bearer …`. Told this once: only its hash is kept.
    token: String,
    key: KeyView,
}

#[derive(Serialize, ToSchema)]
struct KeyList {
    items: Vec<KeyView>,
}

/// One key, without its token.
#[derive(Serialize, ToSchema)]
struct KeyView {
    id: Uuid,
    name: String,
    scopes: Vec<&'static str>,
    #[schema(format = DateTime)]
    made_at: String,
    /// Within an hour.
    #[schema(format = DateTime)]
    used_at: String,
    #[schema(format = DateTime)]
    ends_at: String,
}

pub(super) fn resources() -> Vec<Resource> {
    let (tag, access) = ("keys", Access::User(Right::Keys));
    let list = Doc::new("list_keys", tag, "One's keys").answer(200, "All.", json::<KeyList>());
    let make = Doc::new("make_key", tag, "Make a key for a program")
        .about(
            "It acts for whoever made it, within its scopes. Its token is told once: asked again \
             under the same `Idempotency-Key` it is a conflict that names the key.",
        )
        .body(json::<NewKey>())
        .answer(201, "The key and its token.", json::<MadeKey>())
        .problem(Code::Conflict);
    let end = Doc::new("end_key", tag, "Withdraw a key").place(ID).bare(204, "It is dead.");
    vec![
        Resource::new(
            "/api/v1/keys",
            [
                Operation::new(Method::GET, access, &[], |a, b| Box::pin(show_list(a, b)))
                    .doc(list),
                Operation::new(Method::POST, access, &[], |a, b| Box::pin(make_one(a, b)))
                    .takes(Intake::Json)
                    .once()
                    .doc(make),
            ],
        ),
        Resource::new(
            "/api/v1/keys/{id}",
            [Operation::new(Method::DELETE, access, &[], |a, b| Box::pin(end_one(a, b))).doc(end)],
        ),
    ]
}

async fn show_list(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let user = asked.visit.must_have()?.user().ok_or_else(Problem::not_found)?;
    let keys = app.accounts.keys(user).await?;
    Ok(fresh(&app, &KeyList { items: keys.iter().map(KeyView::of).collect() }))
}

async fn make_one(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let maker = asked.visit.must_have()?.clone();
    let address = asked.visit.whence().address;
    let key = asked.name()?;
    let (wish, body) = asked.body.json_and_hash().await?;
    let NewKey { name, scopes, until } = wish;
    let name = name.trim();
    if name.is_empty() || name.chars().count() > MOST_NAME || name.contains(char::is_control) {
        return Err(Problem::field("/name", format!("1 to {MOST_NAME} characters on one line")));
    }
    let until = until.map(|text| instant(&text)).transpose()?;
    if until.is_some_and(|until| until <= app.clock.now()) {
        return Err(Problem::field("/until", "lies in the past"));
    }
    let whence = Whence { label: name.to_owned(), address };
    let making = Making { name: key, body, answer: made_before };
    let made = match app.accounts.make_key(&maker, &scopes, whence, until, making).await? {
        KeyMade::Now(made) => made,
        KeyMade::Before(told) => return Ok(once::respond(&app, told)),
    };
    let token = made.token.expose().to_owned();
    let mut response = fresh(&app, &MadeKey { token, key: KeyView::of(&made.session) });
    *response.status_mut() = StatusCode::CREATED;
    Ok(response)
}

/// For whoever asks again: its token was told once, and is kept nowhere.
fn made_before(key: &Session) -> KeptAnswer {
    let told = format!(
        "the key {} was made by this request, and its token was told once: withdraw it and make \
         another if that was lost",
        key.id
    );
    once::kept_problem(&Problem::new(Code::Conflict, told), &HeaderValue::from_static("-"))
}

async fn end_one(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let user = asked.visit.must_have()?.user().ok_or_else(Problem::not_found)?;
    let id = asked.path[0].parse().map_err(|_| Problem::not_found())?;
    app.accounts.end_key(user, id).await?;
    Ok(no_content(&app))
}

fn instant(text: &str) -> Result<Micros, Problem> {
    let parsed: Result<jiff::Timestamp, _> = text.parse();
    let told = "a time such as 2030-01-31T18:00:00Z";
    parsed.map(|at| Micros(at.as_microsecond())).map_err(|_| Problem::field("/until", told))
}

impl KeyView {
    fn of(key: &Session) -> Self {
        Self {
            id: key.id.0,
            name: key.label.clone(),
            scopes: match key.who {
                Who::Guest => Vec::new(),
                Who::Buyer { rights, .. } => rights.iter().map(Right::as_str).collect(),
                Who::Staff { permissions, .. } => {
                    permissions.iter().map(Permission::as_str).collect()
                }
            },
            made_at: key.opened_at.rfc3339(),
            used_at: key.seen_at.rfc3339(),
            ends_at: key.ends_at.rfc3339(),
        }
    }
}
