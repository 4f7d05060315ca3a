//! What only PostgreSQL has: several writers and numberers at once.

use crate::{
    carts,
    once::{answer, made, once},
    shop::{Shop, checkpoint, draft, path},
};
use sqlx::{Connection, PgConnection};
use stoa::{
    adapters::sql::{Location, SqlStore},
    domain::{cart::CartOwner, id::UserId},
    ports::{
        StoreError,
        bell::Bell,
        carts::Carts,
        catalog::Catalog,
        clock::Ids,
        imports::Imports,
        outbox::Outbox,
        writer::{Write, Written},
    },
};

/// Runs a case on PostgreSQL alone.
macro_rules! on_postgres {
    ($($case:ident),* $(,)?) => {
        mod postgres {
            $(#[test]
            fn $case() {
                let name = concat!(module_path!(), "::", stringify!($case));
                let Some(peer) = crate::peer::database(name) else { return };
                let run = async { super::$case(crate::shop::Shop::postgres(peer.url.clone()).await).await };
                crate::shop::runtime().block_on(run);
            })*
        }
    };
}

on_postgres![
    two_writers_of_the_same_products_both_succeed,
    one_of_two_carrying_on_an_import_is_superseded,
    a_late_commit_takes_a_later_place,
    a_numberer_at_work_is_no_error,
    products_get_their_places_as_they_are_written,
    a_writer_leaves_the_places_to_a_numberer_at_work,
    many_slices_are_numbered_without_holes,
    a_lost_connection_is_made_anew,
    one_buyer_on_two_nodes_has_one_cart_with_all_of_it,
    of_two_nodes_at_one_name_one_makes_it,
    a_name_that_a_hung_node_holds_is_in_flight_and_the_others_are_made,
    a_bell_is_heard_by_the_others_and_whoever_may_have_missed_it_looks,
];

async fn connect(shop: &Shop) -> PgConnection {
    let Location::Postgres(url) = &shop.location else { panic!("PostgreSQL only") };
    PgConnection::connect(url).await.unwrap()
}

async fn two_writers_of_the_same_products_both_succeed(mut shop: Shop) {
    let mut other = shop.another_writer().await;
    let (mut created, mut total) = (0, 0);
    for round in 0..20 {
        let products = |who: &str| {
            let product = |n: i32| {
                let mut product = draft(&format!("{}", round * 20 + n), "one name");
                product.brand = Some(who.to_owned());
                product.categories = path(&["Root", &format!("Round {round}")]);
                product
            };
            (0..30).map(product).collect::<Vec<_>>()
        };
        let (a, b) = (shop.batch(products("a")), shop.batch(products("b")));
        let (a, b) = tokio::join!(
            shop.writer.commit(vec![Write::Products(a)]),
            other.commit(vec![Write::Products(b)])
        );
        for answer in [a, b].into_iter().flatten() {
            let Ok(Written::Products(counts)) = answer else { panic!("{answer:?}") };
            created += counts.created;
            total += counts.read;
        }
    }
    assert_eq!(total, 20 * 60);
    assert_eq!(created, shop.store.product_count().await.unwrap(), "created once each");
    let tree = shop.store.categories(&shop.scope).await.unwrap();
    assert_eq!(tree.all().len(), 21, "no category twice");
    let offsets: Vec<_> = shop.log().await.into_iter().map(|event| event.offset).collect();
    assert_eq!(offsets, (1..=offsets.len() as i64).collect::<Vec<_>>());
    assert_eq!(shop.documents().await.len() as u64, created);
}

async fn one_of_two_carrying_on_an_import_is_superseded(mut shop: Shop) {
    let import = shop.import();
    shop.commit(Write::CreateImport(Box::new(import.clone()))).await.unwrap();
    let mut other = shop.another_writer().await;
    for round in 0..10 {
        let batch = |who: &str| {
            let mut batch = shop.batch(vec![draft(&format!("{who}{round}"), who)]);
            batch.checkpoint = Some(checkpoint(import.id, round, round + 1));
            vec![Write::Products(batch)]
        };
        let (a, b) = (batch("a"), batch("b"));
        let (a, b) = tokio::join!(shop.writer.commit(a), other.commit(b));
        let superseded = |answer: &Written| *answer == Written::Superseded;
        let answers = [a, b].into_iter().flatten().map(Result::unwrap).collect::<Vec<_>>();
        assert_eq!(answers.iter().filter(|a| superseded(a)).count(), 1, "{answers:?}");
    }
    assert_eq!(shop.store.product_count().await.unwrap(), 10);
    assert_eq!(shop.store.get(import.id).await.unwrap().unwrap().rows_done, 10);
}

