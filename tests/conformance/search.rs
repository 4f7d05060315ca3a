//! What every search engine behind `ports::search` must do. Each case is a function over an
//! [`Engine`]; `on_tantivy` runs them on the embedded one.
//!
//! Long because it is one suite: a case is only worth something if every engine must pass it.

use crate::disk::SmallDisk;
use proptest::prelude::*;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::Path,
    sync::Arc,
};
use stoa::{
    adapters,
    domain::{
        category::CategoryRef,
        document::ProductDocument,
        event::Position,
        id::{CategoryId, ProductId},
        money::{Currency, Money},
        product::ProductStatus,
        scope::{Locale, Scope, Site},
        search::{Facets, PRICE_BOUNDS, SearchPage, SearchQuery, Sort},
        sku::Sku,
        stock::StockBand,
        tax::TaxCategory,
        time::Micros,
    },
    ports::search::{IndexChange, Search, SearchError, SearchIndex},
};
use uuid::Uuid;

/// Both halves over one folder.
pub(crate) struct Engine {
    pub(crate) search: Arc<dyn Search>,
    pub(crate) index: Box<dyn SearchIndex>,
}

pub(crate) type Open = fn(&Path) -> Engine;

pub(crate) fn tantivy(folder: &Path) -> Engine {
    let (search, index) = adapters::tantivy::open(folder).unwrap();
    Engine { search: Arc::new(search), index: Box::new(index) }
}

pub(crate) fn at(offset: i64) -> Position {
    Position { epoch: Uuid::from_u128(7), offset }
}

pub(crate) fn put(product: &ProductDocument) -> IndexChange {
    IndexChange::Put(Box::new(product.clone()))
}

pub(crate) fn category(number: u128, name: &str) -> CategoryRef {
    CategoryRef {
        id: CategoryId(Uuid::from_u128(number)),
        slug: name.to_lowercase(),
        name: name.into(),
    }
}

pub(crate) fn product(number: u128, sku: &str, name: &str) -> ProductDocument {
    ProductDocument {
        id: ProductId(Uuid::from_u128(number)),
        sku: Sku::new(sku).unwrap(),
        slug: sku.to_lowercase(),
        name: name.into(),
        brand: None,
        short_description: None,
        description: None,
        status: ProductStatus::Active,
        price: None,
        tax_category: TaxCategory::default(),
        stock: StockBand::InStock,
        unit: "each".into(),
        precision: 0,
        categories: Vec::new(),
        images: Vec::new(),
        attributes: BTreeMap::new(),
        options: BTreeMap::new(),
        parent: None,
        variants: Vec::new(),
        popularity: 0,
        created_at: Micros(0),
        updated_at: Micros(0),
    }
}

fn usd(minor: i64) -> Option<Money> {
    Some(Money { minor, currency: Currency::USD })
}

/// A dozen products that each case of the table can tell apart.
pub(crate) fn shop() -> Vec<ProductDocument> {
    let phones = vec![category(100, "Electronics"), category(101, "Cell Phones")];
    let cases = vec![category(100, "Electronics"), category(102, "Phone Cases")];
    let tools = vec![category(200, "Workshop")];
    let mut all = vec![
        ProductDocument {
            brand: Some("Samsung".into()),
            description: Some("A phone with a bright screen. Café-proof, says the maker.".into()),
            price: usd(49_900),
            categories: phones.clone(),
            popularity: 50,
            ..product(1, "SM-G900", "Samsung Galaxy S5 16GB")
        },
        ProductDocument {
            brand: Some("Samsung".into()),
            price: usd(29_900),
            categories: phones.clone(),
            stock: StockBand::SoldOut,
            popularity: 900,
            ..product(2, "SM-G360", "Samsung Galaxy Core Prime")
        },
        ProductDocument {
            brand: Some("Apple".into()),
            price: usd(64_900),
            categories: phones,
            popularity: 800,
            ..product(3, "MG4N2LL", "Apple iPhone 6 64GB")
        },
        ProductDocument {
            brand: Some("OtterBox".into()),
            description: Some("Protects your Samsung Galaxy from drops.".into()),
            price: usd(1_999),
            categories: cases.clone(),
            popularity: 10,
            ..product(4, "OB-77-51", "Defender Case for Galaxy S5")
        },
        ProductDocument {
            brand: Some("OtterBox".into()),
            price: None,
            categories: cases,
            ..product(5, "OB-77-52", "Commuter Case for iPhone 6")
        },
        ProductDocument {
            brand: Some("Makita".into()),
            price: usd(2_500),
            categories: tools.clone(),
            attributes: BTreeMap::from([("Voltage".into(), "18 volts".into())]),
            created_at: Micros(30),
            ..product(6, "DHP-482Z", "Cordless Drill")
        },
        ProductDocument {
            brand: Some("Bosch".into()),
            price: usd(250_000),
            categories: tools.clone(),
            description: Some("A drill press with a long, galactic reach. Wi-Fi connected.".into()),
            created_at: Micros(20),
            ..product(7, "PBD-40", "Bench Press")
        },
        ProductDocument {
            categories: tools,
            price: usd(2_499),
            description: Some("Batteries not included.".into()),
            ..product(8, "TORCH", "Müller Torch")
        },
    ];
    all.push(ProductDocument {
        status: ProductStatus::Disabled,
        ..product(9, "GONE", "Samsung Galaxy Prototype")
    });
    all
}

