//! People become customers, come back, forget their passwords and leave.

use crate::{
    Stack, on_every_stack,
    support::{
        client::{Answer, exchange},
        server::{Server, until},
    },
};
use serde_json::{Value, json};

const PRODUCTS: &str = "sku,name,status,price,currency,stock\n\
    A-1,Drill,active,10.00,USD,50\n\
    B-2,Bit set,active,2.50,USD,30\n";
const ADA: &str = "ada@example.com";

pub(crate) fn open(stack: &Stack) -> Server {
    let server = stack.serve(&[]);
    let file = stack.path("products.csv");
    std::fs::write(&file, PRODUCTS).unwrap();
    stack.succeed(&["import", "products", file.to_str().unwrap()]);
    until("the products to be read", || {
        (server.get("/api/v1/products/B-2").status == 200).then_some(())
    });
    server
}

/// A program, by its bearer.
struct Program<'a> {
    server: &'a Server,
    bearer: String,
}

impl<'a> Program<'a> {
    fn nobody(server: &'a Server) -> Self {
        Self { server, bearer: String::new() }
    }

    /// As whoever `path` lets in with this body.
    fn begin(&self, path: &str, body: Value) -> Self {
        let begun = self.ask("POST", path, body);
        let token = is(&begun, 201)["token"].as_str().unwrap().to_owned();
        Self { server: self.server, bearer: format!("Bearer {token}") }
    }

    fn ask(&self, method: &str, path: &str, body: Value) -> Answer {
        let key = format!("{method} {path} {body}");
        let key: String = key.bytes().map(|b| format!("{b:02x}")).collect();
        self.ask_under(&key[key.len().saturating_sub(60)..], method, path, body)
    }

    /// Under a name of its own; empty for none.
    fn ask_under(&self, key: &str, method: &str, path: &str, body: Value) -> Answer {
        let mut headers = vec![("content-type", "application/json")];
        if !key.is_empty() {
            headers.push(("idempotency-key", key));
        }
        if !self.bearer.is_empty() {
            headers.push(("authorization", &self.bearer));
        }
        let body = if body.is_null() { Vec::new() } else { serde_json::to_vec(&body).unwrap() };
        let path = format!("/api/v1{path}");
        exchange(self.server.address, method, &path, &headers, &body).expect("an answer")
    }

    fn get(&self, path: &str) -> Value {
        is(&self.ask("GET", path, Value::Null), 200)
    }

    fn quantities(&self) -> Vec<(String, String)> {
        let lines = self.get("/carts/active/lines");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let line = |line: &Value| (text(&line["sku"]), text(&line["quantity"]));
        lines["items"].as_array().unwrap().iter().map(line).collect()
    }

    fn is_dead(&self) -> bool {
        self.ask("GET", "/sessions", Value::Null).status == 401
    }
}

fn is(answer: &Answer, status: u16) -> Value {
    assert_eq!(answer.status, status, "{}", answer.text());
    if answer.body.is_empty() { Value::Null } else { answer.json() }
}

fn credential(password: &str) -> Value {
    json!({"email": ADA, "password": password})
}

/// What stands behind `token=` in the newest mail whose subject says this, once it is sent.
pub(crate) fn mailed_token(server: &Server, to: &str, subject: &str) -> String {
    until("a mail", || {
        let mails = std::fs::read_dir(server.data.join("mail")).unwrap();
        let mut mails: Vec<_> = mails.map(|entry| entry.unwrap().path()).collect();
        mails.retain(|path| path.extension().is_some_and(|it| it == "eml"));
        mails.sort();
        let texts = mails.iter().rev().map(|path| std::fs::read_to_string(path).unwrap());
        let right = |text: &String| {
            text.contains(&format!("To: <{to}>")) && text.contains(&format!("Subject: {subject}"))
        };
        let text = texts.into_iter().find(right)?;
        let (_, token) = text.split_once("token=")?;
        Some(token.split_whitespace().next()?.to_owned())
    })
}

fn register(server: &Server) -> Program<'_> {
    let wish = json!({"name": "Ada", "email": ADA, "password": "correct horse"});
    Program::nobody(server).begin("/customers", wish)
}

