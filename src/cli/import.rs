//! `stoa import products`

use super::{
    Context, Failure, Outcome, client::Client, client::escaped, output, progress::Progress,
};
use crate::{
    actors::workers::importer::{
        Compression, Import as Run, ImportCounts, ImportOptions, ImportState, RowFormat,
    },
    domain::{id::ImportId, money::Currency},
};
use bytes::Bytes;
use http::{Method, header};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    io::{Read, Write},
    path::{Path, PathBuf},
    time::Duration,
};

const EXAMPLES: &str = "\
Examples:
  stoa import products catalogue.jsonl.zst
  stoa import products list.csv --map sku=Article --map name=Title --currency EUR
  stoa import products list.csv --dry-run         check every row, change nothing
  stoa import products list.csv --resume          go on where a killed import stopped";

/// Upserts products by SKU from JSON lines or CSV; a file that was imported before changes
/// nothing. Rows that can't be products are listed in a file with line and field.
/// Goes through the server when one is running on the data folder.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Import {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Products, by SKU.
    Products(Products),
}

#[derive(Debug, clap::Args)]
struct Products {
    /// JSON lines or CSV, plain or .gz or .zst
    file: PathBuf,
    /// Read a field from a column of another name; may be repeated.
    #[arg(long, value_name = "FIELD=COLUMN")]
    map: Vec<String>,
    /// What the rows are; else told by the file's name.
    #[arg(long, value_enum)]
    format: Option<Form>,
    /// Currency of prices that name none; else `shop.currency`.
    #[arg(long, value_name = "CODE")]
    currency: Option<String>,
    /// Check every row and say what would be done, but change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Go on with the last unfinished import of this very file.
    #[arg(long)]
    resume: bool,
    /// Where rejected rows are listed [default: the file's name and .errors.ndjson, here]
    #[arg(long, value_name = "FILE")]
    errors: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Form {
    Jsonl,
    Csv,
}

/// An import as the command shows it; the API's object has these fields and more.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Seen {
    id: ImportId,
    state: ImportState,
    counts: ImportCounts,
    /// 0 to 1.
    progress: f64,
    source_hash: String,
    /// Why it failed, or what is worth knowing of one that succeeded.
    #[serde(default)]
    message: Option<String>,
}

#[derive(Serialize)]
struct Summary<'a> {
    read: u64,
    created: u64,
    updated: u64,
    unchanged: u64,
    rejected: u64,
    dry_run: bool,
    errors: Option<String>,
    message: Option<&'a str>,
}

impl Import {
    pub(crate) async fn run(self, context: &Context) -> Outcome {
        let What::Products(products) = self.what;
        let (config, _) = context.config(&[])?;
        let options = products.options(config.shop.currency)?;
        let mut progress = Progress::new("import", context.json);
        let (seen, errors) = match context.server()? {
            Some(server) => through(&server, &products, &options, &mut progress).await?,
            None => alone(context, &products, options, &mut progress).await?,
        };
        progress.end();
        products.report(context, &seen, &errors)
    }
}

impl Products {
    fn options(&self, currency: Currency) -> Result<ImportOptions, Failure> {
        let name = self.file.to_string_lossy().to_lowercase();
        let (stem, compression) = if let Some(stem) = name.strip_suffix(".zst") {
            (stem, Compression::Zstd)
        } else if let Some(stem) = name.strip_suffix(".gz") {
            (stem, Compression::Gzip)
        } else {
            (name.as_str(), Compression::None)
        };
        let format = match self.format {
            Some(Form::Csv) => RowFormat::Csv,
            Some(Form::Jsonl) => RowFormat::JsonLines,
            None if stem.ends_with(".csv") => RowFormat::Csv,
            None if [".jsonl", ".ndjson", ".json"].iter().any(|end| stem.ends_with(end)) => {
                RowFormat::JsonLines
            }
            None => {
                return Err(Failure::Usage(format!(
                    "can't tell from the name of {} what its rows are; say --format jsonl or \
                     --format csv",
                    self.file.display()
                )));
            }
        };
        let mut map = BTreeMap::new();
        for pair in &self.map {
            let Some((field, column)) = pair.split_once('=') else {
                let message = format!("--map takes FIELD=COLUMN, not `{pair}`");
                return Err(Failure::Usage(message));
            };
            map.insert(field.trim().to_owned(), column.trim().to_owned());
        }
        let currency = match &self.currency {
            None => currency,
            Some(code) => code
                .parse()
                .map_err(|error| Failure::Usage(format!("--currency {code}: {error}")))?,
        };
        Ok(ImportOptions { format, compression, map, currency, dry_run: self.dry_run })
    }

