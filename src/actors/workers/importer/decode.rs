//! Reading ahead: a blocking thread decodes while the importer commits.
//!
//! Bounded twice, by chunks and by the text in each. When the importer dies the thread finds its
//! channel closed and ends; when the thread dies the channel closes without an end, which is not
//! taken for one.

use super::{
    rows::{ReadRow, Rows},
    source::{self, SourceError},
};
use crate::{domain::import::Ignored, ports::imports::ImportOptions};
use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::mpsc;

/// Chunks that wait, with [`CHUNK_ROWS`] rows or little more than [`CHUNK_BYTES`] of text each.
const CHUNKS: usize = 8;
const CHUNK_ROWS: usize = 128;
const CHUNK_BYTES: usize = 256 * 1024;

enum Read {
    Chunk { rows: Vec<ReadRow>, taken: u64 },
    End { ignored: Ignored },
    Broken(SourceError),
}

/// The rows of a source as they come.
pub(super) struct Decoding {
    channel: mpsc::Receiver<Read>,
    waiting: VecDeque<ReadRow>,
    taken: u64,
    end: Option<Result<Ignored, SourceError>>,
}

/// Rows in source order, cut to one commit.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) rows: Vec<ReadRow>,
    /// Bytes of the source as stored that were read by then.
    pub(super) taken: u64,
}

/// Starts reading.
pub(super) fn start(path: PathBuf, options: ImportOptions) -> Decoding {
    let (sender, channel) = mpsc::channel(CHUNKS);
    tokio::task::spawn_blocking(move || {
        let last = match decode(&path, &options, &sender) {
            Ok(ignored) => Read::End { ignored },
            Err(error) => Read::Broken(error),
        };
        // Nobody listens any more: the importer has ended.
        let _ = sender.blocking_send(last);
    });
    Decoding { channel, waiting: VecDeque::new(), taken: 0, end: None }
}

fn decode(
    path: &std::path::Path,
    options: &ImportOptions,
    sender: &mpsc::Sender<Read>,
) -> Result<Ignored, SourceError> {
    let taken = Arc::new(AtomicU64::new(0));
    let text = source::open(path, options.compression, &taken)?;
    let mut rows = Rows::open(text, options)?;
    loop {
        let mut chunk = Vec::with_capacity(CHUNK_ROWS);
        let mut bytes = 0;
        let mut stop = None;
        while stop.is_none() && chunk.len() < CHUNK_ROWS && bytes < CHUNK_BYTES {
            match rows.next() {
                Ok(Some(row)) => {
                    bytes += row.bytes;
                    chunk.push(row);
                }
                Ok(None) => stop = Some(Ok(std::mem::take(&mut rows.ignored))),
                // What was read before the break is still good.
                Err(error) => stop = Some(Err(error)),
            }
        }
        let taken = taken.load(Ordering::Relaxed);
        let gone = sender.blocking_send(Read::Chunk { rows: chunk, taken }).is_err();
        if let Some(stop) = stop {
            return stop;
        }
        if gone {
            return Ok(Ignored::default());
        }
    }
}

impl Decoding {
    /// The next rows: up to `most` of them, or as many as hold `most_bytes` of text. Nothing at
    /// the end of the source; a broken source gives its good rows first.
    pub(super) async fn gather(
        &mut self,
        most: usize,
        most_bytes: usize,
    ) -> Result<Option<Gathered>, SourceError> {
        let mut rows = Vec::with_capacity(most.min(CHUNK_ROWS * CHUNKS));
        let mut bytes = 0;
        while rows.len() < most && bytes < most_bytes {
            match self.next().await {
                Some(row) => {
                    bytes += row.bytes;
                    rows.push(row);
                }
                None => break,
            }
        }
        match (&self.end, rows.is_empty()) {
            (Some(Err(error)), true) => Err(error.clone()),
            (_, true) => Ok(None),
            (_, false) => Ok(Some(Gathered { rows, taken: self.taken })),
        }
    }

    /// Passes over `count` rows, showing each; false when there are fewer.
    pub(super) async fn pass_over(
        &mut self,
        count: u64,
        mut show: impl FnMut(&ReadRow),
    ) -> Result<bool, SourceError> {
        for _ in 0..count {
            let Some(row) = self.next().await else {
                return match &self.end {
                    Some(Err(error)) => Err(error.clone()),
                    _ => Ok(false),
                };
            };
            show(&row);
        }
        Ok(true)
    }

    /// The line of the next row, without taking it.
    pub(super) async fn next_line(&mut self) -> Option<u64> {
        let row = self.next().await?;
        let line = row.line;
        self.waiting.push_front(row);
        Some(line)
    }

    /// Columns that meant nothing; known at the end.
    pub(super) fn ignored(&self) -> Ignored {
        self.end.as_ref().and_then(|end| end.as_ref().ok()).cloned().unwrap_or_default()
    }

    async fn next(&mut self) -> Option<ReadRow> {
        loop {
            if let Some(row) = self.waiting.pop_front() {
                return Some(row);
            }
            if self.end.is_some() {
                return None;
            }
            match self.channel.recv().await {
                Some(Read::Chunk { rows, taken }) => {
                    self.waiting = rows.into();
                    self.taken = taken;
                }
                Some(Read::End { ignored }) => self.end = Some(Ok(ignored)),
                Some(Read::Broken(error)) => self.end = Some(Err(error)),
                None => {
                    let died = "the reader of the source died; the log says more".to_owned();
                    self.end = Some(Err(SourceError(died)));
                }
            }
        }
    }
}
