//! Which tax a product bears where, and what it comes to.
//!
//! Tax is rounded **once per rate on the total**, halves away from zero, and not line by line:
//! that is what an invoice must show by EN 16931 (BR-CO-17), and it lets a cart of any size know
//! its tax from sums. `totals` then lays it on the lines, so that they sum exactly.
//!
//! A place has one rate per category, the most specific one; where several taxes meet (state and
//! city), their sum is the rate. Where no rule fits, nothing is due: goods that leave the country.

use crate::domain::{
    address::{Destination, Postcode},
    country::Country,
    id::TaxRuleId,
    ppm::Ppm,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, btree_map::Entry},
    fmt,
};

/// Whether a price contains its tax or bears it on top.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum TaxMode {
    /// Tax comes on top, as in trade between companies.
    #[default]
    Exclusive,
    /// The price is what is paid, as consumers in most countries see it.
    Inclusive,
}

impl TaxMode {
    /// The tax on so many minor units of prices in this mode.
    pub fn tax(self, rate: Ppm, amount: i64) -> i64 {
        match self {
            Self::Exclusive => rate.of(amount),
            Self::Inclusive => rate.contained_in(amount),
        }
    }
}

/// Products that are taxed alike: `standard`, `reduced`, `books`. 1 to 32 small letters, digits
/// and hyphens.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TaxCategory(String);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TaxError {
    #[error("a tax category is 1 to 32 small letters, digits and hyphens, such as standard")]
    Category,
    #[error("give the tax a name of 1 to 120 characters on one line")]
    Name,
    #[error("a rule for a part of a country names that part in 1 to 60 characters")]
    Region,
    #[error("two rules say what {category} bears in {area}: keep one of them")]
    Twice { category: TaxCategory, area: TaxArea },
}

impl TaxCategory {
    pub fn new(text: &str) -> Result<Self, TaxError> {
        let fine = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if (1..=32).contains(&text.len()) && text.bytes().all(fine) {
            Ok(Self(text.to_owned()))
        } else {
            Err(TaxError::Category)
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `None` for that of a product which names none.
    pub fn named(&self) -> Option<&str> {
        (!self.is_standard()).then_some(&self.0)
    }

    /// Whether it is that of a product which names none.
    pub fn is_standard(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for TaxCategory {
    /// What a product is in that names none.
    fn default() -> Self {
        Self("standard".into())
    }
}

impl TryFrom<String> for TaxCategory {
    type Error = TaxError;
    fn try_from(text: String) -> Result<Self, TaxError> {
        Self::new(&text)
    }
}

impl From<TaxCategory> for String {
    fn from(category: TaxCategory) -> Self {
        category.0
    }
}

impl fmt::Display for TaxCategory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A country, or a part of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TaxArea {
    pub country: Country,
    /// As addresses there write it, `NY`; case doesn't matter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The beginning of its postcodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postcode_prefix: Option<Postcode>,
}

impl TaxArea {
    /// All of a country.
    pub fn all_of(country: Country) -> Self {
        Self { country, region: None, postcode_prefix: None }
    }
}

impl fmt::Display for TaxArea {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.country)?;
        if let Some(region) = &self.region {
            write!(f, ", {region}")?;
        }
        if let Some(prefix) = &self.postcode_prefix {
            write!(f, ", {prefix}…")?;
        }
        Ok(())
    }
}

/// What products of a category bear in an area.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxRule {
    pub id: TaxRuleId,
    /// For staff: `VAT Germany`.
    pub name: String,
    pub category: TaxCategory,
    pub area: TaxArea,
    pub rate: Ppm,
}

impl TaxRule {
    /// The longest name of a region, in characters.
    const REGION: usize = 60;

    /// What no other rule of a shop may have: the category and the area, as they are looked up.
    pub fn key(&self) -> String {
        let Key { category, country, postcode, region } = Key::of(self);
        // Of these only a region may hold a bar, and it comes last.
        format!("{category}|{country}|{postcode}|{}", region.unwrap_or_default())
    }

    pub fn check(&self) -> Result<(), TaxError> {
        let fits = |text: &str, most| {
            let characters = text.trim().chars().count();
            (1..=most).contains(&characters) && !text.chars().any(char::is_control)
        };
        if !fits(&self.name, 120) {
            return Err(TaxError::Name);
        }
        match &self.area.region {
            Some(region) if !fits(region, Self::REGION) => Err(TaxError::Region),
            _ => Ok(()),
        }
    }
}

/// All rules of a shop, no two for the same category and area.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaxRules {
    rules: BTreeMap<Key, TaxRule>,
}

/// An area as it is looked up, whatever case and spaces it was written with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    category: TaxCategory,
    country: Country,
    /// Empty: any.
    postcode: String,
    region: Option<String>,
}

impl Key {
    fn of(rule: &TaxRule) -> Self {
        let TaxArea { country, region, postcode_prefix } = &rule.area;
        Self {
            category: rule.category.clone(),
            country: *country,
            postcode: postcode_prefix.as_ref().map_or_else(String::new, Postcode::plain),
            region: region.as_deref().map(plain_region),
        }
    }
}

impl TaxRules {
    pub fn new(rules: impl IntoIterator<Item = TaxRule>) -> Result<Self, TaxError> {
        let mut known = BTreeMap::new();
        for rule in rules {
            let key = Key::of(&rule);
            let region = key.region.as_ref().map(|region| region.chars().count());
            if region.is_some_and(|length| length == 0 || length > TaxRule::REGION) {
                return Err(TaxError::Region);
            }
            match known.entry(key) {
                Entry::Vacant(place) => place.insert(rule),
                Entry::Occupied(_) => {
                    return Err(TaxError::Twice { category: rule.category, area: rule.area });
                }
            };
        }
        Ok(Self { rules: known })
    }

    /// By category, then by country.
    pub fn all(&self) -> impl ExactSizeIterator<Item = &TaxRule> {
        self.rules.values()
    }

    /// The rates at one place.
    pub fn at<'a>(&'a self, place: &'a Destination) -> TaxAt<'a> {
        TaxAt { asked: Some((self, place)) }
    }
}

fn plain_region(region: &str) -> String {
    region.trim().to_lowercase()
}

/// The rules, asked for one place.
#[derive(Debug, Clone, Copy)]
pub struct TaxAt<'a> {
    asked: Option<(&'a TaxRules, &'a Destination)>,
}

impl<'a> TaxAt<'a> {
    /// For whoever is exempt: no tax is due, on top of a price or contained in it.
    pub const NONE: Self = Self { asked: None };

    /// The most specific rule that fits: the longest beginning of the postcode first, and of
    /// equally long ones that which names the region.
    pub fn rule(&self, category: &TaxCategory) -> Option<&'a TaxRule> {
        let (rules, place) = self.asked?;
        let postcode = place.postcode.as_ref().map_or_else(String::new, Postcode::plain);
        let region = place.region.as_deref().map(plain_region);
        (0..=postcode.len()).rev().find_map(|length| {
            let mut key = Key {
                category: category.clone(),
                country: place.country,
                // Plain postcodes are ASCII.
                postcode: postcode[..length].to_owned(),
                region: region.clone(),
            };
            rules.rules.get(&key).or_else(|| {
                key.region = None;
                rules.rules.get(&key)
            })
        })
    }

    pub fn rate(&self, category: &TaxCategory) -> Ppm {
        self.rule(category).map_or(Ppm::ZERO, |rule| rule.rate)
    }
}

#[cfg(test)]
mod tests;
