//! Each owns a truth and serialises its changes.

pub(crate) mod carts;
pub(crate) mod pools;
pub(crate) mod rules;
#[cfg_attr(not(test), expect(dead_code, reason = "accounts and carts come next"))]
pub(crate) mod sessions;
pub(crate) mod writer;
