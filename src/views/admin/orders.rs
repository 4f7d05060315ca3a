//! Orders as staff sees them: the list, and one with all that may be done about it.

use super::{AdminFrame, FRAME, address_lines, products::product_place};
use crate::{
    domain::{
        money::Money,
        order::{Action, FulfilmentStatus, Order, OrderLine, OrderStatus, OrderStep},
        payment::{Fact, Payment, PaymentState, Step},
        totals::Summary,
    },
    views::{
        address::Encoded,
        checkout_page::{TotalRow, quantity, totals},
        moment::Moment,
        render::render,
    },
};
use askama::Template;
use bytes::Bytes;

/// An order as its row shows it.
pub struct OrderRow {
    pub(super) id: String,
    pub(super) number: String,
    pub(super) placed: Moment,
    pub(super) email: String,
    pub(super) name: String,
    pub(super) status: Mark,
    pub(super) payment: Mark,
    pub(super) products: usize,
    pub(super) total: Money,
}

impl OrderRow {
    pub fn of(order: &Order) -> Self {
        Self {
            id: order.id.to_string(),
            number: order.number.to_string(),
            placed: Moment::of(order.placed_at),
            email: order.email.clone(),
            name: order.ship_to.company.clone().unwrap_or_else(|| order.ship_to.name.clone()),
            status: Mark::of_status(order.state.status),
            payment: Mark::of_payment(order.state.payment),
            products: order.lines.len(),
            total: order.total(),
        }
    }
}

/// A state in words, with a class that colours it.
pub(super) struct Mark {
    pub(super) words: &'static str,
    pub(super) class: &'static str,
}

impl Mark {
    fn of_status(status: OrderStatus) -> Self {
        let class = match status {
            OrderStatus::Pending => "mark mark-wait",
            OrderStatus::Confirmed | OrderStatus::Processing => "mark mark-do",
            OrderStatus::Shipped | OrderStatus::Completed => "mark mark-good",
            OrderStatus::Cancelled | OrderStatus::Refunded => "mark mark-off",
        };
        Self { words: status_words(status), class }
    }

    fn of_payment(state: PaymentState) -> Self {
        let class = match state {
            PaymentState::Captured => "mark mark-good",
            PaymentState::Pending | PaymentState::Unknown => "mark mark-wait",
            PaymentState::Authorised | PaymentState::PartlyCaptured => "mark mark-do",
            PaymentState::Declined | PaymentState::Expired => "mark mark-bad",
            PaymentState::PartlyRefunded | PaymentState::Refunded | PaymentState::Voided => {
                "mark mark-off"
            }
        };
        Self { words: payment_words(state), class }
    }
}

fn status_words(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::Pending => "Payment open",
        OrderStatus::Confirmed => "To pack",
        OrderStatus::Processing => "Being packed",
        OrderStatus::Shipped => "Sent",
        OrderStatus::Completed => "Arrived",
        OrderStatus::Cancelled => "Cancelled",
        OrderStatus::Refunded => "Refunded",
    }
}

fn payment_words(state: PaymentState) -> &'static str {
    match state {
        PaymentState::Pending => "Not asked yet",
        PaymentState::Unknown => "No answer yet",
        PaymentState::Authorised => "Approved, not taken",
        PaymentState::PartlyCaptured => "Taken in part",
        PaymentState::Captured => "Paid",
        PaymentState::PartlyRefunded => "Given back in part",
        PaymentState::Refunded => "Given back",
        PaymentState::Declined => "Declined",
        PaymentState::Voided => "Called off",
        PaymentState::Expired => "Lapsed",
    }
}

fn fulfilment_words(status: FulfilmentStatus) -> &'static str {
    match status {
        FulfilmentStatus::Unfulfilled => "not sent yet",
        FulfilmentStatus::Shipped => "on their way",
        FulfilmentStatus::Delivered => "arrived",
        FulfilmentStatus::Returned => "back in the warehouse",
    }
}

/// What the list was asked for, as the form shows it again.
#[derive(Debug, Default)]
pub struct OrderSearch<'a> {
    pub text: &'a str,
    /// Whose alone; empty for everybody's.
    pub customer: &'a str,
    pub status: Option<OrderStatus>,
    pub payment: Option<PaymentState>,
    pub from: &'a str,
    pub until: &'a str,
}

