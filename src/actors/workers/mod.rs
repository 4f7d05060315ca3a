//! Each does one durable job: what it must not lose is a row, so it may die anywhere.

pub(crate) mod deliver_webhook;
pub(crate) mod importer;
pub(crate) mod jobs;
pub(crate) mod passwords;
pub(crate) mod probe;
pub(crate) mod search_pool;
pub(crate) mod send_mail;
#[cfg(debug_assertions)]
pub(crate) mod trouble;
