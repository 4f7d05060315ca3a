//! Staff says what is charged, in rooms of its own and without scripts.

use crate::{
    account_pages::{ADA, fill, led},
    accounts::open,
    admin_pages::{buyer, colleague, hidden, owner, refused},
    carts::Person,
    on_every_stack,
    support::server::{Server, until},
};

/// What stands in a field of this name, behind a place in the page.
fn value(page: &str, name: &str) -> String {
    let (_, rest) = page.split_once(&format!("name=\"{name}\"")).unwrap_or_else(|| {
        panic!("no field {name} in {page}");
    });
    let (tag, rest) = rest.split_once('>').unwrap();
    if let Some((_, value)) = tag.split_once("value=\"") {
        return value.split('"').next().unwrap().to_owned();
    }
    let (inside, _) = rest.split_once("</").unwrap();
    inside.trim_start_matches('\n').to_owned()
}

/// What of a choice is chosen.
fn chosen(page: &str, name: &str) -> String {
    let (_, rest) = page.split_once(&format!("name=\"{name}\"")).expect("a choice");
    let (options, _) = rest.split_once("</select>").unwrap();
    let (before, _) = options.split_once("\" selected").expect("something is chosen");
    before.rsplit('"').next().unwrap().to_owned()
}

/// Makes one by the form of its room; says where it is.
fn made(person: &Person<'_>, room: &str, fields: &[(&str, &str)]) -> String {
    let new = format!("{room}/new");
    let id = hidden(&person.page(&new), "id");
    let fields: Vec<_> = [("id", id.as_str())].iter().chain(fields).copied().collect();
    let place = led(person, &new, room, &fields);
    assert_eq!(place, format!("{room}/{id}?done=made"));
    assert!(person.page(&place).contains("It is made"));
    format!("{room}/{id}")
}

/// The same fields with others in the places of these names.
fn with<'a>(
    fields: &[(&'a str, &'a str)],
    others: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    let kept = fields.iter().filter(|(name, _)| others.iter().all(|(other, _)| other != name));
    kept.chain(others).copied().collect()
}

fn told(server: &Server, room: &str, place: &str) -> serde_json::Value {
    let id = place.rsplit('/').next().unwrap();
    server.operate("GET", &format!("/api/v1/{room}/{id}"), b"").json()
}

#[test]
fn every_room_of_the_navigation_opens_for_those_who_see_it() {
    on_every_stack("rooms", |stack| {
        let server = open(stack);
        let (olga, ada) = (owner(&server), buyer(&server));
        let viewer = colleague(&server, "viewer");
        let rooms = |page: &str| -> Vec<String> {
            let (_, rest) = page.split_once("admin-nav").expect("the navigation");
            let (rest, _) = rest.split_once("</nav>").unwrap();
            let links = rest.split("href=\"").skip(1);
            links.map(|link| link.split('"').next().unwrap().to_owned()).collect()
        };
        let (all, some) = (rooms(&olga.page("/admin")), rooms(&viewer.page("/admin")));
        let selling = ["/admin/taxes", "/admin/shipping", "/admin/coupons", "/admin/price-lists"];
        for room in selling {
            assert!(all.iter().any(|one| one == room), "{room} in {all:?}");
            assert!(viewer.page(room).contains("None yet"));
            assert!(!viewer.page(room).contains(&format!("{room}/new")), "they may only look");
            refused(&viewer.ask("GET", &format!("{room}/new"), &[], ""), 403);
            refused(&fill(&viewer, "/admin", room, &[]), 403);
            let none = format!("{room}/00000000-0000-7000-8000-000000000001");
            refused(&olga.ask("GET", &none, &[], ""), 404);
        }
        let stranger = Person::come(&server);
        for room in &all {
            let page = olga.page(room);
            assert!(page.contains(&format!("href=\"{room}\" aria-current=\"page\"")), "{page}");
            assert_eq!(stranger.ask("GET", room, &[], "").status, 303, "{room}");
            refused(&ada.ask("GET", room, &[], ""), 403);
            let open = some.contains(room);
            let status = if open { 200 } else { 403 };
            assert_eq!(viewer.ask("GET", room, &[], "").status, status, "{room}");
        }
        assert!(some.len() < all.len());
    });
}

