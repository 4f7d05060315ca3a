//! Orders through `ports::writer`, read back by `ports::orders` and `ports::stock`.
//!
//! Long because placing, moving and holding are one contract, told on the same small shop.

use crate::shop::{Shop, draft, on_both_databases, sku, stock};
use std::{collections::BTreeMap, sync::Arc};
use stoa::{
    domain::{
        address::AddressDraft,
        document::ProductDocument,
        event::EventKind,
        id::{CartId, OrderId, PaymentIntentId},
        line::PricedLine,
        money::{Currency, Money},
        once::{BodyHash, IdempotencyKey, KeptAnswer, OnceName},
        order::{
            Action, FulfilmentStatus, Order, OrderLine, OrderNumber, OrderState, OrderStatus,
            Refusal,
        },
        payment::{MethodToken, PaymentMethod, PaymentState},
        placing::{Changed, Placed, Placing, Short},
        price::{PriceSource, UnitPrice},
        quantity::{Precision, Quantity},
        secret::Secret,
        stock::{EditRefused, MovementKind, StockEdit, StockError, StockRecord},
        tax::{TaxAt, TaxCategory, TaxMode},
        time::Micros,
        totals::{Terms, Totals},
    },
    ports::{
        StoreError,
        clock::{Clock, Ids},
        mail::MailQueue,
        orders::{OrderFilter, OrderMoved, OrderNow, OrderWrite, Orders},
        stock::{Stock, StockWrite, StockWritten, Warehouse},
        writer::{Once, Write, Written},
    },
};

on_both_databases![
    an_order_is_read_back_as_it_was_placed,
    of_one_commit_each_gets_what_the_ones_before_left,
    two_lines_and_a_bundle_on_one_item_are_summed,
    warehouses_are_drawn_on_by_priority,
    a_price_that_changed_meanwhile_refuses_that_order_alone,
    no_cart_becomes_two_orders,
    a_retry_places_nothing_and_sold_out_is_said_again,
    what_fails_takes_no_other_order_with_it,
    cancelling_gives_the_goods_back_once,
    what_was_sent_leaves_the_warehouse_and_may_come_back,
    a_payments_verdict_decides_a_pending_order,
    holds_end_when_their_time_is_over_and_not_before,
    pages_are_told_of_a_product_only_when_its_band_moves,
    lists_are_walked_from_the_newest_on,
    stock_is_edited_with_a_ledger_and_a_version,
    what_may_be_owed_is_promised_and_served_first,
    what_is_kept_back_is_not_sold,
    an_import_keeps_the_ledger_too,
    books_that_do_not_balance_are_found,
];

impl Shop {
    /// An order of these, at the prices they have now.
    pub(crate) async fn placing(&self, lines: &[(&str, i64)]) -> Placing {
        let documents = self.documents().await;
        self.placing_of(&documents, lines)
    }

    pub(crate) fn placing_of(
        &self,
        documents: &BTreeMap<String, ProductDocument>,
        lines: &[(&str, i64)],
    ) -> Placing {
        let line = |(sku, quantity): &(&str, i64)| {
            let product = &documents[*sku];
            let price = UnitPrice {
                amount: product.price.unwrap(),
                tax: TaxMode::Exclusive,
                source: PriceSource::Base,
                min_quantity: Quantity::STEP,
            };
            let precision = Precision::new(product.precision).unwrap();
            let quantity = Quantity::of_steps(*quantity).unwrap();
            PricedLine::new(quantity, precision, price, TaxCategory::default()).unwrap()
        };
        let priced: Vec<_> = lines.iter().map(line).collect();
        let terms =
            Terms { currency: Currency::USD, discount: None, shipping: None, tax: TaxAt::NONE };
        let totals = Totals::of(&priced, &terms).unwrap();
        let lines =
            lines.iter().zip(priced).zip(totals.lines).map(|(((sku, _), priced), total)| {
                let product = &documents[*sku];
                OrderLine {
                    product: product.id,
                    sku: product.sku.clone(),
                    name: product.name.clone(),
                    unit: product.unit.clone(),
                    priced,
                    total,
                }
            });
        let address = AddressDraft {
            name: "Ada Ö'Neil \"x\"".into(),
            street: "Analytical Way 1\\2".into(),
            city: "London".into(),
            postcode: "10115".into(),
            country: "DE".into(),
            ..AddressDraft::default()
        };
        let now = self.source.now();
        let provider = "test".to_owned();
        Placing {
            order: Order {
                id: OrderId(self.source.next()),
                number: OrderNumber::NONE,
                scope: self.scope.clone(),
                state: OrderState::PLACED,
                version: 1,
                cart: None,
                customer: None,
                placed_by: "guest:1".into(),
                email: "ada@example.com".into(),
                lines: lines.collect(),
                summary: totals.summary,
                coupon: None,
                shipping: None,
                ship_to: address.check().unwrap(),
                bill_to: None,
                payment: PaymentIntentId(self.source.next()),
                provider: provider.clone(),
                held_until: Some(Micros(now.0 + 1_000_000)),
                placed_at: now,
                updated_at: now,
            },
            access: [7; 32],
            token: Some(Secret::new("its-token")),
            cart_version: None,
            method: PaymentMethod { provider, token: MethodToken::new("tok") },
        }
    }

