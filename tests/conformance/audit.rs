//! `ports::audit`: every change of an operator is one entry of a whole chain, which nobody can
//! change by a statement.

use crate::shop::{Shop, on_both_databases};
use stoa::{
    domain::{
        audit::{AuditEntry, Broken, Reading},
        time::Micros,
    },
    ports::{
        audit::Audit,
        outbox::Outbox,
        overrides::PoolOverride,
        writer::{Write, Written},
    },
};

on_both_databases![
    changes_are_entries_of_one_chain,
    two_writers_make_one_chain,
    an_entry_that_is_touched_past_the_guards_is_found,
];

fn wanted(workers: u32, by: &str) -> PoolOverride {
    PoolOverride {
        pool: "render".into(),
        node: "*".into(),
        workers: Some(workers),
        paused: false,
        by: by.into(),
        at: Micros(workers.into()),
        until: None,
    }
}

async fn all(shop: &Shop) -> Vec<AuditEntry> {
    shop.store.number().await.unwrap();
    shop.store.entries_after(0, 1_000).await.unwrap()
}

fn read(entries: &[AuditEntry]) -> Result<Reading, Broken> {
    let mut reading = Reading::START;
    entries.iter().try_for_each(|entry| reading.follow(entry))?;
    Ok(reading)
}

async fn changes_are_entries_of_one_chain(mut shop: Shop) {
    assert!(all(&shop).await.is_empty());
    let writes = vec![
        Write::SetOverride(wanted(1, "ann")),
        Write::SetOverride(wanted(2, "bob")),
        Write::RevertOverride {
            pool: "render".into(),
            node: "*".into(),
            by: "cyd".into(),
            at: Micros(9),
        },
        // Nothing is there any more, so nothing is changed.
        Write::RevertOverride {
            pool: "render".into(),
            node: "*".into(),
            by: "dan".into(),
            at: Micros(10),
        },
    ];
    let answers = shop.writer.commit(writes).await;
    assert_eq!(answers.last(), Some(&Ok(Written::Absent)));
    let entries = all(&shop).await;
    assert_eq!(read(&entries).unwrap().place, 3);
    let told: Vec<_> = entries
        .iter()
        .map(|e| (e.by.as_str(), e.action.as_str(), e.old.is_some(), e.new.is_some()))
        .collect();
    assert_eq!(
        told,
        [
            ("ann", "pool.set", false, true),
            ("bob", "pool.set", true, true),
            ("cyd", "pool.revert", true, false),
        ]
    );
    assert_eq!(entries[1].old, entries[0].new);
    assert!(entries.iter().all(|entry| entry.subject == "pool:render@*"));

    let newest = shop.store.entries_before(None, 2).await.unwrap();
    assert_eq!(newest, [entries[2].clone(), entries[1].clone()]);
    assert_eq!(shop.store.entries_before(Some(2), 9).await.unwrap(), entries[..1]);
    assert_eq!(shop.store.entries_after(2, 9).await.unwrap(), entries[2..]);
}

async fn two_writers_make_one_chain(mut shop: Shop) {
    let mut other = shop.another_writer().await;
    for n in 0..10 {
        let (one, two) = (wanted(n * 2 + 1, "one"), wanted(n * 2 + 2, "two"));
        let (first, second) = tokio::join!(
            shop.writer.commit(vec![Write::SetOverride(one)]),
            other.commit(vec![Write::SetOverride(two)]),
        );
        assert_eq!((&first[0], &second[0]), (&Ok(Written::Done), &Ok(Written::Done)));
        // Numbered in between, as a relay does.
        shop.store.number().await.unwrap();
    }
    assert_eq!(read(&all(&shop).await).unwrap().place, 20);
}

async fn an_entry_that_is_touched_past_the_guards_is_found(mut shop: Shop) {
    for n in 1..=5 {
        shop.commit(Write::SetOverride(wanted(n, "ann"))).await.unwrap();
    }
    let whole = all(&shop).await;
    for text in ["UPDATE audit SET by_whom = 'eve' WHERE place = 2", "DELETE FROM audit"] {
        assert!(shop.try_execute(text).await.is_err(), "{text}");
    }
    assert_eq!(all(&shop).await, whole);
    // Whoever owns the database can take the guards away.
    for text in shop.drop_audit_guards() {
        shop.execute(text).await;
    }
    shop.execute("UPDATE audit SET by_whom = 'eve' WHERE place = 2").await;
    assert_eq!(read(&all(&shop).await), Err(Broken::Changed { place: 2 }));
    shop.execute("DELETE FROM audit WHERE place = 2").await;
    assert_eq!(read(&all(&shop).await), Err(Broken::Missing { expected: 2, found: 3 }));
}
