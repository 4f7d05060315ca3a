//! `ports::imports`, and how a batch moves an import on.

use crate::shop::{Shop, checkpoint, draft, on_both_databases, path, sku, stock};
use stoa::{
    domain::{catalog_batch::ContentHash, id::ImportId, time::Micros},
    ports::{
        catalog::Catalog,
        clock::Ids,
        imports::{Import, ImportCounts, ImportState, Imports},
        writer::{ImportCheckpoint, Write, Written},
    },
};

on_both_databases![
    a_run_is_kept_as_it_was_made,
    runs_are_listed_newest_first,
    a_batch_and_its_checkpoint_are_one,
    a_batch_that_is_only_tried_is_counted_and_taken_back,
    a_batch_from_elsewhere_is_superseded_and_changes_nothing,
    a_batch_of_a_run_that_is_over_is_superseded,
    a_batch_of_no_run_is_absent,
    a_dry_run_counts_and_moves_on_but_keeps_nothing,
    what_is_unfinished_is_found_again,
];

async fn create(shop: &mut Shop) -> Import {
    let import = shop.import();
    let created = shop.commit(Write::CreateImport(Box::new(import.clone()))).await;
    assert_eq!(created, Ok(Written::Done));
    import
}

async fn end(shop: &mut Shop, id: ImportId, state: ImportState) -> Written {
    let message = Some("why".to_owned());
    shop.commit(Write::EndImport { id, state, message, at: Micros(7) }).await.unwrap()
}

async fn a_run_is_kept_as_it_was_made(mut shop: Shop) {
    let import = create(&mut shop).await;
    assert_eq!(shop.store.get(import.id).await.unwrap(), Some(import.clone()));
    assert_eq!(end(&mut shop, import.id, ImportState::Failed).await, Written::Done);
    let ended = shop.store.get(import.id).await.unwrap().unwrap();
    assert_eq!((ended.state, ended.updated_at), (ImportState::Failed, Micros(7)));
    assert_eq!(ended.message.as_deref(), Some("why"));
    let nobody = ImportId(shop.source.next());
    assert_eq!(shop.store.get(nobody).await.unwrap(), None);
    assert_eq!(end(&mut shop, nobody, ImportState::Failed).await, Written::Absent);
}

async fn runs_are_listed_newest_first(mut shop: Shop) {
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(create(&mut shop).await.id);
    }
    made.reverse();
    let ids = |page: Vec<Import>| page.into_iter().map(|i| i.id).collect::<Vec<_>>();
    let first = ids(shop.store.list(None, 2).await.unwrap());
    assert_eq!(first, made[..2]);
    assert_eq!(ids(shop.store.list(Some(first[1]), 10).await.unwrap()), made[2..]);
}

async fn a_batch_and_its_checkpoint_are_one(mut shop: Shop) {
    let import = create(&mut shop).await;
    let mut batch = shop.batch(vec![draft("A", "a"), draft("B", "b")]);
    batch.checkpoint = Some(ImportCheckpoint { rejected: 1, ..checkpoint(import.id, 0, 3) });
    let written = shop.commit(Write::Products(batch)).await.unwrap();
    let counts = ImportCounts { read: 3, created: 2, updated: 0, unchanged: 0, rejected: 1 };
    assert_eq!(written, Written::Products(counts));

    let mut batch = shop.batch(vec![draft("A", "a"), draft("B", "b2"), draft("B", "b2")]);
    batch.checkpoint = Some(checkpoint(import.id, 3, 6));
    shop.commit(Write::Products(batch)).await.unwrap();
    let import = shop.store.get(import.id).await.unwrap().unwrap();
    assert_eq!((import.rows_done, import.bytes_done), (6, 60));
    let counts = ImportCounts { read: 6, created: 2, updated: 1, unchanged: 2, rejected: 1 };
    assert_eq!(import.counts, counts);

    // Refused by the schema: neither rows nor place.
    let mut bad = draft("C", "c");
    bad.precision = 99;
    let mut batch = shop.batch(vec![draft("D", "d"), bad]);
    batch.checkpoint = Some(checkpoint(import.id, 6, 8));
    assert!(shop.commit(Write::Products(batch)).await.is_err());
    assert_eq!(shop.store.get(import.id).await.unwrap(), Some(import));
    assert_eq!(shop.store.product_count().await.unwrap(), 2);
}

