//! Everybody wants the same thing at the same moment.

use crate::{
    books::Books,
    buyers::{Buyer, Shop, checkout, persist},
    size,
    support::{
        server::{now, until},
        stack::on_every_stack,
    },
};
use std::{
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

const AT_ONCE: usize = 64;
const STOCK: usize = 100;

#[test]
fn of_a_hundred_units_exactly_a_hundred_are_sold() {
    on_every_stack("of_a_hundred_units_exactly_a_hundred_are_sold", |stack| {
        let buyers = size(1_000, 10_000);
        let shop = Shop::on(stack);
        let server = shop.serve();
        shop.stock(&server, &[("HOT-1".to_owned(), STOCK as u64)]);
        let first = Buyer::begin(shop.address).unwrap();
        let order = first.review(&checkout(&[("HOT-1", 1)])).unwrap();

        let (next, times) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        let (sold, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..AT_ONCE {
                scope.spawn(|| {
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= buyers {
                            break;
                        }
                        let buyer = until("a session", || Buyer::begin(shop.address));
                        let (key, began) = (format!("rush-{number}"), now());
                        // Whoever is told to come back does, under the same key.
                        let answer = persist(|| buyer.place(&key, &order));
                        times.lock().unwrap().push(began.elapsed());
                        match answer.status {
                            201 => {
                                sold.fetch_add(1, Ordering::Relaxed);
                            }
                            409 => {
                                let told = answer.json();
                                assert_eq!(told["type"], "/docs/problems/sold-out", "{told}");
                                assert_eq!(told["errors"][0]["sku"], "HOT-1", "{told}");
                                refused.fetch_add(1, Ordering::Relaxed);
                            }
                            status => panic!("{status}: {}", answer.text()),
                        }
                    }
                });
            }
        });

        let mut times = times.into_inner().unwrap();
        times.sort_unstable();
        let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)];
        let (p50, p99): (Duration, Duration) = (at(50), at(99));
        eprintln!("{}: {buyers} buyers, {AT_ONCE} at once: p50 {p50:?}, p99 {p99:?}", stack.name);

        assert_eq!(sold.into_inner(), STOCK);
        assert_eq!(refused.into_inner(), buyers - STOCK);
        let stock = server.operate("GET", "/api/v1/stock/HOT-1", b"").json();
        assert_eq!(stock["available"], 0, "{stock}");
        assert_eq!(stock["levels"][0]["reserved"], STOCK, "{stock}");
        let books = Books::of(stack);
        assert_eq!(books.totals().len(), STOCK);
        books.balance();
        assert!(server.stop());
    });
}
