//! The embedded engine on the real catalogue, which `STOA_TEST_DATA` names the folder of.

use crate::search::{Engine, asking, at, category, product, put, tantivy};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, HashMap},
    io::BufRead,
    path::PathBuf,
    time::Duration,
};
use stoa::domain::{
    document::ProductDocument,
    id::ProductId,
    money::{Currency, Money},
    scope::Scope,
    search::SearchQuery,
    tax::TaxCategory,
    time::Micros,
};
use uuid::Uuid;

#[derive(Deserialize)]
struct Row {
    #[serde(alias = "upc")]
    sku: String,
    name: String,
    brand: Option<String>,
    short_description: Option<String>,
    description: Option<String>,
    price: Option<serde_json::Number>,
    #[serde(default)]
    categories: Vec<String>,
    #[serde(default)]
    popularity: i64,
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests are told by the environment what they may use"
)]
fn data() -> Option<PathBuf> {
    let folder = std::env::var_os("STOA_TEST_DATA").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("skipped: STOA_TEST_DATA does not name the folder of the real catalogue");
    }
    folder
}

fn catalogue(folder: PathBuf) -> Vec<ProductDocument> {
    let file = std::fs::File::open(folder.join("products.jsonl.zst")).unwrap();
    let lines = std::io::BufReader::new(zstd::Decoder::new(file).unwrap()).lines();
    let mut categories: HashMap<Vec<String>, u128> = HashMap::new();
    let document = |(number, line): (u128, Result<String, std::io::Error>)| {
        let row: Row = serde_json::from_str(&line.unwrap()).unwrap();
        let price = row.price.map(|price| price.to_string());
        let price = price.map(|text| Money::parse_price(&text, Currency::USD).unwrap());
        let mut path = Vec::new();
        for depth in 1..=row.categories.len() {
            let next = 1_000 + categories.len() as u128;
            let id = *categories.entry(row.categories[..depth].to_vec()).or_insert(next);
            path.push(category(id, &row.categories[depth - 1]));
        }
        // As UUIDv7: rising in the high half, scattered in the low.
        let scattered = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) & u128::from(u64::MAX);
        ProductDocument {
            id: ProductId(Uuid::from_u128(
                (0x0190_0000_0000_7000 + (number << 4)) << 64 | scattered,
            )),
            brand: row.brand,
            short_description: row.short_description,
            description: row.description,
            price,
            tax_category: TaxCategory::default(),
            categories: path,
            popularity: row.popularity,
            created_at: Micros(i64::try_from(number).unwrap()),
            ..product(1, &row.sku, &row.name)
        }
    };
    (0..).zip(lines).map(document).collect()
}

async fn index(products: &[ProductDocument]) -> (tempfile::TempDir, Engine) {
    let folder = tempfile::tempdir().unwrap();
    let mut engine = tantivy(folder.path());
    engine.index.begin_shadow().await.unwrap();
    for chunk in products.chunks(1_000) {
        let changes = chunk.iter().map(put).collect();
        engine.index.fill_shadow(&Scope::default(), changes).await.unwrap();
    }
    engine.index.swap(at(1)).await.unwrap();
    (folder, engine)
}

#[tokio::test]
async fn misspelt_phones_are_found_and_facets_count_right() {
    let Some(data) = data() else { return };
    let products = catalogue(data);
    let (_folder, engine) = index(&products).await;
    let all = engine.search.search(&SearchQuery { facets: true, ..asking("") }).unwrap();
    assert_eq!(all.total, 49_447);
    let by_id: HashMap<ProductId, &ProductDocument> = products.iter().map(|p| (p.id, p)).collect();

    let page = engine.search.search(&asking("samsng galxy")).unwrap();
    assert!(page.corrected);
    assert_eq!(page.hits.len(), 24);
    let phones = page.hits.iter().map(|hit| by_id[&hit.product]).filter(|product| {
        let name = product.name.to_lowercase();
        name.contains("samsung") && name.contains("galaxy")
    });
    assert!(phones.count() >= 20);

    let mut brands: BTreeMap<&str, u64> = BTreeMap::new();
    for brand in products.iter().filter_map(|p| p.brand.as_deref()) {
        *brands.entry(brand).or_default() += 1;
    }
    let mut most: Vec<(String, u64)> =
        brands.into_iter().map(|(name, count)| (name.to_owned(), count)).collect();
    most.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    most.truncate(50);
    assert_eq!(all.facets.brands, most);
    let unpriced = products.iter().filter(|p| p.price.is_none()).count() as u64;
    assert_eq!(all.facets.without_price, unpriced);

    // A SKU finds its product, first letters of it too.
    for product in products.iter().step_by(997) {
        let page = engine.search.search(&asking(product.sku.as_str())).unwrap();
        assert_eq!(page.hits[0].product, product.id);
    }
}

