//! Every way a source may come, and may be wrong.

use super::*;
use crate::domain::import::{self, csv};
use std::io::Write as _;

struct Bench {
    folder: tempfile::TempDir,
    store: Arc<MemoryStore>,
    imports: Imports,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(MemoryStore::default());
        let imports = process(&store, &folder.path().join("imports"));
        Self { folder, store, imports }
    }

    fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// Hands a file in by its name's format and runs it to its end.
    async fn import(&self, name: &str, content: &[u8]) -> EndState {
        let path = self.file(name, content);
        let (format, compression) = format_of(name);
        let options = ImportOptions { format, compression, ..options() };
        let id = self.imports.submit_path(name, &path, options).await.unwrap();
        self.imports.importer().run_all().await.unwrap();
        end_state(&self.imports, &self.store, id).await
    }
}

/// How a case's file is to be read, by its name.
fn format_of(name: &str) -> (RowFormat, Compression) {
    let compression = match name.rsplit('.').next() {
        Some("gz") => Compression::Gzip,
        Some("zst") => Compression::Zstd,
        _ => Compression::None,
    };
    let csv = name.contains(".csv");
    (if csv { RowFormat::Csv } else { RowFormat::JsonLines }, compression)
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(text).unwrap();
    packer.finish().unwrap()
}

fn zstd(text: &[u8]) -> Vec<u8> {
    zstd::stream::encode_all(text, 1).unwrap()
}

#[tokio::test]
async fn a_source_says_the_same_however_it_is_packed() {
    let clean = undisturbed().await;
    let rows = mixed_rows();
    let (head, tail) = rows.split_at(rows.len() / 2);
    let packed = [
        ("a.jsonl", rows.clone().into_bytes()),
        ("a.jsonl.gz", gzip(rows.as_bytes())),
        ("a.jsonl.zst", zstd(rows.as_bytes())),
        // Two archives, one behind the other.
        ("b.jsonl.gz", [gzip(head.as_bytes()), gzip(tail.as_bytes())].concat()),
        ("b.jsonl.zst", [zstd(head.as_bytes()), zstd(tail.as_bytes())].concat()),
    ];
    for (name, content) in packed {
        assert_eq!(Bench::new().import(name, &content).await, clean, "{name}");
    }
}

#[tokio::test]
async fn drafts_written_as_csv_come_in_as_they_were() {
    let drafts = crate::domain::demo::catalogue();
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    writer.write_record(csv::HEADER).unwrap();
    for draft in &drafts {
        writer.write_record(csv::cells(draft)).unwrap();
    }
    let bench = Bench::new();
    let end = bench.import("demo.csv.zst", &zstd(&writer.into_inner().unwrap())).await;
    assert_eq!(end.errors, []);
    assert_eq!(end.products.into_values().count(), drafts.len());
    for draft in &drafts {
        assert_eq!(bench.store.products().get(&draft.sku), Some(draft));
    }
}

#[tokio::test]
async fn the_same_file_again_changes_nothing_and_says_so() {
    let bench = Bench::new();
    bench
        .import("rows.jsonl", b"{\"sku\":\"a\",\"name\":\"n\"}\n{\"sku\":\"b\",\"name\":\"n\"}")
        .await;
    let again = bench
        .import("rows.jsonl", b"{\"sku\":\"a\",\"name\":\"n\"}\n{\"sku\":\"b\",\"name\":\"n\"}")
        .await;
    assert_eq!((again.counts.read, again.counts.unchanged), (2, 2));
}

#[tokio::test]
async fn a_dry_run_counts_what_it_would_do_and_does_nothing() {
    let bench = Bench::new();
    bench.import("a.jsonl", b"{\"sku\":\"a\",\"name\":\"n\"}").await;
    let path = bench
        .file("b.jsonl", b"{\"sku\":\"a\",\"name\":\"new\"}\n{\"sku\":\"b\",\"name\":\"n\"}\nx");
    let dry = ImportOptions { dry_run: true, ..options() };
    let before = bench.store.products();
    let id = bench.imports.submit_path("b.jsonl", &path, dry).await.unwrap();
    bench.imports.importer().run_all().await.unwrap();
    let end = end_state(&bench.imports, &bench.store, id).await;
    assert_eq!((end.counts.created, end.counts.updated, end.counts.rejected), (1, 1, 1));
    assert_eq!((end.products, end.errors.len()), (before, 1));
}

