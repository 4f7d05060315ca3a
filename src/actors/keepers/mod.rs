//! Each owns a truth and serialises its changes.

pub(crate) mod carts;
pub(crate) mod orders;
pub(crate) mod pools;
#[cfg_attr(not(test), expect(dead_code, reason = "accounts and carts come next"))]
pub(crate) mod sessions;
pub(crate) mod stock;
pub(crate) mod till;
pub(crate) mod writer;
