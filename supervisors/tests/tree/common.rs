//! Children for tests: they write down what happens to them, and die when told.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use supervisors::{
    Address, Agent, Backoff, Budget, Child, Context, Fault, Mailbox, Reply, StartError, agent,
};

/// Long enough for anything that works.
pub(crate) const LONG: Duration = Duration::from_secs(20);

/// A budget nobody spends.
pub(crate) const ENDLESS: Budget = Budget { restarts: u32::MAX, within: Duration::from_secs(3600) };

/// What happened, in order.
#[derive(Clone, Default)]
pub(crate) struct Diary(Arc<Mutex<Vec<String>>>);

impl Diary {
    pub(crate) fn note(&self, what: impl Into<String>) {
        self.0.lock().expect("no panic while noting").push(what.into());
    }

    pub(crate) fn read(&self) -> Vec<String> {
        self.0.lock().expect("no panic while noting").clone()
    }

    pub(crate) fn clear(&self) {
        self.0.lock().expect("no panic while noting").clear();
    }

    pub(crate) fn has(&self, what: &str) -> bool {
        self.read().iter().any(|line| line == what)
    }
}

#[derive(Debug)]
pub(crate) enum Ask {
    /// Answers its argument.
    Echo(u64, Reply<u64>),
    Panic(Reply<()>),
    Crash(Reply<()>),
    Unavailable(Reply<()>),
    /// Never returns by itself.
    Hang(Reply<()>),
}

pub(crate) struct Scribe {
    name: &'static str,
    diary: Diary,
}

impl Agent for Scribe {
    type Message = Ask;

    async fn handle(&mut self, messages: Vec<Ask>, _ctx: &Context) -> Result<(), Fault> {
        for message in messages {
            match message {
                Ask::Echo(value, reply) => {
                    self.diary.note(format!("{} echo {value}", self.name));
                    reply.send(value);
                }
                Ask::Panic(_reply) => panic!("{} was told to panic", self.name),
                Ask::Crash(_reply) => return Err(Fault::crash("told to crash")),
                Ask::Unavailable(_reply) => return Err(Fault::unavailable("the moon is away")),
                Ask::Hang(_reply) => {
                    self.diary.note(format!("{} hangs", self.name));
                    std::future::pending::<()>().await;
                }
            }
        }
        Ok(())
    }

    async fn stopping(&mut self) {
        self.diary.note(format!("{} stops", self.name));
    }
}

impl Drop for Scribe {
    fn drop(&mut self) {
        self.diary.note(format!("{} gone", self.name));
    }
}

/// An agent that notes `name up`, `name stops` and `name gone`.
pub(crate) fn scribe(name: &'static str, diary: &Diary) -> (Child, Address<Ask>) {
    let mailbox = Mailbox::new(name, 64);
    let child = scribe_at(name, &mailbox, diary);
    (child, mailbox.address())
}

pub(crate) fn scribe_at(name: &'static str, mailbox: &Mailbox<Ask>, diary: &Diary) -> Child {
    let diary = diary.clone();
    agent(name, mailbox, move || {
        let diary = diary.clone();
        async move {
            diary.note(format!("{name} up"));
            Ok::<_, StartError>(Scribe { name, diary })
        }
    })
}

/// A backoff of a blink.
pub(crate) fn blink() -> Backoff {
    Backoff {
        first: Duration::from_millis(1),
        most: Duration::from_millis(2),
        ..Backoff::default()
    }
}
