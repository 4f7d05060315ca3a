//! The log, read by its followers; see `ports::outbox`.
//!
//! On PostgreSQL rows are appended without a place. Whoever calls [`Outbox::number`] gives places
//! to the rows it can see, hence committed ones, in a short transaction: a node frozen while it
//! numbers holds up nobody for longer than its session's time-out, and no hole fills later.

use super::{Pools, SqlStore, audit, error::store_error, housekeeping, on, texts::statements};
use crate::{
    domain::{
        event::{Event, EventKind, Position},
        time::Micros,
    },
    ports::{StoreError, outbox::Outbox},
};
use async_trait::async_trait;
use sqlx::Connection;
use sqlx_macros::FromRow;
use uuid::Uuid;

/// Rows numbered or dropped in one transaction, so that none is long.
const SLICE: i64 = 5_000;
/// The advisory lock of the numberer: "log" in ASCII, among this database's.
const NUMBERER: i64 = 0x6c_6f_67;
/// Where nodes that LISTEN hear of new events.
const CHANNEL: &str = "stoa_outbox";

statements! {
    AFTER = {
        sqlite: "SELECT id AS place, kind, subject, at FROM outbox
                 WHERE id > $1 ORDER BY id LIMIT $2",
        postgres: "SELECT place, kind, subject, at FROM outbox
                   WHERE place > $1 ORDER BY place LIMIT $2",
    };
    HEAD = {
        // AUTOINCREMENT's own record, which pruning doesn't lower.
        sqlite: "SELECT epoch, COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'outbox'), 0)
                 AS head FROM meta",
        postgres: "SELECT epoch, head FROM meta, log_mark",
    };
    PRUNED = "SELECT pruned FROM log_mark";
    TRY_LOCK = { postgres: "SELECT pg_try_advisory_xact_lock($1)" };
    NUMBER = {
        postgres: "WITH waiting AS (
                       SELECT id, row_number() OVER (ORDER BY id) AS n FROM (
                           SELECT id FROM outbox WHERE place IS NULL ORDER BY id LIMIT $1) w),
                   numbered AS (
                       UPDATE outbox o
                       SET place = (SELECT head FROM log_mark WHERE one = 1) + w.n
                       FROM waiting w WHERE o.id = w.id RETURNING o.id)
                   UPDATE log_mark SET head = head + (SELECT count(*) FROM numbered)
                   WHERE one = 1 RETURNING (SELECT count(*) FROM numbered)"
    };
    NOTIFY = { postgres: "SELECT pg_notify($1, '')" };
    /// The last event that may go: everything up to it is there, old, and not above `$1`.
    PRUNE_TO = {
        sqlite: "SELECT min($1, COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'outbox'), 0),
                            COALESCE((SELECT id - 1 FROM outbox WHERE at >= $2
                                      ORDER BY id LIMIT 1), $1))",
        postgres: "SELECT LEAST($1, (SELECT head FROM log_mark),
                                COALESCE((SELECT place - 1 FROM outbox
                                          WHERE at >= $2 AND place IS NOT NULL
                                          ORDER BY place LIMIT 1), $1))",
    };
    PRUNE = {
        sqlite: "DELETE FROM outbox WHERE id IN (
                     SELECT id FROM outbox WHERE id <= $1 ORDER BY id LIMIT $2)",
        postgres: "DELETE FROM outbox WHERE place IN (
                       SELECT place FROM outbox WHERE place <= $1 ORDER BY place LIMIT $2)",
    };
    /// Before the rows go: a follower told too early only starts over.
    MARK_PRUNED = {
        sqlite: "UPDATE log_mark SET pruned = max(pruned, $1)",
        postgres: "UPDATE log_mark SET pruned = GREATEST(pruned, $1)",
    };
}

#[derive(FromRow)]
struct EventRow {
    place: i64,
    kind: String,
    subject: Uuid,
    at: i64,
}

#[derive(FromRow)]
struct HeadRow {
    epoch: Uuid,
    head: i64,
}

