//! Shoppers fill carts, as programs and as people without scripts.

use crate::{
    Stack, on_every_stack,
    support::{
        client::{Answer, exchange},
        server::{Server, until},
    },
};
use serde_json::{Value, json};

pub(crate) const PRODUCTS: &str = "sku,name,status,price,currency,unit,precision,stock\n\
    A-1,Drill,active,10.00,USD,each,0,50\n\
    B-2,Bit set,active,2.50,USD,each,0,3\n\
    M-3,Cable by the metre,active,1.20,USD,m,2,900\n\
    R-4,Crane,active,,,each,0,1\n\
    D-5,Old drill,disabled,4.00,USD,each,0,1\n\
    E-6,Euro plug,active,3.00,EUR,each,0,9\n";

/// A shop with some products, which can be read.
fn open(stack: &Stack) -> Server {
    let server = stack.serve(&[]);
    import(stack, PRODUCTS);
    until("the products to be read", || {
        (server.get("/api/v1/products/E-6").status == 200).then_some(())
    });
    server
}

pub(crate) fn import(stack: &Stack, rows: &str) {
    let file = stack.path("products.csv");
    std::fs::write(&file, rows).unwrap();
    stack.succeed(&["import", "products", file.to_str().unwrap()]);
}

/// A program with a guest's session.
struct Program<'a> {
    server: &'a Server,
    bearer: String,
    keys: std::cell::Cell<u32>,
}

impl<'a> Program<'a> {
    fn begin(server: &'a Server) -> Self {
        let json = [("content-type", "application/json")];
        let begun =
            exchange(server.address, "POST", "/api/v1/sessions", &json, b"{}").expect("an answer");
        assert_eq!(begun.status, 201, "{}", begun.text());
        let bearer = format!("Bearer {}", begun.json()["token"].as_str().unwrap());
        Self { server, bearer, keys: std::cell::Cell::new(0) }
    }

    fn ask(&self, method: &str, path: &str, more: &[(&str, &str)], body: &Value) -> Answer {
        let mut headers =
            vec![("authorization", self.bearer.as_str()), ("content-type", "application/json")];
        headers.extend(more);
        let body = if body.is_null() { Vec::new() } else { serde_json::to_vec(body).unwrap() };
        let path = format!("/api/v1/carts{path}");
        exchange(self.server.address, method, &path, &headers, &body).expect("an answer")
    }

    /// Under a key of its own.
    fn post(&self, path: &str, body: Value) -> Answer {
        self.keys.set(self.keys.get() + 1);
        let key = format!("key-{}", self.keys.get());
        self.ask("POST", path, &[("idempotency-key", &key)], &body)
    }

    fn get(&self, path: &str) -> Value {
        let answer = self.ask("GET", path, &[], &Value::Null);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    }

    fn quantities(&self) -> Vec<(String, String)> {
        let lines = self.get("/active/lines")["items"].as_array().unwrap().clone();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        lines.iter().map(|line| (text(&line["sku"]), text(&line["quantity"]))).collect()
    }
}

fn is(answer: &Answer, status: u16) -> Value {
    assert_eq!(answer.status, status, "{}", answer.text());
    answer.json()
}

fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

