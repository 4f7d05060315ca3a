//! Coupons used by orders: counted with the order or not at all, whoever else uses one.

use crate::{
    orders::order,
    rules,
    shop::{Shop, on_both_databases},
};
use stoa::{
    domain::{
        coupon::{Coupon, CouponRefusal, CouponUser, CouponUses, Reduction},
        id::CouponId,
        money::{Currency, Money},
        order::{Action, Order},
        placing::{Placed, Placing},
        rule::Rule,
    },
    ports::{
        clock::Clock,
        orders::{OrderMoved, OrderWrite},
        rules::Rules,
        writer::{Write, Written},
    },
};

on_both_databases![
    of_two_orders_in_one_batch_one_gets_the_last_use,
    of_two_nodes_one_gets_the_last_use,
    a_customer_uses_it_so_often_and_another_one_too,
    a_cancelled_orders_use_is_given_back_once,
    what_takes_off_something_else_by_now_is_not_ordered,
    an_order_that_fails_has_used_nothing,
];

const OFF: i64 = 500;

async fn coupon(shop: &mut Shop, most_uses: Option<u32>, each: Option<u32>) -> Coupon {
    let coupon = Coupon {
        takes_off: Reduction::Fixed { amount: Money { minor: OFF, currency: Currency::USD } },
        minimum: None,
        most_uses,
        most_uses_per_customer: each,
        ..rules::coupon(50, "welcome10")
    };
    rules::set(shop, Rule::Coupon(coupon.clone())).await;
    coupon
}

/// An order of one of A with the coupon, from an address of mail.
async fn wish(shop: &Shop, coupon: &Coupon, email: &str) -> Placing {
    let mut placing = shop.placing(&[("A", 1)]).await;
    let order = &mut placing.order;
    order.coupon = Some(coupon.code.clone());
    order.email = email.into();
    order.summary.discount = OFF;
    order.summary.total -= OFF;
    let total = &mut order.lines[0].total;
    (total.discount, total.net, total.gross) = (OFF, total.net - OFF, total.gross - OFF);
    placing
}

async fn wishes(shop: &Shop, coupon: &Coupon, emails: &[&str]) -> Vec<Placing> {
    let mut all = Vec::new();
    for email in emails {
        all.push(wish(shop, coupon, email).await);
    }
    all
}

/// What became of each: `None` for an order.
fn refusals(placed: &[Placed]) -> Vec<Option<CouponRefusal>> {
    let refusal = |one: &Placed| match one {
        Placed::Order(_) => None,
        Placed::Coupon(Some(why)) => Some(why.clone()),
        other => panic!("{other:?}"),
    };
    placed.iter().map(refusal).collect()
}

async fn uses(shop: &Shop, email: &str) -> CouponUses {
    let user = CouponUser::of(None, email);
    shop.store.coupon_uses(CouponId(uuid::Uuid::from_u128(50)), Some(user)).await.unwrap()
}

fn used(by_anyone: u32, by_this_customer: u32) -> CouponUses {
    CouponUses { by_anyone, by_this_customer }
}

async fn cancel(shop: &mut Shop, order: &Order) -> OrderMoved {
    let write = OrderWrite {
        order: order.id,
        action: Action::Cancel,
        by: "operator".into(),
        note: String::new(),
        at: shop.source.now(),
        if_version: None,
    };
    match shop.commit(Write::Order(write)).await.unwrap() {
        Written::Order(moved) => moved,
        other => panic!("{other:?}"),
    }
}

async fn of_two_orders_in_one_batch_one_gets_the_last_use(mut shop: Shop) {
    shop.stocked(&[("A", 9)]).await;
    let ten = coupon(&mut shop, Some(2), None).await;
    let first = wishes(&shop, &ten, &["a@x"]).await;
    assert_eq!(refusals(&shop.place_all(first).await), [None]);
    let rest = wishes(&shop, &ten, &["b@x", "c@x"]).await;
    assert_eq!(refusals(&shop.place_all(rest).await), [None, Some(CouponRefusal::UsedUp)]);
    assert_eq!((uses(&shop, "b@x").await, uses(&shop, "c@x").await), (used(2, 1), used(2, 0)));
    assert_eq!(shop.level("A").await, (9, 2), "the refused one holds nothing");
    shop.books_balance().await;
}

