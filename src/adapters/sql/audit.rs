//! The audit log: appended to by the writers, chained, read back; see `ports::audit`.
//!
//! On SQLite the one writer chains an entry as it appends it. On PostgreSQL several nodes append,
//! so an entry gets its place and link afterwards, from whoever numbers the log: what is committed
//! is in the chain within a pass of the relay, and a transaction never waits for another's link.

use super::{SqlStore, error::not_ours, on, texts::statements};
use crate::{
    domain::{
        audit::{AuditEntry, Change, Link},
        time::Micros,
    },
    ports::{StoreError, audit::Audit},
};
use async_trait::async_trait;
use sqlx::{PgConnection, SqliteConnection};
use sqlx_macros::FromRow;

statements! {
    AFTER = "SELECT place, at, by_whom, action, subject, old_value, new_value, link FROM audit
             WHERE place > $1 ORDER BY place LIMIT $2";
    BEFORE = "SELECT place, at, by_whom, action, subject, old_value, new_value, link FROM audit
              WHERE place < $1 ORDER BY place DESC LIMIT $2";
    LAST = "SELECT place, link FROM audit WHERE place IS NOT NULL ORDER BY place DESC LIMIT 1";
    APPEND = { sqlite:
        "INSERT INTO audit (place, at, by_whom, action, subject, old_value, new_value, link)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)" };
    UNCHAINED = { postgres:
        "SELECT id, at, by_whom, action, subject, old_value, new_value FROM audit
         WHERE place IS NULL ORDER BY id LIMIT $1" };
    CHAIN = { postgres:
        "UPDATE audit a SET place = c.place, link = c.link
         FROM unnest($1::bigint[], $2::bigint[], $3::bytea[]) c (id, place, link)
         WHERE a.id = c.id AND a.place IS NULL" };
}

#[derive(FromRow)]
struct EntryRow {
    place: i64,
    at: i64,
    by_whom: String,
    action: String,
    subject: String,
    old_value: Option<String>,
    new_value: Option<String>,
    link: Vec<u8>,
}

#[derive(FromRow)]
struct LastRow {
    place: i64,
    link: Vec<u8>,
}

#[derive(FromRow)]
struct UnchainedRow {
    id: i64,
    at: i64,
    by_whom: String,
    action: String,
    subject: String,
    old_value: Option<String>,
    new_value: Option<String>,
}

fn link(bytes: Vec<u8>) -> Result<Link, StoreError> {
    bytes.try_into().map(Link).map_err(|_| not_ours("a link of the audit log is not 32 bytes"))
}

impl TryFrom<EntryRow> for AuditEntry {
    type Error = StoreError;

    fn try_from(row: EntryRow) -> Result<Self, StoreError> {
        Ok(Self {
            place: row.place,
            at: Micros(row.at),
            by: row.by_whom,
            action: row.action,
            subject: row.subject,
            old: row.old_value,
            new: row.new_value,
            link: link(row.link)?,
        })
    }
}

#[async_trait]
impl Audit for SqlStore {
    async fn entries_after(&self, place: i64, limit: u32) -> Result<Vec<AuditEntry>, StoreError> {
        let rows: Vec<EntryRow> = on!(self, AFTER, |pool, text| sqlx::query_as(text)
            .bind(place)
            .bind(i64::from(limit))
            .fetch_all(pool)
            .await)?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    async fn entries_before(
        &self,
        place: Option<i64>,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        let rows: Vec<EntryRow> = on!(self, BEFORE, |pool, text| sqlx::query_as(text)
            .bind(place.unwrap_or(i64::MAX))
            .bind(i64::from(limit))
            .fetch_all(pool)
            .await)?;
        rows.into_iter().map(TryInto::try_into).collect()
    }
}

/// Within the writer's transaction, which nobody else's overlaps.
pub(super) async fn append(
    conn: &mut SqliteConnection,
    change: &Change,
) -> Result<(), sqlx::Error> {
    let last: Option<LastRow> = sqlx::query_as(LAST.sqlite).fetch_optional(&mut *conn).await?;
    let (place, before) = read_last(last)?;
    let mut entry = AuditEntry {
        place: place + 1,
        at: change.at,
        by: change.by.clone(),
        action: change.action.to_owned(),
        subject: change.subject.clone(),
        old: change.old.clone(),
        new: change.new.clone(),
        link: before,
    };
    entry.link = entry.link_behind(before);
    sqlx::query(APPEND.sqlite)
        .bind(entry.place)
        .bind(entry.at.0)
        .bind(&entry.by)
        .bind(&entry.action)
        .bind(&entry.subject)
        .bind(&entry.old)
        .bind(&entry.new)
        .bind(&entry.link.0[..])
        .execute(conn)
        .await?;
    Ok(())
}

/// Gives up to `limit` committed entries their place and link, and says how many. The caller's
/// transaction holds the numberer's lock.
pub(super) async fn chain(conn: &mut PgConnection, limit: i64) -> Result<i64, sqlx::Error> {
    let rows: Vec<UnchainedRow> =
        sqlx::query_as(UNCHAINED.postgres).bind(limit).fetch_all(&mut *conn).await?;
    if rows.is_empty() {
        return Ok(0);
    }
    let last: Option<LastRow> = sqlx::query_as(LAST.postgres).fetch_optional(&mut *conn).await?;
    let (mut place, mut before) = read_last(last)?;
    let (mut ids, mut places, mut links) = (Vec::new(), Vec::new(), Vec::new());
    for row in rows {
        place += 1;
        let entry = AuditEntry {
            place,
            at: Micros(row.at),
            by: row.by_whom,
            action: row.action,
            subject: row.subject,
            old: row.old_value,
            new: row.new_value,
            link: before,
        };
        before = entry.link_behind(before);
        ids.push(row.id);
        places.push(place);
        links.push(before.0.to_vec());
    }
    let chain = sqlx::query(CHAIN.postgres).bind(&ids).bind(&places).bind(&links);
    chain.execute(conn).await?;
    Ok(ids.len() as i64)
}

fn read_last(last: Option<LastRow>) -> Result<(i64, Link), sqlx::Error> {
    let Some(last) = last else { return Ok((0, Link::START)) };
    let link = link(last.link).map_err(|error| sqlx::Error::Decode(error.into()))?;
    Ok((last.place, link))
}
