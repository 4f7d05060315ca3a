//! `stoa backup` and `stoa restore`

use super::{Context, Failure, Outcome, output, progress::Progress};
use crate::boot::{self, BootError, Manifest, Moved, Watch};
use serde_json::json;
use std::{future::Future, path::PathBuf};
use tokio::sync::watch;

const BACKUP_EXAMPLES: &str = "\
Examples:
  stoa backup shop.stoa                  while the server runs, or when it doesn't
  stoa backup --check shop.stoa          read a backup again and compare its hashes
  stoa backup /mnt/backups/$(date +%F).stoa --json";

/// One file with the embedded database as it is at one moment, and the files, mails and unfinished
/// imports beside it. It is written beside its name, read again whole, and only then named so. The
/// search index and the documents are not in it, as they are made of the rest; neither is the
/// operator's token. It holds customers' data: keep it as you keep the database.
#[derive(Debug, clap::Args)]
#[command(before_help = BACKUP_EXAMPLES)]
pub(crate) struct Backup {
    /// The file to write; one that is there already is kept.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Write nothing: read FILE and say whether it can be restored.
    #[arg(long)]
    check: bool,
}

const RESTORE_EXAMPLES: &str = "\
Examples:
  stoa restore shop.stoa --data ./shop      then: stoa serve --data ./shop";

/// Makes a shop of a backup in an empty or missing data folder. Everything is checked before
/// anything is there; whoever followed the old shop's log (an index, a client's socket) starts over.
#[derive(Debug, clap::Args)]
#[command(before_help = RESTORE_EXAMPLES)]
pub(crate) struct Restore {
    /// What `stoa backup` wrote.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Backup {
    pub(crate) async fn run(self, context: &Context) -> Outcome {
        let (config, _) = context.config(&[])?;
        let file = self.file.display();
        if self.check {
            let read = |watch| boot::check_backup(&self.file, watch);
            let manifest = watched("checking", context, read).await?;
            return tell(context, &manifest, &format!("{file} is whole"));
        }
        let write = |watch| boot::backup(&config, &context.folder, &self.file, watch);
        let manifest = watched("backing up", context, write).await?;
        tell(context, &manifest, &format!("{file} is written, and was read again"))
    }
}

impl Restore {
    pub(crate) async fn run(self, context: &Context) -> Outcome {
        let read = |watch| boot::restore(&context.folder, &self.file, watch);
        let manifest = watched("restoring", context, read).await?;
        let place = context.folder.path().display();
        tell(
            context,
            &manifest,
            &format!("restored to {place}; `stoa serve --data {place}` opens it"),
        )
    }
}

async fn watched<F>(
    what: &'static str,
    context: &Context,
    work: impl FnOnce(Watch) -> F,
) -> Result<Manifest, Failure>
where
    F: Future<Output = Result<Manifest, BootError>>,
{
    let (watch, mut moved) = watch::channel(Moved::default());
    let mut progress = Progress::in_bytes(what, context.json);
    let mut work = std::pin::pin!(work(watch));
    let done = loop {
        tokio::select! {
            done = &mut work => break done,
            Ok(()) = moved.changed() => {
                let now = *moved.borrow_and_update();
                progress.show(now.bytes, now.of, now.bytes);
            }
        }
    };
    progress.end();
    done.map_err(|error| Failure::Failed(error.to_string()))
}

fn tell(context: &Context, manifest: &Manifest, sentence: &str) -> Outcome {
    let Manifest { created_at, database_id, mark, products, entries, version, .. } = manifest;
    let (files, bytes) = (entries.len(), manifest.bytes());
    if context.json {
        return output::json(&json!({
            "created_at": created_at, "version": version, "database": database_id, "mark": mark,
            "products": products, "files": files, "bytes": bytes,
        }));
    }
    output::say(&format!(
        "{sentence}: {products} products, {files} files of {bytes} bytes, up to event {mark}, \
         of {created_at}"
    ));
    Ok(())
}
