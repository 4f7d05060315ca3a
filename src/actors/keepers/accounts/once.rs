//! What is made once, however often it is asked.
//!
//! The answer is kept in the transaction that makes the thing, so whoever lost it asks again under
//! the same name and is told the same. A key's token is kept nowhere: whoever asks for one again is
//! told which key was made, so that they can withdraw it.

use super::{Accounts, AccountsError, AddressWish, Invitation};
use crate::{
    actors::keepers::{
        sessions::{Opened, Whence},
        writer::{OnceError, Told, unexpected},
    },
    domain::{
        account::{Account, CustomerGroup, SavedAddress},
        id::CustomerId,
        once::{BodyHash, KeptAnswer, OnceName},
        principal::Principal,
        session::Session,
        time::Micros,
    },
    ports::{
        accounts::AccountWrite,
        writer::{Answering, Once, Write, Written},
    },
};
use std::sync::Arc;

/// Under which name, and what is answered of what was made.
pub(crate) struct Making<T> {
    pub(crate) name: OnceName,
    pub(crate) body: BodyHash,
    pub(crate) answer: fn(&T) -> KeptAnswer,
}

/// A key, or what is told of the one that was made under this name before.
pub(crate) enum KeyMade {
    Now(Box<Opened>),
    Before(KeptAnswer),
}

impl Accounts {
    pub(crate) async fn add_address(
        &self,
        customer: CustomerId,
        wish: AddressWish,
        making: Making<SavedAddress>,
    ) -> Result<KeptAnswer, AccountsError> {
        let prepared = self.address_to_put(customer, None, wish).await;
        self.make(prepared, making).await
    }

    pub(crate) async fn add_group(
        &self,
        code: &str,
        name: &str,
        by: &Principal,
        making: Making<CustomerGroup>,
    ) -> Result<KeptAnswer, AccountsError> {
        let prepared = self.group_to_put(None, code, name, by).await;
        self.make(prepared, making).await
    }

    pub(crate) async fn invite_once(
        &self,
        invitation: Invitation,
        by: &Principal,
        making: Making<Account>,
    ) -> Result<KeptAnswer, AccountsError> {
        let prepared = self.to_invite(invitation, by);
        self.make(prepared, making).await
    }

    /// A key for a program: some of what its maker may do, without what a key never may.
    pub(crate) async fn make_key(
        &self,
        maker: &Session,
        scopes: &[String],
        whence: Whence,
        ends_at: Option<Micros>,
        making: Making<Session>,
    ) -> Result<KeyMade, AccountsError> {
        let opening = match self.key_to_open(maker, scopes, whence, ends_at).await {
            Ok(opening) => opening,
            Err(error) => return self.told(&making, error).await.map(KeyMade::Before),
        };
        let Making { name, body, answer } = making;
        let (write, opened) = self.shared.parts.sessions.to_open(opening);
        let kept = answer(&opened.session);
        match self.once(name, body, write, kept).await? {
            // Another key's id stands in what was kept for another one.
            told if told.body.contains(&opened.session.id.to_string()) => {
                Ok(KeyMade::Now(Box::new(opened)))
            }
            told => Ok(KeyMade::Before(told)),
        }
    }

    async fn make<T>(
        &self,
        prepared: Result<(T, AccountWrite), AccountsError>,
        making: Making<T>,
    ) -> Result<KeptAnswer, AccountsError> {
        let (made, write) = match prepared {
            Ok(prepared) => prepared,
            Err(error) => return self.told(&making, error).await,
        };
        let Making { name, body, answer } = making;
        let told = self.once(name, body, Write::Accounts(write), answer(&made)).await?;
        self.shared.parts.mail.wake();
        Ok(told)
    }

    /// What was made before may be what is in the way now; whoever asks again is told of it.
    async fn told<T>(
        &self,
        making: &Making<T>,
        error: AccountsError,
    ) -> Result<KeptAnswer, AccountsError> {
        match self.shared.parts.kept.find(making.name).await? {
            Some(kept) if kept.body == making.body => Ok(kept.answer),
            Some(_) => Err(OnceError::OtherBody.into()),
            None => Err(error),
        }
    }

    async fn once(
        &self,
        name: OnceName,
        body: BodyHash,
        write: Write,
        kept: KeptAnswer,
    ) -> Result<KeptAnswer, AccountsError> {
        let answer: Answering =
            Arc::new(move |written| matches!(written, Written::Done).then(|| kept.clone()));
        let once = Once { name, body, at: self.now(), write: Box::new(write), answer };
        match self.shared.parts.store.once(once).await? {
            Told::Answer(answer) => Ok(answer),
            Told::Once(Written::Taken) => Err(AccountsError::Taken),
            Told::Once(Written::Absent) => Err(AccountsError::Absent),
            Told::Once(other) => Err(unexpected(&other).into()),
        }
    }
}