#[test]
fn a_tax_is_made_changed_and_dropped_by_who_has_seen_it() {
    on_every_stack("admin taxes", |stack| {
        let server = open(stack);
        let olga = owner(&server);
        let (room, new) = ("/admin/taxes", "/admin/taxes/new");
        let id = hidden(&olga.page(new), "id");
        let fields = [
            ("name", "VAT <Germany>"),
            ("rate", "19"),
            ("category", "standard"),
            ("country", "DE"),
            ("region", ""),
            ("postcode_prefix", ""),
        ];
        let form = |others: &[(&'static str, &'static str)]| with(&fields, others);
        let bad = [form(&[("rate", "nineteen"), ("country", "")]), form(&[("name", "")])];
        for (bad, field) in bad.into_iter().zip(["country", "name"]) {
            let bad: Vec<_> = bad.into_iter().chain([("id", id.as_str())]).collect();
            let page = refused(&fill(&olga, new, room, &bad), 422);
            assert!(page.contains(&format!("field-{field}-error")), "{page}");
            assert_eq!(hidden(&page, "id"), id, "the form stands for the same one");
            assert!(page.contains("value=\"nineteen\"") || field == "name", "{page}");
        }
        let good: Vec<_> = fields.iter().copied().chain([("id", id.as_str())]).collect();
        let place = format!("{room}/{id}");
        for _twice in 0..2 {
            assert_eq!(led(&olga, new, room, &good), format!("{place}?done=made"));
        }
        assert_eq!(olga.page(room).matches("VAT &#60;Germany&#62;").count(), 1);
        let page = refused(&fill(&olga, new, room, &with(&good, &[("rate", "7")])), 409);
        assert!(page.contains("made already"), "{page}");
        let other = hidden(&olga.page(new), "id");
        let page = refused(&fill(&olga, new, room, &with(&good, &[("id", &other)])), 409);
        assert!(page.contains("field-category-error") && page.contains("already"), "{page}");

        // Changed for the version that was seen.
        let page = olga.page(&place);
        assert_eq!((value(&page, "rate"), chosen(&page, "country")), ("19".into(), "DE".into()));
        let seen = hidden(&page, "version");
        let change = with(&fields, &[("version", &seen), ("rate", "8.875"), ("region", "Bavaria")]);
        assert_eq!(led(&olga, &place, &place, &change), format!("{place}?done=saved"));
        assert!(olga.page(room).contains("Germany, Bavaria"));
        let page = refused(&fill(&olga, &place, &place, &with(&change, &[("rate", "x")])), 412);
        assert!(page.contains("Somebody changed it"), "{page}");
        assert_eq!(value(&page, "rate"), "8.875", "it is shown as it is");
        assert_eq!(told(&server, "tax-rates", &place)["rate"], "8.875");
        let now = hidden(&page, "version");
        let page = refused(
            &fill(&olga, &place, &place, &with(&change, &[("version", &now), ("rate", "x")])),
            422,
        );
        assert!(page.contains("field-rate-error") && value(&page, "rate") == "x", "{page}");

        let viewer = colleague(&server, "viewer");
        let page = viewer.page(&place);
        assert!(page.contains("8.875") && !page.contains("type=\"submit\">Save"), "{page}");
        let drop = format!("{place}/drop");
        for target in [&place, &drop] {
            refused(&fill(&viewer, "/admin", target, &change), 403);
        }
        let sure = [("version", now.as_str()), ("sure", "yes")];
        refused(&fill(&olga, &place, &drop, &sure[..1]), 422);
        refused(&fill(&olga, &place, &drop, &with(&sure, &[("version", &seen)])), 412);
        assert_eq!(led(&olga, &place, &drop, &sure), format!("{room}?done=dropped"));
        assert!(olga.page(room).contains("No tax is due"));
        refused(&olga.ask("GET", &place, &[], ""), 404);
        server.audited(&[("tax.put", 1), ("tax.drop", 1)]);
        stack.succeed(&["doctor", "audit"]);
    });
}

