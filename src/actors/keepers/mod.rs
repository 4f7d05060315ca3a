//! Each owns a truth and serialises its changes.

pub(crate) mod pools;
pub(crate) mod writer;
