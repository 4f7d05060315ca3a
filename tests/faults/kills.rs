//! The server dies again and again while people order, and each asks twice.

use crate::{
    Dice,
    books::Books,
    buyers::{Buyer, Shop, checkout, persist},
    size,
    support::{client::Answer, stack::on_every_stack},
};
use serde_json::Value;
use std::{
    collections::HashMap,
    fs::File,
    io::Write,
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

const CLIENTS: usize = 32;
const SKUS: u64 = 40;

/// What clients were told, synced to the disk before they go on.
struct Ledger(Mutex<File>);

impl Ledger {
    fn at(path: &Path) -> Self {
        Self(Mutex::new(File::create(path).unwrap()))
    }

    fn keep(&self, order: &str, total: i64) {
        let mut file = self.0.lock().unwrap();
        writeln!(file, "{order} {total}").unwrap();
        file.sync_data().unwrap();
    }

    fn read(path: &Path) -> HashMap<uuid::Uuid, i64> {
        let text = std::fs::read_to_string(path).unwrap();
        let line = |line: &str| {
            let (order, total) = line.split_once(' ').unwrap();
            (order.parse().unwrap(), total.parse().unwrap())
        };
        text.lines().map(line).collect()
    }
}

#[test]
fn no_acknowledged_order_is_lost_and_none_is_made_twice() {
    on_every_stack("no_acknowledged_order_is_lost_and_none_is_made_twice", |stack| {
        let (orders, kills) = (size(1_000, 10_000), size(20, 50));
        let mut dice = Dice::of("kills");
        let shop = Shop::on(stack);
        let mut server = shop.serve();
        let skus: Vec<_> = (0..SKUS).map(|n| (format!("K-{n:03}"), 1_000_000)).collect();
        shop.stock(&server, &skus);

        let path = stack.path("ledger");
        let (ledger, next, done) = (Ledger::at(&path), AtomicUsize::new(0), AtomicBool::new(false));
        let left = AtomicUsize::new(CLIENTS);
        let mut killed = 0;
        std::thread::scope(|scope| {
            for _ in 0..CLIENTS {
                let (dice, shop, ledger) = (dice.another(), &shop, &ledger);
                let (next, done, left) = (&next, &done, &left);
                scope.spawn(move || {
                    client(dice, shop, ledger, next, done, orders);
                    left.fetch_sub(1, Ordering::SeqCst);
                });
            }
            // To the end of the orders, and at least so often.
            while left.load(Ordering::SeqCst) > 0 {
                std::thread::sleep(Duration::from_millis(100 + dice.below(400)));
                server.kill_now();
                server = shop.serve();
                killed += 1;
                done.store(killed >= kills, Ordering::SeqCst);
            }
        });

        let told = Ledger::read(&path);
        let books = Books::of(stack);
        let there = books.totals();
        eprintln!("{}: {} orders through {killed} kills", stack.name, told.len());
        assert!(told.len() >= orders && killed >= kills);
        for (order, total) in &told {
            assert_eq!(there.get(order), Some(total), "{order}");
        }
        // Each key came to one order: none is there that nobody was told of.
        assert_eq!(there.len(), told.len());
        books.balance();
        assert!(server.stop());
    });
}

/// Orders until enough are placed and the server was killed often enough.
fn client(
    mut dice: Dice,
    shop: &Shop<'_>,
    ledger: &Ledger,
    next: &AtomicUsize,
    done: &AtomicBool,
    orders: usize,
) {
    let buyer = loop {
        match Buyer::begin(shop.address) {
            Some(buyer) => break buyer,
            None => std::thread::sleep(Duration::from_millis(10)),
        }
    };
    loop {
        let number = next.fetch_add(1, Ordering::SeqCst);
        if number >= orders && done.load(Ordering::SeqCst) {
            return;
        }
        let sku = format!("K-{:03}", dice.below(SKUS));
        let body = checkout(&[(&sku, 1 + dice.below(3))]);
        let order = loop {
            match buyer.review(&body) {
                Some(order) => break order,
                None => std::thread::sleep(Duration::from_millis(10)),
            }
        };
        let key = format!("kill-{number}");
        let (first, second) = twice(&buyer, &key, &order, number.is_multiple_of(2));
        assert_eq!(first.status, 201, "{}", first.text());
        assert_eq!(second.status, 201, "{}", second.text());
        assert_eq!(first.body, second.body, "the same bytes for the same key");
        let placed = first.json();
        let total = placed["totals"]["total"]["minor"].as_i64().unwrap();
        ledger.keep(placed["id"].as_str().unwrap(), total);
        if number.is_multiple_of(16) {
            let other = buyer.review(&checkout(&[(&sku, 9)]));
            let Some(other) = other else { continue };
            let refused = persist(|| buyer.place(&key, &other));
            assert_eq!(refused.status, 422, "{}", refused.text());
            assert_eq!(refused.json()["type"], "/docs/problems/key-reused");
        }
    }
}

/// The same wish two times, at the same instant or one after the other.
fn twice(buyer: &Buyer, key: &str, order: &Value, at_once: bool) -> (Answer, Answer) {
    let ask = || persist(|| buyer.place(key, order));
    if !at_once {
        return (ask(), ask());
    }
    std::thread::scope(|scope| {
        let other = scope.spawn(ask);
        (ask(), other.join().unwrap())
    })
}
