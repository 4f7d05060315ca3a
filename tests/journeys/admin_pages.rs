//! The shop's own people at work in their rooms, page by page and without scripts.

use crate::{
    account_pages::{ADA, buy_by_invoice, fill, led},
    accounts::{mailed_token, open},
    carts::Person,
    on_every_stack,
    support::{client::Answer, server::Server},
};

/// Somebody who has become the shop's owner.
pub(crate) fn owner(server: &Server) -> Person<'_> {
    let link = std::fs::read_to_string(server.data.join("run/setup.link")).unwrap();
    let (_, secret) = link.trim().split_once("token=").unwrap();
    let place = format!("/admin/setup?token={secret}");
    let person = Person::come(server);
    let wish = [
        ("token", secret),
        ("name", "Olga"),
        ("email", "olga@example.com"),
        ("password", "correct horse"),
    ];
    led(&person, &place, "/admin/setup", &wish);
    person
}

/// Somebody whom the shop has invited in this role.
fn colleague<'a>(server: &'a Server, role: &str) -> Person<'a> {
    let email = format!("{role}@example.com");
    let wish = format!(r#"{{"name":"A {role}","email":"{email}","role":"{role}"}}"#);
    let invited = server.operate("POST", "/api/v1/staff", wish.as_bytes());
    assert_eq!(invited.status, 201, "{}", invited.text());
    let secret = mailed_token(server, &email, "Your account at");
    let person = Person::come(server);
    let place = format!("/reset?token={secret}");
    let set = [("token", secret.as_str()), ("password", "correct horse")];
    led(&person, &place, "/reset", &set);
    led(&person, "/login", "/login", &[("email", &email), ("password", "correct horse")]);
    person
}

/// Ada, who has registered.
pub(crate) fn buyer(server: &Server) -> Person<'_> {
    let person = Person::come(server);
    let registration = [("name", "Ada"), ("email", ADA), ("password", "correct horse")];
    led(&person, "/register", "/register", &registration);
    person
}

pub(crate) fn hidden(page: &str, name: &str) -> String {
    let begin = format!("name=\"{name}\" value=\"");
    let (_, rest) = page.split_once(&begin).unwrap_or_else(|| panic!("no {name} in {page}"));
    rest.split('"').next().unwrap().to_owned()
}

/// Presses a button of an order's page, which must be led on.
fn press(person: &Person<'_>, order: &str, action: &str, more: &[(&str, &str)]) -> String {
    let version = hidden(&person.page(order), "version");
    let fields = [("version", version.as_str()), ("action", action)];
    let fields: Vec<_> = fields.iter().chain(more).copied().collect();
    let place = led(person, order, order, &fields);
    assert_eq!(place, format!("{order}?done={action}"));
    person.page(&place)
}

fn refused(answer: &Answer, status: u16) -> String {
    assert_eq!(answer.status, status, "{}", answer.text());
    answer.text()
}

#[test]
fn a_room_is_open_to_those_whom_its_permission_is_given() {
    on_every_stack("admin rooms", |stack| {
        let server = open(stack);
        let stranger = Person::come(&server);
        for room in ["/admin", "/admin/orders"] {
            let away = stranger.ask("GET", room, &[], "");
            let login = format!("/login?next={}", room.replace('/', "%2F"));
            assert_eq!((away.status, away.header("location")), (303, Some(login.as_str())));
        }
        let ada = buyer(&server);
        let closed = refused(&ada.ask("GET", "/admin", &[], ""), 403);
        assert!(closed.contains("catalogue:read"), "{closed}");
        refused(&ada.ask("GET", "/admin/orders", &[], ""), 403);

        let olga = owner(&server);
        assert!(olga.page("/account").contains("href=\"/admin\""));
        let home = olga.page("/admin");
        for shown in ["Olga, owner", "href=\"/admin/orders\"", "Waiting for somebody", "Low stock"]
        {
            assert!(home.contains(shown), "{shown} in {home}");
        }
        assert!(home.contains("aria-current=\"page\">Overview"), "{home}");

        // Looks, and does nothing.
        ada.send("/cart/add", &[("sku", "A-1"), ("quantity", "2")]);
        let order = buy_by_invoice(&ada).split('?').next().unwrap().to_owned();
        let order = format!("/admin{order}");
        let viewer = colleague(&server, "viewer");
        assert!(viewer.page("/admin/orders").contains(&order));
        let page = viewer.page(&order);
        assert!(page.contains("A-1") && !page.contains("name=\"action\""), "{page}");
        let ship = [("action", "ship"), ("version", "1")];
        refused(&fill(&viewer, "/admin", &order, &ship), 403);
        refused(&ada.ask("GET", &order, &[], ""), 403);
        // Nor without the token of a page of ours.
        refused(&olga.send(&order, &ship), 403);
        assert!(colleague(&server, "clerk").page(&order).contains("name=\"action\""));
    });
}

