//! `ports::catalog`: documents say what was written.

use crate::shop::{Shop, draft, on_both_databases, path, sku, stock};
use std::collections::BTreeMap;
use stoa::{
    domain::{
        id::ProductId,
        money::{Currency, Money},
        product::ProductStatus,
        scope::{Locale, Scope, Site},
        stock::StockBand,
        tax::TaxCategory,
    },
    ports::{
        catalog::{Catalog, Drafts},
        clock::Ids,
    },
};

on_both_databases![
    a_document_holds_every_field_as_it_was_given,
    a_product_without_a_price_has_none,
    stock_bands_sum_warehouses,
    untracked_stays_untracked_until_somebody_counts,
    parents_show_variants_and_variants_their_parent,
    a_parent_that_nobody_counts_is_as_well_stocked_as_its_best_variant,
    asking_for_one_gives_those_that_show_it_too,
    a_variant_of_itself_is_no_variant,
    categories_have_their_way_from_the_root,
    ids_are_walked_in_pages,
    another_scope_sees_nothing,
    more_than_a_round_of_ids_is_read_whole,
    unknown_ids_are_absent,
    drafts_are_what_was_put_in_with_all_its_stock,
    drafts_are_walked_by_sku,
];

async fn a_document_holds_every_field_as_it_was_given(mut shop: Shop) {
    let mut full = draft("FULL-1", "Drill \"Pro\" 18V\t× 2 \\ weiß");
    full.brand = Some("Böhm & Söhne".into());
    full.short_description = Some("short\nwith a line".into());
    full.description = Some("{\"not\": json} \\N \u{1f6e0} \r\n end".into());
    full.status = ProductStatus::Disabled;
    full.price = Some(Money { minor: i64::MAX, currency: "JPY".parse().unwrap() });
    full.tax_category = TaxCategory::new("reduced").unwrap();
    full.categories = path(&["Tools", "Drills"]);
    full.images = vec!["https://example.org/a.jpg?x=1,2".into(), "/files/b.png".into()];
    full.attributes =
        BTreeMap::from([("Volt \"V\"".into(), "18".into()), ("Ä".into(), "{}".into())]);
    full.options = BTreeMap::from([("colour".into(), "red".into())]);
    full.unit = "kg".into();
    full.precision = 3;
    full.popularity = -7;
    assert_eq!(shop.put(vec![full.clone()]).await, [1, 0, 0]);

    let got = shop.document("FULL-1").await;
    assert_eq!(got.name, full.name);
    assert_eq!(got.slug, "drill-pro-18v-2-weiss");
    assert_eq!(got.brand, full.brand);
    assert_eq!(got.short_description, full.short_description);
    assert_eq!(got.description, full.description);
    assert_eq!(got.status, full.status);
    assert_eq!(got.price, full.price);
    assert_eq!(got.tax_category, full.tax_category);
    assert_eq!(got.images, full.images);
    assert_eq!(got.attributes, full.attributes);
    assert_eq!(got.options, full.options);
    assert_eq!((got.unit.as_str(), got.precision, got.popularity), ("kg", 3, -7));
    assert_eq!(got.stock, StockBand::Untracked);
    assert_eq!(got.created_at, got.updated_at);
    assert_eq!((got.parent, got.variants), (None, Vec::new()));

    let mut later = full;
    later.name = "Another name".into();
    assert_eq!(shop.put(vec![later]).await, [0, 1, 0]);
    let after = shop.document("FULL-1").await;
    assert_eq!((after.id, after.created_at), (got.id, got.created_at));
    assert!(after.updated_at > got.updated_at);
    assert_eq!(after.slug, got.slug, "an address once given stays");
}

async fn a_product_without_a_price_has_none(mut shop: Shop) {
    let mut product = draft("A", "on request");
    product.price = None;
    shop.put(vec![product.clone()]).await;
    assert_eq!(shop.document("A").await.price, None);
    product.price = Some(Money { minor: 0, currency: Currency::EUR });
    shop.put(vec![product]).await;
    assert_eq!(
        shop.document("A").await.price,
        Some(Money { minor: 0, currency: Currency::EUR }),
        "nothing to pay is a price"
    );
}

