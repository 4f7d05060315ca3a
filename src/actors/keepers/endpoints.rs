//! Endpoints of others that are told of events: looked at and turned by operators.
//!
//! Promise: an endpoint, its topics and its secrets are rows, and each change is one write with its
//! line in the audit log; what is no URL or topic is refused before. A delivery that is sent again,
//! or made to try an endpoint, is a row with its job in the same transaction. It holds nothing
//! itself.

use super::writer::{StoreHandle, WriteError};
use crate::{
    domain::{
        event::EventKind,
        id::{DeliveryId, EndpointId, JobId},
        secret::Secret,
        webhook::{PING, Told},
    },
    ports::{
        StoreError,
        chance::Chance,
        clock::{Clock, Ids},
        webhooks::{
            Courier, Delivery, DeliveryState, Endpoint, EndpointChange, EndpointSet,
            MOST_ENDPOINTS, NewDelivery, TryLine, WebhookWrite, Webhooks,
        },
        writer::Written,
    },
};
use std::{sync::Arc, time::Duration};
use supervisors::Nudge;

/// The longest that an old secret signs on.
pub(crate) const MOST_KEPT_HOURS: u32 = 30 * 24;

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct Endpoints {
    pub(crate) rows: Arc<dyn Webhooks>,
    pub(crate) store: StoreHandle,
    pub(crate) courier: Arc<dyn Courier>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn Ids>,
    pub(crate) chance: Arc<dyn Chance>,
    /// Wakes whoever runs jobs.
    pub(crate) wake: Nudge,
}

/// As an operator says it; what is left out stays, or is what a new one has.
#[derive(Debug, Default)]
pub(crate) struct EndpointWanted {
    pub(crate) url: Option<String>,
    pub(crate) topics: Option<Vec<String>>,
    pub(crate) enabled: Option<bool>,
}

#[derive(Debug)]
pub(crate) enum EndpointsError {
    /// This part of what was wanted can't be.
    Bad {
        part: String,
        why: String,
    },
    /// There is one of that URL.
    Taken,
    Absent,
    /// Not in the state that things are in.
    Conflict(String),
    Write(WriteError),
}

impl From<WriteError> for EndpointsError {
    fn from(error: WriteError) -> Self {
        Self::Write(error)
    }
}

impl From<StoreError> for EndpointsError {
    fn from(error: StoreError) -> Self {
        Self::Write(error.into())
    }
}

impl Endpoints {
    /// The oldest first.
    pub(crate) async fn list(&self) -> Result<Vec<Endpoint>, EndpointsError> {
        Ok(self.rows.endpoints().await?)
    }

    pub(crate) async fn show(&self, id: EndpointId) -> Result<Endpoint, EndpointsError> {
        self.rows.endpoint(id).await?.ok_or(EndpointsError::Absent)
    }

    /// With its secret, which is told this once. It is told of what happens from now on.
    pub(crate) async fn add(
        &self,
        url: String,
        topics: Vec<String>,
        by: &str,
    ) -> Result<(Endpoint, Secret), EndpointsError> {
        self.admit(&url)?;
        let (at, secret) = (self.clock.now(), self.new_secret());
        let endpoint = Endpoint {
            id: EndpointId(self.ids.next()),
            url,
            kinds: kinds(&topics)?,
            secret: secret.clone(),
            old_secret: None,
            made_at: at,
            since: at,
            disabled: None,
            failing_since: None,
        };
        let id = endpoint.id;
        self.write(WebhookWrite::Add { endpoint: Box::new(endpoint), by: by.to_owned() }).await?;
        Ok((self.show(id).await?, secret))
    }

    pub(crate) async fn set(
        &self,
        id: EndpointId,
        wanted: EndpointWanted,
        by: &str,
    ) -> Result<Endpoint, EndpointsError> {
        let EndpointWanted { url, topics, enabled } = wanted;
        if let Some(url) = &url {
            self.admit(url)?;
        }
        let kinds = topics.as_deref().map(kinds).transpose()?;
        self.change(id, EndpointChange::Set(EndpointSet { url, kinds, enabled }), by).await?;
        self.show(id).await
    }

    /// The secret that it had signs too for so long.
    pub(crate) async fn rotate(
        &self,
        id: EndpointId,
        keep_hours: u32,
        by: &str,
    ) -> Result<(Endpoint, Secret), EndpointsError> {
        if keep_hours > MOST_KEPT_HOURS {
            let why = format!("at most {MOST_KEPT_HOURS}");
            return Err(EndpointsError::Bad { part: "keep_hours".into(), why });
        }
        let kept = Duration::from_secs(u64::from(keep_hours) * 60 * 60);
        let (secret, until) = (self.new_secret(), self.clock.now().plus(kept));
        let rotate = EndpointChange::Rotate { secret: secret.clone(), until };
        self.change(id, rotate, by).await?;
        Ok((self.show(id).await?, secret))
    }

