//! `ports::rules`: what staff set is there whole, told to the log and the audit log, and read by
//! everybody.

use crate::shop::{Shop, on_both_databases};
use std::collections::BTreeSet;
use stoa::{
    adapters::sql::Location,
    domain::{
        address::Postcode,
        coupon::{Coupon, CouponCode, CouponUses, Reduction},
        event::EventKind,
        id::{
            CouponId, CustomerGroupId, CustomerId, PriceListId, ProductId, ShippingMethodId,
            TaxRuleId,
        },
        money::{Currency, Money},
        ppm::Ppm,
        price::{Audience, PriceEdit, PriceEntry, PriceKey, PriceList},
        quantity::Quantity,
        rule::{AssignedList, Rule, RuleKind, StoredRule},
        schedule::Schedule,
        scope::Site,
        shipping::{Band, Destinations, ShippingMethod, ShippingRate, ShippingTax},
        tax::{TaxArea, TaxCategory, TaxMode, TaxRule},
        time::Micros,
    },
    ports::{
        audit::Audit,
        clock::Clock,
        rules::{RuleAct, RuleWrite, RuleWritten, Rules},
        writer::{Write, Written},
    },
};
use uuid::Uuid;

on_both_databases![
    a_rule_of_each_kind_is_read_back_to_the_last_field,
    a_rule_is_changed_only_by_who_knows_it,
    what_must_be_one_of_its_kind_is_refused_twice,
    of_two_nodes_that_make_the_same_one_of_them_does,
    prices_are_put_and_dropped_and_read_by_product_and_by_list,
    of_two_who_change_the_price_they_saw_one_does,
    a_dropped_lists_prices_are_swept_in_slices_and_nobody_elses,
    a_list_with_prices_keeps_its_currency,
    each_change_is_told_once_and_stands_in_the_audit_log,
    customers_in_a_group_are_found,
    a_coupon_that_nobody_used_has_no_uses,
];

fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

fn germany() -> stoa::domain::country::Country {
    "DE".parse().unwrap()
}

fn list(n: u128) -> Rule {
    let list = PriceList {
        id: PriceListId(id(n)),
        name: format!("Händler {n}"),
        currency: Currency::EUR,
        active: true,
        priority: -7,
        tax: TaxMode::Inclusive,
        schedule: Schedule::new(Some(Micros(5)), None).unwrap(),
    };
    let audiences = BTreeSet::from([
        Audience::Customer { customer: CustomerId(id(1)) },
        Audience::Group { group: CustomerGroupId(id(2)) },
        Audience::Site { site: Site("main".into()) },
    ]);
    Rule::PriceList(AssignedList { list, audiences })
}

fn tax(n: u128, region: Option<&str>) -> Rule {
    let area = TaxArea {
        region: region.map(Into::into),
        postcode_prefix: Some(Postcode::new("80").unwrap()),
        ..TaxArea::all_of(germany())
    };
    Rule::Tax(TaxRule {
        id: TaxRuleId(id(n)),
        name: "VAT \"Ü\"".into(),
        category: TaxCategory::new("books").unwrap(),
        area,
        rate: Ppm::parse_percent("7.125").unwrap(),
    })
}

fn method(n: u128) -> Rule {
    Rule::Shipping(ShippingMethod {
        id: ShippingMethodId(id(n)),
        name: "Parcel".into(),
        position: 3,
        destinations: Destinations::Countries { countries: [germany()].into() },
        currency: Currency::EUR,
        rate: ShippingRate::ByUnits {
            bands: vec![Band { from: 0, amount: Some(490) }, Band { from: 50, amount: None }],
        },
        free_from: Some(i64::MAX),
        tax: Some(ShippingTax { category: TaxCategory::default(), mode: TaxMode::Exclusive }),
    })
}

pub(crate) fn coupon(n: u128, code: &str) -> Coupon {
    Coupon {
        id: CouponId(id(n)),
        code: CouponCode::new(code).unwrap(),
        takes_off: Reduction::Fixed { amount: Money { minor: 500, currency: Currency::EUR } },
        minimum: Some(Money { minor: 2_000, currency: Currency::EUR }),
        schedule: Schedule::ALWAYS,
        most_uses: Some(100),
        most_uses_per_customer: Some(1),
    }
}

