//! `/ops/jobs/{id}/edit`: what was given up is tried again with a body that was put right.

use super::{ID, absent, view::JobView};
use crate::{
    actors::workers::jobs::NoEdit,
    domain::id::JobId,
    http::{
        access::Access,
        api::fresh,
        app::App,
        error::{Code, Problem},
        openapi::{Doc, json},
        ops::by,
        resource::{Asked, Intake, Operation, Resource},
    },
};
use http::Method;
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;
use utoipa::ToSchema;
use warp::reply::Response;

/// A job's new body.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct JobBody {
    /// In the form of the job's topic and version.
    body: Value,
}

pub(super) fn resource() -> Resource {
    let edit = Doc::new("edit_job", "ops", "Try a job again with another body")
        .about(
            "Of a job that is failed, dead or cancelled. The body is checked as one that is put into \
             the queue is, and is in the audit log with the one before it.",
        )
        .place(ID)
        .body(json::<JobBody>())
        .answer(200, "The job as it stands.", json::<JobView>())
        .problem(Code::Conflict);
    Resource::new(
        "/ops/jobs/{id}/edit",
        [Operation::new(Method::POST, Access::Admin, &[], |a, b| Box::pin(edit_one(a, b)))
            .takes(Intake::Json)
            .doc(edit)],
    )
}

async fn edit_one(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let (by, id) = (by(&asked), asked.path[0].parse::<JobId>().map_err(|_| absent())?);
    let JobBody { body } = asked.body.json().await?;
    let edited = app.jobs.edit(id, &body, by).await.map_err(|no| match no {
        NoEdit::Absent => absent(),
        NoEdit::Body(why) => Problem::field("/body", why),
        NoEdit::Refused(why) => Problem::new(Code::Conflict, why),
        NoEdit::Write(error) => error.into(),
    })?;
    Ok(fresh(&app, &JobView::of(edited)))
}
