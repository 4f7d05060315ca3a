//! A person becomes a customer, comes back and changes what is theirs, without scripts.

use crate::{
    accounts::{mailed_token, open},
    carts::{Person, token},
    on_every_stack,
    support::client::Answer,
};

pub(crate) const ADA: &str = "ada@example.com";

pub(crate) const HOME: [(&str, &str); 5] = [
    ("name", "Ada"),
    ("street", "1 Road"),
    ("city", "Berlin"),
    ("postcode", "10115"),
    ("country", "DE"),
];

/// Orders what is in the cart of somebody who has registered as Ada; says where they are led.
pub(crate) fn buy_by_invoice(person: &Person<'_>) -> String {
    let wish: Vec<_> =
        [("email", ADA), ("provider", "invoice")].iter().chain(&HOME).copied().collect();
    let review = fill(person, "/checkout", "/checkout/payment", &wish);
    assert_eq!(review.status, 200, "{}", review.text());
    let review = review.text();
    let (_, hash) = review.split_once("name=\"review\" value=\"").expect("a review");
    let hash = hash.split('"').next().unwrap();
    let (_, cart) = review.split_once("name=\"cart\" value=\"").expect("its cart");
    let cart = cart.split('"').next().unwrap();
    let wish: Vec<_> = wish.into_iter().chain([("review", hash), ("cart", cart)]).collect();
    led(person, "/checkout", "/checkout/place", &wish)
}

/// Sends the form of a page; its token is the page's.
pub(crate) fn fill(
    person: &Person<'_>,
    page: &str,
    action: &str,
    fields: &[(&str, &str)],
) -> Answer {
    let token = token(&person.page(page));
    let all: Vec<_> = [("form_token", token.as_str())].iter().chain(fields).copied().collect();
    person.send(action, &all)
}

/// The same; it must be led on, and says where to.
pub(crate) fn led(
    person: &Person<'_>,
    page: &str,
    action: &str,
    fields: &[(&str, &str)],
) -> String {
    let answer = fill(person, page, action, fields);
    assert_eq!(answer.status, 303, "{action}: {}", answer.text());
    answer.header("location").unwrap().to_owned()
}

/// The same; it must be refused with the page again, which is what comes back.
fn refused(person: &Person<'_>, page: &str, action: &str, fields: &[(&str, &str)]) -> String {
    let answer = fill(person, page, action, fields);
    assert_eq!(answer.status, 422, "{action}: {}", answer.text());
    answer.text()
}

pub(crate) fn is_in(person: &Person<'_>) -> bool {
    let answer = person.ask("GET", "/account", &[], "");
    if answer.status == 303 {
        assert_eq!(answer.header("location"), Some("/login?next=%2Faccount"));
        return false;
    }
    answer.status == 200
}

