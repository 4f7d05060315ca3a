//! Sessions are opened, used and ended.

use crate::{
    adapters::sql::texts::statements,
    domain::{
        id::{SessionId, UserId},
        session::Via,
        time::Micros,
    },
    ports::{
        sessions::{NewSession, SessionWrite, TokenHash},
        writer::Written,
    },
};
use sqlx::{SqliteConnection, types::Json};

statements! {
    OPEN_SESSION = { sqlite:
        "INSERT INTO session (id, token_hash, account_id, via, scopes, label, address, opened_at,
             seen_at, ends_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9)" };
    NOTE_LOGIN = { sqlite: "UPDATE account SET logged_in_at = $2 WHERE id = $1" };
    MERGE_SESSION = { sqlite:
        "UPDATE session SET ended_at = $2, merged_into = $3 WHERE id = $1 AND ended_at IS NULL
         RETURNING token_hash" };
    END_SESSION = { sqlite:
        "UPDATE session SET ended_at = $3
         WHERE id = $1 AND ended_at IS NULL AND ($2 IS NULL OR account_id = $2)
         RETURNING token_hash" };
    END_SESSIONS = { sqlite:
        "UPDATE session SET ended_at = $3
         WHERE account_id = $1 AND ended_at IS NULL AND ($2 IS NULL OR id <> $2)
         RETURNING token_hash" };
    TOUCH_SESSIONS = { sqlite:
        "UPDATE session SET seen_at = max(seen_at, t.seen)
         FROM (SELECT unhex(value ->> 0) AS id, value ->> 1 AS seen FROM json_each($1)) t
         WHERE session.id = t.id AND session.ended_at IS NULL" };
    SWEEP_GUESTS = { sqlite:
        "DELETE FROM session WHERE id IN (
             SELECT id FROM (
                 SELECT id, row_number() OVER (PARTITION BY address ORDER BY seen_at DESC) AS place
                 FROM session WHERE account_id IS NULL AND ended_at IS NULL AND address IN (
                     SELECT address FROM session WHERE account_id IS NULL AND ended_at IS NULL
                     GROUP BY address HAVING count(*) > $1)) t
             WHERE place > $1 LIMIT $2)" };
    SWEEP_SESSIONS = { sqlite:
        "DELETE FROM session WHERE id IN (
             SELECT id FROM session
             WHERE seen_at < $1 AND (via <> 'key' OR ended_at IS NOT NULL OR ends_at < $2)
             ORDER BY seen_at LIMIT $3)" };
}

pub(super) async fn apply(
    conn: &mut SqliteConnection,
    write: &SessionWrite,
) -> Result<Written, sqlx::Error> {
    match write {
        SessionWrite::Open(new) => {
            open(conn, new).await?;
            Ok(Written::Done)
        }
        SessionWrite::Replace { old, new } => {
            let ended = merge(conn, *old, new).await?;
            open(conn, new).await?;
            Ok(Written::Ended(ended))
        }
        SessionWrite::End { id, user, at } => {
            let end = sqlx::query_scalar(END_SESSION.sqlite).bind(id.0).bind(user.map(|u| u.0));
            Ok(Written::Ended(hashes(end.bind(at.0).fetch_all(conn).await?)))
        }
        SessionWrite::EndAll { user, but, at } => {
            Ok(Written::Ended(end_all(conn, *user, *but, *at).await?))
        }
        SessionWrite::Touch(seen) => {
            let seen: Vec<_> =
                seen.iter().map(|(id, at)| (id.0.simple().to_string(), at.0)).collect();
            sqlx::query(TOUCH_SESSIONS.sqlite).bind(Json(seen)).execute(conn).await?;
            Ok(Written::Done)
        }
        SessionWrite::SweepGuests { keep, most } => {
            let sweep = sqlx::query(SWEEP_GUESTS.sqlite).bind(i64::from(*keep));
            let swept = sweep.bind(i64::from(*most)).execute(conn).await?;
            Ok(Written::Swept(swept.rows_affected()))
        }
        SessionWrite::Sweep { unseen_since, now, most } => {
            let sweep = sqlx::query(SWEEP_SESSIONS.sqlite).bind(unseen_since.0).bind(now.0);
            let swept = sweep.bind(i64::from(*most)).execute(conn).await?;
            Ok(Written::Swept(swept.rows_affected()))
        }
    }
}

async fn open(conn: &mut SqliteConnection, new: &NewSession) -> Result<(), sqlx::Error> {
    sqlx::query(OPEN_SESSION.sqlite)
        .bind(new.id.0)
        .bind(new.token.0.as_slice())
        .bind(new.user.map(|user| user.0))
        .bind(new.via.as_str())
        .bind(&new.scopes)
        .bind(&new.label)
        .bind(&new.address)
        .bind(new.at.0)
        .bind(new.ends_at.0)
        .execute(&mut *conn)
        .await?;
    if let (Some(user), true) = (new.user, new.via != Via::Key) {
        sqlx::query(NOTE_LOGIN.sqlite).bind(user.0).bind(new.at.0).execute(conn).await?;
    }
    Ok(())
}

async fn merge(
    conn: &mut SqliteConnection,
    old: SessionId,
    new: &NewSession,
) -> Result<Vec<TokenHash>, sqlx::Error> {
    let merge = sqlx::query_scalar(MERGE_SESSION.sqlite).bind(old.0).bind(new.at.0).bind(new.id.0);
    Ok(hashes(merge.fetch_all(conn).await?))
}

/// Also for whatever else takes a user's sessions away: a new password, a new role, an erasure.
pub(super) async fn end_all(
    conn: &mut SqliteConnection,
    user: UserId,
    but: Option<SessionId>,
    at: Micros,
) -> Result<Vec<TokenHash>, sqlx::Error> {
    let end = sqlx::query_scalar(END_SESSIONS.sqlite).bind(user.0).bind(but.map(|id| id.0));
    Ok(hashes(end.bind(at.0).fetch_all(conn).await?))
}

/// A CHECK keeps their length.
pub(super) fn hashes(rows: Vec<Vec<u8>>) -> Vec<TokenHash> {
    rows.into_iter().filter_map(|row| row.try_into().ok().map(TokenHash)).collect()
}
