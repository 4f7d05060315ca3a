//! What somebody's customer has ordered.

use super::AccountFrame;
use crate::domain::{
    money::Money,
    order::{Order, OrderStatus},
};
use crate::views::{
    moment::Moment,
    render::render,
    shell::{Meta, Shell},
};
use askama::Template;
use bytes::Bytes;

/// An order as its row shows it.
pub struct OrderRow {
    id: String,
    number: String,
    placed: Moment,
    status: &'static str,
    products: usize,
    total: Money,
}

impl OrderRow {
    pub fn of(order: &Order) -> Self {
        Self {
            id: order.id.to_string(),
            number: order.number.to_string(),
            placed: Moment::of(order.placed_at),
            status: words(order.state.status),
            products: order.lines.len(),
            total: Money { minor: order.summary.total, currency: order.summary.currency },
        }
    }
}

/// The few words that a list has room for; the order's own page says more.
fn words(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::Pending => "Waiting for the payment",
        OrderStatus::Confirmed => "Confirmed",
        OrderStatus::Processing => "Being packed",
        OrderStatus::Shipped => "On its way",
        OrderStatus::Completed => "Arrived",
        OrderStatus::Cancelled => "Cancelled",
        OrderStatus::Refunded => "Money back",
    }
}

#[derive(Template)]
#[template(path = "account_orders.html")]
struct Orders<'a> {
    shell: &'a Shell,
    meta: Meta<'a>,
    rows: &'a [OrderRow],
    is_first: bool,
    next: Option<&'a str>,
}

/// `next`: the cursor of the page behind this one.
pub fn orders(
    frame: &AccountFrame<'_>,
    rows: &[OrderRow],
    is_first: bool,
    next: Option<&str>,
) -> Bytes {
    let (shell, meta) = (frame.shell, frame.meta("Orders"));
    let page = Orders { shell, meta, rows, is_first, next };
    render(&page, frame.size() + rows.len() * 512)
}
