//! Coupons: a code for less to pay.

use crate::domain::{
    id::CouponId,
    money::{Currency, Money},
    ppm::Ppm,
    schedule::{NeverHolds, Schedule},
    time::Micros,
};
use serde::{Deserialize, Serialize};
use std::fmt;

mod desk;

pub use desk::{CouponDesk, CouponNow, CouponUse, CouponUser, CouponWish};

/// 3 to 32 letters, digits, hyphens and underscores in capitals: however it is typed, it is one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CouponCode(String);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CouponError {
    #[error("a coupon code is 3 to 32 letters, digits, hyphens and underscores")]
    Code,
    #[error("a coupon takes off something: give a percentage or an amount above zero")]
    Nothing,
    #[error("the minimum must be in the coupon's currency and not negative")]
    Minimum,
    #[error(transparent)]
    Schedule(#[from] NeverHolds),
}

impl CouponCode {
    pub fn new(text: &str) -> Result<Self, CouponError> {
        let text = text.trim().to_ascii_uppercase();
        let fine = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        if (3..=32).contains(&text.len()) && text.bytes().all(fine) {
            Ok(Self(text))
        } else {
            Err(CouponError::Code)
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for CouponCode {
    type Error = CouponError;
    fn try_from(text: String) -> Result<Self, CouponError> {
        Self::new(&text)
    }
}

impl From<CouponCode> for String {
    fn from(code: CouponCode) -> Self {
        code.0
    }
}

impl fmt::Display for CouponCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a coupon takes off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Reduction {
    /// Of the subtotal in any currency, rounded to a minor unit, halves away from zero.
    Percent { ppm: Ppm },
    /// As much of it as the subtotal has.
    Fixed { amount: Money },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coupon {
    pub id: CouponId,
    pub code: CouponCode,
    pub takes_off: Reduction,
    /// What the goods must come to; it ties the coupon to its currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<Money>,
    #[serde(default)]
    pub schedule: Schedule,
    /// Orders by anyone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most_uses: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most_uses_per_customer: Option<u32>,
}

/// Orders that used the coupon so far, cancelled ones left out. Who counts as the same customer
/// is for the caller to say: an account, or a guest's mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CouponUses {
    pub by_anyone: u32,
    pub by_this_customer: u32,
}

/// Why a coupon takes nothing off.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CouponRefusal {
    #[error("there is no coupon with this code: check how it is written")]
    Unknown,
    #[error("this coupon does not hold yet: use it from {} on", .from.day())]
    NotYet { from: Micros },
    #[error("this coupon has expired")]
    Expired,
    #[error("this coupon has been used up")]
    UsedUp,
    #[error("you have used this coupon as often as it can be used")]
    UsedUpByCustomer,
    #[error("this coupon is for orders of {minimum} or more: add goods for {missing}")]
    BelowMinimum { minimum: Money, missing: Money },
    #[error("this coupon is for prices in {coupon}, and these are in {order}")]
    OtherCurrency { coupon: Currency, order: Currency },
}

impl Coupon {
    pub fn check(&self) -> Result<(), CouponError> {
        let nothing = match self.takes_off {
            Reduction::Percent { ppm } => ppm == Ppm::ZERO,
            Reduction::Fixed { amount } => amount.minor <= 0,
        };
        if nothing {
            return Err(CouponError::Nothing);
        }
        if let Some(minimum) = self.minimum {
            let other = match self.takes_off {
                Reduction::Percent { .. } => false,
                Reduction::Fixed { amount } => amount.currency != minimum.currency,
            };
            if other || minimum.minor < 0 {
                return Err(CouponError::Minimum);
            }
        }
        Schedule::new(self.schedule.from, self.schedule.until)?;
        Ok(())
    }

    /// What it takes off goods of `subtotal` (before tax and shipping): at most all of it.
    ///
    /// A use is only counted when the order is made, in the order's own transaction; ask again
    /// there, with the counts read there.
    pub fn discount(
        &self,
        subtotal: Money,
        uses: CouponUses,
        now: Micros,
    ) -> Result<Money, CouponRefusal> {
        if let Some(from) = self.schedule.from
            && !self.schedule.has_begun(now)
        {
            return Err(CouponRefusal::NotYet { from });
        }
        if self.schedule.is_over(now) {
            return Err(CouponRefusal::Expired);
        }
        if self.most_uses.is_some_and(|most| uses.by_anyone >= most) {
            return Err(CouponRefusal::UsedUp);
        }
        if self.most_uses_per_customer.is_some_and(|most| uses.by_this_customer >= most) {
            return Err(CouponRefusal::UsedUpByCustomer);
        }
        let order = subtotal.currency;
        let fixed = match self.takes_off {
            Reduction::Fixed { amount } => Some(amount),
            Reduction::Percent { .. } => None,
        };
        for tied in fixed.iter().chain(&self.minimum) {
            if tied.currency != order {
                return Err(CouponRefusal::OtherCurrency { coupon: tied.currency, order });
            }
        }
        if let Some(minimum) = self.minimum
            && subtotal.minor < minimum.minor
        {
            let missing =
                Money { minor: minimum.minor.saturating_sub(subtotal.minor), currency: order };
            return Err(CouponRefusal::BelowMinimum { minimum, missing });
        }
        let off = match self.takes_off {
            Reduction::Percent { ppm } => ppm.of(subtotal.minor),
            Reduction::Fixed { amount } => amount.minor,
        };
        Ok(Money { minor: off.min(subtotal.minor).max(0), currency: order })
    }
}

#[cfg(test)]
mod tests;
