//! `/admin/customers` and one of them: who buys, who acts for them, and what is kept of them.

use super::{Shown, address, may};
use crate::{
    domain::{
        id::{CustomerGroupId, CustomerId},
        policy::Permission,
    },
    http::{
        access::Access,
        api::privacy,
        app::App,
        cursor::{self, BeforeCustomer},
        error::{Code, Problem},
        extract::{Param, Takes},
        personal::see_other,
        resource::{Asked, Operation, Resource},
    },
    ports::orders::OrderFilter,
    views::admin::{self as views, CustomerRoom, CustomersRoom},
};
use std::sync::Arc;
use warp::reply::Response;

pub(super) const HERE: &str = "/admin/customers";
const READ: Access = Access::Staff(Permission::CustomersRead);
const WRITE: Access = Access::Staff(Permission::CustomersWrite);

/// Customers of one page.
const PAGE: usize = 50;
/// Orders that a customer's page shows.
const LATEST: usize = 10;

const LIST: &[Param] = &[
    Param::new(
        "after",
        Takes::Formed { most: cursor::MOST, pattern: cursor::PATTERN },
        "Where to go on.",
    ),
    Param::new("q", Takes::Text { most: 100 }, "Part of a name, an email or a tax number."),
];
const ONE: &[Param] = &[Param::new(
    "done",
    Takes::OneOf(&["group", "locked", "let-in", "erased"]),
    "What was just done.",
)];

pub(super) fn resources() -> Vec<Resource> {
    vec![
        Resource::new(HERE, [Operation::personal(READ, LIST, |a, b| Box::pin(show_all(a, b)))]),
        Resource::new(
            "/admin/customers/{id}",
            [
                Operation::personal(READ, ONE, |a, b| Box::pin(show(a, b))),
                Operation::form(WRITE, |a, b| Box::pin(regroup(a, b))),
            ],
        ),
        Resource::new(
            "/admin/customers/{id}/export",
            [Operation::personal(READ, &[], |a, b| Box::pin(export(a, b)))],
        ),
        Resource::new(
            "/admin/customers/{id}/lock",
            [Operation::form(WRITE, |a, b| Box::pin(lock(a, b)))],
        ),
        Resource::new(
            "/admin/customers/{id}/erase",
            [Operation::form(WRITE, |a, b| Box::pin(erase(a, b)))],
        ),
    ]
}

async fn show_all(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let before = asked.query.text("after");
    let before = before.map(|text| cursor::read::<BeforeCustomer>("after", text)).transpose()?;
    let before = before.map(|place| CustomerId(place.0));
    let text = asked.query.text("q").unwrap_or_default().trim().to_owned();
    let mut found = app.accounts.find_customers(&text, before, PAGE as u32 + 1).await?;
    let more = found.len() > PAGE;
    found.truncate(PAGE);
    let groups = app.accounts.groups().await?;
    let last = found.last().filter(|_| more);
    let next = last.map(|(last, _)| cursor::write(BeforeCustomer(last.id.0)));
    let next = next.map(|next| address(HERE, &asked.query, Some(&next)));
    let shown = Shown::new(&app, &mut asked, HERE).await?;
    let room = CustomersRoom {
        text: &text,
        found: &found,
        groups: &groups,
        is_first: before.is_none(),
        first: &address(HERE, &asked.query, None),
        next: next.as_deref(),
    };
    Ok(shown.answer(&app, &asked, views::customers(&shown.frame("Customers"), &room)))
}

fn id(asked: &Asked) -> Result<CustomerId, Problem> {
    let absent = || Problem::new(Code::NotFound, "there is no such customer");
    asked.path[0].parse().map_err(|_| absent())
}

async fn show(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let done = asked.query.text("done").map(|done| match done {
        "group" => "The group is saved.",
        "locked" => "They are locked out, everywhere and at once.",
        "let-in" => "They may sign in again.",
        _ => "The customer is erased.",
    });
    let shown = Shown::new(&app, &mut asked, HERE).await?.done(done);
    page(&app, &asked, shown).await
}

async fn regroup(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let (id, by) = (id(&asked)?, asked.visit.must_act()?);
    let read = |name: &str| match asked.form.text(name) {
        "" => Ok(None),
        text => text.parse::<CustomerGroupId>().map(Some),
    };
    let problem = match (read("seen"), read("group")) {
        (Ok(seen), Ok(_)) if app.accounts.customer(id).await?.group != seen => {
            Problem::new(Code::PreconditionFailed, "the customer has changed since")
        }
        (Ok(_), Ok(group)) => match app.accounts.set_group(id, group, &by).await {
            Ok(()) => return Ok(see_other(&format!("{HERE}/{id}?done=group"))),
            Err(problem) => problem,
        },
        _ => Problem::new(Code::BadContent, "there is no such group"),
    };
    let shown = Shown::new(&app, &mut asked, HERE).await?.failed(problem)?;
    page(&app, &asked, shown).await
}

async fn lock(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let (id, by) = (id(&asked)?, asked.visit.must_act()?);
    let absent = || Problem::new(Code::NotFound, "nobody of that id acts for this customer");
    let user = asked.form.text("user").parse().map_err(|_| absent())?;
    let (locked, done) = match asked.form.text("do") {
        "lock" => (true, "locked"),
        "let-in" => (false, "let-in"),
        _ => {
            let problem = Problem::new(Code::BadContent, "the form could not be read");
            let shown = Shown::new(&app, &mut asked, HERE).await?.failed(problem)?;
            return page(&app, &asked, shown).await;
        }
    };
    app.accounts.set_locked(id, user, locked, &by).await?;
    Ok(see_other(&format!("{HERE}/{id}?done={done}")))
}

async fn export(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    privacy::export(&app, id(&asked)?).await
}

async fn erase(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let (id, by) = (id(&asked)?, asked.visit.must_act()?);
    if asked.form.has("sure") {
        app.accounts.erase(id, &by).await?;
        return Ok(see_other(&format!("{HERE}/{id}?done=erased")));
    }
    let told = "tick that they asked for it: there is no way back";
    let problem = Problem::new(Code::BadContent, told);
    let shown = Shown::new(&app, &mut asked, HERE).await?.failed(problem)?;
    page(&app, &asked, shown).await
}

async fn page(app: &App, asked: &Asked, shown: Shown) -> Result<Response, Problem> {
    let id = id(asked)?;
    let customer = app.accounts.customer(id).await?;
    let people = app.accounts.people(Some(id)).await?;
    let addresses = app.accounts.addresses(id).await?;
    let groups = app.accounts.groups().await?;
    let mut orders = match may(asked, Permission::OrdersRead) {
        true => {
            let filter = OrderFilter { customer: Some(id), ..OrderFilter::default() };
            Some(app.orders.list(filter, None, LATEST as u32 + 1).await?)
        }
        false => None,
    };
    let more_orders = orders.as_ref().is_some_and(|orders| orders.len() > LATEST);
    if let Some(orders) = &mut orders {
        orders.truncate(LATEST);
    }
    let room = CustomerRoom {
        customer: &customer,
        people: &people,
        addresses: &addresses,
        groups: &groups,
        orders: orders.as_deref(),
        more_orders,
        may_change: may(asked, Permission::CustomersWrite),
    };
    let title = if customer.name.is_empty() { "Erased customer" } else { &customer.name };
    Ok(shown.answer(app, asked, views::customer(&shown.frame(title), &room)))
}
