//! Stock keeping units: the name a merchant gives a thing that can be sold.

use serde::{Deserialize, Serialize};
use std::fmt;

/// 1 to 64 characters, no white space or control characters; case is kept and matters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sku(String);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SkuError {
    #[error("a SKU must not be empty")]
    Empty,
    #[error("a SKU has at most 64 characters")]
    TooLong,
    #[error("a SKU has no white space or control characters")]
    BadCharacter,
}

impl Sku {
    pub fn new(text: &str) -> Result<Self, SkuError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(SkuError::Empty);
        }
        if text.chars().count() > 64 {
            return Err(SkuError::TooLong);
        }
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(SkuError::BadCharacter);
        }
        Ok(Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Sku {
    type Error = SkuError;
    fn try_from(text: String) -> Result<Self, SkuError> {
        Self::new(&text)
    }
}

impl From<Sku> for String {
    fn from(sku: Sku) -> Self {
        sku.0
    }
}

impl fmt::Display for Sku {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
