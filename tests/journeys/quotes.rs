//! What has no price for everybody is asked for, offered, taken and bought.

use crate::{
    account_pages::{buy_by_invoice, fill, led},
    admin_pages::{buyer, hidden, owner},
    carts::Person,
    checkout::open,
    mails::mailed,
    on_every_stack,
    support::{
        client::Answer,
        server::{Server, until},
    },
};

/// As a program that has this person's cookie.
fn api(server: &Server, person: &Person<'_>, path: &str, key: &str, body: &str) -> Answer {
    let origin = format!("http://{}", server.address);
    let headers = [
        ("origin", origin.as_str()),
        ("content-type", "application/json"),
        ("idempotency-key", key),
    ];
    person.ask("POST", &format!("/api/v1/quotes{path}"), &headers, body)
}

#[test]
fn a_price_on_request_is_offered_taken_and_bought() {
    on_every_stack("quotes", |stack| {
        let server = open(stack);
        let slug = server.json("/api/v1/products/R-4")["slug"].as_str().unwrap().to_owned();
        let product = server.get(&format!("/p/{slug}")).text();
        assert!(product.contains("href=\"/quote/R-4\""), "{product}");
        let guest = Person::come(&server).ask("GET", "/quote/R-4", &[], "");
        assert_eq!(guest.header("location"), Some("/login?next=%2Fquote%2FR-4"));

        let (ada, boss) = (buyer(&server), owner(&server));
        let page = ada.page("/quote/R-4");
        assert!(page.contains("R-4 1"), "{page}");
        let wrong = fill(&ada, "/quote", "/quote", &[("once", "1"), ("rows", "R-4 1\nNOPE 2")]);
        assert_eq!(wrong.status, 422);
        assert!(wrong.text().contains("there is no product with this SKU"), "{}", wrong.text());
        let once = hidden(&page, "once");
        let wish = [("once", once.as_str()), ("rows", "R-4 1"), ("wish", "<b>soon</b>")];
        let place = led(&ada, "/quote", "/quote", &wish);
        assert_eq!(led(&ada, "/quote", "/quote", &wish), place, "pressed twice it is one wish");
        let mine = place.split('?').next().unwrap().to_owned();
        let quote = ada.page(&place);
        assert!(quote.contains("Waiting for our answer"), "{quote}");
        assert!(quote.contains("&#60;b&#62;soon"), "{quote}");
        let all = server.operate("GET", "/api/v1/quotes", b"").json();
        assert_eq!(all["items"].as_array().map(Vec::len), Some(1), "{all}");
        let mail = mailed(&server, "is asked for");
        assert!(mail.contains("To: <shop@localhost>") && mail.contains("1 × Crane"), "{mail}");

        // To others it isn't there.
        let stranger = Person::come(&server);
        assert_eq!(stranger.ask("GET", &mine, &[], "").status, 303);
        let api_place = format!("/api/v1{mine}");
        assert_eq!(stranger.ask("GET", &api_place, &[], "").status, 404);

        let room = format!("/admin{mine}");
        assert!(boss.page("/admin/quotes").contains(&room));
        let desk = boss.page(&room);
        let (_, day) = desk.split_once("type=\"date\" value=\"").unwrap();
        // Another day than the one that is offered to choose.
        let middle = if day.ends_with("-15") { "16" } else { "15" };
        let day = format!("{}{middle}", &day[..8]);
        let version = hidden(&desk, "version");
        let offer = |price| {
            [
                ("version", version.as_str()),
                ("action", "offer"),
                ("price.0", price),
                ("until", &day),
                ("answer", "With delivery."),
            ]
        };
        for bad in ["", "-1", "0", "12.345"] {
            let refused = fill(&boss, &room, &room, &offer(bad));
            assert_eq!(refused.status, 422, "{bad}: {}", refused.text());
        }
        led(&boss, &room, &room, &offer("1200.00"));
        assert_eq!(fill(&boss, &room, &room, &offer("1.00")).status, 412, "it was seen before");
        // It stands in the form as it was sent, to be sent anew with something changed.
        let desk = boss.page(&room);
        assert!(desk.contains(&format!("type=\"date\" value=\"{day}\"")), "{desk}");
        assert!(desk.contains("With delivery.</textarea>"), "{desk}");
        let mail = mailed(&server, "Our offer");
        assert!(mail.contains("To: <ada@example.com>") && mail.contains("$1,200.00"), "{mail}");

        let page = ada.page(&mine);
        assert!(page.contains("$1,200.00") && page.contains("Take the offer"), "{page}");
        let reply = format!("{mine}/reply");
        let stale = fill(&ada, &mine, &reply, &[("version", "1"), ("action", "accept")]);
        assert_eq!(stale.status, 409, "{}", stale.text());
        let version = hidden(&page, "version");
        let take = [("version", version.as_str()), ("action", "accept")];
        let place = led(&ada, &mine, &reply, &take);
        assert!(ada.page(&place).contains("The offer is yours"));
        mailed(&server, "is taken");
        until("the prices to count", || {
            let put = fill(&ada, &mine, &format!("{mine}/cart"), &[]);
            (put.status == 303).then_some(())
        });
        let cart = ada.page("/cart");
        assert!(cart.contains("$1,200.00"), "{cart}");
        let order = buy_by_invoice(&ada);
        assert!(ada.page(&order).contains("$1,200.00"));
        assert!(ada.page("/account/quotes").contains("Taken"));
    });
}

