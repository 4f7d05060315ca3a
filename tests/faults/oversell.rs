//! Many want more than there is, some change their minds, and bundles draw on what others want.

use crate::{
    Dice,
    books::Books,
    buyers::{Buyer, Shop, checkout},
    size,
    support::stack::on_every_stack,
};
use serde_json::json;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

const AT_ONCE: usize = 32;

#[test]
fn never_is_one_unit_too_many_sold() {
    on_every_stack("never_is_one_unit_too_many_sold", |stack| {
        let skus = size(40, 200) as u64;
        let mut dice = Dice::of("oversell");
        let shop = Shop::on(stack);
        let server = shop.serve();
        let mut products: Vec<(String, u64)> =
            (0..skus).map(|n| (format!("P-{n:03}"), 1 + dice.below(50))).collect();
        let demand: u64 = products.iter().map(|(_, stock)| 3 * stock).sum();
        // Sold as two of P-000 and one of P-001, and counted by nobody itself.
        products.push(("Z-BUNDLE".to_owned(), 0));
        shop.stock(&server, &products);
        let books = Books::of(stack);
        bundle(&books);

        let (ordered, sold, over) =
            (AtomicUsize::new(0), AtomicUsize::new(0), AtomicBool::new(false));
        std::thread::scope(|scope| {
            let buyers: Vec<_> = (0..AT_ONCE)
                .map(|_| {
                    let (dice, shop) = (dice.another(), &shop);
                    let (ordered, sold) = (&ordered, &sold);
                    scope.spawn(move || buy(dice, shop, skus, demand, ordered, sold))
                })
                .collect();
            let (watched, over) = (Books::of(stack), &over);
            scope.spawn(move || {
                while !over.load(Ordering::SeqCst) {
                    let wrong = watched.count(
                        "SELECT count(*) FROM stock_level
                         WHERE reserved < 0 OR reserved > on_hand OR owed <> 0",
                    );
                    assert_eq!(wrong, 0, "more promised than is there");
                }
            });
            let ended: Vec<_> =
                buyers.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
            over.store(true, Ordering::SeqCst);
            for ended in ended {
                ended.unwrap();
            }
        });
        eprintln!("{}: {} orders for {demand} units asked", stack.name, sold.into_inner());
        books.balance();
        assert!(server.stop());
        let doctor = stack.succeed(&["doctor"]);
        assert!(doctor.contains("every level is what its movements come to"), "{doctor}");
    });
}

fn bundle(books: &Books) {
    books.execute(
        "DELETE FROM sku_stock_item
         WHERE product_id = (SELECT id FROM product WHERE sku = 'Z-BUNDLE')",
    );
    books.execute(
        "INSERT INTO sku_stock_item (product_id, item_id, quantity)
         SELECT b.id, u.item_id, CASE p.sku WHEN 'P-000' THEN 2 ELSE 1 END
         FROM product b, product p JOIN sku_stock_item u ON u.product_id = p.id
         WHERE b.sku = 'Z-BUNDLE' AND p.sku IN ('P-000', 'P-001')",
    );
}

fn buy(
    mut dice: Dice,
    shop: &Shop<'_>,
    skus: u64,
    demand: u64,
    ordered: &AtomicUsize,
    sold: &AtomicUsize,
) {
    let buyer = Buyer::begin(shop.address).expect("a session");
    while (ordered.load(Ordering::Relaxed) as u64) < demand {
        let sku = format!("P-{:03}", dice.below(skus));
        let quantity = 1 + dice.below(3);
        // A bundle and what it is made of, in one order, now and then.
        let lines = match dice.below(8) {
            0 => vec![("Z-BUNDLE", 1), ("P-000", 1)],
            _ => vec![(sku.as_str(), quantity)],
        };
        ordered.fetch_add(quantity as usize, Ordering::Relaxed);
        let order = buyer.review(&checkout(&lines)).expect("a review");
        let key = format!("buy-{}", dice.next());
        let answer = buyer.place(&key, &order).expect("an answer");
        match answer.status {
            201 => {
                sold.fetch_add(1, Ordering::Relaxed);
                if dice.below(5) == 0 {
                    let order = answer.json();
                    let path = format!("/api/v1/orders/{}/cancel", order["id"].as_str().unwrap());
                    let cancelled = buyer.ask(&path, None, &json!({})).expect("an answer");
                    // A payment that is under way is waited for.
                    assert!([200, 409].contains(&cancelled.status), "{}", cancelled.text());
                }
            }
            409 => assert_eq!(answer.json()["type"], "/docs/problems/sold-out"),
            status => panic!("{status}: {}", answer.text()),
        }
    }
}
