//! Payment by invoice: the shop itself is the provider, and waits.

use super::{MethodToken, PaymentMethod};
use crate::domain::{id::CustomerId, time::Micros};

const DAY_US: i64 = 24 * 60 * 60 * 1_000_000;

/// Who owes, and for how long at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvoiceTerms {
    pub customer: CustomerId,
    /// Days from the invoice's date: "net 30".
    pub net_days: u16,
}

impl InvoiceTerms {
    /// The provider's name.
    pub const PROVIDER: &str = "invoice";

    /// Of a customer who has agreed on nothing else.
    pub fn usual(customer: CustomerId) -> Self {
        Self { customer, net_days: 30 }
    }

    pub fn method(&self) -> PaymentMethod {
        let token = MethodToken::new(format!("net{}:{}", self.net_days, self.customer));
        PaymentMethod { provider: Self::PROVIDER.to_owned(), token }
    }

    /// `None`: the token is another provider's.
    pub fn read(token: &MethodToken) -> Option<Self> {
        let (days, customer) = token.expose().strip_prefix("net")?.split_once(':')?;
        Some(Self { customer: customer.parse().ok()?, net_days: days.parse().ok()? })
    }

    /// When the money should have come.
    pub fn due(&self, invoiced: Micros) -> Micros {
        Micros(invoiced.0.saturating_add(i64::from(self.net_days) * DAY_US))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_token_keeps_the_terms_and_anothers_is_not_read() {
        let terms = InvoiceTerms { customer: CustomerId(Uuid::from_u128(7)), net_days: 30 };
        assert_eq!(InvoiceTerms::read(&terms.method().token), Some(terms));
        for other in ["", "net", "net30", "net30:", "net-1:x", "tok_visa", "net70000:7"] {
            assert_eq!(InvoiceTerms::read(&MethodToken::new(other)), None, "{other}");
        }
    }

    #[test]
    fn an_invoice_is_due_after_its_days() {
        let terms = InvoiceTerms { customer: CustomerId(Uuid::nil()), net_days: 14 };
        assert_eq!(terms.due(Micros(0)).day(), "1970-01-15");
    }
}