#[test]
fn a_person_registers_comes_back_and_sets_a_forgotten_password() {
    on_every_stack("account pages", |stack| {
        let server = open(stack);
        let person = Person::come(&server);
        assert!(!is_in(&person));
        let registration = [("name", "Ada"), ("email", ADA), ("password", "correct horse")];
        let page =
            refused(&person, "/register", "/register", &[("name", "Ada <b>"), ("email", "ada")]);
        assert!(
            page.contains("value=\"Ada &#60;b&#62;\"") && page.contains("Use at least 8"),
            "{page}"
        );
        let home = led(&person, "/register", "/register", &registration);
        assert_eq!(home, "/account?done=registered");
        let home = person.page(&home);
        assert!(home.contains("Your account is made") && home.contains(ADA), "{home}");
        person.send("/cart/add", &[("sku", "A-1"), ("quantity", "2")]);
        assert!(person.page("/account").contains("data-cart-count>1</span>"));

        assert_eq!(led(&person, "/account", "/logout", &[]), "/login?done=out");
        assert!(!is_in(&person));
        assert!(person.page("/login?done=out").contains("You are signed out."));

        // As a guest they gather more, which is theirs once they are back.
        assert!(person.page("/cart").contains("Your cart is empty"));
        person.send("/cart/add", &[("sku", "A-1"), ("quantity", "1")]);
        person.send("/cart/add", &[("sku", "B-2"), ("quantity", "3")]);
        let wrong = [("email", ADA), ("password", "wrong horse")];
        let page = refused(&person, "/login", "/login", &wrong);
        assert!(
            page.contains("don’t belong together") || page.contains("don&#39;t belong"),
            "{page}"
        );
        assert!(page.contains(&format!("value=\"{ADA}\"")) && !page.contains("wrong horse"));
        let right = [("email", ADA), ("password", "correct horse"), ("next", "/cart")];
        assert_eq!(led(&person, "/login?next=/cart", "/login", &right), "/cart");
        let cart = person.page("/cart");
        assert!(cart.contains("value=\"3\"") && cart.contains("$37.50"), "{cart}");
        // Who is in already is led on, and never away from here.
        let away = person.ask("GET", "/login?next=//evil.example", &[], "");
        assert_eq!((away.status, away.header("location")), (303, Some("/account")));
        let summary = person.ask("GET", "/cart/summary", &[], "").json();
        assert_eq!((&summary["lines"], &summary["signed_in"]), (&2.into(), &true.into()));

        // Another browser of theirs, and the mailed link, which ends both.
        let second = Person::come(&server);
        led(&second, "/login", "/login", &[("email", ADA), ("password", "correct horse")]);
        let stranger = Person::come(&server);
        let sent = led(&stranger, "/forgot", "/forgot", &[("email", ADA)]);
        assert!(stranger.page(&sent).contains("If there is an account"));
        let nobody = led(&stranger, "/forgot", "/forgot", &[("email", "nobody@example.com")]);
        assert_eq!(nobody, sent);
        let secret = mailed_token(&server, ADA, "Set a new password");
        let place = format!("/reset?token={secret}");
        let short = [("token", secret.as_str()), ("password", "short")];
        assert!(refused(&stranger, &place, "/reset", &short).contains("Use at least 8"));
        assert!(is_in(&person) && is_in(&second));
        let set = [("token", secret.as_str()), ("password", "battery staple")];
        assert_eq!(led(&stranger, &place, "/reset", &set), "/login?done=reset");
        assert!(!is_in(&person) && !is_in(&second));
        assert!(stranger.page(&place).contains("This link has been used"));
        let old = [("email", ADA), ("password", "correct horse")];
        refused(&stranger, "/login", "/login", &old);
        let new = [("email", ADA), ("password", "battery staple")];
        assert_eq!(led(&stranger, "/login", "/login", &new), "/account");
        assert!(stranger.page("/cart").contains("$37.50"));

        // No form counts that no page of ours showed.
        assert_eq!(stranger.send("/logout", &[]).status, 403);
        let form = ("content-type", "application/x-www-form-urlencoded");
        let evil = [form, ("origin", "https://evil.example")];
        assert_eq!(stranger.ask("POST", "/login", &evil, "email=a&password=b").status, 403);
        assert!(is_in(&stranger));
    });
}

#[test]
fn a_person_keeps_addresses_and_sees_where_they_are_signed_in() {
    on_every_stack("account rooms", |stack| {
        let server = open(stack);
        let person = Person::come(&server);
        let registration = [
            ("name", "Ada"),
            ("email", ADA),
            ("password", "correct horse"),
            ("company", "Engines Ltd"),
        ];
        led(&person, "/register", "/register", &registration);
        assert!(person.page("/account").contains("Engines Ltd"));

        assert!(person.page("/account/addresses").contains("No address yet"));
        let new = "/account/addresses/new";
        let wrong = [
            ("do", "save"),
            ("name", "Ada"),
            ("street", "1 Road"),
            ("city", "Berlin"),
            ("postcode", "1"),
            ("country", "DE"),
        ];
        let page = refused(&person, new, "/account/addresses", &wrong);
        assert!(
            page.contains("href=\"#address-postcode\"") && page.contains("value=\"1 Road\""),
            "{page}"
        );
        assert!(page.contains("<option value=\"DE\" selected>"));
        let right = [
            ("do", "save"),
            ("name", "Ada"),
            ("street", "1 Road"),
            ("city", "Berlin"),
            ("postcode", "10115"),
            ("country", "DE"),
        ];
        assert_eq!(
            led(&person, new, "/account/addresses", &right),
            "/account/addresses?done=saved"
        );
        let book = person.page("/account/addresses");
        assert!(book.contains("10115 Berlin") && book.contains("Deliveries go here"), "{book}");
        let (_, edit) = book.split_once("href=\"/account/addresses/").unwrap();
        let edit = format!("/account/addresses/{}", edit.split('"').next().unwrap());
        let moved = [
            ("do", "save"),
            ("name", "Ada"),
            ("street", "2 Road"),
            ("city", "Berlin"),
            ("postcode", "10115"),
            ("country", "DE"),
        ];
        led(&person, &edit, &edit, &moved);
        assert!(person.page("/account/addresses").contains("2 Road"));
        let stranger = Person::come(&server);
        led(
            &stranger,
            "/register",
            "/register",
            &[("name", "Eve"), ("email", "eve@example.com"), ("password", "correct horse")],
        );
        assert_eq!(stranger.ask("GET", &edit, &[], "").status, 404);
        let theirs = fill(&stranger, new, &edit, &[("do", "delete")]);
        assert_eq!(theirs.status, 404);
        assert_eq!(
            led(&person, &edit, &edit, &[("do", "delete")]),
            "/account/addresses?done=deleted"
        );

        // A new name, a new address of mail by the password alone, and a new password.
        let details = "/account/details";
        let name = [("form", "details"), ("name", "Ada L."), ("email", ADA)];
        assert_eq!(led(&person, details, details, &name), "/account/details?done=saved");
        let email = [("form", "details"), ("name", "Ada L."), ("email", "love@example.com")];
        assert!(refused(&person, details, details, &email).contains("#details-current_password"));
        let taken = [
            ("form", "details"),
            ("name", "Ada L."),
            ("email", "eve@example.com"),
            ("current_password", "correct horse"),
        ];
        let page = fill(&person, details, details, &taken);
        assert_eq!(page.status, 409);
        assert!(page.text().contains("#details-email"));
        let company = [("form", "customer"), ("company", "Looms Ltd"), ("tax_number", "DE1")];
        led(&person, details, details, &company);
        assert!(person.page("/account").contains("Looms Ltd"));

        let second = Person::come(&server);
        led(&second, "/login", "/login", &[("email", ADA), ("password", "correct horse")]);
        let sessions = "/account/sessions";
        let page = person.page(sessions);
        assert_eq!(page.matches("value=\"end.").count(), 2, "{page}");
        led(&person, sessions, sessions, &[("do", "others")]);
        assert!(is_in(&person) && !is_in(&second));
        led(&second, "/login", "/login", &[("email", ADA), ("password", "correct horse")]);
        let password = [("present_password", "correct horse"), ("password", "battery staple")];
        let page = refused(
            &person,
            details,
            "/account/password",
            &[("present_password", "x"), ("password", "battery staple")],
        );
        assert!(page.contains("#password-present_password"), "{page}");
        let place = led(&person, details, "/account/password", &password);
        assert_eq!(place, "/account/details?done=password");
        assert!(is_in(&person) && !is_in(&second));

        // Their data, and the end.
        let export = person.ask("GET", "/account/export", &[], "");
        assert_eq!(export.json()["customer"]["name"], "Looms Ltd");
        let leave = "/account/leave";
        refused(&person, leave, leave, &[("password", "wrong horse")]);
        assert_eq!(
            led(&person, leave, leave, &[("password", "battery staple")]),
            "/login?done=left"
        );
        assert!(!is_in(&person));
        refused(&person, "/login", "/login", &[("email", ADA), ("password", "battery staple")]);
    });
}

