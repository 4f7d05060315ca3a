//! What staff asks of orders and of stock.

use crate::{
    orders::order,
    shop::{Shop, draft, on_both_databases, stock},
};
use std::time::Duration;
use stoa::{
    domain::{
        id::CustomerId,
        order::{Action, OrderStatus},
        payment::PaymentState,
        product::ProductStatus,
    },
    ports::{
        clock::Ids,
        orders::{OrderFilter, Orders},
        stock::Stock,
    },
};

on_both_databases![
    orders_are_found_by_all_that_is_known_of_them_at_once,
    what_runs_low_is_told_with_the_scarcest_first,
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
