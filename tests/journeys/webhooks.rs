//! An endpoint of somebody else's is told of orders: signed, until it takes them, also when the
//! server is killed meanwhile, and no longer once it says that it is gone.

mod receiver;

use crate::{
    carts::{PRODUCTS, Person, import},
    checkout::{GOOD, place, review},
    on_every_stack,
    support::{
        server::{Server, last_json, run, until},
        stack::Stack,
    },
};
use receiver::{Heard, Receiver, Says};
use serde_json::{Value, json};

fn serve(stack: &Stack) -> Server {
    let config = stack.path("stoa.toml");
    let text = "[payments]\ntest_cards = true\n[webhooks]\nreach = \"anywhere\"\n";
    std::fs::write(&config, text).unwrap();
    stack.serve(&["--config", config.to_str().unwrap()])
}

fn open(stack: &Stack) -> Server {
    let server = serve(stack);
    import(stack, PRODUCTS);
    until("the products to be read", || {
        (server.get("/api/v1/products/E-6").status == 200).then_some(())
    });
    server
}

/// Places an order.
fn buy(server: &Server) {
    let person = Person::come(server);
    person.send("/cart/add", &[("sku", "A-1"), ("quantity", "1")]);
    let placed = place(&person, &review(&person, GOOD));
    assert_eq!(placed.status, 303, "{}", placed.text());
}

fn ask(stack: &Stack, arguments: &[&str]) -> Value {
    let all: Vec<_> = ["webhook"].iter().chain(arguments).chain(&["--json"]).copied().collect();
    last_json(&stack.succeed(&all))
}

fn refused(stack: &Stack, arguments: &[&str]) -> String {
    let all: Vec<_> = ["webhook"].iter().chain(arguments).copied().collect();
    let refused = run(&stack.data(), &stack.with(&all));
    assert_eq!(refused.status.code(), Some(1), "{arguments:?}");
    String::from_utf8_lossy(&refused.stderr).into_owned()
}

/// Registers it for orders that are placed: its id and its secret.
fn register(stack: &Stack, receiver: &Receiver) -> (String, String) {
    let made = ask(stack, &["add", &receiver.url(), "--topics", "order_placed"]);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&made["webhook"]["id"]), text(&made["secret"]))
}

/// The newest, once it is in this state.
fn newest(stack: &Stack, endpoint: &str, state: &str) -> Value {
    until(&format!("the newest delivery to be {state}"), || {
        let list = ask(stack, &["deliveries", endpoint, "--limit", "1"]);
        let newest = list["items"][0].clone();
        (newest["state"] == state).then_some(newest)
    })
}

/// All that came, once there are so many.
fn all_heard(receiver: &Receiver, count: usize) -> Vec<Heard> {
    until(&format!("{count} requests"), || {
        let heard = receiver.heard();
        assert!(heard.len() <= count, "{heard:?}");
        (heard.len() == count).then_some(heard)
    })
}

#[test]
fn an_endpoint_is_told_of_an_order_until_it_takes_it() {
    on_every_stack("webhooks", |stack| {
        let (receiver, server) = (Receiver::start(), open(stack));
        let wrong = refused(stack, &["add", "ftp://hooks.example/"]);
        assert!(wrong.contains("/url") && wrong.contains("https://example.com/hook"), "{wrong}");
        let topics = "order_placed,order_paced";
        let typo = ["webhook", "add", &receiver.url(), "--topics", topics];
        let wrong = run(&stack.data(), &stack.with(&typo));
        assert_eq!(wrong.status.code(), Some(2));
        let told = String::from_utf8_lossy(&wrong.stderr).into_owned();
        assert!(told.contains("'order_paced'") && told.contains("order_shipped"), "{told}");
        assert_eq!(ask(stack, &["list"])["items"], json!([]), "nothing was made");

        let (id, secret) = register(stack, &receiver);
        assert!(refused(stack, &["add", &receiver.url()]).contains("an endpoint of this URL"));
        receiver.say(Says::Status(500));
        buy(&server);
        until("the first try", || (!receiver.heard().is_empty()).then_some(()));
        receiver.say(Says::Status(200));
        let delivered = newest(stack, &id, "delivered");
        let heard = all_heard(&receiver, 2);
        for one in &heard {
            assert!(one.is_signed_with(&secret), "{one:?}");
            assert_eq!((one.id(), &one.body), (heard[0].id(), &heard[0].body), "a repeat");
        }
        let event = heard[0].json();
        assert_eq!(
            (&event["specversion"], &event["type"]),
            (&"1.0".into(), &"order_placed".into())
        );
        assert_eq!(delivered["id"], heard[0].id());
        let placed = server.operate("GET", "/api/v1/orders?limit=1", b"").json();
        assert_eq!(event["subject"], placed["items"][0]["id"], "{placed}");
        let told = ask(stack, &["delivery", heard[0].id()]);
        let tries = told["all_tries"].as_array().unwrap();
        let statuses: Vec<_> = tries.iter().map(|one| &one["status"]).collect();
        assert_eq!(statuses, [&json!(500), &json!(200)]);
        assert_eq!(tries[1]["said"], "words");

        let rotated = ask(stack, &["rotate", &id, "--keep-hours", "1"]);
        let new = rotated["secret"].as_str().unwrap();
        ask(stack, &["test", &id]);
        let ping = all_heard(&receiver, 3).pop().unwrap();
        assert!(ping.is_signed_with(&secret) && ping.is_signed_with(new), "{ping:?}");
        assert_eq!(ping.json()["type"], "ping");
        server.audited(&[("webhook.add", 1), ("webhook.rotate", 1), ("webhook.ping", 1)]);
        let audit = server.operate("GET", "/ops/audit.json?limit=100", b"").text();
        let log = server.log();
        for secret in [secret.as_str(), new] {
            let shown = [&audit, &log].iter().any(|text| text.contains(secret));
            assert!(!shown, "a secret was told to others");
        }
        stack.succeed(&["webhook", "remove", &id]);
        assert!(refused(stack, &["deliveries", &id]).contains("no such endpoint"));
    });
}

