//! `/account` itself, `/account/sessions` and what leads out: one's data, and being forgotten.

use super::Shown;
use crate::{
    domain::{
        account::{CustomerKind, Post},
        policy::Right,
        secret::Secret,
        session::Session,
    },
    http::{
        access::Access,
        api::privacy,
        app::App,
        error::{Code, Problem},
        extract::{Param, Takes},
        resource::{Asked, Operation, Resource},
        shop::cart::see_other,
    },
    views::{self, AccountHomePage, SessionCard},
};
use std::sync::Arc;
use warp::reply::Response;

const HOME: &[Param] =
    &[Param::new("done", Takes::OneOf(&["registered", "setup"]), "What was just done.")];
const SESSIONS: &[Param] = &[Param::new("done", Takes::OneOf(&["ended"]), "What was just done.")];

pub(super) fn resources() -> Vec<Resource> {
    let (read, sessions) = (Access::User(Right::AccountRead), Access::User(Right::Sessions));
    let leave = Access::Buyer(Right::Users);
    vec![
        Resource::new(
            "/account",
            [Operation::personal(read, HOME, |a, b| Box::pin(show_home(a, b)))],
        ),
        Resource::new(
            "/account/sessions",
            [
                Operation::personal(sessions, SESSIONS, |a, b| Box::pin(show_sessions(a, b))),
                Operation::form(sessions, |a, b| Box::pin(end_sessions(a, b))),
            ],
        ),
        Resource::new(
            "/account/export",
            [Operation::personal(leave, &[], |a, b| Box::pin(export(a, b)))],
        ),
        Resource::new(
            "/account/leave",
            [
                Operation::personal(leave, &[], |a, b| Box::pin(show_leave(a, b))),
                Operation::form(leave, |a, b| Box::pin(erase(a, b))),
            ],
        ),
    ]
}

async fn show_home(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let session = asked.visit.must_have()?.clone();
    let account = app.accounts.account(session.user().ok_or_else(Problem::not_found)?).await?;
    let acts_for = match account.post {
        Post::Buyer { customer, .. } => {
            let customer = app.accounts.customer(customer).await?;
            (customer.kind == CustomerKind::Company).then_some(customer.name)
        }
        Post::Staff { role } => Some(format!("{} of this shop", role.as_str())),
    };
    let done = asked.query.text("done").and_then(|done| match done {
        "registered" => Some("Your account is made, and you are signed in."),
        "setup" => Some("The shop is yours now."),
        _ => None,
    });
    let shown = Shown::new(&app, &mut asked, done, Vec::new()).await?;
    let email = account.email.map(String::from);
    let page = AccountHomePage {
        name: &account.name,
        email: email.as_deref(),
        acts_for: acts_for.as_deref(),
        is_buyer: matches!(account.post, Post::Buyer { .. }),
    };
    Ok(shown.answer(&app, &asked, views::account_home(&shown.frame(), &page)))
}

async fn show_sessions(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let own = asked.visit.must_have()?.clone();
    let found = app.visitors.list(own.user().ok_or_else(Problem::not_found)?).await?;
    let card = |session: &Session| SessionCard::of(session, session.id == own.id);
    let cards: Vec<_> = found.iter().map(card).collect();
    let done = asked.query.text("done").map(|_| "It is signed out.");
    let shown = Shown::new(&app, &mut asked, done, Vec::new()).await?;
    Ok(shown.answer(&app, &asked, views::sessions(&shown.frame(), &cards)))
}

async fn end_sessions(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let own = asked.visit.must_have()?.clone();
    let user = own.user().ok_or_else(Problem::not_found)?;
    let wish = asked.form.text("do").to_owned();
    if wish == "others" {
        app.visitors.end_others(user, own.id).await?;
        return Ok(see_other("/account/sessions?done=ended"));
    }
    let id = wish.strip_prefix("end.").and_then(|id| id.parse().ok());
    let id = id.ok_or_else(|| Problem::new(Code::BadContent, "the form says nothing to do"))?;
    // One that has ended meanwhile is as it was wished.
    app.visitors.end(id, Some(user)).await?;
    if id == own.id {
        asked.visit.forget();
        return Ok(see_other("/login?done=out"));
    }
    Ok(see_other("/account/sessions?done=ended"))
}

async fn export(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    privacy::export(&app, asked.visit.must_act_for()?).await
}

async fn show_leave(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let shown = Shown::new(&app, &mut asked, None, Vec::new()).await?;
    Ok(shown.answer(&app, &asked, views::leave(&shown.frame(), &shown.filled)))
}

async fn erase(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let by = asked.visit.must_act()?;
    let password = Secret::new(asked.form.raw("password"));
    let erased = match asked.visit.must_be_unheard(&app) {
        Ok(()) => app.accounts.erase_own(&by, password).await,
        Err(problem) => Err(problem),
    };
    match erased {
        Ok(()) => {
            asked.visit.forget();
            Ok(see_other("/login?done=left"))
        }
        Err(problem) => {
            let problem = super::details::renamed(problem, "/current_password", "/password");
            let shown = Shown::wrong(&app, &mut asked, &[], problem).await?;
            Ok(shown.answer(&app, &asked, views::leave(&shown.frame(), &shown.filled)))
        }
    }
}
