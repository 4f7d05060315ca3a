//! `/ops/audit.json`: who changed what, newest first. For administrators.

use crate::{
    domain::audit::AuditEntry,
    http::{
        access::Access,
        api::{fresh, link_next},
        app::App,
        cursor::{self, BeforeEntry},
        error::Problem,
        extract::{Param, Takes},
        openapi::{Doc, json},
        resource::{Asked, Operation, Resource},
    },
};
use http::Method;
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;
use utoipa::ToSchema;
use warp::reply::Response;

const PATH: &str = "/ops/audit.json";
const LIST: &[Param] = &[
    Param::new(
        "after",
        Takes::Formed { most: cursor::MOST, pattern: cursor::PATTERN },
        "Where to go on: `next` of the answer before.",
    ),
    Param::new("limit", Takes::Integer { least: 1, most: 100, default: 24 }, "Entries at most."),
];

#[derive(Serialize, ToSchema)]
struct AuditList {
    items: Vec<EntryView>,
    /// The cursor of the next page; `null` on the last.
    #[schema(required)]
    next: Option<String>,
}

/// One change.
#[derive(Serialize, ToSchema)]
struct EntryView {
    /// From 1, without gaps.
    #[schema(minimum = 1)]
    place: i64,
    /// RFC 3339, UTC.
    #[schema(format = DateTime)]
    at: String,
    by: String,
    /// `pool.set`, `order.cancel` …
    action: String,
    /// `pool:render@*`, `order:…` …
    subject: String,
    /// What there was before; `null` for nothing.
    #[schema(required)]
    old: Option<Value>,
    /// What there is now; `null` for nothing.
    #[schema(required)]
    new: Option<Value>,
    /// SHA-256 over this entry and the link before it, in hex.
    link: String,
}

impl EntryView {
    fn of(entry: AuditEntry) -> Self {
        let json = |text: String| serde_json::from_str(&text).unwrap_or(Value::String(text));
        Self {
            place: entry.place,
            at: entry.at.rfc3339(),
            by: entry.by,
            action: entry.action,
            subject: entry.subject,
            old: entry.old.map(json),
            new: entry.new.map(json),
            link: entry.link.to_string(),
        }
    }
}

pub(crate) fn resources() -> Vec<Resource> {
    let list = Doc::new("list_audit", "ops", "Who changed what, newest first")
        .about("Each entry's link covers the one before it: `stoa doctor audit` checks the chain.")
        .answer(200, "A page of entries.", json::<AuditList>());
    let get = Operation::new(Method::GET, Access::Admin, LIST, |a, b| Box::pin(show(a, b)));
    vec![Resource::new(PATH, [get.doc(list)])]
}

async fn show(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let limit = asked.query.integer("limit") as u32;
    let before = match asked.query.text("after") {
        Some(text) => Some(cursor::read::<BeforeEntry>("after", text)?.0),
        None => None,
    };
    let mut entries = app.audit.entries_before(before, limit + 1).await?;
    let more = entries.len() > limit as usize;
    entries.truncate(limit as usize);
    let next = entries.last().filter(|_| more).map(|e| cursor::write(BeforeEntry(e.place)));
    let list =
        AuditList { items: entries.into_iter().map(EntryView::of).collect(), next: next.clone() };
    let mut response = fresh(&app, &list);
    link_next(&mut response, PATH, &asked.query.address(), next.as_deref());
    Ok(response)
}