#[async_trait]
impl Outbox for SqlStore {
    async fn after(&self, offset: i64, limit: u32) -> Result<Vec<Event>, StoreError> {
        let rows: Vec<EventRow> = on!(self, AFTER, |pool, text| sqlx::query_as(text)
            .bind(offset)
            .bind(i64::from(limit))
            .fetch_all(pool)
            .await)?;
        let event = |row: EventRow| Event {
            offset: row.place,
            kind: EventKind::parse(&row.kind),
            subject: row.subject,
            at: Micros(row.at),
        };
        Ok(rows.into_iter().map(event).collect())
    }

    async fn head(&self) -> Result<Position, StoreError> {
        let row: HeadRow =
            on!(self, HEAD, |pool, text| sqlx::query_as(text).fetch_one(pool).await)?;
        Ok(Position { epoch: row.epoch, offset: row.head })
    }

    async fn pruned(&self) -> Result<i64, StoreError> {
        on!(self, PRUNED, |pool, text| sqlx::query_scalar(text).fetch_one(pool).await)
    }

    async fn number(&self) -> Result<u64, StoreError> {
        let Pools::Postgres(pool) = &self.pools else { return Ok(0) };
        let mut numbered = 0;
        loop {
            let (events, changes) = number_slice(pool).await.map_err(store_error)?;
            numbered += events;
            if events < SLICE && changes < SLICE {
                break;
            }
        }
        if numbered > 0 {
            // Apart from any transaction that writes: NOTIFY takes a database-wide lock at commit.
            // Lost, it costs a listener one poll.
            let notify = sqlx::query(NOTIFY.postgres).bind(CHANNEL).execute(pool).await;
            if let Err(error) = notify {
                tracing::warn!(%error, "could not notify the other nodes of new events");
            }
        }
        Ok(u64::try_from(numbered).unwrap_or_default())
    }

    async fn prune(&self, offset: i64, older_than: Micros) -> Result<u64, StoreError> {
        let to: i64 = on!(self, PRUNE_TO, |pool, text| sqlx::query_scalar(text)
            .bind(offset)
            .bind(older_than.0)
            .fetch_one(pool)
            .await)?;
        let mut dropped = 0;
        match &self.pools {
            Pools::Sqlite { path, .. } => {
                let mut conn = housekeeping(path).await?;
                let mark = sqlx::query(MARK_PRUNED.sqlite).bind(to).execute(&mut conn).await;
                mark.map_err(store_error)?;
                loop {
                    let slice = sqlx::query(PRUNE.sqlite).bind(to).bind(SLICE);
                    let slice = slice.execute(&mut conn).await.map_err(store_error)?;
                    dropped += slice.rows_affected();
                    if slice.rows_affected() < SLICE.unsigned_abs() {
                        break;
                    }
                }
                conn.close().await.map_err(store_error)?;
            }
            Pools::Postgres(pool) => {
                let mark = sqlx::query(MARK_PRUNED.postgres).bind(to).execute(pool).await;
                mark.map_err(store_error)?;
                loop {
                    let slice = sqlx::query(PRUNE.postgres).bind(to).bind(SLICE);
                    let slice = slice.execute(pool).await.map_err(store_error)?;
                    dropped += slice.rows_affected();
                    if slice.rows_affected() < SLICE.unsigned_abs() {
                        break;
                    }
                }
            }
        }
        Ok(dropped)
    }
}

/// How many events got their place, and how many changes their link in the audit log.
async fn number_slice(pool: &sqlx::PgPool) -> Result<(i64, i64), sqlx::Error> {
    let mut tx = pool.begin().await?;
    let ours: bool =
        sqlx::query_scalar(TRY_LOCK.postgres).bind(NUMBERER).fetch_one(&mut *tx).await?;
    if !ours {
        return Ok((0, 0));
    }
    let numbered: i64 = sqlx::query_scalar(NUMBER.postgres).bind(SLICE).fetch_one(&mut *tx).await?;
    let chained = audit::chain(&mut tx, SLICE).await?;
    tx.commit().await?;
    Ok((numbered, chained))
}
