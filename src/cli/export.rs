//! `stoa export products`

use super::{Context, Failure, Outcome, client::escaped, output};
use serde_json::Value;
use std::{fs::File, io::Write, path::PathBuf};

const PAGE: usize = 100;

const EXAMPLES: &str = "\
Examples:
  stoa export products > products.jsonl
  stoa export products --output products.jsonl --url http://shop:8080 --token …";

/// One JSON object a line, by SKU, in the form `stoa import products` reads. Stock levels are not
/// part of it: importing the file elsewhere leaves stock as it is there.
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
                    let mut query = format!("/api/v1/products?limit={PAGE}");
                    if let Some(after) = &after {
                        query.push_str(&format!("&after={}", escaped(after)));
                    }
                    let page: Value = server.get(&query).await?;
                    for product in page["items"].as_array().into_iter().flatten() {
                        sink.line(&row_of(product))?;
                        rows += 1;
                    }
                    after = page["next"].as_str().map(str::to_owned);
                    if after.is_none() {
                        break;
                    }
                }
            }
            None => {
                let offline = context.offline("stoa export").await?;
                offline.caught_up().await.map_err(Failure::Failed)?;
                let mut after = None;
                loop {
                    let page = offline.products(after.as_ref(), PAGE).map_err(Failure::Failed)?;
                    let Some((last, _)) = page.last() else { break };
                    after = Some(last.clone());
                    for (_, json) in &page {
                        let json: Value = serde_json::from_slice(json)
                            .map_err(|error| Failure::Failed(error.to_string()))?;
                        sink.line(&row_of(&json))?;
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

/// An API product as an import row: amounts as text, categories by name.
fn row_of(product: &Value) -> Value {
    let mut row = serde_json::Map::new();
    let mut keep = |key: &str, value: &Value| {
        let empty = match value {
            Value::Null => true,
            Value::Array(items) => items.is_empty(),
            Value::Object(fields) => fields.is_empty(),
            _ => false,
        };
        if !empty {
            row.insert(key.to_owned(), value.clone());
        }
    };
    for key in [
        "sku",
        "name",
        "brand",
        "short_description",
        "description",
        "status",
        "unit",
        "precision",
        "images",
        "attributes",
        "options",
        "popularity",
    ] {
        keep(key, &product[key]);
    }
    keep("price", &product["price"]["amount"]);
    keep("currency", &product["price"]["currency"]);
    keep("variant_of", &product["parent"]["sku"]);
    let names = product["categories"].as_array().into_iter().flatten();
    keep("categories", &names.map(|category| category["name"].clone()).collect());
    Value::Object(row)
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

    fn line(&mut self, row: &Value) -> Outcome {
        let mut text = row.to_string();
        text.push('\n');
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
