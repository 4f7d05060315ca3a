//! `/ops/mail`: the queue of mail, for operators: what waits, what was sent, what was given up and
//! why, and another try. What a mail says isn't shown: it may hold a token.

use crate::{
    domain::{id::MailId, time::Micros},
    http::{
        access::Access,
        api::fresh,
        app::App,
        error::{Code, Problem},
        extract::{Param, Takes},
        openapi::{Doc, json},
        ops::by,
        resource::{Asked, Operation, Resource},
    },
    ports::mail::{MailState, QueuedMail},
};
use http::{Method, StatusCode};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;
use uuid::Uuid;
use warp::reply::Response;

const ID: Param = Param::new(
    "id",
    Takes::Formed { most: 36, pattern: "^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$" },
    "The mail's id, as in its `Message-ID`.",
);
const LIST: &[Param] = &[
    Param::new("state", Takes::OneOf(MailState::NAMES), "Only these; left out: those given up."),
    Param::new("limit", Takes::Integer { least: 1, most: 200, default: 50 }, "Mails at most."),
];

#[derive(Serialize, ToSchema)]
struct MailList {
    /// How many wait to be sent.
    waiting: u64,
    /// How many were given up, of the last 30 days.
    failed: u64,
    /// The newest first.
    items: Vec<MailView>,
}

#[derive(Serialize, ToSchema)]
struct MailView {
    id: Uuid,
    #[schema(example = "order_placed")]
    kind: String,
    recipient: String,
    /// The order it tells of.
    #[schema(required)]
    order: Option<Uuid>,
    /// Tries so far.
    attempts: u32,
    /// RFC 3339, UTC.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it is tried next, or was to be; RFC 3339, UTC.
    #[schema(format = DateTime)]
    due_at: String,
    #[schema(required, format = DateTime)]
    sent_at: Option<String>,
    /// What went wrong with the last try.
    #[schema(required)]
    failure: Option<String>,
}

impl From<QueuedMail> for MailView {
    fn from(mail: QueuedMail) -> Self {
        Self {
            id: mail.id.0,
            kind: mail.kind,
            recipient: mail.recipient,
            order: mail.order.map(|id| id.0),
            attempts: mail.attempts,
            created_at: mail.created_at.rfc3339(),
            due_at: mail.due_at.rfc3339(),
            sent_at: mail.sent_at.map(Micros::rfc3339),
            failure: mail.failure,
        }
    }
}

pub(crate) fn resources() -> Vec<Resource> {
    let list = Doc::new("list_mail", "ops", "The queue of mail").answer(
        200,
        "Some of it.",
        json::<MailList>(),
    );
    let retry = Doc::new("retry_mail", "ops", "Try a mail again, now")
        .about(
            "One that was given up, or that waits for its next try. Of one that is of no order \
             nothing is left once it was given up.",
        )
        .place(ID)
        .bare(204, "It is tried now.");
    vec![
        Resource::new(
            "/ops/mail.json",
            [Operation::new(Method::GET, Access::Admin, LIST, |a, b| Box::pin(show(a, b)))
                .doc(list)],
        ),
        Resource::new(
            "/ops/mail/{id}/retry",
            [Operation::new(Method::POST, Access::Admin, &[], |a, b| Box::pin(retry_one(a, b)))
                .doc(retry)],
        ),
    ]
}

async fn show(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let state = asked.query.text("state").and_then(MailState::parse).unwrap_or(MailState::Failed);
    let limit = u32::try_from(asked.query.size("limit")).unwrap_or(u32::MAX);
    let (waiting, failed) = app.mails.queue.counts().await?;
    let items = app.mails.list(state, limit).await?.into_iter().map(Into::into).collect();
    Ok(fresh(&app, &MailList { waiting, failed, items }))
}

async fn retry_one(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let absent = || Problem::new(Code::NotFound, "there is no such mail that could be tried again");
    let id: MailId = asked.path[0].parse().map_err(|_| absent())?;
    if !app.mails.retry(id, by(&asked).to_owned()).await? {
        return Err(absent());
    }
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}
