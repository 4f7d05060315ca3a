//! `/forgot` and `/reset`: a password that was forgotten.

use super::Shown;
use crate::{
    domain::{policy::Right, secret::Secret},
    http::{
        access::Access,
        app::App,
        error::{Code, Problem},
        extract::{Param, Takes},
        resource::{Asked, Operation, Resource},
        shop::cart::see_other,
    },
    views,
};
use std::sync::Arc;
use warp::reply::Response;

const ANYBODY: Access = Access::Shopper(Right::Sessions);
const FORGOT: &[Param] = &[Param::new("done", Takes::OneOf(&["sent"]), "What was just done.")];
const RESET: &[Param] = &[Param::new("token", Takes::Text { most: 100 }, "The link's token.")];

pub(super) fn resources() -> Vec<Resource> {
    vec![
        Resource::new(
            "/forgot",
            [
                Operation::personal(ANYBODY, FORGOT, |a, b| Box::pin(show_forgot(a, b))),
                Operation::form(ANYBODY, |a, b| Box::pin(forgot(a, b))),
            ],
        ),
        Resource::new(
            "/reset",
            [
                Operation::personal(ANYBODY, RESET, |a, b| Box::pin(show_reset(a, b))),
                Operation::form(ANYBODY, |a, b| Box::pin(reset(a, b))),
            ],
        ),
    ]
}

async fn show_forgot(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    // The same words whether there is an account or not.
    let done = asked.query.text("done").map(|_| {
        "If there is an account with this address, a mail with a link is on its way. Look into the \
         spam folder too."
    });
    let shown = Shown::new(&app, &mut asked, done, Vec::new()).await?;
    Ok(shown.answer(&app, &asked, views::forgotten(&shown.frame(), &shown.filled)))
}

async fn forgot(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let from = asked.visit.from();
    match app.accounts.forgot(asked.form.text("email"), from.as_deref()) {
        Ok(()) => Ok(see_other("/forgot?done=sent")),
        Err(problem) => {
            let shown = Shown::wrong(&app, &mut asked, &["email"], problem).await?;
            Ok(shown.answer(&app, &asked, views::forgotten(&shown.frame(), &shown.filled)))
        }
    }
}

async fn show_reset(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let token = Secret::new(asked.query.text("token").unwrap_or_default());
    let works = app.accounts.may_reset(&token).await?;
    let shown = Shown::new(&app, &mut asked, None, Vec::new()).await?;
    let token = works.then(|| token.expose());
    Ok(shown.answer(&app, &asked, views::reset(&shown.frame(), &shown.filled, token)))
}

async fn reset(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let token = Secret::new(asked.form.raw("token"));
    let (password, from) = (Secret::new(asked.form.raw("password")), asked.visit.from());
    let set = match asked.visit.must_be_unheard(&app) {
        Ok(()) => app.accounts.reset(&token, password, from.as_deref()).await,
        Err(problem) => Err(problem),
    };
    let Err(problem) = set else { return Ok(see_other("/login?done=reset")) };
    let gone = problem.code == Code::NotFound;
    let shown = match gone {
        true => Shown::new(&app, &mut asked, None, Vec::new()).await?,
        false => Shown::wrong(&app, &mut asked, &[], problem).await?,
    };
    let token = (!gone).then(|| token.expose());
    Ok(shown.answer(&app, &asked, views::reset(&shown.frame(), &shown.filled, token)))
}
