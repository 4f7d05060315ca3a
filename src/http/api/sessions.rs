//! `/api/v1/sessions`: begin, see and end sessions.

use super::{created, fresh, no_content};
use crate::{
    actors::keepers::accounts::{Credential, LogIn},
    domain::{
        policy::Right,
        secret::Secret,
        session::{Session, Via, Who},
    },
    http::{
        access::Access,
        app::App,
        error::{Code, Problem},
        extract::{Param, Takes},
        openapi::{Doc, json},
        resource::{Asked, Intake, Operation, Resource},
    },
};
use http::Method;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use uuid::Uuid;
use warp::reply::Response;

const ADDRESS: &str = "/api/v1/sessions";
const ID: Param = Param::new(
    "id",
    Takes::Formed { most: 36, pattern: "^(current|[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12})$" },
    "The session's id, or `current`.",
);

/// Who is to have a session: with both an address and a password somebody who logs in, with
/// neither a guest.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewSession {
    #[schema(format = "email", max_length = 254)]
    email: Option<String>,
    #[schema(value_type = Option<String>, format = "password", max_length = 128)]
    password: Option<Secret>,
}

/// A session that was just begun.
#[derive(Serialize, ToSchema)]
struct BegunSession {
    /// To be sent as `Authorization: Bearer …`. Told this once: only its hash is kept.
    token: String,
    session: SessionView,
}

#[derive(Serialize, ToSchema)]
struct SessionList {
    items: Vec<SessionView>,
}

/// One session.
#[derive(Serialize, ToSchema)]
pub(super) struct SessionView {
    id: Uuid,
    kind: SessionKind,
    /// Whether it is the one that asks.
    current: bool,
    /// What the client called itself when the session began.
    client: String,
    /// Where it began.
    address: String,
    /// RFC 3339, UTC.
    #[schema(format = DateTime)]
    opened_at: String,
    /// Within some minutes; RFC 3339, UTC.
    #[schema(format = DateTime)]
    seen_at: String,
    /// It ends then, or earlier when it is not used; RFC 3339, UTC.
    #[schema(format = DateTime)]
    ends_at: String,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum SessionKind {
    Guest,
    Buyer,
    Staff,
    /// An API key's.
    Key,
}

pub(super) fn resources() -> Vec<Resource> {
    let tag = "sessions";
    let begin = Doc::new("begin_session", tag, "Begin a session")
        .about(
            "For API clients: the token comes back in the answer, once, and is sent as bearer from \
             then on. With an address and a password one logs in: asked with a guest's token, that \
             guest's cart goes along and their token is dead. An empty object begins a guest's \
             session, which can have a cart.",
        )
        .body(json::<NewSession>())
        .answer(201, "The session and its token.", json::<BegunSession>())
        .problem(Code::WrongCredentials)
        .problem(Code::TooMany)
        .problem(Code::Unencrypted);
    let list = Doc::new("list_sessions", tag, "One's own sessions, the last used first").answer(
        200,
        "All that are live.",
        json::<SessionList>(),
    );
    let end_others = Doc::new("end_other_sessions", tag, "Log out everywhere else")
        .about("Ends all of one's sessions and keys but the one that asks.")
        .bare(204, "They have ended.");
    let end = Doc::new("end_session", tag, "End a session: log out")
        .about("One's own: `current`, or another one from the list. Its token is dead at once.")
        .place(ID)
        .bare(204, "It has ended.");
    vec![
        Resource::new(
            ADDRESS,
            [
                Operation::new(Method::GET, Access::User(Right::Sessions), &[], |a, b| {
                    Box::pin(show_list(a, b))
                })
                .doc(list),
                Operation::new(Method::POST, Access::Shopper(Right::Sessions), &[], |a, b| {
                    Box::pin(begin_session(a, b))
                })
                .takes(Intake::Json)
                .doc(begin),
                Operation::new(Method::DELETE, Access::User(Right::Sessions), &[], |a, b| {
                    Box::pin(end_all_others(a, b))
                })
                .doc(end_others),
            ],
        ),
        Resource::new(
            "/api/v1/sessions/{id}",
            [Operation::new(Method::DELETE, Access::Shopper(Right::Sessions), &[], |a, b| {
                Box::pin(end_session(a, b))
            })
            .doc(end)],
        ),
    ]
}

async fn begin_session(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let (whence, from) = (asked.visit.whence(), asked.visit.from());
    let unheard = asked.visit.must_be_unheard(&app);
    let before = asked.visit.session().cloned();
    let opened = match asked.body.json().await? {
        NewSession { email: Some(email), password: Some(password) } => {
            unheard?;
            let credential = Credential { email, password };
            let wish = LogIn { credential, before, via: Via::Bearer, whence, from };
            app.accounts.log_in(wish).await?
        }
        NewSession { email: None, password: None } => {
            app.visitors.open_guest(Via::Bearer, whence).await?
        }
        NewSession { .. } => {
            let told = "an address and a password come together, or neither of them";
            return Err(Problem::new(Code::BadContent, told));
        }
    };
    let begun = BegunSession {
        token: opened.token.expose().to_owned(),
        session: SessionView::of(&opened.session, true),
    };
    Ok(created(&app, &begun, &format!("{ADDRESS}/{}", opened.session.id)))
}

async fn show_list(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let own = asked.visit.session().ok_or_else(unknown)?;
    let user = own.user().ok_or_else(unknown)?;
    let found = app.visitors.list(user).await?;
    let sessions = found.iter().filter(|session| session.via != Via::Key);
    let items = sessions.map(|session| SessionView::of(session, session.id == own.id)).collect();
    Ok(fresh(&app, &SessionList { items }))
}

async fn end_session(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let own = asked.visit.session().ok_or_else(unknown)?;
    let (own, user) = (own.id, own.user());
    let id = match asked.path[0].as_str() {
        "current" => own,
        other => other.parse().map_err(|_| unknown())?,
    };
    // Guests have no other sessions than the one they came with.
    if (id != own && user.is_none()) || !app.visitors.end(id, user).await? {
        return Err(unknown());
    }
    if id == own && asked.visit.is_by_cookie() {
        asked.visit.forget();
    }
    Ok(no_content(&app))
}

async fn end_all_others(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let own = asked.visit.session().ok_or_else(unknown)?;
    app.visitors.end_others(own.user().ok_or_else(unknown)?, own.id).await?;
    Ok(no_content(&app))
}

fn unknown() -> Problem {
    Problem::new(Code::NotFound, "you have no such session")
}

impl SessionView {
    pub(super) fn of(session: &Session, current: bool) -> Self {
        Self {
            id: session.id.0,
            kind: match (session.via, session.who) {
                (Via::Key, _) => SessionKind::Key,
                (_, Who::Guest) => SessionKind::Guest,
                (_, Who::Buyer { .. }) => SessionKind::Buyer,
                (_, Who::Staff { .. }) => SessionKind::Staff,
            },
            current,
            client: session.label.clone(),
            address: session.address.clone(),
            opened_at: session.opened_at.rfc3339(),
            seen_at: session.seen_at.rfc3339(),
            ends_at: session.ends_at.rfc3339(),
        }
    }
}
