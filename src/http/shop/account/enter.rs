//! `/login`, `/register`, `/logout` and `/admin/setup`.

use super::{Shown, onward};
use crate::{
    actors::keepers::accounts::{Credential, LogIn, Newcomer},
    domain::{account::Registration, policy::Right, secret::Secret, session::Via},
    http::{
        access::Access,
        app::App,
        error::{Code, FieldError, Problem},
        extract::{Param, Takes},
        resource::{Asked, Operation, Resource},
        shop::cart::see_other,
    },
    views,
};
use std::sync::Arc;
use warp::reply::Response;

const ANYBODY: Access = Access::Shopper(Right::Sessions);
const NEXT: Param = Param::new("next", Takes::Text { most: 1_000 }, "Where to go on.");
const LOGIN: &[Param] =
    &[NEXT, Param::new("done", Takes::OneOf(&["out", "reset", "left"]), "What was just done.")];
const REGISTER: &[Param] = &[NEXT];
const SETUP: &[Param] = &[Param::new("token", Takes::Text { most: 100 }, "The link's token.")];
const HOME: &str = "/account";
const CREDENTIAL: &[&str] = &["email"];
const REGISTRATION: &[&str] = &["name", "email", "company", "tax_number"];

pub(super) fn resources() -> Vec<Resource> {
    vec![
        Resource::new(
            "/login",
            [
                Operation::personal(ANYBODY, LOGIN, |a, b| Box::pin(show_login(a, b))),
                Operation::form(ANYBODY, |a, b| Box::pin(log_in(a, b))),
            ],
        ),
        Resource::new(
            "/register",
            [
                Operation::personal(ANYBODY, REGISTER, |a, b| Box::pin(show_register(a, b))),
                Operation::form(ANYBODY, |a, b| Box::pin(register(a, b))),
            ],
        ),
        Resource::new("/logout", [Operation::form(ANYBODY, |a, b| Box::pin(log_out(a, b)))]),
        Resource::new(
            "/admin/setup",
            [
                Operation::personal(ANYBODY, SETUP, |a, b| Box::pin(show_setup(a, b))),
                Operation::form(ANYBODY, |a, b| Box::pin(set_up(a, b))),
            ],
        ),
    ]
}

/// Where somebody goes who has come in.
fn led_on(next: &str) -> Response {
    see_other(if next.is_empty() { HOME } else { next })
}

fn is_in(asked: &Asked) -> bool {
    asked.visit.session().is_some_and(|session| session.user().is_some())
}

async fn show_login(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let next = onward(asked.query.text("next").unwrap_or_default()).to_owned();
    if is_in(&asked) {
        return Ok(led_on(&next));
    }
    let done = asked.query.text("done").and_then(|done| match done {
        "out" => Some("You are signed out."),
        "reset" => Some("Your password is set. Sign in with it."),
        "left" => Some("Your account is deleted."),
        _ => None,
    });
    let shown = Shown::new(&app, &mut asked, done, Vec::new()).await?;
    Ok(shown.answer(&app, &asked, views::log_in(&shown.frame(), &shown.filled, &next)))
}

async fn log_in(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let next = onward(asked.form.text("next")).to_owned();
    match come_in(&app, &asked).await {
        Ok(opened) => {
            asked.visit.carry(&app, opened);
            Ok(led_on(&next))
        }
        Err(problem) => {
            let shown = Shown::wrong(&app, &mut asked, CREDENTIAL, problem).await?;
            Ok(shown.answer(&app, &asked, views::log_in(&shown.frame(), &shown.filled, &next)))
        }
    }
}

async fn come_in(
    app: &App,
    asked: &Asked,
) -> Result<crate::actors::keepers::sessions::Opened, Problem> {
    asked.visit.must_be_unheard(app)?;
    let credential = Credential {
        email: asked.form.text("email").to_owned(),
        password: Secret::new(asked.form.raw("password")),
    };
    let visit = &asked.visit;
    let (before, whence, from) = (visit.session().cloned(), visit.whence(), visit.from());
    app.accounts.log_in(LogIn { credential, before, via: Via::Cookie, whence, from }).await
}

async fn show_register(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let next = onward(asked.query.text("next").unwrap_or_default()).to_owned();
    if is_in(&asked) {
        return Ok(led_on(&next));
    }
    let shown = Shown::new(&app, &mut asked, None, Vec::new()).await?;
    Ok(shown.answer(&app, &asked, views::register(&shown.frame(), &shown.filled, &next)))
}

/// Somebody new, as their form says.
fn newcomer(asked: &Asked) -> Newcomer {
    let (form, visit) = (&asked.form, &asked.visit);
    let text = |name| form.text(name).to_owned();
    Newcomer {
        registration: Registration {
            name: text("name"),
            email: text("email"),
            password: Secret::new(form.raw("password")),
            company: text("company"),
            tax_number: text("tax_number"),
        },
        before: visit.session().cloned(),
        via: Via::Cookie,
        whence: visit.whence(),
        from: visit.from(),
    }
}

/// That somebody has the address is said beside it.
pub(super) fn at_email(problem: Problem) -> Problem {
    match problem.code {
        Code::Taken => {
            let detail = "there is an account with this address already: sign in, or set a new \
                          password if you forgot it";
            let pointer = Some("/email".to_owned());
            let error = FieldError { pointer, detail: detail.into(), ..FieldError::default() };
            Problem { errors: vec![error], ..problem }
        }
        _ => problem,
    }
}

async fn register(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let next = onward(asked.form.text("next")).to_owned();
    let registered = match asked.visit.must_be_unheard(&app) {
        Ok(()) => app.accounts.register(newcomer(&asked)).await,
        Err(problem) => Err(problem),
    };
    match registered {
        Ok(opened) => {
            asked.visit.carry(&app, opened);
            Ok(led_on(if next.is_empty() { "/account?done=registered" } else { &next }))
        }
        Err(problem) => {
            let shown = Shown::wrong(&app, &mut asked, REGISTRATION, at_email(problem)).await?;
            Ok(shown.answer(&app, &asked, views::register(&shown.frame(), &shown.filled, &next)))
        }
    }
}

async fn log_out(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    // A guest stays one: their cart hangs on it.
    if let Some(session) = asked.visit.session().filter(|session| session.user().is_some()) {
        app.visitors.end(session.id, session.user()).await?;
        asked.visit.forget();
    }
    Ok(see_other("/login?done=out"))
}

async fn show_setup(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let token = Secret::new(asked.query.text("token").unwrap_or_default());
    let works = app.accounts.may_set_up(&token).await?;
    let shown = Shown::new(&app, &mut asked, None, Vec::new()).await?;
    let token = works.then(|| token.expose());
    Ok(shown.answer(&app, &asked, views::set_up(&shown.frame(), &shown.filled, token)))
}

async fn set_up(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let token = Secret::new(asked.form.raw("token"));
    let made = match asked.visit.must_be_unheard(&app) {
        Ok(()) => app.accounts.set_up(&token, newcomer(&asked)).await,
        Err(problem) => Err(problem),
    };
    let problem = match made {
        Ok(opened) => {
            asked.visit.carry(&app, opened);
            return Ok(see_other("/account?done=setup"));
        }
        Err(problem) => problem,
    };
    let gone = problem.code == Code::NotFound;
    let shown = match gone {
        true => Shown::new(&app, &mut asked, None, Vec::new()).await?,
        false => Shown::wrong(&app, &mut asked, REGISTRATION, at_email(problem)).await?,
    };
    let token = (!gone).then(|| token.expose());
    Ok(shown.answer(&app, &asked, views::set_up(&shown.frame(), &shown.filled, token)))
}