#[test]
fn a_program_adds_changes_and_removes_and_nothing_is_lost_by_a_crash() {
    on_every_stack("carts", |stack| {
        let server = open(stack);
        let program = Program::begin(&server);
        assert_eq!(program.ask("GET", "/active", &[], &Value::Null).status, 404);
        assert_eq!(program.get("")["items"], json!([]));

        // Asked twice under one key it is done once, to the byte.
        let wanted = json!({"sku": "A-1", "quantity": 2, "note": "for the shed"});
        let key = [("idempotency-key", "once")];
        let first = program.ask("POST", "/active/lines", &key, &wanted);
        let again = program.ask("POST", "/active/lines", &key, &wanted);
        let added = is(&first, 200);
        assert_eq!((first.text(), first.header("etag")), (again.text(), again.header("etag")));
        assert_eq!(added["line"]["total"]["amount"], "20.00");
        assert_eq!(added["cart"]["kind"], "active");
        let other = json!({"sku": "A-1", "quantity": 3});
        is(&program.ask("POST", "/active/lines", &key, &other), 422);
        is(&program.ask("POST", "/active/lines", &[], &wanted), 400);

        // The same product's quantities add up; another's line is its own.
        is(&program.post("/active/lines", json!({"sku": "A-1"})), 200);
        is(&program.post("/active/lines", json!({"sku": "M-3", "quantity": "2.25"})), 200);
        assert_eq!(program.quantities(), pairs(&[("A-1", "3"), ("M-3", "2.25")]));
        let cart = program.get("/active");
        assert_eq!((&cart["lines"], &cart["subtotal"]["amount"]), (&json!(2), &json!("32.70")));

        let changed = program.ask("PATCH", "/active/lines/A-1", &[], &json!({"quantity": "5"}));
        assert_eq!(is(&changed, 200)["line"]["note"], "for the shed");
        let noted = program.ask("PATCH", "/active/lines/A-1", &[], &json!({"note": null}));
        assert_eq!(is(&noted, 200)["line"]["note"], Value::Null);
        is(&program.ask("DELETE", "/active/lines/M-3", &[], &Value::Null), 200);
        is(&program.ask("DELETE", "/active/lines/M-3", &[], &Value::Null), 404);
        let bearer = program.bearer.clone();
        server.kill();

        let server = stack.serve(&[]);
        let program = Program { server: &server, bearer, keys: std::cell::Cell::new(100) };
        assert_eq!(program.quantities(), pairs(&[("A-1", "5")]));
        let replayed = program.ask("POST", "/active/lines", &key, &wanted);
        assert_eq!(replayed.text(), first.text(), "the answer outlives the process");

        // A change of the cart itself says which version it is about.
        let cart = program.ask("GET", "/active", &[], &Value::Null);
        let tag = cart.header("etag").unwrap().to_owned();
        let id = format!("/{}", cart.json()["id"].as_str().unwrap());
        let name = json!({"name": "Garden"});
        is(&program.ask("PATCH", &id, &[], &name), 428);
        is(&program.ask("PATCH", &id, &[("if-match", "\"1\"")], &name), 412);
        let named = program.ask("PATCH", &id, &[("if-match", &tag)], &name);
        assert_eq!(is(&named, 200)["name"], "Garden");
        is(&program.ask("DELETE", &id, &[("if-match", &tag)], &Value::Null), 412);
        let tag = named.header("etag").unwrap();
        let gone = program.ask("DELETE", &id, &[("if-match", tag)], &Value::Null);
        assert_eq!(gone.status, 204);
        is(&program.ask("GET", &id, &[], &Value::Null), 404);
    });
}

#[test]
fn what_is_no_quantity_or_cannot_be_bought_is_refused_with_its_place() {
    on_every_stack("refusals", |stack| {
        let server = open(stack);
        let program = Program::begin(&server);
        is(&program.post("/active/lines", json!({"sku": "A-1"})), 200);
        let before = program.ask("GET", "/active", &[], &Value::Null).text();
        for (line, pointer) in [
            (json!({"sku": "A-1", "quantity": "-1"}), "/quantity"),
            (json!({"sku": "A-1", "quantity": -1}), "/quantity"),
            (json!({"sku": "A-1", "quantity": 0}), "/quantity"),
            (json!({"sku": "A-1", "quantity": "0.1"}), "/quantity"),
            (json!({"sku": "A-1", "quantity": "1000001"}), "/quantity"),
            (json!({"sku": "A-1", "quantity": "99999999999999999999999999"}), "/quantity"),
            (json!({"sku": "A-1", "quantity": 9_223_372_036_854_775_807_i64}), "/quantity"),
            (json!({"sku": "A-1", "quantity": "NaN"}), "/quantity"),
            (json!({"sku": "M-3", "quantity": "1.005"}), "/quantity"),
            (json!({"sku": "X"}), "/sku"),
            (json!({"sku": "R-4"}), "/sku"),
            (json!({"sku": "D-5"}), "/sku"),
            (json!({"sku": "a b"}), "/sku"),
        ] {
            let refused = is(&program.post("/active/lines", line.clone()), 422);
            assert_eq!(refused["errors"][0]["pointer"], pointer, "{line}: {refused}");
        }
        let asked = is(&program.post("/active/lines", json!({"sku": "R-4"})), 422);
        assert!(asked["detail"].as_str().unwrap().contains("ask for a quote"), "{asked}");
        // Neither does a price come from the client, nor a fraction through a float.
        is(&program.post("/active/lines", json!({"sku": "A-1", "price": "0.01"})), 422);
        is(&program.post("/active/lines", json!({"sku": "A-1", "quantity": 0.1})), 422);
        is(&program.post("/active/lines", json!({"sku": "E-6"})), 422);
        is(&program.ask("PATCH", "/active/lines/A-1", &[], &json!({"quantity": "1.5"})), 422);
        is(&program.ask("PATCH", "/active/lines/B-2", &[], &json!({"quantity": "1"})), 404);
        // What would be too much together is as refused.
        is(&program.post("/active/lines", json!({"sku": "A-1", "quantity": 1_000_000})), 422);
        assert_eq!(program.ask("GET", "/active", &[], &Value::Null).text(), before);
    });
}

