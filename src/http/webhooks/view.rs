//! Endpoints and deliveries as they are shown.

use crate::{
    domain::{event::EventKind, secret::Secret, time::Micros},
    ports::webhooks::{Delivery, Endpoint, TryLine},
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Serialize, ToSchema)]
pub(super) struct EndpointList {
    /// The oldest first.
    pub(super) items: Vec<EndpointView>,
}

/// Somebody who is told of events.
#[derive(Serialize, ToSchema)]
#[schema(as = Webhook)]
pub(super) struct EndpointView {
    id: Uuid,
    #[schema(example = "https://hooks.example.com/shop")]
    url: String,
    /// Empty: every kind of event.
    topics: Vec<&'static str>,
    enabled: bool,
    #[schema(required, format = DateTime)]
    disabled_at: Option<String>,
    /// By whom, or what it answered.
    #[schema(required)]
    disabled_why: Option<String>,
    /// Since when it took nothing, while something was offered.
    #[schema(required, format = DateTime)]
    failing_since: Option<String>,
    /// Until then the secret of before signs too.
    #[schema(required, format = DateTime)]
    old_secret_until: Option<String>,
    #[schema(format = DateTime)]
    made_at: String,
}

impl EndpointView {
    pub(super) fn of(endpoint: &Endpoint) -> Self {
        let (disabled_at, disabled_why) = endpoint.disabled.clone().unzip();
        Self {
            id: endpoint.id.0,
            url: endpoint.url.clone(),
            topics: endpoint.kinds.iter().copied().map(EventKind::as_str).collect(),
            enabled: disabled_at.is_none(),
            disabled_at: disabled_at.map(Micros::rfc3339),
            disabled_why,
            failing_since: endpoint.failing_since.map(Micros::rfc3339),
            old_secret_until: endpoint.old_secret.as_ref().map(|(_, until)| until.rfc3339()),
            made_at: endpoint.made_at.rfc3339(),
        }
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = WebhookWithSecret)]
pub(super) struct MadeEndpoint {
    /// What deliveries are signed with. Told this once.
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    secret: String,
    webhook: EndpointView,
}

impl MadeEndpoint {
    pub(super) fn of((endpoint, secret): &(Endpoint, Secret)) -> Self {
        Self { secret: secret.expose().to_owned(), webhook: EndpointView::of(endpoint) }
    }
}

#[derive(Serialize, ToSchema)]
pub(super) struct DeliveryList {
    /// The newest first.
    pub(super) items: Vec<DeliveryView>,
    /// The cursor of the next page; `null` on the last.
    #[schema(required)]
    pub(super) next: Option<String>,
}

/// An event on its way to an endpoint, or there.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookDelivery)]
pub(super) struct DeliveryView {
    /// Its `webhook-id`, the same at each try.
    id: Uuid,
    webhook: Uuid,
    /// The event's kind, or `ping`.
    #[schema(example = "order_placed")]
    topic: String,
    /// What it happened to.
    subject: Uuid,
    #[schema(format = DateTime)]
    event_at: String,
    /// The event's place in the log; `null` for a ping.
    #[schema(required)]
    offset: Option<i64>,
    /// `waiting`, `delivered` or `failed`.
    state: &'static str,
    tries: u32,
    /// No earlier is it tried again; `null` when it is over.
    #[schema(required, format = DateTime)]
    next_at: Option<String>,
    #[schema(required, format = DateTime)]
    ended_at: Option<String>,
    #[schema(required)]
    last_try: Option<TryView>,
    /// What tries it; `stoa jobs show` has more of it.
    job: Uuid,
}

impl DeliveryView {
    pub(super) fn of(delivery: &Delivery) -> Self {
        let told = &delivery.told;
        Self {
            id: delivery.id.0,
            webhook: delivery.endpoint.0,
            topic: told.kind.clone(),
            subject: told.subject,
            event_at: told.at.rfc3339(),
            offset: told.place.map(|place| place.offset),
            state: delivery.state.as_str(),
            tries: delivery.tries,
            next_at: delivery.next_at.map(Micros::rfc3339),
            ended_at: delivery.ended_at.map(Micros::rfc3339),
            last_try: delivery.last_try.as_ref().map(TryView::of),
            job: delivery.job.0,
        }
    }
}

/// What came of posting it once.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookTry)]
pub(super) struct TryView {
    /// From 1.
    n: u32,
    #[schema(format = DateTime)]
    at: String,
    /// What was answered; `null`: nothing.
    #[schema(required, example = 204)]
    status: Option<u16>,
    /// How the answer began.
    said: String,
    /// Why there is none.
    #[schema(required)]
    error: Option<String>,
}

impl TryView {
    fn of(line: &TryLine) -> Self {
        Self {
            n: line.n,
            at: line.at.rfc3339(),
            status: line.status,
            said: line.said.clone(),
            error: line.error.clone(),
        }
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = WebhookDeliveryDetail)]
pub(super) struct DeliveryDetail {
    #[serde(flatten)]
    delivery: DeliveryView,
    /// The oldest first.
    all_tries: Vec<TryView>,
}

impl DeliveryDetail {
    pub(super) fn of(delivery: &Delivery, tries: &[TryLine]) -> Self {
        let all_tries = tries.iter().map(TryView::of).collect();
        Self { delivery: DeliveryView::of(delivery), all_tries }
    }
}