async fn a_batch_that_is_only_tried_is_counted_and_taken_back(mut shop: Shop) {
    shop.put(vec![draft("A", "a")]).await;
    let import = create(&mut shop).await;
    let (documents, log) = (shop.documents().await, shop.log().await);
    let tried = |rows_before, rows_done| {
        let mut new = draft("B", "b");
        new.categories = path(&["Only", "tried"]);
        new.stock = Some(vec![stock("nowhere", 3)]);
        let mut batch = shop.batch(vec![draft("A", "a2"), new]);
        batch.checkpoint = Some(checkpoint(import.id, rows_before, rows_done));
        batch.dry_run = true;
        Write::Products(batch)
    };
    // Both in one transaction: the second finds no more than the first did.
    let both = vec![tried(0, 2), tried(2, 4)];
    for answer in shop.writer.commit(both).await {
        let counts = ImportCounts { read: 2, created: 1, updated: 1, unchanged: 0, rejected: 0 };
        assert_eq!(answer, Ok(Written::Products(counts)));
    }
    assert_eq!((shop.documents().await, shop.log().await), (documents, log));
    assert!(shop.store.categories(&shop.scope).await.unwrap().all().is_empty());
    let stands = shop.store.get(import.id).await.unwrap().unwrap();
    assert_eq!((stands.rows_done, stands.counts.read, stands.counts.created), (4, 4, 2));
    // What comes next in earnest is not held up by what was tried.
    assert_eq!(shop.put(vec![draft("B", "b")]).await, [1, 0, 0]);
}

async fn a_batch_from_elsewhere_is_superseded_and_changes_nothing(mut shop: Shop) {
    let import = create(&mut shop).await;
    for (before, done) in [(1, 2), (0, 2), (0, 2)] {
        let log = shop.log().await;
        let mut batch = shop.batch(vec![draft("A", &format!("from {before}, {}", log.len()))]);
        batch.checkpoint = Some(checkpoint(import.id, before, done));
        let written = shop.commit(Write::Products(batch)).await.unwrap();
        let stands = shop.store.get(import.id).await.unwrap().unwrap().rows_done;
        match written {
            Written::Products(_) => assert_eq!((before, stands), (0, 2)),
            other => {
                assert_eq!(other, Written::Superseded);
                assert_eq!(shop.log().await, log);
            }
        }
    }
    assert_eq!(shop.log().await.len(), 1, "one of the three was right");
}

async fn a_batch_of_a_run_that_is_over_is_superseded(mut shop: Shop) {
    for (state, written) in [
        (ImportState::Cancelled, false),
        (ImportState::Succeeded, false),
        (ImportState::Failed, true),
    ] {
        let import = create(&mut shop).await;
        end(&mut shop, import.id, state).await;
        let mut batch = shop.batch(vec![draft("A", state.as_str())]);
        batch.checkpoint = Some(checkpoint(import.id, 0, 1));
        let answer = shop.commit(Write::Products(batch)).await.unwrap();
        assert_eq!(answer != Written::Superseded, written, "{state:?}");
    }
}

async fn a_batch_of_no_run_is_absent(mut shop: Shop) {
    let mut batch = shop.batch(vec![draft("A", "a")]);
    batch.checkpoint = Some(checkpoint(ImportId(shop.source.next()), 0, 1));
    assert_eq!(shop.commit(Write::Products(batch)).await, Ok(Written::Absent));
    assert_eq!(shop.store.product_count().await.unwrap(), 0);
}

