//! More is asked than can be done, of everything that is bounded: what is too much is refused, the
//! process stays small, and behind the flood it is as before.

use crate::{
    buyers::{Buyer, Shop, checkout},
    size,
    support::{
        client::exchange,
        server::{Server, until},
        stack::on_every_stack,
    },
};
use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

/// At a time, at a door that lets in a third of them.
const AT_ONCE: usize = 400;
const DOOR: &str = "[http]\nmax_connections = 128\n";
/// What the process may come to, in MiB.
const CAP: u64 = 512;

/// The most memory that a process has had.
fn peak_mib(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

#[test]
fn a_flood_is_refused_within_bounds_and_leaves_nothing_behind() {
    on_every_stack("a_flood_is_refused_within_bounds_and_leaves_nothing_behind", |stack| {
        let requests = size(6_000, 60_000);
        let shop = Shop::with(stack, DOOR);
        let server = shop.serve();
        let skus: Vec<_> = (0..200).map(|n| (format!("F-{n:03}"), 1_000_000)).collect();
        shop.stock(&server, &skus);
        until("the index", || server.found("").filter(|found| *found == 200));
        let buyer = Buyer::begin(shop.address).unwrap();
        let order = buyer.review(&checkout(&[("F-001", 1)])).unwrap();

        let next = AtomicUsize::new(0);
        let told: Mutex<BTreeMap<(&str, u16), usize>> = Mutex::default();
        std::thread::scope(|scope| {
            for _ in 0..AT_ONCE {
                scope.spawn(|| {
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= requests {
                            break;
                        }
                        // No two alike, so nothing is answered from what is kept.
                        let (kind, asked) = match number % 4 {
                            0 => ("search", format!("/search?q=thing+{number}")),
                            1 => ("api", format!("/api/v1/search?limit=100&q=thing+{number}")),
                            2 => ("missing", format!("/p/no-such-thing-{number}")),
                            _ => ("order", String::new()),
                        };
                        let answer = match kind {
                            "order" => buyer.place(&format!("flood-{number}"), &order),
                            _ => exchange(shop.address, "GET", &asked, &[], b""),
                        };
                        // Whoever is one too many at the door may find it shut before they spoke.
                        let Ok(answer) = answer else { continue };
                        if [429, 503].contains(&answer.status) {
                            assert!(answer.header("retry-after").is_some(), "{}", answer.head);
                        }
                        *told.lock().unwrap().entry((kind, answer.status)).or_default() += 1;
                    }
                });
            }
        });
        let told = told.into_inner().unwrap();
        let peak = peak_mib(&server);
        eprintln!("{}: {requests} requests, {AT_ONCE} at once: {told:?}; {peak} MiB", stack.name);
        let fine = [200, 201, 404, 429, 503];
        assert!(told.keys().all(|(_, status)| fine.contains(status)), "{told:?}");
        assert!(told.contains_key(&("order", 201)), "some were served: {told:?}");
        assert!(told.keys().any(|(_, status)| *status == 503), "some were refused: {told:?}");
        assert!(peak < CAP, "{peak} MiB");

        until("the shop to be as before", || {
            let page = server.get("/search?q=thing+at+last");
            let ready = server.get("/readyz");
            (page.status == 200 && ready.status == 200).then_some(())
        });
        let placed = buyer.place("behind-the-flood", &order).unwrap();
        assert_eq!(placed.status, 201, "{}", placed.text());
        assert!(server.stop());
    });
}
