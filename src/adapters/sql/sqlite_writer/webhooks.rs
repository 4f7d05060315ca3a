//! Endpoints are kept, deliveries put there with their jobs, and tries written down.

use super::{jobs, products::Hex};
use crate::{
    adapters::sql::{audit, texts::statements},
    domain::{
        event::{EventKind, Position},
        id::EndpointId,
        time::Micros,
    },
    ports::{
        webhooks::{
            Came, DeliverWebhook, Endpoint, EndpointChange, FAILING, FAILS_FOR, GONE, NewDelivery,
            Tried, WebhookWrite, added, asked,
        },
        writer::Written,
    },
};
use sqlx::{SqliteConnection, types::Json};
use uuid::Uuid;

statements! {
    ADD = { sqlite:
        "INSERT INTO webhook_endpoint (id, url, kinds, secret, made_at, since)
         VALUES ($1, $2, $3, $4, $5, $6)" };
    ENABLE = { sqlite:
        "UPDATE webhook_endpoint SET disabled_at = NULL, disabled_why = NULL, failing_since = NULL,
             since = CASE WHEN disabled_at IS NULL THEN since ELSE $2 END
         WHERE id = $1" };
    DISABLE = { sqlite:
        "UPDATE webhook_endpoint SET disabled_at = coalesce(disabled_at, $2),
             disabled_why = coalesce(disabled_why, $3)
         WHERE id = $1" };
    ROTATE = { sqlite:
        "UPDATE webhook_endpoint SET secret = $2, old_secret = secret, old_until = $3
         WHERE id = $1" };
    REMOVE = { sqlite: "DELETE FROM webhook_endpoint WHERE id = $1" };
    REMOVE_TRIES = { sqlite:
        "DELETE FROM webhook_try
         WHERE delivery IN (SELECT id FROM webhook_delivery WHERE endpoint = $1)" };
    REMOVE_DELIVERIES = { sqlite: "DELETE FROM webhook_delivery WHERE endpoint = $1" };
    /// From where nobody has followed yet.
    FOLLOW_FIRST = { sqlite:
        "INSERT INTO webhook_follower (one, epoch, place) VALUES (1, $1, $2)
         ON CONFLICT DO NOTHING" };
    FOLLOW = { sqlite:
        "UPDATE webhook_follower SET epoch = $1, place = $2 WHERE epoch = $3 AND place = $4" };
    /// To an endpoint that is there, and once.
    PUT = { sqlite:
        "INSERT INTO webhook_delivery (id, endpoint, kind, subject, event_at, epoch, place, state,
             job, tries, made_at)
         SELECT $1, id, $3, $4, $5, $6, $7, 'waiting', $8, 0, $9 FROM webhook_endpoint
         WHERE id = $2
         ON CONFLICT DO NOTHING" };
    RESEND = { sqlite:
        "UPDATE webhook_delivery SET state = 'waiting', ended_at = NULL, job = $2 WHERE id = $1" };
    TRIED = { sqlite:
        "UPDATE webhook_delivery SET tries = tries + 1,
             state = CASE WHEN $2 THEN 'delivered' ELSE state END,
             ended_at = CASE WHEN $2 THEN $3 ELSE ended_at END
         WHERE id = $1 RETURNING tries, endpoint" };
    LINE = { sqlite:
        "INSERT INTO webhook_try (delivery, n, at, status, said, error)
         VALUES ($1, $2, $3, $4, $5, $6)" };
    TOOK = { sqlite:
        "UPDATE webhook_endpoint SET failing_since = NULL
         WHERE id = $1 AND failing_since IS NOT NULL" };
    /// `$3`: since then at the latest it fails for too long.
    FAILED = { sqlite:
        "UPDATE webhook_endpoint SET failing_since = coalesce(failing_since, $2),
             disabled_at = CASE WHEN failing_since <= $3 THEN $2 END,
             disabled_why = CASE WHEN failing_since <= $3 THEN $4 END
         WHERE id = $1 AND disabled_at IS NULL" };
    GIVEN_UP = { sqlite:
        "UPDATE webhook_delivery SET state = 'failed',
             ended_at = coalesce((SELECT j.ended_at FROM job j WHERE j.id = webhook_delivery.job),
                 made_at)
         WHERE job IN (SELECT unhex(value) FROM json_each($1)) AND state = 'waiting'" };
    WANTED_AGAIN = { sqlite:
        "UPDATE webhook_delivery SET state = 'waiting', ended_at = NULL
         WHERE job = $1 AND state = 'failed'" };
    OVER = { sqlite:
        "SELECT id FROM webhook_delivery WHERE ended_at < $1 ORDER BY ended_at LIMIT $2" };
    FORGET_TRIES = { sqlite:
        "DELETE FROM webhook_try
         WHERE delivery IN (SELECT unhex(value) FROM json_each($1))" };
    FORGET = { sqlite:
        "DELETE FROM webhook_delivery WHERE id IN (SELECT unhex(value) FROM json_each($1))" };
}

pub(super) async fn apply(
    conn: &mut SqliteConnection,
    write: &WebhookWrite,
) -> Result<Written, sqlx::Error> {
    match write {
        WebhookWrite::Add { endpoint, by } => {
            add(conn, endpoint).await?;
            audit::append(conn, &added(endpoint, by)).await?;
            Ok(Written::Done)
        }
        WebhookWrite::Change { id, change: what, by, at } => {
            if change(conn, *id, what, *at).await? == 0 {
                return Ok(Written::Absent);
            }
            audit::append(conn, &what.told(*id, *at, by)).await?;
            Ok(Written::Done)
        }
        WebhookWrite::Follow { from, to, deliveries, at } => {
            if !follow(conn, *from, *to).await? {
                return Ok(Written::Superseded);
            }
            put(conn, deliveries, *at).await?;
            Ok(Written::Done)
        }
        WebhookWrite::Ping { delivery, by, at } => {
            if put(conn, std::slice::from_ref(delivery), *at).await? == 0 {
                return Ok(Written::Absent);
            }
            audit::append(conn, &asked("webhook.ping", delivery.id, *at, by)).await?;
            Ok(Written::Done)
        }
        WebhookWrite::Resend { id, job, by, at } => {
            let resend = sqlx::query(RESEND.sqlite).bind(id.0).bind(job.0);
            if resend.execute(&mut *conn).await?.rows_affected() == 0 {
                return Ok(Written::Absent);
            }
            jobs::put(conn, &[DeliverWebhook::job(*job, *id, *at)]).await?;
            audit::append(conn, &asked("webhook.resend", *id, *at, by)).await?;
            Ok(Written::Done)
        }
        WebhookWrite::Sweep { older_than, most } => sweep(conn, *older_than, *most).await,
    }
}

async fn add(conn: &mut SqliteConnection, endpoint: &Endpoint) -> Result<(), sqlx::Error> {
    let kinds: Vec<_> = endpoint.kinds.iter().copied().map(EventKind::as_str).collect();
    sqlx::query(ADD.sqlite)
        .bind(endpoint.id.0)
        .bind(&endpoint.url)
        .bind(kinds.join(" "))
        .bind(endpoint.secret.expose())
        .bind(endpoint.made_at.0)
        .bind(endpoint.since.0)
        .execute(conn)
        .await
        .map(drop)
}

async fn change(
    conn: &mut SqliteConnection,
    id: EndpointId,
    change: &EndpointChange,
    at: Micros,
) -> Result<u64, sqlx::Error> {
    let query = match change {
        EndpointChange::Enable => sqlx::query(ENABLE.sqlite).bind(id.0).bind(at.0),
        EndpointChange::Disable { why } => {
            sqlx::query(DISABLE.sqlite).bind(id.0).bind(at.0).bind(why)
        }
        EndpointChange::Rotate { secret, until } => {
            sqlx::query(ROTATE.sqlite).bind(id.0).bind(secret.expose()).bind(until.0)
        }
        EndpointChange::Remove => {
            sqlx::query(REMOVE_TRIES.sqlite).bind(id.0).execute(&mut *conn).await?;
            sqlx::query(REMOVE_DELIVERIES.sqlite).bind(id.0).execute(&mut *conn).await?;
            sqlx::query(REMOVE.sqlite).bind(id.0)
        }
    };
    Ok(query.execute(conn).await?.rows_affected())
}

/// `false`: it stands elsewhere.
async fn follow(
    conn: &mut SqliteConnection,
    from: Option<Position>,
    to: Position,
) -> Result<bool, sqlx::Error> {
    let query = match from {
        None => sqlx::query(FOLLOW_FIRST.sqlite).bind(to.epoch).bind(to.offset),
        Some(from) => {
            let query = sqlx::query(FOLLOW.sqlite).bind(to.epoch).bind(to.offset);
            query.bind(from.epoch).bind(from.offset)
        }
    };
    Ok(query.execute(conn).await?.rows_affected() > 0)
}

/// Those that are new, with their jobs; says how many.
async fn put(
    conn: &mut SqliteConnection,
    deliveries: &[NewDelivery],
    at: Micros,
) -> Result<usize, sqlx::Error> {
    let mut jobs = Vec::new();
    for delivery in deliveries {
        let NewDelivery { id, endpoint, told, job } = delivery;
        let put = sqlx::query(PUT.sqlite)
            .bind(id.0)
            .bind(endpoint.0)
            .bind(&told.kind)
            .bind(told.subject)
            .bind(told.at.0)
            .bind(told.place.map(|place| place.epoch))
            .bind(told.place.map(|place| place.offset))
            .bind(job.0)
            .bind(at.0);
        if put.execute(&mut *conn).await?.rows_affected() > 0 {
            jobs.push(delivery.job(at));
        }
    }
    jobs::put(conn, &jobs).await?;
    Ok(jobs.len())
}

/// With their jobs' end.
pub(super) async fn tried(
    conn: &mut SqliteConnection,
    tries: &[&Tried],
) -> Result<(), sqlx::Error> {
    for Tried { delivery, at, status, said, error, came } in tries.iter().copied() {
        let tried = sqlx::query_as(TRIED.sqlite);
        let tried = tried.bind(delivery.0).bind(*came == Came::Delivered).bind(at.0);
        let row: Option<(i64, Uuid)> = tried.fetch_optional(&mut *conn).await?;
        // Removed meanwhile, with its endpoint.
        let Some((n, endpoint)) = row else { continue };
        let line = sqlx::query(LINE.sqlite).bind(delivery.0).bind(n).bind(at.0);
        let line = line.bind(status.map(i64::from)).bind(said).bind(error);
        line.execute(&mut *conn).await?;
        let query = match came {
            Came::Delivered => sqlx::query(TOOK.sqlite).bind(endpoint),
            Came::Gone => sqlx::query(DISABLE.sqlite).bind(endpoint).bind(at.0).bind(GONE),
            Came::Failed => {
                let query = sqlx::query(FAILED.sqlite).bind(endpoint).bind(at.0);
                query.bind(at.minus(FAILS_FOR).0).bind(FAILING)
            }
        };
        query.execute(&mut *conn).await?;
    }
    Ok(())
}

/// With their jobs, of which not all need be a delivery's.
pub(super) async fn given_up(
    conn: &mut SqliteConnection,
    jobs: &[Uuid],
) -> Result<(), sqlx::Error> {
    let jobs: Vec<_> = jobs.iter().copied().map(Hex).collect();
    sqlx::query(GIVEN_UP.sqlite).bind(Json(jobs)).execute(conn).await.map(drop)
}

/// With its job, if that is a delivery's.
pub(super) async fn wanted_again(
    conn: &mut SqliteConnection,
    job: Uuid,
) -> Result<(), sqlx::Error> {
    sqlx::query(WANTED_AGAIN.sqlite).bind(job).execute(conn).await.map(drop)
}

async fn sweep(
    conn: &mut SqliteConnection,
    older_than: Micros,
    most: u32,
) -> Result<Written, sqlx::Error> {
    let over = sqlx::query_scalar(OVER.sqlite).bind(older_than.0).bind(i64::from(most));
    let over: Vec<Uuid> = over.fetch_all(&mut *conn).await?;
    let over: Vec<_> = over.into_iter().map(Hex).collect();
    sqlx::query(FORGET_TRIES.sqlite).bind(Json(&over)).execute(&mut *conn).await?;
    let swept = sqlx::query(FORGET.sqlite).bind(Json(&over)).execute(conn).await?;
    Ok(Written::Swept(swept.rows_affected()))
}
