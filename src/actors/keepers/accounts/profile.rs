//! What somebody changes about themselves and their customer: names, addresses, keys.

use super::{Accounts, AccountsError, DAY};
use crate::{
    actors::keepers::sessions::{Opening, Whence},
    domain::{
        account::{Faults, Field, MOST_TAX_NUMBER, SavedAddress},
        address::Address,
        id::{AddressId, CustomerId, SessionId, UserId},
        policy::{NEVER_A_KEYS, NEVER_A_STAFF_KEYS, Permissions, Rights},
        principal::Principal,
        secret::Secret,
        session::{Session, Via, Who},
        time::Micros,
    },
    ports::accounts::AccountWrite,
};

/// Addresses in one customer's book.
const MOST_ADDRESSES: usize = 200;
/// Keys of one user.
const MOST_KEYS: usize = 50;

/// An address as it is to be, by its owner.
#[derive(Debug, Clone)]
pub(crate) struct AddressWish {
    pub(crate) address: Address,
    pub(crate) default_shipping: bool,
    pub(crate) default_billing: bool,
}

impl Accounts {
    /// Another name or address of mail. For another address the present password is asked: who
    /// has the mail has the account.
    pub(crate) async fn change_account(
        &self,
        user: UserId,
        name: &str,
        email: &str,
        current: Option<Secret>,
    ) -> Result<(), AccountsError> {
        let mut faults = Faults::default();
        let name = faults.name(Field::Name, name);
        let email = faults.email(email);
        faults.end().map_err(AccountsError::Invalid)?;
        let Some(email) = email else { return Err(AccountsError::Absent) };
        let account = self.account(user).await?;
        let moves = account.email.as_ref() != Some(&email);
        if moves {
            let Some(current) = current else {
                let mut faults = Faults::default();
                faults.note(Field::CurrentPassword, "say it to change your address of mail");
                return Err(AccountsError::Invalid(faults.0));
            };
            self.confirm(user, current).await?;
        }
        let text = self.shared.parts.sender.email_changed();
        let old = account.email.filter(|_| moves);
        let mail = old.map(|old| self.mail("email_changed", &old, text, DAY * 3));
        let at = self.now();
        self.do_it(AccountWrite::ChangeAccount { user, name, email, mail, at }).await
    }

    pub(crate) async fn change_customer(
        &self,
        id: CustomerId,
        name: &str,
        tax_number: &str,
    ) -> Result<(), AccountsError> {
        let mut faults = Faults::default();
        let name = faults.name(Field::Company, name);
        let tax_number = faults.line(Field::TaxNumber, tax_number, MOST_TAX_NUMBER);
        faults.end().map_err(AccountsError::Invalid)?;
        let at = self.now();
        self.do_it(AccountWrite::ChangeCustomer { id, name, tax_number, at }).await
    }

    pub(crate) async fn addresses(
        &self,
        customer: CustomerId,
    ) -> Result<Vec<SavedAddress>, AccountsError> {
        Ok(self.shared.parts.rows.addresses(customer).await?)
    }

    pub(crate) async fn address(
        &self,
        customer: CustomerId,
        id: AddressId,
    ) -> Result<SavedAddress, AccountsError> {
        let found = self.addresses(customer).await?.into_iter().find(|one| one.id == id);
        found.ok_or(AccountsError::Absent)
    }

    /// A new one for `None`. The first of a customer is where everything goes.
    pub(crate) async fn put_address(
        &self,
        customer: CustomerId,
        id: Option<AddressId>,
        wish: AddressWish,
    ) -> Result<SavedAddress, AccountsError> {
        let (address, put) = self.address_to_put(customer, id, wish).await?;
        self.do_it(put).await.map(|()| address)
    }

    pub(super) async fn address_to_put(
        &self,
        customer: CustomerId,
        id: Option<AddressId>,
        wish: AddressWish,
    ) -> Result<(SavedAddress, AccountWrite), AccountsError> {
        let known = self.addresses(customer).await?;
        let before = id.and_then(|id| known.iter().find(|one| one.id == id));
        if id.is_some() && before.is_none() {
            return Err(AccountsError::Absent);
        }
        if id.is_none() && known.len() >= MOST_ADDRESSES {
            return Err(AccountsError::Conflict("there are as many addresses as there may be"));
        }
        let first = known.iter().all(|one| Some(one.id) == id);
        let now = self.now();
        let address = SavedAddress {
            id: id.unwrap_or_else(|| AddressId(self.shared.parts.ids.next())),
            customer,
            address: wish.address,
            default_shipping: wish.default_shipping || first,
            default_billing: wish.default_billing || first,
            created_at: before.map_or(now, |before| before.created_at),
            updated_at: now,
        };
        let new = id.is_none();
        let put = AccountWrite::PutAddress { address: Box::new(address.clone()), new };
        Ok((address, put))
    }

