//! Orders: what is asked of them, and how they are read back.

use super::StoreError;
use crate::domain::{
    audit::Change,
    id::{CustomerId, OrderId},
    order::{Action, Order, OrderNumber, OrderState, OrderStatus, OrderStep, Refusal, StockEffect},
    payment::PaymentState,
    principal::Principal,
    stock::{Movement, MovementKind, Reserve, StockError},
    time::Micros,
};
use async_trait::async_trait;
use uuid::Uuid;

/// Something that somebody wants of an order.
#[derive(Debug, Clone)]
pub struct OrderWrite {
    pub order: OrderId,
    pub action: Action,
    /// Who, as the audit log names them.
    pub by: String,
    pub note: String,
    pub at: Micros,
    /// Only if the order is still this version.
    pub if_version: Option<i64>,
}

impl OrderWrite {
    /// The time for which an order's goods were held is over.
    pub fn hold_ends(order: OrderId, at: Micros) -> Self {
        let (by, note) = (Principal::System.to_string(), String::new());
        Self { order, action: Action::HoldEnds, by, note, at, if_version: None }
    }

    /// The ledger's line for one of the order's goods.
    pub fn movement(&self, effect: StockEffect, reserve: &Reserve, id: Uuid) -> Movement {
        let quantity = reserve.quantity;
        let (kind, on_hand, promised) = match effect {
            StockEffect::Release => (MovementKind::Release, 0, -quantity),
            StockEffect::Consume => (MovementKind::Ship, -quantity, -quantity),
            StockEffect::Restock => (MovementKind::Restock, quantity, 0),
        };
        Movement {
            id,
            item: reserve.item,
            warehouse: reserve.warehouse,
            kind,
            on_hand,
            promised,
            order: Some(self.order),
            by: self.by.clone(),
            note: self.note.clone(),
            at: self.at,
        }
    }

    /// For the audit log, when a person did it: what the shop does by itself stands in the
    /// order's own steps.
    pub fn told(&self, before: &OrderNow, after: &OrderNow) -> Option<Change> {
        let action = match self.action {
            Action::Confirm => "order.confirm",
            Action::Process => "order.process",
            Action::Ship => "order.ship",
            Action::Complete => "order.complete",
            Action::Cancel => "order.cancel",
            Action::Refund { .. } => "order.refund",
            Action::PaymentIs { .. } | Action::HoldEnds => return None,
        };
        let subject = format!("order:{}", self.order);
        Some(Change::new(
            self.at,
            &self.by,
            action,
            subject,
            Some(&before.state),
            Some(&after.state),
        ))
    }
}

/// Where an order is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderNow {
    pub id: OrderId,
    pub number: OrderNumber,
    pub state: OrderState,
    pub version: i64,
    pub held_until: Option<Micros>,
    pub updated_at: Micros,
}

impl OrderNow {
    /// After a change at a time.
    pub fn moved(&self, state: OrderState, at: Micros) -> Self {
        let held_until = self.held_until.filter(|_| state.status == OrderStatus::Pending);
        Self { state, version: self.version + 1, held_until, updated_at: at, ..*self }
    }
}

/// What became of an order's move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderMoved {
    Moved(OrderNow),
    Refused {
        why: Refusal,
        now: OrderNow,
    },
    /// Its goods can't be moved so; nothing was changed.
    Stock {
        why: StockError,
        now: OrderNow,
    },
    /// It is another version.
    Stale(OrderNow),
}

/// An order with what is kept beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredOrder {
    pub order: Order,
    /// SHA-256 of the token by which a guest may look at it.
    pub access: [u8; 32],
}

/// Which orders of a list: those that fit all that is given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OrderFilter {
    pub status: Option<OrderStatus>,
    pub customer: Option<CustomerId>,
    pub payment: Option<PaymentState>,
    /// The whole of the buyer's address of mail, in the form it is kept in.
    pub email: Option<String>,
    /// Placed then or later.
    pub from: Option<Micros>,
    /// Placed before then.
    pub until: Option<Micros>,
}

impl OrderFilter {
    /// Whether it asks for nothing but a status and a customer, as most lists do.
    pub fn is_plain(&self) -> bool {
        let Self { status: _, customer: _, payment, email, from, until } = self;
        payment.is_none() && email.is_none() && from.is_none() && until.is_none()
    }
}

#[async_trait]
pub trait Orders: Send + Sync {
    async fn get(&self, id: OrderId) -> Result<Option<StoredOrder>, StoreError>;

    /// Up to `limit` before a number, the newest first.
    async fn list(
        &self,
        filter: OrderFilter,
        before: Option<OrderNumber>,
        limit: u32,
    ) -> Result<Vec<Order>, StoreError>;

    /// How many there are of those that somebody has still to do something about, by status.
    async fn open(&self) -> Result<Vec<(OrderStatus, u64)>, StoreError>;

    /// What happened to it since it was placed, in order.
    async fn steps(&self, id: OrderId) -> Result<Vec<OrderStep>, StoreError>;
}
