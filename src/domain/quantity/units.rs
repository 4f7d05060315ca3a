//! Goods of different precisions, counted together.

use super::{Precision, Quantity};
use serde::{Deserialize, Serialize};

/// An amount of goods over products of any precision, in millionths of a whole unit.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Units(pub i64);

impl Units {
    pub fn of(quantity: Quantity, precision: Precision) -> Self {
        let per_step = 10i64.pow(u32::from(Precision::MOST.digits() - precision.digits()));
        Self(quantity.steps().saturating_mul(per_step))
    }

    pub fn whole(units: i64) -> Self {
        Self(units.saturating_mul(Precision::MOST.steps_per_unit()))
    }
}