async fn stock_bands_sum_warehouses(mut shop: Shop) {
    let mut product = draft("A", "counted");
    product.stock = Some(vec![stock("north", 3), stock("south", 3)]);
    shop.put(vec![product.clone()]).await;
    assert_eq!(shop.document("A").await.stock, StockBand::InStock);

    // Only the warehouse that is named changes.
    product.stock = Some(vec![stock("north", 0)]);
    shop.put(vec![product.clone()]).await;
    assert_eq!(shop.document("A").await.stock, StockBand::FewLeft);

    product.stock = Some(vec![stock("south", 9), stock("south", 0)]);
    shop.put(vec![product.clone()]).await;
    assert_eq!(shop.document("A").await.stock, StockBand::SoldOut, "the later of two counts");

    product.stock = None;
    product.name = "counted, renamed".into();
    shop.put(vec![product]).await;
    assert_eq!(shop.document("A").await.stock, StockBand::SoldOut, "none leaves it");
}

async fn untracked_stays_untracked_until_somebody_counts(mut shop: Shop) {
    let mut product = draft("A", "made to order");
    shop.put(vec![product.clone()]).await;
    assert_eq!(shop.document("A").await.stock, StockBand::Untracked);
    product.stock = Some(Vec::new());
    shop.put(vec![product.clone()]).await;
    assert_eq!(shop.document("A").await.stock, StockBand::Untracked);
    product.stock = Some(vec![stock("main", 6)]);
    shop.put(vec![product]).await;
    assert_eq!(shop.document("A").await.stock, StockBand::InStock);
}

async fn a_parent_that_nobody_counts_is_as_well_stocked_as_its_best_variant(mut shop: Shop) {
    let variant = |code: &str, quantity: i64| {
        let mut variant = draft(code, "Shirt");
        variant.variant_of = Some(sku("S"));
        variant.stock = Some(vec![stock("main", quantity)]);
        variant
    };
    shop.put(vec![draft("S", "Shirt"), variant("S-RED", 0), variant("S-BLUE", 3)]).await;
    assert_eq!(shop.document("S").await.stock, StockBand::FewLeft);
    shop.put(vec![variant("S-BLUE", 0)]).await;
    assert_eq!(shop.document("S").await.stock, StockBand::SoldOut);
    let mut counted = draft("S", "Shirt");
    counted.stock = Some(vec![stock("main", 50)]);
    shop.put(vec![counted]).await;
    assert_eq!(shop.document("S").await.stock, StockBand::InStock, "its own count decides");
}

async fn parents_show_variants_and_variants_their_parent(mut shop: Shop) {
    let option = |colour: &str| BTreeMap::from([("colour".to_owned(), colour.to_owned())]);
    let variant = |code: &str, colour: &str, of: &str| {
        let mut variant = draft(code, "Shirt");
        variant.variant_of = Some(sku(of));
        variant.options = option(colour);
        variant
    };
    // The first variant comes before its parent, the second after it, the third much later.
    shop.put(vec![variant("S-RED", "red", "S")]).await;
    assert_eq!(shop.document("S-RED").await.parent, None, "not there yet");
    let mut parent = draft("S", "Shirt");
    parent.stock = Some(vec![stock("main", 2)]);
    shop.put(vec![parent, variant("S-BLUE", "blue", "S")]).await;
    shop.put(vec![variant("S-GREEN", "green", "S")]).await;

    let parent = shop.document("S").await;
    let colours: Vec<_> = parent.variants.iter().map(|v| v.options["colour"].as_str()).collect();
    assert_eq!(colours, ["blue", "green", "red"]);
    assert_eq!(parent.parent, None);
    for code in ["S-RED", "S-BLUE", "S-GREEN"] {
        let variant = shop.document(code).await;
        let shown = variant.parent.expect("a parent");
        assert_eq!((shown.sku.as_str(), shown.slug.as_str()), ("S", parent.slug.as_str()));
        assert_eq!(shown.stock, StockBand::FewLeft);
        assert!(variant.variants.is_empty());
    }

    // One moves to another parent, and another becomes a product of its own.
    shop.put(vec![draft("T", "Other"), variant("S-RED", "red", "T")]).await;
    let mut free = variant("S-BLUE", "blue", "S");
    free.variant_of = None;
    shop.put(vec![free]).await;
    let left: Vec<_> = shop.document("S").await.variants.into_iter().map(|v| v.sku).collect();
    assert_eq!(left, [sku("S-GREEN")]);
    assert_eq!(shop.document("T").await.variants.len(), 1);
    assert_eq!(shop.document("S-BLUE").await.parent, None);

    // A variant may have variants: each shows the next.
    shop.put(vec![variant("S-GREEN-XL", "green", "S-GREEN")]).await;
    let middle = shop.document("S-GREEN").await;
    assert_eq!(middle.parent.map(|p| p.sku), Some(sku("S")));
    assert_eq!(middle.variants.len(), 1);
    assert_eq!(shop.document("S").await.variants.len(), 1, "children, not theirs");
}

