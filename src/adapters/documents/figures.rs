//! What the local documents cost: `cargo test --release -- --ignored --nocapture documents_cost`.

#![expect(clippy::disallowed_methods, reason = "measures")]

use super::{tests::product_of, *};
use std::time::{Duration, Instant};

const PRODUCTS: u32 = 50_000;

fn a_time(what: &str, count: u32, took: Duration) {
    let each = took / count;
    let rate = f64::from(count) / took.as_secs_f64();
    println!("{what:<44} {each:>10.1?} each {rate:>10.0}/s");
}

/// Any order, the same on every run.
fn some(n: u32) -> u32 {
    n.wrapping_mul(2_654_435_761) % PRODUCTS
}

#[test]
#[ignore = "prints figures, asserts nothing"]
fn what_local_documents_cost() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("documents.redb");
    let scope = Scope::default();
    for batch in [1_000, 2_000, 4_000] {
        let documents = RedbDocuments::open_or_rebuild(&path, "one").unwrap();
        documents.clear().unwrap();
        for (what, position) in
            [("first build", None), ("again over it", None), ("with positions", Some(()))]
        {
            let mut busy = Duration::ZERO;
            let mut start = 0;
            while start < PRODUCTS {
                let changes = (start..start + batch).map(|n| product_of(n, 1, 600)).collect();
                start += batch;
                let last = start >= PRODUCTS || position.is_some();
                let at = Position { epoch: uuid::Uuid::nil(), offset: i64::from(start) };
                let began = Instant::now();
                documents.apply(&scope, changes, None, last.then_some(at)).unwrap();
                busy += began.elapsed();
            }
            a_time(&format!("{what}, {batch} a batch"), PRODUCTS, busy);
            println!("file: {} MiB", fs::metadata(&path).unwrap().len() >> 20);
        }
    }
    let began = Instant::now();
    let documents = RedbDocuments::open_or_rebuild(&path, "one").unwrap();
    println!("opened in {:?}", began.elapsed());
    const READS: u32 = 200_000;
    for (what, among) in [("hot", 1000), ("any", PRODUCTS)] {
        let began = Instant::now();
        for n in 0..READS {
            let slug = format!("slug-{}", some(n) % among);
            assert!(documents.by_slug(&scope, &slug).unwrap().is_some());
        }
        a_time(&format!("by_slug, {what}"), READS, began.elapsed());
        let began = Instant::now();
        for n in 0..READS / 10 {
            let ids: Vec<_> = (0..24).map(|i| tests::id_of(some(n * 24 + i) % among)).collect();
            assert!(documents.cards(&scope, &ids).unwrap().iter().all(Option::is_some));
        }
        a_time(&format!("cards(24), {what}"), READS / 10, began.elapsed());
    }
    let began = Instant::now();
    const CHANGES: u32 = 100;
    for n in 0..CHANGES {
        let at = Position { epoch: uuid::Uuid::nil(), offset: i64::from(n) };
        documents.apply(&scope, vec![product_of(some(n), 2, 600)], None, Some(at)).unwrap();
    }
    a_time("one product changed, flushed", CHANGES, began.elapsed());
    let copy = folder.path().join("torn.redb");
    fs::copy(&path, &copy).unwrap();
    fs::File::open(&copy).unwrap().sync_all().unwrap();
    let began = Instant::now();
    let _torn = RedbDocuments::open(&copy, "one").unwrap();
    println!("opened after a crash in {:?}", began.elapsed());
    if let Ok(status) = fs::read_to_string("/proc/self/status") {
        status.lines().filter(|l| l.starts_with("VmRSS")).for_each(|l| println!("{l}"));
    }
}
