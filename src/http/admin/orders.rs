//! `/admin/orders` and one of them: what was sold, and what is to be done about it.

use super::{Shown, may, people::People};
use crate::{
    domain::{
        account::Email,
        id::OrderId,
        order::{Action, Order, OrderNumber, OrderStatus, apply},
        payment::{InvoiceTerms, PaymentState},
        policy::Permission,
    },
    http::{
        access::Access,
        api::orders::wanted,
        app::App,
        cursor::{self, BeforeOrder},
        error::{Code, Problem},
        extract::{Param, Query, Takes},
        ordering::{Wish, move_on},
        personal::see_other,
        resource::{Asked, Operation, Resource},
    },
    ports::orders::OrderFilter,
    views::admin::{self as views, OrderButton, OrderRoom, OrderSearch, OrdersRoom},
};

use std::sync::Arc;
use warp::reply::Response;

pub(super) const HERE: &str = "/admin/orders";
const READ: Access = Access::Staff(Permission::OrdersRead);
const WRITE: Access = Access::Staff(Permission::OrdersWrite);

/// Orders of one page.
const PAGE: usize = 50;

const DAY: Takes = Takes::Formed { most: 10, pattern: "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" };
const CUSTOMER: Takes =
    Takes::Formed { most: 36, pattern: "^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$" };
const LIST: &[Param] = &[
    Param::new(
        "after",
        Takes::Formed { most: cursor::MOST, pattern: cursor::PATTERN },
        "Where to go on.",
    ),
    Param::new("q", Takes::Text { most: 254 }, "An order's number, or its buyer's email."),
    Param::new("status", Takes::OneOf(OrderStatus::NAMES), "Only those in this state."),
    Param::new("payment", Takes::OneOf(PaymentState::NAMES), "Only those whose money is there."),
    Param::new("customer", CUSTOMER, "Only those of this customer."),
    Param::new("from", DAY, "Only those placed on this day or later, in UTC."),
    Param::new("until", DAY, "Only those placed on this day or before, in UTC."),
];
const ONE: &[Param] = &[Param::new("done", Takes::OneOf(DONE), "What was just done.")];
const DONE: &[&str] = &["confirm", "process", "ship", "complete", "cancel", "refund", "paid"];

pub(super) fn resources() -> Vec<Resource> {
    vec![
        Resource::new(HERE, [Operation::personal(READ, LIST, |a, b| Box::pin(show_all(a, b)))]),
        Resource::new(
            "/admin/orders/{id}",
            [
                Operation::personal(READ, ONE, |a, b| Box::pin(show(a, b))),
                Operation::form(WRITE, |a, b| Box::pin(act(a, b))),
            ],
        ),
    ]
}

async fn show_all(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let mut shown = Shown::new(&app, &mut asked, HERE).await?;
    let before = asked.query.text("after").map(|text| cursor::read::<BeforeOrder>("after", text));
    let before = before.transpose()?.map(|place| OrderNumber(place.0));
    let mut found = match question(&asked.query) {
        Ok((filter, None)) => app.orders.list(filter, before, PAGE as u32 + 1).await?,
        Ok((filter, Some(number))) => numbered(&app, filter, number).await?,
        Err(problem) => {
            shown = shown.failed(problem)?;
            Vec::new()
        }
    };
    let more = found.len() > PAGE;
    found.truncate(PAGE);
    let address = |after: Option<&str>| super::address(HERE, &asked.query, after);
    let next = found.last().filter(|_| more).map(|last| cursor::write(BeforeOrder(last.number.0)));
    let (first, next) = (address(None), next.map(|next| address(Some(&next))));
    let text = |name| asked.query.text(name).unwrap_or_default();
    let page = OrdersRoom {
        search: OrderSearch {
            text: text("q"),
            customer: text("customer"),
            status: asked.query.text("status").and_then(OrderStatus::parse),
            payment: asked.query.text("payment").and_then(PaymentState::parse),
            from: text("from"),
            until: text("until"),
        },
        orders: &found,
        is_first: before.is_none(),
        first: &first,
        next: next.as_deref(),
    };
    Ok(shown.answer(&app, &asked, views::orders(&shown.frame("Orders"), &page)))
}

/// What is asked for, and the one number, if it is that.
fn question(query: &Query) -> Result<(OrderFilter, Option<OrderNumber>), Problem> {
    let unknown = || Problem::parameter("customer", "is no customer’s id");
    let customer = query.text("customer").map(|id| id.parse().map_err(|_| unknown()));
    let filter = OrderFilter { customer: customer.transpose()?, ..wanted(query)? };
    let text = query.text("q").unwrap_or_default().trim();
    if text.is_empty() {
        return Ok((filter, None));
    }
    if let Ok(number) = text.trim_start_matches('#').parse::<i64>() {
        return Ok((filter, Some(OrderNumber(number))));
    }
    let told = "search by an order’s number, or by the buyer’s whole email address";
    let email = Email::new(text).map_err(|_| Problem::parameter("q", told))?;
    Ok((OrderFilter { email: Some(email.to_string()), ..filter }, None))
}