async fn asking_for_one_gives_those_that_show_it_too(mut shop: Shop) {
    let mut child = draft("C", "child");
    child.variant_of = Some(sku("P"));
    shop.put(vec![draft("P", "parent"), child, draft("X", "stranger")]).await;
    for code in ["P", "C"] {
        let id = shop.document(code).await.id;
        let mut skus: Vec<_> = shop
            .store
            .documents(&shop.scope, &[id, id])
            .await
            .unwrap()
            .into_iter()
            .map(|d| d.sku.to_string())
            .collect();
        skus.sort();
        assert_eq!(skus, ["C", "P"], "asked for {code}");
    }
}

async fn a_variant_of_itself_is_no_variant(mut shop: Shop) {
    let mut product = draft("A", "loop");
    product.variant_of = Some(sku("A"));
    assert_eq!(shop.put(vec![product.clone()]).await, [1, 0, 0]);
    assert_eq!(shop.put(vec![product]).await, [0, 0, 1]);
    let document = shop.document("A").await;
    assert_eq!((document.parent, document.variants), (None, Vec::new()));
}

async fn categories_have_their_way_from_the_root(mut shop: Shop) {
    let mut a = draft("A", "a");
    a.categories = path(&["Home", "Garden", "Tools"]);
    let mut b = draft("B", "b");
    b.categories = path(&["Work", "Tools"]);
    let mut c = draft("C", "c");
    c.categories = path(&["!!!"]);
    shop.put(vec![a, b, c, draft("D", "d")]).await;

    let slugs = |document: stoa::domain::document::ProductDocument| -> Vec<String> {
        document.categories.into_iter().map(|c| c.slug).collect()
    };
    assert_eq!(slugs(shop.document("A").await), ["home", "garden", "tools"]);
    assert_eq!(slugs(shop.document("B").await), ["work", "work-tools"]);
    assert_eq!(slugs(shop.document("C").await), ["category"]);
    assert!(slugs(shop.document("D").await).is_empty());

    let tree = shop.store.categories(&shop.scope).await.unwrap();
    assert_eq!(tree.all().len(), 6);
    let work_tools = tree.by_slug("work-tools").unwrap();
    let path: Vec<_> = tree.path(work_tools.id).into_iter().map(|c| c.name).collect();
    assert_eq!(path, ["Work", "Tools"]);
    assert_eq!(tree.path(work_tools.id), shop.document("B").await.categories);
}

async fn ids_are_walked_in_pages(mut shop: Shop) {
    let products = (0..7).map(|n| draft(&format!("P{n}"), "product")).collect();
    shop.put(products).await;
    assert_eq!(shop.store.product_count().await.unwrap(), 7);
    let (mut walked, mut after) = (Vec::<ProductId>::new(), None);
    loop {
        let page = shop.store.product_ids(&shop.scope, after, 3).await.unwrap();
        assert!(page.len() <= 3);
        walked.extend(&page);
        after = page.last().copied();
        if after.is_none() {
            break;
        }
    }
    assert_eq!(walked.len(), 7);
    assert!(walked.is_sorted());
}

