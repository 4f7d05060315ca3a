//! A person buys something, page by page and without scripts, and what can go wrong meanwhile.

use crate::{
    carts::{PRODUCTS, Person, import, token},
    on_every_stack,
    support::{
        client::Answer,
        server::{Server, until},
        stack::Stack,
    },
};

const HOME: &[(&str, &str)] = &[
    ("email", "ada@example.com"),
    ("name", "Ada <b>"),
    ("street", "1 Road"),
    ("city", "Berlin"),
    ("postcode", "10115"),
    ("country", "DE"),
];
pub(crate) const GOOD: &str = "4242 4242 4242 4242";
const DECLINED: &str = "4000 0000 0000 0002";
const ANSWER_LOST: &str = "4000 0000 0000 1018";

/// A shop that takes play money.
pub(crate) fn open(stack: &Stack) -> Server {
    let config = stack.path("stoa.toml");
    std::fs::write(&config, "[payments]\ntest_cards = true\n").unwrap();
    let server = stack.serve(&["--config", config.to_str().unwrap()]);
    import(stack, PRODUCTS);
    until("the products to be read", || {
        (server.get("/api/v1/products/E-6").status == 200).then_some(())
    });
    server
}

fn fill(person: &Person<'_>, action: &str, fields: &[(&str, &str)]) -> Answer {
    let token = token(&person.page("/checkout"));
    let all: Vec<_> = [("form_token", token.as_str())].iter().chain(fields).copied().collect();
    person.send(action, &all)
}

fn hidden(page: &str, name: &str) -> String {
    let begin = format!("name=\"{name}\" value=\"");
    let (_, rest) = page.split_once(&begin).unwrap_or_else(|| panic!("no {name} in {page}"));
    rest.split('"').next().unwrap().to_owned()
}

fn card(number: &str) -> Vec<(&'static str, String)> {
    let field = |name, value: &str| (name, value.to_owned());
    vec![
        field("provider", "test-cards"),
        field("card_number", number),
        field("card_expiry", "09/31"),
        field("card_code", "123"),
    ]
}

/// To the review with a card, and its fields.
pub(crate) fn review(person: &Person<'_>, number: &str) -> Vec<(&'static str, String)> {
    let card = card(number);
    let fields: Vec<_> = HOME
        .iter()
        .copied()
        .chain(card.iter().map(|(name, text)| (*name, text.as_str())))
        .collect();
    let review = fill(person, "/checkout/payment", &fields);
    assert_eq!(review.status, 200, "{}", review.text());
    let page = review.text();
    assert!(!page.contains(&number.replace(' ', "")) && !page.contains(number), "{page}");
    assert!(page.contains("Ada &#60;b&#62;"), "{page}");
    let mut all: Vec<_> = HOME.iter().map(|(name, text)| (*name, (*text).to_owned())).collect();
    for name in ["provider", "token", "review", "cart"] {
        all.push((name, hidden(&page, name)));
    }
    all
}

pub(crate) fn place(person: &Person<'_>, fields: &[(&'static str, String)]) -> Answer {
    let fields: Vec<_> = fields.iter().map(|(name, text)| (*name, text.as_str())).collect();
    // A page for the token; the cart may be empty by now.
    let token = token(&person.page("/cart"));
    let all: Vec<_> = [("form_token", token.as_str())].into_iter().chain(fields).collect();
    person.send("/checkout/place", &all)
}

#[test]
fn a_person_buys_with_a_card_and_pressing_twice_buys_once() {
    on_every_stack("checkout", |stack| {
        let server = open(stack);
        let person = Person::come(&server);
        assert_eq!(person.ask("GET", "/checkout", &[], "").header("location"), Some("/cart"));
        person.send("/cart/add", &[("sku", "A-1"), ("quantity", "2")]);
        assert!(person.page("/cart").contains("href=\"/checkout\""));

        // What is wrong with an address is told beside its field.
        let wrong = fill(&person, "/checkout/address", &[("email", "ada"), ("country", "DE")]);
        assert_eq!(wrong.status, 422);
        for told in ["error-email", "error-name", "error-postcode", "Nothing was ordered yet"] {
            assert!(wrong.text().contains(told), "{told}");
        }
        let payment = fill(&person, "/checkout/address", HOME);
        assert!(payment.status == 200 && payment.text().contains("By card"));
        assert!(!payment.text().contains("By invoice"), "that is for customers");
        let wrong = card("4242 4242 4242 4241");
        let wrong: Vec<_> =
            HOME.iter().copied().chain(wrong.iter().map(|(n, t)| (*n, t.as_str()))).collect();
        let wrong = fill(&person, "/checkout/payment", &wrong);
        assert_eq!(wrong.status, 422);
        assert!(wrong.text().contains("no card&#39;s number"), "{}", wrong.text());

        let fields = review(&person, GOOD);
        let placed = place(&person, &fields);
        assert_eq!(placed.status, 303, "{}", placed.text());
        let order = placed.header("location").unwrap().to_owned();
        let again = place(&person, &fields);
        assert_eq!((again.status, again.header("location")), (303, Some(order.as_str())));
        assert!(person.page("/cart").contains("Your cart is empty"));
        let page = until("the payment", || {
            let page = person.page(&order);
            page.contains("Thank you for your order").then_some(page)
        });
        assert!(page.contains("$20.00") && page.contains("Ada &#60;b&#62;"), "{page}");
        assert!(
            page.contains("data-cart-changed"),
            "scripts ask for the cart's count anew: {page}"
        );
        // To others it isn't there.
        assert_eq!(Person::come(&server).ask("GET", &order, &[], "").status, 404);
        let stock = server.operate("GET", "/api/v1/stock/A-1", b"").json();
        assert_eq!(stock["levels"][0]["reserved"], 2, "{stock}");
    });
}

