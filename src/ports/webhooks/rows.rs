//! Endpoints and deliveries as rows: who is told of what, and what came of telling them.
//!
//! A delivery is put there with its job, by whoever follows the log, in the transaction that moves
//! their place in it; an event is one delivery to an endpoint, whoever follows and however often. A
//! try's answer is kept with its job's end, and so is what it says of the endpoint.

use crate::{
    domain::{
        audit::Change,
        event::{EventKind, Position},
        id::{DeliveryId, EndpointId, JobId},
        job::{Priority, Queue},
        secret::Secret,
        time::Micros,
        webhook::Told,
    },
    ports::{
        StoreError,
        jobs::{Effect, Ended, NewJob, Topic},
    },
};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// There are no more endpoints.
pub const MOST_ENDPOINTS: u32 = 100;
/// A delivery is tried so long…
pub const TRIED_FOR: Duration = Duration::from_secs(3 * 24 * 60 * 60);
/// …and an endpoint that took nothing for so long is disabled.
pub const FAILS_FOR: Duration = Duration::from_secs(5 * 24 * 60 * 60);
/// Why an endpoint is disabled that an operator disabled,…
pub const BY_HAND: &str = "by an operator";
/// …one that says that it is no more…
pub const GONE: &str = "it answered 410 Gone";
/// …and one that fails for too long.
pub const FAILING: &str = "it took nothing for days";

/// The job that posts one delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeliverWebhook {
    pub delivery: DeliveryId,
}

impl Topic for DeliverWebhook {
    const TOPIC: &'static str = "webhook.deliver";
    const VERSION: u32 = 1;
    const QUEUE: Queue = Queue::Webhook;
    const PRIORITY: Priority = Priority::Normal;
}

impl DeliverWebhook {
    /// Begun at once, and given up when it was tried for long enough.
    pub fn job(id: JobId, delivery: DeliveryId, at: Micros) -> NewJob {
        let job = NewJob::of(id, &Self { delivery }, at);
        NewJob { expires_at: Some(at.plus(TRIED_FOR)), ..job }
    }
}

/// Somebody who is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    pub id: EndpointId,
    pub url: String,
    /// Of these; empty: of everything.
    pub kinds: Vec<EventKind>,
    pub secret: Secret,
    /// Signs too, until then.
    pub old_secret: Option<(Secret, Micros)>,
    pub made_at: Micros,
    /// Of what happened earlier it is told nothing.
    pub since: Micros,
    /// When, and why.
    pub disabled: Option<(Micros, String)>,
    pub failing_since: Option<Micros>,
}

impl Endpoint {
    /// It is to be told of this.
    pub fn wants(&self, kind: EventKind, at: Micros) -> bool {
        self.disabled.is_none()
            && at >= self.since
            && (self.kinds.is_empty() || self.kinds.contains(&kind))
    }

    /// What signs at that time, the newest first.
    pub fn secrets(&self, now: Micros) -> Vec<Secret> {
        let old = self.old_secret.iter().filter(|(_, until)| *until > now);
        std::iter::once(&self.secret).chain(old.map(|(secret, _)| secret)).cloned().collect()
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDelivery {
    pub id: DeliveryId,
    pub endpoint: EndpointId,
    pub told: Told,
    pub job: JobId,
}

impl NewDelivery {
    pub fn job(&self, at: Micros) -> NewJob {
        DeliverWebhook::job(self.job, self.id, at)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    Waiting,
    Delivered,
    Failed,
}

impl DeliveryState {
    pub const ALL: &'static [Self] = &[Self::Waiting, Self::Delivered, Self::Failed];
    pub const NAMES: &'static [&'static str] = &["waiting", "delivered", "failed"];

    pub fn as_str(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|state| state.as_str() == text)
    }
}

/// A delivery as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    pub id: DeliveryId,
    pub endpoint: EndpointId,
    pub told: Told,
    pub state: DeliveryState,
    /// The newest.
    pub job: JobId,
    pub tries: u32,
    pub last_try: Option<TryLine>,
    /// No earlier is it tried again; `None`: it is over.
    pub next_at: Option<Micros>,
    pub made_at: Micros,
    pub ended_at: Option<Micros>,
}

/// What came of one try, as an effect of its job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tried {
    pub delivery: DeliveryId,
    pub at: Micros,
    /// What was answered; `None`: nothing.
    pub status: Option<u16>,
    /// How the answer began.
    pub said: String,
    /// Why there is none.
    pub error: Option<String>,
    pub came: Came,
}

