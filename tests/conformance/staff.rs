//! What staff asks of orders and of stock.

use crate::{
    orders::order,
    shop::{Shop, draft, on_both_databases, sku, stock},
};
use std::time::Duration;
use stoa::{
    domain::{
        account::{CustomerKind, Email, Post},
        id::{CustomerId, UserId},
        order::{Action, OrderStatus},
        payment::PaymentState,
        policy::BuyerRole,
        product::{ProductDraft, ProductStatus},
        time::Micros,
    },
    ports::{
        accounts::{AccountWrite, Accounts, NewAccount, NewCustomer},
        audit::Audit,
        catalog::Drafts,
        clock::{Clock, Ids},
        orders::{OrderFilter, Orders},
        outbox::Outbox,
        products::{ProductFilter, ProductWrite, ProductWritten, StoredDraft},
        stock::Stock,
        writer::{Write, Written},
    },
};

on_both_databases![
    orders_are_found_by_all_that_is_known_of_them_at_once,
    what_runs_low_is_told_with_the_scarcest_first,
    a_product_is_changed_for_the_version_that_was_seen,
    two_changes_of_one_commit_are_made_one_after_the_other,
    products_are_found_by_parts_of_their_names,
    customers_are_found_by_parts_of_what_is_known_of_them,
];

async fn orders_are_found_by_all_that_is_known_of_them_at_once(mut shop: Shop) {
    shop.stocked(&[("A", 99)]).await;
    let customer = CustomerId(shop.source.next());
    let mut placings = Vec::new();
    for n in 0..6 {
        let mut placing = shop.placing(&[("A", 1)]).await;
        match n % 2 {
            0 => placing.order.customer = Some(customer),
            _ => placing.order.email = "grace@example.com".into(),
        }
        placing.order.placed_at = placing.order.placed_at.plus(Duration::from_secs(n));
        placings.push(placing);
    }
    let orders: Vec<_> = shop.place_all(placings).await.into_iter().map(order).collect();
    shop.act(orders[0].id, Action::Confirm).await;
    let found = async |filter| {
        let list = shop.store.list(filter, None, 9).await.unwrap();
        assert!(list.iter().all(|order| order.lines.len() == 1));
        list.iter().map(|order| order.number.0 - 1_000).collect::<Vec<_>>()
    };
    let all = OrderFilter::default();
    let email = Some("grace@example.com".to_owned());
    assert_eq!(found(OrderFilter { email: email.clone(), ..all.clone() }).await, [6, 4, 2]);
    let payment = Some(PaymentState::Pending);
    let confirmed = OrderFilter { status: Some(OrderStatus::Confirmed), payment, ..all.clone() };
    assert_eq!(found(confirmed).await, [1]);
    let theirs = OrderFilter { customer: Some(customer), payment, ..all.clone() };
    assert_eq!(found(theirs.clone()).await, [5, 3, 1]);
    let paid = OrderFilter { payment: Some(PaymentState::Captured), ..all.clone() };
    assert!(found(paid).await.is_empty());
    let (from, until) = (Some(orders[1].placed_at), Some(orders[4].placed_at));
    let between = OrderFilter { from, until, ..all };
    assert_eq!(found(between.clone()).await, [4, 3, 2], "from then on, and before then");
    assert_eq!(found(OrderFilter { email: email.clone(), ..between }).await, [4, 2]);
    assert!(found(OrderFilter { email, ..theirs }).await.is_empty());

    let mut open = shop.store.open().await.unwrap();
    open.sort_unstable();
    assert_eq!(open, [(OrderStatus::Pending, 5), (OrderStatus::Confirmed, 1)]);
    shop.act(orders[0].id, Action::Ship).await;
    assert_eq!(shop.store.open().await.unwrap(), [(OrderStatus::Pending, 5)]);
}

async fn what_runs_low_is_told_with_the_scarcest_first(mut shop: Shop) {
    shop.stocked(&[("MANY", 6), ("SOME", 4), ("NONE", 0)]).await;
    let mut split = draft("SPLIT", "split");
    split.stock = Some(vec![stock("main", 2), stock("north", 3)]);
    let mut off = draft("OFF", "off");
    (off.status, off.stock) = (ProductStatus::Disabled, Some(vec![stock("main", 0)]));
    shop.put(vec![split, off, draft("FREE", "nobody counts it")]).await;
    let low = async |shop: &Shop, limit| {
        let low = shop.store.low(&shop.scope, 5, limit).await.unwrap();
        low.into_iter().map(|one| (String::from(one.sku), one.available)).collect::<Vec<_>>()
    };
    let expected = [("NONE", 0), ("SOME", 4), ("SPLIT", 5)].map(|(s, n)| (s.to_owned(), n));
    assert_eq!(low(&shop, 9).await, expected);
    assert_eq!(low(&shop, 1).await, expected[..1]);
    shop.place(&[("MANY", 5)]).await;
    assert_eq!(low(&shop, 2).await[1], ("MANY".to_owned(), 1), "what is promised is not left");
}

