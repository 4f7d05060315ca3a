//! `/orders/{id}`: what became of an order, for whoever placed it, their colleagues, and a guest who
//! came by the link of its mail.

use super::link;
use crate::{
    actors::keepers::carts::Wanted,
    domain::{
        cart::{CartEdit, CartKind},
        id::OrderId,
        order::{Action, Order, OrderStatus},
        policy::Right,
        secret::Secret,
    },
    http::{
        access::Access,
        api::orders::is_of,
        app::App,
        error::Problem,
        extract::{Param, Takes},
        ordering::not_moved,
        resource::{Asked, Operation, Resource},
        shop::{
            cart::{html, see_other, shopper},
            sentence,
        },
    },
    ports::orders::OrderWrite,
    views::{self, OrderPage},
};
use http::StatusCode;
use std::sync::Arc;
use warp::reply::Response;

const READ: Access = Access::Shopper(Right::OrdersRead);
const WRITE: Access = Access::Shopper(Right::OrdersWrite);
const PARAMS: &[Param] = &[
    Param::new("placed", Takes::Flag, "It was a moment ago."),
    Param::new("token", Takes::Text { most: 100 }, "Of the link that a guest was mailed."),
];

pub(super) fn resources() -> Vec<Resource> {
    vec![
        Resource::new(
            "/orders/{id}",
            [Operation::personal(READ, PARAMS, |a, b| Box::pin(show(a, b)))],
        ),
        Resource::new(
            "/orders/{id}/cancel",
            [Operation::form(WRITE, |a, b| Box::pin(cancel(a, b)))],
        ),
        Resource::new("/orders/{id}/again", [Operation::form(WRITE, |a, b| Box::pin(again(a, b)))]),
    ]
}

pub(super) fn absent() -> Problem {
    Problem::not_found()
}

/// The order of an address, if who asks may see it.
async fn find(app: &App, asked: &Asked) -> Result<Order, Problem> {
    let id: OrderId = asked.path[0].parse().map_err(|_| absent())?;
    let stored = app.orders.get(id).await?.ok_or_else(absent)?;
    let theirs = shopper(&asked.visit).is_some_and(|who| is_of(&stored.order, &who));
    let by_link = || {
        let token = asked.visit.order_link(&asked.headers, id);
        token.is_some_and(|token| link::opens(&stored, &token, app.clock.now()))
    };
    match theirs || by_link() {
        true => Ok(stored.order),
        false => Err(absent()),
    }
}

async fn show(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    if let Some(token) = asked.query.text("token") {
        let id = asked.path[0].parse().map_err(|_| absent())?;
        return link::follow(&app, &asked, id, &Secret::new(token)).await;
    }
    let order = find(&app, &asked).await?;
    page(&app, asked, &order, None).await
}

async fn cancel(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let order = find(&app, &asked).await?;
    let packed = !matches!(order.state.status, OrderStatus::Pending | OrderStatus::Confirmed);
    if packed {
        let told = "It is too late to cancel it here: write to us.";
        return page(&app, asked, &order, Some(told)).await;
    }
    let who = asked.visit.principal_or_guest(&app).await?;
    let write = OrderWrite {
        order: order.id,
        action: Action::Cancel,
        by: who.to_string(),
        note: String::new(),
        at: app.clock.now(),
        if_version: Some(order.version),
    };
    let moved = app.orders.act(write).await?.ok_or_else(Problem::not_found)?;
    if let Some(problem) = not_moved(&moved) {
        let told = sentence(&problem.detail);
        return page(&app, asked, &order, Some(&told)).await;
    }
    app.till.wake();
    Ok(see_other(&format!("/orders/{}", order.id)))
}

/// Puts its goods into the cart, as far as they can still be had.
async fn again(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let order = find(&app, &asked).await?;
    let who = asked.visit.principal_or_guest(&app).await?;
    let wanted: Vec<_> = order
        .lines
        .iter()
        .map(|line| Wanted {
            sku: line.sku.to_string(),
            quantity: line.priced.quantity().text(line.priced.precision()),
            note: None,
        })
        .collect();
    let (changes, _) = app.carts.offers(&who, &wanted)?;
    let changes = changes.into_iter().map(|(_, change)| change).collect();
    let edit = CartEdit::Lines { changes, partial: true };
    app.carts.edit(&who, app.carts.of(CartKind::Active), None, edit).await?;
    Ok(see_other("/cart?done=added"))
}

async fn page(
    app: &App,
    mut asked: Asked,
    order: &Order,
    error: Option<&str>,
) -> Result<Response, Problem> {
    let declined = match order.state.status {
        OrderStatus::Cancelled => {
            app.till.of_order(order.id).await?.and_then(|now| now.payment.declined())
        }
        _ => None,
    };
    let form_token = asked.visit.form_token(app);
    let (_, shell) = app.shell();
    let bytes = views::order(&OrderPage {
        shell: &shell,
        offset: app.offset(),
        form_token: &form_token,
        order,
        declined,
        fresh: asked.query.optional("placed") == Some("true"),
        error,
    });
    let status = if error.is_some() { StatusCode::CONFLICT } else { StatusCode::OK };
    Ok(html(app, &asked, status, bytes))
}
