//! Sessions are opened, used and ended.

use crate::{
    adapters::postgres::statement::{execute, query, statements},
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
use deadpool_postgres::{
    Transaction,
    tokio_postgres::{Error, Row},
};

statements! {
    OPEN_SESSION =
        "INSERT INTO session (id, token_hash, account_id, via, scopes, label, address, opened_at,
             seen_at, ends_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9)";
    NOTE_LOGIN = "UPDATE account SET logged_in_at = $2 WHERE id = $1";
    MERGE_SESSION =
        "UPDATE session SET ended_at = $2, merged_into = $3 WHERE id = $1 AND ended_at IS NULL
         RETURNING token_hash";
    END_SESSION =
        "UPDATE session SET ended_at = $3
         WHERE id = $1 AND ended_at IS NULL AND ($2::uuid IS NULL OR account_id = $2)
         RETURNING token_hash";
    END_SESSIONS =
        "UPDATE session SET ended_at = $3
         WHERE account_id = $1 AND ended_at IS NULL AND ($2::uuid IS NULL OR id <> $2)
         RETURNING token_hash";
    /// In key order, so that two nodes that saw the same visitors don't wait for each other.
    TOUCH_SESSIONS =
        "UPDATE session SET seen_at = GREATEST(seen_at, t.seen)
         FROM (SELECT s.id, u.seen FROM unnest($1::uuid[], $2::bigint[]) u (id, seen)
               JOIN session s ON s.id = u.id WHERE s.ended_at IS NULL
               ORDER BY s.id FOR UPDATE OF s) t
         WHERE session.id = t.id";
    SWEEP_GUESTS =
        "DELETE FROM session WHERE id IN (
             SELECT id FROM (
                 SELECT id, row_number() OVER (PARTITION BY address ORDER BY seen_at DESC) AS place
                 FROM session WHERE account_id IS NULL AND ended_at IS NULL AND address IN (
                     SELECT address FROM session WHERE account_id IS NULL AND ended_at IS NULL
                     GROUP BY address HAVING count(*) > $1)) t
             WHERE place > $1 LIMIT $2)";
    SWEEP_SESSIONS =
        "DELETE FROM session WHERE id IN (
             SELECT id FROM session
             WHERE seen_at < $1 AND (via <> 'key' OR ended_at IS NOT NULL OR ends_at < $2)
             ORDER BY seen_at LIMIT $3 FOR UPDATE SKIP LOCKED)";
}

pub(super) async fn apply(tx: &Transaction<'_>, write: &SessionWrite) -> Result<Written, Error> {
    match write {
        SessionWrite::Open(new) => {
            open(tx, new).await?;
            Ok(Written::Done)
        }
        SessionWrite::Replace { old, new } => {
            let merged = query(tx, MERGE_SESSION, [&old.0, &new.at.0, &new.id.0]).await?;
            open(tx, new).await?;
            Ok(Written::Ended(hashes(&merged)?))
        }
        SessionWrite::End { id, user, at } => {
            let user = user.map(|user| user.0);
            let ended = query(tx, END_SESSION, [&id.0, &user, &at.0]).await?;
            Ok(Written::Ended(hashes(&ended)?))
        }
        SessionWrite::EndAll { user, but, at } => {
            Ok(Written::Ended(end_all(tx, *user, *but, *at).await?))
        }
        SessionWrite::Touch(seen) => {
            let (ids, times): (Vec<_>, Vec<_>) = seen.iter().map(|(id, at)| (id.0, at.0)).unzip();
            execute(tx, TOUCH_SESSIONS, [&ids, &times]).await?;
            Ok(Written::Done)
        }
        SessionWrite::SweepGuests { keep, most } => {
            let (keep, most) = (i64::from(*keep), i64::from(*most));
            Ok(Written::Swept(execute(tx, SWEEP_GUESTS, [&keep, &most]).await?))
        }
        SessionWrite::Sweep { unseen_since, now, most } => {
            let most = i64::from(*most);
            let swept = execute(tx, SWEEP_SESSIONS, [&unseen_since.0, &now.0, &most]).await?;
            Ok(Written::Swept(swept))
        }
    }
}

async fn open(tx: &Transaction<'_>, new: &NewSession) -> Result<(), Error> {
    let (token, user) = (new.token.0.as_slice(), new.user.map(|user| user.0));
    let via = new.via.as_str();
    let NewSession { id, scopes, label, address, at, ends_at, .. } = new;
    execute(
        tx,
        OPEN_SESSION,
        [&id.0, &token, &user, &via, scopes, label, address, &at.0, &ends_at.0],
    )
    .await?;
    if let (Some(user), true) = (user, new.via != Via::Key) {
        execute(tx, NOTE_LOGIN, [&user, &at.0]).await?;
    }
    Ok(())
}

/// Also for whatever else takes a user's sessions away: a new password, a new role, an erasure.
pub(super) async fn end_all(
    tx: &Transaction<'_>,
    user: UserId,
    but: Option<SessionId>,
    at: Micros,
) -> Result<Vec<TokenHash>, Error> {
    let but = but.map(|id| id.0);
    hashes(&query(tx, END_SESSIONS, [&user.0, &but, &at.0]).await?)
}

/// A CHECK keeps their length.
pub(super) fn hashes(rows: &[Row]) -> Result<Vec<TokenHash>, Error> {
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let hash: &[u8] = row.try_get(0)?;
        found.extend(hash.try_into().ok().map(TokenHash));
    }
    Ok(found)
}
