//! Who comes and who writes to them: sessions, accounts and mail, with their actors.

use super::{BootError, jobs::sender, parts::Parts};
use crate::{
    actors::{
        keepers::{
            accounts::{Accounts, AccountsParts, Forgotten, desk},
            sessions::{Sessions, SessionsParts},
            writer::StoreHandle,
        },
        reconcilers::mail::{Mails, mail_sweeper},
        workers::passwords::{Passwords, password_pool, password_workers},
    },
    adapters::{
        mail::{Origin, SmtpConfig},
        passwords::Argon2id,
    },
    config::Config,
    folder::Folder,
    ports::passwords::PasswordHasher,
    tree::PeopleSeats,
};
use serde::Deserialize;
use std::{io::IsTerminal, sync::Arc};
use supervisors::Nudge;

/// The `[mail]` section.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MailConfig {
    /// A name and an address.
    pub(crate) from: String,
    pub(crate) smtp: SmtpConfig,
}

impl MailConfig {
    /// Where the shop itself is written to; empty for what is no address.
    pub(crate) fn address(&self) -> String {
        Origin::read(&self.from).map(|origin| origin.address).unwrap_or_default()
    }

    /// The key that can't be worked with, and why.
    pub(crate) fn validate(&self) -> Result<(), (String, String)> {
        let origin = Origin::read(&self.from);
        origin.map_err(|wrong| ("from".to_owned(), format!("is wrong: {wrong}")))?;
        let smtp = self.smtp.validate();
        smtp.map_err(|(key, wrong)| (format!("smtp.{key}"), wrong.to_owned()))
    }
}

pub(super) struct People {
    pub(super) sessions: Sessions,
    pub(super) accounts: Accounts,
    pub(super) mails: Mails,
    pub(super) seats: PeopleSeats,
}

/// `url`: where the shop is, as mails link to it; `to_jobs` wakes whoever sends them.
pub(super) fn people(
    config: &Config,
    parts: &Parts,
    store: &StoreHandle,
    url: &str,
    to_jobs: &Nudge,
) -> Result<People, BootError> {
    let sessions = Sessions::new(SessionsParts {
        rows: parts.store.clone(),
        store: store.clone(),
        clock: parts.clock.clone(),
        ids: parts.ids.clone(),
        chance: parts.chance.clone(),
        lifetimes: config.sessions.lifetimes(),
        guests_per_address: config.sessions.guests_per_address,
    });
    let hasher: Arc<dyn PasswordHasher> =
        Arc::new(Argon2id::new().map_err(|error| BootError::Other(error.to_string()))?);
    let passwords = password_pool(config.pool("passwords").options());
    let sender = sender(config, url);
    let mailbox = Forgotten::mailbox();
    let accounts = Accounts::new(
        AccountsParts {
            rows: parts.store.clone(),
            store: store.clone(),
            sessions: sessions.clone(),
            passwords: Passwords::new(&passwords),
            clock: parts.clock.clone(),
            ids: parts.ids.clone(),
            chance: parts.chance.clone(),
            config: config.accounts.clone(),
            sender: sender.clone(),
            mail: to_jobs.clone(),
            kept: parts.store.clone(),
        },
        &mailbox,
    );
    let mails = Mails {
        queue: parts.store.clone(),
        store: store.clone(),
        clock: parts.clock.clone(),
        sender,
        wake: to_jobs.clone(),
    };
    let seats = PeopleSeats {
        sessions: sessions.child(),
        passwords: password_workers(&passwords, hasher),
        password_desk: desk(&mailbox, accounts.clone()),
        mail_sweeper: mail_sweeper(mails.clone()),
        tokens: accounts.sweeper(),
    };
    Ok(People { sessions, accounts, mails, seats })
}

/// A shop that nobody works in yet gets a link with which somebody becomes its owner. It is shown
/// to a person at a terminal; what goes into a file or to a collector of logs says where it is.
pub(super) async fn offer_setup(
    accounts: &Accounts,
    folder: &Folder,
    url: &str,
) -> Result<(), BootError> {
    let offered = accounts.offer_setup().await;
    let Some(token) = offered.map_err(|error| BootError::Other(error.to_string()))? else {
        folder.withdraw_setup_link();
        return Ok(());
    };
    let link = format!("{url}/admin/setup?token={}", token.expose());
    let path = folder.put_setup_link(&link)?;
    match std::io::stderr().is_terminal() {
        true => tracing::info!("become the shop's owner, once: {link}"),
        false => tracing::info!("become the shop's owner, once, by the link in {}", path.display()),
    }
    Ok(())
}
