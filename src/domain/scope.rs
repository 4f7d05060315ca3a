//! Which shop and which language a text or price belongs to.

use serde::{Deserialize, Serialize};

/// A site's short name, e.g. `main`. One site until several are configured.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Site(pub String);

/// A BCP 47 language tag, e.g. `en` or `de-CH`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Locale(pub String);

/// The site and locale that a read is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Scope {
    pub site: Site,
    pub locale: Locale,
}

impl Default for Scope {
    fn default() -> Self {
        Self { site: Site("main".into()), locale: Locale("en".into()) }
    }
}
