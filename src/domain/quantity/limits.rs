//! What a merchant lets one order hold of a product.

use super::{Precision, Quantity, QuantityError};
use serde::{Deserialize, Serialize};

/// How many of a product one order may hold; `None` is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OrderLimits {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least: Option<Quantity>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most: Option<Quantity>,
}

impl OrderLimits {
    pub fn new(least: Option<Quantity>, most: Option<Quantity>) -> Result<Self, QuantityError> {
        match (least, most) {
            (Some(least), Some(most)) if most < least => Err(QuantityError::LimitsCross),
            _ => Ok(Self { least, most }),
        }
    }

    /// All that an order holds of the product, over all its lines.
    pub fn check(&self, quantity: Quantity, precision: Precision) -> Result<(), QuantityError> {
        quantity.within(precision)?;
        match *self {
            Self { least: Some(least), .. } if quantity < least => {
                Err(QuantityError::BelowLeast { least, precision })
            }
            Self { most: Some(most), .. } if quantity > most => {
                Err(QuantityError::AboveMost { most, precision })
            }
            _ => Ok(()),
        }
    }
}
