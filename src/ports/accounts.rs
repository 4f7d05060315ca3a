//! Customers, accounts and their addresses as they are kept.

use super::{StoreError, mail::NewMail, sessions::TokenHash};
use crate::domain::{
    account::{Account, Customer, CustomerGroup, CustomerKind, Email, Post, SavedAddress},
    audit::Change,
    id::{AddressId, CustomerGroupId, CustomerId, SessionId, UserId},
    time::Micros,
};
use async_trait::async_trait;
use serde::Serialize;

/// A password's hash as its hasher wrote it, with its own salt and parameters.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(pub String);

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[hash]")
    }
}

/// An account with what its password is checked against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    pub account: Account,
    /// `None`: nobody set one yet, so nobody comes in.
    pub password: Option<PasswordHash>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCustomer {
    pub id: CustomerId,
    pub kind: CustomerKind,
    pub name: String,
    pub tax_number: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccount {
    pub id: UserId,
    pub post: Post,
    pub email: Email,
    pub name: String,
    pub password: Option<PasswordHash>,
}

/// What a token lets its holder do, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Set a password for its account.
    Reset,
    /// Become the shop's owner.
    Setup,
}

impl Purpose {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reset => "reset",
            Self::Setup => "setup",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewToken {
    pub hash: TokenHash,
    /// `None`: for whoever comes first.
    pub account: Option<UserId>,
    pub purpose: Purpose,
    pub at: Micros,
    pub expires_at: Micros,
}

/// A change of accounts.
#[derive(Debug, Clone)]
pub enum AccountWrite {
    /// A new customer with its first account. `Taken`: somebody has that address of mail.
    Register {
        customer: NewCustomer,
        account: NewAccount,
        mail: Option<NewMail>,
        at: Micros,
    },
    /// One more account, who sets a password by the token. `Taken` as above.
    Invite {
        account: NewAccount,
        token: NewToken,
        mail: NewMail,
        by: String,
        at: Micros,
    },
    /// The first of the shop's own people, by the token that was printed. `Absent`: the token is
    /// none, or was used; `Taken` as above.
    SetUp {
        token: TokenHash,
        account: NewAccount,
        at: Micros,
    },
    /// Keeps a token, with the mail that hands it over.
    PutToken {
        token: NewToken,
        mail: Option<NewMail>,
    },
    /// The same password under another hash, unless it was changed meanwhile.
    Rehash {
        user: UserId,
        old: PasswordHash,
        new: PasswordHash,
    },
    /// Ends the user's sessions but for `but`, and all their tokens.
    SetPassword {
        user: UserId,
        password: PasswordHash,
        but: Option<SessionId>,
        mail: Option<NewMail>,
        at: Micros,
    },
    /// The same by a token, once. `Absent`: the token is none, was used, or is too old.
    UseToken {
        token: TokenHash,
        password: PasswordHash,
        mail: Option<NewMail>,
        at: Micros,
    },
    /// `Taken` as above; the mail goes out only if something was changed.
    ChangeAccount {
        user: UserId,
        name: String,
        email: Email,
        mail: Option<NewMail>,
        at: Micros,
    },
    ChangeCustomer {
        id: CustomerId,
        name: String,
        tax_number: Option<String>,
        at: Micros,
    },
    /// Another role, or whether they may come in at all; ends the user's sessions. `Conflict`:
    /// nobody would be left who may say who comes in.
    ChangePost {
        user: UserId,
        post: Post,
        active: bool,
        by: String,
        at: Micros,
    },
    /// Locks out somebody who acts for this customer, or lets them back in; both end their sessions
    /// and keys, so that none comes back to life. `Absent`: nobody of that id acts for it.
    SetLocked {
        customer: CustomerId,
        user: UserId,
        locked: bool,
        by: String,
        at: Micros,
    },
    /// `None` takes the customer out of its group.
    SetGroup {
        customer: CustomerId,
        group: Option<CustomerGroupId>,
        by: String,
        at: Micros,
    },
    /// `Taken`: another group has that code.
    PutGroup {
        group: CustomerGroup,
        by: String,
        at: Micros,
    },
    /// Writes one of a customer's addresses, a new one where `Absent` would be the answer if
    /// `new` were false.
    PutAddress {
        address: Box<SavedAddress>,
        new: bool,
    },
    DropAddress {
        customer: CustomerId,
        id: AddressId,
    },
    /// Takes out all that names a person: of the customer, its accounts, addresses, sessions and
    /// waiting mail. What is left is what books need. Ends its sessions.
    Erase {
        customer: CustomerId,
        by: String,
        at: Micros,
    },
    /// Takes out what names a person in up to `most` orders of erased customers: names, streets,
    /// phones and address of mail. An order that is still to be sent keeps them until it was.
    RedactOrders {
        most: u32,
    },
    /// Drops tokens that are over, up to `most`.
    SweepTokens {
        expired_before: Micros,
        most: u32,
    },
}

/// For the audit log: somebody is locked out, or let back in.
pub fn locking(user: UserId, locked: bool, by: &str, at: Micros) -> Change {
    #[derive(Serialize)]
    struct Lock {
        locked: bool,
    }
    let action = if locked { "account.lock" } else { "account.let_in" };
    let (old, new) = (Lock { locked: !locked }, Lock { locked });
    Change::new(at, by, action, format!("user:{user}"), Some(&old), Some(&new))
}

#[async_trait]
pub trait Accounts: Send + Sync {
    async fn by_email(&self, email: &Email) -> Result<Option<Credentials>, StoreError>;
    async fn by_user(&self, user: UserId) -> Result<Option<Credentials>, StoreError>;
    /// Whose token it is, while it may be used; `Some(None)`: nobody's in particular.
    async fn by_token(
        &self,
        token: TokenHash,
        purpose: Purpose,
        now: Micros,
    ) -> Result<Option<Option<UserId>>, StoreError>;
    async fn customer(&self, id: CustomerId) -> Result<Option<Customer>, StoreError>;
    /// By age, up to `limit` behind `after`.
    async fn customers(
        &self,
        after: Option<CustomerId>,
        limit: u32,
    ) -> Result<Vec<Customer>, StoreError>;
    /// Up to `limit` customers before one, the newest first, each with an address of mail of one
    /// who logs in for it: those of which `text` is a part of the name, the tax number or such an
    /// address. Looks at all of them where few fit.
    async fn find_customers(
        &self,
        text: &str,
        before: Option<CustomerId>,
        limit: u32,
    ) -> Result<Vec<(Customer, Option<String>)>, StoreError>;
    /// Who logs in for this customer, or (`None`) for the shop; by age.
    async fn accounts(&self, customer: Option<CustomerId>) -> Result<Vec<Account>, StoreError>;
    async fn addresses(&self, customer: CustomerId) -> Result<Vec<SavedAddress>, StoreError>;
    async fn groups(&self) -> Result<Vec<CustomerGroup>, StoreError>;
}