pub(crate) async fn act(shop: &mut Shop, act: RuleAct) -> RuleWritten {
    let write = RuleWrite { act, by: "user:ann".into(), at: shop.source.now() };
    match shop.commit(Write::Rules(write)).await.unwrap() {
        Written::Rule(written) => written,
        other => panic!("{other:?}"),
    }
}

async fn put(shop: &mut Shop, rule: Rule, if_version: Option<i64>) -> RuleWritten {
    act(shop, RuleAct::Put { rule: Box::new(rule), if_version }).await
}

pub(crate) async fn set(shop: &mut Shop, rule: Rule) -> StoredRule {
    match put(shop, rule, None).await {
        RuleWritten::Put(stored) => *stored,
        other => panic!("{other:?}"),
    }
}

fn entry(list: u128, product: u128, from: i64, amount: i64) -> PriceEntry {
    PriceEntry {
        list: PriceListId(id(list)),
        product: ProductId(id(product)),
        unit: "each".into(),
        min_quantity: Quantity::of_steps(from).unwrap(),
        amount,
    }
}

async fn price(
    shop: &mut Shop,
    list: u128,
    put: &[PriceEntry],
    drop: &[&PriceEntry],
) -> RuleWritten {
    let drop = drop.iter().map(|entry| PriceKey::from(*entry)).collect();
    let edit = PriceEdit { put: put.to_vec(), drop, ..PriceEdit::default() };
    act(shop, RuleAct::Prices { list: PriceListId(id(list)), edit }).await
}

async fn a_rule_of_each_kind_is_read_back_to_the_last_field(mut shop: Shop) {
    let rules = [list(10), tax(11, Some("Bavaria")), method(12), Rule::Coupon(coupon(13, "TEN"))];
    let mut all = Vec::new();
    for rule in rules {
        let stored = set(&mut shop, rule.clone()).await;
        assert_eq!((&stored.rule, stored.version), (&rule, 1));
        let read = shop.store.rule(rule.kind(), rule.id()).await.unwrap();
        assert_eq!(read.as_ref(), Some(&stored));
        let listed = shop.store.of_kind(rule.kind(), None, 9).await.unwrap();
        assert_eq!(listed, std::slice::from_ref(&stored));
        all.push(stored);
    }
    let mut read = shop.store.all().await.unwrap();
    read.sort_by_key(|stored| stored.rule.id());
    assert_eq!(read, all);
    assert_eq!(shop.store.rule(RuleKind::Tax, id(10)).await.unwrap(), None, "of another kind");
    let more = [20, 21, 22].map(method);
    for rule in more {
        set(&mut shop, rule).await;
    }
    let page = shop.store.of_kind(RuleKind::Shipping, Some(id(12)), 2).await.unwrap();
    assert_eq!(page.iter().map(|one| one.rule.id()).collect::<Vec<_>>(), [id(20), id(21)]);
}

async fn a_rule_is_changed_only_by_who_knows_it(mut shop: Shop) {
    assert_eq!(put(&mut shop, tax(1, None), Some(4)).await, RuleWritten::Stale(0));
    let first = set(&mut shop, tax(1, None)).await;
    assert_eq!(put(&mut shop, tax(1, None), Some(0)).await, RuleWritten::Stale(1));
    let same = put(&mut shop, tax(1, None), Some(1)).await;
    assert_eq!(same, RuleWritten::Put(Box::new(first.clone())), "nothing changed");
    let RuleWritten::Put(second) = put(&mut shop, tax(1, Some("Bavaria")), Some(1)).await else {
        panic!("it is that version");
    };
    assert_eq!((second.version, second.created_at), (2, first.created_at));
    assert!(second.updated_at > first.updated_at);
    assert_eq!(put(&mut shop, tax(1, None), Some(1)).await, RuleWritten::Stale(2));
    let drop = |if_version| RuleAct::Drop { kind: RuleKind::Tax, id: id(1), if_version };
    assert_eq!(act(&mut shop, drop(Some(1))).await, RuleWritten::Stale(2));
    let other = RuleAct::Drop { kind: RuleKind::Coupon, id: id(1), if_version: None };
    assert_eq!(act(&mut shop, other).await, RuleWritten::Absent);
    assert_eq!(act(&mut shop, drop(Some(2))).await, RuleWritten::Dropped);
    assert_eq!(act(&mut shop, drop(None)).await, RuleWritten::Absent);
    assert!(shop.store.all().await.unwrap().is_empty());
}

