//! Who else acts: a company's users, the shop's own people, customers and their groups.

use super::{Accounts, AccountsError, DAY, INVITED_DAYS};
use crate::{
    domain::{
        account::{Account, Customer, CustomerGroup, Faults, Field, FieldFault, Post},
        id::{CustomerGroupId, CustomerId, UserId},
        principal::Principal,
    },
    ports::accounts::{AccountWrite, NewAccount, NewToken, Purpose},
    ports::writer::Written,
};

/// Who is to act, and as what. They set their password by a mailed link.
#[derive(Debug, Clone)]
pub(crate) struct Invitation {
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) post: Post,
}

impl Accounts {
    pub(crate) async fn invite(
        &self,
        invitation: Invitation,
        by: &Principal,
    ) -> Result<UserId, AccountsError> {
        let (made, invite) = self.to_invite(invitation, by)?;
        self.do_it(invite).await.map(|()| made.id)
    }

    pub(super) fn to_invite(
        &self,
        invitation: Invitation,
        by: &Principal,
    ) -> Result<(Account, AccountWrite), AccountsError> {
        let mut faults = Faults::default();
        let name = faults.name(Field::Name, &invitation.name);
        let email = faults.email(&invitation.email);
        faults.end().map_err(AccountsError::Invalid)?;
        let Some(email) = email else { return Err(AccountsError::Absent) };
        let parts = &self.shared.parts;
        let id = UserId(parts.ids.next());
        let (secret, hash) = self.token();
        let (at, lasts) = (self.now(), DAY * INVITED_DAYS as u32);
        let (purpose, expires_at) = (Purpose::Reset, at.plus(lasts));
        let token = NewToken { hash, account: Some(id), purpose, at, expires_at };
        let text = parts.sender.invitation(&secret, INVITED_DAYS);
        let mail = self.mail("invitation", &email, text, lasts);
        let post = invitation.post;
        let made = Account {
            id,
            post,
            email: Some(email.clone()),
            name: name.clone(),
            active: true,
            locked_at: None,
            created_at: at,
            logged_in_at: None,
        };
        let account = NewAccount { id, post, email, name, password: None };
        let by = by.to_string();
        Ok((made, AccountWrite::Invite { account, token, mail, by, at }))
    }

    /// Who logs in for a customer, or (`None`) for the shop.
    pub(crate) async fn people(
        &self,
        customer: Option<CustomerId>,
    ) -> Result<Vec<Account>, AccountsError> {
        Ok(self.shared.parts.rows.accounts(customer).await?)
    }

    /// Another role, or whether they may come in; ends their sessions. `Absent` for somebody who
    /// acts for somebody else.
    pub(crate) async fn change_post(
        &self,
        user: UserId,
        post: Post,
        active: bool,
        by: &Principal,
    ) -> Result<(), AccountsError> {
        let (by, at) = (by.to_string(), self.now());
        let change = AccountWrite::ChangePost { user, post, active, by, at };
        match self.write(change).await? {
            Written::Conflict => {
                let told = "nobody would be left who may say who comes in";
                Err(AccountsError::Conflict(told))
            }
            _ => Ok(()),
        }
    }

    /// Locks somebody out who acts for this customer, or lets them back in; ends their sessions and
    /// keys. Their own customer has no say in it.
    pub(crate) async fn set_locked(
        &self,
        customer: CustomerId,
        user: UserId,
        locked: bool,
        by: &Principal,
    ) -> Result<(), AccountsError> {
        let (by, at) = (by.to_string(), self.now());
        self.do_it(AccountWrite::SetLocked { customer, user, locked, by, at }).await
    }

    pub(crate) async fn customers(
        &self,
        after: Option<CustomerId>,
        limit: u32,
    ) -> Result<Vec<Customer>, AccountsError> {
        Ok(self.shared.parts.rows.customers(after, limit).await?)
    }

    /// The newest first, each with an address of mail; see the port.
    pub(crate) async fn find_customers(
        &self,
        text: &str,
        before: Option<CustomerId>,
        limit: u32,
    ) -> Result<Vec<(Customer, Option<String>)>, AccountsError> {
        Ok(self.shared.parts.rows.find_customers(text, before, limit).await?)
    }

    pub(crate) async fn groups(&self) -> Result<Vec<CustomerGroup>, AccountsError> {
        Ok(self.shared.parts.rows.groups().await?)
    }

    /// `Taken`: another one has that code.
    pub(crate) async fn put_group(
        &self,
        id: CustomerGroupId,
        code: &str,
        name: &str,
        by: &Principal,
    ) -> Result<CustomerGroup, AccountsError> {
        let (group, put) = self.group_to_put(Some(id), code, name, by).await?;
        self.do_it(put).await.map(|()| group)
    }

    pub(super) async fn group_to_put(
        &self,
        id: Option<CustomerGroupId>,
        code: &str,
        name: &str,
        by: &Principal,
    ) -> Result<(CustomerGroup, AccountWrite), AccountsError> {
        let mut faults = Faults::default();
        let name = faults.name(Field::Name, name);
        let code = faults.code(code);
        faults.end().map_err(AccountsError::Invalid)?;
        if let Some(id) = id
            && !self.groups().await?.iter().any(|group| group.id == id)
        {
            return Err(AccountsError::Absent);
        }
        let id = id.unwrap_or_else(|| CustomerGroupId(self.shared.parts.ids.next()));
        let group = CustomerGroup { id, code, name };
        let (by, at) = (by.to_string(), self.now());
        let put = AccountWrite::PutGroup { group: group.clone(), by, at };
        Ok((group, put))
    }

    /// `None` takes the customer out of its group.
    pub(crate) async fn set_group(
        &self,
        customer: CustomerId,
        group: Option<CustomerGroupId>,
        by: &Principal,
    ) -> Result<(), AccountsError> {
        let (by, at) = (by.to_string(), self.now());
        match self.write(AccountWrite::SetGroup { customer, group, by, at }).await? {
            Written::Conflict => {
                let fault = "there is no such group".to_owned();
                Err(AccountsError::Invalid(vec![FieldFault { field: Field::Group, fault }]))
            }
            _ => Ok(()),
        }
    }
}
