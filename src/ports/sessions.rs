//! Sessions as they are kept: by the hash of their token, never by the token.

use super::StoreError;
use crate::domain::{
    cart::{CartAct, CartOwner, CartWrite},
    id::{SessionId, UserId},
    session::{Session, Via},
    time::Micros,
};
use async_trait::async_trait;
use std::fmt;

/// SHA-256 of a token's text. A token has more chance in it than anybody can try, so it needs no
/// slow hash, and one read finds it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash(pub [u8; 32]);

impl fmt::Debug for TokenHash {
    /// A few bytes, to tell two apart.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02x}{:02x}{:02x}…", self.0[0], self.0[1], self.0[2])
    }
}

/// One to be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSession {
    pub id: SessionId,
    pub token: TokenHash,
    /// `None`: a guest's.
    pub user: Option<UserId>,
    pub via: Via,
    /// What a key is granted, with commas between; `None`: all that the role grants.
    pub scopes: Option<String>,
    pub label: String,
    pub address: String,
    pub at: Micros,
    pub ends_at: Micros,
}

/// A change of sessions.
#[derive(Debug, Clone)]
pub enum SessionWrite {
    Open(Box<NewSession>),
    /// Opens one and ends the one before it, both or neither: what a login does. The ended one
    /// says into which it went on; its carts go along (see [`Self::carts_along`]).
    Replace {
        old: SessionId,
        new: Box<NewSession>,
    },
    /// Ends one; of this user alone, when it says one.
    End {
        id: SessionId,
        user: Option<UserId>,
        at: Micros,
    },
    /// Ends all of a user's, but for the one they came with. Keys are sessions too.
    EndAll {
        user: UserId,
        but: Option<SessionId>,
        at: Micros,
    },
    /// Writes down when they were last used.
    Touch(Vec<(SessionId, Micros)>),
    /// Drops up to `most` guests' of addresses that have more than `keep`, the longest unseen first.
    SweepGuests {
        keep: u32,
        most: u32,
    },
    /// Drops up to `most` that nobody used since `unseen_since`, and keys that are over.
    Sweep {
        unseen_since: Micros,
        now: Micros,
        most: u32,
    },
}

impl SessionWrite {
    /// What a guest gathered goes along when they log in, in the login's own transaction: a crash
    /// leaves nobody logged in without their cart.
    pub fn carts_along(&self) -> Option<CartWrite> {
        let Self::Replace { old, new } = self else { return None };
        let (owner, act) = (CartOwner::User(new.user?), CartAct::TakeOver { from: *old });
        Some(CartWrite { owner, at: new.at, act })
    }
}

#[async_trait]
pub trait Sessions: Send + Sync {
    /// The session of this token unless it was ended, or its user may not come in any more.
    /// Whether it is over by its age is the rules' affair.
    async fn by_token(&self, token: TokenHash) -> Result<Option<Session>, StoreError>;

    /// All of a user's that were not ended, the last used first.
    async fn of_user(&self, user: UserId) -> Result<Vec<Session>, StoreError>;

    /// The session that this one went on as when its guest logged in, if it did.
    async fn merged_into(&self, id: SessionId) -> Result<Option<SessionId>, StoreError>;
}
