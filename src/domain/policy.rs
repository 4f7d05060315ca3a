//! Who may do what: the only place that grants anything.
//!
//! A buyer's [`Right`] speaks of their own customer's things, a staff member's [`Permission`] of
//! everybody's. A role grants a set of them; an API key a part of what its maker's role grants.
//! What isn't granted is denied: an operation names what it needs, and who lacks it is refused.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! granted {
    ($(#[$doc:meta])* $one:ident, $(#[$set_doc:meta])* $set:ident:
     $($(#[$each:meta])* $name:ident = $text:literal),* $(,)?) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $one {
            $($(#[$each])* $name),*
        }

        impl $one {
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// As a key's scopes and the API name it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }

            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == text)
            }
        }

        $(#[$set_doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Default)]
        pub struct $set(u32);

        impl $set {
            pub const NONE: Self = Self(0);
            pub const ALL: Self = Self((1 << $one::ALL.len()) - 1);

            pub fn of(all: impl IntoIterator<Item = $one>) -> Self {
                Self(all.into_iter().fold(0, |bits, one| bits | 1 << one as u32))
            }

            pub fn has(self, one: $one) -> bool {
                self.0 & 1 << one as u32 != 0
            }

            /// What both grant.
            pub fn and(self, other: Self) -> Self {
                Self(self.0 & other.0)
            }

            /// What either grants.
            pub fn or(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }

            pub fn without(self, other: Self) -> Self {
                Self(self.0 & !other.0)
            }

            pub fn is_none(self) -> bool {
                self.0 == 0
            }

            pub fn iter(self) -> impl Iterator<Item = $one> {
                $one::ALL.iter().copied().filter(move |one| self.has(*one))
            }

            /// Names with commas between, as a row keeps them.
            pub fn to_text(self) -> String {
                self.iter().map($one::as_str).collect::<Vec<_>>().join(",")
            }

            /// A name that this version doesn't know grants nothing.
            pub fn from_text(text: &str) -> Self {
                Self::of(text.split(',').filter_map($one::parse))
            }
        }

        impl fmt::Debug for $set {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_set().entries(self.iter()).finish()
            }
        }
    };
}

granted! {
    /// What a shopper may do with what is theirs.
    Right,
    /// Some rights.
    Rights:
    Carts = "carts",
    OrdersRead = "orders:read",
    OrdersWrite = "orders:write",
    /// See oneself, one's customer and its addresses.
    AccountRead = "account:read",
    /// Change one's own name, address of mail and password.
    AccountWrite = "account:write",
    /// Change the customer's addresses.
    AddressesWrite = "addresses:write",
    /// Say who else acts for the customer.
    Users = "users",
    /// Log in and out, see and end sessions.
    Sessions = "sessions",
    /// Make and withdraw API keys.
    Keys = "keys",
}

granted! {
    /// What one of the shop's own people may do.
    Permission,
    /// Some permissions.
    Permissions:
    CatalogueRead = "catalogue:read",
    CatalogueWrite = "catalogue:write",
    StockWrite = "stock:write",
    OrdersRead = "orders:read",
    OrdersWrite = "orders:write",
    CustomersRead = "customers:read",
    CustomersWrite = "customers:write",
    SettingsWrite = "settings:write",
    /// Price lists, taxes, ways of shipping and coupons.
    PricesRead = "prices:read",
    PricesWrite = "prices:write",
    /// Say who works here, and as what.
    StaffWrite = "staff:write",
    /// See and turn the running server: its tree, pools and jobs.
    Operate = "operate",
    AuditRead = "audit:read",
}

/// What a guest may do: what needs no name.
pub const GUEST: &[Right] = &[Right::Carts, Right::OrdersWrite, Right::OrdersRead, Right::Sessions];

/// What no key is ever granted: a key that leaks must not make itself a way back in.
pub const NEVER_A_KEYS: &[Right] =
    &[Right::Sessions, Right::Keys, Right::Users, Right::AccountWrite];

/// As [`NEVER_A_KEYS`], of staff.
pub const NEVER_A_STAFF_KEYS: &[Permission] = &[Permission::StaffWrite];

/// What a person is to their customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BuyerRole {
    /// Everything, other users included. A customer that is one person has one of these.
    Admin,
    /// Buys, and sees what was bought.
    Purchaser,
    /// Sees what was bought.
    Viewer,
}

/// What a person is to the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StaffRole {
    Owner,
    Manager,
    Clerk,
    Viewer,
}

impl BuyerRole {
    pub const ALL: &'static [Self] = &[Self::Admin, Self::Purchaser, Self::Viewer];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Purchaser => "purchaser",
            Self::Viewer => "viewer",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.as_str() == text)
    }

    pub fn rights(self) -> Rights {
        use Right::*;
        match self {
            Self::Admin => Rights::ALL,
            Self::Purchaser => Rights::ALL.without(Rights::of([Users, AddressesWrite])),
            Self::Viewer => Rights::of([OrdersRead, AccountRead, AccountWrite, Sessions]),
        }
    }
}

impl StaffRole {
    pub const ALL: &'static [Self] = &[Self::Owner, Self::Manager, Self::Clerk, Self::Viewer];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Manager => "manager",
            Self::Clerk => "clerk",
            Self::Viewer => "viewer",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.as_str() == text)
    }

    pub fn permissions(self) -> Permissions {
        use Permission::*;
        match self {
            Self::Owner => Permissions::ALL,
            Self::Manager => Permissions::ALL.without(Permissions::of([StaffWrite])),
            Self::Clerk => Permissions::of([
                CatalogueRead,
                PricesRead,
                StockWrite,
                OrdersRead,
                OrdersWrite,
                CustomersRead,
                CustomersWrite,
            ]),
            Self::Viewer => Permissions::of([CatalogueRead, PricesRead, OrdersRead, CustomersRead]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_read_back_from_its_row_and_unknown_names_grant_nothing() {
        for role in BuyerRole::ALL {
            assert_eq!(Rights::from_text(&role.rights().to_text()), role.rights());
            assert_eq!(BuyerRole::parse(role.as_str()), Some(*role));
        }
        for role in StaffRole::ALL {
            assert_eq!(Permissions::from_text(&role.permissions().to_text()), role.permissions());
            assert_eq!(StaffRole::parse(role.as_str()), Some(*role));
        }
        assert!(Rights::from_text("everything,").is_none());
    }

    #[test]
    fn each_staff_role_grants_less_than_the_one_before() {
        for pair in StaffRole::ALL.windows(2) {
            let (more, less) = (pair[0].permissions(), pair[1].permissions());
            assert!(less.without(more).is_none() && more != less, "{pair:?}");
        }
    }

    #[test]
    fn only_an_owner_says_who_works_here_and_only_an_admin_who_buys() {
        let owners = StaffRole::ALL.iter().filter(|r| r.permissions().has(Permission::StaffWrite));
        assert_eq!(owners.count(), 1);
        let admins = BuyerRole::ALL.iter().filter(|role| role.rights().has(Right::Users));
        assert_eq!(admins.count(), 1);
        assert!(!Rights::of(GUEST.iter().copied()).has(Right::AccountRead));
    }
}