#[test]
fn anothers_cart_is_as_one_that_is_not_there() {
    on_every_stack("strangers", |stack| {
        let server = open(stack);
        let (owner, stranger) = (Program::begin(&server), Program::begin(&server));
        let added = is(&owner.post("/active/lines", json!({"sku": "A-1"})), 200);
        let id = format!("/{}", added["cart"]["id"].as_str().unwrap());
        let line = format!("{id}/lines/A-1");
        let tag = [("if-match", "\"1\""), ("idempotency-key", "k")];
        let nothing = Value::Null;
        for (method, path, body) in [
            ("GET", id.clone(), nothing.clone()),
            ("PATCH", id.clone(), json!({"name": "Mine"})),
            ("DELETE", id.clone(), nothing.clone()),
            ("GET", format!("{id}/lines"), nothing.clone()),
            ("POST", format!("{id}/lines"), json!({"sku": "A-1"})),
            ("POST", format!("{id}/lines/batch"), json!({"text": "A-1 1"})),
            ("PATCH", line.clone(), json!({"quantity": "9"})),
            ("DELETE", line.clone(), nothing.clone()),
            ("POST", format!("{line}/move"), json!({"to": "later"})),
            ("GET", format!("{id}/changes"), nothing.clone()),
            ("POST", format!("{id}/acknowledge"), json!({"token": "x"})),
        ] {
            let answer = stranger.ask(method, &path, &tag, &body);
            assert_eq!(answer.status, 404, "{method} {path}: {}", answer.text());
        }
        // Nor can a line be pushed into it.
        is(&stranger.post("/active/lines", json!({"sku": "B-2"})), 200);
        let to = json!({"to": added["cart"]["id"]});
        is(&stranger.ask("POST", "/active/lines/B-2/move", &[], &to), 404);
        let nobody = exchange(server.address, "GET", "/api/v1/carts/active", &[], b"").unwrap();
        is(&nobody, 404);
        // Two who have no session yet, with one key and one wish, have a cart each.
        let headers = [("content-type", "application/json"), ("idempotency-key", "same")];
        let come = || {
            let (path, body) = ("/api/v1/carts/active/lines", br#"{"sku":"A-1"}"#);
            let answer = exchange(server.address, "POST", path, &headers, body).unwrap();
            assert!(answer.header("set-cookie").is_some());
            is(&answer, 200)["cart"]["id"].clone()
        };
        assert_ne!(come(), come());
        assert_eq!(owner.quantities(), pairs(&[("A-1", "1")]));
        assert_eq!(owner.get("/active")["version"], 1);
    });
}

#[test]
fn an_order_by_sku_is_all_or_nothing_unless_part_of_it_will_do() {
    on_every_stack("quick orders", |stack| {
        let server = open(stack);
        let program = Program::begin(&server);
        let text = "A-1 2\nnope 1\nB-2;x\nM-3, 1.5\n R-4 1\nA-1 2 3\n\"M-3\"\n";
        let refused = is(&program.post("/active/lines/batch", json!({"text": text})), 422);
        let at =
            |error: &Value| (error["line"].as_u64().unwrap(), error["column"].as_u64().unwrap());
        let mut places: Vec<_> = refused["errors"].as_array().unwrap().iter().map(at).collect();
        places.sort_unstable();
        assert_eq!(places, [(2, 1), (3, 5), (5, 2), (6, 5), (7, 1)], "{refused}");
        assert_eq!(
            program.ask("GET", "/active", &[], &Value::Null).status,
            404,
            "nothing was added"
        );

        let csv = "Qty;SKU;Name\n2;A-1;\"Drill; red\"\n-1;B-2;Bits\n\"3;M-3\n";
        let refused = is(&program.post("/active/lines/batch", json!({"text": csv})), 422);
        let places: Vec<_> = refused["errors"].as_array().unwrap().iter().map(at).collect();
        assert_eq!(places, [(4, 1), (3, 1)], "{refused}");

        let some = json!({"text": text, "partial": true});
        let added = is(&program.post("/active/lines/batch", some), 200);
        assert_eq!((&added["added"], added["left_out"].as_array().unwrap().len()), (&json!(2), 5));
        assert_eq!(program.quantities(), pairs(&[("A-1", "2"), ("M-3", "1.5")]));

        let lines =
            json!({"lines": [{"sku": "A-1", "quantity": 1}, {"sku": "B-2", "quantity": "x"}]});
        let refused = is(&program.post("/active/lines/batch", lines), 422);
        assert_eq!(refused["errors"][0]["pointer"], "/lines/1/quantity");
        let lines = json!({"lines": [{"sku": "A-1", "quantity": 1}, {"sku": "B-2"}]});
        is(&program.post("/active/lines/batch", lines), 200);
        assert_eq!(program.quantities(), pairs(&[("A-1", "3"), ("M-3", "1.5"), ("B-2", "1")]));
        for neither in [json!({}), json!({"text": "A-1", "lines": []}), json!({"lines": []})] {
            is(&program.post("/active/lines/batch", neither), 422);
        }
    });
}

#[test]
fn what_changed_since_is_shown_and_not_slipped_in() {
    on_every_stack("changes", |stack| {
        let server = open(stack);
        let program = Program::begin(&server);
        let text = "A-1 2\nB-2 1\nM-3 1";
        is(&program.post("/active/lines/batch", json!({"text": text})), 200);
        assert_eq!(program.get("/active/changes")["changed"], 0);
        let price = |amount: &str| PRODUCTS.replace("10.00", amount);
        import(
            stack,
            &price("12.00").replace("M-3,Cable by the metre,active", "M-3,Cable,disabled"),
        );
        let seen = until("the changes", || {
            let changes = program.get("/active/changes");
            (changes["changed"] == 2).then_some(changes)
        });
        assert_eq!(seen["items"][0]["changes"][0]["was"]["amount"], "10.00");
        assert_eq!(seen["items"][0]["changes"][0]["now"]["amount"], "12.00");
        assert_eq!(seen["items"][1]["changes"][0]["kind"], "not_sold");
        assert_eq!(program.get("/active")["subtotal"]["amount"], "23.70", "as it was seen");
        // An edit of the line doesn't hide it.
        is(&program.ask("PATCH", "/active/lines/A-1", &[], &json!({"quantity": "3"})), 200);
        assert_eq!(program.get("/active")["subtotal"]["amount"], "33.70");
        let note = |token: &Value| {
            program.ask("POST", "/active/acknowledge", &[], &json!({ "token": token }))
        };
        is(&note(&seen["token"]), 409);
        let seen = program.get("/active/changes");
        import(stack, &price("13.00"));
        until("one more change", || {
            let now = program.get("/active/changes")["token"].clone();
            (now != seen["token"]).then_some(())
        });
        is(&note(&seen["token"]), 409);
        until("all of it to be known", || {
            (program.get("/active/changes")["changed"] == 1).then_some(())
        });
        let token = program.get("/active/changes")["token"].clone();
        assert_eq!(is(&note(&token), 200)["subtotal"]["amount"], "42.70");
        assert_eq!(program.get("/active/changes")["changed"], 0);
    });
}

/// Somebody with a browser that runs no scripts.
pub(crate) struct Person<'a> {
    server: &'a Server,
    cookies: std::cell::RefCell<Vec<(String, String)>>,
}