#[test]
fn a_customer_comes_back_with_their_cart_and_sets_a_forgotten_password() {
    on_every_stack("accounts", |stack| {
        let server = open(stack);
        let nobody = Program::nobody(&server);
        let ada = register(&server);
        assert_eq!(ada.get("/me")["user"]["email"], ADA);
        assert_eq!(ada.get("/me")["customer"]["kind"], "person");
        is(&ada.ask("POST", "/carts/active/lines", json!({"sku": "A-1", "quantity": 2})), 200);
        // Sent again it is the same customer; with another password it is nobody's.
        let again = register(&server);
        assert_eq!(again.get("/me")["user"]["id"], ada.get("/me")["user"]["id"]);
        let other =
            json!({"name": "Eve", "email": "ADA@example.com", "password": "battery staple"});
        is(&nobody.ask("POST", "/customers", other), 409);
        is(&ada.ask("DELETE", "/sessions/current", Value::Null), 204);
        assert!(ada.is_dead() && !again.is_dead());

        // What a guest gathered goes along, and their token is dead.
        let guest = nobody.begin("/sessions", json!({}));
        is(&guest.ask("POST", "/carts/active/lines", json!({"sku": "A-1"})), 200);
        is(&guest.ask("POST", "/carts/active/lines", json!({"sku": "B-2", "quantity": 3})), 200);
        is(&guest.ask("POST", "/sessions", credential("wrong horse")), 401);
        assert_eq!(guest.quantities().len(), 2, "they are who they were");
        let ada = guest.begin("/sessions", credential("correct horse"));
        assert_eq!(guest.ask("GET", "/carts", Value::Null).status, 401);
        let merged = [("A-1".to_owned(), "3".to_owned()), ("B-2".to_owned(), "3".to_owned())];
        assert_eq!(ada.quantities(), merged);

        // It is all there after a crash, and a mailed link sets another password, once.
        let (ada, again) = (ada.bearer, again.bearer);
        server.kill();
        let server = stack.serve(&[]);
        let at = |bearer: &String| Program { server: &server, bearer: bearer.clone() };
        let (ada, again, nobody) = (at(&ada), at(&again), Program::nobody(&server));
        assert_eq!(ada.quantities(), merged);
        for email in [ADA, "nobody@example.com"] {
            is(&nobody.ask("POST", "/password-resets", json!({ "email": email })), 202);
        }
        let token = mailed_token(&server, ADA, "Set a new password");
        let set = |password: &str| {
            nobody.ask("PUT", "/password-resets", json!({"token": token, "password": password}))
        };
        is(&set("short"), 422);
        assert!(!ada.is_dead());
        is(&set("battery staple"), 204);
        is(&set("horse battery"), 404);
        assert!(ada.is_dead() && again.is_dead());
        is(&nobody.ask("POST", "/sessions", credential("correct horse")), 401);
        let ada = nobody.begin("/sessions", credential("battery staple"));
        assert_eq!(ada.quantities(), merged);

        // Another password by who knows the present one: this session stays, others end.
        let second = nobody.begin("/sessions", credential("battery staple"));
        let change =
            |current: &str| json!({"current_password": current, "password": "third horse"});
        is(&second.ask("PUT", "/me/password", change("correct horse")), 422);
        is(&second.ask("PUT", "/me/password", change("battery staple")), 204);
        assert!(ada.is_dead() && !second.is_dead());
        assert!(server.stop());
    });
}

