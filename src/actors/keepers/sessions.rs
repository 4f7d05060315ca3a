//! Sessions: opened, found by their token on each request that asks who comes, and ended.
//!
//! Promise: a token is answered for only while its session stands in the database. What was read
//! is remembered for [`REMEMBERED`], so a busy visitor costs a read now and then; an end by this
//! process is seen by it at once, one by another node within that time. Nothing is held across a
//! request: a visitor's parallel requests never wait for each other.
//!
//! When a session was last used is written down seldom and many at once, by the reconciler, which
//! also drops what nobody used for long. If that dies, uses noted but not yet written are noted
//! again by the next request; no session ends early, as they are written a hundred times more
//! often than idleness ends one.

use crate::{
    actors::keepers::writer::{StoreHandle, WriteError, unexpected},
    domain::{
        id::{SessionId, UserId},
        secret::Secret,
        session::{Lifetimes, Limits, Session, Via, Who},
        time::Micros,
    },
    ports::{
        StoreError,
        chance::Chance,
        clock::{Clock, Ids},
        sessions::{self as port, NewSession, SessionWrite, TokenHash},
        writer::{Write, Written},
    },
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use moka::sync::Cache;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use supervisors::{Child, Context, Fault, Next, Nudge, Reconciler, reconciler};

/// How long what was read is trusted.
const REMEMBERED: Duration = Duration::from_secs(10);
/// Sessions in memory, at about 400 bytes each.
const MOST_REMEMBERED: u64 = 20_000;
/// Uses that wait to be written; more are noted again later.
const MOST_NOTED: usize = 10_000;
/// How often uses are written.
const WRITE_EVERY: Duration = Duration::from_secs(10);
/// Uses in one write, which is a background one: about 20 ms.
const AT_A_TIME: usize = 1_000;
const SWEEP_EVERY: Duration = Duration::from_secs(60 * 60);
const SWEPT_AT_A_TIME: u32 = 1_000;
/// Of what a client calls itself.
const MOST_LABEL: usize = 200;

/// The `[sessions]` section, in hours.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SessionsConfig {
    guest_idle_hours: u32,
    guest_hours: u32,
    buyer_idle_hours: u32,
    buyer_hours: u32,
    staff_idle_hours: u32,
    staff_hours: u32,
    key_hours: u32,
    pub(crate) guests_per_address: u32,
}

impl SessionsConfig {
    /// The key that can't be worked with, and why.
    pub(crate) fn validate(&self) -> Result<(), (&'static str, &'static str)> {
        for (idle_key, idle, key, absolute) in [
            ("guest_idle_hours", self.guest_idle_hours, "guest_hours", self.guest_hours),
            ("buyer_idle_hours", self.buyer_idle_hours, "buyer_hours", self.buyer_hours),
            ("staff_idle_hours", self.staff_idle_hours, "staff_hours", self.staff_hours),
            ("key_hours", self.key_hours, "key_hours", self.key_hours),
        ] {
            if idle == 0 {
                return Err((idle_key, "must be at least 1"));
            }
            if absolute < idle {
                return Err((key, "must not be less than the idle hours"));
            }
        }
        if self.guests_per_address == 0 {
            return Err(("guests_per_address", "must be at least 1"));
        }
        Ok(())
    }

