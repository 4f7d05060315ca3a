//! `/admin/staff`: who works here, and as what; for owners.

use super::{Shown, errors_by_field};
use crate::{
    actors::keepers::accounts::Invitation,
    domain::{
        account::Post,
        id::UserId,
        policy::{Permission, StaffRole},
    },
    http::{
        access::Access,
        app::App,
        error::{Code, Problem},
        extract::{Param, Takes},
        personal::see_other,
        resource::{Asked, Operation, Resource},
    },
    views::admin::{self as views, StaffRoom, Typed},
};
use std::sync::Arc;
use warp::reply::Response;

pub(super) const HERE: &str = "/admin/staff";
pub(super) const NEEDS: Permission = Permission::StaffWrite;
const OWNERS: Access = Access::Staff(NEEDS);
const PARAMS: &[Param] =
    &[Param::new("done", Takes::OneOf(&["invited", "saved"]), "What was just done.")];

pub(super) fn resources() -> Vec<Resource> {
    vec![
        Resource::new(
            HERE,
            [
                Operation::personal(OWNERS, PARAMS, |a, b| Box::pin(show(a, b))),
                Operation::form(OWNERS, |a, b| Box::pin(invite(a, b))),
            ],
        ),
        Resource::new(
            "/admin/staff/{id}",
            [Operation::form(OWNERS, |a, b| Box::pin(change(a, b)))],
        ),
    ]
}

/// Who is new looks, until somebody says more.
fn empty() -> Typed {
    let role = StaffRole::Viewer.as_str().to_owned();
    Typed { values: vec![("role", role)], errors: Vec::new() }
}

async fn show(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let done = asked.query.text("done").map(|done| match done {
        "invited" => "They are invited: a mail is on its way.",
        _ => "It is saved. They have to sign in again.",
    });
    let shown = Shown::new(&app, &mut asked, HERE).await?.done(done);
    page(&app, &asked, shown, &empty()).await
}

async fn invite(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let by = asked.visit.must_act()?;
    let text = |name: &str| asked.form.text(name).to_owned();
    let (name, email) = (text("name"), text("email"));
    let values = vec![("name", name.clone()), ("email", email.clone()), ("role", text("role"))];
    let invited = match role(asked.form.text("role")) {
        Ok(role) => {
            let invitation = Invitation { name, email, post: Post::Staff { role } };
            app.accounts.invite(invitation, &by).await
        }
        Err(problem) => Err(problem),
    };
    match invited {
        Ok(_) => Ok(see_other(&format!("{HERE}?done=invited"))),
        Err(problem) => {
            let errors = errors_by_field(&problem);
            let shown = Shown::new(&app, &mut asked, HERE).await?.failed(problem)?;
            page(&app, &asked, shown, &Typed { values, errors }).await
        }
    }
}

fn role(text: &str) -> Result<StaffRole, Problem> {
    StaffRole::parse(text).ok_or_else(|| Problem::field("/role", "there is no such role"))
}

async fn change(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    match changed(&app, &asked).await {
        Ok(()) => Ok(see_other(&format!("{HERE}?done=saved"))),
        Err(problem) => {
            let shown = Shown::new(&app, &mut asked, HERE).await?.failed(problem)?;
            page(&app, &asked, shown, &empty()).await
        }
    }
}

async fn changed(app: &App, asked: &Asked) -> Result<(), Problem> {
    let by = asked.visit.must_act()?;
    let absent = || Problem::new(Code::NotFound, "nobody of that id works here");
    let user: UserId = asked.path[0].parse().map_err(|_| absent())?;
    let account = app.accounts.account(user).await?;
    let Post::Staff { role: now } = account.post else { return Err(absent()) };
    if asked.form.text("seen") != format!("{} {}", now.as_str(), account.active) {
        return Err(Problem::new(Code::PreconditionFailed, "it was changed meanwhile"));
    }
    // Whoever took their own role away by mistake could not give it back.
    if asked.visit.session().and_then(|session| session.user()) == Some(user) {
        return Err(Problem::new(Code::Conflict, "somebody else has to change what you may"));
    }
    let post = Post::Staff { role: role(asked.form.text("role"))? };
    app.accounts.change_post(user, post, asked.form.has("active"), &by).await
}

async fn page(app: &App, asked: &Asked, shown: Shown, typed: &Typed) -> Result<Response, Problem> {
    let people = app.accounts.people(None).await?;
    let own = asked.visit.session().and_then(|session| session.user());
    let room = StaffRoom { people: &people, own, typed };
    Ok(shown.answer(app, asked, views::staff(&shown.frame("Staff"), &room)))
}