#[test]
fn a_program_asks_once_and_what_is_wrong_is_named_by_its_place() {
    on_every_stack("quotes api", |stack| {
        let server = open(stack);
        let ada = buyer(&server);
        let ask = |key, body| api(&server, &ada, "", key, body);
        let body = r#"{"lines":[{"sku":"R-4","quantity":2}],"wish":"soon"}"#;
        let first = ask("a", body);
        assert_eq!(first.status, 201, "{}", first.text());
        assert_eq!(ask("a", body).text(), first.text());
        assert_eq!(ask("a", r#"{"lines":[{"sku":"R-4"}]}"#).status, 422, "another body");
        let wrong = ask("b", r#"{"lines":[{"sku":"R-4"},{"sku":"M-3","quantity":"1.234"}]}"#);
        assert_eq!(wrong.status, 422);
        assert_eq!(wrong.json()["errors"][0]["pointer"], "/lines/1", "{}", wrong.text());
        for bad in [r#"{"lines":[]}"#, r#"{"lines":[{"sku":"D-5"}]}"#, "[]"] {
            assert!(matches!(ask("c", bad).status, 400 | 422), "{bad}");
        }
        let quote = first.json();
        let id = quote["id"].as_str().unwrap();
        let operate = |what: &str, body: &str| {
            server.operate("POST", &format!("/api/v1/quotes/{id}/{what}"), body.as_bytes())
        };
        for (body, pointer) in [
            (
                r#"{"lines":[{"sku":"A-1","unit_price":"1"}],"valid_until":"2999-01-01T00:00:00Z"}"#,
                "/lines/0/sku",
            ),
            (
                r#"{"lines":[{"sku":"R-4","unit_price":"x"}],"valid_until":"2999-01-01T00:00:00Z"}"#,
                "/lines/0/unit_price",
            ),
            (r#"{"lines":[{"sku":"R-4","unit_price":"1"}],"valid_until":"soon"}"#, "/valid_until"),
            (
                r#"{"lines":[{"sku":"R-4","unit_price":"1"}],"valid_until":"2999-01-01T00:00:00Z"}"#,
                "/valid_until",
            ),
            (
                r#"{"lines":[{"sku":"R-4","unit_price":"1"}],"valid_until":"2020-01-01T00:00:00Z"}"#,
                "/valid_until",
            ),
        ] {
            let refused = operate("offer", body);
            assert_eq!(refused.status, 422, "{body}: {}", refused.text());
            assert_eq!(refused.json()["errors"][0]["pointer"], pointer, "{}", refused.text());
        }
        let early = api(&server, &ada, &format!("/{id}/reply"), "d", r#"{"action":"accept"}"#);
        assert_eq!(early.status, 409, "{}", early.text());
        // A buyer answers nobody's quotes, their own included.
        let own = api(&server, &ada, &format!("/{id}/refuse"), "e", "{}");
        assert_eq!(own.status, 403, "{}", own.text());
        let refused = operate("refuse", r#"{"answer":"Not this year."}"#);
        assert_eq!((refused.status, &refused.json()["status"]), (200, &"refused".into()));
        let mail = mailed(&server, "Your request");
        assert!(mail.contains("Not this year."), "{mail}");
        assert_eq!(operate("offer", "{}").status, 422);
    });
}
