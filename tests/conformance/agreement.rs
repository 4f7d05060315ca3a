//! The same batches leave the same shop on SQLite and on PostgreSQL, and one row at a time leaves
//! it too.

use crate::shop::{Shop, draft, path, runtime, sku, stock};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use stoa::{
    domain::{
        id::CategoryId,
        id::ProductId,
        money::{Currency, Money},
        product::{ProductDraft, ProductStatus},
        time::Micros,
    },
    ports::{
        catalog::Catalog,
        writer::{ProductBatch, Write, Written},
    },
};

#[test]
fn sqlite_agrees_with_itself_however_a_file_is_cut() {
    runtime().block_on(async {
        let (mut batched, mut single) = (Shop::sqlite().await, Shop::sqlite().await);
        agree(&mut batched, &mut single, true).await;
    });
}

#[test]
fn postgres_agrees_with_sqlite() {
    let Some(peer) = crate::peer::database("agreement::postgres_agrees_with_sqlite") else {
        return;
    };
    runtime().block_on(async {
        let (mut postgres, mut sqlite) =
            (Shop::postgres(peer.url.clone()).await, Shop::sqlite().await);
        agree(&mut postgres, &mut sqlite, false).await;
    });
}

/// Each sequence gets a site of its own; the second shop takes it row by row if `singly`.
async fn agree(first: &mut Shop, second: &mut Shop, singly: bool) {
    let cases = 24;
    let mut runner = TestRunner::new(Config { cases, ..Config::default() });
    for case in 0..cases {
        let batches = batches().new_tree(&mut runner).unwrap().current();
        for shop in [&mut *first, &mut *second] {
            shop.scope.site.0 = format!("case-{case}");
        }
        let mut at = 1_000;
        for batch in &batches {
            at += 1;
            let one = put(first, batch, at).await;
            let mut two = [0; 3];
            for part in batch.chunks(if singly { 1 } else { batch.len().max(1) }) {
                let counts = put(second, part, at).await;
                two = std::array::from_fn(|n| two[n] + counts[n]);
            }
            assert_eq!(one, two, "counts of {batches:#?}");
        }
        assert_eq!(picture(first).await, picture(second).await, "after {batches:#?}");
        if !singly {
            assert_eq!(first.log().await.len(), second.log().await.len(), "after {batches:#?}");
        }
    }
}

async fn put(shop: &mut Shop, products: &[ProductDraft], at: i64) -> [u64; 3] {
    let batch = ProductBatch { at: Micros(at), ..shop.batch(products.to_vec()) };
    match shop.commit(Write::Products(batch)).await {
        Ok(Written::Products(counts)) => [counts.created, counts.updated, counts.unchanged],
        other => panic!("{other:?}"),
    }
}

/// All documents and categories, ids taken out.
async fn picture(shop: &Shop) -> String {
    let none = uuid::Uuid::nil();
    let documents = shop.documents().await.into_values().map(|mut document| {
        document.id = ProductId(none);
        document.categories.iter_mut().for_each(|category| category.id = CategoryId(none));
        document
    });
    let documents: Vec<_> = documents.collect();
    let tree = shop.store.categories(&shop.scope).await.unwrap();
    let categories = tree.all().iter().map(|c| {
        let path: Vec<_> = tree.path(c.id).into_iter().map(|c| c.slug).collect();
        (path, c.name.clone())
    });
    let mut categories: Vec<_> = categories.collect();
    categories.sort();
    format!("{documents:#?} {categories:#?}")
}

fn batches() -> impl Strategy<Value = Vec<Vec<ProductDraft>>> {
    prop::collection::vec(prop::collection::vec(row(), 0..8), 1..5)
}

fn row() -> impl Strategy<Value = ProductDraft> {
    let skus = || prop::sample::select(vec!["1", "2", "a/b", "A-B", "x\\N", "§", "cable"]);
    let text = prop_oneof![
        prop::sample::select(vec!["Cable", "cable 1", "Ümlaut", "--"]).prop_map(str::to_owned),
        "[^\\x00]{0,12}",
    ];
    let names = prop::sample::select(vec!["Tools", "tools", "Cable", "\t"]);
    (
        (skus(), text.clone(), prop::option::of(text.clone()), prop::option::of(text.clone())),
        prop::collection::vec(names, 0..4),
        prop::option::of((0..i64::MAX, any::<bool>())),
        prop::collection::btree_map(text.clone(), text.clone(), 0..3),
        prop::collection::vec(text, 0..2),
        prop::option::of(prop::collection::vec((0..3u8, 0..9i64), 0..3)),
        prop::option::of(skus()),
        (any::<i64>(), 0..7u8, any::<bool>()),
    )
        .prop_map(|(texts, categories, price, map, images, levels, parent, rest)| {
            let (code, name, brand, description) = texts;
            let mut row = draft(code, &name);
            row.short_description = brand.clone();
            row.brand = brand;
            row.description = description;
            row.categories = path(&categories);
            row.price = price.map(|(minor, usd)| {
                let currency = if usd { Currency::USD } else { Currency::EUR };
                Money { minor, currency }
            });
            row.options = map.clone();
            row.attributes = map;
            row.images = images;
            row.stock = levels.map(|levels| {
                levels.into_iter().map(|(w, n)| stock(&format!("w{w}"), n)).collect()
            });
            row.variant_of = parent.map(sku);
            let (popularity, precision, disabled) = rest;
            row.popularity = popularity;
            row.precision = precision;
            row.status = [ProductStatus::Active, ProductStatus::Disabled][usize::from(disabled)];
            row
        })
}