async fn of_two_nodes_one_gets_the_last_use(mut shop: Shop) {
    shop.stocked(&[("A", 50)]).await;
    let mut other = shop.another_writer().await;
    for round in 1..=5 {
        let ten = coupon(&mut shop, Some(round), None).await;
        let mut both = wishes(&shop, &ten, &["a@x", "b@x"]).await;
        let write = |placing| vec![Write::Place(Box::new(placing))];
        let (two, one) = (both.swap_remove(1), both.swap_remove(0));
        let (one, two) = tokio::join!(shop.writer.commit(write(one)), other.commit(write(two)));
        let placed = [&one[0], &two[0]].map(|answer| match answer {
            Ok(Written::Placed(placed)) => placed.clone(),
            other => panic!("{other:?}"),
        });
        let refused: Vec<_> = refusals(&placed).into_iter().flatten().collect();
        assert_eq!(refused, [CouponRefusal::UsedUp], "round {round}");
    }
    assert_eq!(uses(&shop, "nobody@x").await, used(5, 0));
    shop.books_balance().await;
}

async fn a_customer_uses_it_so_often_and_another_one_too(mut shop: Shop) {
    shop.stocked(&[("A", 9)]).await;
    let ten = coupon(&mut shop, None, Some(1)).await;
    let all = wishes(&shop, &ten, &["ann@x", " ANN@X", "bob@x"]).await;
    let again = Some(CouponRefusal::UsedUpByCustomer);
    assert_eq!(refusals(&shop.place_all(all).await), [None, again.clone(), None]);
    let later = wishes(&shop, &ten, &["bob@x"]).await;
    assert_eq!(refusals(&shop.place_all(later).await), [again]);
    assert_eq!(uses(&shop, "Ann@x").await, used(2, 1));
}

async fn a_cancelled_orders_use_is_given_back_once(mut shop: Shop) {
    shop.stocked(&[("A", 9)]).await;
    let ten = coupon(&mut shop, Some(1), None).await;
    let one = wishes(&shop, &ten, &["a@x"]).await;
    let placed = order(shop.place_all(one).await.swap_remove(0));
    assert!(matches!(cancel(&mut shop, &placed).await, OrderMoved::Moved(_)));
    assert!(matches!(cancel(&mut shop, &placed).await, OrderMoved::Refused { .. }));
    assert_eq!(uses(&shop, "a@x").await, used(0, 0));
    let two = wishes(&shop, &ten, &["a@x", "a@x"]).await;
    assert_eq!(refusals(&shop.place_all(two).await), [None, Some(CouponRefusal::UsedUp)]);
}

async fn what_takes_off_something_else_by_now_is_not_ordered(mut shop: Shop) {
    shop.stocked(&[("A", 9)]).await;
    let ten = coupon(&mut shop, None, None).await;
    let mut all = wishes(&shop, &ten, &["a@x", "b@x"]).await;
    all[1].order.coupon = Some(stoa::domain::coupon::CouponCode::new("OTHER").unwrap());
    let cheaper = Reduction::Fixed { amount: Money { minor: 1, currency: Currency::USD } };
    rules::set(&mut shop, Rule::Coupon(Coupon { takes_off: cheaper, ..ten })).await;
    let placed = shop.place_all(all).await;
    let unknown = Placed::Coupon(Some(CouponRefusal::Unknown));
    assert_eq!(placed, [Placed::Coupon(None), unknown]);
    assert_eq!((uses(&shop, "a@x").await, shop.level("A").await), (used(0, 0), (9, 0)));
}

async fn an_order_that_fails_has_used_nothing(mut shop: Shop) {
    shop.stocked(&[("A", 1)]).await;
    let ten = coupon(&mut shop, Some(1), None).await;
    let mut all = wishes(&shop, &ten, &["a@x", "b@x", "c@x"]).await;
    let first = all.remove(0);
    let placed = shop.place_all(vec![first]).await;
    assert_eq!(refusals(&placed), [None]);
    assert!(matches!(cancel(&mut shop, &order(placed[0].clone())).await, OrderMoved::Moved(_)));
    // Sold out before its coupon is asked for: the use is the next one's.
    let mut greedy = all.swap_remove(0);
    greedy.order.lines[0].priced = shop.placing(&[("A", 2)]).await.order.lines[0].priced.clone();
    let placed = shop.place_all(vec![greedy, all.swap_remove(0)]).await;
    assert!(matches!(placed[0], Placed::SoldOut(_)), "{placed:?}");
    assert!(matches!(placed[1], Placed::Order(_)), "{placed:?}");
    assert_eq!((uses(&shop, "b@x").await, uses(&shop, "c@x").await), (used(1, 0), used(1, 1)));
}