/// What becomes of a product that somebody wants so.
async fn wish(
    shop: &mut Shop,
    before: Option<StoredDraft>,
    change: impl FnOnce(&mut ProductDraft),
) -> Written {
    let write = wanted(shop, before, change);
    shop.commit(Write::Product(Box::new(write))).await.unwrap()
}

fn wanted(
    shop: &Shop,
    before: Option<StoredDraft>,
    change: impl FnOnce(&mut ProductDraft),
) -> ProductWrite {
    let mut product = before.as_ref().map_or_else(|| draft("N", "n"), |one| one.draft.clone());
    change(&mut product);
    let (by, at) = ("user:1".into(), shop.source.now());
    ProductWrite { scope: shop.scope.clone(), draft: product, before, by, at }
}

async fn stored(shop: &Shop, code: &str) -> StoredDraft {
    shop.store.draft(&shop.scope, &sku(code)).await.unwrap().unwrap()
}

async fn a_product_is_changed_for_the_version_that_was_seen(mut shop: Shop) {
    let mut with_stock = draft("A", "a drill");
    with_stock.stock = Some(vec![stock("main", 7)]);
    with_stock.categories = vec!["Tools".into(), "Drills".into()];
    shop.put(vec![with_stock.clone()]).await;
    let before = stored(&shop, "A").await;
    assert_eq!(before.draft.categories, with_stock.categories);
    assert_eq!((&before.draft.stock, before.draft.slug.as_deref()), (&None, Some("a-drill")));

    let seen = before.clone();
    let Written::Product(ProductWritten::Put(version)) =
        wish(&mut shop, Some(seen.clone()), |draft| draft.name = "a big drill".into()).await
    else {
        panic!("it is that version")
    };
    let after = stored(&shop, "A").await;
    assert!(version > before.version);
    assert_eq!((after.version, after.draft.name.as_str()), (version, "a big drill"));
    assert_eq!(after.draft.slug, before.draft.slug, "its address stays");
    assert_eq!(shop.level("A").await, (7, 0), "its stock stays");
    let late = wish(&mut shop, Some(seen), |draft| draft.name = "late".into()).await;
    assert_eq!(late, Written::Product(ProductWritten::Stale(version)));
    assert_eq!(stored(&shop, "A").await, after);
    // An import is such a change too.
    shop.put(vec![draft("A", "a drill again")]).await;
    let Written::Product(ProductWritten::Stale(_)) =
        wish(&mut shop, Some(after.clone()), |draft| draft.name = "late".into()).await
    else {
        panic!("the import was quicker")
    };

    assert!(matches!(
        wish(&mut shop, None, |_| {}).await,
        Written::Product(ProductWritten::Put(_))
    ));
    let again = wish(&mut shop, None, |_| {}).await;
    assert_eq!(again, Written::Product(ProductWritten::Taken));
    let gone = StoredDraft { draft: draft("GONE", "gone"), ..after };
    assert_eq!(wish(&mut shop, Some(gone), |_| {}).await, Written::Absent);

    shop.store.number().await.unwrap();
    let log = shop.store.entries_after(0, 9).await.unwrap();
    let told: Vec<_> = log.iter().map(|e| (e.action.as_str(), e.subject.as_str())).collect();
    assert_eq!(told, [("product.change", "product:A"), ("product.make", "product:N")]);
    assert!(log[0].old.as_deref().unwrap().contains("\"a drill\""), "{log:?}");
    assert!(log[0].new.as_deref().unwrap().contains("\"a big drill\""), "{log:?}");
}