#[test]
fn an_order_is_found_packed_sent_paid_and_given_back() {
    on_every_stack("admin orders", |stack| {
        let server = open(stack);
        let olga = owner(&server);
        assert!(olga.page("/admin/orders").contains("No orders yet"));
        let ada = buyer(&server);
        ada.send("/cart/add", &[("sku", "A-1"), ("quantity", "2")]);
        let order = buy_by_invoice(&ada).split('?').next().unwrap().to_owned();
        let order = format!("/admin{order}");
        let on_hand = || {
            let stock = server.operate("GET", "/api/v1/stock/A-1", b"").json();
            stock["levels"][0]["on_hand"].as_i64().unwrap()
        };

        // Found by what people say of it.
        let page = olga.page(&order);
        let (_, number) = page.split_once("Order ").unwrap();
        let number = number.split(|c: char| !c.is_ascii_digit()).next().unwrap().to_owned();
        let link = format!("href=\"{order}\"");
        for question in [
            format!("?q={number}"),
            format!("?q=%23{number}&status="),
            "?q=ADA@example.com".to_owned(),
            "?status=confirmed&payment=authorised".to_owned(),
            "?from=2020-01-01&until=2199-12-31".to_owned(),
        ] {
            assert!(olga.page(&format!("/admin/orders{question}")).contains(&link), "{question}");
        }
        for question in [
            "?q=1",
            "?q=eve@example.com",
            "?status=shipped",
            "?from=2199-01-01",
            "?payment=refunded",
        ] {
            let page = olga.page(&format!("/admin/orders{question}"));
            assert!(page.contains("No such orders") && !page.contains(&link), "{question}");
        }
        for question in ["?q=drill", "?from=yesterday"] {
            let answer = olga.ask("GET", &format!("/admin/orders{question}"), &[], "");
            assert!(refused(&answer, 400).contains("role=\"alert\""), "{question}");
        }

        let page = press(&olga, &order, "process", &[("note", "by <hand>")]);
        assert!(
            page.contains("It is being packed.") && page.contains("by &#60;hand&#62;"),
            "{page}"
        );
        // Pressed by somebody who saw an older version.
        let late = [("version", "1"), ("action", "cancel"), ("note", "a mistake")];
        let page = refused(&fill(&olga, &order, &order, &late), 412);
        assert!(page.contains("Somebody changed it") && page.contains("a mistake"), "{page}");
        assert!(page.contains("Being packed"), "{page}");
        // What can't be done now is refused in words.
        let version = hidden(&page, "version");
        let early = [("version", version.as_str()), ("action", "complete")];
        assert!(
            refused(&fill(&olga, &order, &order, &early), 409).contains("can&#39;t be completed")
        );
        let nonsense = [("version", version.as_str()), ("action", "settle")];
        refused(&fill(&olga, &order, &order, &nonsense), 422);
        assert_eq!(on_hand(), 50);

        press(&olga, &order, "ship", &[]);
        assert_eq!(on_hand(), 48);
        let page = press(&olga, &order, "paid", &[]);
        assert!(page.contains(">Paid<") && page.contains("$20.00 taken"), "{page}");
        press(&olga, &order, "complete", &[]);
        let page = press(&olga, &order, "refund", &[("restock", "yes"), ("note", "too loud")]);
        assert!(page.contains("too loud") && page.contains("by Olga"), "{page}");
        assert_eq!(on_hand(), 50);
        assert!(!olga.page(&order).contains("name=\"action\""), "nothing is left to do");

        let log = server.operate("GET", "/ops/audit.json?limit=100", b"").json();
        let told = |action: &str| {
            let all = log["items"].as_array().unwrap();
            all.iter().any(|entry| {
                entry["action"] == action && entry["by"].as_str().unwrap().starts_with("user:")
            })
        };
        for action in ["order.process", "order.ship", "order.complete", "order.refund"] {
            assert!(told(action), "{action} in {log}");
        }
        stack.succeed(&["doctor", "audit"]);
    });
}
