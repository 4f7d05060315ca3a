//! Accounts: who registers, logs in, forgets a password, and who acts for a customer.
//!
//! Promise: a password is compared only in its pool, and as long for somebody unknown as for
//! somebody known, with one answer for both. Tries are limited for each account and for each
//! address. Logging in gives a new session and ends the one before it, whose carts go along; a new
//! password ends all others. Whatever is to be mailed is put into the queue in the transaction of what it tells of.
//!
//! Every change is one write of the store's writer, so nothing can die halfway. The one actor here
//! is the [desk](mod@desk), at which forgotten passwords are asked for; if it dies, who waits for a mail
//! asks again.

mod desk;
mod login;
mod once;
mod people;
mod profile;
mod registration;

pub(crate) use desk::{Forgotten, desk};
pub(crate) use login::{Credential, LogIn};
pub(crate) use once::{KeyMade, Making};
pub(crate) use people::Invitation;
pub(crate) use profile::AddressWish;
pub(crate) use registration::Newcomer;

use crate::{
    actors::{
        keepers::{
            limits::{self, Limit},
            sessions::{Sessions, SessionsError},
            writer::{OnceError, StoreHandle, WriteError, unexpected},
        },
        workers::passwords::{Passwords, PasswordsError},
    },
    domain::{
        account::{Account, Customer, Email, FieldFault, Post},
        bucket::Rate,
        id::{CustomerId, MailId, UserId},
        secret::Secret,
        session::Who,
        time::Micros,
    },
    ports::{
        StoreError,
        accounts::{self as port, AccountWrite},
        chance::Chance,
        clock::{Clock, Ids},
        mail::{MailBody, NewMail},
        once::KeptAnswers,
        sessions::TokenHash,
        writer::{Write, Written},
    },
    views::{MailText, Sender},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use std::{sync::Arc, time::Duration};
use supervisors::{Address, Mailbox, Nudge};

/// The `[accounts]` section.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountsConfig {
    /// Failed logins of one account at once, and seconds until there is one more.
    login_burst: u32,
    login_every_seconds: u32,
    /// Tries from one address.
    address_burst: u32,
    address_every_seconds: u32,
    /// Minutes that a mailed link to set a password holds.
    pub(crate) reset_minutes: u32,
}

impl AccountsConfig {
    /// The key that can't be worked with, and why.
    pub(crate) fn validate(&self) -> Result<(), (&'static str, &'static str)> {
        let least =
            |key, value: u32| if value == 0 { Err((key, "must be at least 1")) } else { Ok(()) };
        least("login_burst", self.login_burst)?;
        least("login_every_seconds", self.login_every_seconds)?;
        least("address_burst", self.address_burst)?;
        least("address_every_seconds", self.address_every_seconds)?;
        least("reset_minutes", self.reset_minutes)
    }

    pub(crate) fn per_account(&self) -> Rate {
        rate(self.login_burst, self.login_every_seconds)
    }

    pub(crate) fn per_address(&self) -> Rate {
        rate(self.address_burst, self.address_every_seconds)
    }
}

fn rate(burst: u32, seconds: u32) -> Rate {
    Rate { burst, every: Duration::from_secs(seconds.into()) }
}