    pub(crate) async fn place_all(&mut self, placings: Vec<Placing>) -> Vec<Placed> {
        let writes = placings.into_iter().map(|one| Write::Place(Box::new(one))).collect();
        let answers = self.writer.commit(writes).await;
        answers.into_iter().map(|answer| placed(answer.unwrap())).collect()
    }

    /// One that must go well.
    pub(crate) async fn place(&mut self, lines: &[(&str, i64)]) -> Order {
        let placing = self.placing(lines).await;
        order(self.place_all(vec![placing]).await.swap_remove(0))
    }

    pub(crate) async fn act(&mut self, order: OrderId, action: Action) -> OrderMoved {
        let write = OrderWrite {
            order,
            action,
            by: "operator".into(),
            note: "n".into(),
            at: self.source.now(),
            if_version: None,
        };
        match self.commit(Write::Order(write)).await.unwrap() {
            Written::Order(moved) => moved,
            other => panic!("{other:?}"),
        }
    }

    async fn edit(&mut self, code: &str, edit: StockEdit) -> StockWritten {
        self.edit_at(code, edit, None).await
    }

    async fn edit_at(&mut self, code: &str, edit: StockEdit, version: Option<i64>) -> StockWritten {
        let write = StockWrite {
            site: self.scope.site.clone(),
            sku: sku(code),
            edit,
            by: "operator".into(),
            note: "counted".into(),
            at: self.source.now(),
            if_version: version,
        };
        match self.commit(Write::Stock(write)).await.unwrap() {
            Written::Stock(written) => written,
            other => panic!("{other:?}"),
        }
    }

    async fn record(&self, code: &str) -> StockRecord {
        self.store.record(&self.scope.site, &sku(code)).await.unwrap().unwrap()
    }

    /// On hand, reserved and owed in each warehouse, in the order they are drawn on.
    async fn levels(&self, code: &str) -> Vec<(String, i64, i64, i64)> {
        let levels = self.record(code).await.levels.into_iter();
        levels.map(|l| (l.warehouse, l.on_hand, l.reserved, l.owed)).collect()
    }

    /// On hand and reserved where there is one warehouse.
    pub(crate) async fn level(&self, code: &str) -> (i64, i64) {
        let levels = self.levels(code).await;
        assert_eq!(levels.len(), 1, "{levels:?}");
        (levels[0].1, levels[0].2)
    }

    pub(crate) async fn books_balance(&self) {
        assert_eq!(self.store.drift(10).await.unwrap(), []);
    }

    /// Products with so many each, in one warehouse.
    pub(crate) async fn stocked(&mut self, products: &[(&str, i64)]) {
        let of = |(code, quantity): &(&str, i64)| {
            let mut product = draft(code, code);
            product.stock = Some(vec![stock("main", *quantity)]);
            product
        };
        self.put(products.iter().map(of).collect()).await;
    }
}

