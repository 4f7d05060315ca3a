//! What was answered under which name; see `ports::writer::Once`.

use super::products::Hex;
use crate::{
    adapters::sql::texts::statements,
    domain::{
        once::{BodyHash, Kept, KeptAnswer, OnceName},
        time::Micros,
    },
    ports::writer::{Keep, Written},
};
use sqlx::{SqliteConnection, types::Json};
use sqlx_macros::FromRow;
use std::collections::HashMap;
use uuid::Uuid;

statements! {
    KEPT = { sqlite:
        "SELECT i.name, i.body_hash, i.status, i.headers, i.body
         FROM json_each($1) j CROSS JOIN idempotency i ON i.name = unhex(j.value)" };
    KEEP = { sqlite:
        "INSERT INTO idempotency (name, body_hash, status, headers, body, at)
         SELECT unhex(value->>0), unhex(value->>1), value->>2, value->>3, value->>4, value->>5
         FROM json_each($1)" };
    FORGET = { sqlite:
        "DELETE FROM idempotency
         WHERE id IN (SELECT id FROM idempotency ORDER BY id LIMIT $2) AND at < $1" };
}

#[derive(FromRow)]
struct KeptRow {
    name: Uuid,
    body_hash: Uuid,
    status: u16,
    headers: Json<Vec<(String, String)>>,
    body: String,
}

pub(super) async fn kept(
    conn: &mut SqliteConnection,
    names: &[OnceName],
) -> Result<HashMap<OnceName, Kept>, sqlx::Error> {
    let names: Vec<_> = names.iter().map(|name| hex(name.0)).collect();
    let rows: Vec<KeptRow> = sqlx::query_as(KEPT.sqlite).bind(Json(names)).fetch_all(conn).await?;
    let kept = |row: KeptRow| {
        let answer = KeptAnswer { status: row.status, headers: row.headers.0, body: row.body };
        let body = BodyHash(row.body_hash.into_bytes());
        (OnceName(row.name.into_bytes()), Kept { body, answer })
    };
    Ok(rows.into_iter().map(kept).collect())
}

pub(super) async fn keep(
    conn: &mut SqliteConnection,
    answers: &[Keep<'_>],
) -> Result<(), sqlx::Error> {
    let line = |keep: &Keep<'_>| {
        let KeptAnswer { status, headers, body } = keep.answer;
        let line = (hex(keep.name.0), hex(keep.body.0), status, headers, body, keep.at.0);
        serde_json::to_value(line)
    };
    let lines = answers.iter().map(line).collect::<Result<Vec<_>, _>>();
    let lines = lines.map_err(|error| sqlx::Error::Encode(error.into()))?;
    sqlx::query(KEEP.sqlite).bind(Json(lines)).execute(conn).await?;
    Ok(())
}

pub(super) async fn forget(
    conn: &mut SqliteConnection,
    older_than: Micros,
    most: u32,
) -> Result<Written, sqlx::Error> {
    let forget = sqlx::query(FORGET.sqlite).bind(older_than.0).bind(most);
    Ok(Written::Swept(forget.execute(conn).await?.rows_affected()))
}

fn hex(bytes: [u8; 16]) -> Hex {
    Hex(Uuid::from_bytes(bytes))
}
