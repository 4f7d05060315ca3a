//! Webhooks out: what happened here, posted to endpoints that others run.

mod rows;

pub use rows::{
    BY_HAND, Came, DeliverWebhook, Delivery, DeliveryState, Endpoint, EndpointChange, EndpointFace,
    EndpointSet, FAILING, FAILS_FOR, GONE, MOST_ENDPOINTS, NewDelivery, TRIED_FOR, Tried, TryLine,
    WebhookWrite, Webhooks, added, asked, kinds_text,
};

use crate::domain::{id::DeliveryId, secret::Secret, time::Micros};
use async_trait::async_trait;
use bytes::Bytes;
use std::time::Duration;

/// No endpoint is waited for longer, whatever it asks for.
pub const MOST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// One try of a delivery.
#[derive(Debug, Clone)]
pub struct Parcel {
    /// The endpoint's.
    pub url: String,
    /// The same at each try, so that a receiver tells a repeat.
    pub delivery: DeliveryId,
    /// JSON.
    pub body: Bytes,
    /// Signed with each of these: two, while an endpoint's secret is being changed.
    pub secrets: Vec<Secret>,
    /// The time of this try.
    pub at: Micros,
}

/// What an endpoint answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// HTTP's.
    pub status: u16,
    /// How its answer began, for a person to read.
    pub said: String,
    /// How long it wants to be left alone.
    pub wait: Option<Duration>,
}

/// What an answer means for the delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reception {
    /// It is the endpoint's now.
    Taken,
    /// The endpoint is no more, and nothing is to be posted there again.
    Gone,
    /// To be tried again, not before so long.
    Later(Option<Duration>),
}

impl Receipt {
    /// As Standard Webhooks has it: 2xx is taken, 410 is gone, and whatever else is another try's,
    /// redirects among them, which are not followed.
    pub fn reception(&self) -> Reception {
        match self.status {
            200..=299 => Reception::Taken,
            410 => Reception::Gone,
            429 | 503 => Reception::Later(self.wait.map(|wait| wait.min(MOST_WAIT))),
            _ => Reception::Later(None),
        }
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CourierError {
    /// It may have arrived all the same; another try may do.
    #[error("{0}")]
    Later(String),
    /// None will, as long as the endpoint is what it is.
    #[error("{0}")]
    Never(String),
}

/// Posts to endpoints.
#[async_trait]
pub trait Courier: Send + Sync {
    /// Whether a URL's form is one that is posted to; the error is a sentence. Where its name leads
    /// is looked at with each try.
    fn admits(&self, url: &str) -> Result<(), String>;

    /// This key, of bytes that nobody can foresee, as a secret that signs.
    fn new_secret(&self, key: &[u8; 32]) -> Secret;

    /// Once, and in bounded time.
    async fn post(&self, parcel: &Parcel) -> Result<Receipt, CourierError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_taken_gone_or_for_later() {
        let minute = Some(Duration::from_secs(60));
        for (status, wait, means) in [
            (200, None, Reception::Taken),
            (204, minute, Reception::Taken),
            (301, minute, Reception::Later(None)),
            (400, None, Reception::Later(None)),
            (404, None, Reception::Later(None)),
            (410, minute, Reception::Gone),
            (429, minute, Reception::Later(minute)),
            (500, minute, Reception::Later(None)),
            (503, None, Reception::Later(None)),
            (503, Some(Duration::MAX), Reception::Later(Some(MOST_WAIT))),
        ] {
            let receipt = Receipt { status, said: String::new(), wait };
            assert_eq!(receipt.reception(), means, "{status} {wait:?}");
        }
    }
}