/// What people type, drawn from the names: two words, one, three, a beginning, a slip.
fn typed(products: &[ProductDocument]) -> Vec<String> {
    let mut texts = Vec::new();
    for (number, product) in products.iter().step_by(products.len() / 200).take(200).enumerate() {
        let words: Vec<&str> = product
            .name
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| word.len() > 2)
            .collect();
        let words = if words.is_empty() { vec!["phone"] } else { words };
        let take = |count: usize| words[..count.min(words.len())].join(" ");
        let text = match number % 10 {
            0 | 1 => words.iter().max_by_key(|w| w.len()).unwrap_or(&"phone").to_string(),
            2..=5 => take(2),
            6 | 7 => take(3),
            8 => take(2).chars().take(take(2).chars().count() - 1).collect(),
            _ => {
                let letters = words.iter().filter(|w| w.chars().all(char::is_alphabetic));
                let long = letters.max_by_key(|w| w.len()).unwrap_or(&"phone");
                long.chars().enumerate().filter(|(at, _)| *at != 2).map(|(_, c)| c).collect()
            }
        };
        texts.push(text);
    }
    texts
}

fn timed(mut work: impl FnMut()) -> Duration {
    #[expect(clippy::disallowed_methods, reason = "a measurement")]
    let began = std::time::Instant::now();
    work();
    began.elapsed()
}

fn report(what: &str, mut times: Vec<Duration>) -> Duration {
    times.sort();
    let at = |share: usize| times[(times.len() - 1) * share / 100].as_secs_f64() * 1e6;
    let total: Duration = times.iter().sum();
    println!(
        "{what}: mean {:.0} µs, median {:.0}, p95 {:.0}, p99 {:.0}, most {:.0}",
        total.as_secs_f64() * 1e6 / times.len() as f64,
        at(50),
        at(95),
        at(99),
        at(100)
    );
    total
}