    pub(crate) fn lifetimes(&self) -> Lifetimes {
        Lifetimes {
            guest: Limits::hours(self.guest_idle_hours.into(), self.guest_hours.into()),
            buyer: Limits::hours(self.buyer_idle_hours.into(), self.buyer_hours.into()),
            staff: Limits::hours(self.staff_idle_hours.into(), self.staff_hours.into()),
            key: Limits::hours(self.key_hours.into(), self.key_hours.into()).absolute,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum SessionsError {
    #[error(transparent)]
    Read(#[from] StoreError),
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// From where somebody comes, as they will see it in the list of their sessions.
#[derive(Debug, Clone, Default)]
pub(crate) struct Whence {
    /// What the client calls itself, or how a key is called.
    pub(crate) label: String,
    pub(crate) address: String,
}

/// A new session with its token, which is told this once.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) token: Secret,
    pub(crate) session: Session,
}

/// Who is to have a session, and what is known of them.
#[derive(Debug, Clone)]
pub(crate) struct Opening {
    pub(crate) who: Who,
    pub(crate) via: Via,
    /// What a key is granted of its user's rights; `None`: all.
    pub(crate) scopes: Option<String>,
    pub(crate) whence: Whence,
    /// An earlier end than the rules give.
    pub(crate) ends_at: Option<Micros>,
}

#[derive(Clone)]
pub(crate) struct SessionsParts {
    pub(crate) rows: Arc<dyn port::Sessions>,
    pub(crate) store: StoreHandle,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn Ids>,
    pub(crate) chance: Arc<dyn Chance>,
    pub(crate) lifetimes: Lifetimes,
    /// Guests of one address beyond that are dropped, the longest unseen first.
    pub(crate) guests_per_address: u32,
}

/// Opens, finds and ends sessions. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Sessions {
    shared: Arc<Shared>,
}

struct Shared {
    parts: SessionsParts,
    memory: Cache<TokenHash, Arc<Session>>,
    /// Rises with each end, before the memory is told of it; see [`Sessions::find`].
    ends: AtomicU64,
    /// Uses that wait to be written.
    noted: Mutex<HashMap<SessionId, Micros>>,
}

impl Sessions {
    pub(crate) fn new(parts: SessionsParts) -> Self {
        let memory =
            Cache::builder().max_capacity(MOST_REMEMBERED).time_to_live(REMEMBERED).build();
        let shared = Shared { parts, memory, ends: AtomicU64::new(0), noted: Mutex::default() };
        Self { shared: Arc::new(shared) }
    }

    /// The live session of a token; `None` when it was ended, is over, or never was.
    pub(crate) async fn find(
        &self,
        token: &Secret,
        via: &[Via],
    ) -> Result<Option<Arc<Session>>, SessionsError> {
        let shared = &*self.shared;
        let hash = hash(token);
        let session = match shared.memory.get(&hash) {
            Some(known) => known,
            None => {
                // What is read here may be ended before it is remembered. Whoever ends it raises
                // the count first and forgets it second: either we see the count risen, or they
                // forget behind us.
                let ends = shared.ends.load(Ordering::SeqCst);
                let Some(read) = shared.parts.rows.by_token(hash).await? else { return Ok(None) };
                let read = Arc::new(read);
                shared.memory.insert(hash, Arc::clone(&read));
                if shared.ends.load(Ordering::SeqCst) != ends {
                    shared.memory.invalidate(&hash);
                }
                read
            }
        };
        let (now, rules) = (shared.parts.clock.now(), &shared.parts.lifetimes);
        if !via.contains(&session.via) || rules.is_over(&session, now) {
            return Ok(None);
        }
        if rules.wants_touch(&session, now) {
            let mut noted = shared.noted.lock().unwrap_or_else(PoisonError::into_inner);
            if noted.len() < MOST_NOTED {
                noted.insert(session.id, now);
            }
        }
        Ok(Some(session))
    }

    /// Whether this is known to be a guest's, without asking anybody. A guest's token never becomes
    /// somebody else's.
    pub(crate) fn is_known_guest(&self, token: &Secret) -> bool {
        let known = self.shared.memory.get(&hash(token));
        known.is_some_and(|session| session.via == Via::Cookie && session.who == Who::Guest)
    }

    pub(crate) async fn open(&self, opening: Opening) -> Result<Opened, SessionsError> {
        let (new, opened) = self.draw(opening);
        match self
            .shared
            .parts
            .store
            .write(Write::Sessions(SessionWrite::Open(Box::new(new))))
            .await?
        {
            Written::Done => Ok(opened),
            other => Err(unexpected(&other).into()),
        }
    }

    /// Ends `old` and opens another in its place, both or neither: the old token is dead as soon
    /// as the new one lives.
    pub(crate) async fn replace(
        &self,
        old: SessionId,
        opening: Opening,
    ) -> Result<Opened, SessionsError> {
        let (new, opened) = self.draw(opening);
        self.end_by(SessionWrite::Replace { old, new: Box::new(new) }).await?;
        Ok(opened)
    }

    /// Whether there was one to end: of this user, when one is given.
    pub(crate) async fn end(
        &self,
        id: SessionId,
        user: Option<UserId>,
    ) -> Result<bool, SessionsError> {
        let at = self.shared.parts.clock.now();
        Ok(self.end_by(SessionWrite::End { id, user, at }).await? > 0)
    }

    /// How many were ended.
    pub(crate) async fn end_all(
        &self,
        user: UserId,
        but: Option<SessionId>,
    ) -> Result<usize, SessionsError> {
        let at = self.shared.parts.clock.now();
        self.end_by(SessionWrite::EndAll { user, but, at }).await
    }

    /// A user's live ones, the last used first.
    pub(crate) async fn list(&self, user: UserId) -> Result<Vec<Session>, SessionsError> {
        let (parts, mut found) = (&self.shared.parts, self.shared.parts.rows.of_user(user).await?);
        let now = parts.clock.now();
        found.retain(|session| !parts.lifetimes.is_over(session, now));
        Ok(found)
    }

    /// To be called when a write of others has ended these.
    pub(crate) fn forget(&self, ended: &[TokenHash]) {
        self.shared.ends.fetch_add(1, Ordering::SeqCst);
        for hash in ended {
            self.shared.memory.invalidate(hash);
        }
    }

    /// To be called when a write of others may have ended some, and nobody said which.
    pub(crate) fn forget_all(&self) {
        self.shared.ends.fetch_add(1, Ordering::SeqCst);
        self.shared.memory.invalidate_all();
    }

    async fn end_by(&self, write: SessionWrite) -> Result<usize, SessionsError> {
        match self.shared.parts.store.write(Write::Sessions(write)).await {
            Ok(Written::Ended(ended)) => {
                self.forget(&ended);
                Ok(ended.len())
            }
            Ok(other) => Err(unexpected(&other).into()),
            Err(error) => {
                if matches!(error, WriteError::Unknown) {
                    self.forget_all();
                }
                Err(error.into())
            }
        }
    }

    /// One to be opened by somebody else's write, and what it is once that is made.
    pub(crate) fn to_open(&self, opening: Opening) -> (Write, Opened) {
        let (new, opened) = self.draw(opening);
        (Write::Sessions(SessionWrite::Open(Box::new(new))), opened)
    }

    fn draw(&self, opening: Opening) -> (NewSession, Opened) {
        let parts = &self.shared.parts;
        let Opening { who, via, scopes, whence, ends_at } = opening;
        let at = parts.clock.now();
        let latest = at.plus(parts.lifetimes.of(&who, via).absolute);
        let session = Session {
            id: SessionId(parts.ids.next()),
            who,
            via,
            opened_at: at,
            seen_at: at,
            ends_at: ends_at.map_or(latest, |earlier| earlier.min(latest)),
            label: plain(&whence.label),
            address: whence.address,
        };
        let token = token(via, parts.chance.bytes());
        let new = NewSession {
            id: session.id,
            token: hash(&token),
            user: session.user(),
            via,
            scopes,
            label: session.label.clone(),
            address: session.address.clone(),
            at,
            ends_at: session.ends_at,
        };
        (new, Opened { token, session })
    }

    /// The child that writes uses down and sweeps.
    pub(crate) fn child(&self) -> Child {
        self.child_every(WRITE_EVERY)
    }

    fn child_every(&self, every: Duration) -> Child {
        let sessions = self.clone();
        reconciler("sessions", every, &Nudge::new(), move || {
            let keeper = SessionUpkeep { sessions: sessions.clone(), swept_at: None };
            async move { Ok(keeper) }
        })
    }
}

/// Writes uses down and drops what nobody used for long.
struct SessionUpkeep {
    sessions: Sessions,
    swept_at: Option<Micros>,
}

impl Reconciler for SessionUpkeep {
    async fn pass(&mut self, _: &Context) -> Result<Next, Fault> {
        let shared = &*self.sessions.shared;
        let mut noted: Vec<_> = {
            let mut noted = shared.noted.lock().unwrap_or_else(PoisonError::into_inner);
            noted.drain().collect()
        };
        noted.sort_unstable();
        for some in noted.chunks(AT_A_TIME) {
            // Uses that aren't written are noted again by the next request.
            let touch = SessionWrite::Touch(some.to_vec());
            shared.parts.store.write(Write::Sessions(touch)).await.map_err(Fault::unavailable)?;
        }
        let now = shared.parts.clock.now();
        if self.swept_at.is_some_and(|at| now < at.plus(SWEEP_EVERY)) {
            return Ok(Next::Idle);
        }
        let rules = shared.parts.lifetimes;
        let longest = rules.guest.idle.max(rules.buyer.idle).max(rules.staff.idle);
        let (unseen_since, most) = (now.minus(longest), SWEPT_AT_A_TIME);
        let over = SessionWrite::Sweep { unseen_since, now, most };
        let guests = SessionWrite::SweepGuests { keep: shared.parts.guests_per_address, most };
        for sweep in [over, guests] {
            let sweep = shared.parts.store.write(Write::Sessions(sweep));
            match sweep.await.map_err(Fault::unavailable)? {
                Written::Swept(swept) if swept >= u64::from(most) => return Ok(Next::Again),
                _ => {}
            }
        }
        self.swept_at = Some(now);
        Ok(Next::Idle)
    }
}

/// 256 bits of chance behind a word that tells whoever finds one in a file what it is.
fn token(via: Via, chance: [u8; 32]) -> Secret {
    let word = match via {
        Via::Cookie | Via::Bearer => "stoa_session_",
        Via::Key => "stoa_key_",
    };
    Secret::new(format!("{word}{}", URL_SAFE_NO_PAD.encode(chance)))
}

pub(crate) fn hash(token: &Secret) -> TokenHash {
    TokenHash(Sha256::digest(token.expose().as_bytes()).into())
}

/// Short and without what could end a line.
fn plain(label: &str) -> String {
    label.chars().filter(|c| !c.is_control()).take(MOST_LABEL).collect()
}

#[cfg(test)]
mod tests;
