//! Endpoints are kept, deliveries put there with their jobs, and tries written down.

use super::{audit, jobs};
use crate::{
    adapters::postgres::statement::{Param, execute, query, statements},
    domain::{event::Position, id::EndpointId, time::Micros},
    ports::{
        webhooks::{
            BY_HAND, Came, DeliverWebhook, Endpoint, EndpointChange, EndpointFace, FAILING,
            FAILS_FOR, GONE, MOST_ENDPOINTS, NewDelivery, Tried, WebhookWrite, added, asked,
            kinds_text,
        },
        writer::Written,
    },
};
use deadpool_postgres::{Transaction, tokio_postgres::Error};
use uuid::Uuid;

statements! {
    /// While there are fewer than so many, and none of its URL.
    ADD =
        "INSERT INTO webhook_endpoint (id, url, kinds, secret, made_at, since)
         SELECT $1, $2, $3, $4, $5, $6 WHERE (SELECT count(*) FROM webhook_endpoint) < $7
         ON CONFLICT DO NOTHING";
    OF_URL = "SELECT id FROM webhook_endpoint WHERE url = $1";
    FACE = "SELECT url, kinds, disabled_at FROM webhook_endpoint WHERE id = $1 FOR UPDATE";
    /// `$4`: whether it is told of anything from then on.
    SET =
        "UPDATE webhook_endpoint SET url = $2, kinds = $3,
             since = CASE WHEN $4 AND disabled_at IS NOT NULL THEN $5 ELSE since END,
             failing_since = CASE WHEN url <> $2 OR $4 AND disabled_at IS NOT NULL THEN NULL
                 ELSE failing_since END,
             disabled_at = CASE WHEN $4 THEN NULL ELSE coalesce(disabled_at, $5) END,
             disabled_why = CASE WHEN $4 THEN NULL ELSE coalesce(disabled_why, $6) END
         WHERE id = $1";
    DISABLE =
        "UPDATE webhook_endpoint SET disabled_at = coalesce(disabled_at, $2),
             disabled_why = coalesce(disabled_why, $3)
         WHERE id = $1";
    ROTATE =
        "UPDATE webhook_endpoint SET secret = $2, old_secret = secret, old_until = $3
         WHERE id = $1";
    REMOVE = "DELETE FROM webhook_endpoint WHERE id = $1";
    REMOVE_TRIES =
        "DELETE FROM webhook_try
         WHERE delivery IN (SELECT id FROM webhook_delivery WHERE endpoint = $1)";
    REMOVE_DELIVERIES = "DELETE FROM webhook_delivery WHERE endpoint = $1";
    /// From where nobody has followed yet.
    FOLLOW_FIRST =
        "INSERT INTO webhook_follower (one, epoch, place) VALUES (1, $1, $2)
         ON CONFLICT DO NOTHING";
    FOLLOW = "UPDATE webhook_follower SET epoch = $1, place = $2 WHERE epoch = $3 AND place = $4";
    /// To an endpoint that is there, and once. Its row is held against being removed meanwhile, and
    /// against nothing else: whoever writes tries down changes it too.
    PUT =
        "INSERT INTO webhook_delivery (id, endpoint, kind, subject, event_at, epoch, place, state,
             job, tries, made_at)
         SELECT $1, e.id, $3, $4, $5, $6, $7, 'waiting', $8, 0, $9 FROM (
             SELECT id FROM webhook_endpoint WHERE id = $2 FOR KEY SHARE) e
         ON CONFLICT DO NOTHING";
    RESEND =
        "UPDATE webhook_delivery SET state = 'waiting', ended_at = NULL, job = $2 WHERE id = $1";
    /// Of all that are tried, in one order, and before their deliveries and jobs.
    HOLD =
        "SELECT FROM webhook_endpoint WHERE id IN (
             SELECT endpoint FROM webhook_delivery WHERE id = ANY($1))
         ORDER BY id FOR NO KEY UPDATE";
    TRIED =
        "UPDATE webhook_delivery SET tries = tries + 1,
             state = CASE WHEN $2 THEN 'delivered' ELSE state END,
             ended_at = CASE WHEN $2 THEN $3 ELSE ended_at END
         WHERE id = $1 RETURNING tries, endpoint";
    LINE =
        "INSERT INTO webhook_try (delivery, n, at, status, said, error)
         VALUES ($1, $2, $3, $4, $5, $6)";
    TOOK =
        "UPDATE webhook_endpoint SET failing_since = NULL
         WHERE id = $1 AND failing_since IS NOT NULL";
    /// `$3`: since then at the latest it fails for too long.
    FAILED =
        "UPDATE webhook_endpoint SET failing_since = coalesce(failing_since, $2),
             disabled_at = CASE WHEN failing_since <= $3 THEN $2 END,
             disabled_why = CASE WHEN failing_since <= $3 THEN $4 END
         WHERE id = $1 AND disabled_at IS NULL";
    GIVEN_UP =
        "UPDATE webhook_delivery SET state = 'failed',
             ended_at = coalesce((SELECT j.ended_at FROM job j WHERE j.id = webhook_delivery.job),
                 made_at)
         WHERE job = ANY($1) AND state = 'waiting'";
    WANTED_AGAIN =
        "UPDATE webhook_delivery SET state = 'waiting', ended_at = NULL
         WHERE job = $1 AND state = 'failed'";
    OVER =
        "SELECT id FROM webhook_delivery WHERE ended_at < $1 ORDER BY ended_at LIMIT $2
         FOR UPDATE SKIP LOCKED";
    FORGET_TRIES = "DELETE FROM webhook_try WHERE delivery = ANY($1)";
    FORGET = "DELETE FROM webhook_delivery WHERE id = ANY($1)";
}

