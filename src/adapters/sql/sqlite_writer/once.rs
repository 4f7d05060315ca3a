//! What was answered under which name; see `ports::writer::Once`.

use super::{products::Hex, rows};
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
         VALUES (?, ?, ?, ?, ?, ?)" };
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
    let keep = rows::put(conn, KEEP, answers, |values, keep| {
        let KeptAnswer { status, headers, body } = keep.answer;
        values.bind(&keep.name.0[..]).bind(&keep.body.0[..]).bind(*status).bind(Json(headers));
        values.bind(body).bind(keep.at.0);
    });
    keep.await.map(drop)
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