pub(crate) async fn filled(open: Open, folder: &Path, products: &[ProductDocument]) -> Engine {
    let mut engine = open(folder);
    let changes = products.iter().map(put).collect();
    engine.index.apply(&Scope::default(), changes, at(1)).await.unwrap();
    engine
}

pub(crate) fn asking(text: &str) -> SearchQuery {
    SearchQuery { text: text.into(), ..SearchQuery::everything(Scope::default()) }
}

pub(crate) fn numbers(page: &SearchPage) -> Vec<u128> {
    page.hits.iter().map(|hit| hit.product.0.as_u128()).collect()
}

/// Text, products in order, whether near spellings were taken.
const CASES: &[(&str, &[u128], bool)] = &[
    ("samsng galxy", &[2, 1, 4], true),
    ("SAMSUNG   galaxy", &[2, 1, 4], false),
    ("galaxy s5", &[1, 4], false),
    ("iphone", &[3, 5], false),
    // The last word is a beginning; others are whole.
    ("gala", &[2, 1, 4], false),
    ("gala samsung", &[2, 1, 4], false),
    ("i", &[3, 5], false),
    // Other number, accents both ways.
    ("phones", &[2, 3, 1, 4, 5], false),
    ("battery", &[8], false),
    ("muller", &[8], false),
    ("cafe", &[1], false),
    // SKUs: whole, beginning, with and without their signs; never near, but by most parts.
    ("sm-g900", &[1], false),
    ("smg900", &[1], false),
    ("OB-77", &[4, 5], false),
    ("dhp-482z", &[6], false),
    ("wifi", &[7], false),
    ("wi-fi", &[7], false),
    ("sm-g901", &[2, 1], false),
    ("dhp-483z", &[6], false),
    // Name before brand before attributes before description.
    ("press", &[7], false),
    ("drill", &[6, 7], false),
    ("volt", &[6], false),
    // Fillers are not asked for.
    ("the case for the galaxy", &[4], false),
    // No product has all words: most of them.
    ("cordless drill xyzzy", &[6], false),
    // One change from four letters, two from eight; three letters none.
    ("dril", &[6], false),
    ("torhc", &[8], true),
    ("comuterr", &[5], true),
    ("cse", &[], false),
    ("xyzzy", &[], false),
    ("!?#", &[], false),
    ("\u{0}\u{7}\u{202e}", &[], false),
    ("name:galaxy AND (", &[2, 1, 4], false),
];

