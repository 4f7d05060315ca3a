//! Orders moved on and payments kept, many in one commit: decided one after the other in memory,
//! written set by set.
//!
//! Whichever database it is, an adapter reads and locks the orders and payments that its writes
//! name ([`MoveDesk::wanted`]), puts them here, asks for each write in turn, and writes at the end
//! what came of them. Goods, coupons, letters and audit, which few moves have, are the adapter's to
//! write in between.

use super::{Write, Written};
use crate::{
    domain::{
        event::EventKind,
        id::{OrderId, PaymentIntentId},
        order::{Action, Change, OrderLetter, OrderStatus, StockEffect, apply},
        payment::{Asked, Due, Fact, Payment, PaymentIntent, Step},
        stock::StockError,
        time::Micros,
    },
    ports::{
        orders::{OrderMoved, OrderNow, OrderWrite},
        till::{PaymentAct, PaymentKept, PaymentNow, PaymentWrite},
    },
};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// How many of the writes at the front move orders or payments: they are made together.
pub fn leading_moves(todo: &[(usize, &Write)]) -> usize {
    let moves =
        |(_, write): &&(usize, &Write)| matches!(write, Write::Order(_) | Write::Payment(_));
    todo.iter().take_while(moves).count()
}

/// A payment as its rows tell it.
#[derive(Debug, Clone)]
pub struct Books {
    pub intent: PaymentIntent,
    pub payment: Payment,
    pub created_at: Micros,
    pub due_at: Option<Micros>,
}

/// A move that may be made.
#[derive(Debug)]
pub struct Plan {
    before: OrderNow,
    next: OrderNow,
    change: Change,
}

impl Plan {
    /// What is to become of the goods first.
    pub fn goods(&self) -> Option<StockEffect> {
        self.change.stock
    }

    /// The goods don't allow it.
    pub fn without_goods(&self, why: StockError) -> Written {
        Written::Order(OrderMoved::Stock { why, now: self.before })
    }

    pub fn is_cancelled(&self) -> bool {
        let cancelled = OrderStatus::Cancelled;
        self.next.state.status == cancelled && self.before.state.status != cancelled
    }

    /// What the buyer is written of it.
    pub fn letter(&self) -> Option<OrderLetter> {
        OrderLetter::of(self.change.news)
    }

    pub fn before(&self) -> &OrderNow {
        &self.before
    }

    pub fn next(&self) -> &OrderNow {
        &self.next
    }
}

/// A step's row, changed: asked by whom and when, or withdrawn.
type StepRow = Option<(String, Micros)>;

/// The most moves of one write: what its payment is, the order's confirmation, the next step.
pub const MOST_MOVES: usize = 3;

/// See the module.
#[derive(Debug, Default)]
pub struct MoveDesk {
    orders: HashMap<OrderId, OrderNow>,
    payments: HashMap<PaymentIntentId, Books>,
    moved: BTreeSet<OrderId>,
    history: Vec<(OrderWrite, OrderNow)>,
    news: Vec<(EventKind, OrderId, Micros)>,
    /// An order has one payment.
    due: BTreeMap<OrderId, Option<Micros>>,
    steps: BTreeMap<(PaymentIntentId, Step), StepRow>,
    facts: BTreeMap<(PaymentIntentId, Fact), Micros>,
}

