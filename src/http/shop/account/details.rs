//! `/account/details`: one's name, address of mail and password, and what is known of the customer.

use super::{Shown, typed};
use crate::{
    domain::{
        account::{Account, Customer, CustomerKind},
        policy::Right,
        secret::Secret,
        session::Session,
    },
    http::{
        access::Access,
        app::App,
        error::{Code, Problem},
        extract::{Param, Takes},
        form::Form,
        resource::{Asked, Operation, Resource},
        shop::cart::see_other,
    },
    views::{self, Profile},
};
use std::sync::Arc;
use warp::reply::Response;

const DONE: &[Param] =
    &[Param::new("done", Takes::OneOf(&["saved", "password"]), "What was just done.")];

pub(super) fn resources() -> Vec<Resource> {
    let (read, write) = (Access::User(Right::AccountRead), Access::User(Right::AccountWrite));
    vec![
        Resource::new(
            "/account/details",
            [
                Operation::personal(read, DONE, |a, b| Box::pin(show_details(a, b))),
                Operation::form(write, |a, b| Box::pin(change(a, b))),
            ],
        ),
        Resource::new(
            "/account/password",
            [Operation::form(write, |a, b| Box::pin(set_password(a, b)))],
        ),
    ]
}

/// An error that is told at another field than where it arose.
pub(super) fn renamed(mut problem: Problem, from: &str, to: &str) -> Problem {
    for error in &mut problem.errors {
        if error.pointer.as_deref() == Some(from) {
            error.pointer = Some(to.to_owned());
        }
    }
    problem
}

/// Whose details these are.
struct Person {
    session: Session,
    account: Account,
    customer: Option<Customer>,
}

impl Person {
    async fn of(app: &App, asked: &Asked) -> Result<Self, Problem> {
        let session = asked.visit.must_have()?.clone();
        let account = app.accounts.account(session.user().ok_or_else(Problem::not_found)?).await?;
        let customer = match session.principal().customer() {
            Some(id) => Some(app.accounts.customer(id).await?),
            None => None,
        };
        Ok(Self { session, account, customer })
    }

    fn profile(&self) -> Profile {
        let is_company = |customer: &Customer| customer.kind == CustomerKind::Company;
        Profile {
            of_customer: self.customer.is_some() && self.session.rights().has(Right::Users),
            is_company: self.customer.as_ref().is_some_and(is_company),
            is_buyer: self.customer.is_some(),
        }
    }

    fn values(&self) -> Vec<(&'static str, String)> {
        let email = self.account.email.clone().map(String::from).unwrap_or_default();
        let mut values = vec![("name", self.account.name.clone()), ("email", email)];
        if let Some(customer) = &self.customer {
            values.push(("company", customer.name.clone()));
            values.push(("tax_number", customer.tax_number.clone().unwrap_or_default()));
        }
        values
    }

    /// As they are, but for what one of the forms said.
    fn with(&self, form: &Form, fields: &[&'static str]) -> Vec<(&'static str, String)> {
        let mut values = typed(form, fields);
        values.extend(self.values().into_iter().filter(|(name, _)| !fields.contains(name)));
        values
    }
}

async fn show_details(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let person = Person::of(&app, &asked).await?;
    let done = asked.query.text("done").and_then(|done| match done {
        "saved" => Some("It is saved."),
        "password" => Some("Your password is changed, and you are signed out everywhere else."),
        _ => None,
    });
    let shown = Shown::new(&app, &mut asked, done, person.values()).await?;
    let page = views::details(&shown.frame(), &shown.filled, &person.profile());
    Ok(shown.answer(&app, &asked, page))
}

async fn change(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let person = Person::of(&app, &asked).await?;
    let (changed, fields): (_, &[&'static str]) = match asked.form.text("form") {
        "details" => (change_account(&app, &asked, &person).await, &["name", "email"]),
        "customer" => (change_customer(&app, &asked, &person).await, &["company", "tax_number"]),
        _ => return Err(Problem::new(Code::BadContent, "the form says nothing to do")),
    };
    match changed {
        Ok(()) => Ok(see_other("/account/details?done=saved")),
        Err(problem) => again(&app, asked, &person, fields, problem).await,
    }
}

async fn change_account(app: &App, asked: &Asked, person: &Person) -> Result<(), Problem> {
    let (name, email) = (asked.form.text("name"), asked.form.text("email"));
    let current = Some(asked.form.raw("current_password")).filter(|text| !text.is_empty());
    if current.is_some() {
        asked.visit.must_be_unheard(app)?;
    }
    let changed =
        app.accounts.change_account(person.account.id, name, email, current.map(Secret::new));
    changed.await.map_err(super::enter::at_email)
}

async fn change_customer(app: &App, asked: &Asked, person: &Person) -> Result<(), Problem> {
    let customer = person.customer.as_ref().filter(|_| person.profile().of_customer);
    let customer = customer.ok_or_else(|| {
        Problem::new(Code::Forbidden, "only an administrator of a customer changes it")
    })?;
    let (name, tax_number) = (asked.form.text("company"), asked.form.text("tax_number"));
    app.accounts.change_customer(customer.id, name, tax_number).await
}

async fn set_password(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let person = Person::of(&app, &asked).await?;
    let current = Secret::new(asked.form.raw("present_password"));
    let password = Secret::new(asked.form.raw("password"));
    let (user, session) = (person.account.id, person.session.id);
    let set = match asked.visit.must_be_unheard(&app) {
        Ok(()) => app.accounts.change_password(user, session, current, password).await,
        Err(problem) => Err(problem),
    };
    match set {
        Ok(()) => Ok(see_other("/account/details?done=password")),
        Err(problem) => {
            let problem = renamed(problem, "/current_password", "/present_password");
            again(&app, asked, &person, &[], problem).await
        }
    }
}

/// The page with what was wrong.
async fn again(
    app: &App,
    mut asked: Asked,
    person: &Person,
    fields: &[&'static str],
    problem: Problem,
) -> Result<Response, Problem> {
    let mut shown = Shown::wrong(app, &mut asked, fields, problem).await?;
    shown.filled.values = person.with(&asked.form, fields);
    let page = views::details(&shown.frame(), &shown.filled, &person.profile());
    Ok(shown.answer(app, &asked, page))
}