/// `cargo test --release --test conformance how_fast -- --ignored --nocapture`
#[tokio::test]
#[ignore = "a measurement, for a release build on a quiet machine"]
async fn how_fast_is_it() {
    let Some(data) = data() else { return };
    let products = catalogue(data);
    for _ in 0..3 {
        #[expect(clippy::disallowed_methods, reason = "a measurement")]
        let began = std::time::Instant::now();
        let (folder, _) = index(&products).await;
        println!("indexed in {:.2} s; {}", began.elapsed().as_secs_f64(), size(folder.path()));
    }
    let (_folder, engine) = index(&products).await;
    let bare = bare::Bare::build(&products);
    let texts = typed(&products);
    let mut ours = Vec::new();
    let mut theirs = Vec::new();
    for round in 0..6 {
        let mut both = (Duration::ZERO, Duration::ZERO);
        for text in &texts {
            let query = SearchQuery { facets: true, ..asking(text) };
            let mut found = 0;
            let our = timed(|| found = engine.search.search(&query).unwrap().hits.len());
            let their = timed(|| assert!(bare.search(text) < usize::MAX));
            if found == 0 && round == 0 {
                println!("nothing found for {text:?}");
            }
            both = (both.0 + our, both.1 + their);
            if round > 0 {
                ours.push(our);
                theirs.push(their);
            }
        }
        println!("round {round}: ours {:?}, bare {:?}", both.0 / 200, both.1 / 200);
    }
    let ratio = report("bare tantivy, facets", theirs).as_secs_f64()
        / report("ours, facets", ours).as_secs_f64();
    println!("ours has {ratio:.2} of the bare rate");

    let repeated = |what: &str, query: SearchQuery| {
        let times = (0..200).map(|_| timed(|| drop(engine.search.search(&query)))).collect();
        report(what, times);
    };
    let some = || asking("samsung galaxy");
    repeated("two words, page and facets", SearchQuery { facets: true, ..some() });
    repeated("two words, page", some());
    repeated("two words, facets", SearchQuery { facets: true, limit: 0, ..some() });
    repeated("two words, total", SearchQuery { limit: 0, ..some() });
    repeated("everything, facets, kept", SearchQuery { facets: true, ..asking("") });
    let mut from = 0;
    let times = (0..200).map(|_| {
        from += 1;
        let query = SearchQuery { facets: true, price_from: Some(from), ..asking("") };
        timed(|| drop(engine.search.search(&query)))
    });
    report("a price range nobody asked for yet, facets", times.collect());
    repeated("page 400", SearchQuery { offset: 9_600, ..asking("") });
    repeated("one letter, facets", SearchQuery { facets: true, ..asking("s") });
    repeated("the commonest words", SearchQuery { facets: true, ..asking("black dvd case the") });
    let hostile = (0..1_000).map(|n| format!("zqx{n}vw ")).collect::<String>();
    repeated("hostile", SearchQuery { facets: true, ..asking(&hostile) });
    let slips = "samsng galxy televsion refridgerator headfones keybord";
    repeated("six slips", SearchQuery { facets: true, ..asking(slips) });
    for typed in ["s", "sa", "sam", "sams", "samsung ga", "00", "0088", "inte"] {
        let scope = Scope::default();
        let suggest = || drop(engine.search.suggest(&scope, typed, 8).unwrap());
        report(&format!("suggest {typed:?}"), (0..200).map(|_| timed(suggest)).collect());
    }
}

fn size(folder: &std::path::Path) -> String {
    let mut bytes = 0;
    let mut files = 0;
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else {
                bytes += entry.metadata().unwrap().len();
                files += 1;
            }
        }
    }
    format!("{:.1} MB in {files} files", bytes as f64 / 1e6)
}

/// The same question put to the engine's stock parts: an index by field, a query of its own
/// kinds, its own best hits, and counts over its columns.
mod bare {
    use super::ProductDocument;
    use ::tantivy::{
        DocId, Index, IndexReader, IndexWriter, Score, SegmentReader, TantivyDocument, Term,
        collector::{Collector, Count, SegmentCollector, TopDocs},
        columnar::Column,
        query::{BooleanQuery, BoostQuery, FuzzyTermQuery, Occur, Query, TermQuery},
        schema::{FAST, Field, IndexRecordOption, NumericOptions, STRING, Schema, TEXT},
        tokenizer::TokenStream,
    };

    pub(super) struct Bare {
        _folder: tempfile::TempDir,
        index: Index,
        reader: IndexReader,
        fields: [Field; 4],
    }

    impl Bare {
        pub(super) fn build(products: &[ProductDocument]) -> Self {
            let mut schema = Schema::builder();
            let name = schema.add_text_field("name", TEXT);
            let brand_words = schema.add_text_field("brand_words", TEXT);
            let description = schema.add_text_field("description", TEXT);
            let sku = schema.add_text_field("sku", STRING);
            let brand = schema.add_text_field("brand", FAST);
            let path = schema.add_text_field("path", FAST);
            let price = schema.add_i64_field("price", NumericOptions::default().set_fast());
            let folder = tempfile::tempdir().unwrap();
            let index = Index::create_in_dir(folder.path(), schema.build()).unwrap();
            let mut writer: IndexWriter = index.writer_with_num_threads(1, 200_000_000).unwrap();
            for product in products {
                let mut document = TantivyDocument::new();
                document.add_text(name, &product.name);
                document.add_text(sku, product.sku.as_str().to_lowercase());
                if let Some(text) = &product.brand {
                    document.add_text(brand_words, text);
                    document.add_text(brand, text);
                }
                for text in [&product.short_description, &product.description].into_iter().flatten()
                {
                    document.add_text(description, text);
                }
                let ids: Vec<String> =
                    product.categories.iter().map(|c| c.id.to_string()).collect();
                document.add_text(path, ids.join("/"));
                if let Some(money) = product.price {
                    document.add_i64(price, money.minor);
                }
                writer.add_document(document).unwrap();
            }
            writer.commit().unwrap();
            let segments = index.searchable_segment_ids().unwrap();
            if segments.len() > 1 {
                writer.merge(&segments).wait().unwrap();
            }
            writer.wait_merging_threads().unwrap();
            let reader = index.reader().unwrap();
            Self { _folder: folder, index, reader, fields: [name, brand_words, description, sku] }
        }