#[test]
fn an_address_book_a_key_and_colleagues_are_ones_own() {
    on_every_stack("profiles", |stack| {
        let server = open(stack);
        let ada = register(&server);
        let bob = json!({"name": "Bob", "email": "bob@example.com", "password": "correct horse",
                         "company": "Engines Ltd"});
        let bob = Program::nobody(&server).begin("/customers", bob);
        let home = json!({"name": "Ada", "street": "1 Road", "city": "Berlin", "postcode": "10115",
                          "country": "DE"});
        let wrong = json!({"name": "", "street": "1 Road", "city": "Berlin", "postcode": "1",
                           "country": "DE"});
        let refused = is(&ada.ask("POST", "/me/addresses", wrong), 422);
        assert_eq!(refused["errors"][0]["pointer"], "/name");
        let made = is(&ada.ask("POST", "/me/addresses", home.clone()), 201);
        assert_eq!(
            (&made["default_shipping"], &made["default_billing"]),
            (&true.into(), &true.into())
        );
        let place = format!("/me/addresses/{}", made["id"].as_str().unwrap());
        is(&bob.ask("GET", &place, Value::Null), 404);
        is(&bob.ask("PUT", &place, home.clone()), 404);
        is(&bob.ask("DELETE", &place, Value::Null), 404);
        assert_eq!(ada.get(&place)["city"], "Berlin");

        // A key does what it was given and no more, and never makes others.
        let refused = json!({"name": "shelf", "scopes": ["keys"]});
        assert_eq!(ada.ask("POST", "/keys", refused).status, 422);
        let made =
            is(&ada.ask("POST", "/keys", json!({"name": "shelf", "scopes": ["carts"]})), 201);
        let key = Program {
            server: &server,
            bearer: format!("Bearer {}", made["token"].as_str().unwrap()),
        };
        is(&key.ask("POST", "/carts/active/lines", json!({"sku": "A-1"})), 200);
        assert_eq!(ada.quantities().len(), 1);
        is(&key.ask("GET", "/me/addresses", Value::Null), 403);
        is(&key.ask("POST", "/keys", json!({"name": "more", "scopes": ["carts"]})), 403);
        let place = format!("/keys/{}", made["key"]["id"].as_str().unwrap());
        is(&bob.ask("DELETE", &place, Value::Null), 404);
        is(&ada.ask("DELETE", &place, Value::Null), 204);
        is(&key.ask("GET", "/carts", Value::Null), 401);

        // A colleague comes in by a mailed link, and acts within their role.
        let wish = json!({"name": "Cem", "email": "cem@example.com", "role": "viewer"});
        is(&bob.ask("POST", "/me/users", wish), 201);
        let token = mailed_token(&server, "cem@example.com", "Your account");
        let set = json!({"token": token, "password": "correct horse"});
        is(&Program::nobody(&server).ask("PUT", "/password-resets", set), 204);
        let wish = json!({"email": "cem@example.com", "password": "correct horse"});
        let cem = Program::nobody(&server).begin("/sessions", wish);
        assert_eq!(cem.get("/me")["customer"]["name"], "Engines Ltd");
        is(&cem.ask("POST", "/me/addresses", home), 403);
        is(&cem.ask("GET", "/me/users", Value::Null), 403);
        let people = bob.get("/me/users");
        let id = people["items"][1]["id"].as_str().unwrap();
        let shut = json!({"role": "viewer", "active": false});
        is(&ada.ask("PUT", &format!("/me/users/{id}"), shut.clone()), 404);
        is(&bob.ask("PUT", &format!("/me/users/{id}"), shut), 204);
        assert!(cem.is_dead());
    });
}

#[test]
fn who_leaves_takes_their_data_along_and_leaves_no_name() {
    on_every_stack("farewell", |stack| {
        let server = open(stack);
        let ada = register(&server);
        let home = json!({"name": "Ada", "street": "1 Road", "city": "Berlin", "postcode": "10115",
                          "country": "DE"});
        is(&ada.ask("POST", "/me/addresses", home), 201);
        is(&ada.ask("POST", "/carts/active/lines", json!({"sku": "A-1"})), 200);
        let export = ada.ask("GET", "/me/export", Value::Null);
        assert!(export.header("content-disposition").unwrap().contains("attachment"));
        let export = is(&export, 200);
        assert_eq!(export["addresses"][0]["street"], "1 Road");
        assert_eq!(export["users"][0]["user"]["email"], ADA);
        let id = export["customer"]["id"].as_str().unwrap().to_owned();

        is(&ada.ask("POST", "/me/erase", json!({"password": "wrong horse"})), 422);
        is(&ada.ask("POST", "/me/erase", json!({"password": "correct horse"})), 204);
        assert!(ada.is_dead());
        is(&Program::nobody(&server).ask("POST", "/sessions", credential("correct horse")), 401);
        let left = server.operate("GET", &format!("/api/v1/customers/{id}/export"), b"");
        assert_eq!(left.status, 200, "{}", left.text());
        let said = left.text();
        assert!(!said.contains(ADA) && !said.contains("1 Road") && !said.contains("Ada"), "{said}");
        // It is in the audit log, whose chain holds, and the address of mail is anybody's again.
        server.audited(&[("customer.erase", 1)]);
        register(&server);
        assert!(server.stop());
        stack.succeed(&["doctor", "audit"]);
    });
}

