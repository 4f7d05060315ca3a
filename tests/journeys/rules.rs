//! Staff set prices, taxes, shipping and coupons; shoppers pay by them at once.

use crate::{
    Stack,
    account_pages::{ADA, led},
    admin_pages::buyer,
    carts::Person,
    on_every_stack,
    support::{
        client::{Answer, exchange},
        server::{Server, until},
    },
};
use serde_json::{Value, json};

const PRODUCTS: &str = "sku,name,status,price,currency,unit,precision,stock\n\
    A-1,Drill,active,10.00,USD,each,0,50\n\
    M-3,Cable by the metre,active,1.20,USD,m,2,900\n";
const LIST: &str = "/api/v1/price-lists/0190a000-0000-7000-8000-000000000001";
const PRICES: &str = "/api/v1/price-lists/0190a000-0000-7000-8000-000000000001/prices";
const TAX: &str = "/api/v1/tax-rates/0190a000-0000-7000-8000-000000000002";
const PARCEL: &str = "/api/v1/shipping-methods/0190a000-0000-7000-8000-000000000003";
const COUPON: &str = "/api/v1/coupons/0190a000-0000-7000-8000-000000000004";

const SHELF: &str = "sku,name,status,price,currency,stock,categories\n\
    A-1,Drill,active,10.00,USD,50,Tools\n\
    B-2,Bit set,active,2.50,USD,30,Tools\n\
    C-3,Press,active,,USD,5,Tools\n";

struct Desk<'a> {
    server: &'a Server,
    token: String,
}

impl<'a> Desk<'a> {
    fn of(stack: &Stack, server: &'a Server) -> Self {
        let token = std::fs::read_to_string(stack.data().join("run/admin.token")).unwrap();
        Self { server, token: format!("Bearer {}", token.trim()) }
    }

    fn ask(&self, method: &str, path: &str, tag: Option<&str>, body: &Value) -> Answer {
        let mut headers =
            vec![("authorization", self.token.as_str()), ("content-type", "application/json")];
        headers.extend(tag.map(|tag| ("if-match", tag)));
        let body = if body.is_null() { Vec::new() } else { serde_json::to_vec(body).unwrap() };
        exchange(self.server.address, method, path, &headers, &body).expect("an answer")
    }

    fn done(&self, status: u16, method: &str, path: &str, body: Value) -> Answer {
        let answer = self.ask(method, path, None, &body);
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
        answer
    }
}

fn open(stack: &Stack) -> Server {
    let server = stack.serve(&[]);
    let file = stack.path("products.csv");
    std::fs::write(&file, PRODUCTS).unwrap();
    stack.succeed(&["import", "products", file.to_str().unwrap()]);
    until("the products to be read", || {
        (server.get("/api/v1/products/M-3").status == 200).then_some(())
    });
    server
}

fn price(server: &Server, sku: &str, quantity: &str) -> String {
    let told = server.json(&format!("/api/v1/products/{sku}/price?quantity={quantity}"));
    told["unit_price"]["amount"].as_str().unwrap().to_owned()
}

fn trade() -> Value {
    json!({"name": "Everybody", "currency": "USD", "audiences": [{"kind": "site", "code": "main"}]})
}