impl<'a> Person<'a> {
    pub(crate) fn come(server: &'a Server) -> Self {
        Self { server, cookies: std::cell::RefCell::default() }
    }

    pub(crate) fn ask(
        &self,
        method: &str,
        path: &str,
        more: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let cookies: Vec<_> =
            self.cookies.borrow().iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = cookies.join("; ");
        let mut headers = vec![("accept", "text/html")];
        if !cookies.is_empty() {
            headers.push(("cookie", &cookies));
        }
        headers.extend(more);
        let answer =
            exchange(self.server.address, method, path, &headers, body.as_bytes()).unwrap();
        for line in
            answer.head.lines().filter(|line| line.to_lowercase().starts_with("set-cookie:"))
        {
            let pair = line.split_once(':').unwrap().1.split(';').next().unwrap().trim();
            let (name, value) = pair.split_once('=').unwrap();
            let mut cookies = self.cookies.borrow_mut();
            cookies.retain(|(known, _)| known != name);
            cookies.push((name.to_owned(), value.to_owned()));
        }
        answer
    }

    pub(crate) fn page(&self, path: &str) -> String {
        let answer = self.ask("GET", path, &[], "");
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
        answer.text()
    }

    /// Sends a form as a page of this shop does.
    pub(crate) fn send(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let origin = format!("http://{}", self.server.address);
        let form = "application/x-www-form-urlencoded";
        let headers = [("origin", origin.as_str()), ("content-type", form)];
        self.ask("POST", path, &headers, &encoded(fields))
    }