async fn what_must_be_one_of_its_kind_is_refused_twice(mut shop: Shop) {
    set(&mut shop, Rule::Coupon(coupon(1, "spring"))).await;
    set(&mut shop, tax(2, Some("Bavaria"))).await;
    set(&mut shop, method(3)).await;
    let taken = [Rule::Coupon(coupon(4, "SPRING")), tax(5, Some(" BAVARIA")), list(1), method(2)];
    for rule in taken {
        assert_eq!(put(&mut shop, rule.clone(), None).await, RuleWritten::Taken, "{rule:?}");
    }
    // Methods may be called alike, and a code is free again once its coupon is called otherwise.
    set(&mut shop, method(6)).await;
    set(&mut shop, Rule::Coupon(coupon(1, "summer"))).await;
    set(&mut shop, Rule::Coupon(coupon(4, "spring"))).await;
}

async fn of_two_nodes_that_make_the_same_one_of_them_does(mut shop: Shop) {
    let mut other = shop.another_writer().await;
    for round in 0..5 {
        let code = format!("CODE-{round}");
        let write = |n: u128| {
            let rule = Box::new(Rule::Coupon(coupon(round * 10 + n, &code)));
            let act = RuleAct::Put { rule, if_version: Some(0) };
            vec![Write::Rules(RuleWrite { act, by: "user:ann".into(), at: Micros(1) })]
        };
        let (one, two) = tokio::join!(shop.writer.commit(write(1)), other.commit(write(2)));
        let answers = [&one[0], &two[0]].map(|answer| match answer {
            Ok(Written::Rule(RuleWritten::Put(_))) => 1,
            Ok(Written::Rule(RuleWritten::Taken)) => 0,
            other => panic!("{other:?}"),
        });
        assert_eq!(answers.iter().sum::<i32>(), 1);
    }
}

async fn prices_are_put_and_dropped_and_read_by_product_and_by_list(mut shop: Shop) {
    set(&mut shop, list(1)).await;
    set(&mut shop, list(2)).await;
    assert_eq!(price(&mut shop, 3, &[entry(3, 7, 1, 5)], &[]).await, RuleWritten::Absent);
    let first = [entry(1, 7, 1, 100), entry(1, 7, 10, 90), entry(1, 8, 1, 50)];
    assert_eq!(price(&mut shop, 1, &first, &[]).await, RuleWritten::Prices(3));
    assert_eq!(price(&mut shop, 1, &first, &[]).await, RuleWritten::Prices(0), "as they are");
    let second = [entry(2, 7, 1, 70)];
    assert_eq!(price(&mut shop, 2, &second, &[]).await, RuleWritten::Prices(1));
    let change = [entry(1, 7, 10, 85), entry(1, 9, 1, i64::MAX / 1_000_000)];
    assert_eq!(
        price(&mut shop, 1, &change, &[&first[2], &second[0]]).await,
        RuleWritten::Prices(4)
    );
    let of = async |products: &[u128]| {
        let products: Vec<_> = products.iter().map(|n| ProductId(id(*n))).collect();
        let mut found = shop.store.prices(&products).await.unwrap();
        found.sort_by_key(|entry| (entry.list, entry.product, entry.min_quantity));
        found
    };
    assert_eq!(of(&[7, 8]).await, [change[0].clone(), second[0].clone()]);
    assert_eq!(of(&[9]).await, [change[1].clone()]);
    let listed = shop.store.prices_of(PriceListId(id(1)), None, 9).await.unwrap();
    assert_eq!(listed, change);
    let behind = PriceKey::from(&listed[0]);
    let page = shop.store.prices_of(PriceListId(id(1)), Some(&behind), 9).await.unwrap();
    assert_eq!(page, listed[1..]);
}