async fn another_scope_sees_nothing(mut shop: Shop) {
    let mut product = draft("A", "a");
    product.categories = path(&["Home"]);
    shop.put(vec![product.clone()]).await;
    let id = shop.document("A").await.id;
    let english = shop.scope.clone();
    for scope in [
        Scope { site: Site("other".into()), ..english.clone() },
        Scope { locale: Locale("de".into()), ..english.clone() },
    ] {
        assert!(shop.store.documents(&scope, &[id]).await.unwrap().is_empty());
        assert!(shop.store.categories(&scope).await.unwrap().all().is_empty());
    }
    // The same SKU on another site is another product, and may have the same address.
    shop.scope = Scope { site: Site("other".into()), ..english };
    assert_eq!(shop.put(vec![product]).await, [1, 0, 0]);
    let other = shop.document("A").await;
    assert_ne!(other.id, id);
    assert_eq!(other.slug, "a");
}

async fn more_than_a_round_of_ids_is_read_whole(mut shop: Shop) {
    let mut products: Vec<_> = (0..1_500).map(|n| draft(&format!("P{n}"), "same name")).collect();
    // Parent in the first round, child in the second: the child comes with both.
    products[1_400].variant_of = Some(sku("P3"));
    assert_eq!(shop.put(products).await, [1_500, 0, 0]);
    let documents = shop.documents().await;
    assert_eq!(documents.len(), 1_500);
    assert_eq!(documents["P3"].variants.len(), 1);
}

async fn unknown_ids_are_absent(mut shop: Shop) {
    shop.put(vec![draft("A", "a")]).await;
    let nobody = ProductId(shop.source.next());
    assert!(shop.store.documents(&shop.scope, &[nobody]).await.unwrap().is_empty());
    assert!(shop.store.documents(&shop.scope, &[]).await.unwrap().is_empty());
}

async fn drafts_are_what_was_put_in_with_all_its_stock(mut shop: Shop) {
    let mut full = draft("A", "counted");
    full.status = ProductStatus::Disabled;
    full.brand = Some("Acme".into());
    full.categories = path(&["Home", "Garden"]);
    full.images = vec!["https://pictures.example/1.png".into(), "/files/2.png".into()];
    full.attributes = BTreeMap::from([("Power".to_owned(), "18 V".to_owned())]);
    full.stock = Some(vec![stock("north", 3), stock("south", 0)]);
    let mut child = draft("B", "a variant whose parent is not there yet");
    child.variant_of = Some(sku("LATE"));
    child.options = BTreeMap::from([("colour".to_owned(), "red".to_owned())]);
    child.price = None;
    let untracked = draft("C", "nobody counts it");
    let all = vec![full, child, untracked];
    shop.put(all.clone()).await;
    let mut seen = shop.store.drafts(&shop.scope, None, 10).await.unwrap();
    let slugs: Vec<_> = seen.iter_mut().map(|draft| draft.slug.take().unwrap()).collect();
    assert_eq!(slugs, ["counted", "a-variant-whose-parent-is-not-there-yet", "nobody-counts-it"]);
    assert_eq!(seen, all);

    // A warehouse that the last import left out too.
    let mut again = all[0].clone();
    again.stock = Some(vec![stock("south", 7)]);
    shop.put(vec![again]).await;
    let seen = shop.store.drafts(&shop.scope, None, 1).await.unwrap();
    assert_eq!(seen[0].stock, Some(vec![stock("north", 3), stock("south", 7)]));
    // In a shop of its own the draft of a draft is the same again.
    assert_eq!(shop.put(all).await, [0, 1, 2]);
}

async fn drafts_are_walked_by_sku(mut shop: Shop) {
    let products = ["b", "B", "a-2", "a", "10", "2", "A_1"].map(|code| draft(code, "product"));
    shop.put(products.to_vec()).await;
    let (mut walked, mut after) = (Vec::new(), None);
    loop {
        let page = shop.store.drafts(&shop.scope, after.as_ref(), 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.sku.clone());
        walked.extend(page.into_iter().map(|one| one.sku.to_string()));
    }
    let mut sorted = walked.clone();
    sorted.sort();
    assert_eq!((walked.len(), &walked), (7, &sorted), "by bytes on both databases");
    let elsewhere = Scope { site: Site("other".into()), ..shop.scope.clone() };
    assert!(shop.store.drafts(&elsewhere, None, 10).await.unwrap().is_empty());
}