async fn append(conn: &mut PgConnection, at: i64) {
    let insert = "INSERT INTO outbox (kind, subject, at)
                  VALUES ('product_changed', gen_random_uuid(), $1)";
    sqlx::query(insert).bind(at).execute(conn).await.unwrap();
}

async fn a_late_commit_takes_a_later_place(shop: Shop) {
    let (mut early, mut late) = (connect(&shop).await, connect(&shop).await);
    let mut slow = early.begin().await.unwrap();
    append(&mut slow, 1).await;
    let mut quick = late.begin().await.unwrap();
    append(&mut quick, 2).await;
    quick.commit().await.unwrap();
    append(&mut late, 3).await;

    let log = shop.log().await;
    let seen: Vec<_> = log.iter().map(|event| (event.offset, event.at.0)).collect();
    assert_eq!(seen, [(1, 2), (2, 3)], "the first row is not committed yet");
    slow.commit().await.unwrap();
    assert_eq!(shop.store.number().await.unwrap(), 1);
    let behind = shop.store.after(2, 10).await.unwrap();
    let seen: Vec<_> = behind.iter().map(|event| (event.offset, event.at.0)).collect();
    assert_eq!(seen, [(3, 1)], "a follower that stood at 2 misses nothing");
    assert_eq!(shop.store.head().await.unwrap().offset, 3);
}

async fn a_numberer_at_work_is_no_error(shop: Shop) {
    let mut conn = connect(&shop).await;
    append(&mut conn, 1).await;
    let mut busy = conn.begin().await.unwrap();
    sqlx::query("SELECT pg_advisory_xact_lock(7106407)").execute(&mut *busy).await.unwrap();
    assert_eq!(shop.store.number().await.unwrap(), 0);
    assert!(shop.store.after(0, 10).await.unwrap().is_empty());
    busy.rollback().await.unwrap();
    assert_eq!(shop.store.number().await.unwrap(), 1);
}

async fn products_get_their_places_as_they_are_written(mut shop: Shop) {
    shop.put((0..5).map(|n| draft(&format!("P{n}"), "p")).collect()).await;
    assert_eq!(shop.store.head().await.unwrap().offset, 5);
    assert_eq!(shop.store.after(0, 10).await.unwrap().len(), 5);
    assert_eq!(shop.store.number().await.unwrap(), 0, "nothing is left to be numbered");

    // What was committed before and has no place yet must not be overtaken.
    append(&mut connect(&shop).await, 1).await;
    let mut product = draft("LATER", "later");
    product.categories = path(&["Made with it"]);
    shop.put(vec![product]).await;
    assert_eq!(shop.store.head().await.unwrap().offset, 5);
    assert_eq!(shop.store.number().await.unwrap(), 3);
    assert_eq!(shop.store.after(5, 10).await.unwrap()[0].at.0, 1);
}

async fn a_writer_leaves_the_places_to_a_numberer_at_work(mut shop: Shop) {
    let mut conn = connect(&shop).await;
    let mut busy = conn.begin().await.unwrap();
    sqlx::query("SELECT pg_advisory_xact_lock(7106407)").execute(&mut *busy).await.unwrap();
    shop.put(vec![draft("A", "a")]).await;
    assert_eq!(shop.store.head().await.unwrap().offset, 0);
    busy.rollback().await.unwrap();
    assert_eq!(shop.store.number().await.unwrap(), 1);
    // A batch that is taken back takes its places with it.
    let mut refused = draft("BAD", "bad");
    refused.precision = 99;
    let bad = shop.batch(vec![draft("NEVER", "never"), refused]);
    assert!(shop.commit(Write::Products(bad)).await.is_err());
    shop.put(vec![draft("B", "b")]).await;
    let offsets: Vec<_> = shop.log().await.into_iter().map(|event| event.offset).collect();
    assert_eq!(offsets, [1, 2]);
}

async fn many_slices_are_numbered_without_holes(shop: Shop) {
    let mut conn = connect(&shop).await;
    let fill = "INSERT INTO outbox (kind, subject, at)
                SELECT 'product_changed', gen_random_uuid(), n FROM generate_series(1, 12345) n";
    sqlx::query(fill).execute(&mut conn).await.unwrap();
    let other = SqlStore::connect(&shop.location).await.unwrap();
    let mut numbered = 0;
    while numbered < 12_345 {
        let (a, b) = tokio::join!(shop.store.number(), other.number());
        numbered += a.unwrap() + b.unwrap();
    }
    assert_eq!(numbered, 12_345);
    let offsets: Vec<_> = shop.log().await.iter().map(|event| (event.offset, event.at.0)).collect();
    assert_eq!(offsets, (1..=12_345).map(|n| (n, n)).collect::<Vec<_>>());
}