    /// With its deliveries.
    pub(crate) async fn remove(&self, id: EndpointId, by: &str) -> Result<(), EndpointsError> {
        self.change(id, EndpointChange::Remove, by).await
    }

    /// The newest first.
    pub(crate) async fn deliveries(
        &self,
        endpoint: EndpointId,
        state: Option<DeliveryState>,
        after: Option<DeliveryId>,
        limit: u32,
    ) -> Result<Vec<Delivery>, EndpointsError> {
        self.show(endpoint).await?;
        Ok(self.rows.deliveries(endpoint, state, after, limit).await?)
    }

    /// With all of its tries, the oldest first.
    pub(crate) async fn delivery(
        &self,
        id: DeliveryId,
    ) -> Result<(Delivery, Vec<TryLine>), EndpointsError> {
        let delivery = self.rows.delivery(id).await?.ok_or(EndpointsError::Absent)?;
        Ok((delivery, self.rows.tries(id).await?))
    }

    /// Now, whatever became of it, under the id that it has.
    pub(crate) async fn resend(
        &self,
        id: DeliveryId,
        by: &str,
    ) -> Result<Delivery, EndpointsError> {
        let (delivery, _) = self.delivery(id).await?;
        able(&self.show(delivery.endpoint).await?)?;
        let (job, by, at) = (JobId(self.ids.next()), by.to_owned(), self.clock.now());
        self.write(WebhookWrite::Resend { id, job, by, at }).await?;
        self.wake.wake();
        Ok(self.delivery(id).await?.0)
    }

    /// A delivery that no event asked for.
    pub(crate) async fn test(&self, id: EndpointId, by: &str) -> Result<Delivery, EndpointsError> {
        able(&self.show(id).await?)?;
        let (new, job, at) = (DeliveryId(self.ids.next()), self.ids.next(), self.clock.now());
        let told = Told { kind: PING.to_owned(), subject: self.ids.next(), at, place: None };
        let delivery = NewDelivery { id: new, endpoint: id, told, job: JobId(job) };
        self.write(WebhookWrite::Ping { delivery, by: by.to_owned(), at }).await?;
        self.wake.wake();
        Ok(self.delivery(new).await?.0)
    }

    fn admit(&self, url: &str) -> Result<(), EndpointsError> {
        let bad = |why| EndpointsError::Bad { part: "url".into(), why };
        self.courier.admits(url).map_err(bad)
    }

    fn new_secret(&self) -> Secret {
        self.courier.new_secret(&self.chance.bytes())
    }

    async fn change(
        &self,
        id: EndpointId,
        change: EndpointChange,
        by: &str,
    ) -> Result<(), EndpointsError> {
        let (by, at) = (by.to_owned(), self.clock.now());
        self.write(WebhookWrite::Change { id, change, by, at }).await
    }

    async fn write(&self, write: WebhookWrite) -> Result<(), EndpointsError> {
        match self.store.webhooks(write).await? {
            Written::Absent => Err(EndpointsError::Absent),
            Written::Taken => Err(EndpointsError::Taken),
            Written::Conflict => {
                let why = format!("there are {MOST_ENDPOINTS} endpoints, and no more can be");
                Err(EndpointsError::Conflict(why))
            }
            _ => Ok(()),
        }
    }
}

/// Something can be posted there.
fn able(endpoint: &Endpoint) -> Result<(), EndpointsError> {
    match &endpoint.disabled {
        None => Ok(()),
        Some((_, why)) => {
            let why = format!("the endpoint is disabled ({why}): enable it first");
            Err(EndpointsError::Conflict(why))
        }
    }
}

/// Each once, in the order of the log's kinds.
fn kinds(topics: &[String]) -> Result<Vec<EventKind>, EndpointsError> {
    let mut kinds = Vec::new();
    for (place, topic) in topics.iter().enumerate() {
        let Some(kind) = EventKind::parse(topic) else {
            let known: Vec<_> = EventKind::ALL.iter().copied().map(EventKind::as_str).collect();
            let why = format!("`{topic}` is none; one of {}", known.join(", "));
            return Err(EndpointsError::Bad { part: format!("topics/{place}"), why });
        };
        kinds.push(kind);
    }
    Ok(EventKind::ALL.iter().copied().filter(|kind| kinds.contains(kind)).collect())
}
