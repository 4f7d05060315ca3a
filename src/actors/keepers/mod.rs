//! Each owns a truth and serialises its changes.

pub(crate) mod accounts;
pub(crate) mod carts;
pub(crate) mod endpoints;
pub(crate) mod limits;
pub(crate) mod orders;
pub(crate) mod pools;
pub(crate) mod products;
pub(crate) mod quotes;
pub(crate) mod rules;
pub(crate) mod sessions;
pub(crate) mod stock;
pub(crate) mod till;
pub(crate) mod writer;
