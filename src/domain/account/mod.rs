//! Customers, and the people who log in for them or for the shop.
//!
//! A *customer* orders: a company, or one person. An *account* is somebody who logs in: a buyer of
//! a customer, with a role there, or one of the shop's own people. Orders and books belong to the
//! customer, so that somebody who leaves a company takes nothing along.

mod email;
mod password;

pub use email::{Email, NotAnEmail};
pub use password::{LEAST as LEAST_PASSWORD, MOST as MOST_PASSWORD, PasswordFault, check_password};

use crate::domain::{
    address::Address,
    id::{AddressId, CustomerGroupId, CustomerId, UserId},
    policy::{BuyerRole, StaffRole},
    secret::Secret,
    time::Micros,
};
use serde::{Deserialize, Serialize};

/// Characters of a person's or company's name.
const MOST_NAME: usize = 100;
pub const MOST_TAX_NUMBER: usize = 40;
/// Of a group's code.
const MOST_CODE: usize = 40;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CustomerKind {
    Person,
    Company,
}

impl CustomerKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Company => "company",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "person" => Some(Self::Person),
            "company" => Some(Self::Company),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Customer {
    pub id: CustomerId,
    pub kind: CustomerKind,
    pub name: String,
    /// As the tax office gave it; unchecked.
    pub tax_number: Option<String>,
    /// Whose prices it gets.
    pub group: Option<CustomerGroupId>,
    pub created_at: Micros,
    /// Since then nothing here names anybody.
    pub erased_at: Option<Micros>,
}

/// Customers that get the same prices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CustomerGroup {
    pub id: CustomerGroupId,
    /// As imports and price lists name it.
    pub code: String,
    pub name: String,
}

/// What somebody who logs in is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Post {
    Buyer { customer: CustomerId, role: BuyerRole },
    Staff { role: StaffRole },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Account {
    pub id: UserId,
    pub post: Post,
    /// `None` once erased.
    pub email: Option<Email>,
    pub name: String,
    /// Whether those whom they act for let them in.
    pub active: bool,
    /// Since when the shop doesn't, whatever those say.
    pub locked_at: Option<Micros>,
    pub created_at: Micros,
    pub logged_in_at: Option<Micros>,
}

impl Account {
    pub fn may_come_in(&self) -> bool {
        self.active && self.locked_at.is_none()
    }
}

/// An address in a customer's book.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SavedAddress {
    pub id: AddressId,
    pub customer: CustomerId,
    pub address: Address,
    /// Goods go there unless something else is said; one of a customer's at most.
    pub default_shipping: bool,
    /// Invoices do.
    pub default_billing: bool,
    pub created_at: Micros,
    pub updated_at: Micros,
}

/// A form's field that something may be wrong with, by its name there and in the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    Name,
    Email,
    Password,
    CurrentPassword,
    Company,
    TaxNumber,
    Role,
    Code,
    Group,
}

impl Field {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Email => "email",
            Self::Password => "password",
            Self::CurrentPassword => "current_password",
            Self::Company => "company",
            Self::TaxNumber => "tax_number",
            Self::Role => "role",
            Self::Code => "code",
            Self::Group => "group",
        }
    }
}

/// What is wrong with a field, in words for whoever filled it in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {fault}", field.as_str())]
pub struct FieldFault {
    pub field: Field,
    pub fault: String,
}

/// Faults as they are found.
#[derive(Debug, Default)]
pub struct Faults(pub Vec<FieldFault>);

impl Faults {
    pub fn note(&mut self, field: Field, fault: impl Into<String>) {
        self.0.push(FieldFault { field, fault: fault.into() });
    }

    /// A name that has to be there.
    pub fn name(&mut self, field: Field, text: &str) -> String {
        let text = self.line(field, text, MOST_NAME).unwrap_or_default();
        if text.is_empty() && !self.0.iter().any(|one| one.field == field) {
            self.note(field, "fill this in");
        }
        text
    }