impl OrderSearch<'_> {
    fn is_narrow(&self) -> bool {
        self.status.is_some()
            || self.payment.is_some()
            || [self.text, self.customer, self.from, self.until].iter().any(|text| !text.is_empty())
    }
}

pub struct OrdersRoom<'a> {
    pub search: OrderSearch<'a>,
    pub orders: &'a [Order],
    pub is_first: bool,
    /// Where the first page of this question is.
    pub first: &'a str,
    /// Where the list goes on.
    pub next: Option<&'a str>,
}

/// One of several, in a form.
struct Choice {
    value: &'static str,
    words: &'static str,
    chosen: bool,
}

#[derive(Template)]
#[template(path = "admin_orders.html")]
struct Orders<'a> {
    frame: &'a AdminFrame<'a>,
    page: &'a OrdersRoom<'a>,
    rows: Vec<OrderRow>,
    statuses: Vec<Choice>,
    payments: Vec<Choice>,
}

pub fn orders(frame: &AdminFrame<'_>, page: &OrdersRoom<'_>) -> Bytes {
    let status = |one: &OrderStatus| Choice {
        value: one.as_str(),
        words: status_words(*one),
        chosen: page.search.status == Some(*one),
    };
    let payment = |one: &PaymentState| Choice {
        value: one.as_str(),
        words: payment_words(*one),
        chosen: page.search.payment == Some(*one),
    };
    let view = Orders {
        frame,
        page,
        rows: page.orders.iter().map(OrderRow::of).collect(),
        statuses: OrderStatus::ALL.iter().map(status).collect(),
        payments: PaymentState::ALL.iter().map(payment).collect(),
    };
    render(&view, 2 * FRAME + page.orders.len() * 700)
}

/// Something that may be done with an order now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderButton {
    Act(Action),
    /// The money of an invoice has arrived.
    Paid,
}

impl OrderButton {
    /// What its form sends.
    fn value(self) -> &'static str {
        match self {
            Self::Act(action) => action.verb(),
            Self::Paid => "paid",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Act(Action::Confirm) => "Confirm without payment",
            Self::Act(Action::Process) => "Begin to pack",
            Self::Act(Action::Ship) => "Mark as sent",
            Self::Act(Action::Complete) => "Mark as arrived",
            Self::Act(Action::Cancel | Action::HoldEnds) => "Cancel the order",
            Self::Act(Action::Refund { .. }) => "Give the money back",
            Self::Act(Action::PaymentIs { .. }) => "Settle",
            Self::Paid => "Money has arrived",
        }
    }

    fn about(self) -> &'static str {
        match self {
            Self::Act(Action::Confirm) => "It will be sent, paid or not.",
            Self::Act(Action::Process) => "The buyer can’t cancel it by themselves any more.",
            Self::Act(Action::Ship) => "Its goods leave the warehouse’s books.",
            Self::Act(Action::Cancel | Action::HoldEnds) => {
                "Its goods can be sold again, and what was paid goes back. There is no way back."
            }
            Self::Act(Action::Refund { .. }) => {
                "All that was taken goes back to the buyer. There is no way back."
            }
            Self::Paid => "The invoice is paid.",
            Self::Act(Action::Complete | Action::PaymentIs { .. }) => "",
        }
    }

    /// Whether it can't be undone, so that it is asked for once more.
    fn is_final(self) -> bool {
        matches!(self, Self::Act(Action::Cancel | Action::Refund { .. }))
    }

    /// Whether goods that come back are spoken of.
    fn may_restock(self, order: &Order) -> bool {
        matches!(self, Self::Act(Action::Refund { .. })) && !order.state.holds_stock()
    }
}

pub struct OrderRoom<'a> {
    pub order: &'a Order,
    pub steps: &'a [OrderStep],
    pub payment: Option<&'a Payment>,
    /// What whoever looks may do with it now.
    pub buttons: &'a [OrderButton],
    /// What was typed as a note, when it could not be kept.
    pub note: &'a str,
    /// Who is meant by the names in the history.
    pub people: &'a dyn Fn(&str) -> String,
    /// Where a product of its lines is looked after, if whoever looks may see that.
    pub products: bool,
    /// The same of its customer.
    pub customers: bool,
}

/// Something that happened, in words.
struct Told {
    at: Moment,
    words: String,
    by: String,
    note: String,
}

