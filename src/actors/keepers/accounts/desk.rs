//! The desk at which forgotten passwords are asked for.
//!
//! Whether there is an account of an address is looked up here, behind the answer: neither its
//! words nor its time tell. When the desk dies, what waits is served by its successor; what it had
//! in hand is asked for again by whoever gets no mail.

use super::{Accounts, AccountsError, DAY};
use crate::{
    domain::account::Email,
    ports::{
        accounts::{AccountWrite, NewToken, Purpose},
        writer::Written,
    },
};
use std::time::Duration;
use supervisors::{
    Agent, Child, Context, Fault, Mailbox, Next, Nudge, Reconciler, agent, reconciler,
};

/// Requests that may wait; each takes one read and one write.
const BOUND: usize = 256;
/// A link's row is kept for a day behind its end.
const SWEEP_EVERY: Duration = Duration::from_secs(60 * 60);
const SWEPT: u32 = 1_000;

/// Somebody of this address wants to set a password.
#[derive(Debug)]
pub(crate) struct Forgotten(pub(super) Email);

impl Forgotten {
    /// The desk's mailbox, made before everything that sends to it.
    pub(crate) fn mailbox() -> Mailbox<Self> {
        Mailbox::new("password-desk", BOUND)
    }
}

/// The desk as a child of the tree.
pub(crate) fn desk(mailbox: &Mailbox<Forgotten>, accounts: Accounts) -> Child {
    agent("password-desk", mailbox, move || {
        let desk = Desk(accounts.clone());
        async move { Ok(desk) }
    })
}

struct Desk(Accounts);

struct TokenSweeper(Accounts);

impl Reconciler for TokenSweeper {
    async fn pass(&mut self, _: &Context) -> Result<Next, Fault> {
        let accounts = &self.0;
        let tokens =
            AccountWrite::SweepTokens { expired_before: accounts.now().minus(DAY), most: SWEPT };
        // Those that were still to be sent when their customer was erased.
        let orders = AccountWrite::RedactOrders { most: SWEPT };
        for sweep in [tokens, orders] {
            match accounts.write(sweep).await.map_err(Fault::unavailable)? {
                Written::Swept(swept) if swept >= u64::from(SWEPT) => return Ok(Next::Again),
                _ => {}
            }
        }
        Ok(Next::Idle)
    }
}

impl Agent for Desk {
    type Message = Forgotten;

    async fn handle(&mut self, messages: Vec<Forgotten>, _: &Context) -> Result<(), Fault> {
        for Forgotten(email) in messages {
            if let Err(error) = self.0.send_link(&email).await {
                // They get no mail and ask again; who they are stands in no log.
                tracing::warn!(%error, "a link to set a password was not made");
            }
        }
        Ok(())
    }
}

impl Accounts {
    /// The child that drops links which can't be used any more, and names nobody wants kept.
    pub(crate) fn sweeper(&self) -> Child {
        let accounts = self.clone();
        reconciler("account-tokens", SWEEP_EVERY, &Nudge::new(), move || {
            let sweeper = TokenSweeper(accounts.clone());
            async move { Ok(sweeper) }
        })
    }

    async fn send_link(&self, email: &Email) -> Result<(), AccountsError> {
        let parts = &self.shared.parts;
        let known = parts.rows.by_email(email).await?.filter(|known| known.account.may_come_in());
        // Who asks often has mails enough to read.
        let Some(known) = known.filter(|_| self.shared.mails.take(email.as_str()).is_ok()) else {
            return Ok(());
        };
        let minutes = u64::from(parts.config.reset_minutes);
        let lasts = Duration::from_secs(minutes * 60);
        let (secret, hash) = self.token();
        let (at, account) = (self.now(), Some(known.account.id));
        let token =
            NewToken { hash, account, purpose: Purpose::Reset, at, expires_at: at.plus(lasts) };
        let text = parts.sender.reset(&secret, minutes);
        let mail = Some(self.mail("password_reset", email, text, lasts));
        self.do_it(AccountWrite::PutToken { token, mail }).await
    }
}