async fn two_changes_of_one_commit_are_made_one_after_the_other(mut shop: Shop) {
    shop.put(vec![draft("A", "a")]).await;
    let before = stored(&shop, "A").await;
    let first = wanted(&shop, Some(before.clone()), |draft| draft.name = "first".into());
    // At the very time of the version before: it is behind it all the same.
    let first = ProductWrite { at: Micros(before.version), ..first };
    let second = wanted(&shop, Some(before.clone()), |draft| draft.name = "second".into());
    let writes = vec![Write::Product(Box::new(first)), Write::Product(Box::new(second))];
    let done: Vec<_> = shop.writer.commit(writes).await.into_iter().map(Result::unwrap).collect();
    let version = before.version + 1;
    assert_eq!(done[0], Written::Product(ProductWritten::Put(version)));
    assert_eq!(done[1], Written::Product(ProductWritten::Stale(version)));
    assert_eq!(stored(&shop, "A").await.draft.name, "first");
}

async fn products_are_found_by_parts_of_their_names(mut shop: Shop) {
    let mut all: Vec<_> = ["A-1", "A-2", "B_1", "C%1"].map(|code| draft(code, code)).into();
    all[0].name = "Cordless Drill".into();
    all[1].brand = Some("DRILLCO".into());
    all[2].status = ProductStatus::Disabled;
    all[3].stock = Some(vec![stock("main", 4), stock("north", 1)]);
    shop.put(all).await;
    let found = async |text: &str, status, after: Option<&str>, limit| {
        let filter = ProductFilter { text: text.into(), status };
        let after = after.map(sku);
        let rows = shop.store.find(&shop.scope, &filter, after.as_ref(), limit).await.unwrap();
        rows.into_iter().map(|row| String::from(row.sku)).collect::<Vec<_>>()
    };
    assert_eq!(found("", None, None, 9).await, ["A-1", "A-2", "B_1", "C%1"]);
    assert_eq!(found("", None, Some("A-1"), 2).await, ["A-2", "B_1"]);
    assert_eq!(found("drill", None, None, 9).await, ["A-1", "A-2"]);
    assert_eq!(found("a-", None, None, 9).await, ["A-1", "A-2"]);
    let disabled = Some(ProductStatus::Disabled);
    assert_eq!(found("", disabled, None, 9).await, ["B_1"]);
    assert!(found("drill", disabled, None, 9).await.is_empty());
    // What stands for anything elsewhere stands for itself.
    assert_eq!(found("_", None, None, 9).await, ["B_1"]);
    assert_eq!(found("%", None, None, 9).await, ["C%1"]);
    assert!(found("!", None, None, 9).await.is_empty());
    let row = shop.store.find(&shop.scope, &ProductFilter::default(), Some(&sku("B_1")), 1).await;
    assert_eq!(row.unwrap()[0].available, Some(5));
}

async fn customers_are_found_by_parts_of_what_is_known_of_them(mut shop: Shop) {
    for (n, (name, email, tax)) in [
        ("Ada Lovelace", "ada@example.com", None),
        ("Engines Ltd", "babbage@engines.example", Some("GB 1_2")),
        ("Looms & Sons", "joseph@looms.example", None),
    ]
    .into_iter()
    .enumerate()
    {
        let customer = CustomerId(shop.source.next());
        let post = Post::Buyer { customer, role: BuyerRole::Admin };
        let register = AccountWrite::Register {
            customer: NewCustomer {
                id: customer,
                kind: if n == 0 { CustomerKind::Person } else { CustomerKind::Company },
                name: name.into(),
                tax_number: tax.map(str::to_owned),
            },
            account: NewAccount {
                id: UserId(shop.source.next()),
                post,
                email: Email::new(email).unwrap(),
                name: "Somebody".into(),
                password: None,
            },
            mail: None,
            at: shop.source.now(),
        };
        assert_eq!(shop.commit(Write::Accounts(register)).await.unwrap(), Written::Done);
    }
    let found = async |text: &str, before, limit| {
        let found = shop.store.find_customers(text, before, limit).await.unwrap();
        found.into_iter().map(|(customer, email)| (customer.id, email.unwrap())).collect::<Vec<_>>()
    };
    let names = async |text: &str| {
        found(text, None, 9).await.into_iter().map(|(_, email)| email).collect::<Vec<_>>()
    };
    let (ada, engines, looms) =
        ("ada@example.com", "babbage@engines.example", "joseph@looms.example");
    assert_eq!(names("").await, [looms, engines, ada]);
    assert_eq!(names("ENGINES").await, [engines]);
    assert_eq!(names("joseph@").await, [looms]);
    assert_eq!(names("1_2").await, [engines]);
    assert!(names("%").await.is_empty());
    let newest = found("", None, 1).await;
    assert_eq!(newest.len(), 1);
    let older = found("", Some(newest[0].0), 9).await;
    assert_eq!(older.iter().map(|(_, email)| email.as_str()).collect::<Vec<_>>(), [engines, ada]);
}
