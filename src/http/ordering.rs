//! What can go wrong with an order, as a client is told it.

use crate::{
    actors::keepers::{orders::OrdersError, till::TillError},
    domain::{
        id::OrderId,
        order::Action,
        placing::{Changed, Placed, Short},
        principal::Principal,
    },
    http::{
        app::App,
        carting::of_rows,
        error::{Code, FieldError, Problem},
    },
    ports::{
        orders::{OrderMoved, OrderWrite},
        payments::PaymentError,
    },
};

/// Characters of what somebody may say about a change.
pub(crate) const MOST_NOTE: usize = 500;

/// What staff wants of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    Act(Action),
    /// The money of an invoice has arrived.
    Paid,
}

/// Does what staff wants of an order, if it is still the version that they saw.
pub(crate) async fn move_on(
    app: &App,
    order: OrderId,
    wish: Wish,
    note: String,
    who: &Principal,
    if_version: Option<i64>,
) -> Result<(), Problem> {
    if note.chars().count() > MOST_NOTE {
        return Err(Problem::field("/note", format!("a note has at most {MOST_NOTE} characters")));
    }
    let absent = || Problem::new(Code::NotFound, "there is no such order");
    match wish {
        Wish::Act(action) => {
            let (by, at) = (who.to_string(), app.clock.now());
            let write = OrderWrite { order, action, by, note, at, if_version };
            let moved = app.orders.act(write).await?.ok_or_else(absent)?;
            not_moved(&moved).map_or(Ok(()), Err)?;
        }
        Wish::Paid => {
            let now = app.orders.get(order).await?.ok_or_else(absent)?.order.version;
            if if_version.is_some_and(|seen| seen != now) {
                return Err(stale(now));
            }
            app.till.collect(order, who).await?;
        }
    }
    app.till.wake();
    Ok(())
}

impl From<OrdersError> for Problem {
    fn from(error: OrdersError) -> Self {
        let told = error.to_string();
        match error {
            OrdersError::Empty | OrdersError::Currencies | OrdersError::Totals(_) => {
                Self::new(Code::BadContent, told)
            }
            OrdersError::CartChanged { .. } | OrdersError::Stale(_) => {
                Self::new(Code::ReviewChanged, told)
            }
            OrdersError::Lines(rows) => of_rows(&rows, |row| (format!("/lines/{row}"), None)),
            OrdersError::NoDelivery => Self::field("/ship_to/country", told),
            OrdersError::NoShipping | OrdersError::OtherShipping => {
                Self::field("/shipping_method", told)
            }
            OrdersError::Guesses(wait) => Self::too_many(told, wait),
            OrdersError::Coupon(why) => Self::field("/coupon", why.to_string()),
            OrdersError::Carts(error) => error.into(),
            OrdersError::Documents(error) => error.into(),
            OrdersError::Store(error) => error.into(),
            OrdersError::Write(error) => error.into(),
            OrdersError::Once(error) => error.into(),
        }
    }
}

impl From<TillError> for Problem {
    fn from(error: TillError) -> Self {
        let told = error.to_string();
        match error {
            TillError::Absent | TillError::NotOurs => Self::new(Code::NotFound, told),
            TillError::NoProvider(_) => Self::field("/payment/provider", told),
            TillError::NotAllowed(_) => Self::new(Code::Conflict, told),
            TillError::Webhook(_) => Self::new(Code::BadBody, told),
            TillError::Provider(PaymentError::Unavailable(_) | PaymentError::Unknown(_)) => {
                Self::unavailable("the payment provider is away at the moment", told)
            }
            TillError::Provider(_) => Self::new(Code::Conflict, told),
            TillError::Store(error) => error.into(),
            TillError::Write(error) => error.into(),
        }
    }
}

/// Why an order was not placed; `None`: it was.
pub(crate) fn not_placed(placed: &Placed) -> Option<Problem> {
    match placed {
        Placed::Order(_) => None,
        Placed::SoldOut(short) => Some(sold_out(short)),
        Placed::Changed(changed) => Some(changed_meanwhile(changed)),
        Placed::Ordered(order) => Some(Problem::new(
            Code::Conflict,
            format!("this cart was ordered before; its order is {order}"),
        )),
        Placed::Coupon(Some(why)) => Some(Problem::field("/coupon", why.to_string())),
        Placed::Coupon(None) => Some(Problem::new(
            Code::ReviewChanged,
            "the coupon takes off something else than was shown; nothing was ordered",
        )),
        Placed::CartMoved => Some(Problem::new(
            Code::ReviewChanged,
            "the cart was changed while it was ordered; look at it once more",
        )),
    }
}

fn sold_out(short: &[Short]) -> Problem {
    let told = match short {
        [one] if one.left > 0 => {
            format!("of {} there are only {} left; nothing was ordered", one.sku, one.left)
        }
        [one] => format!("{} is sold out; nothing was ordered", one.sku),
        more => format!("of {} products there are too few; nothing was ordered", more.len()),
    };
    let error = |one: &Short| FieldError {
        sku: Some(one.sku.to_string()),
        detail: match one.left {
            0 => "sold out".to_owned(),
            left => format!("{left} left"),
        },
        ..FieldError::default()
    };
    Problem { errors: short.iter().map(error).collect(), ..Problem::new(Code::SoldOut, told) }
}

fn changed_meanwhile(changed: &[Changed]) -> Problem {
    let told = "prices have changed since they were shown; nothing was ordered";
    let error = |one: &Changed| FieldError {
        sku: Some(one.sku.to_string()),
        detail: match &one.now {
            Some(now) => format!("{} now, {} before", now, one.was),
            None => "not sold any more at a price".to_owned(),
        },
        ..FieldError::default()
    };
    let errors = changed.iter().map(error).collect();
    Problem { errors, ..Problem::new(Code::ReviewChanged, told) }
}

/// Why an order was not moved; `None`: it was.
pub(crate) fn not_moved(moved: &OrderMoved) -> Option<Problem> {
    match moved {
        OrderMoved::Moved(_) => None,
        OrderMoved::Refused { why, .. } => Some(Problem::new(Code::Conflict, why.to_string())),
        OrderMoved::Stock { why, .. } => Some(Problem::new(Code::Conflict, why.to_string())),
        OrderMoved::Stale(now) => Some(stale(now.version)),
    }
}

fn stale(version: i64) -> Problem {
    let told = format!("the order has changed since: its ETag is \"{version}\"");
    Problem::new(Code::PreconditionFailed, told)
}