#[test]
fn a_shop_without_staff_shows_a_link_that_makes_its_owner_once() {
    on_every_stack("setup", |stack| {
        let server = open(stack);
        let link = std::fs::read_to_string(server.data.join("run/setup.link")).unwrap();
        let (_, token) = link.trim().split_once("token=").unwrap();
        let wish = |token: &str| {
            json!({"token": token, "name": "Olga", "email": "olga@example.com",
                   "password": "correct horse"})
        };
        is(&Program::nobody(&server).ask("POST", "/setup", wish("x")), 404);
        assert!(!server.log().contains(token), "a log that others read has no token");
        let olga = Program::nobody(&server).begin("/setup", wish(token));
        is(&Program::nobody(&server).ask("POST", "/setup", wish(token)), 404);
        assert_eq!(olga.get("/me")["user"]["role"], "owner");
        let group =
            is(&olga.ask("POST", "/customer-groups", json!({"code": "trade", "name": "T"})), 201);
        register(&server);
        let customers = olga.get("/customers");
        let place = format!("/customers/{}", customers["items"][0]["id"].as_str().unwrap());
        let changed = is(&olga.ask("PATCH", &place, json!({"group": group["id"]})), 200);
        assert_eq!(changed["group"], group["id"]);
        let olga = olga.bearer;
        assert!(server.stop());
        let server = stack.serve(&[]);
        assert!(!server.data.join("run/setup.link").exists(), "it has staff now");
        assert!(!Program { server: &server, bearer: olga }.is_dead());
    });
}

/// Each asked twice under one key: one thing, one answer. Of a key the token is told once.
#[test]
fn what_an_account_makes_is_made_once_however_often_it_is_asked() {
    on_every_stack("accounts once", |stack| {
        let server = open(stack);
        let ada = register(&server);
        let home = json!({"name": "Ada", "street": "1 Road", "city": "Berlin", "postcode": "10115",
                          "country": "DE"});
        let colleague = json!({"name": "Cem", "email": "cem@example.com", "role": "viewer"});
        for (path, wish, other) in [
            ("/me/addresses", home, json!({"name": "B"})),
            ("/me/users", colleague, json!({"name": "B", "email": "b", "role": "viewer"})),
        ] {
            let ask = |key: &str, body: &Value| ada.ask_under(key, "POST", path, body.clone());
            let first = ask("k", &wish);
            let (again, made) = (ask("k", &wish), is(&first, 201));
            assert_eq!((again.status, again.text()), (201, first.text()), "{path}");
            assert_eq!(again.header("location"), first.header("location"));
            is(&ask("k", &other), 422);
            is(&ada.ask_under("", "POST", path, wish), 400);
            let all = ada.get(path);
            let mine = all["items"].as_array().unwrap().iter();
            assert_eq!(mine.filter(|one| one["id"] == made["id"]).count(), 1, "{all}");
        }
        assert_eq!(ada.get("/me/addresses")["items"].as_array().map(Vec::len), Some(1));
        assert_eq!(ada.get("/me/users")["items"].as_array().map(Vec::len), Some(2));

        let wish = json!({"name": "shelf", "scopes": ["carts"]});
        let made = is(&ada.ask_under("k", "POST", "/keys", wish.clone()), 201);
        let again = is(&ada.ask_under("k", "POST", "/keys", wish), 409);
        let told = again["detail"].as_str().unwrap();
        assert!(told.contains(made["key"]["id"].as_str().unwrap()), "{again}");
        assert!(!again.to_string().contains(made["token"].as_str().unwrap()), "{again}");
        assert_eq!(ada.get("/keys")["items"].as_array().map(Vec::len), Some(1));

        let group = |key: &str| {
            let token = std::fs::read_to_string(server.data.join("run/admin.token")).unwrap();
            let operator = Program { server: &server, bearer: format!("Bearer {}", token.trim()) };
            let wish = json!({"code": "trade", "name": "Trade"});
            operator.ask_under(key, "POST", "/customer-groups", wish)
        };
        let first = group("k");
        is(&first, 201);
        assert_eq!(group("k").text(), first.text());
        is(&group("other"), 409);
    });
}