#[test]
fn what_was_placed_before_a_kill_is_told_behind_it() {
    on_every_stack("webhooks_kill", |stack| {
        let (receiver, server) = (Receiver::start(), open(stack));
        let (id, secret) = register(stack, &receiver);
        // Between the order and its telling.
        stack.succeed(&["queue", "pause", "webhook"]);
        buy(&server);
        server.kill();
        let server = serve(stack);
        assert!(receiver.heard().is_empty());
        stack.succeed(&["queue", "resume", "webhook"]);
        let first = newest(stack, &id, "delivered");
        assert!(all_heard(&receiver, 1)[0].is_signed_with(&secret));
        // Between its telling and the answer.
        receiver.say(Says::Nothing);
        buy(&server);
        let heard = all_heard(&receiver, 2);
        server.kill();
        receiver.say(Says::Status(204));
        let _server = serve(stack);
        let second = newest(stack, &id, "delivered");
        let heard_anew = all_heard(&receiver, 3).pop().unwrap();
        assert_eq!(heard_anew.id(), heard[1].id(), "under the id that it had");
        assert!(heard_anew.is_signed_with(&secret));
        assert_ne!(first["subject"], second["subject"]);
        let all = ask(stack, &["deliveries", &id]);
        assert_eq!(all["items"].as_array().unwrap().len(), 2, "an order is one delivery: {all}");
    });
}

#[test]
fn one_that_is_gone_is_disabled_and_takes_again_what_is_sent_again() {
    on_every_stack("webhooks_gone", |stack| {
        let (receiver, server) = (Receiver::start(), open(stack));
        let (id, secret) = register(stack, &receiver);
        receiver.say(Says::Status(410));
        buy(&server);
        let failed = newest(stack, &id, "failed");
        assert_eq!(failed["last_try"]["status"], 410);
        let gone = ask(stack, &["show", &id]);
        assert_eq!(gone["enabled"], false);
        assert!(gone["disabled_why"].as_str().unwrap().contains("410"), "{gone}");
        let delivery = failed["id"].as_str().unwrap();
        for cannot in [["resend", delivery], ["test", id.as_str()]] {
            let told = refused(stack, &cannot);
            assert!(told.contains("disabled") && told.contains("enable it first"), "{told}");
        }
        // Nobody is told of it, also later.
        buy(&server);
        ask(stack, &["set", &id, "--enable"]);
        receiver.say(Says::Status(200));
        ask(stack, &["resend", delivery]);
        assert_eq!(newest(stack, &id, "delivered")["id"], delivery);
        let heard = all_heard(&receiver, 2);
        assert_eq!(heard[1].id(), heard[0].id());
        assert!(heard[1].is_signed_with(&secret));
        buy(&server);
        let third = all_heard(&receiver, 3).pop().unwrap();
        assert_ne!(third.json()["subject"], heard[0].json()["subject"]);
        server.audited(&[("webhook.set", 1), ("webhook.resend", 1)]);
    });
}

#[test]
fn nothing_of_this_machine_or_its_network_is_told_unless_that_is_wanted() {
    let stack = Stack::embedded();
    let _server = stack.serve(&[]);
    for (url, told) in [
        ("http://127.0.0.1:9/", "https://"),
        ("https://127.0.0.1/", "not on the public internet"),
        ("https://[::ffff:10.0.0.1]/", "not on the public internet"),
        ("https://169.254.169.254/latest/meta-data", "not on the public internet"),
    ] {
        let wrong = refused(&stack, &["add", url]);
        assert!(wrong.contains("/url") && wrong.contains(told), "{url}: {wrong}");
    }
}