impl MoveDesk {
    /// The orders and payments that these name; a payment's order is to be had as well.
    pub fn wanted<'a>(
        writes: impl IntoIterator<Item = &'a Write>,
    ) -> (Vec<OrderId>, Vec<PaymentIntentId>) {
        let (mut orders, mut intents) = (BTreeSet::new(), BTreeSet::new());
        for write in writes {
            match write {
                Write::Order(write) => drop(orders.insert(write.order)),
                Write::Payment(write) => drop(intents.insert(write.intent)),
                _ => {}
            }
        }
        (orders.into_iter().collect(), intents.into_iter().collect())
    }

    pub fn with_orders(mut self, orders: impl IntoIterator<Item = OrderNow>) -> Self {
        self.orders.extend(orders.into_iter().map(|order| (order.id, order)));
        self
    }

    pub fn with_payments(mut self, payments: impl IntoIterator<Item = Books>) -> Self {
        self.payments.extend(payments.into_iter().map(|books| (books.intent.id, books)));
        self
    }

    /// What an order's write asks for, or why it is not to be made.
    pub fn plan(&self, write: &OrderWrite) -> Result<Plan, Written> {
        let Some(before) = self.orders.get(&write.order).copied() else {
            return Err(Written::Absent);
        };
        if write.if_version.is_some_and(|wanted| wanted != before.version) {
            return Err(Written::Order(OrderMoved::Stale(before)));
        }
        match apply(&before.state, write.action) {
            Ok(change) => Ok(Plan { before, next: before.moved(change.state, write.at), change }),
            Err(why) => Err(Written::Order(OrderMoved::Refused { why, now: before })),
        }
    }

    /// The order is where the plan brings it.
    pub fn make(&mut self, write: &OrderWrite, plan: &Plan) -> Written {
        self.orders.insert(write.order, plan.next);
        self.moved.insert(write.order);
        self.history.push((write.clone(), plan.next));
        self.news.push((plan.change.news.into(), write.order, write.at));
        if plan.change.money.is_some() {
            let mut books = self.payments.values_mut();
            if let Some(books) = books.find(|books| books.intent.order == write.order) {
                books.due_at = Some(write.at);
            }
            self.due.insert(write.order, Some(write.at));
        }
        Written::Order(OrderMoved::Moved(plan.next))
    }

    /// Takes down what is asked or was said, and returns the order's move to what its payment is
    /// then: to be made next, and told to [`Self::kept`].
    pub fn keep(&mut self, write: &PaymentWrite) -> Result<(OrderWrite, Option<Asked>), Written> {
        let Some(books) = self.payments.get_mut(&write.intent) else {
            return Err(Written::Absent);
        };
        let mut asked = None;
        match &write.act {
            PaymentAct::Ask(step) => {
                let now = books.payment.ask(*step);
                let now = now.map_err(|why| Written::Payment(PaymentKept::NotAllowed(why)))?;
                if now == Asked::Now {
                    let row = Some((write.by.clone(), write.at));
                    self.steps.insert((write.intent, *step), row);
                }
                asked = Some(now);
            }
            PaymentAct::Learn { record, withdrawn } => {
                let known = books.payment.facts().clone();
                let learnt = books.payment.learn(record);
                learnt.map_err(|why| Written::Payment(PaymentKept::NotOurs(why)))?;
                for fact in record.facts.difference(&known) {
                    self.facts.insert((write.intent, *fact), write.at);
                }
                if let Some(step) = withdrawn {
                    books.payment.withdraw(step);
                    self.steps.insert((write.intent, *step), None);
                }
            }
            PaymentAct::Wait => {}
        }
        let action = Action::PaymentIs { state: books.payment.state() };
        let (order, by, at) = (books.intent.order, write.by.clone(), write.at);
        let moved = OrderWrite { order, action, by, note: String::new(), at, if_version: None };
        Ok((moved, asked))
    }

    /// What a write that goes on moves next, to be made and asked after again: the order's
    /// confirmation, or what a step that is asked now means for it.
    pub fn go_on(&mut self, write: &PaymentWrite) -> Option<(OrderWrite, Option<Step>)> {
        let PaymentAct::Learn { .. } = &write.act else { return None };
        let books = self.payments.get_mut(&write.intent)?;
        let order = self.orders.get(&books.intent.order)?;
        let (order_id, at) = (order.id, write.at);
        let moved = |action| {
            let (by, note) = (write.by.clone(), String::new());
            OrderWrite { order: order_id, action, by, note, at, if_version: None }
        };
        match write.due(order, &books.payment, write.goes_on?) {
            Due::Nothing => None,
            Due::Confirm => Some((moved(Action::Confirm), None)),
            Due::Ask(step) => match books.payment.ask(step) {
                Ok(Asked::Now) => {
                    let row = Some((write.by.clone(), at));
                    self.steps.insert((write.intent, step), row);
                    let action = Action::PaymentIs { state: books.payment.state() };
                    Some((moved(action), Some(step)))
                }
                Ok(Asked::Before | Asked::Done) | Err(_) => None,
            },
        }
    }

    /// The payment with its order, once the order's moves were made or refused; when to look at it
    /// next goes by both. `None`: the order was never put here.
    pub fn kept(
        &mut self,
        write: &PaymentWrite,
        asked: Option<Asked>,
        next: Option<Step>,
    ) -> Option<Written> {
        let books = self.payments.get_mut(&write.intent)?;
        let order = *self.orders.get(&books.intent.order)?;
        let look = write.next_look(&order, &books.payment);
        if books.due_at != look {
            books.due_at = look;
            self.due.insert(order.id, look);
        }
        let Books { intent, payment, created_at, due_at: _ } = books.clone();
        let now = Box::new(PaymentNow { intent, payment, order, created_at });
        Some(Written::Payment(PaymentKept::Done { now, asked, next }))
    }

    /// Orders that are elsewhere than before, each once.
    pub fn moved(&self) -> impl Iterator<Item = &OrderNow> {
        self.moved.iter().filter_map(|id| self.orders.get(id))
    }

    /// What was done to them, in order, with where each was then.
    pub fn history(&self) -> &[(OrderWrite, OrderNow)] {
        &self.history
    }

    /// To be told, in order.
    pub fn news(&self) -> &[(EventKind, OrderId, Micros)] {
        &self.news
    }

    /// When the payments of these orders are to be looked at.
    pub fn due(&self) -> impl Iterator<Item = (OrderId, Option<Micros>)> {
        self.due.iter().map(|(order, at)| (*order, *at))
    }

    /// Steps whose row goes, before [`Self::asked`] come.
    pub fn withdrawn(&self) -> impl Iterator<Item = (PaymentIntentId, &Step)> {
        let gone = self.steps.iter().filter(|(_, row)| row.is_none());
        gone.map(|((intent, step), _)| (*intent, step))
    }

    /// Steps that are written down, by whom and when; the row of one that was withdrawn and asked
    /// again is still there.
    pub fn asked(&self) -> impl Iterator<Item = (PaymentIntentId, &Step, &str, Micros)> {
        self.steps.iter().filter_map(|((intent, step), row)| {
            row.as_ref().map(|(by, at)| (*intent, step, by.as_str(), *at))
        })
    }

    /// What was said, and when; some of it was known before.
    pub fn facts(&self) -> impl Iterator<Item = (PaymentIntentId, &Fact, Micros)> {
        self.facts.iter().map(|((intent, fact), at)| (*intent, fact, *at))
    }
}
