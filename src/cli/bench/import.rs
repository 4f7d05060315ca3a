//! `stoa bench import`

use super::{
    process::{self, Minded},
    rounds::{Compared, Round},
    row::{Reach, Report, Row},
};
use crate::{
    boot,
    cli::{Context, Failure, Outcome, output},
    config::Config,
    folder::Folder,
};
use serde_json::Value;
use std::{
    io::Read,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};
use tokio::time::Instant;

/// Between two looks at the import's memory, and at whether it has ended.
const LOOK: Duration = Duration::from_millis(10);
const NAME: &str = "import";

const EXAMPLES: &str = "\
Examples:
  stoa bench import products.jsonl.zst
  stoa bench import products.jsonl.zst --json --rounds 9 > bench.jsonl
  stoa bench import products.jsonl.zst --database-url postgres://user:password@host/postgres";

/// Imports a file into an empty shop of its own and waits until all of it can be found; then writes
/// the products that came of it once more with nothing else done, by COPY on PostgreSQL and from
/// table to table on SQLite. RATIO is ours over that baseline's. The shops are made in a folder that
/// is removed again; with --database-url also in databases of that server's, for which its user must
/// be allowed to make some.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Import {
    /// What `stoa import products` takes, without rows that it would reject.
    file: PathBuf,
    /// Rounds of each side; the median is the figure.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    rounds: u16,
    /// Where the shops are made [default: the system's place for temporary files]
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
}

/// A folder that is gone with its value.
pub(super) struct Scratch(pub(super) PathBuf);

impl Scratch {
    /// A new one in `place`, or where the system keeps temporary files.
    pub(super) fn make(place: Option<PathBuf>) -> Result<Self, Failure> {
        let place = place.unwrap_or_else(std::env::temp_dir);
        let place = place.join(format!("stoa-bench-{}", std::process::id()));
        std::fs::create_dir_all(&place)
            .map_err(|error| Failure::Failed(format!("can't make {}: {error}", place.display())))?;
        Ok(Self(place))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// One import of one round.
pub(super) struct Imported {
    rows: u64,
    took: Duration,
    /// The most memory of its own, in bytes; 0 where that can't be seen.
    memory: u64,
}

impl Import {
    pub(crate) async fn run(self, context: &Context, report: &mut Report) -> Outcome {
        let (config, _) = context.config(&[])?;
        let file = std::path::absolute(&self.file)
            .map_err(|error| Failure::Usage(format!("{}: {error}", self.file.display())))?;
        if !file.is_file() {
            return Err(Failure::Usage(format!("{} is not a file", file.display())));
        }
        let scratch = Scratch::make(self.scratch.clone())?;
        let (mut compared, mut memory) = (Compared::default(), Vec::new());
        for number in 0..=self.rounds {
            let what = if number == 0 { "to warm up" } else { "measured" };
            output::talk(&format!("{NAME}: {number} of {}, {what}", self.rounds));
            let (imported, again) = round(&config, &file, &scratch.0, number).await?;
            if number > 0 {
                memory.push(imported.memory);
                let of = |elapsed| Round { done: imported.rows, elapsed, ..Round::default() };
                compared.push(of(imported.took), of(again));
            }
        }
        // SQLite copies from table to table faster than rows can be read: nothing to reach.
        let embedded = config.store.database_url.is_empty();
        let reach = if embedded { Reach::default() } else { Reach::ratio(0.3) };
        let row = compared.row(NAME, "products/s", reach);
        let most = memory.iter().copied().max().filter(|most| *most > 0);
        // One unit of work is the whole file: there are no times of single ones.
        report.add(Row {
            p50_ms: None,
            p99_ms: None,
            baseline_p99_ms: None,
            p99_ratio: None,
            note: most
                .map(|most| format!("at most {:.0} MB of memory of its own", most as f64 / 1e6)),
            ..row
        })
    }
}

/// An import into an empty shop, and how long it takes to write its products again.
async fn round(
    config: &Config,
    file: &Path,
    scratch: &Path,
    number: u16,
) -> Result<(Imported, Duration), Failure> {
    let data = Scratch(scratch.join(format!("data-{number}")));
    let failed = |error: boot::BootError| Failure::Failed(error.to_string());
    if config.store.database_url.is_empty() {
        let imported = import(&data.0, "", file).await?;
        let again = scratch.join(format!("again-{number}.db"));
        let took = boot::bench_write_again(config, &Folder::at(&data.0), &again).await;
        return Ok((imported, took.map_err(failed)?));
    }
    let name = format!("stoa_bench_{}_{number}", std::process::id());
    let url = boot::bench_database(config, &name).await.map_err(failed)?;
    let done = async {
        let imported = import(&data.0, &url, file).await?;
        let mut there = config.clone();
        there.store.database_url.clone_from(&url);
        let took = boot::bench_write_again(&there, &Folder::at(&data.0), scratch).await;
        Ok((imported, took.map_err(failed)?))
    };
    let done = done.await;
    boot::bench_drop_database(config, &name).await.map_err(failed)?;
    done
}

/// In a process of its own, as it is run.
pub(super) async fn import(data: &Path, database: &str, file: &Path) -> Result<Imported, Failure> {
    let failed = |what: String| Failure::Failed(format!("the import {what}"));
    let program = std::env::current_exe().map_err(|error| failed(error.to_string()))?;
    let said = data.with_extension("log");
    let log = std::fs::File::create(&said).map_err(|error| failed(error.to_string()))?;
    let begun = Instant::now();
    let mut child = Minded::spawn(
        Command::new(program)
            .args(["import", "products", "--json", "--data"])
            .arg(data)
            .arg(file)
            // Not among the arguments, which everybody on this machine can read.
            .env("STOA_STORE_DATABASE_URL", database)
            .env_remove("STOA_URL")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log),
    )
    .map_err(|error| failed(format!("can't be started: {error}")))?;
    let mut memory = 0;
    let how = loop {
        memory = memory.max(process::memory(child.id()).map_or(0, |memory| memory.anonymous));
        if let Some(how) = child.ended() {
            break how;
        }
        tokio::time::sleep(LOOK).await;
    };
    let took = begun.elapsed();
    let mut summary = String::new();
    if let Some(output) = &mut child.child().stdout {
        output.read_to_string(&mut summary).map_err(|error| failed(error.to_string()))?;
    }
    let counted = |key: &str| {
        let summary: Option<Value> = serde_json::from_str(summary.lines().last()?).ok();
        summary?[key].as_u64()
    };
    match (counted("created"), counted("rejected")) {
        (Some(rows), Some(0)) if rows > 0 => Ok(Imported { rows, took, memory }),
        (_, Some(rejected)) if rejected > 0 => {
            Err(failed(format!("rejects {rejected} rows; leave them out of {}", file.display())))
        }
        _ => {
            let said = std::fs::read_to_string(&said).unwrap_or_default();
            Err(failed(format!("brought nothing ({how}): {}", said.lines().last().unwrap_or("-"))))
        }
    }
}
