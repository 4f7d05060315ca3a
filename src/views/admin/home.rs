//! What waits for somebody: the first page that staff sees.

use super::{AdminFrame, FRAME, OrderRow, products::product_place};
use crate::{
    domain::{
        order::{Order, OrderStatus},
        stock::LowStock,
    },
    views::render::{Grouped, render},
};
use askama::Template;
use bytes::Bytes;

/// What there is to see. `None`: it is not for whoever asks.
pub struct AdminHome<'a> {
    /// How many orders are in each state in which somebody has something to do.
    pub open: Option<&'a [(OrderStatus, u64)]>,
    pub latest: Option<&'a [Order]>,
    pub low: Option<&'a [LowStock]>,
}

/// Orders that wait, and for what.
struct Waiting {
    words: &'static str,
    about: &'static str,
    status: &'static str,
    count: u64,
}

impl Waiting {
    fn all(open: &[(OrderStatus, u64)]) -> [Self; 3] {
        let of = |status: OrderStatus, words, about| {
            let found = open.iter().find(|(one, _)| *one == status);
            Self { words, about, status: status.as_str(), count: found.map_or(0, |(_, n)| *n) }
        };
        [
            of(OrderStatus::Confirmed, "To pack", "Confirmed, nobody has begun"),
            of(OrderStatus::Processing, "To send", "Being packed"),
            of(OrderStatus::Pending, "Payment open", "Goods are held meanwhile"),
        ]
    }

    fn number(&self) -> Grouped {
        Grouped(self.count)
    }
}

#[derive(Template)]
#[template(path = "admin_home.html")]
struct Home<'a> {
    frame: &'a AdminFrame<'a>,
    waiting: Option<[Waiting; 3]>,
    latest: Option<Vec<OrderRow>>,
    low: Option<&'a [LowStock]>,
}

impl Home<'_> {
    fn place(&self, row: &LowStock) -> String {
        product_place(row.sku.as_str())
    }
}

pub fn home(frame: &AdminFrame<'_>, page: &AdminHome<'_>) -> Bytes {
    let view = Home {
        frame,
        waiting: page.open.map(Waiting::all),
        latest: page.latest.map(|orders| orders.iter().map(OrderRow::of).collect()),
        low: page.low,
    };
    render(&view, 2 * FRAME)
}