#[test]
fn ways_of_shipping_and_coupons_are_what_their_forms_say() {
    on_every_stack("admin shipping", |stack| {
        let server = open(stack);
        let olga = owner(&server);
        let room = "/admin/shipping";
        let parcel = [
            ("name", "Parcel"),
            ("position", "2"),
            ("countries", "de, AT\r\nch"),
            ("currency", "usd"),
            ("rate", "by_subtotal"),
            ("amount", ""),
            ("table", "0: 4.90\r\n\r\n100: 0\r\n5000:"),
            ("free_from", ""),
            ("tax_category", "standard"),
            ("tax_mode", "inclusive"),
        ];
        let place = made(&olga, room, &parcel);
        let api = told(&server, "shipping-methods", &place);
        assert_eq!(api["countries"], serde_json::json!(["AT", "CH", "DE"]));
        assert_eq!(
            api["rate"]["bands"][1],
            serde_json::json!({"from": "100.00", "amount": "0.00"})
        );
        assert_eq!(api["rate"]["bands"][2]["amount"], serde_json::Value::Null);
        assert_eq!((&api["tax"]["mode"], &api["position"]), (&"inclusive".into(), &2.into()));
        let page = olga.page(&place);
        assert_eq!(value(&page, "table"), "0.00: 4.90\n100.00: 0.00\n5000.00:");
        assert_eq!(
            (value(&page, "countries"), chosen(&page, "rate")),
            ("AT CH DE".into(), "by_subtotal".into())
        );
        // What nobody touches stays, and each place of a table has its reason.
        let seen = hidden(&page, "version");
        for (wrong, field) in [
            ([("table", "100: 1\n0: 2")], "rate"),
            ([("table", "none: 1")], "table"),
            ([("countries", "DE XX")], "countries"),
            ([("position", "first")], "position"),
            ([("free_from", "1,5")], "free_from"),
            ([("tax_category", "A B")], "tax_category"),
        ] {
            let form = with(&with(&parcel, &wrong), &[("version", &seen)]);
            let page = refused(&fill(&olga, &place, &place, &form), 422);
            assert!(page.contains(&format!("field-{field}-error")), "{field}: {page}");
            assert_eq!(value(&page, wrong[0].0), wrong[0].1, "it stays as it was typed");
        }
        assert_eq!(told(&server, "shipping-methods", &place), api);
        let by_units =
            [("rate", "by_units"), ("table", "0: 3\n10:"), ("countries", ""), ("version", &seen)];
        led(&olga, &place, &place, &with(&parcel, &by_units));
        let api = told(&server, "shipping-methods", &place);
        assert_eq!(
            (&api["rate"]["bands"][1]["from"], api["countries"].is_null()),
            (&10.into(), true)
        );
        let flat = made(
            &olga,
            room,
            &[("name", "Parcel"), ("currency", "USD"), ("rate", "flat"), ("amount", "4.9")],
        );
        assert_eq!(told(&server, "shipping-methods", &flat)["rate"]["amount"], "4.90");
        assert!(olga.page(room).contains("$4.90"));

        let room = "/admin/coupons";
        let ten = [
            ("code", "ten-off"),
            ("takes_off", "percent"),
            ("percent", "10"),
            ("currency", "USD"),
            ("minimum", "20"),
            ("from", "2026-01-31T08:00"),
            ("until", ""),
            ("most_uses", "100"),
            ("most_uses_per_customer", ""),
        ];
        let place = made(&olga, room, &ten);
        let api = told(&server, "coupons", &place);
        assert_eq!(
            (&api["code"], &api["from"]),
            (&"TEN-OFF".into(), &"2026-01-31T08:00:00Z".into())
        );
        assert_eq!(api["minimum"], serde_json::json!({"amount": "20.00", "currency": "USD"}));
        let page = olga.page(&place);
        assert!(page.contains("0 orders used it"), "{page}");
        assert_eq!(
            (value(&page, "from"), value(&page, "percent")),
            ("2026-01-31T08:00".into(), "10".into())
        );
        let seen = hidden(&page, "version");
        for (wrong, field) in [
            ([("code", "!")], "code"),
            ([("percent", "0")], "takes_off"),
            ([("from", "soon")], "from"),
            ([("until", "2025-01-01T00:00")], "until"),
            ([("most_uses", "-1")], "most_uses"),
            ([("currency", "DOLLAR")], "currency"),
        ] {
            let form = with(&with(&ten, &wrong), &[("version", &seen)]);
            let page = refused(&fill(&olga, &place, &place, &form), 422);
            assert!(page.contains(&format!("field-{field}-error")), "{field}: {page}");
        }
        let fixed = [("takes_off", "fixed"), ("amount", "5"), ("minimum", ""), ("version", &seen)];
        led(&olga, &place, &place, &with(&ten, &fixed));
        assert_eq!(told(&server, "coupons", &place)["takes_off"]["money"]["amount"], "5.00");
        assert!(olga.page(room).contains("$5.00"));
        let again = hidden(&olga.page("/admin/coupons/new"), "id");
        let again = with(&ten, &[("id", &again)]);
        let page = refused(&fill(&olga, "/admin/coupons/new", room, &again), 409);
        assert!(page.contains("field-code-error"), "{page}");
    });
}