    /// One line of text, or none.
    pub fn line(&mut self, field: Field, text: &str, most: usize) -> Option<String> {
        let text = text.trim();
        if text.chars().any(char::is_control) {
            self.note(field, "leave out line breaks and characters that can't be printed");
        } else if text.chars().count() > most {
            self.note(field, format!("use at most {most} characters"));
        }
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// A short name for machines: letters, digits, `-` and `_`.
    pub fn code(&mut self, text: &str) -> String {
        let text = text.trim();
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
        if text.is_empty() || text.len() > MOST_CODE || !text.bytes().all(plain) {
            self.note(Field::Code, format!("1 to {MOST_CODE} letters, digits, - and _"));
        }
        text.to_owned()
    }

    pub fn email(&mut self, text: &str) -> Option<Email> {
        match Email::new(text) {
            Ok(email) => Some(email),
            Err(fault) => {
                self.note(Field::Email, fault.to_string());
                None
            }
        }
    }

    pub fn password(&mut self, password: &Secret, email: Option<&Email>) {
        if let Err(fault) = check_password(password, email) {
            self.note(Field::Password, fault.to_string());
        }
    }

    pub fn end(self) -> Result<(), Vec<FieldFault>> {
        if self.0.is_empty() { Ok(()) } else { Err(self.0) }
    }
}

/// Somebody who wants to become a customer, as they filled it in.
#[derive(Debug, Clone)]
pub struct Registration {
    pub name: String,
    pub email: String,
    pub password: Secret,
    /// Empty for one who buys for themselves.
    pub company: String,
    pub tax_number: String,
}

/// The same, checked.
#[derive(Debug, Clone)]
pub struct Registered {
    pub name: String,
    pub email: Email,
    pub kind: CustomerKind,
    /// The company's, or the person's own.
    pub customer: String,
    pub tax_number: Option<String>,
}

impl Registration {
    pub fn check(&self) -> Result<Registered, Vec<FieldFault>> {
        let mut faults = Faults::default();
        let name = faults.name(Field::Name, &self.name);
        let email = faults.email(&self.email);
        faults.password(&self.password, email.as_ref());
        let company = faults.line(Field::Company, &self.company, MOST_NAME);
        let tax_number = faults.line(Field::TaxNumber, &self.tax_number, MOST_TAX_NUMBER);
        faults.end()?;
        let Some(email) = email else { return Err(Vec::new()) };
        let kind = match company {
            Some(_) => CustomerKind::Company,
            None => CustomerKind::Person,
        };
        let customer = company.unwrap_or_else(|| name.clone());
        Ok(Registered { name, email, kind, customer, tax_number })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registration() -> Registration {
        Registration {
            name: " Ada Love ".into(),
            email: "Ada@Example.com".into(),
            password: Secret::new("correct horse"),
            company: String::new(),
            tax_number: " ".into(),
        }
    }

    #[test]
    fn a_person_is_a_customer_of_their_own_name() {
        let checked = registration().check().unwrap();
        assert_eq!((checked.customer.as_str(), checked.kind), ("Ada Love", CustomerKind::Person));
        assert_eq!((checked.email.as_str(), checked.tax_number), ("ada@example.com", None));
        let company = Registration { company: "Engines Ltd".into(), ..registration() };
        let checked = company.check().unwrap();
        assert_eq!(checked.customer, "Engines Ltd");
        assert_eq!((checked.name.as_str(), checked.kind), ("Ada Love", CustomerKind::Company));
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once() {
        let wrong = Registration {
            name: "\u{1b}".into(),
            email: "ada".into(),
            password: Secret::new("short"),
            company: "x".repeat(101),
            tax_number: "1\n2".into(),
        };
        let faults = wrong.check().unwrap_err();
        let fields: Vec<_> = faults.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(fields, ["name", "email", "password", "company", "tax_number"]);
        let nothing = Registration { name: "  ".into(), ..registration() };
        assert_eq!(nothing.check().unwrap_err()[0].to_string(), "name: fill this in");
    }
}
