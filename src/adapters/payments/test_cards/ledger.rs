//! The network's own file: one JSON line for each thing that happened, synced before anybody is
//! told.
//!
//! Lines that come while the disk is being waited for go down together with the next sync. A last
//! line without its end was being written in a crash, so nobody was told of it: it is cut off. A
//! full disk loses nothing either: the lines wait here and go down as soon as there is room.

use crate::domain::{id::PaymentIntentId, money::Currency, payment::Fact, time::Micros};
use serde::{Deserialize, Serialize};
use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{sync::Mutex as Turns, task::spawn_blocking};
use uuid::Uuid;

/// A longer line was not written by us.
const LONGEST_LINE: u64 = 4096;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Entry {
    /// The first line, and no other.
    Opened { layout: u32, webhook_secret: String },
    /// An intent was heard of.
    Intent { intent: PaymentIntentId, minor: i64, currency: Currency, card: String },
    /// Something happened to it, which makes a webhook.
    Fact { intent: PaymentIntentId, fact: Fact, at: Micros, event: Uuid },
    /// The webhook was taken, or is given up.
    Posted { event: Uuid },
}

/// Why the network's file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    #[error("can't use the test cards' ledger {}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error(
        "line {line} of the test cards' ledger {} is damaged; all in it is play money: move the \
         file away to start anew",
        path.display()
    )]
    Damaged { path: PathBuf, line: usize },
}

pub(super) struct Ledger {
    waiting: Arc<Mutex<Waiting>>,
    tail: Arc<Turns<Tail>>,
}

/// Lines that are not yet with the [`Tail`].
#[derive(Default)]
struct Waiting {
    bytes: Vec<u8>,
    /// How many there ever were.
    lines: u64,
}

struct Tail {
    file: File,
    /// Up to here it is whole and synced.
    length: u64,
    /// Taken over, and not yet down.
    bytes: Vec<u8>,
    /// How many lines are down for good, of those since the opening.
    lines: u64,
}

impl Ledger {
    /// Hands each line there is to `tell`, in order. `false` from it: the line makes no sense.
    pub(super) fn open(
        path: &Path,
        mut tell: impl FnMut(Entry) -> bool,
    ) -> Result<Self, LedgerError> {
        let at = |source| LedgerError::Io { path: path.to_owned(), source };
        let mut options = OpenOptions::new();
        // It holds the key that its webhooks are signed with.
        let options = options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let file = options.open(path).map_err(at)?;
        let (length, torn) = replay(&file, path, &mut tell)?;
        if torn {
            tracing::warn!(
                ledger.path = %path.display(),
                "the test cards' ledger ends in the middle of a line, which a crash left: cut off"
            );
            file.set_len(length).and_then(|()| file.sync_all()).map_err(at)?;
        }
        // The file itself may be new.
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(at)?;
        let tail = Tail { file, length, bytes: Vec::new(), lines: 0 };
        Ok(Self { waiting: Arc::default(), tail: Arc::new(Turns::new(tail)) })
    }

    /// Queues a line behind those before it. What it is worth is known after [`Ledger::sync`].
    pub(super) fn add(&self, entry: &Entry) -> io::Result<()> {
        let mut line = serde_json::to_vec(entry)?;
        line.push(b'\n');
        let mut waiting = self.waiting();
        waiting.bytes.append(&mut line);
        waiting.lines += 1;
        Ok(())
    }

    /// How many lines were queued; to be taken while nobody can queue another.
    pub(super) fn queued(&self) -> u64 {
        self.waiting().lines
    }

    /// Waits until the first `lines` lines since the opening are on the disk.
    pub(super) async fn sync(&self, lines: u64) -> io::Result<()> {
        let mut tail = Arc::clone(&self.tail).lock_owned().await;
        // Whoever had the turn before may have written them.
        if tail.lines >= lines {
            return Ok(());
        }
        let waiting = Arc::clone(&self.waiting);
        // The turn ends with the writing, also when the caller is dropped meanwhile.
        let write = spawn_blocking(move || tail.write(&waiting));
        write.await.map_err(io::Error::from).flatten()
    }

    /// As [`Ledger::sync`], where nothing else can run yet.
    pub(super) fn sync_now(&self) -> io::Result<()> {
        match self.tail.try_lock() {
            Ok(mut tail) => tail.write(&self.waiting),
            Err(_) => Err(io::ErrorKind::ResourceBusy.into()),
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tail {
    fn write(&mut self, waiting: &Mutex<Waiting>) -> io::Result<()> {
        let lines = {
            let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
            self.bytes.append(&mut waiting.bytes);
            waiting.lines
        };
        let written = self
            .file
            .seek(SeekFrom::Start(self.length))
            .and_then(|_| self.file.write_all(&self.bytes))
            .and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            // Half a line would be read as damage; if this fails too, the next write covers it.
            let _cut = self.file.set_len(self.length);
            return Err(error);
        }
        self.length += self.bytes.len() as u64;
        self.bytes.clear();
        self.lines = lines;
        Ok(())
    }
}

/// Where the last whole line ends, and whether something follows it.
fn replay(
    file: &File,
    path: &Path,
    tell: &mut impl FnMut(Entry) -> bool,
) -> Result<(u64, bool), LedgerError> {
    let mut reader = BufReader::new(file);
    let (mut length, mut line) = (0, Vec::new());
    for number in 1.. {
        line.clear();
        let read = reader.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line);
        let read = read.map_err(|source| LedgerError::Io { path: path.to_owned(), source })?;
        if read == 0 {
            return Ok((length, false));
        }
        let last = reader.fill_buf().is_ok_and(<[u8]>::is_empty);
        if !line.ends_with(b"\n") && last {
            return Ok((length, true));
        }
        let entry = serde_json::from_slice(&line).ok();
        if !entry.is_some_and(&mut *tell) {
            return Err(LedgerError::Damaged { path: path.to_owned(), line: number });
        }
        length += line.len() as u64;
    }
    Ok((length, false))
}
