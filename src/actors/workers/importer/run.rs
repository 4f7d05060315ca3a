//! One run: from where its row stands to the end of its source.
//!
//! The row's place moves only inside the transaction of the rows it counts, so whatever dies
//! here, the next run starts behind the last row that is in. A lost answer is resolved by
//! looking at the row.

use super::{
    Parts,
    batch::BatchSize,
    decode::{self, Gathered},
    errors::ErrorFile,
    progress::Progress,
    rows::ReadRow,
    sink::SinkError,
    source::{self, SourceError},
    tried::Tried,
};
use crate::{
    domain::{
        import::{Ignored, RowError},
        time::Micros,
    },
    ports::{
        StoreError,
        imports::{Import, ImportCounts, ImportState},
        writer::{ImportCheckpoint, ProductBatch, Write, Written},
    },
};
use std::{io, time::Duration};

/// How a run ended that ended by itself.
#[derive(Debug, PartialEq)]
pub(super) enum Ended {
    Succeeded(Ignored),
    /// A sentence for whoever sent the source; the run may be resumed.
    Failed(String),
    Cancelled,
    /// The process goes down; the next one carries on.
    Stopped,
    /// The row moved though we didn't move it: look again.
    Elsewhere,
}

/// Why a run broke off.
#[derive(Debug, thiserror::Error)]
pub(super) enum RunError {
    /// Try again later; the run goes on where it stands.
    #[error(transparent)]
    Unavailable(StoreError),
    #[error("the writer stayed too busy for {} s", .0.as_secs())]
    Busy(Duration),
    #[error("the writer gave no answer, again and again")]
    Silent,
}

/// An end met in the middle: an orderly one, or a breakage.
enum Stop {
    Ended(Ended),
    Broken(RunError),
}

type Step<T> = Result<T, Stop>;

impl From<SourceError> for Stop {
    fn from(error: SourceError) -> Self {
        Self::Ended(Ended::Failed(error.0))
    }
}

fn error_file(error: io::Error) -> Stop {
    Stop::Ended(Ended::Failed(format!("the file of row errors can't be written: {error}")))
}

fn store(error: StoreError) -> Stop {
    match error {
        StoreError::Unavailable(_) => Stop::Broken(RunError::Unavailable(error)),
        other => Stop::Ended(Ended::Failed(other.to_string())),
    }
}

/// What became of some rows.
enum Verdict {
    In(ImportCounts),
    /// The database won't have them, for what is said.
    Refused(String),
}

struct Run<'a> {
    parts: &'a Parts,
    stopping: &'a (dyn Fn() -> bool + Sync),
    import: Import,
    errors: ErrorFile,
    /// Of a dry run.
    tried: Option<Tried>,
    size: BatchSize,
    began: Micros,
    /// Rows and bytes that were done when this run took over.
    from: (u64, u64),
}

/// Carries `import` on to an end.
pub(super) async fn run(
    parts: &Parts,
    import: Import,
    stopping: &(dyn Fn() -> bool + Sync),
) -> Result<Ended, RunError> {
    match carry_on(parts, import, stopping).await {
        Ok(ignored) => Ok(Ended::Succeeded(ignored)),
        Err(Stop::Ended(ended)) => Ok(ended),
        Err(Stop::Broken(error)) => Err(error),
    }
}

async fn carry_on(
    parts: &Parts,
    import: Import,
    stopping: &(dyn Fn() -> bool + Sync),
) -> Step<Ignored> {
    check_source(parts, &import).await?;
    let mut decoding = decode::start(parts.source_of(&import), import.options.clone());
    let mut tried = import.options.dry_run.then(|| Tried::new(parts.scope.clone()));
    let note = |row: &ReadRow| tried.iter_mut().for_each(|tried| tried.note(row));
    if !decoding.pass_over(import.rows_done, note).await? {
        return Err(SourceError("the source has fewer rows than were read of it".into()).into());
    }
    let first = decoding.next_line().await;
    let errors = ErrorFile::open(parts.errors_of(import.id), first).await.map_err(error_file)?;
    let most_bytes = parts.options.batch.most_bytes;
    let mut run = Run {
        stopping,
        errors,
        tried,
        size: BatchSize::new(&parts.options.batch),
        began: parts.clock.now(),
        from: (import.rows_done, import.bytes_done),
        parts,
        import,
    };
    let mut next = decoding.gather(run.size.rows(), most_bytes).await?;
    while let Some(batch) = next {
        let size = run.size.rows();
        // While one batch commits the next gathers.
        let (committed, gathered) =
            tokio::join!(run.commit(batch), decoding.gather(size, most_bytes));
        committed?;
        next = gathered?;
    }
    Ok(decoding.ignored())
}

