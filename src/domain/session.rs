//! A visit: who it is, how long it lasts, and when its end is written down anew.
//!
//! A session is known by a token that only its holder has; here stand the rules, without it. It
//! ends when nobody came for a while (*idle*) and, however busy, some time after it was opened
//! (*absolute*). When somebody logs in they get a new session and the old token is dead, so a
//! token that was planted before is worth nothing after.

use crate::domain::{
    id::{CustomerId, SessionId, UserId},
    policy::{self, Permissions, Rights},
    principal::Principal,
    time::Micros,
};
use std::time::Duration;

const HOUR: u64 = 60 * 60;

/// How its token comes with a request. A token counts only where it was made for, so one that
/// leaks from a page's cookie jar is none for a program, and the other way round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// In a browser's cookie.
    Cookie,
    /// As a bearer, by a program that logged in.
    Bearer,
    /// As a bearer, by a program that was given a key; it has a name and is not idle.
    Key,
}

impl Via {
    pub const ALL: &'static [Self] = &[Self::Cookie, Self::Bearer, Self::Key];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cookie => "cookie",
            Self::Bearer => "bearer",
            Self::Key => "key",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|via| via.as_str() == text)
    }
}

/// Who the visitor is, with all that they may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    Guest,
    Buyer { user: UserId, customer: CustomerId, rights: Rights },
    Staff { user: UserId, permissions: Permissions },
}

/// A live session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub who: Who,
    pub via: Via,
    pub opened_at: Micros,
    /// When it was last used, as far as that is written down.
    pub seen_at: Micros,
    /// It lasts no longer, however often it is used.
    pub ends_at: Micros,
    /// What the client called itself, or what a key was called by its maker.
    pub label: String,
    /// Where it was opened from.
    pub address: String,
}

impl Session {
    pub fn principal(&self) -> Principal {
        let session = self.id;
        match self.who {
            Who::Guest => Principal::Guest { session },
            Who::Buyer { user, customer, .. } => Principal::Buyer { session, user, customer },
            Who::Staff { user, .. } => Principal::Staff { session, user },
        }
    }

    pub fn user(&self) -> Option<UserId> {
        match self.who {
            Who::Guest => None,
            Who::Buyer { user, .. } | Who::Staff { user, .. } => Some(user),
        }
    }

    /// What it may do with what is the visitor's own. Staff has no things of a customer's, but
    /// may fill a cart as anybody may.
    pub fn rights(&self) -> Rights {
        let guest = Rights::of(policy::GUEST.iter().copied());
        match self.who {
            Who::Guest => guest,
            Who::Buyer { rights, .. } => rights,
            Who::Staff { .. } if self.via == Via::Key => Rights::NONE,
            Who::Staff { .. } => {
                let own = policy::BuyerRole::Viewer.rights().or(guest);
                own.or(Rights::of([policy::Right::Keys]))
            }
        }
    }

    pub fn permissions(&self) -> Permissions {
        match self.who {
            Who::Staff { permissions, .. } => permissions,
            Who::Guest | Who::Buyer { .. } => Permissions::NONE,
        }
    }
}

/// How long one kind of visit lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    pub idle: Duration,
    pub absolute: Duration,
}

impl Limits {
    pub const fn hours(idle: u64, absolute: u64) -> Self {
        Self {
            idle: Duration::from_secs(idle * HOUR),
            absolute: Duration::from_secs(absolute * HOUR),
        }
    }

    /// How much older than now its last use may be written: a hundredth of the idle time, so that
    /// a visit costs a write now and then rather than one a request.
    pub fn touch_after(&self) -> Duration {
        (self.idle / 100).clamp(Duration::from_secs(60), Duration::from_secs(HOUR))
    }
}

/// How long each kind of visit lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetimes {
    pub guest: Limits,
    pub buyer: Limits,
    pub staff: Limits,
    /// A key isn't idle: its absolute end counts alone.
    pub key: Duration,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self {
            guest: Limits::hours(30 * 24, 365 * 24),
            buyer: Limits::hours(14 * 24, 90 * 24),
            staff: Limits::hours(24, 7 * 24),
            key: Duration::from_secs(365 * 24 * HOUR),
        }
    }
}

impl Lifetimes {
    pub fn of(&self, who: &Who, via: Via) -> Limits {
        match (via, who) {
            (Via::Key, _) => Limits { idle: self.key, absolute: self.key },
            (_, Who::Guest) => self.guest,
            (_, Who::Buyer { .. }) => self.buyer,
            (_, Who::Staff { .. }) => self.staff,
        }
    }

    /// Whether it has ended by itself.
    pub fn is_over(&self, session: &Session, now: Micros) -> bool {
        let idle = self.of(&session.who, session.via).idle;
        now >= session.ends_at || now >= session.seen_at.plus(idle)
    }

    /// Whether its last use should be written down again.
    pub fn wants_touch(&self, session: &Session, now: Micros) -> bool {
        now >= session.seen_at.plus(self.of(&session.who, session.via).touch_after())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn session(who: Who, seen: i64) -> Session {
        let limits = Lifetimes::default().of(&who, Via::Cookie);
        Session {
            id: SessionId(Uuid::nil()),
            who,
            via: Via::Cookie,
            opened_at: Micros(0),
            seen_at: Micros(seen),
            ends_at: Micros(0).plus(limits.absolute),
            label: String::new(),
            address: String::new(),
        }
    }

    fn staff() -> Who {
        Who::Staff { user: UserId(Uuid::nil()), permissions: Permissions::ALL }
    }

    #[test]
    fn an_idle_session_ends_and_a_busy_one_too_in_the_end() {
        let rules = Lifetimes::default();
        let hours = |n: i64| Micros(n * 3_600_000_000);
        assert!(!rules.is_over(&session(staff(), 0), hours(23)));
        assert!(rules.is_over(&session(staff(), 0), hours(24)));
        let busy = session(staff(), hours(7 * 24).0 - 1);
        assert!(!rules.is_over(&busy, Micros(hours(7 * 24).0 - 1)));
        assert!(rules.is_over(&busy, hours(7 * 24)));
        assert!(!rules.is_over(&session(Who::Guest, 0), hours(29 * 24)));
    }

    #[test]
    fn staff_with_a_key_have_no_things_of_their_own() {
        let mut key = session(staff(), 0);
        assert!(key.rights().has(policy::Right::Sessions));
        key.via = Via::Key;
        assert!(key.rights().is_none() && key.permissions() == Permissions::ALL);
    }

    proptest! {
        /// Whoever comes at least as often as they are written down never idles out.
        #[test]
        fn a_touch_comes_long_before_the_idle_end(seen in 0i64..1 << 50, kind in 0usize..2) {
            let rules = Lifetimes::default();
            let session = session([Who::Guest, staff()][kind], seen);
            let limits = rules.of(&session.who, session.via);
            let due = session.seen_at.plus(limits.touch_after());
            prop_assert!(rules.wants_touch(&session, due));
            prop_assert!(!rules.wants_touch(&session, Micros(due.0 - 1)));
            prop_assert!(due < session.seen_at.plus(limits.idle / 10));
        }
    }
}
