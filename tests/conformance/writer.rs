//! `ports::writer`: what a batch does, whichever database it does it to.

use crate::shop::{Shop, draft, on_both_databases, path, sku, stock};
use stoa::{
    domain::{product::ProductDraft, stock::StockBand},
    ports::{StoreError, catalog::Catalog, writer::Write},
};

on_both_databases![
    upserting_twice_changes_nothing,
    a_sku_twice_in_a_batch_counts_twice_and_the_later_wins,
    taken_slugs_get_the_sku_behind_them,
    slugs_do_not_depend_on_how_a_file_is_cut,
    a_count_never_falls_below_what_is_reserved,
    what_something_else_changed_is_written_again,
    a_bad_write_fails_alone,
    writes_of_one_commit_see_each_other,
    nothing_is_written_for_nothing,
    every_statement_fits_the_schema,
];

async fn upserting_twice_changes_nothing(mut shop: Shop) {
    let mut products: Vec<_> = (0..50).map(|n| draft(&format!("P{n}"), "one name")).collect();
    for (n, product) in products.iter_mut().enumerate() {
        product.categories = path(&["Root", ["Left", "Right"][n % 2]]);
        product.stock = (n % 3 == 0).then(|| vec![stock("main", n as i64)]);
        product.variant_of = (n > 45).then(|| sku("P1"));
    }
    assert_eq!(shop.put(products.clone()).await, [50, 0, 0]);
    let (documents, log) = (shop.documents().await, shop.log().await);
    assert_eq!(shop.put(products).await, [0, 0, 50]);
    assert_eq!(shop.documents().await, documents);
    assert_eq!(shop.log().await, log);
}

async fn a_sku_twice_in_a_batch_counts_twice_and_the_later_wins(mut shop: Shop) {
    let mut first = draft("A", "first");
    first.stock = Some(vec![stock("main", 2)]);
    let again = draft("A", "second");
    assert_eq!(shop.put(vec![first, again.clone(), again.clone()]).await, [1, 1, 1]);
    let document = shop.document("A").await;
    assert_eq!((document.name.as_str(), document.slug.as_str()), ("second", "first"));
    assert_eq!(document.stock, StockBand::FewLeft, "the second says nothing of stock");
    assert_eq!(shop.put(vec![again]).await, [0, 0, 1]);
}

async fn taken_slugs_get_the_sku_behind_them(mut shop: Shop) {
    shop.put(vec![draft("1", "Cable"), draft("2", "Cable"), draft("X/3", "Cable")]).await;
    shop.put(vec![
        draft("4", "cable"),
        draft("5", "Cable 6"),
        draft("6", "cable"),
        draft("7", "--"),
    ])
    .await;
    let slugs = shop.slugs().await;
    let slugs: Vec<_> = slugs.iter().map(|(sku, slug)| (sku.as_str(), slug.as_str())).collect();
    let wanted = [
        ("1", "cable"),
        ("2", "cable-2"),
        ("4", "cable-4"),
        ("5", "cable-6"),
        ("6", "cable-6-2"),
        ("7", "7"),
        ("X/3", "cable-x-3"),
    ];
    assert_eq!(slugs, wanted);
}

async fn slugs_do_not_depend_on_how_a_file_is_cut(mut shop: Shop) {
    let names = ["Cable", "cable 2", "Cable", "Cable 4", "cable", "Tools"];
    let rows: Vec<ProductDraft> = (0..24)
        .map(|n| {
            let mut row = draft(&format!("{}", n % 20), names[n % names.len()]);
            row.categories = path(&[names[n % 4], names[(n + 1) % 5]]);
            row
        })
        .collect();
    let english = shop.scope.clone();
    let mut seen = Vec::new();
    for cut in [1, 5, 24] {
        shop.scope.site.0 = format!("cut-{cut}");
        let mut counts = [0; 3];
        for part in rows.chunks(cut) {
            let part = shop.put(part.to_vec()).await;
            counts = std::array::from_fn(|n| counts[n] + part[n]);
        }
        let categories: Vec<_> = shop
            .documents()
            .await
            .into_values()
            .map(|d| d.categories.into_iter().map(|c| c.slug).collect::<Vec<_>>())
            .collect();
        seen.push((counts, shop.slugs().await, categories));
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0], seen[2]);
    shop.scope = english;
}

async fn a_count_never_falls_below_what_is_reserved(mut shop: Shop) {
    let counted = |name: &str, quantity: i64| {
        let mut product = draft("A", name);
        product.stock = Some(vec![stock("main", quantity)]);
        product
    };
    shop.put(vec![counted("a", 20)]).await;
    shop.execute("UPDATE stock_level SET reserved = 12").await;
    assert_eq!(shop.put(vec![counted("b", 7)]).await, [0, 1, 0]);
    assert_eq!(shop.document("A").await.stock, StockBand::SoldOut, "12 there, 12 promised");
    shop.put(vec![counted("c", 15)]).await;
    assert_eq!(shop.document("A").await.stock, StockBand::FewLeft, "15 there, 12 promised");
}

async fn what_something_else_changed_is_written_again(mut shop: Shop) {
    shop.put(vec![draft("A", "a")]).await;
    shop.execute("UPDATE product SET popularity = 99, content_hash = NULL").await;
    assert_eq!(shop.put(vec![draft("A", "a")]).await, [0, 1, 0]);
    assert_eq!(shop.document("A").await.popularity, 0);
}

async fn a_bad_write_fails_alone(mut shop: Shop) {
    let mut bad = draft("BAD", "bad");
    bad.precision = 99;
    let writes = vec![
        Write::Products(shop.batch(vec![draft("A", "a")])),
        Write::Products(shop.batch(vec![draft("B", "b"), bad])),
        Write::Products(shop.batch(vec![draft("C", "c")])),
    ];
    let answers = shop.writer.commit(writes).await;
    assert!(answers[0].is_ok() && answers[2].is_ok());
    assert!(matches!(answers[1], Err(StoreError::Refused(_))), "{:?}", answers[1]);
    let skus: Vec<_> = shop.documents().await.into_keys().collect();
    assert_eq!(skus, ["A", "C"]);
    // And the writer is well.
    assert_eq!(shop.put(vec![draft("B", "b")]).await, [1, 0, 0]);
}

async fn writes_of_one_commit_see_each_other(mut shop: Shop) {
    let writes = vec![
        Write::Products(shop.batch(vec![draft("A", "same"), draft("B", "same")])),
        Write::Products(shop.batch(vec![draft("A", "same"), draft("C", "same")])),
    ];
    let answers = shop.writer.commit(writes).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    let slugs: Vec<_> = shop.slugs().await.into_iter().map(|(_, slug)| slug).collect();
    assert_eq!(slugs, ["same", "same-b", "same-c"]);
}

async fn nothing_is_written_for_nothing(mut shop: Shop) {
    assert!(shop.writer.commit(Vec::new()).await.is_empty());
    assert_eq!(shop.put(Vec::new()).await, [0, 0, 0]);
    assert_eq!(shop.store.product_count().await.unwrap(), 0);
}

async fn every_statement_fits_the_schema(shop: Shop) {
    shop.store.check().await.unwrap();
}