async fn words_find_what_they_should(open: Open) {
    let folder = tempfile::tempdir().unwrap();
    let engine = filled(open, folder.path(), &shop()).await;
    let mut wrong = Vec::new();
    for (text, expected, corrected) in CASES {
        let page = engine.search.search(&asking(text)).unwrap();
        if (numbers(&page).as_slice(), page.corrected) != (*expected, *corrected) {
            wrong.push(format!(
                "{text:?}: {:?} corrected {}, not {expected:?} {corrected}",
                numbers(&page),
                page.corrected
            ));
        }
        assert_eq!(page.total, page.hits.len() as u64);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

async fn sorts_are_total_and_page_without_holes(open: Open) {
    let folder = tempfile::tempdir().unwrap();
    let engine = filled(open, folder.path(), &shop()).await;
    let orders: &[(Sort, &[u128])] = &[
        (Sort::Relevance, &[2, 3, 1, 4, 5, 6, 7, 8]),
        (Sort::Popularity, &[2, 3, 1, 4, 5, 6, 7, 8]),
        (Sort::PriceAscending, &[4, 8, 6, 2, 1, 3, 7, 5]),
        (Sort::PriceDescending, &[7, 3, 1, 2, 6, 8, 4, 5]),
        (Sort::Name, &[3, 7, 5, 6, 4, 8, 2, 1]),
        (Sort::Newest, &[6, 7, 2, 3, 1, 4, 5, 8]),
    ];
    for (sort, expected) in orders {
        let mut paged = Vec::new();
        for offset in (0..9).step_by(3) {
            let query = SearchQuery { sort: *sort, offset, limit: 3, ..asking("") };
            let page = engine.search.search(&query).unwrap();
            assert_eq!(page.total, 8);
            paged.extend(numbers(&page));
        }
        assert_eq!(&paged, expected, "{sort:?}");
    }
    let beyond = SearchQuery { offset: 500, ..asking("") };
    assert_eq!(numbers(&engine.search.search(&beyond).unwrap()), Vec::<u128>::new());
    let none = SearchQuery { limit: 0, ..asking("galaxy") };
    assert_eq!(engine.search.search(&none).unwrap().total, 3);
}

async fn matches_are_marked(open: Open) {
    let folder = tempfile::tempdir().unwrap();
    let products = shop();
    let engine = filled(open, folder.path(), &products).await;
    let page = engine.search.search(&asking("samsng gal")).unwrap();
    let case = page.hits.iter().find(|hit| hit.product.0.as_u128() == 4).unwrap();
    let name = &products[3].name;
    let marked: Vec<&str> = case.name_matches.iter().map(|(a, b)| &name[*a..*b]).collect();
    assert_eq!(marked, ["Galaxy"]);
    let (snippet, ranges) = case.snippet.as_ref().unwrap();
    let marked: Vec<&str> = ranges.iter().map(|(a, b)| &snippet[*a..*b]).collect();
    assert_eq!(marked, ["Samsung", "Galaxy"]);
}

async fn suggestions_are_of_names_by_popularity(open: Open) {
    let folder = tempfile::tempdir().unwrap();
    let engine = filled(open, folder.path(), &shop()).await;
    let suggest = |typed: &str| {
        let found = engine.search.suggest(&Scope::default(), typed, 3).unwrap();
        let products: Vec<u128> = found.products.iter().map(|p| p.0.as_u128()).collect();
        (products, found.brands)
    };
    assert_eq!(suggest("s"), (vec![2, 1, 4], vec!["Samsung".to_owned()]));
    assert_eq!(suggest("galaxy s"), (vec![2, 1, 4], vec![]));
    assert_eq!(suggest("case"), (vec![4, 5], vec![]));
    assert_eq!(suggest("OTTER"), (vec![], vec!["OtterBox".to_owned()]));
    assert_eq!(suggest("pbd-4"), (vec![7], vec![]));
    // Only in descriptions.
    assert_eq!(suggest("protects"), (vec![], vec![]));
    assert_eq!(suggest(""), (vec![], vec![]));
    assert_eq!(suggest("?!"), (vec![], vec![]));
}

async fn changes_are_found_when_apply_returns(open: Open) {
    let folder = tempfile::tempdir().unwrap();
    let scope = Scope::default();
    let mut engine = open(folder.path());
    assert!(matches!(engine.search.search(&asking("")), Err(SearchError::Unavailable(_))));
    assert_eq!(engine.index.position().await.unwrap(), None);

    let mut torch = product(1, "T-1", "Torch");
    engine.index.apply(&scope, vec![put(&torch)], at(1)).await.unwrap();
    let first = engine.search.generation();
    assert_eq!(engine.search.search(&asking("torch")).unwrap().total, 1);

    torch.name = "Lantern".into();
    let changes = vec![put(&torch), put(&product(2, "T-2", "Torch")), put(&torch)];
    engine.index.apply(&scope, changes, at(4)).await.unwrap();
    assert_eq!(numbers(&engine.search.search(&asking("torch")).unwrap()), [2]);
    assert_eq!(numbers(&engine.search.search(&asking("lantern")).unwrap()), [1]);
    assert_eq!(engine.search.count(), 2);
    let second = engine.search.generation();
    assert!(second > first);

    torch.status = ProductStatus::Disabled;
    let gone = IndexChange::Remove(ProductId(Uuid::from_u128(2)));
    engine.index.apply(&scope, vec![put(&torch), gone], at(5)).await.unwrap();
    assert_eq!(engine.search.search(&asking("")).unwrap().total, 0);
    assert_eq!(engine.search.count(), 0);
    assert_eq!(engine.index.position().await.unwrap(), Some(at(5)));
    let third = engine.search.generation();
    assert!(third > second);
    engine.index.apply(&scope, vec![], at(6)).await.unwrap();

    drop(engine);
    let mut again = open(folder.path());
    assert_eq!(again.index.position().await.unwrap(), Some(at(6)));
    assert_eq!(again.search.search(&asking("")).unwrap().total, 0);
    assert!(again.search.generation() >= third);
}

async fn scopes_do_not_mix(open: Open) {
    let folder = tempfile::tempdir().unwrap();
    let english = Scope::default();
    let german = Scope { site: Site("main".into()), locale: Locale("de".into()) };
    let mut engine = filled(open, folder.path(), &[product(1, "T-1", "Torch for Bikes")]).await;
    let mut lamp = product(1, "T-1", "Lampe Bike");
    lamp.brand = Some("Busch".into());
    engine.index.apply(&german, vec![put(&lamp)], at(2)).await.unwrap();
    let ask = |scope: &Scope, text: &str| {
        let query = SearchQuery { facets: true, ..SearchQuery::everything(scope.clone()) };
        engine.search.search(&SearchQuery { text: text.into(), ..query }).unwrap()
    };
    assert_eq!((ask(&english, "torch").total, ask(&german, "torch").total), (1, 0));
    assert_eq!((ask(&english, "lampe").total, ask(&german, "lampe").total), (0, 1));
    assert_eq!((ask(&english, "").facets.brands.len(), ask(&german, "").total), (0, 1));
    assert_eq!(engine.search.suggest(&english, "bu", 5).unwrap().brands, Vec::<String>::new());
    assert_eq!(engine.search.suggest(&german, "bu", 5).unwrap().brands, ["Busch"]);
    // The other number is an English rule; near spellings are everybody's.
    assert_eq!(ask(&english, "bike torch").total, 1);
    let gone = IndexChange::Remove(ProductId(Uuid::from_u128(1)));
    engine.index.apply(&german, vec![gone], at(3)).await.unwrap();
    assert_eq!(engine.search.count(), 1);
}

async fn a_shadow_is_unseen_until_it_is_swapped_in(open: Open) {
    let folder = tempfile::tempdir().unwrap();
    let scope = Scope::default();
    let mut engine = filled(open, folder.path(), &[product(1, "OLD", "Old Torch")]).await;
    let before = engine.search.generation();
    engine.index.begin_shadow().await.unwrap();
    engine.index.fill_shadow(&scope, vec![put(&product(9, "LOST", "Lost Torch"))]).await.unwrap();
    engine.index.begin_shadow().await.unwrap();
    let walked = vec![put(&product(1, "NEW", "New Torch")), put(&product(2, "TWO", "Torch Two"))];
    engine.index.fill_shadow(&scope, walked).await.unwrap();
    assert_eq!(numbers(&engine.search.search(&asking("torch")).unwrap()), [1]);
    // Live indexing goes on beside it.
    engine.index.apply(&scope, vec![put(&product(3, "LIVE", "Live Torch"))], at(8)).await.unwrap();
    assert_eq!(engine.search.search(&asking("torch")).unwrap().total, 2);
    let caught_up = vec![
        put(&product(3, "LIVE", "Live Torch")),
        put(&product(2, "TWO", "Torch Two Again")),
        IndexChange::Remove(ProductId(Uuid::from_u128(1))),
    ];
    engine.index.fill_shadow(&scope, caught_up).await.unwrap();
    assert_eq!(engine.search.search(&asking("again")).unwrap().total, 0);
    engine.index.swap(at(8)).await.unwrap();
    let page = engine.search.search(&asking("torch")).unwrap();
    assert_eq!(numbers(&page).into_iter().collect::<BTreeSet<_>>(), BTreeSet::from([2, 3]));
    assert!(engine.search.generation() > before);
    assert_eq!(engine.index.position().await.unwrap(), Some(at(8)));
    assert!(engine.index.swap(at(9)).await.is_err(), "nothing to swap");
    // It takes changes like any other.
    engine.index.apply(&scope, vec![put(&product(4, "NEXT", "Next"))], at(9)).await.unwrap();
    assert_eq!(engine.search.count(), 3);
}

/// 1,000 questions while the index is rebuilt and swapped again and again.
async fn no_question_is_empty_while_the_index_is_rebuilt(open: Open) {
    let folder = tempfile::tempdir().unwrap();
    let scope = Scope::default();
    let products: Vec<ProductDocument> =
        (1..=300).map(|n| product(n, &format!("T-{n}"), "Bicycle Torch")).collect();
    let mut engine = filled(open, folder.path(), &products).await;
    let search = Arc::clone(&engine.search);
    let asked = Arc::new(std::sync::atomic::AtomicU32::new(0));
    let counting = Arc::clone(&asked);
    let asking = std::thread::spawn(move || {
        let mut generations = BTreeSet::new();
        for n in 0..1_000 {
            let text = ["torch", "bycicle torch", "", "t-17"][n % 4];
            let query = SearchQuery { facets: true, ..asking(text) };
            let page = search.search(&query).unwrap();
            assert!(!page.hits.is_empty(), "{text:?} found nothing");
            assert_eq!(page.total >= 300, n % 4 != 3, "{text:?} found {}", page.total);
            generations.insert(page.generation);
            counting.store(u32::try_from(n).unwrap(), std::sync::atomic::Ordering::Relaxed);
        }
        generations
    });
    let mut swaps = 0;
    while swaps < 3 || !asking.is_finished() {
        engine.index.begin_shadow().await.unwrap();
        for chunk in products.chunks(50) {
            let chunk = chunk.iter().map(put).collect();
            engine.index.fill_shadow(&scope, chunk).await.unwrap();
        }
        engine.index.swap(at(swaps + 2)).await.unwrap();
        swaps += 1;
    }
    let generations = asking.join().unwrap();
    assert!(!generations.is_empty());
    assert_eq!(asked.load(std::sync::atomic::Ordering::Relaxed), 999);
}

async fn hostile_questions_are_answered(open: Open) {
    let folder = tempfile::tempdir().unwrap();
    let engine = filled(open, folder.path(), &shop()).await;
    let many: String = (0..1_000).map(|n| format!("word{n} ")).collect();
    let texts = [
        "a".repeat(10_000),
        "é".repeat(10_000),
        "galaxy ".repeat(2_000),
        "ab-".repeat(4_000),
        many,
        "?".repeat(10_000),
        "\u{1f468}\u{200d}\u{1f469}".repeat(3_000),
        "\"galaxy\" +name:* -brand:[a TO z] ~2^9 \\ /.*/".into(),
        "ﬁﬁﬁﬁ İİİİ ßßßß".into(),
    ];
    for text in texts {
        let query = SearchQuery {
            facets: true,
            offset: usize::MAX,
            limit: usize::MAX,
            price_from: Some(i64::MIN),
            price_to: Some(i64::MAX),
            brands: vec![text.clone(); 3],
            ..asking(&text)
        };
        assert_eq!(engine.search.search(&query).unwrap().total, 0);
        engine.search.search(&asking(&text)).unwrap();
        engine.search.suggest(&Scope::default(), &text, usize::MAX).unwrap();
    }
}

async fn a_full_disk_is_named_and_loses_nothing(open: Open) {
    let Some(disk) = SmallDisk::mount() else { return };
    let ballast = disk.path().join("ballast");
    std::fs::write(&ballast, vec![1; 6 << 20]).unwrap();
    let scope = Scope::default();
    let mut engine = filled(open, &disk.path().join("index"), &[product(1, "T-1", "Torch")]).await;
    let many = |from: u128| -> Vec<IndexChange> {
        let numbers = from..from + 2_000;
        numbers.map(|n| put(&product(n, &format!("S-{n}"), &format!("lamp{n} of{n}")))).collect()
    };
    let mut offset = 1;
    let full = loop {
        let begin = 2 + u128::try_from(offset).unwrap() * 2_000;
        match engine.index.apply(&scope, many(begin), at(offset + 1)).await {
            Ok(()) => offset += 1,
            Err(error) => break error,
        }
        assert!(offset < 100, "it never got full");
    };
    assert!(matches!(full, SearchError::Full(_)), "{full:?}");
    let count = 1 + 2_000 * u64::try_from(offset - 1).unwrap();
    assert_eq!(engine.search.count(), count);
    assert_eq!(engine.search.search(&asking("torch")).unwrap().total, 1);
    assert_eq!(engine.index.position().await.unwrap(), Some(at(offset)));
    let shadow = async |index: &mut Box<dyn SearchIndex>| {
        index.begin_shadow().await?;
        for round in 1..100 {
            index.fill_shadow(&scope, many(round * 2_000)).await?;
        }
        index.swap(at(offset)).await
    };
    let full = shadow(&mut engine.index).await.unwrap_err();
    assert!(matches!(full, SearchError::Full(_)), "{full:?}");

    std::fs::remove_file(&ballast).unwrap();
    engine.index.begin_shadow().await.unwrap();
    engine.index.apply(&scope, many(1_000_000), at(offset + 1)).await.unwrap();
    assert_eq!(engine.search.count(), count + 2_000);
}

// --- facets against a plain count ---------------------------------------------------------

fn any_product() -> impl Strategy<Value = ProductDocument> {
    let brand = prop::option::of(prop::sample::select(vec!["Acme", "Bolt & Co", "Çelik"]));
    let path = prop::sample::select(vec![vec![], vec![1], vec![1, 2], vec![1, 2, 3], vec![4]]);
    let price =
        prop::option::of(prop_oneof![0i64..300_000, prop::sample::select(PRICE_BOUNDS.to_vec()),]);
    let word = prop::sample::select(vec!["red lamp", "red torch", "blue lamp", "green"]);
    (brand, path, price, word, any::<bool>(), 0i64..5, any::<bool>()).prop_map(
        |(brand, path, price, word, stocked, popularity, active)| ProductDocument {
            brand: brand.map(str::to_owned),
            categories: path.into_iter().map(|n| category(n, &format!("C{n}"))).collect(),
            price: price.and_then(usd),
            stock: if stocked { StockBand::Untracked } else { StockBand::SoldOut },
            popularity,
            status: if active { ProductStatus::Active } else { ProductStatus::Disabled },
            ..product(1, "X", word)
        },
    )
}

fn any_query() -> impl Strategy<Value = SearchQuery> {
    let brands = prop::sample::subsequence(vec!["Acme", "Bolt & Co", "Çelik", "Nobody"], 0..3);
    (
        prop::sample::select(vec!["", "red", "lamp", "red lamp", "gren", "blue red"]),
        prop::option::of(1u128..6),
        brands,
        prop::option::of(0i64..300_000),
        prop::option::of(0i64..300_000),
        any::<bool>(),
    )
        .prop_map(|(text, category, brands, price_from, price_to, in_stock)| SearchQuery {
            category: category.map(|n| CategoryId(Uuid::from_u128(n))),
            brands: brands.into_iter().map(str::to_owned).collect(),
            price_from,
            price_to,
            in_stock,
            facets: true,
            limit: 100,
            ..asking(text)
        })
}

/// Text alone, as the engine is documented to read it, for the few names above.
fn holds(product: &ProductDocument, text: &str, all: &[ProductDocument]) -> bool {
    let has = |p: &ProductDocument, word: &str| {
        p.status == ProductStatus::Active && p.name.split(' ').any(|w| w == word)
    };
    match text {
        "gren" => has(product, "green"),
        // Nothing is blue and red; near spellings find nothing either: one of the two.
        "blue red" => has(product, "blue") || has(product, "red"),
        "red lamp" if !all.iter().any(|p| has(p, "red") && has(p, "lamp")) => {
            has(product, "red") || has(product, "lamp")
        }
        _ => text.split_whitespace().all(|word| has(product, word)),
    }
}

/// Which of the four filters a product passes.
fn passes(product: &ProductDocument, query: &SearchQuery) -> [bool; 4] {
    let price = product.price.map(|p| p.minor);
    let unpriced = query.price_from.is_none() && query.price_to.is_none();
    [
        query.category.is_none_or(|id| product.categories.iter().any(|c| c.id == id)),
        query.brands.is_empty()
            || product.brand.as_ref().is_some_and(|brand| query.brands.contains(brand)),
        unpriced
            || price.is_some_and(|p| {
                query.price_from.is_none_or(|from| p >= from)
                    && query.price_to.is_none_or(|to| p <= to)
            }),
        !query.in_stock || product.stock.can_be_bought(),
    ]
}

fn naive(all: &[ProductDocument], query: &SearchQuery) -> (BTreeSet<u128>, Facets) {
    let shown: Vec<&ProductDocument> = all
        .iter()
        .filter(|p| p.status == ProductStatus::Active && holds(p, &query.text, all))
        .collect();
    let but = |left_out: usize| {
        let passing = |p: &&&ProductDocument| {
            let passes = passes(p, query);
            (0..4).all(|filter| filter == left_out || passes[filter])
        };
        shown.iter().filter(passing).copied().collect::<Vec<_>>()
    };
    let hits = but(9).iter().map(|p| p.id.0.as_u128()).collect();
    let mut facets = Facets::default();
    let mut categories: HashMap<CategoryId, u64> = HashMap::new();
    for category in but(0).iter().flat_map(|p| &p.categories) {
        *categories.entry(category.id).or_default() += 1;
    }
    let mut categories: Vec<_> = categories.into_iter().collect();
    categories.sort();
    facets.categories = categories.into();
    let mut brands: HashMap<&str, u64> = HashMap::new();
    for brand in but(1).iter().filter_map(|p| p.brand.as_deref()) {
        *brands.entry(brand).or_default() += 1;
    }
    facets.brands = brands.into_iter().map(|(name, count)| (name.to_owned(), count)).collect();
    facets.brands.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    for (at, from) in PRICE_BOUNDS.iter().enumerate() {
        let to = PRICE_BOUNDS.get(at + 1).copied();
        let inside = |p: &&&ProductDocument| {
            p.price.is_some_and(|p| p.minor >= *from && to.is_none_or(|to| p.minor < to))
        };
        let count = but(2).iter().filter(inside).count() as u64;
        facets.prices.push(stoa::domain::search::PriceBucket { from: *from, to, count });
    }
    facets.without_price = but(2).iter().filter(|p| p.price.is_none()).count() as u64;
    facets.in_stock = but(3).iter().filter(|p| p.stock.can_be_bought()).count() as u64;
    (hits, facets)
}

fn facets_are_what_a_plain_count_finds(open: Open) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let products = prop::collection::vec(any_product(), 1..40);
    let queries = prop::collection::vec(any_query(), 24);
    let config = ProptestConfig { cases: 24, ..ProptestConfig::default() };
    proptest!(config, |(mut products in products, queries in queries, cut in 0usize..40)| {
        for (number, product) in (1..).zip(&mut products) {
            product.id = ProductId(Uuid::from_u128(number));
            product.sku = Sku::new(&format!("SKU{number}X")).unwrap();
        }
        let folder = tempfile::tempdir().unwrap();
        let mut engine = open(folder.path());
        runtime.block_on(async {
            // Two segments, and deleted rows of earlier versions in the first.
            let cut = cut.min(products.len());
            let mut older = products.clone();
            older.iter_mut().for_each(|p| { p.brand = Some("Old".into()); p.name = "red lamp".into(); });
            let first = older[cut..].iter().chain(&products[..cut]).map(put).collect();
            engine.index.apply(&Scope::default(), first, at(1)).await.unwrap();
            let second = products[cut..].iter().map(put).collect();
            engine.index.apply(&Scope::default(), second, at(2)).await.unwrap();
        });
        for query in &queries {
            let page = engine.search.search(query).unwrap();
            let (hits, expected) = naive(&products, query);
            prop_assert_eq!(page.total, hits.len() as u64, "total of {:?}", query);
            prop_assert_eq!(numbers(&page).into_iter().collect::<BTreeSet<_>>(), hits);
            prop_assert_eq!(&*page.facets, &expected, "facets of {:?}", query);
        }
    });
}

// --- lists without words, asked again and again while products change -------------------------

/// Any list that could have been asked for: its filters, its order, and a place in it.
fn any_list() -> impl Strategy<Value = SearchQuery> {
    let sorts = vec![
        Sort::Relevance,
        Sort::Popularity,
        Sort::PriceAscending,
        Sort::PriceDescending,
        Sort::Name,
        Sort::Newest,
    ];
    (any_query(), prop::sample::select(sorts), 0usize..30, 0usize..12, any::<bool>()).prop_map(
        |(query, sort, offset, limit, facets)| SearchQuery {
            text: String::new(),
            sort,
            offset,
            limit,
            facets,
            ..query
        },
    )
}

/// A change of one of a few products; `None` removes it.
fn any_change() -> impl Strategy<Value = (u128, Option<ProductDocument>)> {
    (1u128..30, prop::option::weighted(0.8, (any_product(), 0i64..4))).prop_map(|(number, put)| {
        let put = put.map(|(product, created)| ProductDocument {
            id: ProductId(Uuid::from_u128(number)),
            sku: Sku::new(&format!("SKU{number}X")).unwrap(),
            created_at: Micros(created),
            ..product
        });
        (number, put)
    })
}

/// Hits in the order that the sort promises.
fn ordered(all: &[ProductDocument], query: &SearchQuery) -> Vec<u128> {
    let (hits, _) = naive(all, query);
    let mut hits: Vec<_> = all.iter().filter(|p| hits.contains(&p.id.0.as_u128())).collect();
    let price = |p: &ProductDocument| p.price.map(|p| p.minor);
    hits.sort_by(|a, b| {
        let first = match query.sort {
            Sort::Relevance | Sort::Popularity => std::cmp::Ordering::Equal,
            Sort::PriceAscending => {
                let key = |p| (price(p).is_none(), price(p));
                key(a).cmp(&key(b))
            }
            Sort::PriceDescending => price(b).cmp(&price(a)),
            Sort::Name => a.name.cmp(&b.name),
            Sort::Newest => b.created_at.cmp(&a.created_at),
        };
        first.then(b.popularity.cmp(&a.popularity)).then(a.id.cmp(&b.id))
    });
    let hits = hits.iter().skip(query.offset).take(query.limit);
    hits.map(|product| product.id.0.as_u128()).collect()
}

fn what_is_kept_of_a_list_is_what_would_be_found(open: Open) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let lists = prop::collection::vec(any_list(), 12);
    let rounds = prop::collection::vec(prop::collection::vec(any_change(), 0..20), 1..6);
    let config = ProptestConfig { cases: 24, ..ProptestConfig::default() };
    proptest!(config, |(lists in lists, rounds in rounds)| {
        let folder = tempfile::tempdir().unwrap();
        let mut engine = open(folder.path());
        let mut shelf: BTreeMap<u128, ProductDocument> = BTreeMap::new();
        for (round, changes) in (1..).zip(rounds) {
            let mut told = Vec::new();
            for (number, product) in changes {
                match product {
                    Some(product) => {
                        told.push(put(&product));
                        shelf.insert(number, product);
                    }
                    None => {
                        told.push(IndexChange::Remove(ProductId(Uuid::from_u128(number))));
                        shelf.remove(&number);
                    }
                }
            }
            runtime.block_on(engine.index.apply(&Scope::default(), told, at(round))).unwrap();
            let all: Vec<ProductDocument> = shelf.values().cloned().collect();
            for time in 0..2 {
                for list in &lists {
                    let ready = engine.search.ready(list);
                    let page = engine.search.search(list).unwrap();
                    let (hits, facets) = naive(&all, list);
                    prop_assert_eq!(page.total, hits.len() as u64, "total of {:?}", list);
                    prop_assert_eq!(numbers(&page), ordered(&all, list), "hits of {:?}", list);
                    let facets = if list.facets { facets } else { Facets::default() };
                    prop_assert_eq!(&*page.facets, &facets, "facets of {:?}", list);
                    prop_assert_eq!(page.generation, engine.search.generation());
                    // An engine may have none ready; those it has are no others.
                    prop_assert!(ready.is_none_or(|ready| ready == page), "{time}: {list:?}");
                }
            }
        }
    });
}

