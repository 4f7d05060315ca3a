//! What a buyer is told of an order by mail.

use super::OrderNews;
use std::time::Duration;

/// One for each thing that a buyer waits for or would be surprised by; the rest stands on the
/// order's page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OrderLetter {
    Placed,
    Shipped,
    Cancelled,
    Refunded,
}

impl OrderLetter {
    pub const ALL: &[Self] = &[Self::Placed, Self::Shipped, Self::Cancelled, Self::Refunded];

    /// Later it would only confuse.
    pub const LASTS: Duration = Duration::from_secs(3 * 24 * 60 * 60);

    /// As the queue of mail calls it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Placed => "order_placed",
            Self::Shipped => "order_shipped",
            Self::Cancelled => "order_cancelled",
            Self::Refunded => "order_refunded",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|one| one.as_str() == text)
    }

    /// What is written of a move, if anything is.
    pub fn of(news: OrderNews) -> Option<Self> {
        match news {
            OrderNews::Shipped => Some(Self::Shipped),
            OrderNews::Cancelled => Some(Self::Cancelled),
            OrderNews::Refunded => Some(Self::Refunded),
            OrderNews::Confirmed
            | OrderNews::TakenUp
            | OrderNews::Completed
            | OrderNews::PaymentChanged => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_read_back_by_its_name() {
        for letter in OrderLetter::ALL {
            assert_eq!(OrderLetter::parse(letter.as_str()), Some(*letter));
        }
        assert_eq!(OrderLetter::parse("welcome"), None);
    }
}