async fn a_lost_connection_is_made_anew(mut shop: Shop) {
    shop.put(vec![draft("A", "a")]).await;
    let mut conn = connect(&shop).await;
    let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
               WHERE datname = current_database() AND application_name = 'stoa writer'";
    let cut: i64 = sqlx::query_scalar(cut).fetch_one(&mut conn).await.unwrap();
    assert_eq!(cut, 1);
    // The client may hear of it only as it asks; from then on a new connection serves.
    let mut answer = shop.commit(Write::Products(shop.batch(vec![draft("B", "b")]))).await;
    if answer.is_err() {
        answer = shop.commit(Write::Products(shop.batch(vec![draft("B", "b")]))).await;
    }
    assert!(answer.is_ok(), "{answer:?}");
    assert_eq!(shop.store.product_count().await.unwrap(), 2);
}

async fn of_two_nodes_at_one_name_one_makes_it(mut shop: Shop) {
    let mut other = shop.another_writer().await;
    for round in 0..30 {
        let keys = [format!("a{round}"), format!("b{round}")];
        let here = keys.iter().map(|key| Write::Once(once(&shop, key, "b"))).collect();
        let there = keys.iter().rev().map(|key| Write::Once(once(&shop, key, "b"))).collect();
        let (here, there) = tokio::join!(shop.writer.commit(here), other.commit(there));
        let of = |all: &[Result<Written, StoreError>], at: usize| answer(all[at].clone().unwrap());
        assert_eq!(of(&here, 0), of(&there, 1), "round {round}");
        assert_eq!(of(&here, 1), of(&there, 0), "round {round}");
    }
    assert_eq!(made(&shop).await, 60);
}

async fn a_name_that_a_hung_node_holds_is_in_flight_and_the_others_are_made(mut shop: Shop) {
    let mut hung = connect(&shop).await;
    let mut hung = hung.begin().await.unwrap();
    let name = once(&shop, "held", "b").name;
    let insert = "INSERT INTO idempotency (name, body_hash, status, headers, body, at)
                  VALUES ($1, $1, 201, '[]', '', 0)";
    sqlx::query(insert).bind(name.0.as_slice()).execute(&mut *hung).await.unwrap();

    let writes = ["free", "held", "free-too"].map(|key| Write::Once(once(&shop, key, "b")));
    let answers: Vec<_> =
        shop.writer.commit(writes.to_vec()).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(answers[1], Written::InFlight);
    assert!(matches!(answers[0], Written::Answered { .. }), "{:?}", answers[0]);
    assert!(matches!(answers[2], Written::Answered { .. }), "{:?}", answers[2]);
    assert_eq!(made(&shop).await, 2);

    hung.rollback().await.unwrap();
    let after = shop.commit(Write::Once(once(&shop, "held", "b"))).await.unwrap();
    assert!(matches!(after, Written::Answered { .. }), "{after:?}");
}

async fn one_buyer_on_two_nodes_has_one_cart_with_all_of_it(mut shop: Shop) {
    let mut other = shop.another_writer().await;
    for round in 1..=20u128 {
        let owner = CartOwner::User(UserId(uuid::Uuid::from_u128(round)));
        let batch = |name: &str| {
            let name = name.to_owned();
            let add = |n| carts::add(&format!("{name}{n}"), 5, "1");
            let edits = (0..5).map(|n| carts::to_active(&shop, vec![add(n), add(9)]));
            edits.map(|act| carts::write(&shop, owner, act)).collect::<Vec<_>>()
        };
        let (a, b) = (batch("a"), batch("b"));
        let (a, b) = tokio::join!(shop.writer.commit(a), other.commit(b));
        assert!(a.iter().chain(&b).all(Result::is_ok), "{a:?} {b:?}");
        let carts = shop.store.open(owner).await.unwrap();
        let [cart] = carts.as_slice() else { panic!("{carts:?}") };
        let (cart, lines) = shop.store.whole(owner, cart.id).await.unwrap().unwrap();
        assert_eq!((lines.len(), cart.lines(), cart.version), (12, 12, 10));
    }
}

async fn a_bell_is_heard_by_the_others_and_whoever_may_have_missed_it_looks(shop: Shop) {
    let bell = || shop.store.bell(shop.source.next()).unwrap();
    let (ours, theirs) = (bell(), bell());
    let mut ear = ours.listen().await.unwrap();
    ours.ring().await.unwrap();
    let itself = tokio::time::timeout(std::time::Duration::from_millis(300), ear.heard()).await;
    assert!(itself.is_err(), "it heard itself");
    theirs.ring().await.unwrap();
    ear.heard().await.unwrap();
    shop.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE query LIKE 'LISTEN%' AND datname = current_database()",
    )
    .await;
    // An ear that was cut off says so, or fails and is made anew.
    if ear.heard().await.is_err() {
        ear = ours.listen().await.unwrap();
    }
    theirs.ring().await.unwrap();
    ear.heard().await.unwrap();
}