async fn of_two_who_change_the_price_they_saw_one_does(mut shop: Shop) {
    set(&mut shop, list(1)).await;
    let mut other = shop.another_writer().await;
    let write = |edit| {
        let act = RuleAct::Prices { list: PriceListId(id(1)), edit };
        vec![Write::Rules(RuleWrite { act, by: "user:ann".into(), at: Micros(1) })]
    };
    // First nobody has seen one, then each what the winner of the round before made of it.
    let (one, its) = (PriceKey::from(&entry(1, 7, 1, 0)), PriceKey::from(&entry(1, 7, 10, 0)));
    let mut seen = None;
    for round in 1..=5 {
        let edit = |amount| {
            let put = vec![entry(1, 7, 1, amount), entry(1, 7, 10, amount - 1)];
            let seen = vec![(one.clone(), seen), (its.clone(), seen.map(|amount| amount - 1))];
            PriceEdit { put, drop: Vec::new(), seen }
        };
        let amounts = [round * 100, round * 100 + 50];
        let (ours, theirs) = (write(edit(amounts[0])), write(edit(amounts[1])));
        let (a, b) = tokio::join!(shop.writer.commit(ours), other.commit(theirs));
        let won = [&a[0], &b[0]].map(|answer| match answer {
            Ok(Written::Rule(RuleWritten::Prices(2))) => true,
            Ok(Written::Rule(RuleWritten::PricesMoved)) => false,
            other => panic!("{other:?}"),
        });
        assert_ne!(won[0], won[1], "round {round}");
        let amount = amounts[usize::from(won[1])];
        let is = shop.store.prices_of(PriceListId(id(1)), None, 9).await.unwrap();
        assert_eq!(is, [entry(1, 7, 1, amount), entry(1, 7, 10, amount - 1)]);
        seen = Some(amount);
    }
    // Both in one batch: the second sees what the first has made.
    let edit = |amount| PriceEdit {
        put: vec![entry(1, 7, 1, amount)],
        drop: vec![its.clone()],
        seen: vec![(one.clone(), seen)],
    };
    let batch = [write(edit(1)), write(edit(2))].concat();
    let answers = shop.writer.commit(batch).await;
    assert!(matches!(&answers[0], Ok(Written::Rule(RuleWritten::Prices(2)))), "{answers:?}");
    assert!(matches!(&answers[1], Ok(Written::Rule(RuleWritten::PricesMoved))), "{answers:?}");
    let is = shop.store.prices_of(PriceListId(id(1)), None, 9).await.unwrap();
    assert_eq!(is, [entry(1, 7, 1, 1)]);
    // What is refused is told to nobody.
    let told = shop.log().await;
    let told = told.iter().filter(|event| event.kind == Some(EventKind::ListPriceChanged));
    assert_eq!(told.count(), 6);
}

async fn a_dropped_lists_prices_are_swept_in_slices_and_nobody_elses(mut shop: Shop) {
    set(&mut shop, list(1)).await;
    set(&mut shop, list(2)).await;
    let entries = |list| (1..=25).map(|n| entry(list, n, 1, 5)).collect::<Vec<_>>();
    for list in [1, 2] {
        assert_eq!(price(&mut shop, list, &entries(list), &[]).await, RuleWritten::Prices(25));
    }
    let sweep = || RuleAct::SweepPrices { list: PriceListId(id(1)), most: 10 };
    assert_eq!(act(&mut shop, sweep()).await, RuleWritten::Swept(0), "the list is there");
    let drop = RuleAct::Drop { kind: RuleKind::PriceList, id: id(1), if_version: None };
    assert_eq!(act(&mut shop, drop).await, RuleWritten::Dropped);
    assert_eq!(put(&mut shop, list(1), None).await, RuleWritten::HasPrices, "not swept yet");
    for swept in [10, 10, 5, 0] {
        assert_eq!(act(&mut shop, sweep()).await, RuleWritten::Swept(swept));
    }
    let (mut after, mut left): (Option<PriceEntry>, Vec<PriceEntry>) = (None, Vec::new());
    loop {
        let page = shop.store.prices_after(after.as_ref(), 7).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.clone());
        left.extend(page);
    }
    assert_eq!(left, entries(2));
    set(&mut shop, list(1)).await;
}

async fn a_list_with_prices_keeps_its_currency(mut shop: Shop) {
    let Rule::PriceList(mut assigned) = list(1) else { panic!("a list") };
    set(&mut shop, list(1)).await;
    assert_eq!(price(&mut shop, 1, &[entry(1, 7, 1, 100)], &[]).await, RuleWritten::Prices(1));
    assigned.list.name = "another".into();
    set(&mut shop, Rule::PriceList(assigned.clone())).await;
    assigned.list.currency = Currency::USD;
    let in_dollars = Rule::PriceList(assigned);
    assert_eq!(put(&mut shop, in_dollars.clone(), None).await, RuleWritten::HasPrices);
    assert_eq!(price(&mut shop, 1, &[], &[&entry(1, 7, 1, 0)]).await, RuleWritten::Prices(1));
    set(&mut shop, in_dollars).await;
}