    /// The same with the token of the cart's page; it must be led on.
    fn led(&self, path: &str, fields: &[(&str, &str)]) -> String {
        let token = token(&self.page("/cart"));
        let all: Vec<_> = [("form_token", token.as_str())].iter().chain(fields).copied().collect();
        let answer = self.send(path, &all);
        assert_eq!(answer.status, 303, "{path}: {}", answer.text());
        answer.header("location").unwrap().to_owned()
    }
}

fn encoded(fields: &[(&str, &str)]) -> String {
    let escape = |text: &str| {
        let byte = |b: u8| match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' => char::from(b).to_string(),
            other => format!("%{other:02X}"),
        };
        text.bytes().map(byte).collect::<String>()
    };
    let pairs: Vec<_> =
        fields.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value))).collect();
    pairs.join("&")
}

pub(crate) fn token(page: &str) -> String {
    let (_, rest) = page.split_once("name=\"form_token\" value=\"").expect("a form");
    rest.split_once('"').unwrap().0.to_owned()
}

#[test]
fn a_person_shops_without_scripts() {
    on_every_stack("pages", |stack| {
        let server = open(stack);
        let person = Person::come(&server);
        assert!(person.page("/cart").contains("Your cart is empty"));
        assert_eq!(person.ask("GET", "/cart/summary", &[], "").json()["lines"], 0);
        // Pages for everybody stay without cookies, and offer what can be bought.
        let product = server.get("/p/drill");
        assert_eq!(product.header("set-cookie"), None);
        assert!(product.text().contains("action=\"/cart/add\""));
        assert!(!server.get("/p/crane").text().contains("action=\"/cart/add\""));

        let added = person.send("/cart/add", &[("sku", "A-1"), ("quantity", "2")]);
        assert_eq!((added.status, added.header("location")), (303, Some("/cart?done=added")));
        person.send("/cart/add", &[("sku", "M-3"), ("quantity", "0.5")]);
        let cart = person.page("/cart");
        for said in ["Drill", "Cable by the metre", "$20.60", "value=\"0.5\"", ">2</span>"] {
            assert!(cart.contains(said), "{said}: {cart}");
        }
        assert_eq!(person.ask("GET", "/cart/summary", &[], "").json()["lines"], 2);
        let refused = person.send("/cart/add", &[("sku", "A-1"), ("quantity", "1.5")]);
        assert_eq!(refused.status, 422);
        assert!(refused.text().contains("whole units"), "{}", refused.text());

        person.led(
            "/cart/change",
            &[("quantity.A-1", "4"), ("quantity.M-3", "0.5"), ("do", "update")],
        );
        person
            .led("/cart/change", &[("quantity.A-1", "5"), ("note.M-3", "cut"), ("do", "note.M-3")]);
        let cart = person.page("/cart");
        assert!(cart.contains("$50.60") && cart.contains("cut</p>"), "{cart}");
        let place = person.led("/cart/change", &[("do", "later.M-3")]);
        assert_eq!(place, "/cart?done=later");
        let cart = person.page(&place);
        assert!(cart.contains("It is saved for later.") && cart.contains("Saved for later"));
        person.led("/cart/change", &[("do", "remove.A-1")]);
        assert!(person.page("/cart").contains("Your cart is empty"));

        // A list of their own, and a line that goes there.
        let list = person.led("/cart/lists", &[("name", "Wishes"), ("do", "create")]);
        let list = list.split('?').next().unwrap().to_owned();
        let id = list.rsplit('/').next().unwrap().to_owned();
        person.send("/cart/add", &[("sku", "B-2")]);
        person.led("/cart/change", &[("do", &format!("move.{id}.B-2"))]);
        assert!(person.page(&list).contains("Bit set"));
        person.led("/cart/change", &[("cart", &id), ("do", "active.B-2")]);
        assert!(person.page("/cart").contains("Bit set"));
        person.led("/cart/lists", &[("cart", &id), ("do", "delete")]);
        assert_eq!(person.ask("GET", &list, &[], "").status, 404);

        // What is wrong is said beside its field, and what was typed stays.
        let token = token(&person.page("/cart"));
        let wrong = [("form_token", token.as_str()), ("quantity.B-2", "many"), ("do", "update")];
        let answer = person.send("/cart/change", &wrong);
        assert_eq!(answer.status, 422);
        assert!(answer.text().contains("value=\"many\"") && answer.text().contains("aria-invalid"));

        // Another person sees none of it, and another site can send none of it.
        let other = Person::come(&server);
        assert!(other.page("/cart").contains("Your cart is empty"));
        let form = ("content-type", "application/x-www-form-urlencoded");
        let evil = [form, ("origin", "https://evil.example")];
        assert_eq!(person.ask("POST", "/cart/add", &evil, "sku=A-1").status, 403);
        assert_eq!(person.ask("POST", "/cart/add", &[form], "sku=A-1").status, 403);
        assert_eq!(person.send("/cart/change", &[("do", "remove.B-2")]).status, 403);
    });
}

