//! What lives: owners of truths, doers of jobs and those who keep things in step.

pub(crate) mod workers;
