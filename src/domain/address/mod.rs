//! A postal address: what a carrier needs, and what tax is decided by.
//!
//! Checks are modest, because a wrong refusal costs an order and a wrong address a phone call:
//! what is missing, too long or can't be printed, and what decides tax in the countries we know.

mod postcode;

pub use postcode::{NotAPostcode, Postcode};

use crate::domain::country::{Country, NotACountry};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A form as it was sent; an empty field is as good as none.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AddressDraft {
    pub name: String,
    pub company: String,
    pub street: String,
    pub street_more: String,
    pub postcode: String,
    pub city: String,
    pub region: String,
    pub country: String,
    pub phone: String,
}

impl AddressDraft {
    /// Nobody has said anything.
    pub fn is_blank(&self) -> bool {
        let Self { name, company, street, street_more, postcode, city, region, country, phone } =
            self;
        [name, company, street, street_more, postcode, city, region, country, phone]
            .iter()
            .all(|text| text.trim().is_empty())
    }
}

/// Made by [`AddressDraft::check`] alone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Address {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    pub street: String,
    /// Floor, door, care of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub street_more: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postcode: Option<Postcode>,
    pub city: String,
    /// State or province; its code in capitals where a country’s addresses are known to use one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    pub country: Country,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

/// As a form shows it, to be changed.
impl From<Address> for AddressDraft {
    fn from(address: Address) -> Self {
        Self {
            name: address.name,
            company: address.company.unwrap_or_default(),
            street: address.street,
            street_more: address.street_more.unwrap_or_default(),
            postcode: address.postcode.map(|postcode| postcode.to_string()).unwrap_or_default(),
            city: address.city,
            region: address.region.unwrap_or_default(),
            country: address.country.code().to_owned(),
            phone: address.phone.unwrap_or_default(),
        }
    }
}

/// As much of an address as tax and shipping depend on.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Destination {
    pub country: Country,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postcode: Option<Postcode>,
}

impl Destination {
    /// Somewhere in a country: what a cart is priced for before there is an address.
    pub fn somewhere_in(country: Country) -> Self {
        Self { country, region: None, postcode: None }
    }
}

/// Countries whose addresses name a state by its code, and how many letters that may have.
const REGION_CODES: &[(&str, std::ops::RangeInclusive<usize>, &str)] =
    &[("AU", 2..=3, "NSW"), ("BR", 2..=2, "SP"), ("CA", 2..=2, "ON"), ("US", 2..=2, "NY")];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AddressField {
    Name,
    Company,
    Street,
    StreetMore,
    Postcode,
    City,
    Region,
    Country,
    Phone,
}

impl AddressField {
    /// The name of the field in a form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Company => "company",
            Self::Street => "street",
            Self::StreetMore => "street_more",
            Self::Postcode => "postcode",
            Self::City => "city",
            Self::Region => "region",
            Self::Country => "country",
            Self::Phone => "phone",
        }
    }

    /// Characters it may have.
    fn most(self) -> usize {
        match self {
            Self::Phone => 30,
            Self::Region => 60,
            _ => 100,
        }
    }
}

