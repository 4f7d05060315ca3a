//! Who guesses is cut off, and costs nobody else the shop.

use crate::{
    buyers::{Shop, checkout},
    size,
    support::{
        client::{Answer, exchange},
        server::{Server, now},
        stack::on_every_stack,
    },
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

const COUPON: &str = "/api/v1/coupons/0190a000-0000-7000-8000-000000000004";
/// As `config/default.toml` has it.
const BURST: usize = 20;

/// Asks from somewhere else, as the proxy in front of the shop tells it.
fn ask_from(server: &Server, place: &str, path: &str, body: &Value) -> Answer {
    let headers = [
        ("content-type", "application/json"),
        ("x-forwarded-for", place),
        ("x-forwarded-proto", "https"),
    ];
    let body = serde_json::to_vec(body).unwrap();
    exchange(server.address, "POST", path, &headers, &body).expect("an answer")
}

/// One of some thousand addresses.
fn place(number: usize) -> String {
    format!("203.0.{}.{}", number / 250, 1 + number % 250)
}

#[test]
fn a_thousand_guesses_at_a_coupon_are_cut_off() {
    on_every_stack("a_thousand_guesses_at_a_coupon_are_cut_off", |stack| {
        let shop = Shop::on(stack);
        let server = shop.serve();
        shop.stock(&server, &[("A-1".to_owned(), 100)]);
        let coupon = json!({"code": "SUMMER26", "takes_off": {"kind": "percent", "percent": "10"}});
        let made = server.operate("PUT", COUPON, &serde_json::to_vec(&coupon).unwrap());
        assert_eq!(made.status, 201, "{}", made.text());
        let with = |code: &str| {
            let mut wish = checkout(&[("A-1", 1)]);
            wish["coupon"] = json!(code);
            wish
        };
        let review = |from: &str, code: &str| {
            ask_from(&server, from, "/api/v1/checkout/review", &with(code))
        };

        let (began, guesser) = (now(), "203.0.113.9");
        let mut told: BTreeMap<u16, usize> = BTreeMap::new();
        for number in 0..1_000 {
            let answer = review(guesser, &format!("SUMMER{number}A"));
            if answer.status == 429 {
                assert!(answer.header("retry-after").is_some(), "{}", answer.head);
            }
            *told.entry(answer.status).or_default() += 1;
        }
        // One more every half a minute.
        let more = began.elapsed().as_secs() as usize / 30 + 1;
        let tried = told.remove(&422).unwrap_or_default();
        assert!((BURST..=BURST + more).contains(&tried), "{tried} were looked up");
        assert_eq!(told, BTreeMap::from([(429, 1_000 - tried)]));

        // Nor does it help to find the right one then; elsewhere it holds, as often as one likes.
        assert_eq!(review(guesser, "SUMMER26").status, 429);
        for _ in 0..BURST * 2 {
            let answer = review("203.0.113.10", "SUMMER26");
            assert_eq!(answer.status, 200, "{}", answer.text());
        }
        let plain = checkout(&[("A-1", 1)]);
        let answer = ask_from(&server, guesser, "/api/v1/checkout/review", &plain);
        assert_eq!(answer.status, 200, "buying goes on: {}", answer.text());
        assert!(server.stop());
    });
}

#[test]
fn two_hundred_logins_at_once_leave_the_shop_open() {
    on_every_stack("two_hundred_logins_at_once_leave_the_shop_open", |stack| {
        let logins = size(200, 1_000);
        let shop = Shop::on(stack);
        let server = shop.serve();
        shop.stock(&server, &[("A-1".to_owned(), 100)]);
        let page = || {
            let began = now();
            let answer = server.get("/api/v1/products/A-1");
            assert_eq!(answer.status, 200, "{}", answer.text());
            began.elapsed()
        };
        let quiet: Vec<_> = (0..300).map(|_| page()).collect();

        let (flooded, over) = (Mutex::new(Vec::new()), AtomicBool::new(false));
        let told: Mutex<BTreeMap<u16, usize>> = Mutex::default();
        let (next, ready) = (AtomicUsize::new(0), std::sync::Barrier::new(201));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                ready.wait();
                while !over.load(Ordering::Relaxed) {
                    let took = page();
                    flooded.lock().unwrap().push(took);
                }
            });
            let flood: Vec<_> = (0..200)
                .map(|_| {
                    scope.spawn(|| {
                        ready.wait();
                        loop {
                            let number = next.fetch_add(1, Ordering::Relaxed);
                            if number >= logins {
                                break;
                            }
                            let email = format!("somebody-{number}@example.com");
                            let body = json!({"email": email, "password": "correct horse"});
                            let answer =
                                ask_from(&server, &place(number), "/api/v1/sessions", &body);
                            if answer.status == 503 {
                                assert!(answer.header("retry-after").is_some(), "{}", answer.head);
                            }
                            *told.lock().unwrap().entry(answer.status).or_default() += 1;
                        }
                    })
                })
                .collect();
            flood.into_iter().for_each(|login| login.join().unwrap());
            over.store(true, Ordering::Relaxed);
        });
        let (flooded, told) = (flooded.into_inner().unwrap(), told.into_inner().unwrap());
        assert!(told.keys().all(|status| [401, 503].contains(status)), "{told:?}");
        assert!(told.contains_key(&401), "some were compared: {told:?}");
        assert!(!flooded.is_empty(), "pages are served meanwhile");
        eprintln!(
            "{}: {logins} logins, 200 at once, were told {told:?}; a product's p50, p99: quiet {:?}, \
             meanwhile {:?} of {}",
            stack.name,
            figures(quiet),
            figures(flooded.clone()),
            flooded.len(),
        );
        assert!(server.stop());
    });
}

#[test]
fn how_long_a_login_takes_says_nothing_of_who_has_an_account() {
    on_every_stack("how_long_a_login_takes_says_nothing_of_who_has_an_account", |stack| {
        let people = size(40, 200);
        let server = stack.serve(&[]);
        for number in 0..people {
            let email = format!("known-{number}@example.com");
            let body = json!({"name": "Ada", "email": email, "password": "a long enough one"});
            let answer = ask_from(&server, &place(number), "/api/v1/customers", &body);
            assert_eq!(answer.status, 201, "{}", answer.text());
        }
        let (mut known, mut unknown) = (Vec::new(), Vec::new());
        for number in 0..people {
            for (who, times) in [("known", &mut known), ("nobody", &mut unknown)] {
                let email = format!("{who}-{number}@example.com");
                let body = json!({"email": email, "password": "correct horse"});
                let began = now();
                let from = place(people + number);
                let answer = ask_from(&server, &from, "/api/v1/sessions", &body);
                times.push(began.elapsed());
                assert_eq!(answer.status, 401);
                let mut told = answer.json();
                told["request_id"].take();
                let same = "this address and this password don't belong together";
                assert_eq!(told["detail"], same, "{told}");
            }
        }
        eprintln!(
            "{}: a wrong password's p50, p99: of an account {:?}, of none {:?}",
            stack.name,
            figures(known),
            figures(unknown),
        );
        assert!(server.stop());
    });
}

fn figures(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort_unstable();
    let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)];
    (at(50), at(99))
}