#[test]
fn the_first_link_makes_the_owner_on_a_page() {
    on_every_stack("owner page", |stack| {
        let server = open(stack);
        let link = std::fs::read_to_string(server.data.join("run/setup.link")).unwrap();
        let (_, secret) = link.trim().split_once("token=").unwrap();
        let place = format!("/admin/setup?token={secret}");
        let person = Person::come(&server);
        assert!(person.page("/admin/setup?token=x").contains("This link has been used"));
        let wish = [
            ("token", secret),
            ("name", "Olga"),
            ("email", "olga@example.com"),
            ("password", "correct horse"),
        ];
        assert_eq!(led(&person, &place, "/admin/setup", &wish), "/account?done=setup");
        let home = person.page("/account");
        assert!(
            home.contains("owner of this shop") && !home.contains("/account/addresses"),
            "{home}"
        );
        assert_eq!(person.ask("GET", "/account/addresses", &[], "").status, 403);
        assert!(person.page(&place).contains("This link has been used"));
    });
}

#[test]
fn an_order_finds_the_buyers_address_filled_in_and_stands_in_their_list() {
    on_every_stack("orders of an account", |stack| {
        let server = open(stack);
        let person = Person::come(&server);
        let registration = [("name", "Ada"), ("email", ADA), ("password", "correct horse")];
        led(&person, "/register", "/register", &registration);
        assert!(person.page("/account/orders").contains("No orders yet"));
        let saved: Vec<_> = [("do", "save")].iter().chain(&HOME).copied().collect();
        led(&person, "/account/addresses/new", "/account/addresses", &saved);
        person.send("/cart/add", &[("sku", "A-1"), ("quantity", "2")]);

        let checkout = person.page("/checkout");
        for known in [ADA, "value=\"1 Road\"", "value=\"10115\""] {
            assert!(checkout.contains(known), "{known} in {checkout}");
        }
        let place = buy_by_invoice(&person);
        let order = place.split('?').next().unwrap();
        assert!(order.starts_with("/orders/"), "{place}");
        let orders = person.page("/account/orders");
        assert!(
            orders.contains(&format!("href=\"{order}\"")) && orders.contains("$20.00"),
            "{orders}"
        );
        // It is the customer's: there for them in any browser, and for nobody else.
        let second = Person::come(&server);
        assert_eq!(second.ask("GET", order, &[], "").status, 404);
        led(&second, "/login", "/login", &[("email", ADA), ("password", "correct horse")]);
        assert!(second.page("/account/orders").contains(order));
        second.page(order);
    });
}
