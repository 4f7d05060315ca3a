//! What a buyer is mailed of an order, and what the link in it opens, and to whom.

use crate::{
    carts::{Person, token},
    checkout::{GOOD, open, place, review},
    on_every_stack,
    support::{
        server::{Server, until},
        stack::Stack,
    },
};
use base64::{Engine, engine::general_purpose::STANDARD};
use std::fs;

/// Mails in the folder whose subject has this, decoded.
fn mails(server: &Server, subject: &str) -> Vec<String> {
    let Ok(files) = fs::read_dir(server.data.join("mail")) else { return Vec::new() };
    let texts = files.map(|file| file.unwrap().path());
    let texts = texts.filter(|path| path.extension().is_some_and(|end| end == "eml"));
    let texts = texts.map(|path| fs::read_to_string(path).unwrap());
    texts
        .filter(|text| {
            text.lines().any(|line| line.starts_with("Subject:") && line.contains(subject))
        })
        .map(|text| decoded(&text))
        .collect()
}

/// With each part in base64 put into words.
fn decoded(mail: &str) -> String {
    let mut all = String::new();
    for part in mail.split("\r\n--") {
        match part.split_once("Content-Transfer-Encoding: base64\r\n\r\n") {
            Some((head, body)) => {
                let bytes = STANDARD.decode(body.replace("\r\n", "")).unwrap();
                all.push_str(head);
                all.push_str(&String::from_utf8(bytes).unwrap());
            }
            None => all.push_str(part),
        }
    }
    all
}

pub(crate) fn mailed(server: &Server, subject: &str) -> String {
    until(subject, || mails(server, subject).pop())
}

/// Path and query of the link in a mail.
fn link(mail: &str) -> String {
    let (_, rest) = mail.split_once("/orders/").unwrap_or_else(|| panic!("no link in {mail}"));
    format!("/orders/{}", rest.split(['\r', '\n', '"', '<']).next().unwrap())
}

fn buy<'a>(server: &'a Server, sku: &str) -> (Person<'a>, String) {
    let person = Person::come(server);
    person.send("/cart/add", &[("sku", sku), ("quantity", "2")]);
    let fields = review(&person, GOOD);
    let placed = place(&person, &fields);
    let order = placed.header("location").unwrap().split('?').next().unwrap().to_owned();
    // Pressed again it is the same order, and no mail more.
    place(&person, &fields);
    (person, order)
}

#[test]
fn a_guest_opens_their_order_by_its_mail_in_another_browser() {
    on_every_stack("order mail", |stack| {
        let server = open(stack);
        let (person, order) = buy(&server, "A-1");
        let mail = mailed(&server, "Your order 1001");
        for told in ["To: <ada@example.com>", "$20.00", "2 × Drill", "1 Road", "10115 Berlin"] {
            assert!(mail.contains(told), "{told} in {mail}");
        }
        assert!(mail.contains("<br>1 Road") && mail.contains("Ada &#60;b&#62;"), "{mail}");
        let link = link(&mail);
        assert!(link.starts_with(&format!("{order}?token=")), "{link}");

        let other = Person::come(&server);
        assert_eq!(other.ask("GET", &order, &[], "").status, 404);
        for wrong in ["x".to_owned(), link.split_once('=').unwrap().1.to_lowercase()] {
            let address = format!("{order}?token={wrong}");
            assert_eq!(other.ask("GET", &address, &[], "").status, 404, "{address}");
        }
        let led = other.ask("GET", &link, &[], "");
        assert_eq!((led.status, led.header("location")), (303, Some(order.as_str())));
        assert_eq!(led.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(led.header("cache-control"), Some("no-store"));
        let cookie = led.header("set-cookie").unwrap();
        assert!(
            cookie.contains(&format!("Path={order};")) && cookie.contains("HttpOnly"),
            "{cookie}"
        );
        let page = until("the payment", || {
            let page = other.page(&order);
            page.contains("Your order is confirmed").then_some(page)
        });
        assert!(page.contains("Cancel this order") && !page.contains("token="), "{page}");
        let log = server.log();
        let secret = link.split_once('=').unwrap().1;
        assert!(!log.contains(secret), "a token in the log");

        // It opens that order and no other.
        let (_, second) = buy(&server, "M-3");
        assert_eq!(other.ask("GET", &second, &[], "").status, 404);

        let gone = other.send(&format!("{order}/cancel"), &[("form_token", &token(&page))]);
        assert_eq!(gone.status, 303, "{}", gone.text());
        assert!(person.page(&order).contains("This order is cancelled"));
        let mail = mailed(&server, "1001 is cancelled");
        assert!(mail.contains("What you paid goes back"), "{mail}");
        assert!(!mail.contains("token="), "{mail}");
        assert_eq!(mails(&server, "Your order 1001 at").len(), 1);
    });
}

#[test]
fn staff_moves_are_mailed_with_what_they_mean() {
    on_every_stack("moves mail", |stack| {
        let server = open(stack);
        let (_, order) = buy(&server, "A-1");
        let api = format!("/api/v1{order}/actions");
        until("the payment", || {
            let order = server.operate("GET", &format!("/api/v1{order}"), b"").json();
            (order["payment"] == "captured").then_some(())
        });
        let act = |action: &str| {
            let body = format!("{{\"action\":\"{action}\",\"note\":\"for staff alone\"}}");
            let done = server.operate("POST", &api, body.as_bytes());
            assert_eq!(done.status, 200, "{action}: {}", done.text());
        };
        act("ship");
        let mail = mailed(&server, "is on its way");
        assert!(mail.contains("left our warehouse") && !mail.contains("staff alone"), "{mail}");
        act("refund");
        mailed(&server, "your money goes back");
    });
}

/// Between the commit and the sending the server dies.
#[test]
fn a_mail_that_was_not_sent_when_the_server_was_killed_is_sent_by_the_next() {
    let stack = Stack::embedded();
    let server = open(&stack);
    let (folder, away) = (server.data.join("mail"), server.data.join("mail-away"));
    // Nothing can be put there now.
    fs::rename(&folder, &away).unwrap();
    fs::write(&folder, "in the way").unwrap();
    let (_, order) = buy(&server, "A-1");
    server.kill();
    fs::remove_file(&folder).unwrap();
    fs::rename(&away, &folder).unwrap();
    let config = stack.path("stoa.toml");
    let server = stack.serve(&["--config", config.to_str().unwrap()]);
    let mail = mailed(&server, "Your order 1001 at");
    assert!(mail.contains(&order), "{mail}");
    assert_eq!(mails(&server, "Your order 1001 at").len(), 1);
}