async fn each_change_is_told_once_and_stands_in_the_audit_log(mut shop: Shop) {
    set(&mut shop, list(1)).await;
    set(&mut shop, list(1)).await;
    price(&mut shop, 1, &[entry(1, 7, 1, 100), entry(1, 7, 5, 90), entry(1, 8, 1, 3)], &[]).await;
    price(&mut shop, 1, &[entry(1, 8, 1, 4)], &[]).await;
    let drop = RuleAct::Drop { kind: RuleKind::PriceList, id: id(1), if_version: None };
    act(&mut shop, drop).await;
    act(&mut shop, RuleAct::SweepPrices { list: PriceListId(id(1)), most: 10 }).await;
    let told: Vec<_> =
        shop.log().await.into_iter().map(|event| (event.kind.unwrap(), event.subject)).collect();
    let (rule, price) = (EventKind::RuleChanged, EventKind::ListPriceChanged);
    let wanted = [(rule, id(1)), (price, id(7)), (price, id(8)), (price, id(8)), (rule, id(1))];
    assert_eq!(told, wanted);
    let entries = shop.store.entries_after(0, 9).await.unwrap();
    let actions: Vec<_> = entries.iter().map(|entry| entry.action.as_str()).collect();
    let prices = "price_list.prices";
    assert_eq!(actions, ["price_list.put", prices, prices, "price_list.drop"]);
    let subject = format!("price_list:{}", id(1));
    assert!(entries.iter().all(|entry| entry.by == "user:ann" && entry.subject == subject));
    let (old, new) = (entries[2].old.as_deref().unwrap(), entries[2].new.as_deref().unwrap());
    assert!(old.contains("\"amount\":3") && new.contains("\"amount\":4"), "{old} {new}");
    assert!(entries[3].old.is_some() && entries[3].new.is_none());
}

async fn customers_in_a_group_are_found(mut shop: Shop) {
    let texts: [&'static str; 2] = match shop.location {
        Location::Sqlite(_) => [
            "INSERT INTO customer_group (id, code, name, created_at)
             VALUES (unhex('00000000000000000000000000000005'), 'trade', 'Trade', 0)",
            "INSERT INTO customer (id, kind, name, group_id, created_at, updated_at)
             SELECT unhex(printf('%032x', value)), 'person', 'Ann',
                 CASE value WHEN 2 THEN NULL ELSE unhex('00000000000000000000000000000005') END, 0, 0
             FROM json_each('[1, 2, 3, 4]')",
        ],
        Location::Postgres(_) => [
            "INSERT INTO customer_group (id, code, name, created_at)
             VALUES ('00000000000000000000000000000005', 'trade', 'Trade', 0)",
            "INSERT INTO customer (id, kind, name, group_id, created_at, updated_at)
             SELECT lpad(to_hex(n), 32, '0')::uuid, 'person', 'Ann',
                 CASE n WHEN 2 THEN NULL ELSE '00000000000000000000000000000005'::uuid END, 0, 0
             FROM generate_series(1, 4) n",
        ],
    };
    for text in texts {
        shop.execute(text).await;
    }
    let (customer, group) = (|n| CustomerId(id(n)), CustomerGroupId(id(5)));
    let first = shop.store.groups_after(None, 2).await.unwrap();
    assert_eq!(first, [(customer(1), group), (customer(3), group)]);
    let rest = shop.store.groups_after(Some(customer(3)), 9).await.unwrap();
    assert_eq!(rest, [(customer(4), group)]);
    let some = shop.store.groups_of(&[customer(2), customer(4), customer(9)]).await.unwrap();
    assert_eq!(some, [(customer(4), group)]);
    // Nobody of them is known to the rules' own writes.
    set(&mut shop, list(1)).await;
}

async fn a_coupon_that_nobody_used_has_no_uses(shop: Shop) {
    let user = stoa::domain::coupon::CouponUser::of(None, "ann@example.com");
    let uses = shop.store.coupon_uses(CouponId(id(1)), Some(user)).await.unwrap();
    assert_eq!(uses, CouponUses::default());
}
