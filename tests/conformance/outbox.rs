//! `ports::outbox`: one log, in commit order, without holes.

use crate::shop::{Shop, draft, on_both_databases, path, sku};
use stoa::{
    domain::{event::EventKind, time::Micros},
    ports::{clock::Clock, outbox::Outbox, writer::Write},
};

on_both_databases![
    an_empty_log_stands_at_nothing,
    every_change_is_told_once,
    what_is_unchanged_is_not_told,
    relatives_of_what_changed_are_told_too,
    new_categories_are_told,
    offsets_have_no_holes_over_batches_and_refusals,
    pages_go_on_where_the_last_ended,
    pruning_keeps_what_is_young_or_ahead_of_a_follower,
];

async fn an_empty_log_stands_at_nothing(shop: Shop) {
    assert!(shop.log().await.is_empty());
    let head = shop.store.head().await.unwrap();
    assert_eq!(head.offset, 0);
    assert_eq!(head.epoch, shop.store.identity().await.unwrap().epoch);
    assert_eq!(shop.store.pruned().await.unwrap(), 0);
}

async fn every_change_is_told_once(mut shop: Shop) {
    shop.put(vec![draft("A", "a"), draft("B", "b"), draft("A", "a again")]).await;
    let (told, end) = shop.told_after(0).await;
    assert_eq!(told, ["A", "B"]);
    assert_eq!(shop.store.head().await.unwrap().offset, end);
    shop.put(vec![draft("B", "b2")]).await;
    assert_eq!(shop.told_after(end).await.0, ["B"]);
}

async fn what_is_unchanged_is_not_told(mut shop: Shop) {
    shop.put(vec![draft("A", "a")]).await;
    let (_, end) = shop.told_after(0).await;
    assert_eq!(shop.put(vec![draft("A", "a")]).await, [0, 0, 1]);
    assert_eq!(shop.told_after(end).await, (Vec::new(), end));
}

async fn relatives_of_what_changed_are_told_too(mut shop: Shop) {
    let child = |name: &str, of: &str| {
        let mut child = draft("C", name);
        child.variant_of = Some(sku(of));
        child
    };
    shop.put(vec![draft("P", "p"), draft("Q", "q"), draft("X", "x"), child("c", "P")]).await;
    let (_, end) = shop.told_after(0).await;
    shop.put(vec![child("renamed", "P")]).await;
    let (told, end) = { shop.told_after(end).await };
    assert_eq!(told, ["C", "P"], "the parent shows its variant's name");
    shop.put(vec![draft("P", "p renamed")]).await;
    let (told, end) = shop.told_after(end).await;
    assert_eq!(told, ["C", "P"], "the variant shows its parent's name");
    shop.put(vec![child("renamed", "Q")]).await;
    let (told, end) = shop.told_after(end).await;
    assert_eq!(told, ["C", "P", "Q"], "the old parent loses it");
    // A parent that nobody has is told of once it comes.
    shop.put(vec![child("renamed", "LATE")]).await;
    let (told, end) = shop.told_after(end).await;
    assert_eq!(told, ["C", "Q"]);
    shop.put(vec![draft("LATE", "late")]).await;
    assert_eq!(shop.told_after(end).await.0, ["C", "LATE"]);
}

async fn new_categories_are_told(mut shop: Shop) {
    let mut product = draft("A", "a");
    product.categories = path(&["Home", "Garden"]);
    shop.put(vec![product.clone()]).await;
    let told = |log: Vec<stoa::domain::event::Event>| {
        log.into_iter().filter(|e| e.kind == Some(EventKind::CategoryChanged)).count()
    };
    assert_eq!(told(shop.log().await), 2);
    product.categories = path(&["Home"]);
    shop.put(vec![product]).await;
    assert_eq!(told(shop.log().await), 2, "moving a product makes none");
}

async fn offsets_have_no_holes_over_batches_and_refusals(mut shop: Shop) {
    for round in 0..5 {
        let name = format!("round {round}");
        let good = Write::Products(shop.batch(vec![draft("A", &name), draft("B", &name)]));
        let mut refused = draft("BAD", &name);
        refused.precision = 99;
        let bad = Write::Products(shop.batch(vec![draft("NEVER", &name), refused]));
        let answers = shop.writer.commit(vec![good, bad]).await;
        assert!(answers[0].is_ok() && answers[1].is_err());
    }
    let offsets: Vec<_> = shop.log().await.into_iter().map(|event| event.offset).collect();
    assert_eq!(offsets, (1..=10).collect::<Vec<i64>>());
}

async fn pages_go_on_where_the_last_ended(mut shop: Shop) {
    shop.put((0..10).map(|n| draft(&format!("P{n}"), "p")).collect()).await;
    shop.store.number().await.unwrap();
    let (mut seen, mut offset) = (0, 0);
    loop {
        let page = shop.store.after(offset, 4).await.unwrap();
        let Some(last) = page.last() else { break };
        assert_eq!(page[0].offset, offset + 1);
        offset = last.offset;
        seen += page.len();
    }
    assert_eq!(seen, 10);
    assert!(shop.store.after(i64::MAX, 1).await.unwrap().is_empty());
}

async fn pruning_keeps_what_is_young_or_ahead_of_a_follower(mut shop: Shop) {
    shop.put((0..4).map(|n| draft(&format!("OLD{n}"), "old")).collect()).await;
    let border = shop.source.now();
    shop.put((0..4).map(|n| draft(&format!("NEW{n}"), "new")).collect()).await;
    shop.store.number().await.unwrap();

    assert_eq!(shop.store.prune(3, Micros(0)).await.unwrap(), 0, "nothing is that old");
    assert_eq!(shop.store.prune(3, border).await.unwrap(), 3, "a follower stands at 3");
    assert_eq!(shop.store.pruned().await.unwrap(), 3);
    assert_eq!(shop.store.prune(8, border).await.unwrap(), 1, "the rest is young");
    let left: Vec<_> = shop.store.after(0, 100).await.unwrap().iter().map(|e| e.offset).collect();
    assert_eq!(left, [5, 6, 7, 8]);
    assert_eq!(shop.store.prune(100, Micros(i64::MAX)).await.unwrap(), 4);
    assert_eq!(shop.store.pruned().await.unwrap(), 8);

    // An emptied log goes on where it was.
    assert_eq!(shop.store.head().await.unwrap().offset, 8);
    shop.put(vec![draft("LATER", "later")]).await;
    assert_eq!(shop.log().await[0].offset, 9);
}