#[test]
fn a_declined_card_gives_the_goods_back_and_the_cart_again() {
    on_every_stack("checkout declined", |stack| {
        let server = open(stack);
        let person = Person::come(&server);
        person.send("/cart/add", &[("sku", "B-2"), ("quantity", "3")]);
        let placed = place(&person, &review(&person, DECLINED));
        let order = placed.header("location").unwrap().split('?').next().unwrap().to_owned();
        let page = until("the bank's no", || {
            let page = person.page(&order);
            page.contains("The payment was declined").then_some(page)
        });
        assert!(page.contains("Put it all into the cart again"), "{page}");
        let stock = server.operate("GET", "/api/v1/stock/B-2", b"").json();
        assert_eq!((&stock["available"], &stock["levels"][0]["reserved"]), (&3.into(), &0.into()));
        until("the goods to be had again", || {
            let product = server.json("/api/v1/products/B-2");
            (product["stock"]["band"] != "sold_out").then_some(())
        });
        let again = person.send(&format!("{order}/again"), &[("form_token", &token(&page))]);
        assert_eq!(again.header("location"), Some("/cart?done=added"));

        // The answer is lost, and found by asking again.
        let placed = place(&person, &review(&person, ANSWER_LOST));
        let order = placed.header("location").unwrap().split('?').next().unwrap().to_owned();
        until("the payment all the same", || {
            person.page(&order).contains("Your order is confirmed").then_some(())
        });
    });
}

#[test]
fn what_changed_since_the_review_is_shown_and_nothing_is_ordered() {
    on_every_stack("checkout stale", |stack| {
        let server = open(stack);
        let person = Person::come(&server);
        person.send("/cart/add", &[("sku", "A-1"), ("quantity", "2")]);
        let fields = review(&person, GOOD);
        import(stack, &PRODUCTS.replace("A-1,Drill,active,10.00", "A-1,Drill,active,11.00"));
        until("the new price", || {
            let product = server.json("/api/v1/products/A-1");
            (product["price"]["minor"] == 1_100).then_some(())
        });
        // The cart says so, and is where it is taken note of.
        let placed = place(&person, &fields);
        assert_eq!((placed.status, placed.header("location")), (303, Some("/cart")));
        assert!(person.page("/cart").contains("higher now"));
        let stale = [("review", "0".repeat(64))];
        let mut other: Vec<_> = fields.into_iter().filter(|(name, _)| *name != "review").collect();
        other.extend(stale);
        assert_eq!(place(&person, &other).header("location"), Some("/cart"));
        let orders = server.operate("GET", "/api/v1/orders", b"").json();
        assert_eq!(orders["items"].as_array().map(Vec::len), Some(0), "{orders}");
    });
}

#[test]
fn the_invoice_may_go_elsewhere() {
    on_every_stack("checkout billing", |stack| {
        let server = open(stack);
        let person = Person::come(&server);
        person.send("/cart/add", &[("sku", "A-1"), ("quantity", "1")]);
        let with = |more: &[(&'static str, &'static str)]| -> Vec<(&'static str, &'static str)> {
            HOME.iter().chain(more).copied().collect()
        };
        // Half an address is none, and what is wrong with it stands beside its field.
        let half = fill(&person, "/checkout/address", &with(&[("bill_name", "Books & Co")]));
        assert_eq!(half.status, 422);
        let page = half.text();
        for told in [
            "error-bill_street",
            "error-bill_country",
            "href=\"#bill_city\"",
            "<details class=\"more\" open>",
        ] {
            assert!(page.contains(told), "{told} in {page}");
        }
        assert!(!page.contains("error-street"), "{page}");

        let elsewhere = [
            ("bill_name", "Books & Co"),
            ("bill_street", "2 Ledger Lane"),
            ("bill_city", "Vienna"),
            ("bill_postcode", "1010"),
            ("bill_country", "AT"),
        ];
        let card = card(GOOD);
        let card: Vec<_> = card.iter().map(|(name, text)| (*name, text.as_str())).collect();
        let mut fields = with(&elsewhere);
        fields.extend(&card);
        let review = fill(&person, "/checkout/payment", &fields);
        assert_eq!(review.status, 200, "{}", review.text());
        let page = review.text();
        assert!(page.contains("2 Ledger Lane") && page.contains("Austria"), "{page}");
        let mut all: Vec<_> =
            with(&elsewhere).into_iter().map(|(name, text)| (name, text.to_owned())).collect();
        for name in ["provider", "token", "review", "cart"] {
            all.push((name, hidden(&page, name)));
        }
        assert_eq!(hidden(&page, "bill_street"), "2 Ledger Lane");
        let placed = place(&person, &all);
        assert_eq!(placed.status, 303, "{}", placed.text());
        let order = placed.header("location").unwrap().to_owned();
        let page = person.page(&order);
        assert!(page.contains("The invoice goes to") && page.contains("2 Ledger Lane"), "{page}");
        let orders = server.operate("GET", "/api/v1/orders", b"").json();
        let order = &orders["items"][0];
        assert_eq!(order["bill_to"]["city"], "Vienna");
        assert_eq!(order["ship_to"]["city"], "Berlin");
    });
}