pub(super) async fn apply(tx: &Transaction<'_>, write: &WebhookWrite) -> Result<Written, Error> {
    match write {
        WebhookWrite::Add { endpoint, by } => {
            let written = add(tx, endpoint).await?;
            if written == Written::Done {
                audit::append(tx, &added(endpoint, by)).await?;
            }
            Ok(written)
        }
        WebhookWrite::Change { id, change: what, by, at } => {
            let Some(was) = face(tx, *id).await? else { return Ok(Written::Absent) };
            let written = change(tx, *id, &was, what, *at).await?;
            if written == Written::Done {
                audit::append(tx, &what.told(*id, &was, *at, by)).await?;
            }
            Ok(written)
        }
        WebhookWrite::Follow { from, to, deliveries, at } => {
            if !follow(tx, *from, *to).await? {
                return Ok(Written::Superseded);
            }
            put(tx, deliveries, *at).await?;
            Ok(Written::Done)
        }
        WebhookWrite::Ping { delivery, by, at } => {
            if put(tx, std::slice::from_ref(delivery), *at).await? == 0 {
                return Ok(Written::Absent);
            }
            audit::append(tx, &asked("webhook.ping", delivery.id, *at, by)).await?;
            Ok(Written::Done)
        }
        WebhookWrite::Resend { id, job, by, at } => {
            if execute(tx, RESEND, [&id.0, &job.0]).await? == 0 {
                return Ok(Written::Absent);
            }
            jobs::send(tx, &[DeliverWebhook::job(*job, *id, *at)]).await?;
            audit::append(tx, &asked("webhook.resend", *id, *at, by)).await?;
            Ok(Written::Done)
        }
        WebhookWrite::Sweep { older_than, most } => sweep(tx, *older_than, *most).await,
    }
}