fn suggestions_for_a_word_are_the_most_popular_that_have_it(open: Open) {
    const TYPED: [&str; 8] = ["r", "re", "red", "l", "lamp", "s", "sku", "g"];
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let products = prop::collection::vec(any_product(), 1..40);
    let config = ProptestConfig { cases: 24, ..ProptestConfig::default() };
    proptest!(config, |(mut products in products, limit in 0usize..6, cut in 0usize..40)| {
        for (number, product) in (1..).zip(&mut products) {
            product.id = ProductId(Uuid::from_u128(number));
            product.sku = Sku::new(&format!("SKU{number}X")).unwrap();
        }
        let folder = tempfile::tempdir().unwrap();
        let mut engine = open(folder.path());
        runtime.block_on(async {
            // Two segments, with rows of earlier versions in the first.
            let all = products.iter().map(put).collect();
            engine.index.apply(&Scope::default(), all, at(1)).await.unwrap();
            let again = products[cut.min(products.len())..].iter().map(put).collect();
            engine.index.apply(&Scope::default(), again, at(2)).await.unwrap();
        });
        for typed in TYPED {
            let mut expected: Vec<_> = products
                .iter()
                .filter(|p| p.status == ProductStatus::Active)
                .filter(|p| {
                    let sku = p.sku.as_str().to_lowercase();
                    p.name.split(' ').chain([sku.as_str()]).any(|word| word.starts_with(typed))
                })
                .collect();
            expected.sort_by_key(|p| (std::cmp::Reverse(p.popularity), p.id));
            let expected: Vec<ProductId> = expected.iter().map(|p| p.id).take(limit).collect();
            if !expected.is_empty() {
                let found = engine.search.suggest(&Scope::default(), typed, limit).unwrap();
                prop_assert_eq!(found.products, expected, "{}", typed);
            }
        }
    });
}