    fn name(&self) -> String {
        self.file.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    fn report(&self, context: &Context, seen: &Seen, errors: &[u8]) -> Outcome {
        let mut listed = None;
        if !errors.is_empty() {
            // Where the command runs, not beside the source, which may be nobody's to write to.
            let here = || PathBuf::from(format!("{}.errors.ndjson", self.name()));
            let path = self.errors.clone().unwrap_or_else(here);
            std::fs::write(&path, errors).map_err(|error| unwritable(&path, &error))?;
            listed = Some(path.display().to_string());
        }
        let counts = seen.counts;
        if context.json {
            output::json(&Summary {
                read: counts.read,
                created: counts.created,
                updated: counts.updated,
                unchanged: counts.unchanged,
                rejected: counts.rejected,
                dry_run: self.dry_run,
                errors: listed.clone(),
                message: seen.message.as_deref(),
            })?;
        } else {
            let would = if self.dry_run { "would be " } else { "" };
            output::say(&format!(
                "{} rows read: {} {would}created, {} {would}updated, {} unchanged, {} rejected",
                counts.read, counts.created, counts.updated, counts.unchanged, counts.rejected
            ));
            if !self.dry_run && counts.read > 0 && counts.read == counts.unchanged {
                output::say("nothing had changed");
            }
            if let (ImportState::Succeeded, Some(note)) = (seen.state, &seen.message) {
                output::say(note);
            }
            if let Some(path) = &listed {
                output::say(&format!("rejected rows, with line and field: {path}"));
            }
        }
        match seen.state {
            ImportState::Succeeded if counts.rejected == 0 => Ok(()),
            ImportState::Succeeded => Err(Failure::Silent),
            _ => Err(Failure::Failed(seen.message.clone().unwrap_or_else(|| {
                format!("the import ended {}; go on with --resume", seen.state.as_str())
            }))),
        }
    }
}

/// Sends the file to the server and follows what it makes of it.
async fn through(
    server: &Client,
    products: &Products,
    options: &ImportOptions,
    progress: &mut Progress,
) -> Result<(Seen, Bytes), Failure> {
    let earlier = match products.resume {
        true => earlier(server, &hash_of(&products.file)?).await?,
        false => None,
    };
    let mut seen: Seen = match earlier {
        Some(seen) if seen.state == ImportState::Pending || seen.state == ImportState::Running => {
            seen
        }
        Some(seen) => {
            let path = format!("/api/v1/imports/{}/resume", seen.id);
            server.change(Method::POST, &path, None).await?
        }
        None => {
            let mut query = format!("/api/v1/imports?name={}", escaped(&products.name()));
            query.push_str(&format!("&currency={}", options.currency));
            if options.dry_run {
                query.push_str("&dry_run=true");
            }
            for (field, column) in &options.map {
                query.push_str(&format!("&map.{}={}", escaped(field), escaped(column)));
            }
            let kind = match options.format {
                RowFormat::JsonLines => "application/x-ndjson",
                RowFormat::Csv => "text/csv",
            };
            let mut headers = vec![(header::CONTENT_TYPE, kind.to_owned())];
            match options.compression {
                Compression::None => {}
                Compression::Gzip => headers.push((header::CONTENT_ENCODING, "gzip".into())),
                Compression::Zstd => headers.push((header::CONTENT_ENCODING, "zstd".into())),
            }
            server.upload(&query, &headers, chunks(&products.file)?).await?
        }
    };
    while matches!(seen.state, ImportState::Pending | ImportState::Running) {
        show(progress, seen.progress, seen.counts.read);
        tokio::time::sleep(Duration::from_millis(100)).await;
        seen = server.get(&format!("/api/v1/imports/{}", seen.id)).await?;
    }
    let errors = rejected(server, seen.id).await?;
    Ok((seen, errors.into()))
}

/// The rejected rows, page after page.
async fn rejected(server: &Client, id: ImportId) -> Result<Vec<u8>, Failure> {
    const PAGE: usize = 10_000;
    let (mut errors, mut after) = (Vec::new(), 0);
    loop {
        let path = format!("/api/v1/imports/{id}/errors?after={after}&limit={PAGE}");
        let page = server.fetch(&path).await?.body;
        let lines = page.iter().filter(|byte| **byte == b'\n').count();
        errors.extend_from_slice(&page);
        after += lines;
        if lines < PAGE {
            return Ok(errors);
        }
    }
}

async fn earlier(server: &Client, hash: &str) -> Result<Option<Seen>, Failure> {
    let page: Value = server.get("/api/v1/imports?limit=100").await?;
    let runs = page["items"].as_array().into_iter().flatten();
    Ok(runs
        .filter_map(|run| serde_json::from_value::<Seen>(run.clone()).ok())
        .find(|run| run.source_hash == hash && run.state != ImportState::Succeeded))
}

/// Opens the data folder itself and runs the same importer.
async fn alone(
    context: &Context,
    products: &Products,
    options: ImportOptions,
    progress: &mut Progress,
) -> Result<(Seen, Bytes), Failure> {
    let offline = context.offline("stoa import").await?;
    let dry_run = options.dry_run;
    let watch = |part, rows| show(progress, part, rows);
    let (run, errors) = offline
        .import(&products.name(), &products.file, options, products.resume, watch)
        .await
        .map_err(Failure::Failed)?;
    if run.state == ImportState::Succeeded && !dry_run {
        offline.caught_up().await.map_err(Failure::Failed)?;
    }
    offline.stop().await;
    Ok((Seen::of(&run), errors))
}

impl Seen {
    fn of(run: &Run) -> Self {
        Self {
            id: run.id,
            state: run.state,
            counts: run.counts,
            progress: run.bytes_done as f64 / run.source_bytes.max(1) as f64,
            source_hash: run.source_hash.clone(),
            message: run.message.clone(),
        }
    }
}

/// `part` of 1 is done, which is so many rows.
fn show(progress: &mut Progress, part: f64, rows: u64) {
    progress.show((part * 1_000.0) as u64, 1_000, rows);
}

/// SHA-256 of the file as it lies there, in hex.
fn hash_of(path: &Path) -> Result<String, Failure> {
    let mut file = std::fs::File::open(path).map_err(|error| unreadable(path, &error))?;
    let mut hash = Hasher::default();
    std::io::copy(&mut file, &mut hash).map_err(|error| unreadable(path, &error))?;
    Ok(hash.hex())
}

#[derive(Default)]
struct Hasher(sha2::Sha256);

impl Hasher {
    fn hex(self) -> String {
        use sha2::Digest;
        self.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        use sha2::Digest;
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The file in pieces of 256 KiB, read as the connection takes them.
fn chunks(
    path: &Path,
) -> Result<impl futures_util::Stream<Item = std::io::Result<Bytes>> + Send + Sync + use<>, Failure>
{
    let file = std::fs::File::open(path).map_err(|error| unreadable(path, &error))?;
    Ok(futures_util::stream::iter(Pieces { file }))
}

struct Pieces {
    file: std::fs::File,
}

impl Iterator for Pieces {
    type Item = std::io::Result<Bytes>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut piece = vec![0; 256 * 1024];
        match self.file.read(&mut piece) {
            Ok(0) => None,
            Ok(length) => {
                piece.truncate(length);
                Some(Ok(piece.into()))
            }
            Err(error) => Some(Err(error)),
        }
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::Failed(format!("can't read {}: {error}", path.display()))
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::Failed(format!(
        "can't write {}: {error}; choose another with --errors",
        path.display()
    ))
}