#[test]
fn a_person_orders_by_sku_and_is_told_of_changes() {
    on_every_stack("quick order page", |stack| {
        let server = open(stack);
        let person = Person::come(&server);
        let form_token = token(&person.page("/cart/quick"));
        let send = |rows: &str, more: &[(&str, &str)]| {
            let fields = [("form_token", form_token.as_str()), ("rows", rows)];
            let all: Vec<_> = fields.iter().chain(more).copied().collect();
            person.send("/cart/quick", &all)
        };
        let failed = send("A-1 2\r\nB-2 many\r\n", &[]);
        assert_eq!(failed.status, 422);
        let said = failed.text();
        assert!(said.contains("Line 2, column 5") && said.contains("B-2 many"), "{said}");
        assert!(person.page("/cart").contains("Your cart is empty"));
        // It has a session now, whose token its forms bear.
        let form_token = token(&person.page("/cart/quick"));
        let fields = [("form_token", form_token.as_str()), ("rows", "A-1 2\r\nB-2 1")];
        let done = person.send("/cart/quick", &fields);
        assert_eq!((done.status, done.header("location")), (303, Some("/cart?done=added")));

        import(stack, &PRODUCTS.replace("10.00", "9.00"));
        let cart = until("the change on the page", || {
            let cart = person.page("/cart");
            cart.contains("One thing has changed since you last looked").then_some(cart)
        });
        assert!(cart.contains("$9.00 instead of $10.00") && cart.contains("$22.50"), "{cart}");
        let (_, seen) = cart.split_once("name=\"seen\" value=\"").unwrap();
        let seen = seen.split_once('"').unwrap().0;
        person.led("/cart/acknowledge", &[("seen", seen)]);
        let cart = person.page("/cart");
        assert!(cart.contains("$20.50") && !cart.contains("has changed"), "{cart}");
    });
}