#[derive(Template)]
#[template(path = "admin_order.html")]
struct OneOrder<'a> {
    frame: &'a AdminFrame<'a>,
    page: &'a OrderRoom<'a>,
    order: &'a Order,
    status: Mark,
    payment: Mark,
    placed: Moment,
    held_until: Option<Moment>,
    history: Vec<Told>,
    money: Vec<String>,
    open_steps: Vec<String>,
}

impl OneOrder<'_> {
    fn totals(&self) -> Vec<TotalRow> {
        totals(&self.order.summary)
    }

    fn quantity(&self, line: &OrderLine) -> String {
        quantity(line)
    }

    fn product(&self, line: &OrderLine) -> String {
        product_place(line.sku.as_str())
    }

    /// All that was ordered from this address of mail.
    fn theirs(&self) -> String {
        format!("/admin/orders?q={}", Encoded(&self.order.email))
    }

    fn amount(&self, minor: i64) -> Money {
        money(&self.order.summary, minor)
    }

    fn ship_to(&self) -> Vec<String> {
        address_lines(&self.order.ship_to)
    }

    fn bill_to(&self) -> Option<Vec<String>> {
        self.order.bill_to.as_ref().map(address_lines)
    }

    fn fulfilment(&self) -> &'static str {
        fulfilment_words(self.order.state.fulfilment)
    }

    fn buttons(&self, r#final: bool) -> impl Iterator<Item = &OrderButton> {
        self.page.buttons.iter().filter(move |button| button.is_final() == r#final)
    }
}

pub fn order(frame: &AdminFrame<'_>, page: &OrderRoom<'_>) -> Bytes {
    let order = page.order;
    let placed = Told {
        at: Moment::of(order.placed_at),
        words: "Placed".to_owned(),
        by: (page.people)(&order.placed_by),
        note: String::new(),
    };
    let step = |step: &OrderStep| Told {
        at: Moment::of(step.at),
        words: action_words(step.action),
        by: (page.people)(&step.by),
        note: step.note.clone(),
    };
    let summary = &order.summary;
    let facts = page.payment.into_iter().flat_map(|payment| payment.facts());
    let open_steps = page.payment.into_iter().flat_map(Payment::unanswered);
    let view = OneOrder {
        frame,
        page,
        order,
        status: Mark::of_status(order.state.status),
        payment: Mark::of_payment(order.state.payment),
        placed: Moment::of(order.placed_at),
        held_until: order.held_until.map(Moment::of),
        history: page.steps.iter().rev().map(step).chain([placed]).collect(),
        money: facts.map(|fact| fact_words(summary, fact)).collect(),
        open_steps: open_steps.map(|step| asked_words(summary, &step)).collect(),
    };
    render(&view, 3 * FRAME + order.lines.len() * 600 + page.steps.len() * 300)
}

fn money(summary: &Summary, minor: i64) -> Money {
    summary.money(minor)
}

fn action_words(action: Action) -> String {
    match action {
        Action::Confirm => "Confirmed without payment".to_owned(),
        Action::Process => "Packing began".to_owned(),
        Action::Ship => "Sent".to_owned(),
        Action::Complete => "Arrived".to_owned(),
        Action::Cancel => "Cancelled".to_owned(),
        Action::Refund { restock: true } => "Money back; the goods came back too".to_owned(),
        Action::Refund { restock: false } => "Money back".to_owned(),
        Action::PaymentIs { state } => format!("Payment: {}", payment_words(state)),
        Action::HoldEnds => "Cancelled, as the goods were held no longer".to_owned(),
    }
}

fn fact_words(summary: &Summary, fact: &Fact) -> String {
    match fact {
        Fact::Authorised { minor } => format!("{} approved", money(summary, *minor)),
        Fact::Captured { minor, .. } => format!("{} taken", money(summary, *minor)),
        Fact::Refunded { minor, .. } => format!("{} given back", money(summary, *minor)),
        Fact::Declined { why } => format!("Declined ({})", why.code().replace('_', " ")),
        Fact::Voided => "What was approved was let go".to_owned(),
        Fact::Expired => "What was approved lapsed".to_owned(),
    }
}

fn asked_words(summary: &Summary, step: &Step) -> String {
    match step {
        Step::Authorise => "approval".to_owned(),
        Step::Capture { minor, .. } => format!("taking {}", money(summary, *minor)),
        Step::Refund { minor, .. } => format!("giving back {}", money(summary, *minor)),
        Step::Void => "letting go what was approved".to_owned(),
    }
}
