//! Visitors by name, for tests: whoever a test lets in under a token of its choice.

use super::shop::Ticking;
use crate::{
    actors::keepers::sessions::{Opened, Whence},
    domain::{
        id::{CustomerId, SessionId, UserId},
        policy::{BuyerRole, StaffRole},
        secret::Secret,
        session::{Session, Via, Who},
    },
    http::{error::Problem, handles::Visiting},
    ports::{chance::Chance, clock::Clock},
};
use async_trait::async_trait;
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use uuid::Uuid;

/// Sessions in memory, by their tokens.
#[derive(Default)]
pub(super) struct Visitors {
    live: Mutex<Vec<(String, Arc<Session>)>>,
    /// How often a token was looked for.
    pub(super) looks: AtomicU64,
    /// Whether nobody can say who comes.
    pub(super) away: AtomicBool,
}

impl Visitors {
    /// Lets somebody in under a token of the test's choice.
    pub(super) fn admit(&self, token: &str, who: Who, via: Via) -> Session {
        let mut live = self.live.lock().unwrap();
        let id = SessionId(Uuid::from_u64_pair(9, live.len() as u64));
        let session = Session {
            id,
            who,
            via,
            opened_at: Ticking.now(),
            seen_at: Ticking.now(),
            ends_at: Ticking.now().plus(Duration::from_secs(3_600)),
            label: "test".into(),
            address: "127.0.0.1".into(),
        };
        live.push((token.to_owned(), Arc::new(session.clone())));
        session
    }

    pub(super) fn count(&self) -> usize {
        self.live.lock().unwrap().len()
    }
}

/// Buyer number `n`, of a customer of their own.
pub(super) fn buyer(n: u128, role: BuyerRole) -> Who {
    let (user, customer) = (UserId(Uuid::from_u128(n)), CustomerId(Uuid::from_u128(n)));
    Who::Buyer { user, customer, rights: role.rights() }
}

pub(super) fn staff(role: StaffRole) -> Who {
    // One person a role, as one who ends their other sessions must end nobody else's.
    let user = UserId(Uuid::from_u128(1_000 + role as u128));
    Who::Staff { user, permissions: role.permissions() }
}

#[async_trait]
impl Visiting for Visitors {
    async fn find(&self, token: &Secret, via: &[Via]) -> Result<Option<Arc<Session>>, Problem> {
        self.looks.fetch_add(1, Ordering::SeqCst);
        if self.away.load(Ordering::SeqCst) {
            return Err(Problem::unavailable("the database is away", "a test"));
        }
        let live = self.live.lock().unwrap();
        let found = live.iter().find(|(known, _)| known == token.expose());
        Ok(found.map(|(_, session)| session.clone()).filter(|session| via.contains(&session.via)))
    }
    fn is_known_guest(&self, token: &Secret) -> bool {
        let live = self.live.lock().unwrap();
        live.iter().any(|(known, it)| known == token.expose() && it.who == Who::Guest)
    }
    async fn open_guest(&self, via: Via, _: Whence) -> Result<Opened, Problem> {
        let token = format!("guest-{}", self.count());
        let session = self.admit(&token, Who::Guest, via);
        Ok(Opened { token: Secret::new(token), session })
    }
    async fn list(&self, user: UserId) -> Result<Vec<Session>, Problem> {
        let live = self.live.lock().unwrap();
        let own = live.iter().filter(|(_, session)| session.user() == Some(user));
        Ok(own.map(|(_, session)| (**session).clone()).collect())
    }
    async fn end(&self, id: SessionId, user: Option<UserId>) -> Result<bool, Problem> {
        let mut live = self.live.lock().unwrap();
        let before = live.len();
        live.retain(|(_, session)| session.id != id || (user.is_some() && session.user() != user));
        Ok(live.len() < before)
    }
    async fn end_others(&self, user: UserId, but: SessionId) -> Result<(), Problem> {
        let others = |one: &Session| one.user() == Some(user) && one.id != but;
        self.live.lock().unwrap().retain(|(_, session)| !others(session));
        Ok(())
    }
}

/// Foreseeable chance.
pub(super) struct Dice;

impl Chance for Dice {
    fn bytes(&self) -> [u8; 32] {
        [7; 32]
    }
}