/// Mails that one account may be sent on demand: more is somebody's mischief.
const MAILS: Rate = Rate { burst: 3, every: Duration::from_secs(10 * 60) };
/// An invitation's link holds longer than a forgotten password's: people are on holiday.
const INVITED_DAYS: u64 = 7;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Debug, thiserror::Error)]
pub(crate) enum AccountsError {
    /// No account of that address, another password, or not let in: which one is not said.
    #[error("this address and this password don't belong together")]
    Wrong,
    #[error("too many tries; the next one is in {}", limits::words(*.0))]
    TooMany(Duration),
    #[error("{}", list(.0))]
    Invalid(Vec<FieldFault>),
    /// Somebody has an account under that address, or another group that code.
    #[error("it is taken")]
    Taken,
    #[error("there is none, or not any more")]
    Absent,
    /// A key that can't be made as it was wished, and why.
    #[error("{0}")]
    Refused(String),
    /// Nothing was begun: try again in a moment.
    #[error("too much is asked at the moment")]
    Busy,
    /// Nobody would be left who may say who comes in.
    #[error("{0}")]
    Conflict(&'static str),
    #[error(transparent)]
    Passwords(#[from] PasswordsError),
    #[error(transparent)]
    Sessions(#[from] SessionsError),
    #[error(transparent)]
    Read(#[from] StoreError),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error(transparent)]
    Once(#[from] OnceError),
}

fn list(faults: &[FieldFault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

#[derive(Clone)]
pub(crate) struct AccountsParts {
    pub(crate) rows: Arc<dyn port::Accounts>,
    pub(crate) store: StoreHandle,
    pub(crate) sessions: Sessions,
    pub(crate) passwords: Passwords,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn Ids>,
    pub(crate) chance: Arc<dyn Chance>,
    pub(crate) config: AccountsConfig,
    pub(crate) sender: Sender,
    /// Wakes whoever sends mail.
    pub(crate) mail: Nudge,
    /// What was answered to those who asked before.
    pub(crate) kept: Arc<dyn KeptAnswers>,
}

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct Accounts {
    shared: Arc<Shared>,
}

struct Shared {
    parts: AccountsParts,
    per_account: Limit,
    per_address: Limit,
    mails: Limit,
    desk: Address<Forgotten>,
}

impl Accounts {
    /// `desk` is the mailbox of the [desk](mod@desk).
    pub(crate) fn new(parts: AccountsParts, desk: &Mailbox<Forgotten>) -> Self {
        let limit = |rate| Limit::new(rate, parts.clock.clone());
        let shared = Shared {
            per_account: limit(parts.config.per_account()),
            per_address: limit(parts.config.per_address()),
            mails: limit(MAILS),
            desk: desk.address(),
            parts,
        };
        Self { shared: Arc::new(shared) }
    }

    pub(crate) async fn account(&self, user: UserId) -> Result<Account, AccountsError> {
        let found = self.shared.parts.rows.by_user(user).await?;
        Ok(found.ok_or(AccountsError::Absent)?.account)
    }

    pub(crate) async fn customer(&self, id: CustomerId) -> Result<Customer, AccountsError> {
        self.shared.parts.rows.customer(id).await?.ok_or(AccountsError::Absent)
    }

    fn now(&self) -> Micros {
        self.shared.parts.clock.now()
    }

    /// One try from there; nobody counts those from this machine.
    fn try_from(&self, address: Option<&str>) -> Result<(), AccountsError> {
        match address {
            Some(address) => self.shared.per_address.take(address).map_err(AccountsError::TooMany),
            None => Ok(()),
        }
    }

    async fn write(&self, write: AccountWrite) -> Result<Written, AccountsError> {
        let written = self.shared.parts.store.write(Write::Accounts(write)).await;
        match written {
            Ok(Written::Ended(ended)) => {
                self.shared.parts.sessions.forget(&ended);
                Ok(Written::Ended(ended))
            }
            Ok(Written::Taken) => Err(AccountsError::Taken),
            Ok(Written::Absent) => Err(AccountsError::Absent),
            Ok(written) => Ok(written),
            Err(error) => {
                if matches!(error, WriteError::Unknown) {
                    self.shared.parts.sessions.forget_all();
                }
                Err(error.into())
            }
        }
    }

    async fn do_it(&self, write: AccountWrite) -> Result<(), AccountsError> {
        match self.write(write).await? {
            Written::Done | Written::Ended(_) => {
                self.shared.parts.mail.wake();
                Ok(())
            }
            other => Err(unexpected(&other).into()),
        }
    }

    fn mail(&self, kind: &'static str, to: &Email, text: MailText, lasts: Duration) -> NewMail {
        let at = self.now();
        NewMail {
            id: MailId(self.shared.parts.ids.next()),
            kind,
            recipient: to.to_string(),
            subject: text.subject,
            body: MailBody(text.body),
            at,
            until: at.plus(lasts),
        }
    }

    /// A token for a link, and what of it is kept.
    fn token(&self) -> (Secret, TokenHash) {
        let token = Secret::new(URL_SAFE_NO_PAD.encode(self.shared.parts.chance.bytes()));
        let hash = super::sessions::hash(&token);
        (token, hash)
    }

    fn salt(&self) -> [u8; 16] {
        let mut salt = [0; 16];
        salt.copy_from_slice(&self.shared.parts.chance.bytes()[..16]);
        salt
    }
}

/// What a session of this account may do.
fn who(account: &Account) -> Who {
    match account.post {
        Post::Buyer { customer, role } => {
            Who::Buyer { user: account.id, customer, rights: role.rights() }
        }
        Post::Staff { role } => Who::Staff { user: account.id, permissions: role.permissions() },
    }
}