#[test]
fn a_price_list_is_made_given_to_people_and_priced() {
    on_every_stack("admin price lists", |stack| {
        let server = open(stack);
        let olga = owner(&server);
        let ada = buyer(&server);
        let room = "/admin/price-lists";
        let list = [
            ("name", "Friends"),
            ("currency", "USD"),
            ("priority", "5"),
            ("tax", "exclusive"),
            ("from", ""),
            ("until", ""),
            ("active", "yes"),
        ];
        let place = made(&olga, room, &list);
        assert!(olga.page(room).contains("nobody yet"));

        // Whom it is for: a group, somebody by mail, everybody; and not any more.
        let group = r#"{"code":"friends","name":"Good friends"}"#;
        let group = server.operate("POST", "/api/v1/customer-groups", group.as_bytes()).json();
        let group = format!("group:{}", group["id"].as_str().unwrap());
        let target = format!("{place}/for");
        let version = || hidden(&olga.page(&place), "version");
        let seen = version();
        let add = |name: &'static str, who: &str| {
            let version = version();
            led(&olga, &place, &target, &[("version", &version), (name, who)])
        };
        assert_eq!(add("add", &group), format!("{place}?done=for#for"));
        let stale = [("version", seen.as_str()), ("add", "site:main")];
        let page = refused(&fill(&olga, &place, &target, &stale), 412);
        assert!(page.contains("Good friends"), "{page}");
        let now = version();
        for (field, who) in [("customer", "eve@example.com"), ("add", "group:none"), ("add", "")] {
            let page =
                refused(&fill(&olga, &place, &target, &[("version", &now), (field, who)]), 422);
            assert!(page.contains("id=\"for-error\""), "{page}");
            assert!(field == "add" || value(&page, "customer") == who, "{page}");
        }
        add("customer", ADA);
        add("add", "site:main");
        let page = olga.page(&place);
        assert!(page.contains(">Ada</a>") && page.contains(">Everybody<"), "{page}");
        assert!(olga.page(room).contains("everybody, 1 group, 1 customer"));
        for gone in [group.as_str(), "site:main"] {
            add("take", gone);
        }
        assert!(olga.page(room).contains("1 customer"));
        let gone = [("version", now.as_str()), ("take", group.as_str())];
        refused(&fill(&olga, &place, &target, &gone), 409);
        // What it is stays whom it is for.
        let seen = version();
        led(&olga, &place, &place, &with(&list, &[("version", &seen), ("priority", "7")]));
        let api = told(&server, "price-lists", &place);
        assert_eq!((&api["priority"], api["audiences"].as_array().unwrap().len()), (&7.into(), 1));

        // Its prices.
        let prices = format!("{place}/prices");
        let new = [
            ("new.0.sku", "A-1"),
            ("new.0.amount", "9.50"),
            ("new.1.sku", "A-1"),
            ("new.1.from", "10"),
            ("new.1.amount", "8"),
        ];
        for (wrong, why) in [
            ([("new.1.sku", "NONE")], "NONE: there is no product with this SKU"),
            ([("new.1.amount", "cheap")], "A-1: "),
            ([("new.1.from", "0.5")], "A-1: this is sold in whole units"),
            ([("new.1.from", "")], "two prices"),
        ] {
            let page = refused(&fill(&olga, &place, &prices, &with(&new, &wrong)), 422);
            assert!(page.contains(why) && value(&page, "new.0.amount") == "9.50", "{why}: {page}");
        }
        assert_eq!(led(&olga, &place, &prices, &new), format!("{place}?done=prices#prices"));
        let page = olga.page(&place);
        let first = [value(&page, "price.0.key"), value(&page, "price.0.was")];
        assert_eq!((value(&page, "price.0.amount"), first[1].as_str()), ("9.50".into(), "950"));
        assert_eq!(value(&page, "price.1.amount"), "8.00");
        let page = refused(&fill(&olga, &place, &prices, &new), 422);
        assert!(page.contains("change it in its line"), "{page}");
        let ask = |amount: &'static str| {
            let [key, was] = &first;
            vec![("price.0.key", key.as_str()), ("price.0.was", was), ("price.0.amount", amount)]
        };
        led(&olga, &place, &prices, &ask("9.25"));
        let page = refused(&fill(&olga, &place, &prices, &ask("9.00")), 412);
        assert_eq!(value(&page, "price.0.amount"), "9.25", "what is there is shown");
        until("Ada to pay by it", || {
            ada.page("/api/v1/products/A-1/price").contains("9.25").then_some(())
        });
        let mut drop = ask("");
        drop[1].1 = "925";
        led(&olga, &place, &prices, &drop);
        let page = olga.page(&format!("{place}?sku=A-1"));
        assert_eq!(
            (page.matches(".key\"").count(), value(&page, "price.0.amount")),
            (1, "8.00".into())
        );
        assert!(olga.page(&format!("{place}?sku=B-2")).contains("says nothing of that"));

        let viewer = colleague(&server, "viewer");
        let page = viewer.page(&place);
        assert!(
            page.contains("8.00") && !page.contains("Save") && !page.contains("Take away"),
            "{page}"
        );
        for target in [&place, &target, &prices] {
            refused(&fill(&viewer, "/admin", target, &new), 403);
        }
        // A list with prices keeps its currency.
        let seen = version();
        let euros = with(&list, &[("version", &seen), ("currency", "EUR")]);
        assert!(refused(&fill(&olga, &place, &place, &euros), 409).contains("keeps its currency"));
        server.audited(&[("price_list.put", 1), ("price_list.prices", 1)]);
        stack.succeed(&["doctor", "audit"]);
    });
}