async fn numbered(
    app: &App,
    filter: OrderFilter,
    number: OrderNumber,
) -> Result<Vec<Order>, Problem> {
    let behind = OrderNumber(number.0.saturating_add(1));
    let mut found = app.orders.list(filter, Some(behind), 1).await?;
    found.retain(|order| order.number == number);
    Ok(found)
}

async fn find(app: &App, asked: &Asked) -> Result<Order, Problem> {
    let id: OrderId = asked.path[0].parse().map_err(|_| absent())?;
    Ok(app.orders.get(id).await?.ok_or_else(absent)?.order)
}

fn absent() -> Problem {
    Problem::new(Code::NotFound, "there is no such order")
}

async fn show(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let order = find(&app, &asked).await?;
    let done = asked.query.text("done").map(|done| match done {
        "confirm" => "The order is confirmed.",
        "process" => "It is being packed.",
        "ship" => "It is marked as sent.",
        "complete" => "It is marked as arrived.",
        "cancel" => "The order is cancelled.",
        "refund" => "The money is on its way back.",
        _ => "The money has arrived.",
    });
    let shown = Shown::new(&app, &mut asked, HERE).await?.done(done);
    page(&app, &asked, shown, &order, "").await
}

async fn act(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let order = find(&app, &asked).await?;
    let form = &asked.form;
    let wish = wish(form.text("action"), form.has("restock"))?;
    let version = form.text("version").parse();
    let version = version.map_err(|_| Problem::new(Code::BadContent, "the form has no version"))?;
    let (note, who) = (form.text("note").to_owned(), asked.visit.must_act()?);
    match move_on(&app, order.id, wish, note.clone(), &who, Some(version)).await {
        Ok(()) => {
            let done = asked.form.text("action");
            Ok(see_other(&format!("{HERE}/{}?done={done}", order.id)))
        }
        Err(problem) => {
            let shown = Shown::new(&app, &mut asked, HERE).await?.failed(problem)?;
            let order = find(&app, &asked).await?;
            page(&app, &asked, shown, &order, &note).await
        }
    }
}

fn wish(text: &str, restock: bool) -> Result<Wish, Problem> {
    if text == "paid" {
        return Ok(Wish::Paid);
    }
    let action = Action::BY_HAND.iter().find(|action| action.verb() == text);
    match action {
        Some(Action::Refund { .. }) => Ok(Wish::Act(Action::Refund { restock })),
        Some(action) => Ok(Wish::Act(*action)),
        None => Err(Problem::new(Code::BadContent, "the form says nothing to do")),
    }
}

/// What may be done with an order where it is now.
fn buttons(order: &Order) -> Vec<OrderButton> {
    use OrderStatus::{Cancelled, Pending, Refunded};
    let state = &order.state;
    let possible = Action::BY_HAND.iter().filter(|action| apply(state, **action).is_ok());
    let mut buttons: Vec<_> = possible.map(|action| OrderButton::Act(*action)).collect();
    let owes = order.provider == InvoiceTerms::PROVIDER
        && state.payment == PaymentState::Authorised
        && !matches!(state.status, Pending | Cancelled | Refunded);
    if owes {
        buttons.push(OrderButton::Paid);
    }
    buttons
}

async fn page(
    app: &App,
    asked: &Asked,
    shown: Shown,
    order: &Order,
    note: &str,
) -> Result<Response, Problem> {
    let steps = app.orders.steps(order.id).await?;
    let payment = app.till.of_order(order.id).await?.map(|now| now.payment);
    let all = std::iter::once(&order.placed_by).chain(steps.iter().map(|step| &step.by));
    let people = People::of(app, all.map(String::as_str)).await;
    let people = |by: &str| people.name(by);
    let buttons = match may(asked, Permission::OrdersWrite) {
        true => buttons(order),
        false => Vec::new(),
    };
    let title = format!("Order {}", order.number);
    let room = OrderRoom {
        order,
        steps: &steps,
        payment: payment.as_ref(),
        buttons: &buttons,
        note,
        people: &people,
        products: may(asked, Permission::CatalogueRead),
        customers: may(asked, Permission::CustomersRead),
    };
    Ok(shown.answer(app, asked, views::order(&shown.frame(&title), &room)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_person_may_want_has_a_wish_and_a_word_for_when_it_is_done() {
        for action in Action::BY_HAND {
            assert_eq!(wish(action.verb(), false).unwrap(), Wish::Act(*action));
            assert!(DONE.contains(&action.verb()));
        }
        assert_eq!(wish("refund", true).unwrap(), Wish::Act(Action::Refund { restock: true }));
        assert_eq!(wish("paid", false).unwrap(), Wish::Paid);
        assert!(wish("settle", false).is_err() && wish("", false).is_err());
    }
}
