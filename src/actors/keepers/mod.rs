//! Each owns a truth and serialises its changes.

#[expect(dead_code, reason = "the API and the shop's pages use it, and come next")]
pub(crate) mod carts;
pub(crate) mod pools;
#[cfg_attr(not(test), expect(dead_code, reason = "accounts and carts come next"))]
pub(crate) mod sessions;
pub(crate) mod writer;
