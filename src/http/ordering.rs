//! What can go wrong with an order, as a client is told it.

use crate::{
    actors::keepers::{orders::OrdersError, till::TillError},
    domain::placing::{Changed, Placed, Short},
    http::{
        carting::of_rows,
        error::{Code, FieldError, Problem},
    },
    ports::{orders::OrderMoved, payments::PaymentError},
};

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
        OrderMoved::Stale(now) => Some(Problem::new(
            Code::PreconditionFailed,
            format!("the order has changed since: its ETag is \"{}\"", now.version),
        )),
    }
}
