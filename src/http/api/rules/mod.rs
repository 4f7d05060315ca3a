//! Commercial rules for staff: price lists and their prices, taxes, ways of shipping, coupons.
//!
//! Each kind is a list of small documents, told apart by ids that whoever makes one chooses. All
//! kinds are listed, read, put and dropped alike, by [`family`]; what one looks like is its file's
//! affair. A change is in force on every node within a second.

pub(crate) mod coupons;
pub(crate) mod fields;
pub(crate) mod price_lists;
pub(crate) mod prices;
pub(crate) mod shipping;
pub(crate) mod taxes;

use super::{fresh, link_next};
use crate::{
    domain::{
        policy::Permission,
        principal::Principal,
        rule::{Rule, RuleKind, StoredRule},
    },
    http::{
        access::Access,
        app::App,
        cursor::{self, BehindRule},
        error::{Code, Problem},
        extract::{Param, Takes},
        headers,
        openapi::{Doc, json},
        resource::{Asked, Intake, Operation, Resource},
    },
    ports::rules::RuleWritten,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde::{Serialize, de::DeserializeOwned};
use std::sync::Arc;
use utoipa::ToSchema;
use uuid::Uuid;
use warp::reply::Response;

const READ: Access = Access::Staff(Permission::PricesRead);
const WRITE: Access = Access::Staff(Permission::PricesWrite);

const ID: Param = Param::new(
    "id",
    Takes::Formed { most: 36, pattern: "^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$" },
    "Its id: a UUID that you choose when you make it.",
);
const PAGE: &[Param] = &[
    Param::new(
        "after",
        Takes::Formed { most: cursor::MOST, pattern: cursor::PATTERN },
        "Where to go on: `next` of the answer before.",
    ),
    Param::new("limit", Takes::Integer { least: 1, most: 100, default: 24 }, "Items at most."),
];

/// A kind of rules as the API writes and reads it.
pub(crate) trait Family: Serialize + ToSchema + Sized + 'static {
    const KIND: RuleKind;
    const ADDRESS: &'static str;
    /// In a sentence: `price list`.
    const NAME: &'static str;
    type Draft: DeserializeOwned + ToSchema;
    type List: Serialize + ToSchema;

    fn rule(draft: Self::Draft, id: Uuid) -> Result<Rule, Problem>;
    /// `None`: it is of another kind.
    fn of(stored: &StoredRule) -> Option<Self>;
    fn list(items: Vec<Self>, next: Option<String>) -> Self::List;
}