async fn questions_with_words_are_never_ready(open: Open) {
    let folder = tempfile::tempdir().unwrap();
    let engine = filled(open, folder.path(), &shop()).await;
    for text in ["galaxy", "xyzzy", "!?"] {
        let query = SearchQuery { facets: true, ..asking(text) };
        let asked = || engine.search.search(&query).unwrap();
        assert_eq!(asked(), asked());
        assert_eq!(engine.search.ready(&query), None, "{text:?}");
    }
}

// --- the embedded engine --------------------------------------------------------------------

mod on_tantivy {
    use super::*;

    macro_rules! cases {
        ($($case:ident),* $(,)?) => {$(
            #[tokio::test]
            async fn $case() {
                super::$case(tantivy).await;
            }
        )*};
    }

    cases!(
        words_find_what_they_should,
        sorts_are_total_and_page_without_holes,
        matches_are_marked,
        suggestions_are_of_names_by_popularity,
        changes_are_found_when_apply_returns,
        scopes_do_not_mix,
        a_shadow_is_unseen_until_it_is_swapped_in,
        no_question_is_empty_while_the_index_is_rebuilt,
        hostile_questions_are_answered,
        a_full_disk_is_named_and_loses_nothing,
        questions_with_words_are_never_ready,
    );

    #[test]
    fn facets_are_what_a_plain_count_finds() {
        super::facets_are_what_a_plain_count_finds(tantivy);
    }