#[tokio::test]
async fn a_source_that_is_wrong_fails_in_a_sentence_and_keeps_what_was_good() {
    let rows: String =
        (0..20_000).map(|n| format!("{{\"sku\":\"{n}\",\"name\":\"n\"}}\n")).collect();
    let cut = |packed: Vec<u8>| packed[..packed.len() / 2].to_vec();
    let cases = [
        (
            "cut.jsonl.gz",
            cut(gzip(rows.as_bytes())),
            "the source ends in the middle: it was cut off",
        ),
        (
            "cut.jsonl.zst",
            cut(zstd(rows.as_bytes())),
            "the source ends in the middle: it was cut off",
        ),
        ("plain.jsonl.gz", rows.clone().into_bytes(), "the source can't be read further"),
        ("packed.jsonl", gzip(rows.as_bytes()), "the file is compressed"),
        ("empty.csv", Vec::new(), "the file is empty"),
        ("head.csv", b"name\nx".to_vec(), "the header has neither a sku nor a upc column"),
    ];
    for (name, content, sentence) in cases {
        let end = Bench::new().import(name, &content).await;
        assert_eq!(end.state, ImportState::Failed, "{name}");
        let message = end.message.unwrap_or_default();
        assert!(message.starts_with(sentence), "{name}: {message}");
        assert_eq!(end.products.len() as u64, end.rows_done, "{name}");
        assert_eq!(end.rows_done > 0, name.starts_with("cut"), "{name}");
    }
}

#[tokio::test]
async fn a_source_that_is_gone_or_changed_is_refused_and_nothing_is_written() {
    let bench = Bench::new();
    let path = bench.file("rows.jsonl", mixed_rows().as_bytes());
    let id = bench.imports.submit_path("rows.jsonl", &path, options()).await.unwrap();
    let mut importer = bench.imports.importer();
    // Two looks at whether to stop: it ends behind its second batch.
    let looks = AtomicU64::new(0);
    let stop = || looks.fetch_add(1, Ordering::Relaxed) >= 2;
    assert_eq!(importer.carry_on(&stop).await.unwrap(), Passed::Stopped);
    let before = end_state(&bench.imports, &bench.store, id).await;
    assert!(before.rows_done > 0 && before.rows_done < 40);

    bench.file("rows.jsonl", mixed_rows().replace("n 35", "n 36").as_bytes());
    importer.run_all().await.unwrap();
    let changed = end_state(&bench.imports, &bench.store, id).await;
    assert_eq!(
        changed.message.as_deref(),
        Some("the source has changed since the import was handed in: import it anew")
    );
    assert_eq!((changed.products, changed.rows_done), (before.products, before.rows_done));

    std::fs::remove_file(&path).unwrap();
    assert!(bench.imports.resume(id).await.unwrap());
    importer.run_all().await.unwrap();
    let gone = end_state(&bench.imports, &bench.store, id).await;
    assert!(gone.message.unwrap().ends_with("rows.jsonl is not there"));

    bench.file("rows.jsonl", mixed_rows().as_bytes());
    assert!(bench.imports.resume(id).await.unwrap());
    importer.run_all().await.unwrap();
    assert_eq!(end_state(&bench.imports, &bench.store, id).await, undisturbed().await);
}

#[tokio::test]
async fn a_batch_is_bounded_in_rows_and_in_text() {
    let bench = Bench::new();
    let wide = "x".repeat(1_500);
    let rows: String = (0..30)
        .map(|n| format!("{{\"sku\":\"{n}\",\"name\":\"n\",\"description\":\"{wide}\"}}\n"))
        .collect();
    bench.import("wide.jsonl", rows.as_bytes()).await;
    assert_eq!(bench.store.most_products(), 3);
}

/// The real catalogue where there is one, else a generated one of some size.
fn large_source() -> (String, Vec<u8>, u64) {
    #[expect(clippy::disallowed_methods, reason = "tests are told by it where real data lies")]
    let folder = std::env::var_os("STOA_TEST_DATA");
    match folder {
        Some(folder) => {
            let path = Path::new(&folder).join("products.jsonl.zst");
            ("products.jsonl.zst".into(), std::fs::read(path).unwrap(), 49_447)
        }
        None => {
            let lines: String = crate::domain::demo::generate(5_000, 1)
                .map(|draft| import::json::write(&draft) + "\n")
                .collect();
            ("generated.jsonl".into(), lines.into_bytes(), 5_000)
        }
    }
}

#[test]
fn a_large_catalogue_is_read_without_a_single_error() {
    let (name, content, rows) = large_source();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(&name);
    std::fs::write(&path, &content).unwrap();
    let (format, compression) = format_of(&name);
    let options = ImportOptions { format, compression, ..options() };
    let taken = Arc::new(AtomicU64::new(0));
    let text = source::open(&path, compression, &taken).unwrap();
    let mut read = rows::Rows::open(text, &options).unwrap();
    let (mut count, mut bad) = (0, Vec::new());
    while let Some(row) = read.next().unwrap() {
        count += 1;
        bad.extend(row.draft.err());
    }
    assert_eq!((count, bad), (rows, vec![]));
    assert_eq!(taken.load(Ordering::Relaxed), content.len() as u64);
}
