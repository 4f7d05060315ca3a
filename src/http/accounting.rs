//! Accounts, as the edge asks them.

use crate::{
    actors::keepers::{
        accounts::{
            Accounts, AccountsError, AddressWish, Invitation, KeyMade, LogIn, Making, Newcomer,
        },
        sessions::{Opened, Whence},
    },
    domain::{
        account::{Account, Customer, CustomerGroup, FieldFault, Post, SavedAddress},
        id::{AddressId, CustomerGroupId, CustomerId, SessionId, UserId},
        once::KeptAnswer,
        principal::Principal,
        secret::Secret,
        session::Session,
        time::Micros,
    },
    http::error::{Code, FieldError, Problem},
};
use async_trait::async_trait;

/// Declares the trait and fulfils it by the handle of the same methods, with errors in a client's
/// words.
macro_rules! accounting {
    ($(fn $name:ident(&self $(, $arg:ident: $type:ty)*) -> $out:ty;)*) => {
        #[async_trait]
        pub(crate) trait Accounting: Send + Sync {
            /// Mails a link, if there is anybody of that address.
            fn forgot(&self, email: &str, from: Option<&str>) -> Result<(), Problem>;
            $(async fn $name(&self $(, $arg: $type)*) -> Result<$out, Problem>;)*
        }

        #[async_trait]
        impl Accounting for Accounts {
            fn forgot(&self, email: &str, from: Option<&str>) -> Result<(), Problem> {
                Ok(Accounts::forgot(self, email, from)?)
            }
            $(async fn $name(&self $(, $arg: $type)*) -> Result<$out, Problem> {
                Ok(Accounts::$name(self $(, $arg)*).await?)
            })*
        }
    };
}

accounting! {
    fn log_in(&self, wish: LogIn) -> Opened;
    fn register(&self, newcomer: Newcomer) -> Opened;
    fn may_set_up(&self, token: &Secret) -> bool;
    fn set_up(&self, token: &Secret, newcomer: Newcomer) -> Opened;
    fn may_reset(&self, token: &Secret) -> bool;
    fn reset(&self, token: &Secret, password: Secret, from: Option<&str>) -> ();
    fn change_password(
        &self, user: UserId, session: SessionId, current: Secret, password: Secret
    ) -> ();
    fn change_account(
        &self, user: UserId, name: &str, email: &str, current: Option<Secret>
    ) -> ();
    fn change_customer(&self, id: CustomerId, name: &str, tax_number: &str) -> ();
    fn account(&self, user: UserId) -> Account;
    fn customer(&self, id: CustomerId) -> Customer;
    fn addresses(&self, customer: CustomerId) -> Vec<SavedAddress>;
    fn address(&self, customer: CustomerId, id: AddressId) -> SavedAddress;
    fn put_address(
        &self, customer: CustomerId, id: Option<AddressId>, wish: AddressWish
    ) -> SavedAddress;
    fn drop_address(&self, customer: CustomerId, id: AddressId) -> ();
    fn add_address(
        &self, customer: CustomerId, wish: AddressWish, making: Making<SavedAddress>
    ) -> KeptAnswer;
    fn make_key(
        &self, maker: &Session, scopes: &[String], whence: Whence, ends_at: Option<Micros>,
        making: Making<Session>
    ) -> KeyMade;
    fn keys(&self, user: UserId) -> Vec<Session>;
    fn end_key(&self, user: UserId, id: SessionId) -> ();
    fn invite(&self, invitation: Invitation, by: &Principal) -> UserId;
    fn invite_once(
        &self, invitation: Invitation, by: &Principal, making: Making<Account>
    ) -> KeptAnswer;
    fn people(&self, customer: Option<CustomerId>) -> Vec<Account>;
    fn change_post(&self, user: UserId, post: Post, active: bool, by: &Principal) -> ();
    fn set_locked(
        &self, customer: CustomerId, user: UserId, locked: bool, by: &Principal
    ) -> ();
    fn customers(&self, after: Option<CustomerId>, limit: u32) -> Vec<Customer>;
    fn find_customers(
        &self, text: &str, before: Option<CustomerId>, limit: u32
    ) -> Vec<(Customer, Option<String>)>;
    fn groups(&self) -> Vec<CustomerGroup>;
    fn add_group(
        &self, code: &str, name: &str, by: &Principal, making: Making<CustomerGroup>
    ) -> KeptAnswer;
    fn put_group(
        &self, id: CustomerGroupId, code: &str, name: &str, by: &Principal
    ) -> CustomerGroup;
    fn set_group(
        &self, customer: CustomerId, group: Option<CustomerGroupId>, by: &Principal
    ) -> ();
    fn erase(&self, customer: CustomerId, by: &Principal) -> ();
    fn erase_own(&self, by: &Principal, password: Secret) -> ();
}

impl From<FieldFault> for FieldError {
    fn from(fault: FieldFault) -> Self {
        let pointer = Some(format!("/{}", fault.field.as_str()));
        Self { pointer, detail: fault.fault, ..Self::default() }
    }
}

impl From<AccountsError> for Problem {
    fn from(error: AccountsError) -> Self {
        let told = error.to_string();
        match error {
            AccountsError::Wrong => Self::new(Code::WrongCredentials, told),
            AccountsError::TooMany(wait) => Self::too_many(told, wait),
            AccountsError::Invalid(faults) => {
                let errors = faults.into_iter().map(Into::into).collect();
                Self { errors, ..Self::new(Code::BadContent, told) }
            }
            AccountsError::Taken => Self::new(Code::Taken, told),
            AccountsError::Absent => Self::new(Code::NotFound, told),
            AccountsError::Refused(_) => Self::new(Code::BadContent, told),
            AccountsError::Conflict(_) => Self::new(Code::Conflict, told),
            AccountsError::Busy => Self::overloaded("too much is asked at the moment"),
            AccountsError::Passwords(error) => Self {
                cause: Some(error.to_string()),
                ..Self::overloaded("too many people log in at the moment")
            },
            AccountsError::Sessions(error) => error.into(),
            AccountsError::Read(error) => error.into(),
            AccountsError::Write(error) => error.into(),
            AccountsError::Once(error) => error.into(),
        }
    }
}
