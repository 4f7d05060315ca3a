//! Sessions, read back; see `ports::sessions`. The writer makes and ends them.

use super::{SqlStore, error::not_ours, on, texts::statements};
use crate::{
    domain::{
        id::{CustomerId, SessionId, UserId},
        policy::{BuyerRole, Permissions, Rights, StaffRole},
        session::{Session, Via, Who},
        time::Micros,
    },
    ports::{
        StoreError,
        sessions::{Sessions, TokenHash},
    },
};
use async_trait::async_trait;
use sqlx_macros::FromRow;
use uuid::Uuid;

macro_rules! session_columns {
    ($rest:literal) => {
        concat!(
            "SELECT s.id, s.account_id, s.via, s.scopes, s.label, s.address, s.opened_at,
                    s.seen_at, s.ends_at, a.kind, a.customer_id, a.role
             FROM session s LEFT JOIN account a ON a.id = s.account_id
             WHERE s.ended_at IS NULL
                   AND (s.account_id IS NULL OR (a.active AND a.locked_at IS NULL)) AND ",
            $rest
        )
    };
}

const BY_TOKEN_TEXT: &str = session_columns!("s.token_hash = $1");
const OF_USER_TEXT: &str = session_columns!("s.account_id = $1 ORDER BY s.seen_at DESC, s.id");

statements! {
    BY_TOKEN = (BY_TOKEN_TEXT);
    OF_USER = (OF_USER_TEXT);
    MERGED_INTO = "SELECT merged_into FROM session WHERE id = $1";
}

#[derive(FromRow)]
struct SessionRow {
    id: Uuid,
    account_id: Option<Uuid>,
    via: String,
    scopes: Option<String>,
    label: String,
    address: String,
    opened_at: i64,
    seen_at: i64,
    ends_at: i64,
    kind: Option<String>,
    customer_id: Option<Uuid>,
    role: Option<String>,
}

impl SessionRow {
    fn who(&self) -> Option<Who> {
        let Some(user) = self.account_id else { return Some(Who::Guest) };
        let user = UserId(user);
        let role = self.role.as_deref()?;
        let scopes = self.scopes.as_deref();
        match self.kind.as_deref()? {
            "buyer" => {
                let granted = scopes.map_or(Rights::ALL, Rights::from_text);
                Some(Who::Buyer {
                    user,
                    customer: CustomerId(self.customer_id?),
                    rights: BuyerRole::parse(role)?.rights().and(granted),
                })
            }
            "staff" => {
                let granted = scopes.map_or(Permissions::ALL, Permissions::from_text);
                let permissions = StaffRole::parse(role)?.permissions().and(granted);
                Some(Who::Staff { user, permissions })
            }
            _ => None,
        }
    }
}

impl TryFrom<SessionRow> for Session {
    type Error = StoreError;

    fn try_from(row: SessionRow) -> Result<Self, StoreError> {
        let who = row.who();
        Ok(Self {
            who: who.ok_or_else(|| not_ours(format!("whose session {} is", row.id)))?,
            via: Via::parse(&row.via)
                .ok_or_else(|| not_ours(format!("a session comes via {:?}", row.via)))?,
            id: SessionId(row.id),
            opened_at: Micros(row.opened_at),
            seen_at: Micros(row.seen_at),
            ends_at: Micros(row.ends_at),
            label: row.label,
            address: row.address,
        })
    }
}

#[async_trait]
impl Sessions for SqlStore {
    async fn by_token(&self, token: TokenHash) -> Result<Option<Session>, StoreError> {
        let row: Option<SessionRow> = on!(self, BY_TOKEN, |pool, text| sqlx::query_as(text)
            .bind(token.0.as_slice())
            .fetch_optional(pool)
            .await)?;
        row.map(TryInto::try_into).transpose()
    }

    async fn of_user(&self, user: UserId) -> Result<Vec<Session>, StoreError> {
        let rows: Vec<SessionRow> = on!(self, OF_USER, |pool, text| sqlx::query_as(text)
            .bind(user.0)
            .fetch_all(pool)
            .await)?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    async fn merged_into(&self, id: SessionId) -> Result<Option<SessionId>, StoreError> {
        let found: Option<Option<Uuid>> =
            on!(self, MERGED_INTO, |pool, text| sqlx::query_scalar(text)
                .bind(id.0)
                .fetch_optional(pool)
                .await)?;
        Ok(found.flatten().map(SessionId))
    }
}
