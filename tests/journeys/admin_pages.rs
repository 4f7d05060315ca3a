//! The shop's own people at work in their rooms, page by page and without scripts.

use crate::{
    account_pages::{ADA, HOME, buy_by_invoice, fill, is_in, led},
    accounts::{mailed_token, open},
    carts::Person,
    on_every_stack,
    support::{
        client::{Answer, exchange},
        server::{Server, until},
    },
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
pub(crate) fn colleague<'a>(server: &'a Server, role: &str) -> Person<'a> {
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

pub(crate) fn refused(answer: &Answer, status: u16) -> String {
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

/// What stands in a field of a page.
fn value(page: &str, name: &str) -> String {
    let (_, rest) = page.split_once(&format!("name=\"{name}\"")).expect(name);
    let (_, rest) = rest.split_once("value=\"").expect("its value");
    rest.split('"').next().unwrap().to_owned()
}

#[test]
fn a_product_is_made_changed_counted_and_priced_in_place() {
    on_every_stack("admin products", |stack| {
        let server = open(stack);
        let olga = owner(&server);
        let list = "/admin/products";
        let page = olga.page(list);
        assert!(
            page.contains("href=\"/admin/products/A-1\"") && page.contains("Bit set"),
            "{page}"
        );
        assert!(!olga.page("/admin/products?q=bit").contains("/admin/products/A-1"));
        assert!(olga.page("/admin/products?status=disabled").contains("No such products"));

        // A new one is hidden until it is put on sale.
        let taken = fill(&olga, list, list, &[("sku", "A-1"), ("name", "Another")]);
        assert!(refused(&taken, 409).contains("There is a product with this SKU"));
        let empty = refused(&fill(&olga, list, list, &[("sku", "NEW 1"), ("name", "")]), 422);
        assert!(empty.contains("field-sku-error") && empty.contains("field-name-error"), "{empty}");
        let place = led(&olga, list, list, &[("sku", "NEW/1"), ("name", "New drill")]);
        assert_eq!(place, "/admin/products/NEW%2F1?done=made");
        assert!(olga.page(&place).contains("Not shown"));

        let drill = "/admin/products/A-1";
        let page = olga.page(drill);
        let seen = hidden(&page, "version");
        assert_eq!((value(&page, "name"), value(&page, "price")), ("Drill".into(), "10.00".into()));
        let mut fields = vec![
            ("version", seen.as_str()),
            ("name", "Drill <18 V>"),
            ("status", "active"),
            ("price", "12.50"),
            ("currency", "USD"),
            ("brand", "Acme"),
            ("category", ""),
            ("unit", "each"),
            ("precision", "0"),
            ("short_description", "Turns."),
            ("description", "Turns both ways.\r\nAnd stops."),
            ("images", ""),
            ("attributes", "Power: 18 V\r\nWeight: 1.2 kg"),
            ("popularity", "5"),
        ];
        assert_eq!(led(&olga, drill, drill, &fields), "/admin/products/A-1?done=saved");
        let page = olga.page(drill);
        assert_eq!(value(&page, "price"), "12.50");
        assert!(page.contains("Drill &#60;18 V&#62;") && page.contains("Weight: 1.2 kg"), "{page}");
        until("shoppers to see it", || {
            let product = server.json("/api/v1/products/A-1");
            (product["price"]["minor"] == 1_250 && product["attributes"]["Power"] == "18 V")
                .then_some(())
        });
        // By a form from before, and with what can't be.
        let page = refused(&fill(&olga, drill, drill, &fields), 412);
        assert!(page.contains("Somebody changed it"), "{page}");
        let seen = hidden(&olga.page(drill), "version");
        fields[0].1 = &seen;
        fields[3].1 = "-3";
        fields[12].1 = "no colon";
        let page = refused(&fill(&olga, drill, drill, &fields), 422);
        assert!(page.contains("has no colon") && page.contains("Drill &#60;18 V&#62;"), "{page}");
        fields[12].1 = "";
        let page = refused(&fill(&olga, drill, drill, &fields), 422);
        assert!(page.contains("field-price-error"), "{page}");

        // Its stock, with a line in the ledger.
        let stock = "/admin/products/A-1/stock";
        let version = |page: &str| {
            let (_, rest) = page.split_once(&format!("action=\"{stock}\"")).expect("a form");
            hidden(rest, "version")
        };
        let seen = version(&olga.page(drill));
        let mut count = vec![
            ("version", seen.as_str()),
            ("level.main", "41"),
            ("threshold", "2"),
            ("note", "found"),
        ];
        assert_eq!(led(&olga, drill, stock, &count), "/admin/products/A-1?done=stock");
        let page = olga.page(drill);
        assert!(
            page.contains("Counted") && page.contains("found") && page.contains(">Olga<"),
            "{page}"
        );
        assert_eq!(value(&page, "level.main"), "41");
        let told = server.operate("GET", "/api/v1/stock/A-1", b"").json();
        assert_eq!((&told["available"], &told["threshold"]), (&39.into(), &2.into()));
        assert!(refused(&fill(&olga, drill, stock, &count), 412).contains("Somebody changed it"));
        let seen = version(&page);
        count[0].1 = &seen;
        count[1].1 = "4.5";
        assert!(refused(&fill(&olga, drill, stock, &count), 422).contains("whole units"));

        // What a price list says of it.
        let id = "0190a000-0000-7000-8000-000000000001";
        let wish =
            r#"{"name":"Friends","currency":"USD","audiences":[{"kind":"site","code":"main"}]}"#;
        let put = server.operate("PUT", &format!("/api/v1/price-lists/{id}"), wish.as_bytes());
        assert_eq!(put.status, 201, "{}", put.text());
        let prices = "/admin/products/A-1/prices";
        let tiers = [
            ("list", id),
            ("tier.0.was_from", ""),
            ("tier.0.was", ""),
            ("tier.0.from", "10"),
            ("tier.0.amount", "9.99"),
        ];
        assert_eq!(led(&olga, drill, prices, &tiers), "/admin/products/A-1?done=prices");
        assert_eq!(value(&olga.page(drill), "tier.0.amount"), "9.99");
        assert_eq!(refused(&fill(&olga, drill, prices, &tiers), 412).matches("Friends").count(), 2);
        let change = [
            ("list", id),
            ("tier.0.was_from", "10"),
            ("tier.0.was", "999"),
            ("tier.0.from", "5"),
            ("tier.0.amount", "9.50"),
        ];
        led(&olga, drill, prices, &change);
        let told = server.operate("GET", &format!("/api/v1/price-lists/{id}/prices"), b"").json();
        let items = told["items"].as_array().unwrap();
        assert_eq!(items.len(), 1, "{told}");
        assert_eq!((&items[0]["from"], &items[0]["amount"]), (&"5".into(), &"9.50".into()));

        // Whoever may only look sees no button.
        let viewer = colleague(&server, "viewer");
        let page = viewer.page(drill);
        assert!(page.contains("12.50") && !page.contains("Save"), "{page}");
        for place in [drill, stock, prices] {
            refused(&fill(&viewer, drill, place, &count), 403);
        }
        let log = server.operate("GET", "/ops/audit.json?limit=100", b"").text();
        for action in ["product.make", "product.change", "stock.edit", "price_list.prices"] {
            assert!(log.contains(action), "{action} in {log}");
        }
        stack.succeed(&["doctor", "audit"]);
    });
}

#[test]
fn a_program_makes_and_changes_products_by_the_same_rules() {
    on_every_stack("product api", |stack| {
        let server = open(stack);
        let token = std::fs::read_to_string(server.data.join("run/admin.token")).unwrap();
        let bearer = format!("Bearer {}", token.trim());
        let ask = |method: &str, path: &str, more: &[(&str, &str)], body: &str| {
            let headers =
                [("authorization", bearer.as_str()), ("content-type", "application/json")];
            let headers: Vec<_> = headers.iter().chain(more).copied().collect();
            exchange(server.address, method, path, &headers, body.as_bytes()).expect("an answer")
        };
        let products = "/api/v1/products";
        let new = r#"{"sku":"P-9","name":"Pump","price":"80","categories":["Water","Pumps"]}"#;
        let key = [("idempotency-key", "one")];
        assert_eq!(ask("POST", products, &[], new).status, 400, "it needs a key");
        let made = ask("POST", products, &key, new);
        assert_eq!(made.status, 201, "{}", made.text());
        assert_eq!(made.header("location"), Some("/api/v1/products/P-9"));
        assert_eq!(made.json()["categories"][1], "Pumps");
        let again = ask("POST", products, &key, new);
        assert_eq!((again.status, again.header("etag")), (201, made.header("etag")));
        assert_eq!(ask("POST", products, &[("idempotency-key", "two")], new).status, 409);
        let wrong = r#"{"sku":"Q","name":"","price":"x","colour":"red"}"#;
        let wrong = ask("POST", products, &[("idempotency-key", "three")], wrong);
        assert_eq!((wrong.status, &wrong.json()["errors"][0]["pointer"]), (422, &"/colour".into()));

        let source = ask("GET", "/api/v1/products/P-9/source", &[], "");
        let tag = source.header("etag").unwrap().to_owned();
        assert_eq!(made.header("etag"), Some(tag.as_str()));
        let one = "/api/v1/products/P-9";
        let cheaper = r#"{"price":"75.00","brand":"Acme"}"#;
        assert_eq!(ask("PATCH", one, &[], cheaper).status, 428);
        let seen = [("if-match", tag.as_str())];
        let changed = ask("PATCH", one, &seen, cheaper);
        assert_eq!(changed.status, 200, "{}", changed.text());
        assert_eq!(
            (&changed.json()["price"], &changed.json()["name"]),
            (&"75.00".into(), &"Pump".into())
        );
        assert_ne!(changed.header("etag"), Some(tag.as_str()));
        assert_eq!(ask("PATCH", one, &seen, cheaper).status, 412);
        let tag = changed.header("etag").unwrap();
        assert_eq!(ask("PATCH", one, &[("if-match", tag)], r#"{"sku":"X"}"#).status, 422);
        let none = ask("PATCH", "/api/v1/products/NONE", &[("if-match", tag)], cheaper);
        assert_eq!(none.status, 404);
        until("shoppers to see it", || {
            let product = server.get(one);
            (product.status == 200 && product.json()["price"]["minor"] == 7_500).then_some(())
        });
        let hidden = ask("PATCH", one, &[("if-match", "*")], r#"{"status":"disabled"}"#);
        assert_eq!(hidden.status, 200, "{}", hidden.text());
        until("shoppers not to see it", || (server.get(one).status == 404).then_some(()));
        assert_eq!(ask("GET", "/api/v1/products/P-9/source", &[], "").json()["status"], "disabled");
        assert_eq!(server.get("/api/v1/products/P-9/source").status, 401);
    });
}

#[test]
fn a_customer_is_found_grouped_and_forgotten() {
    on_every_stack("admin customers", |stack| {
        let server = open(stack);
        let olga = owner(&server);
        let list = "/admin/customers";
        assert!(olga.page(list).contains("No customers yet"));
        let ada = buyer(&server);
        ada.send("/cart/add", &[("sku", "A-1"), ("quantity", "2")]);
        let order = buy_by_invoice(&ada).split('?').next().unwrap().to_owned();
        let home: Vec<_> = [("do", "save")].iter().chain(&HOME).copied().collect();
        led(&ada, "/account/addresses/new", "/account/addresses", &home);
        let page = olga.page(&format!("{list}?q=ADA@"));
        let (_, place) = page.split_once("href=\"/admin/customers/").expect("a link");
        let place = format!("{list}/{}", place.split('"').next().unwrap());
        assert!(olga.page(&format!("{list}?q=eve")).contains("No such customers"));

        let page = olga.page(&place);
        for shown in ["Ada", ADA, "1 Road", &format!("/admin{order}"), "Download all"] {
            assert!(page.contains(shown), "{shown} in {page}");
        }
        assert!(olga.page(&format!("/admin{order}")).contains(&place), "the order leads to them");
        let group = r#"{"code":"friends","name":"Friends"}"#;
        let group = server.operate("POST", "/api/v1/customer-groups", group.as_bytes()).json();
        let group = group["id"].as_str().unwrap();
        let choose = [("seen", ""), ("group", group)];
        assert_eq!(led(&olga, &place, &place, &choose), format!("{place}?done=group"));
        assert!(olga.page(list).contains("Friends"));
        refused(&fill(&olga, &place, &place, &choose), 412);
        let nonsense = [("seen", group), ("group", "friends")];
        refused(&fill(&olga, &place, &place, &nonsense), 422);

        let export = olga.ask("GET", &format!("{place}/export"), &[], "");
        assert_eq!(export.json()["customer"]["name"], "Ada");
        let viewer = colleague(&server, "viewer");
        assert!(!viewer.page(&place).contains("Erase"));
        let erase = format!("{place}/erase");
        refused(&fill(&viewer, &place, &erase, &[("sure", "yes")]), 403);
        refused(&ada.ask("GET", &place, &[], ""), 403);
        assert!(refused(&fill(&olga, &place, &erase, &[]), 422).contains("They asked for it"));
        assert!(is_in(&ada));

        // Locked out at once and everywhere, and told no more than who mistypes.
        let customer = place.rsplit('/').next().unwrap();
        let users = format!("/api/v1/customers/{customer}/users");
        let user = server.operate("GET", &users, b"").json()["items"][0].clone();
        assert_eq!((&user["active"], &user["locked"]), (&true.into(), &false.into()));
        let user = user["id"].as_str().unwrap();
        let lock = format!("{place}/lock");
        let wish = |wish: &'static str| [("user", user), ("do", wish)];
        refused(&fill(&viewer, &place, &lock, &wish("lock")), 403);
        refused(&fill(&olga, &place, &lock, &wish("shoot")), 422);
        assert!(is_in(&ada));
        assert_eq!(led(&olga, &place, &lock, &wish("lock")), format!("{place}?done=locked"));
        assert!(!is_in(&ada));
        let right = [("email", ADA), ("password", "correct horse")];
        let wrong = [("email", ADA), ("password", "correct mouse")];
        let texts =
            [&right, &wrong].map(|login| refused(&fill(&ada, "/login", "/login", login), 422));
        let told = |page: &str| {
            let (_, rest) = page.split_once("role=\"alert\"").expect("it is told");
            rest.split_once("</section>").unwrap().0.to_owned()
        };
        assert_eq!(told(&texts[0]), told(&texts[1]), "nobody learns that the password is right");
        assert!(olga.page(&place).contains("Locked out since"));
        let open = format!("{users}/{user}");
        assert_eq!(server.operate("PATCH", &open, br#"{"locked":false}"#).status, 204);
        let of_nobody = format!("{users}/{customer}");
        assert_eq!(server.operate("PATCH", &of_nobody, br#"{"locked":true}"#).status, 404);
        assert!(!is_in(&ada), "what has ended stays so");
        led(&ada, "/login", "/login", &right);
        assert!(is_in(&ada));
        let log = server.operate("GET", "/ops/audit.json?limit=100", b"").text();
        assert!(log.contains("account.lock") && log.contains("account.let_in"), "{log}");

        assert_eq!(led(&olga, &place, &erase, &[("sure", "yes")]), format!("{place}?done=erased"));
        assert!(!is_in(&ada));
        let page = olga.page(&place);
        assert!(page.contains("None saved") && !page.contains("1 Road"), "{page}");
        assert!(page.contains(&format!("/admin{order}")), "the books keep the order");
        refused(&olga.ask("GET", &format!("{list}/none"), &[], ""), 404);
        stack.succeed(&["doctor", "audit"]);
    });
}

#[test]
fn an_owner_invites_a_colleague_and_says_what_they_may() {
    on_every_stack("admin staff", |stack| {
        let server = open(stack);
        let olga = owner(&server);
        let list = "/admin/staff";
        let bad = [("name", ""), ("email", "kim"), ("role", "clerk")];
        let page = refused(&fill(&olga, list, list, &bad), 422);
        assert!(page.contains("field-email-error") && page.contains("value=\"kim\""), "{page}");
        let kim = [("name", "Kim"), ("email", "kim@example.com"), ("role", "clerk")];
        assert_eq!(led(&olga, list, list, &kim), "/admin/staff?done=invited");
        refused(&fill(&olga, list, list, &kim), 409);
        let secret = mailed_token(&server, "kim@example.com", "Your account at");
        let person = Person::come(&server);
        let place = format!("/reset?token={secret}");
        led(&person, &place, "/reset", &[("token", &secret), ("password", "correct horse")]);
        let login = [("email", "kim@example.com"), ("password", "correct horse")];
        led(&person, "/login", "/login", &login);
        assert!(!person.page("/admin").contains(list), "that room is for owners");
        refused(&person.ask("GET", list, &[], ""), 403);

        let page = olga.page(list);
        let (_, place) = page.split_once("action=\"/admin/staff/").expect("a form");
        let place = format!("{list}/{}", place.split('"').next().unwrap());
        let lock = [("seen", "clerk true"), ("role", "viewer")];
        refused(&fill(&person, "/admin", &place, &lock), 403);
        assert_eq!(led(&olga, list, &place, &lock), "/admin/staff?done=saved");
        assert!(!is_in(&person) && olga.page(list).contains("Locked out"));
        refused(&fill(&olga, list, &place, &lock), 412);
        let back = [("seen", "viewer false"), ("role", "viewer"), ("active", "yes")];
        led(&olga, list, &place, &back);
        led(&person, "/login", "/login", &login);
        assert!(person.page("/admin/orders").contains("No orders yet"));
        stack.succeed(&["doctor", "audit"]);
    });
}
