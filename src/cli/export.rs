//! `stoa export products`

use super::{Context, Failure, Outcome, client::escaped, output};
use crate::domain::import;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::{fs::File, io::Write, path::PathBuf};

/// Products read at once.
const PAGE: u32 = 500;

const EXAMPLES: &str = "\
Examples:
  stoa export products > products.jsonl
  stoa export products --output products.jsonl --url http://shop:8080 --token …";

/// One JSON object a line, by SKU, in the form `stoa import products` reads: every product, disabled
/// ones too, with what is on hand in each warehouse. Imported into an empty shop, the file makes
/// the same products at the same addresses, and their stock; imported again, it changes nothing.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Export {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Every product.
    Products {
        /// Write to this file, replacing it once all is written, instead of standard output.
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

impl Export {
    pub(crate) async fn run(self, context: &Context) -> Outcome {
        let What::Products { output: path } = self.what;
        let mut sink = Sink::open(path)?;
        let mut rows = 0_u64;
        match context.server()? {
            Some(server) => {
                let mut after: Option<String> = None;
                loop {
                    let mut query = format!("/api/v1/exports/products?limit={PAGE}");
                    if let Some(after) = &after {
                        query.push_str(&format!("&after={}", escaped(after)));
                    }
                    let page: Page = server.get(&query).await?;
                    for row in &page.items {
                        sink.line(row.get())?;
                        rows += 1;
                    }
                    after = page.next;
                    if after.is_none() {
                        break;
                    }
                }
            }
            None => {
                let offline = context.offline("stoa export").await?;
                let mut after = None;
                loop {
                    let page = offline.drafts(after.as_ref(), PAGE).await;
                    let page = page.map_err(Failure::Failed)?;
                    let Some(last) = page.last() else { break };
                    after = Some(last.sku.clone());
                    for draft in &page {
                        sink.line(&import::json::write(draft))?;
                        rows += 1;
                    }
                }
                offline.stop().await;
            }
        }
        sink.finish()?;
        output::talk(&format!("{rows} products exported"));
        Ok(())
    }
}

/// What the API answers; its rows are lines already.
#[derive(Deserialize)]
struct Page {
    items: Vec<Box<RawValue>>,
    next: Option<String>,
}

/// Standard output, or a file that appears under its name only when it is whole.
enum Sink {
    Output,
    File { part: PathBuf, name: PathBuf, file: std::io::BufWriter<File> },
}

impl Sink {
    fn open(path: Option<PathBuf>) -> Result<Self, Failure> {
        let Some(name) = path else { return Ok(Self::Output) };
        let mut part = name.clone().into_os_string();
        part.push(".part");
        let part = PathBuf::from(part);
        let file = File::create(&part).map_err(|error| failed(&part, &error))?;
        Ok(Self::File { part, name, file: std::io::BufWriter::new(file) })
    }

    fn line(&mut self, row: &str) -> Outcome {
        let text = format!("{row}\n");
        match self {
            Self::Output => output::bytes(text.as_bytes()).map_err(|_| Failure::Silent),
            Self::File { part, file, .. } => {
                file.write_all(text.as_bytes()).map_err(|error| failed(part, &error))
            }
        }
    }

    fn finish(self) -> Outcome {
        let Self::File { part, name, file } = self else { return Ok(()) };
        file.into_inner()
            .map_err(|error| failed(&part, error.error()))?
            .sync_all()
            .and_then(|()| std::fs::rename(&part, &name))
            .map_err(|error| failed(&part, &error))
    }
}

fn failed(path: &std::path::Path, error: &std::io::Error) -> Failure {
    Failure::Failed(format!("can't write {}: {error}", path.display()))
}