    #[test]
    fn what_is_kept_of_a_list_is_what_would_be_found() {
        super::what_is_kept_of_a_list_is_what_would_be_found(tantivy);
    }

    #[test]
    fn suggestions_for_a_word_are_the_most_popular_that_have_it() {
        super::suggestions_for_a_word_are_the_most_popular_that_have_it(tantivy);
    }

    #[tokio::test]
    async fn a_list_is_ready_from_its_second_time_on_until_something_changes() {
        let folder = tempfile::tempdir().unwrap();
        let mut engine = filled(tantivy, folder.path(), &shop()).await;
        let phones = CategoryId(Uuid::from_u128(101));
        let first = SearchQuery { category: Some(phones), facets: true, ..asking("") };
        let next = SearchQuery { offset: 2, limit: 2, ..first.clone() };
        assert_eq!(engine.search.ready(&first), None);
        let found = engine.search.search(&first).unwrap();
        assert_eq!(engine.search.ready(&first), Some(found));
        // Its other pages too, but not yet its other orders.
        assert_eq!(numbers(&engine.search.ready(&next).unwrap()), [1]);
        let sorted = SearchQuery { sort: Sort::Name, ..first.clone() };
        assert_eq!(engine.search.ready(&sorted), None);
        // What another process reads from the folder, with nothing kept, is the same.
        let fresh = adapters::tantivy::open_to_read(folder.path()).unwrap();
        assert_eq!(fresh.ready(&first), None);
        assert_eq!(fresh.search(&first).unwrap(), engine.search.ready(&first).unwrap());

        let gone = IndexChange::Remove(ProductId(Uuid::from_u128(2)));
        engine.index.apply(&Scope::default(), vec![gone], at(2)).await.unwrap();
        assert_eq!(engine.search.ready(&first), None);
        assert_eq!(numbers(&engine.search.search(&first).unwrap()), [3, 1]);
    }
}