async fn add(tx: &Transaction<'_>, endpoint: &Endpoint) -> Result<Written, Error> {
    let (kinds, secret) = (kinds_text(&endpoint.kinds), endpoint.secret.expose());
    let Endpoint { id, url, made_at, since, .. } = endpoint;
    let most = i64::from(MOST_ENDPOINTS);
    let params: [Param<'_>; 7] = [&id.0, url, &kinds, &secret, &made_at.0, &since.0, &most];
    if execute(tx, ADD, params).await? > 0 {
        return Ok(Written::Done);
    }
    Ok(match of_url(tx, url).await? {
        Some(_) => Written::Taken,
        None => Written::Conflict,
    })
}

async fn of_url(tx: &Transaction<'_>, url: &str) -> Result<Option<Uuid>, Error> {
    query(tx, OF_URL, [&url]).await?.first().map(|row| row.try_get(0)).transpose()
}

async fn face(tx: &Transaction<'_>, id: EndpointId) -> Result<Option<EndpointFace>, Error> {
    let rows = query(tx, FACE, [&id.0]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let disabled_at: Option<i64> = row.try_get(2)?;
    let (url, topics) = (row.try_get(0)?, row.try_get(1)?);
    Ok(Some(EndpointFace { url, topics, enabled: disabled_at.is_none() }))
}

async fn change(
    tx: &Transaction<'_>,
    id: EndpointId,
    was: &EndpointFace,
    change: &EndpointChange,
    at: Micros,
) -> Result<Written, Error> {
    match change {
        EndpointChange::Set(set) => {
            let is = was.with(set);
            if of_url(tx, &is.url).await?.is_some_and(|other| other != id.0) {
                return Ok(Written::Taken);
            }
            let params: [Param<'_>; 6] = [&id.0, &is.url, &is.topics, &is.enabled, &at.0, &BY_HAND];
            execute(tx, SET, params).await?;
        }
        EndpointChange::Rotate { secret, until } => {
            execute(tx, ROTATE, [&id.0, &secret.expose(), &until.0]).await?;
        }
        EndpointChange::Remove => {
            // Its row is held already: who puts a delivery there, or writes a try down, holds it
            // before the delivery, and is waited for.
            for text in [REMOVE_TRIES, REMOVE_DELIVERIES, REMOVE] {
                execute(tx, text, [&id.0]).await?;
            }
        }
    }
    Ok(Written::Done)
}

/// `false`: it stands elsewhere.
async fn follow(tx: &Transaction<'_>, from: Option<Position>, to: Position) -> Result<bool, Error> {
    let moved = match from {
        None => execute(tx, FOLLOW_FIRST, [&to.epoch, &to.offset]).await?,
        Some(from) => {
            let params: [Param<'_>; 4] = [&to.epoch, &to.offset, &from.epoch, &from.offset];
            execute(tx, FOLLOW, params).await?
        }
    };
    Ok(moved > 0)
}

/// Those that are new, with their jobs; says how many.
async fn put(tx: &Transaction<'_>, deliveries: &[NewDelivery], at: Micros) -> Result<usize, Error> {
    let mut jobs = Vec::new();
    for delivery in deliveries {
        let NewDelivery { id, endpoint, told, job } = delivery;
        let (epoch, place) =
            (told.place.map(|place| place.epoch), told.place.map(|place| place.offset));
        let params: [Param<'_>; 9] = [
            &id.0,
            &endpoint.0,
            &told.kind,
            &told.subject,
            &told.at.0,
            &epoch,
            &place,
            &job.0,
            &at.0,
        ];
        if execute(tx, PUT, params).await? > 0 {
            jobs.push(delivery.job(at));
        }
    }
    if !jobs.is_empty() {
        jobs::send(tx, &jobs).await?;
    }
    Ok(jobs.len())
}

/// Before anything that ends with these tries is touched. Of two transactions that want the same
/// endpoints, deliveries or jobs one waits for the other here, and neither holds what the other
/// wants: an operator who removes an endpoint holds it first, too.
pub(super) async fn hold(tx: &Transaction<'_>, tries: &[&Tried]) -> Result<(), Error> {
    if tries.is_empty() {
        return Ok(());
    }
    let deliveries: Vec<_> = tries.iter().map(|tried| tried.delivery.0).collect();
    execute(tx, HOLD, [&deliveries]).await.map(drop)
}

/// With their jobs' end.
pub(super) async fn tried(tx: &Transaction<'_>, tries: &[&Tried]) -> Result<(), Error> {
    for Tried { delivery, at, status, said, error, came } in tries.iter().copied() {
        let delivered = *came == Came::Delivered;
        let rows = query(tx, TRIED, [&delivery.0, &delivered, &at.0]).await?;
        // Removed meanwhile, with its endpoint.
        let Some(row) = rows.first() else { continue };
        let (n, endpoint): (i64, Uuid) = (row.try_get(0)?, row.try_get(1)?);
        let status = status.map(i64::from);
        let params: [Param<'_>; 6] = [&delivery.0, &n, &at.0, &status, said, error];
        execute(tx, LINE, params).await?;
        match came {
            Came::Delivered => execute(tx, TOOK, [&endpoint]).await?,
            Came::Gone => execute(tx, DISABLE, [&endpoint, &at.0, &GONE]).await?,
            Came::Failed => {
                let since = at.minus(FAILS_FOR).0;
                execute(tx, FAILED, [&endpoint, &at.0, &since, &FAILING]).await?
            }
        };
    }
    Ok(())
}

/// With their jobs, of which not all need be a delivery's.
pub(super) async fn given_up(tx: &Transaction<'_>, jobs: &[Uuid]) -> Result<(), Error> {
    execute(tx, GIVEN_UP, [&jobs]).await.map(drop)
}

/// With its job, if that is a delivery's.
pub(super) async fn wanted_again(tx: &Transaction<'_>, job: Uuid) -> Result<(), Error> {
    execute(tx, WANTED_AGAIN, [&job]).await.map(drop)
}

async fn sweep(tx: &Transaction<'_>, older_than: Micros, most: u32) -> Result<Written, Error> {
    let rows = query(tx, OVER, [&older_than.0, &i64::from(most)]).await?;
    let over: Vec<Uuid> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    execute(tx, FORGET_TRIES, [&over]).await?;
    Ok(Written::Swept(execute(tx, FORGET, [&over]).await?))
}
