//! `ports::overrides`: what an operator set stays until it is taken back.

use crate::shop::{Shop, on_both_databases};
use stoa::{
    domain::time::Micros,
    ports::{
        overrides::{Overrides, PoolOverride},
        writer::{Write, Written},
    },
};

on_both_databases![setting_replaces_and_reverting_removes, reverting_nothing_is_absent];

fn wanted(node: &str, workers: Option<u32>, at: i64) -> PoolOverride {
    PoolOverride {
        pool: "render".into(),
        node: node.into(),
        workers,
        paused: workers.is_none(),
        by: "ann".into(),
        at: Micros(at),
        until: workers.map(|_| Micros(at + 60)),
    }
}

async fn setting_replaces_and_reverting_removes(mut shop: Shop) {
    let (first, second, other) =
        (wanted("*", Some(4), 1), wanted("*", None, 2), wanted("n1", Some(2), 3));
    for wanted in [&first, &second, &other] {
        let set = shop.commit(Write::SetOverride(wanted.clone())).await;
        assert_eq!(set, Ok(Written::Done));
    }
    assert_eq!(shop.store.current().await.unwrap(), [second.clone(), other.clone()]);

    let revert = Write::RevertOverride {
        pool: "render".into(),
        node: "*".into(),
        by: "bob".into(),
        at: Micros(4),
    };
    assert_eq!(shop.commit(revert).await, Ok(Written::Done));
    assert_eq!(shop.store.current().await.unwrap(), [other]);
}

async fn reverting_nothing_is_absent(mut shop: Shop) {
    let revert = Write::RevertOverride {
        pool: "render".into(),
        node: "*".into(),
        by: "bob".into(),
        at: Micros(4),
    };
    assert_eq!(shop.commit(revert).await, Ok(Written::Absent));
}