impl Tried {
    /// Those of ends that may not count.
    pub fn all_in(ended: &[Ended]) -> Vec<&Self> {
        let effects = ended.iter().flat_map(|one| &one.effects);
        effects
            .filter_map(|effect| match effect {
                Effect::WebhookTried(tried) => Some(tried),
                _ => None,
            })
            .collect()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Came {
    /// It was taken.
    Delivered,
    /// There is no such endpoint any more.
    Gone,
    /// It was not taken.
    Failed,
}

/// One line of a delivery's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TryLine {
    /// From 1.
    pub n: u32,
    pub at: Micros,
    pub status: Option<u16>,
    pub said: String,
    pub error: Option<String>,
}

#[derive(Debug, Clone)]
pub enum WebhookWrite {
    /// Registers an endpoint; taken if there is one of its URL, a conflict if there are enough.
    Add { endpoint: Box<Endpoint>, by: String },
    /// Changes one; absent if there is none, taken if another has the URL.
    Change { id: EndpointId, change: EndpointChange, by: String, at: Micros },
    /// Puts these there with their jobs and moves the follower from one place in the log to another.
    /// Superseded, with nothing done, when it doesn't stand at `from`.
    Follow { from: Option<Position>, to: Position, deliveries: Vec<NewDelivery>, at: Micros },
    /// One that no event asked for.
    Ping { delivery: NewDelivery, by: String, at: Micros },
    /// Tries one anew, by a job of its own, under the id that it has; absent if there is none.
    Resend { id: DeliveryId, job: JobId, by: String, at: Micros },
    /// Forgets up to `most` deliveries that were over before.
    Sweep { older_than: Micros, most: u32 },
}

#[derive(Debug, Clone)]
pub enum EndpointChange {
    Set(EndpointSet),
    /// The secret that it has signs on until then.
    Rotate {
        secret: Secret,
        until: Micros,
    },
    /// With its deliveries.
    Remove,
}

/// What is to be otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EndpointSet {
    pub url: Option<String>,
    pub kinds: Option<Vec<EventKind>>,
    /// It is told of what happens from then on, or of nothing.
    pub enabled: Option<bool>,
}

/// An endpoint as the audit log shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EndpointFace {
    pub url: String,
    /// With a space between; empty for every kind.
    pub topics: String,
    pub enabled: bool,
}

impl EndpointFace {
    pub fn with(&self, set: &EndpointSet) -> Self {
        Self {
            url: set.url.clone().unwrap_or_else(|| self.url.clone()),
            topics: set.kinds.as_deref().map_or_else(|| self.topics.clone(), kinds_text),
            enabled: set.enabled.unwrap_or(self.enabled),
        }
    }
}

/// As it stands in a row.
pub fn kinds_text(kinds: &[EventKind]) -> String {
    let kinds: Vec<_> = kinds.iter().copied().map(EventKind::as_str).collect();
    kinds.join(" ")
}

#[derive(Serialize)]
struct OldSecret {
    signs_until: String,
}

impl EndpointChange {
    /// For the audit log. `was`: before it.
    pub fn told(&self, id: EndpointId, was: &EndpointFace, at: Micros, by: &str) -> Change {
        let subject = format!("webhook:{id}");
        match self {
            Self::Set(set) => {
                let is = was.with(set);
                Change::new(at, by, "webhook.set", subject, Some(was), Some(&is))
            }
            Self::Rotate { until, .. } => {
                let old = OldSecret { signs_until: until.rfc3339() };
                Change::new(at, by, "webhook.rotate", subject, None::<&()>, Some(&old))
            }
            Self::Remove => Change::new(at, by, "webhook.remove", subject, Some(was), None::<&()>),
        }
    }
}

/// For the audit log: a delivery was asked for.
pub fn asked(action: &'static str, id: DeliveryId, at: Micros, by: &str) -> Change {
    Change::new(at, by, action, format!("delivery:{id}"), None::<&()>, None::<&()>)
}

/// For the audit log: an endpoint was registered.
pub fn added(endpoint: &Endpoint, by: &str) -> Change {
    let face = EndpointFace {
        url: endpoint.url.clone(),
        topics: kinds_text(&endpoint.kinds),
        enabled: endpoint.disabled.is_none(),
    };
    let subject = format!("webhook:{}", endpoint.id);
    Change::new(endpoint.made_at, by, "webhook.add", subject, None::<&()>, Some(&face))
}

#[async_trait]
pub trait Webhooks: Send + Sync {
    /// All of them, the oldest first.
    async fn endpoints(&self) -> Result<Vec<Endpoint>, StoreError>;
    async fn endpoint(&self, id: EndpointId) -> Result<Option<Endpoint>, StoreError>;
    /// How far the log was followed; `None`: not at all yet.
    async fn followed(&self) -> Result<Option<Position>, StoreError>;
    async fn delivery(&self, id: DeliveryId) -> Result<Option<Delivery>, StoreError>;
    /// Up to `limit` of an endpoint, the newest first, behind `after`; only those in `state`.
    async fn deliveries(
        &self,
        endpoint: EndpointId,
        state: Option<DeliveryState>,
        after: Option<DeliveryId>,
        limit: u32,
    ) -> Result<Vec<Delivery>, StoreError>;
    /// The oldest first.
    async fn tries(&self, delivery: DeliveryId) -> Result<Vec<TryLine>, StoreError>;
}
