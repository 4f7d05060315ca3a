//! `/account/orders`: what one's customer has ordered, the newest first.

use super::Shown;
use crate::{
    domain::{order::OrderNumber, policy::Right},
    http::{
        access::Access,
        app::App,
        cursor::{self, BeforeOrder},
        error::Problem,
        extract::{Param, Takes},
        resource::{Asked, Operation, Resource},
    },
    ports::orders::OrderFilter,
    views::{self, OrderRow},
};
use std::sync::Arc;
use warp::reply::Response;

/// Orders of one page.
const PAGE: usize = 20;
const PARAMS: &[Param] = &[Param::new(
    "after",
    Takes::Formed { most: cursor::MOST, pattern: cursor::PATTERN },
    "Where to go on.",
)];

pub(super) fn resources() -> Vec<Resource> {
    let read = Access::Buyer(Right::OrdersRead);
    vec![Resource::new(
        "/account/orders",
        [Operation::personal(read, PARAMS, |a, b| Box::pin(show(a, b)))],
    )]
}

async fn show(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let filter =
        OrderFilter { customer: Some(asked.visit.must_act_for()?), ..OrderFilter::default() };
    let before = asked.query.text("after").map(|text| cursor::read::<BeforeOrder>("after", text));
    let before = before.transpose()?.map(|place| OrderNumber(place.0));
    let mut found = app.orders.list(filter, before, PAGE as u32 + 1).await?;
    let more = found.len() > PAGE;
    found.truncate(PAGE);
    let next = found.last().filter(|_| more).map(|last| cursor::write(BeforeOrder(last.number.0)));
    let rows: Vec<_> = found.iter().map(OrderRow::of).collect();
    let shown = Shown::new(&app, &mut asked, None, Vec::new()).await?;
    let page = views::orders(&shown.frame(), &rows, before.is_none(), next.as_deref());
    Ok(shown.answer(&app, &asked, page))
}