#[test]
fn a_price_list_is_in_force_at_once_and_after_a_crash() {
    on_every_stack("rules", |stack| {
        let server = open(stack);
        assert!(server.get("/p/drill").text().contains("$10.00"));
        let desk = Desk::of(stack, &server);
        let made = desk.done(201, "PUT", LIST, trade());
        assert_eq!(made.header("etag"), Some("\"1\""));
        let put = json!({"put": [
            {"sku": "A-1", "amount": "9.00"},
            {"sku": "A-1", "from": "10", "amount": "7.50"},
            {"sku": "M-3", "from": "2.5", "amount": "1.00"},
        ]});
        assert_eq!(desk.done(200, "PATCH", PRICES, put.clone()).json()["changed"], 3);
        assert_eq!(desk.done(200, "PATCH", PRICES, put).json()["changed"], 0);
        // By who has seen something else, nothing is set.
        let seen = |one: Value| {
            let put = json!([{"sku": "M-3", "from": "2.5", "amount": "0.90"}]);
            json!({"put": put, "seen": [one]})
        };
        let other = json!({"sku": "M-3", "from": "2.5", "amount": "1.01"});
        for moved in [other, json!({"sku": "M-3", "from": "2.5"}), json!({"sku": "A-1"})] {
            desk.done(412, "PATCH", PRICES, seen(moved));
        }
        until("the prices to hold", || (price(&server, "A-1", "12") == "7.50").then_some(()));
        assert_eq!(price(&server, "A-1", "9"), "9.00");
        assert_eq!([price(&server, "M-3", "2.49"), price(&server, "M-3", "2.5")], ["1.20", "1.00"]);
        let listed = desk.done(200, "GET", &format!("{PRICES}?limit=2"), Value::Null).json();
        let next = listed["next"].as_str().unwrap().to_owned();
        let rest = desk.done(200, "GET", &format!("{PRICES}?after={next}"), Value::Null).json();
        let all: Vec<_> = [&listed, &rest]
            .iter()
            .flat_map(|page| page["items"].as_array().unwrap().clone())
            .map(|item| format!("{} {} {}", item["sku"], item["from"], item["amount"]))
            .collect();
        assert_eq!(all.len(), 3, "{all:?}");
        assert!(all.contains(&r#""M-3" "2.5" "1.00""#.to_owned()), "{all:?}");

        // A page says it too, without a script, though one with the old price was kept.
        let page = server.get("/p/drill").text();
        assert!(page.contains("$9.00") && !page.contains("$10.00"), "{page}");
        assert!(server.get("/search?q=drill").text().contains("$9.00"));

        // A cart's lines are by the list, and in the price's tiers.
        let add = br#"{"sku":"A-1","quantity":"10"}"#;
        let session = exchange(server.address, "POST", "/api/v1/sessions", &[JSON], b"{}")
            .expect("an answer");
        let bearer = format!("Bearer {}", session.json()["token"].as_str().unwrap());
        let headers = [JSON, ("authorization", bearer.as_str()), ("idempotency-key", "one")];
        let path = "/api/v1/carts/active/lines";
        let added = exchange(server.address, "POST", path, &headers, add).expect("an answer");
        assert_eq!(added.json()["line"]["total"]["amount"], "75.00", "{}", added.text());

        server.kill();
        let server = stack.serve(&[]);
        assert_eq!(price(&server, "A-1", "12"), "7.50", "before anything is served");
        let desk = Desk::of(stack, &server);
        // What the buyer saw is shown beside what it costs now.
        let change = json!({"put": [{"sku": "A-1", "from": "10", "amount": "8.00"}]});
        desk.done(200, "PATCH", PRICES, change);
        until("the change to be shown", || {
            let headers = [("authorization", bearer.as_str())];
            let path = "/api/v1/carts/active/changes";
            let changes = exchange(server.address, "GET", path, &headers, b"").expect("an answer");
            let change = &changes.json()["items"][0]["changes"][0];
            (change["now"]["amount"] == "8.00" && change["was"]["amount"] == "7.50").then_some(())
        });
        let gone = desk.ask("DELETE", LIST, Some("*"), &Value::Null);
        assert_eq!(gone.status, 204, "{}", gone.text());
        until("the list to be gone", || (price(&server, "A-1", "12") == "10.00").then_some(()));
        assert!(server.get("/p/drill").text().contains("$10.00"));
        assert!(server.stop());
        stack.succeed(&["doctor", "audit"]);
    });
}

const JSON: (&str, &str) = ("content-type", "application/json");

#[test]
fn a_rule_is_changed_by_who_has_seen_it_and_refused_with_a_reason() {
    on_every_stack("rules_refused", |stack| {
        let server = open(stack);
        let desk = Desk::of(stack, &server);
        let tax = |rate: &str| json!({"name": "VAT", "country": "DE", "rate": rate});
        desk.done(201, "PUT", TAX, tax("19"));
        desk.done(428, "PUT", TAX, tax("7"));
        assert_eq!(desk.ask("PUT", TAX, Some("\"2\""), &tax("7")).status, 412);
        let changed = desk.ask("PUT", TAX, Some("\"1\""), &tax("7.25"));
        assert_eq!((changed.status, changed.header("etag")), (200, Some("\"2\"")));
        assert_eq!(changed.json()["rate"], "7.25");
        desk.done(409, "PUT", &TAX.replace("0002", "0009"), tax("5"));

        let bands = json!([{"from": "0", "amount": "9.90"}, {"from": "100", "amount": null}]);
        let parcel = json!({"name": "Parcel", "currency": "USD", "countries": ["US", "CA"],
            "rate": {"kind": "by_subtotal", "bands": bands}, "free_from": "50",
            "tax": {"category": "standard", "mode": "inclusive"}});
        let made = desk.done(201, "PUT", PARCEL, parcel).json();
        assert_eq!(made["rate"]["bands"][1]["amount"], Value::Null);
        assert_eq!(desk.done(200, "GET", PARCEL, Value::Null).json(), made);
        let listed = desk.done(200, "GET", "/api/v1/shipping-methods", Value::Null).json();
        assert_eq!(listed["items"], json!([made]));

        let coupon = json!({"code": "welcome10", "takes_off": {"kind": "percent", "percent": "10"},
            "most_uses_per_customer": 1});
        assert_eq!(desk.done(201, "PUT", COUPON, coupon).json()["code"], "WELCOME10");
        let uses = desk.done(200, "GET", &format!("{COUPON}/uses"), Value::Null);
        assert_eq!(uses.json()["used"], 0);

        desk.done(201, "PUT", LIST, trade());
        let put = json!({"put": [{"sku": "A-1", "amount": "9"}, {"sku": "NONE", "amount": "9"}]});
        let refused = desk.done(422, "PATCH", PRICES, put).json();
        assert_eq!(refused["errors"][0]["pointer"], "/put/1/sku");
        let listed = desk.done(200, "GET", PRICES, Value::Null).json();
        assert_eq!(listed["items"], json!([]), "nothing was changed");
        let put = json!({"put": [{"sku": "A-1", "from": "1.5", "amount": "9"}]});
        let refused = desk.done(422, "PATCH", PRICES, put).json();
        assert_eq!(refused["errors"][0]["pointer"], "/put/0/from");
        for family in ["price-lists", "tax-rates", "shipping-methods", "coupons"] {
            assert_eq!(server.get(&format!("/api/v1/{family}")).status, 401);
        }
        assert!(server.stop());
    });
}

#[test]
fn products_bear_the_tax_of_their_category_and_a_change_of_it_is_shown_first() {
    on_every_stack("tax_categories", |stack| {
        let server = stack.serve(&[]);
        let file = stack.path("books.csv");
        let rows = "sku,name,price,currency,stock,tax_category\n\
            A-1,Drill,100.00,EUR,50,\nB-2,Atlas,10.00,EUR,50,books\n";
        std::fs::write(&file, rows).unwrap();
        stack.succeed(&["import", "products", file.to_str().unwrap()]);
        until("the products to be read", || {
            let atlas = server.get("/api/v1/products/B-2");
            (atlas.status == 200).then(|| assert_eq!(atlas.json()["tax_category"], "books"))
        });
        let desk = Desk::of(stack, &server);
        let rate = |category: &str, rate: &str| json!({"name": "VAT", "country": "DE", "rate": rate, "category": category});
        desk.done(201, "PUT", TAX, rate("standard", "19"));
        desk.done(201, "PUT", &TAX.replace("0002", "0003"), rate("books", "7"));

        let session = exchange(server.address, "POST", "/api/v1/sessions", &[JSON], b"{}")
            .expect("an answer");
        let bearer = format!("Bearer {}", session.json()["token"].as_str().unwrap());
        let asked = std::cell::Cell::new(0);
        let shop = |method: &str, path: &str, body: &Value| {
            let body = if body.is_null() { Vec::new() } else { serde_json::to_vec(body).unwrap() };
            asked.set(asked.get() + 1);
            let key = format!("wish-{}", asked.get());
            let bearer = ("authorization", bearer.as_str());
            let headers = [JSON, bearer, ("idempotency-key", key.as_str())];
            exchange(server.address, method, path, &headers, &body).expect("an answer")
        };
        for sku in ["A-1", "B-2"] {
            let line = json!({"sku": sku, "quantity": "1"});
            assert_eq!(shop("POST", "/api/v1/carts/active/lines", &line).status, 200);
        }
        let checkout = json!({"email": "ada@example.com", "ship_to": {"name": "Ada",
            "street": "1 Road", "postcode": "10115", "city": "Berlin", "country": "DE"}});
        let taxes = |review: &Answer| {
            assert_eq!(review.status, 200, "{}", review.text());
            let totals = &review.json()["totals"];
            let taxes = totals["taxes"].as_array().unwrap().iter();
            let mut taxes: Vec<_> = taxes
                .map(|tax| format!("{} of {}", tax["tax"]["amount"], tax["net"]["amount"]))
                .collect();
            taxes.sort();
            (taxes, totals["total"]["amount"].as_str().unwrap().to_owned())
        };
        let review = "/api/v1/checkout/review";
        let (each, total) = taxes(&shop("POST", review, &checkout));
        assert_eq!(each, [r#""0.70" of "10.00""#, r#""19.00" of "100.00""#]);
        assert_eq!(total, "129.70");

        // Books are taxed as everything is from now on: at the same price, and never slipped in.
        let source = "/api/v1/products/B-2/source";
        let tag = desk.done(200, "GET", source, Value::Null).header("etag").unwrap().to_owned();
        let nonsense = json!({"tax_category": "All Books"});
        let refused = desk.ask("PATCH", "/api/v1/products/B-2", Some(&tag), &nonsense);
        assert_eq!(refused.status, 422, "{}", refused.text());
        assert_eq!(refused.json()["errors"][0]["pointer"], "/tax_category");
        let change = json!({"tax_category": null});
        let changed = desk.ask("PATCH", "/api/v1/products/B-2", Some(&tag), &change);
        assert_eq!(changed.status, 200, "{}", changed.text());
        let path = "/api/v1/carts/active/changes";
        let changes = until("the change to be shown", || {
            let changes = shop("GET", path, &Value::Null).json();
            (changes["items"][0]["changes"][0]["kind"] == "tax").then_some(changes)
        });
        assert_eq!(shop("POST", review, &checkout).status, 409);
        let taken =
            shop("POST", "/api/v1/carts/active/acknowledge", &json!({"token": changes["token"]}));
        assert_eq!(taken.status, 200, "{}", taken.text());
        let (each, total) = taxes(&shop("POST", review, &checkout));
        assert_eq!(each, [r#""20.90" of "110.00""#]);
        assert_eq!(total, "130.90");
        assert!(server.stop());
    });
}

#[test]
fn who_is_signed_in_sees_what_it_costs_them_on_every_page_without_a_script() {
    on_every_stack("own prices", |stack| {
        let server = stack.serve(&[]);
        let file = stack.path("shelf.csv");
        std::fs::write(&file, SHELF).unwrap();
        stack.succeed(&["import", "products", file.to_str().unwrap()]);
        let drill = until("the products to be read", || {
            let product = server.get("/api/v1/products/C-3");
            let drill = server.get("/api/v1/products/A-1");
            (product.status == 200 && drill.status == 200).then(|| drill.json()["slug"].clone())
        });
        let drill = format!("/p/{}", drill.as_str().unwrap());
        let press = server.json("/api/v1/products/C-3")["slug"].as_str().unwrap().to_owned();
        let press = format!("/p/{press}");
        let pages = ["/", "/c/tools", "/search?q=drill", &drill];
        until("the index to know them", || {
            pages.iter().all(|page| server.get(page).text().contains("$10.00")).then_some(())
        });
        let ada = buyer(&server);
        let stranger = Person::come(&server);
        // Nothing is for her alone yet, but what she has in her cart is shown.
        ada.send("/cart/add", &[("sku", "B-2"), ("quantity", "1")]);
        for page in pages {
            let own = ada.page(page);
            assert!(own.contains("$10.00") && own.contains("data-cart-count>1<"), "{page}: {own}");
        }
        let desk = Desk::of(stack, &server);
        let customer = server.operate("GET", "/api/v1/customers", b"").json();
        let customer = customer["items"][0]["id"].as_str().unwrap();
        let list = json!({
            "name": "Ada", "currency": "USD", "audiences": [{"kind": "customer", "id": customer}]
        });
        desk.done(201, "PUT", LIST, list);
        let put = json!({"put": [
            {"sku": "A-1", "amount": "9.00"},
            {"sku": "A-1", "from": "10", "amount": "7.50"},
            {"sku": "C-3", "amount": "80.00"},
        ]});
        desk.done(200, "PATCH", PRICES, put);
        until("her prices to hold", || ada.page(&drill).contains("$9.00").then_some(()));
        for page in pages {
            let own = ada.page(page);
            assert!(own.contains("$9.00") && !own.contains("$10.00"), "{page}: {own}");
            let asked = server.get(page);
            assert!(asked.text().contains("$10.00") && !asked.text().contains("$9.00"), "{page}");
            assert!(asked.header("etag").is_some() && asked.header("cache-control").is_some());
            // A guest with something in a cart is one of everybody.
            stranger.send("/cart/add", &[("sku", "A-1"), ("quantity", "1")]);
            let guests = stranger.ask("GET", page, &[], "");
            assert_eq!(guests.header("etag"), asked.header("etag"), "{page}");
        }
        let suggested = ada.page("/search/suggest?q=dri");
        assert!(suggested.contains("$9.00") && !suggested.contains("$10.00"), "{suggested}");
        assert!(server.get("/search/suggest?q=dri").text().contains("$10.00"));
        let own = ada.page(&drill);
        assert!(own.contains("From 10: $7.50 per each") && own.contains("data-own"), "{own}");
        // What is on request for everybody has a price for her, so it can be bought.
        assert!(!server.get(&press).text().contains("/cart/add"));
        let own = ada.page(&press);
        assert!(own.contains("$80.00") && own.contains("/cart/add"), "{own}");
        // The page says what the cart will.
        ada.send("/cart/add", &[("sku", "C-3"), ("quantity", "1")]);
        assert!(ada.page("/cart").contains("$80.00"));

        led(&ada, "/account", "/logout", &[]);
        for page in pages {
            let now = ada.ask("GET", page, &[], "");
            assert_eq!(now.header("etag"), server.get(page).header("etag"), "{page}");
        }
        // The list's end ends it, without anything else that happens.
        led(&ada, "/login", "/login", &[("email", ADA), ("password", "correct horse")]);
        assert!(ada.page(&drill).contains("$9.00"));
        let over = json!({
            "name": "Ada", "currency": "USD", "until": "2020-01-01T00:00:00Z",
            "audiences": [{"kind": "customer", "id": customer}]
        });
        let over = desk.ask("PUT", LIST, Some("\"1\""), &over);
        assert_eq!(over.status, 200, "{}", over.text());
        until("it to be over", || ada.page(&drill).contains("$10.00").then_some(()));
    });
}
