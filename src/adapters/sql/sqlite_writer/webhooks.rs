//! Endpoints are kept, deliveries put there with their jobs, and tries written down.

use super::{jobs, products::Hex};
use crate::{
    adapters::sql::{audit, texts::statements},
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
use sqlx::{SqliteConnection, types::Json};
use uuid::Uuid;

statements! {
    /// While there are fewer than so many, and none of its URL.
    ADD = { sqlite:
        "INSERT INTO webhook_endpoint (id, url, kinds, secret, made_at, since)
         SELECT $1, $2, $3, $4, $5, $6 WHERE (SELECT count(*) FROM webhook_endpoint) < $7
         ON CONFLICT DO NOTHING" };
    OF_URL = { sqlite: "SELECT id FROM webhook_endpoint WHERE url = $1" };
    FACE = { sqlite: "SELECT url, kinds, disabled_at FROM webhook_endpoint WHERE id = $1" };
    /// `$4`: whether it is told of anything from then on.
    SET = { sqlite:
        "UPDATE webhook_endpoint SET url = $2, kinds = $3,
             since = CASE WHEN $4 AND disabled_at IS NOT NULL THEN $5 ELSE since END,
             failing_since = CASE WHEN url <> $2 OR $4 AND disabled_at IS NOT NULL THEN NULL
                 ELSE failing_since END,
             disabled_at = CASE WHEN $4 THEN NULL ELSE coalesce(disabled_at, $5) END,
             disabled_why = CASE WHEN $4 THEN NULL ELSE coalesce(disabled_why, $6) END
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
            let written = add(conn, endpoint).await?;
            if written == Written::Done {
                audit::append(conn, &added(endpoint, by)).await?;
            }
            Ok(written)
        }
        WebhookWrite::Change { id, change: what, by, at } => {
            let Some(was) = face(conn, *id).await? else { return Ok(Written::Absent) };
            let written = change(conn, *id, &was, what, *at).await?;
            if written == Written::Done {
                audit::append(conn, &what.told(*id, &was, *at, by)).await?;
            }
            Ok(written)
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

async fn add(conn: &mut SqliteConnection, endpoint: &Endpoint) -> Result<Written, sqlx::Error> {
    let added = sqlx::query(ADD.sqlite)
        .bind(endpoint.id.0)
        .bind(&endpoint.url)
        .bind(kinds_text(&endpoint.kinds))
        .bind(endpoint.secret.expose())
        .bind(endpoint.made_at.0)
        .bind(endpoint.since.0)
        .bind(i64::from(MOST_ENDPOINTS));
    if added.execute(&mut *conn).await?.rows_affected() > 0 {
        return Ok(Written::Done);
    }
    Ok(match of_url(conn, &endpoint.url).await? {
        Some(_) => Written::Taken,
        None => Written::Conflict,
    })
}

async fn of_url(conn: &mut SqliteConnection, url: &str) -> Result<Option<Uuid>, sqlx::Error> {
    sqlx::query_scalar(OF_URL.sqlite).bind(url).fetch_optional(conn).await
}

async fn face(
    conn: &mut SqliteConnection,
    id: EndpointId,
) -> Result<Option<EndpointFace>, sqlx::Error> {
    let row: Option<(String, String, Option<i64>)> =
        sqlx::query_as(FACE.sqlite).bind(id.0).fetch_optional(conn).await?;
    Ok(row.map(|(url, topics, disabled_at)| EndpointFace {
        url,
        topics,
        enabled: disabled_at.is_none(),
    }))
}

async fn change(
    conn: &mut SqliteConnection,
    id: EndpointId,
    was: &EndpointFace,
    change: &EndpointChange,
    at: Micros,
) -> Result<Written, sqlx::Error> {
    match change {
        EndpointChange::Set(set) => {
            let is = was.with(set);
            if of_url(conn, &is.url).await?.is_some_and(|other| other != id.0) {
                return Ok(Written::Taken);
            }
            let set = sqlx::query(SET.sqlite).bind(id.0).bind(is.url).bind(is.topics);
            set.bind(is.enabled).bind(at.0).bind(BY_HAND).execute(conn).await?;
        }
        EndpointChange::Rotate { secret, until } => {
            let rotate = sqlx::query(ROTATE.sqlite).bind(id.0);
            rotate.bind(secret.expose()).bind(until.0).execute(conn).await?;
        }
        EndpointChange::Remove => {
            for text in [REMOVE_TRIES.sqlite, REMOVE_DELIVERIES.sqlite, REMOVE.sqlite] {
                sqlx::query(text).bind(id.0).execute(&mut *conn).await?;
            }
        }
    }
    Ok(Written::Done)
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
