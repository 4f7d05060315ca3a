//! What lives: owners of truths, doers of jobs and those who keep things in step.

pub(crate) mod keepers;
pub(crate) mod reconcilers;
pub(crate) mod workers;
