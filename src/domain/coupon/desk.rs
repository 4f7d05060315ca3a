//! Coupons of a batch of orders, used one after the other.
//!
//! Whoever places a batch hands in each coupon as it is, locked, with how often it was used so
//! far; what one order of the batch was granted the next finds used.

use super::{Coupon, CouponCode, CouponRefusal, CouponUses};
use crate::domain::{
    id::{CouponId, CustomerId, OrderId},
    money::Money,
    time::Micros,
};
use sha2::{Digest, Sha256};
use std::{collections::HashMap, fmt};

/// Who counts as the same customer: an account, or a guest's address of mail. Half a SHA-256, so
/// that who reads the table finds no address in it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CouponUser(pub [u8; 16]);

impl CouponUser {
    pub fn of(customer: Option<CustomerId>, email: &str) -> Self {
        let name = match customer {
            Some(customer) => format!("customer\n{customer}"),
            None => format!("mail\n{}", email.trim().to_lowercase()),
        };
        let mut half = [0; 16];
        half.copy_from_slice(&Sha256::digest(name.as_bytes())[..16]);
        Self(half)
    }
}

impl fmt::Debug for CouponUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A coupon with how often it was used, orders that were cancelled left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CouponNow {
    pub coupon: Coupon,
    pub used: u32,
    /// By those that the batch is about.
    pub used_by: HashMap<CouponUser, u32>,
}

/// An order that means to use one.
#[derive(Debug, Clone, Copy)]
pub struct CouponWish<'a> {
    pub code: &'a CouponCode,
    pub order: OrderId,
    pub user: CouponUser,
    /// What its goods come to.
    pub subtotal: Money,
    pub at: Micros,
}

/// One use, to be written in the order's own transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CouponUse {
    pub coupon: CouponId,
    pub order: OrderId,
    pub user: CouponUser,
    pub at: Micros,
}

#[derive(Debug, Clone, Default)]
pub struct CouponDesk {
    coupons: HashMap<CouponCode, CouponNow>,
    taken: Vec<CouponUse>,
}

impl CouponDesk {
    pub fn new(coupons: impl IntoIterator<Item = CouponNow>) -> Self {
        let coupons = coupons.into_iter().map(|now| (now.coupon.code.clone(), now)).collect();
        Self { coupons, taken: Vec::new() }
    }

    /// What a use would take off, without counting it.
    pub fn check(&self, wish: &CouponWish<'_>) -> Result<Money, CouponRefusal> {
        let now = self.coupons.get(wish.code).ok_or(CouponRefusal::Unknown)?;
        let by_this_customer = now.used_by.get(&wish.user).copied().unwrap_or_default();
        let uses = CouponUses { by_anyone: now.used, by_this_customer };
        now.coupon.discount(wish.subtotal, uses, wish.at)
    }

    /// Counts a use and says what it takes off, by the rules as they are now; or counts nothing
    /// and says why not. To be asked last, when nothing else is in the order's way.
    pub fn take(&mut self, wish: CouponWish<'_>) -> Result<Money, CouponRefusal> {
        let CouponWish { code, order, user, subtotal, at } = wish;
        let now = self.coupons.get_mut(code).ok_or(CouponRefusal::Unknown)?;
        let by_this_customer = now.used_by.entry(user).or_default();
        let uses = CouponUses { by_anyone: now.used, by_this_customer: *by_this_customer };
        let off = now.coupon.discount(subtotal, uses, at)?;
        now.used = now.used.saturating_add(1);
        *by_this_customer = by_this_customer.saturating_add(1);
        self.taken.push(CouponUse { coupon: now.coupon.id, order, user, at });
        Ok(off)
    }

    /// What is to be written.
    pub fn taken(&self) -> &[CouponUse] {
        &self.taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{coupon::Reduction, money::Currency, ppm::Ppm, schedule::Schedule};
    use proptest::{collection::vec, option, prelude::*};
    use uuid::Uuid;

    fn limited(most_uses: Option<u32>, most_uses_per_customer: Option<u32>) -> Coupon {
        Coupon {
            id: CouponId(Uuid::from_u128(9)),
            code: CouponCode::new("WELCOME10").unwrap(),
            takes_off: Reduction::Percent { ppm: Ppm::parse_percent("10").unwrap() },
            minimum: None,
            schedule: Schedule::ALWAYS,
            most_uses,
            most_uses_per_customer,
        }
    }

    fn user(n: u8) -> CouponUser {
        CouponUser::of(None, &format!("{n}@example.com"))
    }

    #[test]
    fn a_user_is_the_same_however_the_address_is_typed_and_no_other() {
        assert_eq!(
            CouponUser::of(None, " Ann@Example.com"),
            CouponUser::of(None, "ann@example.com")
        );
        let customer = CustomerId(Uuid::from_u128(1));
        let known = CouponUser::of(Some(customer), "ann@example.com");
        assert_eq!(known, CouponUser::of(Some(customer), "bob@example.com"));
        assert_ne!(known, CouponUser::of(None, "ann@example.com"));
    }

    #[test]
    fn a_code_that_nobody_knows_takes_nothing() {
        let mut desk = CouponDesk::new([limited(None, None)].map(|coupon| CouponNow {
            coupon,
            used: 0,
            used_by: HashMap::new(),
        }));
        let code = CouponCode::new("OTHER").unwrap();
        let wish = CouponWish {
            code: &code,
            order: OrderId(Uuid::nil()),
            user: user(1),
            subtotal: Money { minor: 100, currency: Currency::EUR },
            at: Micros(0),
        };
        assert_eq!(desk.take(wish), Err(CouponRefusal::Unknown));
        assert!(desk.taken().is_empty());
    }

    proptest! {
        #[test]
        fn no_batch_uses_a_coupon_more_often_than_it_may(
            most in option::of(0u32..6), each in option::of(0u32..3), used in 0u32..4,
            wishes in vec(0u8..3, 0..12),
        ) {
            let coupon = limited(most, each);
            let code = coupon.code.clone();
            let mut desk = CouponDesk::new([CouponNow { coupon, used, used_by: HashMap::new() }]);
            let (mut all, mut by) = (used, [0u32; 3]);
            for (n, who) in wishes.into_iter().enumerate() {
                let wish = CouponWish {
                    code: &code,
                    order: OrderId(Uuid::from_u128(n as u128)),
                    user: user(who),
                    subtotal: Money { minor: 1_000, currency: Currency::EUR },
                    at: Micros(0),
                };
                let mine = &mut by[usize::from(who)];
                let wanted = if most.is_some_and(|most| all >= most) {
                    Err(CouponRefusal::UsedUp)
                } else if each.is_some_and(|each| *mine >= each) {
                    Err(CouponRefusal::UsedUpByCustomer)
                } else {
                    (all, *mine) = (all + 1, *mine + 1);
                    Ok(Money { minor: 100, currency: Currency::EUR })
                };
                prop_assert_eq!(desk.take(wish), wanted);
            }
            prop_assert_eq!(desk.taken().len() as u32, all - used);
        }
    }
}