/// A run that goes on must find what it began with; one that begins at least all of it.
async fn check_source(parts: &Parts, import: &Import) -> Step<()> {
    let path = parts.source_of(import);
    let (resumed, hash, bytes) =
        (import.rows_done > 0, import.source_hash.clone(), import.source_bytes);
    let same = tokio::task::spawn_blocking(move || {
        if !resumed {
            // Read whole when it was handed in, moments ago as a rule.
            return source::length(&path).map(|length| length == bytes);
        }
        source::fingerprint(&path).map(|found| found == (hash, bytes))
    })
    .await
    .map_err(|died| SourceError(format!("the source can't be read: {died}")))??;
    if same {
        return Ok(());
    }
    let changed = "the source has changed since the import was handed in: import it anew";
    Err(SourceError(changed.into()).into())
}

impl Run<'_> {
    async fn commit(&mut self, batch: Gathered) -> Step<()> {
        self.may_go_on()?;
        let bad: Vec<&RowError> =
            batch.rows.iter().filter_map(|row| row.draft.as_ref().err()).flatten().collect();
        self.errors.append(&bad).await.map_err(error_file)?;
        // Halves of a refused batch, last on top, until the rows at fault stand alone.
        let mut todo = vec![batch.rows.as_slice()];
        while let Some(rows) = todo.pop() {
            let bytes = if todo.is_empty() { batch.taken } else { self.import.bytes_done };
            let started = self.parts.clock.now();
            match self.write(rows, bytes).await? {
                Verdict::In(counts) => {
                    let took = self.parts.clock.now().0.saturating_sub(started.0);
                    let took = Duration::from_micros(u64::try_from(took).unwrap_or_default());
                    self.size.took(rows.len(), took);
                    if let Some(tried) = &mut self.tried {
                        rows.iter().for_each(|row| tried.note(row));
                    }
                    self.is_in(rows.len() as u64, bytes, counts);
                }
                Verdict::Refused(_) if rows.len() > 1 => {
                    let (first, second) = rows.split_at(rows.len() / 2);
                    todo.extend([second, first]);
                }
                Verdict::Refused(why) => self.refuse(&rows[0], bytes, &why).await?,
            }
            self.tell();
        }
        Ok(())
    }

    /// One row that passed our checks but not the database's.
    async fn refuse(&mut self, row: &ReadRow, bytes: u64, why: &str) -> Step<()> {
        let sku = row.draft.as_ref().ok().map(|draft| draft.sku.to_string());
        let message = format!("was refused: {why}");
        let error = RowError { line: row.line, field: None, message, sku };
        self.errors.append(&[&error]).await.map_err(error_file)?;
        let bad = ReadRow { line: row.line, draft: Err(Vec::new()), bytes: 0 };
        match self.write(&[bad], bytes).await? {
            Verdict::In(counts) => {
                self.is_in(1, bytes, counts);
                Ok(())
            }
            Verdict::Refused(why) => Err(store(StoreError::Refused(why))),
        }
    }

    /// Writes rows in one transaction, whatever number of tries it takes.
    async fn write(&mut self, rows: &[ReadRow], bytes_done: u64) -> Step<Verdict> {
        let rows_before = self.import.rows_done;
        let rows_done = rows_before + rows.len() as u64;
        let patience = self.parts.options.patience;
        let (mut waited, mut pause, mut silent) = (Duration::ZERO, FIRST_PAUSE, 0);
        loop {
            let products: Vec<_> =
                rows.iter().filter_map(|row| row.draft.as_ref().ok()).cloned().collect();
            let checkpoint = ImportCheckpoint {
                import: self.import.id,
                rows_before,
                rows_done,
                bytes_done,
                rejected: (rows.len() - products.len()) as u64,
            };
            let batch = ProductBatch {
                scope: self.parts.scope.clone(),
                supposed: self.tried.as_ref().map(|t| t.of(&products)).unwrap_or_default(),
                products,
                checkpoint: Some(checkpoint),
                dry_run: self.import.options.dry_run,
                at: self.parts.clock.now(),
            };
            match self.parts.sink.write(Write::Products(batch)).await {
                Ok(Written::Products(counts)) => return Ok(Verdict::In(counts)),
                Ok(Written::Absent) => {
                    let gone = "the import was deleted while it ran".to_owned();
                    return Err(Stop::Ended(Ended::Failed(gone)));
                }
                Err(SinkError::Full) => {
                    if waited >= patience {
                        return Err(Stop::Broken(RunError::Busy(waited)));
                    }
                    self.may_go_on()?;
                    tokio::time::sleep(pause).await;
                    waited += pause;
                    pause = (pause * 2).min(MOST_PAUSE);
                }
                // Perhaps it is in, by this try or by one before it whose answer was lost.
                Ok(_) | Err(SinkError::Unknown) => {
                    let row = self.row().await?;
                    match row.state {
                        ImportState::Cancelled => return Err(Stop::Ended(Ended::Cancelled)),
                        ImportState::Succeeded => return Err(Stop::Ended(Ended::Elsewhere)),
                        _ => {}
                    }
                    if row.rows_done == rows_done {
                        return Ok(Verdict::In(since(&self.import.counts, &row.counts)));
                    }
                    if row.rows_done != rows_before {
                        return Err(Stop::Ended(Ended::Elsewhere));
                    }
                    silent += 1;
                    if silent > MOST_SILENT {
                        return Err(Stop::Broken(RunError::Silent));
                    }
                }
                Err(SinkError::Stopped) => return Err(Stop::Ended(Ended::Stopped)),
                Err(SinkError::Store(StoreError::Refused(why))) => {
                    return Ok(Verdict::Refused(why));
                }
                Err(SinkError::Store(error)) => return Err(store(error)),
            }
        }
    }

    async fn row(&self) -> Step<Import> {
        let row = self.parts.rows.get(self.import.id).await.map_err(store)?;
        row.ok_or(Stop::Ended(Ended::Elsewhere))
    }

    fn may_go_on(&self) -> Step<()> {
        if self.parts.board.is_cancelled(self.import.id) {
            return Err(Stop::Ended(Ended::Cancelled));
        }
        if (self.stopping)() {
            return Err(Stop::Ended(Ended::Stopped));
        }
        Ok(())
    }

    fn is_in(&mut self, rows: u64, bytes: u64, counts: ImportCounts) {
        self.import.rows_done += rows;
        self.import.bytes_done = bytes;
        let sum = &mut self.import.counts;
        sum.read += counts.read;
        sum.created += counts.created;
        sum.updated += counts.updated;
        sum.unchanged += counts.unchanged;
        sum.rejected += counts.rejected;
    }

    fn tell(&self) {
        let mut progress = Progress::of(&self.import);
        progress.state = ImportState::Running;
        let micros = self.parts.clock.now().0.saturating_sub(self.began.0);
        if micros > 0 {
            let seconds = micros as f64 / 1e6;
            let (rows, bytes) = self.from;
            progress.rows_per_second = Some((self.import.rows_done - rows) as f64 / seconds);
            let speed = self.import.bytes_done.saturating_sub(bytes) as f64 / seconds;
            let rest = self.import.source_bytes.saturating_sub(self.import.bytes_done);
            progress.left = Duration::try_from_secs_f64(rest as f64 / speed).ok();
        }
        self.parts.board.tell(self.import.id, progress);
    }
}

/// Between tries at a full writer.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const MOST_PAUSE: Duration = Duration::from_secs(1);
/// Tries without an answer before the run breaks off.
const MOST_SILENT: u32 = 8;

fn since(before: &ImportCounts, after: &ImportCounts) -> ImportCounts {
    ImportCounts {
        read: after.read.saturating_sub(before.read),
        created: after.created.saturating_sub(before.created),
        updated: after.updated.saturating_sub(before.updated),
        unchanged: after.unchanged.saturating_sub(before.unchanged),
        rejected: after.rejected.saturating_sub(before.rejected),
    }
}
