//! Becoming a customer, and becoming the shop's owner.

use super::{Accounts, AccountsError, Credential, DAY, LogIn};
use crate::{
    actors::keepers::sessions::{Opened, Whence, hash},
    domain::{
        account::{Account, Faults, Field, Post, Registration},
        id::{CustomerId, UserId},
        policy::{BuyerRole, StaffRole},
        secret::Secret,
        session::{Session, Via},
    },
    ports::accounts::{AccountWrite, NewAccount, NewCustomer, NewToken, Purpose},
};
use std::time::Duration;

/// How long the link to the shop's set-up holds; every start prints a new one.
const SETUP_HOLDS: Duration = Duration::from_secs(24 * 60 * 60);

/// Who registers, from where, and how they go on.
#[derive(Debug, Clone)]
pub(crate) struct Newcomer {
    pub(crate) registration: Registration,
    pub(crate) before: Option<Session>,
    pub(crate) via: Via,
    pub(crate) whence: Whence,
    pub(crate) from: Option<String>,
}

impl Accounts {
    /// A new customer, logged in. Sent twice it is one: who is there already, and knows the
    /// password, is logged in.
    pub(crate) async fn register(&self, newcomer: Newcomer) -> Result<Opened, AccountsError> {
        let Newcomer { registration, before, via, whence, from } = newcomer;
        let checked = registration.check().map_err(AccountsError::Invalid)?;
        self.try_from(from.as_deref())?;
        let parts = &self.shared.parts;
        let at = self.now();
        let again = LogIn {
            credential: Credential {
                email: registration.email,
                password: registration.password.clone(),
            },
            before: before.clone(),
            via,
            whence: whence.clone(),
            from: None,
        };
        if parts.rows.by_email(&checked.email).await?.is_some() {
            return self.taken(again).await;
        }
        let password = Some(parts.passwords.hash(registration.password, self.salt()).await?);
        let customer = CustomerId(parts.ids.next());
        let post = Post::Buyer { customer, role: BuyerRole::Admin };
        let account = NewAccount {
            id: UserId(parts.ids.next()),
            post,
            email: checked.email.clone(),
            name: checked.name.clone(),
            password,
        };
        let made = Account {
            id: account.id,
            post,
            email: Some(checked.email.clone()),
            name: checked.name,
            active: true,
            locked_at: None,
            created_at: at,
            logged_in_at: None,
        };
        let customer = NewCustomer {
            id: customer,
            kind: checked.kind,
            name: checked.customer,
            tax_number: checked.tax_number,
        };
        let mail = Some(self.mail("welcome", &checked.email, parts.sender.welcome(), DAY * 3));
        match self.do_it(AccountWrite::Register { customer, account, mail, at }).await {
            Err(AccountsError::Taken) => self.taken(again).await,
            Err(other) => Err(other),
            Ok(()) => self.come_in(&made, before.as_ref(), via, whence).await,
        }
    }

    async fn taken(&self, again: LogIn) -> Result<Opened, AccountsError> {
        match self.log_in(again).await {
            Err(AccountsError::Wrong) => Err(AccountsError::Taken),
            other => other,
        }
    }

    /// A link's token with which the shop gets its owner; the one before it is dead. `None`: it has
    /// staff already.
    pub(crate) async fn offer_setup(&self) -> Result<Option<Secret>, AccountsError> {
        if !self.shared.parts.rows.accounts(None).await?.is_empty() {
            return Ok(None);
        }
        let (token, hash) = self.token();
        let at = self.now();
        let (purpose, expires_at) = (Purpose::Setup, at.plus(SETUP_HOLDS));
        let row = NewToken { hash, account: None, purpose, at, expires_at };
        self.do_it(AccountWrite::PutToken { token: row, mail: None }).await?;
        Ok(Some(token))
    }

    pub(crate) async fn may_set_up(&self, token: &Secret) -> Result<bool, AccountsError> {
        let (hash, now) = (hash(token), self.now());
        Ok(self.shared.parts.rows.by_token(hash, Purpose::Setup, now).await?.is_some())
    }

    /// The shop's owner, logged in. `Absent`: the link is none, was used, or is too old.
    pub(crate) async fn set_up(
        &self,
        token: &Secret,
        newcomer: Newcomer,
    ) -> Result<Opened, AccountsError> {
        let Newcomer { registration, before, via, whence, from } = newcomer;
        self.try_from(from.as_deref())?;
        if !self.may_set_up(token).await? {
            return Err(AccountsError::Absent);
        }
        let mut faults = Faults::default();
        let name = faults.name(Field::Name, &registration.name);
        let email = faults.email(&registration.email);
        faults.password(&registration.password, email.as_ref());
        faults.end().map_err(AccountsError::Invalid)?;
        let Some(email) = email else { return Err(AccountsError::Absent) };
        let parts = &self.shared.parts;
        let password = Some(parts.passwords.hash(registration.password, self.salt()).await?);
        let post = Post::Staff { role: StaffRole::Owner };
        let id = UserId(parts.ids.next());
        let at = self.now();
        let account = NewAccount { id, post, email: email.clone(), name: name.clone(), password };
        self.do_it(AccountWrite::SetUp { token: hash(token), account, at }).await?;
        let made = Account {
            id,
            post,
            email: Some(email),
            name,
            active: true,
            locked_at: None,
            created_at: at,
            logged_in_at: None,
        };
        self.come_in(&made, before.as_ref(), via, whence).await
    }
}