        pub(super) fn search(&self, text: &str) -> usize {
            let searcher = self.reader.searcher();
            let mut words = Vec::new();
            let mut analyzer = self.index.tokenizers().get("default").unwrap();
            let mut stream = analyzer.token_stream(text);
            while stream.advance() {
                words.push(stream.token().text.clone());
            }
            let mut all: Vec<(Occur, Box<dyn Query>)> = Vec::new();
            for (at, word) in words.iter().enumerate() {
                let mut any: Vec<(Occur, Box<dyn Query>)> = Vec::new();
                let mut known = 0;
                for (field, boost) in self.fields.iter().zip([4.0, 2.0, 1.0, 6.0]) {
                    let term = Term::from_field_text(*field, word);
                    known += searcher.doc_freq(&term).unwrap();
                    let query = TermQuery::new(term, IndexRecordOption::WithFreqs);
                    any.push((Occur::Should, Box::new(BoostQuery::new(Box::new(query), boost))));
                }
                let in_name = Term::from_field_text(self.fields[0], word);
                if at + 1 == words.len() {
                    let beginning = FuzzyTermQuery::new_prefix(in_name.clone(), 0, true);
                    any.push((Occur::Should, Box::new(beginning)));
                }
                if known == 0 && word.len() > 3 {
                    let distance = if word.len() > 7 { 2 } else { 1 };
                    any.push((
                        Occur::Should,
                        Box::new(FuzzyTermQuery::new(in_name, distance, true)),
                    ));
                }
                all.push((Occur::Must, Box::new(BooleanQuery::new(any))));
            }
            let collectors = (TopDocs::with_limit(24).order_by_score(), Count, Facets);
            let (top, count, _) = searcher.search(&BooleanQuery::new(all), &collectors).unwrap();
            top.len() + count
        }
    }

    struct Facets;

    struct FacetsInSegment {
        brand: Column<u64>,
        path: Column<u64>,
        price: Column<i64>,
        brands: Vec<u32>,
        paths: Vec<u32>,
        prices: [u32; 9],
    }

    impl Collector for Facets {
        type Fruit = ();
        type Child = FacetsInSegment;

        fn for_segment(
            &self,
            _: u32,
            reader: &SegmentReader,
        ) -> ::tantivy::Result<FacetsInSegment> {
            let fast = reader.fast_fields();
            let brand = fast.str("brand")?.unwrap();
            let path = fast.str("path")?.unwrap();
            Ok(FacetsInSegment {
                brands: vec![0; brand.num_terms()],
                paths: vec![0; path.num_terms()],
                brand: brand.ords().clone(),
                path: path.ords().clone(),
                price: fast.i64("price")?,
                prices: [0; 9],
            })
        }

        fn requires_scoring(&self) -> bool {
            false
        }

        fn merge_fruits(&self, _: Vec<()>) -> ::tantivy::Result<()> {
            Ok(())
        }
    }

    impl SegmentCollector for FacetsInSegment {
        type Fruit = ();

        fn collect(&mut self, doc: DocId, _: Score) {
            if let Some(brand) = self.brand.first(doc) {
                self.brands[brand as usize] += 1;
            }
            if let Some(path) = self.path.first(doc) {
                self.paths[path as usize] += 1;
            }
            let bucket = match self.price.first(doc) {
                None => 8,
                Some(price) => stoa::domain::search::PRICE_BOUNDS
                    .partition_point(|bound| *bound <= price)
                    .saturating_sub(1),
            };
            self.prices[bucket] += 1;
        }

        fn harvest(self) {
            std::hint::black_box((self.brands, self.paths, self.prices));
        }
    }
}