async fn a_dry_run_counts_and_moves_on_but_keeps_nothing(mut shop: Shop) {
    let kept = |name: &str| {
        let mut product = draft("A", name);
        product.categories = path(&["Home"]);
        product.stock = Some(vec![stock("main", 9)]);
        product
    };
    shop.put(vec![draft("A", "a")]).await;
    let (documents, log) = (shop.documents().await, shop.log().await);
    let import = create(&mut shop).await;
    for (before, done) in [(0, 2), (2, 4)] {
        let mut batch = shop.batch(vec![kept("changed"), draft("B", "b")]);
        batch.checkpoint = Some(checkpoint(import.id, before, done));
        batch.dry_run = true;
        let counts = ImportCounts { read: 2, created: 1, updated: 1, ..ImportCounts::default() };
        assert_eq!(shop.commit(Write::Products(batch)).await, Ok(Written::Products(counts)));
    }
    assert_eq!(shop.documents().await, documents);
    assert_eq!(shop.log().await, log);
    assert!(shop.store.categories(&shop.scope).await.unwrap().all().is_empty());
    let import = shop.store.get(import.id).await.unwrap().unwrap();
    assert_eq!((import.rows_done, import.counts.created), (4, 2));

    // Told what was tried before, it counts as the run would.
    let hash = |product| ContentHash::of(&shop.scope, &product);
    let mut batch =
        shop.batch(vec![kept("changed"), draft("B", "b"), draft("B", "new"), draft("C", "c")]);
    batch.supposed = vec![(sku("A"), hash(kept("changed"))), (sku("B"), hash(draft("B", "b")))];
    batch.dry_run = true;
    let counts =
        ImportCounts { read: 4, created: 1, updated: 1, unchanged: 2, ..ImportCounts::default() };
    assert_eq!(shop.commit(Write::Products(batch)).await, Ok(Written::Products(counts)));
    assert_eq!(shop.documents().await, documents);

    // It fails where the run would.
    let mut bad = draft("C", "c");
    bad.precision = 99;
    let mut batch = shop.batch(vec![bad]);
    batch.dry_run = true;
    assert!(shop.commit(Write::Products(batch)).await.is_err());
    // One for real beside it in a commit is kept, and the log has no hole from what was taken back.
    let mut dry = shop.batch(vec![kept("dry")]);
    dry.dry_run = true;
    let real = shop.batch(vec![draft("A", "real")]);
    let last = shop.batch(vec![draft("A", "last")]);
    let answers = shop.writer.commit([dry, real, last].map(Write::Products).to_vec()).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(shop.document("A").await.name, "last");
    let offsets: Vec<_> = shop.log().await.iter().map(|event| event.offset).collect();
    assert_eq!(offsets, [1, 2, 3]);
}

async fn what_is_unfinished_is_found_again(mut shop: Shop) {
    assert_eq!(shop.store.next_unfinished().await.unwrap(), None);
    let (a, b, c) = (create(&mut shop).await, create(&mut shop).await, create(&mut shop).await);
    let next = |found: Option<Import>| found.map(|import| import.id);
    assert_eq!(next(shop.store.next_unfinished().await.unwrap()), Some(a.id));
    end(&mut shop, a.id, ImportState::Succeeded).await;
    end(&mut shop, b.id, ImportState::Running).await;
    assert_eq!(next(shop.store.next_unfinished().await.unwrap()), Some(b.id));
    end(&mut shop, b.id, ImportState::Failed).await;
    assert_eq!(next(shop.store.next_unfinished().await.unwrap()), Some(c.id));
    assert_eq!(next(shop.store.resumable(&a.source_hash).await.unwrap()), Some(c.id));
    end(&mut shop, c.id, ImportState::Cancelled).await;
    assert_eq!(next(shop.store.resumable(&a.source_hash).await.unwrap()), Some(b.id));
    assert_eq!(shop.store.resumable("other").await.unwrap(), None);
    assert_eq!(shop.store.next_unfinished().await.unwrap(), None);
}
