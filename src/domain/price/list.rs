//! A price list, and whom it is for.

use crate::domain::{
    id::{CustomerGroupId, CustomerId, PriceListId},
    money::Currency,
    schedule::Schedule,
    scope::Site,
    tax::TaxMode,
    time::Micros,
};
use serde::{Deserialize, Serialize};

/// Prices agreed with or meant for somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceList {
    pub id: PriceListId,
    pub name: String,
    pub currency: Currency,
    /// One that isn't counts for nobody, whatever its schedule.
    #[serde(default = "yes")]
    pub active: bool,
    /// Among lists assigned equally closely, the higher comes first.
    pub priority: i32,
    pub tax: TaxMode,
    #[serde(default)]
    pub schedule: Schedule,
}

fn yes() -> bool {
    true
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PriceListError {
    #[error("give the price list a name of 1 to 120 characters on one line")]
    Name,
    #[error(transparent)]
    Schedule(#[from] crate::domain::schedule::NeverHolds),
}

impl PriceList {
    pub fn counts_at(&self, now: Micros) -> bool {
        self.active && self.schedule.holds_at(now)
    }

    /// The longest name, in characters.
    const NAME: usize = 120;

    pub fn check(&self) -> Result<(), PriceListError> {
        let name = self.name.trim();
        if name.is_empty()
            || name.chars().count() > Self::NAME
            || name.chars().any(char::is_control)
        {
            return Err(PriceListError::Name);
        }
        Schedule::new(self.schedule.from, self.schedule.until)?;
        Ok(())
    }
}

/// Whom a list is for, the closest first: a customer's own lists come before the group's.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Audience {
    Customer {
        customer: CustomerId,
    },
    Group {
        group: CustomerGroupId,
    },
    /// Everybody on a site.
    Site {
        site: Site,
    },
}

/// One list is for one audience; a list may have several of these.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Assignment {
    pub list: PriceListId,
    pub audience: Audience,
}

/// Who asks for a price, and where.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Buyer {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<CustomerId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<CustomerGroupId>,
    pub site: Site,
}

impl Buyer {
    /// Somebody nobody knows.
    pub fn guest(site: Site) -> Self {
        Self { customer: None, group: None, site }
    }

    /// Which lists may be for them, the closest first.
    pub fn audiences(&self) -> Vec<Audience> {
        let customer = self.customer.map(|customer| Audience::Customer { customer });
        let group = self.group.map(|group| Audience::Group { group });
        let site = Audience::Site { site: self.site.clone() };
        customer.into_iter().chain(group).chain([site]).collect()
    }

    pub fn is_meant_by(&self, audience: &Audience) -> bool {
        match audience {
            Audience::Customer { customer } => self.customer == Some(*customer),
            Audience::Group { group } => self.group == Some(*group),
            Audience::Site { site } => self.site == *site,
        }
    }
}

/// When a list next begins or ends: the time at which a timer makes an event of it.
pub fn next_change<'a>(
    lists: impl IntoIterator<Item = &'a PriceList>,
    now: Micros,
) -> Option<Micros> {
    lists.into_iter().filter_map(|list| list.schedule.next_change(now)).min()
}