fn placed(written: Written) -> Placed {
    match written {
        Written::Placed(placed) => placed,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn order(placed: Placed) -> Order {
    match placed {
        Placed::Order(order) => *order,
        other => panic!("{other:?}"),
    }
}

fn moved(moved: OrderMoved) -> OrderNow {
    match moved {
        OrderMoved::Moved(now) => now,
        other => panic!("{other:?}"),
    }
}

fn sold_out(left: &[(&str, i64)]) -> Placed {
    let short = |(code, left): &(&str, i64)| Short { sku: sku(code), left: *left };
    Placed::SoldOut(left.iter().map(short).collect())
}

async fn an_order_is_read_back_as_it_was_placed(mut shop: Shop) {
    shop.stocked(&[("A", 9), ("B", 9)]).await;
    let placing = shop.placing(&[("A", 2), ("B", 1)]).await;
    let before = placing.clone();
    let order = order(shop.place_all(vec![placing]).await.swap_remove(0));
    assert_eq!(order.number, OrderNumber(1_001));
    assert_eq!(order, Order { number: order.number, ..before.order });
    let stored = shop.store.get(order.id).await.unwrap().unwrap();
    assert_eq!((&stored.order, stored.access), (&order, [7; 32]));
    assert_eq!(stored.order.total(), Money { minor: 3 * 1_299, currency: Currency::USD });
    assert_eq!(shop.store.get(OrderId(shop.source.next())).await.unwrap(), None);
    assert_eq!(shop.place(&[("A", 1)]).await.number, OrderNumber(1_002));
    let log = shop.log().await;
    let told: Vec<_> =
        log.iter().filter(|e| e.kind == Some(EventKind::OrderPlaced)).map(|e| e.subject).collect();
    assert_eq!(told[0], order.id.0);
    assert_eq!(told.len(), 2);
    shop.books_balance().await;
}

async fn of_one_commit_each_gets_what_the_ones_before_left(mut shop: Shop) {
    shop.stocked(&[("A", 5), ("B", 2)]).await;
    let documents = shop.documents().await;
    let wanted: [&[(&str, i64)]; 5] =
        [&[("A", 3)], &[("A", 3), ("B", 1)], &[("A", 2)], &[("B", 2)], &[("A", 1)]];
    let placings = wanted.iter().map(|lines| shop.placing_of(&documents, lines)).collect();
    let found = shop.place_all(placings).await;
    let granted: Vec<_> = found.iter().map(|one| matches!(one, Placed::Order(_))).collect();
    assert_eq!(granted, [true, false, true, true, false]);
    assert_eq!(found[1], sold_out(&[("A", 2)]));
    assert_eq!(found[4], sold_out(&[("A", 0)]));
    let numbers: Vec<_> = found
        .iter()
        .filter_map(|one| match one {
            Placed::Order(order) => Some(order.number.0),
            _ => None,
        })
        .collect();
    assert_eq!(numbers, [1_001, 1_002, 1_003], "in the order they came");
    assert_eq!((shop.level("A").await, shop.level("B").await), ((5, 5), (2, 2)));
    shop.books_balance().await;
}

/// Makes P a bundle of two of A and one of B.
async fn bundle(shop: &mut Shop) {
    shop.put(vec![draft("P", "P")]).await;
    shop.execute(
        "INSERT INTO sku_stock_item (product_id, item_id, quantity)
         SELECT p.id, i.id, CASE WHEN i.sku = 'A' THEN 2 ELSE 1 END
         FROM product p, product i WHERE p.sku = 'P' AND i.sku IN ('A', 'B')",
    )
    .await;
}

async fn two_lines_and_a_bundle_on_one_item_are_summed(mut shop: Shop) {
    shop.stocked(&[("A", 4), ("B", 9)]).await;
    bundle(&mut shop).await;
    let documents = shop.documents().await;
    let of = |lines| shop.placing_of(&documents, lines);
    let both = vec![of(&[("A", 3), ("P", 1)]), of(&[("A", 2), ("A", 3)])];
    let both = shop.place_all(both).await;
    assert_eq!(both[0], sold_out(&[("A", 4), ("P", 2)]));
    assert_eq!(both[1], sold_out(&[("A", 4)]));
    shop.place(&[("A", 1), ("P", 1), ("A", 1)]).await;
    assert_eq!((shop.level("A").await, shop.level("B").await), ((4, 4), (9, 1)));
    let record = shop.record("P").await;
    assert_eq!((record.bundle, record.available, record.item), (true, Some(0), None));
    shop.books_balance().await;
}

async fn warehouses_are_drawn_on_by_priority(mut shop: Shop) {
    let mut product = draft("A", "a");
    product.stock = Some(vec![stock("east", 4), stock("main", 2), stock("west", 9)]);
    shop.put(vec![product]).await;
    let first = Warehouse {
        id: stoa::domain::id::WarehouseId(shop.source.next()),
        site: shop.scope.site.clone(),
        code: "west".into(),
        name: "Out west".into(),
        priority: -1,
    };
    shop.commit(Write::PutWarehouse(first)).await.unwrap();
    let order = shop.place(&[("A", 11)]).await;
    let wanted = [("west", 9, 9), ("east", 4, 2), ("main", 2, 0)];
    let wanted = wanted.map(|(code, on_hand, reserved)| (code.to_owned(), on_hand, reserved, 0));
    assert_eq!(shop.levels("A").await, wanted);
    shop.act(order.id, Action::Cancel).await;
    assert!(shop.levels("A").await.iter().all(|(_, _, reserved, _)| *reserved == 0));
    let names: Vec<_> = shop.store.warehouses(&shop.scope.site).await.unwrap();
    let names: Vec<_> = names.into_iter().map(|w| (w.code, w.name)).collect();
    assert_eq!(names[0], ("west".into(), "Out west".into()));
    shop.books_balance().await;
}

async fn a_price_that_changed_meanwhile_refuses_that_order_alone(mut shop: Shop) {
    shop.stocked(&[("A", 9), ("B", 9), ("C", 9), ("D", 9)]).await;
    let documents = shop.documents().await;
    let lines: [&[(&str, i64)]; 4] = [&[("A", 1), ("B", 1)], &[("B", 1)], &[("C", 1)], &[("D", 1)]];
    let placings = lines.iter().map(|lines| shop.placing_of(&documents, lines)).collect();
    shop.execute("UPDATE product SET price_minor = 1300 WHERE sku = 'A'").await;
    shop.execute("UPDATE product SET status = 'disabled' WHERE sku = 'C'").await;
    // The price is what it was, what comes on top of it isn't.
    shop.execute("UPDATE product SET tax_category = 'reduced' WHERE sku = 'D'").await;
    let found = shop.place_all(placings).await;
    let money = |minor| Money { minor, currency: Currency::USD };
    let changed =
        |code, now| Placed::Changed(vec![Changed { sku: sku(code), was: money(1_299), now }]);
    assert_eq!(found[0], changed("A", Some(money(1_300))));
    assert!(matches!(found[1], Placed::Order(_)), "{:?}", found[1]);
    assert_eq!(found[2], changed("C", None));
    assert_eq!(found[3], changed("D", Some(money(1_299))));
    assert_eq!((shop.level("A").await, shop.level("B").await), ((9, 0), (9, 1)));
}

async fn no_cart_becomes_two_orders(mut shop: Shop) {
    shop.stocked(&[("A", 9)]).await;
    // A cart that nobody knows is none that can be ordered; an open one is, once.
    let cart = CartId(shop.source.next());
    let mut unknown = shop.placing(&[("A", 1)]).await;
    (unknown.order.cart, unknown.cart_version) = (Some(cart), Some(1));
    assert_eq!(shop.place_all(vec![unknown]).await, [Placed::CartMoved]);
    let (cart, version) = shop.cart_of("A").await;
    let mut placings = Vec::new();
    for _ in 0..3 {
        let mut placing = shop.placing(&[("A", 1)]).await;
        (placing.order.cart, placing.cart_version) = (Some(cart), Some(version));
        placings.push(placing);
    }
    let later = placings.pop().unwrap();
    let found = shop.place_all(placings).await;
    let first = order(found[0].clone());
    assert_eq!(found[1], Placed::Ordered(first.id));
    assert_eq!(shop.place_all(vec![later]).await, [Placed::Ordered(first.id)]);
    assert_eq!(shop.level("A").await, (9, 1));
}

async fn a_retry_places_nothing_and_sold_out_is_said_again(mut shop: Shop) {
    shop.stocked(&[("A", 1)]).await;
    let documents = shop.documents().await;
    let once = |key: &str| {
        Write::Once(Once {
            name: OnceName::new("guest", "POST /", &IdempotencyKey::new(key.as_bytes()).unwrap()),
            body: BodyHash::of(b"b"),
            at: shop.source.now(),
            write: Box::new(Write::Place(Box::new(shop.placing_of(&documents, &[("A", 1)])))),
            answer: Arc::new(|written| {
                let (status, body) = match written {
                    Written::Placed(Placed::Order(order)) => (201, order.number.to_string()),
                    Written::Placed(Placed::SoldOut(_)) => (409, "sold out".into()),
                    _ => return None,
                };
                Some(KeptAnswer { status, headers: Vec::new(), body })
            }),
        })
    };
    let writes = vec![once("a"), once("b"), once("a")];
    let later = vec![once("b"), once("a"), once("c")];
    let body = |written: Result<Written, StoreError>| match written.unwrap() {
        Written::Answered { answer: Some(answer), .. } | Written::Replayed(answer) => answer.body,
        other => panic!("{other:?}"),
    };
    let found: Vec<_> = shop.writer.commit(writes).await.into_iter().map(body).collect();
    assert_eq!(found, ["1001", "sold out", "1001"]);
    shop.edit("A", StockEdit::Adjust { warehouse: "main".into(), by: 5 }).await;
    let found: Vec<_> = shop.writer.commit(later).await.into_iter().map(body).collect();
    assert_eq!(found, ["sold out", "1001", "1002"], "what was said stays said");
    assert_eq!(shop.level("A").await, (6, 2));
    assert_eq!(shop.store.counts().await.unwrap(), (2, 0), "an order is confirmed once");
}

async fn what_fails_takes_no_other_order_with_it(mut shop: Shop) {
    shop.stocked(&[("A", 9)]).await;
    let documents = shop.documents().await;
    let placings: Vec<_> = (0..3).map(|_| shop.placing_of(&documents, &[("A", 2)])).collect();
    let mut writes: Vec<_> =
        placings.iter().map(|one| Write::Place(Box::new(one.clone()))).collect();
    // The same order again: its row is there.
    writes.insert(1, writes[0].clone());
    let answers = shop.writer.commit(writes).await;
    let fine: Vec<_> = answers.iter().map(Result::is_ok).collect();
    assert_eq!(fine, [true, false, true, true], "{answers:?}");
    assert_eq!(shop.level("A").await, (9, 6));
    assert_eq!(shop.store.list(OrderFilter::default(), None, 9).await.unwrap().len(), 3);
    shop.books_balance().await;
}

async fn cancelling_gives_the_goods_back_once(mut shop: Shop) {
    shop.stocked(&[("A", 5)]).await;
    let order = shop.place(&[("A", 5)]).await;
    let now = moved(shop.act(order.id, Action::Cancel).await);
    assert_eq!((now.state.status, now.version), (OrderStatus::Cancelled, 2));
    assert_eq!(now.held_until, None);
    let again = shop.act(order.id, Action::Cancel).await;
    let why = Refusal::NotNow { verb: "cancel", status: OrderStatus::Cancelled };
    assert_eq!(again, OrderMoved::Refused { why, now });
    assert_eq!(shop.level("A").await, (5, 0));
    shop.place(&[("A", 5)]).await;
    let steps = shop.store.steps(order.id).await.unwrap();
    assert_eq!(steps.len(), 1);
    assert_eq!((&*steps[0].by, &*steps[0].note, steps[0].state), ("operator", "n", now.state));
    let kinds: Vec<_> = shop.log().await.into_iter().filter_map(|event| event.kind).collect();
    assert!(kinds.contains(&EventKind::OrderCancelled));
    let stale = OrderWrite {
        order: order.id,
        action: Action::Confirm,
        by: "operator".into(),
        note: String::new(),
        at: shop.source.now(),
        if_version: Some(1),
    };
    let stale = shop.commit(Write::Order(stale)).await.unwrap();
    assert_eq!(stale, Written::Order(OrderMoved::Stale(now)));
    let nobody = OrderWrite::hold_ends(OrderId(shop.source.next()), shop.source.now());
    assert_eq!(shop.commit(Write::Order(nobody)).await.unwrap(), Written::Absent);
    shop.books_balance().await;
}

async fn what_was_sent_leaves_the_warehouse_and_may_come_back(mut shop: Shop) {
    shop.stocked(&[("A", 5)]).await;
    let order = shop.place(&[("A", 2)]).await;
    let captured = Action::PaymentIs { state: PaymentState::Captured };
    for action in [captured, Action::Process, Action::Ship] {
        moved(shop.act(order.id, action).await);
    }
    assert_eq!(shop.level("A").await, (3, 0));
    shop.books_balance().await;
    let now = moved(shop.act(order.id, Action::Refund { restock: true }).await);
    assert_eq!(now.state.fulfilment, FulfilmentStatus::Returned);
    assert_eq!(shop.level("A").await, (5, 0));
    let record = shop.record("A").await;
    let movements = shop.store.movements(record.item.unwrap(), None, 9).await.unwrap();
    let kinds: Vec<_> = movements.iter().map(|m| (m.kind, m.on_hand, m.promised)).collect();
    let wanted = [
        (MovementKind::Restock, 2, 0),
        (MovementKind::Ship, -2, -2),
        (MovementKind::Reserve, 0, 2),
        (MovementKind::Import, 5, 0),
    ];
    assert_eq!(kinds, wanted);
    let page = shop.store.movements(record.item.unwrap(), Some(movements[1].id), 1).await.unwrap();
    assert_eq!(page, movements[2..3]);
    shop.books_balance().await;
}

async fn a_payments_verdict_decides_a_pending_order(mut shop: Shop) {
    shop.stocked(&[("A", 5)]).await;
    let (good, bad) = (shop.place(&[("A", 2)]).await, shop.place(&[("A", 2)]).await);
    let is = |state| Action::PaymentIs { state };
    for order in [&good, &bad] {
        moved(shop.act(order.id, is(PaymentState::Unknown)).await);
        let refused = shop.act(order.id, Action::Cancel).await;
        assert!(matches!(refused, OrderMoved::Refused { why: Refusal::PaymentUnderWay, .. }));
    }
    // Holds don't end while a provider is being asked.
    let ends = Write::EndHolds { now: Micros(i64::MAX), most: 9 };
    assert_eq!(shop.commit(ends).await.unwrap(), Written::Swept(0));
    let confirmed = moved(shop.act(good.id, is(PaymentState::Authorised)).await);
    assert_eq!((confirmed.state.status, confirmed.held_until), (OrderStatus::Confirmed, None));
    let declined = moved(shop.act(bad.id, is(PaymentState::Declined)).await);
    assert_eq!(declined.state.status, OrderStatus::Cancelled);
    assert_eq!(shop.level("A").await, (5, 2));
    shop.books_balance().await;
}

async fn holds_end_when_their_time_is_over_and_not_before(mut shop: Shop) {
    shop.stocked(&[("A", 9)]).await;
    let mut orders = Vec::new();
    for _ in 0..4 {
        orders.push(shop.place(&[("A", 2)]).await);
    }
    shop.act(orders[0].id, Action::Confirm).await;
    let end = orders[2].held_until.unwrap();
    let ends = |most| Write::EndHolds { now: end, most };
    assert_eq!(shop.commit(ends(1)).await.unwrap(), Written::Swept(1));
    assert_eq!(shop.commit(ends(5)).await.unwrap(), Written::Swept(1));
    assert_eq!(shop.commit(ends(5)).await.unwrap(), Written::Swept(0));
    let mut status = Vec::new();
    for order in &orders {
        status.push(shop.store.get(order.id).await.unwrap().unwrap().order.state.status);
    }
    use OrderStatus::{Cancelled, Confirmed, Pending};
    assert_eq!(status, [Confirmed, Cancelled, Cancelled, Pending]);
    assert_eq!(shop.level("A").await, (9, 4));
    assert_eq!(shop.store.steps(orders[1].id).await.unwrap()[0].by, "system");
    shop.books_balance().await;
}

async fn pages_are_told_of_a_product_only_when_its_band_moves(mut shop: Shop) {
    shop.stocked(&[("A", 9), ("B", 30)]).await;
    bundle(&mut shop).await;
    let (_, mut at) = shop.told_after(0).await;
    let mut told = async |shop: &Shop| {
        let (skus, end) = shop.told_after(at).await;
        at = end;
        skus
    };
    // 9 → 8: A is in stock as before, P falls from 4 to 4.
    shop.place(&[("A", 1)]).await;
    assert!(told(&shop).await.is_empty());
    let last = shop.place(&[("A", 3)]).await;
    assert_eq!(told(&shop).await, ["A"], "few are left");
    let gone = shop.place(&[("A", 5), ("B", 1)]).await;
    assert_eq!(told(&shop).await, ["A", "P"], "sold out, and with it the bundle");
    shop.act(gone.id, Action::Cancel).await;
    assert_eq!(told(&shop).await, ["A", "P"]);
    shop.act(last.id, Action::Cancel).await;
    assert_eq!(told(&shop).await, ["A"]);
    shop.edit("A", StockEdit::Adjust { warehouse: "main".into(), by: 4 }).await;
    assert_eq!(told(&shop).await, ["P"], "12 are six bundles");
}

async fn lists_are_walked_from_the_newest_on(mut shop: Shop) {
    shop.stocked(&[("A", 99)]).await;
    let customer = stoa::domain::id::CustomerId(shop.source.next());
    let mut placings = Vec::new();
    for n in 0..6 {
        let mut placing = shop.placing(&[("A", 1)]).await;
        placing.order.customer = (n % 2 == 0).then_some(customer);
        placings.push(placing);
    }
    let orders: Vec<_> = shop.place_all(placings).await.into_iter().map(order).collect();
    shop.act(orders[0].id, Action::Confirm).await;
    let numbers = async |filter, before, limit| {
        let list = shop.store.list(filter, before, limit).await.unwrap();
        assert!(list.iter().all(|order| order.lines.len() == 1));
        list.iter().map(|order| order.number.0 - 1_000).collect::<Vec<_>>()
    };
    let all = OrderFilter::default();
    assert_eq!(numbers(all.clone(), None, 4).await, [6, 5, 4, 3]);
    assert_eq!(numbers(all.clone(), Some(OrderNumber(1_003)), 4).await, [2, 1]);
    let confirmed = OrderFilter { status: Some(OrderStatus::Confirmed), ..all.clone() };
    assert_eq!(numbers(confirmed, None, 4).await, [1]);
    let theirs = OrderFilter { customer: Some(customer), ..all.clone() };
    assert_eq!(numbers(theirs.clone(), None, 2).await, [5, 3]);
    let pending = OrderFilter { status: Some(OrderStatus::Pending), ..theirs.clone() };
    assert_eq!(numbers(pending.clone(), None, 4).await, [5, 3]);
}

fn set(levels: &[(&str, i64)], threshold: i64, back_order: bool) -> StockEdit {
    let levels = levels.iter().map(|(code, n)| ((*code).to_owned(), *n)).collect();
    StockEdit::Set { levels, threshold, back_order }
}

async fn stock_is_edited_with_a_ledger_and_a_version(mut shop: Shop) {
    shop.stocked(&[("A", 5)]).await;
    shop.put(vec![draft("N", "n")]).await;
    let uncounted = shop.record("N").await;
    assert_eq!((uncounted.item, uncounted.available, uncounted.version), (None, None, 0));
    let StockWritten::Done(made) = shop.edit_at("N", set(&[("main", 7)], 0, false), Some(0)).await
    else {
        panic!("counted from now on")
    };
    assert_eq!((made.available, made.version), (Some(7), 1));
    assert_eq!(shop.record("N").await, made);

    let version = shop.record("A").await.version;
    let StockWritten::Done(more) = shop
        .edit_at("A", StockEdit::Adjust { warehouse: "main".into(), by: -2 }, Some(version))
        .await
    else {
        panic!("fits")
    };
    assert!(more.version > version);
    assert_eq!(shop.record("A").await, more);
    assert_eq!(
        shop.edit_at("A", set(&[("main", 1)], 0, false), Some(version)).await,
        StockWritten::Stale(more.version)
    );
    shop.place(&[("A", 2)]).await;
    let refused = |why| StockWritten::Refused(EditRefused::Level { warehouse: "main".into(), why });
    let promised = StockError::Promised { reserved: 2 };
    assert_eq!(shop.edit("A", set(&[("main", 1)], 0, false)).await, refused(promised));
    let nowhere = StockWritten::Refused(EditRefused::NoWarehouse("mian".into()));
    assert_eq!(shop.edit("A", set(&[("mian", 9)], 0, false)).await, nowhere);
    assert_eq!(shop.level("A").await, (3, 2), "what was refused changed nothing");
    let absent = StockWrite {
        site: shop.scope.site.clone(),
        sku: sku("none"),
        edit: set(&[], 0, false),
        by: "operator".into(),
        note: String::new(),
        at: shop.source.now(),
        if_version: None,
    };
    assert_eq!(shop.commit(Write::Stock(absent)).await.unwrap(), Written::Absent);
    let item = shop.record("A").await.item.unwrap();
    let kinds: Vec<_> = shop.store.movements(item, None, 9).await.unwrap();
    let kinds: Vec<_> = kinds.into_iter().map(|m| (m.kind, m.on_hand, m.by)).collect();
    assert_eq!(kinds[1], (MovementKind::Adjust, -2, "operator".to_owned()));
    shop.books_balance().await;
}

async fn what_may_be_owed_is_promised_and_served_first(mut shop: Shop) {
    shop.stocked(&[("A", 2)]).await;
    assert!(matches!(shop.edit("A", set(&[], 0, true)).await, StockWritten::Done(_)));
    let first = shop.place(&[("A", 2)]).await;
    let second = shop.place(&[("A", 3)]).await;
    assert_eq!(shop.levels("A").await, [("main".to_owned(), 2, 2, 3)]);
    assert_eq!(shop.record("A").await.available, None, "as many as anybody likes");
    let confirm = Action::Confirm;
    for order in [&first, &second] {
        moved(shop.act(order.id, confirm).await);
    }
    moved(shop.act(first.id, Action::Ship).await);
    let early = shop.act(second.id, Action::Ship).await;
    assert!(matches!(
        early,
        OrderMoved::Stock { why: StockError::NotThere { missing: 3, .. }, .. }
    ));
    assert!(matches!(shop.edit("A", set(&[("main", 4)], 0, true)).await, StockWritten::Done(_)));
    assert_eq!(shop.levels("A").await, [("main".to_owned(), 4, 3, 0)]);
    moved(shop.act(second.id, Action::Ship).await);
    assert_eq!(shop.levels("A").await, [("main".to_owned(), 1, 0, 0)]);
    shop.books_balance().await;
}

async fn what_is_kept_back_is_not_sold(mut shop: Shop) {
    shop.stocked(&[("A", 9)]).await;
    shop.edit("A", set(&[], 3, false)).await;
    let placing = shop.placing(&[("A", 7)]).await;
    assert_eq!(shop.place_all(vec![placing]).await, [sold_out(&[("A", 6)])]);
    shop.place(&[("A", 6)]).await;
    let document = shop.document("A").await;
    assert_eq!(document.stock, stoa::domain::stock::StockBand::SoldOut, "three are kept back");
}

async fn an_import_keeps_the_ledger_too(mut shop: Shop) {
    shop.stocked(&[("A", 2)]).await;
    shop.edit("A", set(&[], 0, true)).await;
    shop.place(&[("A", 5)]).await;
    let counted = |n: i64| {
        let mut product = draft("A", &format!("a {n}"));
        product.stock = Some(vec![stock("main", n), stock("new", 1)]);
        product
    };
    shop.put(vec![counted(4)]).await;
    assert_eq!(shop.levels("A").await[0], ("main".to_owned(), 4, 4, 1));
    shop.put(vec![counted(9)]).await;
    assert_eq!(shop.levels("A").await[0], ("main".to_owned(), 9, 5, 0));
    shop.put(vec![counted(1)]).await;
    assert_eq!(shop.levels("A").await[0], ("main".to_owned(), 5, 5, 0), "five are promised");
    shop.books_balance().await;
}

async fn books_that_do_not_balance_are_found(mut shop: Shop) {
    shop.stocked(&[("A", 9), ("B", 9), ("C", 9)]).await;
    shop.place(&[("A", 2), ("B", 2), ("C", 2)]).await;
    shop.books_balance().await;
    shop.execute("UPDATE stock_level SET reserved = 3 WHERE item_id IN (SELECT id FROM product WHERE sku = 'A')").await;
    shop.execute("UPDATE stock_level SET on_hand = 8 WHERE item_id IN (SELECT id FROM product WHERE sku = 'B')").await;
    let drift = shop.store.drift(10).await.unwrap();
    let mut found: Vec<_> = drift
        .iter()
        .map(|d| (d.on_hand, d.moved, d.promised, d.reservations, d.warehouse.as_str()))
        .collect();
    found.sort_unstable();
    assert_eq!(found, [(8, 9, 2, 2, "main"), (9, 9, 3, 2, "main")]);
    assert_eq!(shop.store.drift(1).await.unwrap().len(), 1);
}
