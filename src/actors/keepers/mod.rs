//! Each owns a truth and serialises its changes.

pub(crate) mod writer;
