//! Posts an event to an endpoint, at least once.
//!
//! Promise: a delivery whose row was committed is posted until it is taken, the endpoint says that
//! it is no more, is disabled or removed, or three days are over. Dying behind the answer and before
//! the end's commit it is posted again, under the same id. What each try was answered is kept with
//! its end, and with it what it says of the endpoint. Endpoints don't wait for each other ([`turns`]).

mod turns;

use super::jobs::{Job, Try};
use crate::{
    domain::{id::JobId, job::Retry},
    ports::{
        StoreError,
        clock::Clock,
        jobs::{Effect, Failure, Verdict},
        webhooks::{
            Came, Courier, CourierError, DeliverWebhook, Delivery, DeliveryState, Endpoint,
            FAILS_FOR, Parcel, Receipt, Reception, Tried, Webhooks,
        },
    },
    views::told_to_webhooks,
};
use std::{sync::Arc, time::Duration};
use turns::Went;

pub(crate) use turns::Turns;

/// What it works with. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Deliverer {
    pub(crate) rows: Arc<dyn Webhooks>,
    pub(crate) courier: Arc<dyn Courier>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) turns: Turns,
    /// Where the shop is.
    pub(crate) source: String,
}

impl Job for DeliverWebhook {
    type World = Deliverer;
    /// Until it is too late for the delivery.
    const RETRY: Retry = Retry {
        first: Duration::from_secs(5),
        most: Duration::from_secs(4 * 60 * 60),
        failures: u32::MAX,
    };
    /// Above what a courier takes at most.
    const LIMIT: Duration = Duration::from_secs(45);

    async fn run(self, world: Deliverer, tries: Try) -> Verdict {
        match world.deliver(&self, tries.job).await {
            Ok(verdict) => verdict,
            Err(error) => Verdict::retry(error.to_string()),
        }
    }
}

impl Deliverer {
    async fn deliver(&self, wish: &DeliverWebhook, job: JobId) -> Result<Verdict, StoreError> {
        let Some(delivery) = self.rows.delivery(wish.delivery).await? else {
            return Ok(Verdict::fail("the delivery is forgotten"));
        };
        if delivery.state == DeliveryState::Delivered || delivery.job != job {
            // It was sent again, and is another job's.
            return Ok(Verdict::Done(Vec::new()));
        }
        let Some(endpoint) = self.rows.endpoint(delivery.endpoint).await? else {
            return Ok(Verdict::fail("its endpoint was removed"));
        };
        if let Some((_, why)) = &endpoint.disabled {
            return Ok(Verdict::fail(format!("its endpoint is disabled: {why}")));
        }
        let turn = match self.turns.ask(endpoint.id, self.clock.now()) {
            Ok(turn) => turn,
            Err(pause) => return Ok(Verdict::Snooze(pause)),
        };
        let (verdict, went) = self.post(&delivery, &endpoint).await;
        turn.over(self.clock.now(), went);
        Ok(verdict)
    }

    async fn post(&self, delivery: &Delivery, endpoint: &Endpoint) -> (Verdict, Went) {
        let at = self.clock.now();
        let body = match told_to_webhooks(&self.source, &delivery.told) {
            Ok(body) => body.into(),
            Err(error) => return (Verdict::fail(error.to_string()), Went::Not(None)),
        };
        let parcel = Parcel {
            url: endpoint.url.clone(),
            delivery: delivery.id,
            body,
            secrets: endpoint.secrets(at),
            at,
        };
        let answer = self.courier.post(&parcel).await;
        let tried = Tried {
            delivery: delivery.id,
            at,
            status: answer.as_ref().ok().map(|receipt| receipt.status),
            said: answer.as_ref().map(|receipt| receipt.said.clone()).unwrap_or_default(),
            error: answer.as_ref().err().map(ToString::to_string),
            came: came(&answer),
        };
        tell(endpoint, &tried);
        let failure = |error: String, wait| Failure {
            error,
            effects: vec![Effect::WebhookTried(tried.clone())],
            wait,
        };
        match answer {
            Ok(receipt) => {
                let told = format!("it was answered {}", receipt.status);
                match receipt.reception() {
                    Reception::Taken => {
                        (Verdict::Done(vec![Effect::WebhookTried(tried)]), Went::Taken)
                    }
                    Reception::Gone => (Verdict::fail(failure(told, None)), Went::Not(None)),
                    Reception::Later(wait) => {
                        (Verdict::retry(failure(told, wait)), Went::Not(wait))
                    }
                }
            }
            Err(CourierError::Later(why)) => (Verdict::retry(failure(why, None)), Went::Not(None)),
            Err(CourierError::Never(why)) => (Verdict::fail(failure(why, None)), Went::Not(None)),
        }
    }
}

/// An endpoint that is disabled now, by what stands in the try; the writer goes by the same.
fn tell(endpoint: &Endpoint, tried: &Tried) {
    let failing = endpoint.failing_since.is_some_and(|since| since.plus(FAILS_FOR) <= tried.at);
    let why = match tried.came {
        Came::Gone => "it says that it is gone",
        Came::Failed if failing => "it took nothing for days",
        _ => return,
    };
    tracing::warn!(webhook.id = %endpoint.id, why, "an endpoint is disabled");
}

fn came(answer: &Result<Receipt, CourierError>) -> Came {
    match answer.as_ref().map(|receipt| receipt.reception()) {
        Ok(Reception::Taken) => Came::Delivered,
        Ok(Reception::Gone) => Came::Gone,
        _ => Came::Failed,
    }
}

#[cfg(test)]
mod tests;