/// What the description says of a family.
struct Words {
    tag: &'static str,
    ids: [&'static str; 4],
    summaries: [&'static str; 4],
    about_put: &'static str,
}

/// `one`: the address of a single rule.
fn family<F: Family>(one: &'static str, words: Words) -> Vec<Resource> {
    let Words { tag, ids, summaries, about_put } = words;
    let doc = |n: usize| Doc::new(ids[n], tag, summaries[n]);
    let list = doc(0).about("In the order of their ids.").answer(200, "A page.", json::<F::List>());
    let get = doc(1).place(ID).answer(200, "As it is now.", json::<F>());
    let put = doc(2)
        .about(about_put)
        .place(ID)
        .body(json::<F::Draft>())
        .answer(200, "It was changed.", json::<F>())
        .answer(201, "It was made.", json::<F>())
        .problem(Code::Conflict)
        .problem(Code::PreconditionFailed)
        .problem(Code::PreconditionRequired);
    let delete = doc(3)
        .about("Needs `If-Match` with its `ETag`.")
        .place(ID)
        .bare(204, "It is gone.")
        .problem(Code::PreconditionFailed)
        .problem(Code::PreconditionRequired);
    let get_list = Operation::new(Method::GET, READ, PAGE, |a, b| Box::pin(show_all::<F>(a, b)));
    let get_one = Operation::new(Method::GET, READ, &[], |a, b| Box::pin(show::<F>(a, b)));
    let put_one = Operation::new(Method::PUT, WRITE, &[], |a, b| Box::pin(put_rule::<F>(a, b)));
    let drop_one = Operation::new(Method::DELETE, WRITE, &[], |a, b| Box::pin(drop_it::<F>(a, b)));
    vec![
        Resource::new(F::ADDRESS, [get_list.doc(list)]),
        Resource::new(
            one,
            [get_one.doc(get), put_one.takes(Intake::Json).doc(put), drop_one.doc(delete)],
        ),
    ]
}

const PUT: &str = "Makes the one of this id, or, with `If-Match` and its `ETag`, puts another in its \
                   place. What is left out takes its default.";

pub(super) fn resources() -> Vec<Resource> {
    [
        price_lists::resources(),
        prices::resources(),
        taxes::resources(),
        shipping::resources(),
        coupons::resources(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

async fn show_all<F: Family>(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let limit = asked.query.integer("limit") as u32;
    let after = match asked.query.text("after") {
        Some(text) => Some(cursor::read::<BehindRule>("after", text)?.of(F::KIND)?),
        None => None,
    };
    let mut rules = app.rules.list(F::KIND, after, limit + 1).await?;
    let more = rules.len() > limit as usize;
    rules.truncate(limit as usize);
    let last = rules.last().filter(|_| more);
    let next = last.map(|last| cursor::write(BehindRule::new(F::KIND, last.rule.id())));
    let items = rules.iter().filter_map(F::of).collect();
    let mut response = fresh(&app, &F::list(items, next.clone()));
    link_next(&mut response, F::ADDRESS, &asked.query.address(), next.as_deref());
    Ok(response)
}

async fn show<F: Family>(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let stored = app.rules.get(F::KIND, id(&asked, F::NAME)?).await?;
    shown::<F>(&app, &stored.ok_or_else(|| absent(F::NAME))?, StatusCode::OK)
}

async fn put_rule<F: Family>(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let (who, id) = (who(&asked)?, id(&asked, F::NAME)?);
    let before = app.rules.get(F::KIND, id).await?;
    let version = expected(&asked.headers, before.as_ref())?;
    let rule = F::rule(asked.body.json().await?, id)?;
    match app.rules.put(&who, rule, Some(version)).await? {
        RuleWritten::Put(stored) => {
            let status = if version == 0 { StatusCode::CREATED } else { StatusCode::OK };
            shown::<F>(&app, &stored, status)
        }
        other => Err(refused(other, F::NAME)),
    }
}

async fn drop_it<F: Family>(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let (who, id) = (who(&asked)?, id(&asked, F::NAME)?);
    let before = app.rules.get(F::KIND, id).await?.ok_or_else(|| absent(F::NAME))?;
    let version = expected(&asked.headers, Some(&before))?;
    match app.rules.drop(&who, F::KIND, id, Some(version)).await? {
        RuleWritten::Dropped => {
            let mut response = Response::new(Vec::new().into());
            *response.status_mut() = StatusCode::NO_CONTENT;
            *response.headers_mut() = headers::of_data(&app.config);
            Ok(response)
        }
        other => Err(refused(other, F::NAME)),
    }
}

fn shown<F: Family>(
    app: &App,
    stored: &StoredRule,
    status: StatusCode,
) -> Result<Response, Problem> {
    let view = F::of(stored).ok_or_else(|| absent(F::NAME))?;
    let mut response = fresh(app, &view);
    *response.status_mut() = status;
    if let Ok(tag) = HeaderValue::from_str(&tag(stored.version)) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    Ok(response)
}

fn id(asked: &Asked, name: &'static str) -> Result<Uuid, Problem> {
    asked.path[0].parse().map_err(|_| absent(name))
}

fn who(asked: &Asked) -> Result<Principal, Problem> {
    let unknown = || Problem::internal("staff was admitted whom nobody knows");
    asked.visit.principal().ok_or_else(unknown)
}

pub(crate) fn absent(name: &'static str) -> Problem {
    Problem::new(Code::NotFound, format!("there is no such {name}"))
}

fn tag(version: i64) -> String {
    format!("\"{version}\"")
}

/// The version that may be changed, by `If-Match`; 0: there must be none.
fn expected(headers: &HeaderMap, now: Option<&StoredRule>) -> Result<i64, Problem> {
    let asked = headers.contains_key(header::IF_MATCH);
    let now = match (now, asked) {
        (None, false) => return Ok(0),
        (None, true) => {
            let told = "there is none with this id; leave out If-Match to make it";
            return Err(Problem::new(Code::PreconditionFailed, told));
        }
        (Some(_), false) => {
            let told = "there is one with this id: send If-Match with the ETag you have seen";
            return Err(Problem::new(Code::PreconditionRequired, told));
        }
        (Some(now), true) => now.version,
    };
    let given = headers.get_all(header::IF_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut tags = given.flat_map(|value| value.split(',')).map(str::trim);
    match tags.any(|given| given == "*" || given == tag(now)) {
        true => Ok(now),
        false => Err(changed(now)),
    }
}

fn changed(version: i64) -> Problem {
    let told = match version {
        0 => "it is gone since".to_owned(),
        version => format!("it has changed since: its ETag is {}", tag(version)),
    };
    Problem::new(Code::PreconditionFailed, told)
}

/// Why nothing was set.
pub(crate) fn refused(written: RuleWritten, name: &'static str) -> Problem {
    let told = match written {
        RuleWritten::Absent => return absent(name),
        RuleWritten::Stale(version) => return changed(version),
        RuleWritten::PricesMoved => {
            let told = "a price is otherwise by now than you have seen it: read them again";
            return Problem::new(Code::PreconditionFailed, told);
        }
        RuleWritten::Taken => format!(
            "another rule has this id, or this {name}'s name, code, or category and area: change \
             that one, or choose another"
        ),
        RuleWritten::HasPrices => {
            "a price list with prices keeps its currency, and a dropped one's id is free once its \
             prices are gone, some seconds later"
                .to_owned()
        }
        RuleWritten::TooMany => {
            let most = crate::domain::price::PriceTable::MOST_ENTRIES;
            format!("all price lists together have at most {most} prices")
        }
        other => return Problem::internal(format!("a rule came to {other:?}")),
    };
    Problem::new(Code::Conflict, told)
}