impl fmt::Display for AddressField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressFault {
    #[error("fill this in")]
    Missing,
    #[error("use at most {most} characters")]
    TooLong { most: usize },
    #[error("leave out line breaks and characters that can't be printed")]
    Unprintable,
    #[error(transparent)]
    Country(NotACountry),
    #[error(transparent)]
    Postcode(NotAPostcode),
    #[error("this is no postcode of {}: write it like {example}", .country.name())]
    PostcodeOf { country: Country, example: &'static str },
    #[error("write the state's code, such as {example}")]
    RegionCode { example: &'static str },
    #[error("a phone number is digits, spaces and + - ( ) . /")]
    Phone,
}

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {fault}")]
pub struct AddressProblem {
    pub field: AddressField,
    pub fault: AddressFault,
}

impl Address {
    pub fn destination(&self) -> Destination {
        Destination {
            country: self.country,
            region: self.region.clone(),
            postcode: self.postcode.clone(),
        }
    }
}

impl AddressDraft {
    /// The address, or everything that is wrong with it, in the order of the form.
    pub fn check(&self) -> Result<Address, Vec<AddressProblem>> {
        use AddressField as Field;
        let mut problems = Problems::default();
        let name = problems.wanted(Field::Name, &self.name);
        let company = problems.text(Field::Company, &self.company);
        let street = problems.wanted(Field::Street, &self.street);
        let street_more = problems.text(Field::StreetMore, &self.street_more);
        let country = match self.country.trim() {
            "" => problems.note(Field::Country, AddressFault::Missing),
            text => match text.parse::<Country>() {
                Ok(country) => Some(country),
                Err(fault) => problems.note(Field::Country, AddressFault::Country(fault)),
            },
        };
        let postcode = problems.postcode(&self.postcode, country);
        let city = problems.wanted(Field::City, &self.city);
        let region = problems.region(&self.region, country);
        let phone = problems.text(Field::Phone, &self.phone);
        let dialled = |c: char| c.is_ascii_digit() || " +-()./".contains(c);
        let phone = match phone {
            Some(phone) if !phone.chars().all(dialled) => {
                problems.note(Field::Phone, AddressFault::Phone)
            }
            phone => phone,
        };
        match (name, street, city, country) {
            (Some(name), Some(street), Some(city), Some(country)) if problems.0.is_empty() => {
                Ok(Address {
                    name,
                    company,
                    street,
                    street_more,
                    postcode,
                    city,
                    region,
                    country,
                    phone,
                })
            }
            _ => {
                problems.0.sort_by_key(|problem| problem.field);
                Err(problems.0)
            }
        }
    }
}

#[derive(Default)]
struct Problems(Vec<AddressProblem>);

impl Problems {
    fn note<T>(&mut self, field: AddressField, fault: AddressFault) -> Option<T> {
        self.0.push(AddressProblem { field, fault });
        None
    }

    fn text(&mut self, field: AddressField, text: &str) -> Option<String> {
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        if text.chars().any(unprintable) {
            return self.note(field, AddressFault::Unprintable);
        }
        let most = field.most();
        if text.chars().count() > most {
            return self.note(field, AddressFault::TooLong { most });
        }
        Some(text.to_owned())
    }

    fn wanted(&mut self, field: AddressField, text: &str) -> Option<String> {
        if text.trim().is_empty() {
            return self.note(field, AddressFault::Missing);
        }
        self.text(field, text)
    }

    fn postcode(&mut self, text: &str, country: Option<Country>) -> Option<Postcode> {
        let field = AddressField::Postcode;
        if text.trim().is_empty() {
            let wanted = country.is_some_and(postcode::is_wanted);
            return if wanted { self.note(field, AddressFault::Missing) } else { None };
        }
        let postcode = match Postcode::new(text) {
            Ok(postcode) => postcode,
            Err(fault) => return self.note(field, AddressFault::Postcode(fault)),
        };
        let Some(country) = country else { return Some(postcode) };
        match postcode::better_example(country, &postcode) {
            Some(example) => self.note(field, AddressFault::PostcodeOf { country, example }),
            None => Some(postcode),
        }
    }

    fn region(&mut self, text: &str, country: Option<Country>) -> Option<String> {
        let field = AddressField::Region;
        let known = country
            .and_then(|country| REGION_CODES.iter().find(|(code, _, _)| *code == country.code()));
        let Some((_, letters, example)) = known else { return self.text(field, text) };
        let text = self.wanted(field, text)?;
        if !letters.contains(&text.len()) || !text.bytes().all(|b| b.is_ascii_alphabetic()) {
            return self.note(field, AddressFault::RegionCode { example });
        }
        Some(text.to_ascii_uppercase())
    }
}

/// Control characters, other line breaks, and what turns the direction of the text that follows.
fn unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests;