    pub(crate) async fn drop_address(
        &self,
        customer: CustomerId,
        id: AddressId,
    ) -> Result<(), AccountsError> {
        self.do_it(AccountWrite::DropAddress { customer, id }).await
    }

    pub(super) async fn key_to_open(
        &self,
        maker: &Session,
        scopes: &[String],
        whence: Whence,
        ends_at: Option<Micros>,
    ) -> Result<Opening, AccountsError> {
        let Some(user) = maker.user() else { return Err(AccountsError::Absent) };
        let (who, scopes) = granted(maker.who, scopes)?;
        let sessions = &self.shared.parts.sessions;
        let there = sessions.list(user).await?;
        if there.iter().filter(|one| one.via == Via::Key).count() >= MOST_KEYS {
            return Err(AccountsError::Conflict("there are as many keys as there may be"));
        }
        Ok(Opening { who, via: Via::Key, scopes: Some(scopes), whence, ends_at })
    }

    pub(crate) async fn keys(&self, user: UserId) -> Result<Vec<Session>, AccountsError> {
        let mut found = self.shared.parts.sessions.list(user).await?;
        found.retain(|one| one.via == Via::Key);
        Ok(found)
    }

    pub(crate) async fn end_key(&self, user: UserId, id: SessionId) -> Result<(), AccountsError> {
        let key = self.keys(user).await?.into_iter().any(|key| key.id == id);
        if !key || !self.shared.parts.sessions.end(id, Some(user)).await? {
            return Err(AccountsError::Absent);
        }
        Ok(())
    }

    /// The customer of somebody who asks for it themselves, and shows that they are.
    pub(crate) async fn erase_own(
        &self,
        by: &Principal,
        password: Secret,
    ) -> Result<(), AccountsError> {
        let Principal::Buyer { user, customer, .. } = by else {
            return Err(AccountsError::Absent);
        };
        self.confirm(*user, password).await?;
        self.erase(*customer, by).await
    }

    /// Takes out all that names the customer and its people; what books need stays.
    pub(crate) async fn erase(
        &self,
        customer: CustomerId,
        by: &Principal,
    ) -> Result<(), AccountsError> {
        let (by, at) = (by.to_string(), self.now());
        self.do_it(AccountWrite::Erase { customer, by, at }).await
    }
}

/// The maker with so much of their rights, and how a row says it.
fn granted(maker: Who, scopes: &[String]) -> Result<(Who, String), AccountsError> {
    let wanted = scopes.join(",");
    let refuse =
        |what: &str| Err(AccountsError::Refused(format!("a key of yours can't be granted {what}")));
    if scopes.is_empty() {
        return refuse("nothing at all: name its scopes");
    }
    match maker {
        Who::Guest => Err(AccountsError::Absent),
        Who::Buyer { user, customer, rights } => {
            let may = rights.without(Rights::of(NEVER_A_KEYS.iter().copied()));
            let asked = Rights::from_text(&wanted);
            let known = |scope: &&String| may.iter().any(|right| right.as_str() == **scope);
            match scopes.iter().find(|scope| !known(scope)) {
                Some(scope) => refuse(&format!("{scope:?}; there are {}", may.to_text())),
                None => Ok((Who::Buyer { user, customer, rights: asked }, asked.to_text())),
            }
        }
        Who::Staff { user, permissions } => {
            let never = Permissions::of(NEVER_A_STAFF_KEYS.iter().copied());
            let may = permissions.without(never);
            let asked = Permissions::from_text(&wanted);
            let known = |scope: &&String| may.iter().any(|one| one.as_str() == **scope);
            match scopes.iter().find(|scope| !known(scope)) {
                Some(scope) => refuse(&format!("{scope:?}; there are {}", may.to_text())),
                None => Ok((Who::Staff { user, permissions: asked }, asked.to_text())),
            }
        }
    }
}
