//! What a row may say, and that nothing it says is too much.

use super::{csv, *};
use crate::domain::{
    money::Money,
    product::{ProductDraft, ProductStatus, StockDraft},
    sku::Sku,
    tax::TaxCategory,
};
use proptest::{collection, option, prelude::*};

fn reading() -> Reading {
    Reading::new(&BTreeMap::new(), Currency::USD).unwrap()
}

fn json_row(text: &str) -> Result<ProductDraft, Vec<RowError>> {
    json::row(7, text.as_bytes(), &reading(), &mut Ignored::default())
}

fn csv_row(head: &[&str], record: &[&str]) -> Result<ProductDraft, Vec<RowError>> {
    let reading = reading();
    let head = csv::Header::read(head.iter().map(|h| h.as_bytes()), &reading.columns).unwrap();
    head.row(7, record.iter().map(|c| c.as_bytes()), &reading, &mut Ignored::default())
}

/// `field: message` of each problem, or the message alone when it is of the whole row.
fn told(row: Result<ProductDraft, Vec<RowError>>) -> Vec<String> {
    let problems = row.expect_err("the row has problems");
    assert!(problems.iter().all(|p| p.line == 7));
    problems
        .iter()
        .map(|p| p.to_string().strip_prefix("line 7: ").unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn a_full_json_row_becomes_a_draft() {
    let draft = json_row(
        r#"{"sku":" A-1 ","name":"Spanner 13 mm","slug":"spanner-13","brand":"Harrow","price":12.50,"currency":"EUR","tax_category":"reduced",
        "categories":["Tools","Spanners"],"image":"https://x.test/a.jpg",
        "images":["/media/b.svg","https://x.test/a.jpg"],"attributes":{"Length":180,"Forged":true,
        "Finish":"satin","Note":null},"options":{"Size":"13 mm"},"status":"disabled","unit":"set",
        "precision":2,"stock":[{"warehouse":"north","quantity":4},{"quantity":"7"}],
        "variant_of":"A","popularity":-3,"short_description":"Short.","description":"Long\nlines."}"#,
    )
    .unwrap();
    let map = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect::<BTreeMap<_, _>>()
    };
    let expected = ProductDraft {
        sku: Sku::new("A-1").unwrap(),
        name: "Spanner 13 mm".into(),
        slug: Some("spanner-13".into()),
        brand: Some("Harrow".into()),
        short_description: Some("Short.".into()),
        description: Some("Long\nlines.".into()),
        status: ProductStatus::Disabled,
        price: Some(Money { minor: 1250, currency: Currency::EUR }),
        tax_category: TaxCategory::new("reduced").unwrap(),
        categories: vec!["Tools".into(), "Spanners".into()],
        images: vec!["https://x.test/a.jpg".into(), "/media/b.svg".into()],
        attributes: map(&[("Length", "180"), ("Forged", "true"), ("Finish", "satin")]),
        unit: "set".into(),
        precision: 2,
        stock: Some(vec![
            StockDraft { warehouse: "north".into(), quantity: 4 },
            StockDraft { warehouse: "main".into(), quantity: 7 },
        ]),
        variant_of: Some(Sku::new("A").unwrap()),
        options: map(&[("Size", "13 mm")]),
        popularity: -3,
    };
    assert_eq!(draft, expected);
}

#[test]
fn the_least_row_is_a_code_and_a_name() {
    let draft = json_row(r#"{"upc":"0012","name":"CD","price":null,"brand":" "}"#).unwrap();
    assert_eq!(draft.sku.as_str(), "0012");
    assert_eq!((draft.price, draft.brand, draft.stock), (None, None, None));
    assert_eq!((draft.unit.as_str(), draft.precision), ("each", 0));
    assert_eq!(json_row(r#"{"sku":123,"name":"n"}"#).unwrap().sku.as_str(), "123");
}

#[test]
fn prices_are_taken_from_the_digits_as_written() {
    let price = |text: &str| {
        json_row(&format!(r#"{{"sku":"a","name":"n","price":{text}}}"#)).map(|d| d.price.unwrap())
    };
    // As a float this is 90071992547409.9 or 90071992547409.92 once printed.
    assert_eq!(price("90071992547409.91").unwrap().minor, 9_007_199_254_740_991);
    assert_eq!(price("0.29").unwrap().minor, 29);
    assert_eq!(price(r#""1.10""#).unwrap().minor, 110);
    assert_eq!(
        told(price("1e3").map(|_| unreachable!())),
        ["price: a price is digits with at most one decimal point, such as 1299.95, found \"1e3\""]
    );
    assert_eq!(
        told(price("-1").map(|_| unreachable!())),
        ["price: the amount is negative, found \"-1\""]
    );
}

#[test]
fn every_problem_of_a_row_is_told_with_its_field() {
    let row = json_row(
        r#"{"sku":"A-9","name":7,"price":"12,50","status":"on","categories":[1],"precision":9,
        "image":"ftp://x/y","stock":-1,"attributes":{"a":[1]},"unit":["x"],"popularity":1.5,
        "variant_of":"A-9"}"#,
    );
    assert!(row.as_ref().unwrap_err().iter().all(|p| p.sku.as_deref() == Some("A-9")));
    let expected = [
        "name: expected text, found the number 7",
        r#"status: expected "active" or "disabled", found "on""#,
        "categories: expected text as item 1, found the number 1",
        "precision: must lie between 0 and 6, found the number 9",
        r#"image: expected an http or https address, or a path that begins with one "/", found "ftp://x/y""#,
        "stock: must lie between 0 and 1000000000000, found the number -1",
        "attributes.a: expected text, a number, true or false, found a list",
        "unit: expected text, found a list",
        "popularity: expected a whole number, found the number 1.5",
        "variant_of: a product can't be a variant of itself",
        r#"price: a price is digits with at most one decimal point, such as 1299.95, found "12,50""#,
    ];
    assert_eq!(told(row), expected);
}

#[test]
fn a_row_that_is_not_an_object_is_told_where_it_breaks() {
    let whole = |text: &str| told(json_row(text)).remove(0);
    assert!(whole(r#"{"sku":"a","name""#).starts_with("is not a JSON object: EOF"));
    assert!(whole("[]").starts_with("is not a JSON object: "));
    assert!(whole(r#"{"sku":"a"} x"#).contains("(column 13)"));
    let bytes = json::row(7, b"{\"sku\":\"\xff\"}", &reading(), &mut Ignored::default());
    assert_eq!(told(bytes), ["is not UTF-8 from its byte 9 on"]);
}

#[test]
fn limits_are_told_with_what_was_found() {
    let row = |rest: &str| told(json_row(&format!(r#"{{"sku":"a","name":"n",{rest}}}"#)));
    let long = "é".repeat(limits::SHORT_DESCRIPTION + 1);
    assert_eq!(
        row(&format!(r#""short_description":"{long}""#)),
        ["short_description: has 2001 characters; at most 2000 are kept"]
    );
    let fits = "é".repeat(limits::SHORT_DESCRIPTION);
    assert!(json_row(&format!(r#"{{"sku":"a","name":"n","short_description":"{fits}"}}"#)).is_ok());
    let pictures: Vec<_> = (0..=limits::IMAGES).map(|i| format!("\"/{i}\"")).collect();
    assert_eq!(
        row(&format!(r#""images":[{}]"#, pictures.join(","))),
        ["images: has 21 pictures; at most 20 are kept"]
    );
    assert_eq!(row(r#""brand":"a\u0000b""#), ["brand: has the control character U+0000"]);
    assert!(json_row("{\"sku\":\"a\",\"name\":\"misread \u{99}\"}").is_ok());
    assert_eq!(
        row(r#""brand":"\ud800""#),
        ["brand: expected text, found text with a broken escape"]
    );
    assert_eq!(row(r#""stock":[]"#), ["stock: is an empty list; leave it out, or say 0"]);
    assert_eq!(row(r#""brand":"a","brand":"b""#), ["brand: is given twice"]);
    for address in ["//evil.test/x", "/\\\\evil.test", "javascript:alert(1)", "http://", "a.png"] {
        assert_eq!(row(&format!(r#""image":"{address}""#)).len(), 1, "{address}");
    }
}

#[test]
fn unknown_keys_are_counted_and_named() {
    let mut ignored = Ignored::default();
    for line in [r#"{"sku":"a","name":"n","source":"x"}"#; 2] {
        json::row(1, line.as_bytes(), &reading(), &mut ignored).unwrap();
    }
    let both = br#"{"sku":"a","upc":"1","name":"n","empty":null}"#;
    json::row(3, both, &reading(), &mut ignored).unwrap();
    assert_eq!(
        ignored.sentence().as_deref(),
        Some("ignored columns: source (2 rows), upc (1 row)")
    );
}

#[test]
fn csv_cells_say_what_json_says() {
    let draft = csv_row(
        &[
            "UPC",
            "Name",
            "Categories",
            "Images",
            "Attribute:Weight",
            "option:Size",
            "stock:north",
            "Short description",
        ],
        &["0012", " Spanner ", "Tools > Spanners", "/a.svg https://x.test/b", "2 kg", "M", "5", ""],
    )
    .unwrap();
    assert_eq!(draft.sku.as_str(), "0012");
    assert_eq!(draft.name, "Spanner");
    assert_eq!(draft.categories, ["Tools", "Spanners"]);
    assert_eq!(draft.images, ["/a.svg", "https://x.test/b"]);
    assert_eq!(draft.attributes["Weight"], "2 kg");
    assert_eq!(draft.options["Size"], "M");
    assert_eq!(draft.stock.unwrap(), [StockDraft { warehouse: "north".into(), quantity: 5 }]);
    assert_eq!(
        told(csv_row(&["sku", "name"], &["a"])),
        ["has 1 columns where the header has 2; a quote or a separator may be missing"]
    );
    assert_eq!(
        told(csv_row(&["sku", "name", "attributes"], &["a", "n", "{\"x\":"])),
        ["attributes: is not a JSON object"]
    );
}

#[test]
fn a_header_that_cannot_work_fails_the_file() {
    let refused = |heads: &[&str], map: &[(&str, &str)]| {
        let map = map.iter().map(|(f, c)| ((*f).to_owned(), (*c).to_owned())).collect();
        let columns = Columns::new(&map).unwrap();
        csv::Header::read(heads.iter().map(|h| h.as_bytes()), &columns).unwrap_err().to_string()
    };
    assert_eq!(refused(&["name"], &[]), "the header has neither a sku nor a upc column");
    assert_eq!(refused(&["sku"], &[]), "the header has no name column");
    assert_eq!(refused(&["sku", "name", "Name"], &[]), "columns 2 and 3 are both \"name\"");
    assert_eq!(refused(&["sku", "name", "x", "x"], &[]), "columns 3 and 4 are both \"x\"");
    assert_eq!(
        refused(&["sku", "name"], &[("price", "Preis")]),
        "no column is called \"Preis\", which is mapped to price; there are sku, name"
    );
}

prop_compose! {
    /// Text that survives trimming and the rule for one line.
    fn line_text(most: usize)(text in "[^\\p{C}]{1,40}") -> Option<String> {
        let text: String = text.trim().chars().take(most).collect();
        let text = text.trim().to_owned();
        (!text.is_empty()).then_some(text)
    }
}

fn word() -> impl Strategy<Value = String> {
    line_text(20).prop_filter_map("some text", |text| text)
}

fn sku() -> impl Strategy<Value = Sku> {
    "[^\\s\\p{C}]{1,64}".prop_filter_map("a sku", |text| Sku::new(&text).ok())
}

fn money() -> impl Strategy<Value = Money> {
    (0i64.., prop::sample::select(vec!["USD", "JPY", "KWD"]))
        .prop_map(|(minor, code)| Money { minor, currency: code.parse().unwrap() })
}

fn labels() -> impl Strategy<Value = BTreeMap<String, String>> {
    collection::btree_map(word(), word(), 0..4)
}

fn stock() -> impl Strategy<Value = Option<Vec<StockDraft>>> {
    let quantity = 0..=limits::QUANTITY;
    option::of(collection::btree_map(word(), quantity, 1..4).prop_map(|places| {
        let place = |(warehouse, quantity)| StockDraft { warehouse, quantity };
        places.into_iter().map(place).collect()
    }))
}

prop_compose! {
    fn texts()(
        brand in line_text(50),
        short_description in line_text(50),
        description in option::of(word().prop_map(|w| format!("{w},\n\"{w}\"\t{w}."))),
        unit in word(),
    ) -> (Option<String>, Option<String>, Option<String>, String) {
        (brand, short_description, description, unit)
    }
}

prop_compose! {
    fn draft()(
        sku in sku(),
        name in word(),
        slug in option::of("[a-z0-9]{1,9}(-[a-z0-9]{1,9}){0,3}"),
        (brand, short_description, description, unit) in texts(),
        disabled in any::<bool>(),
        price in option::of(money()),
        categories in collection::vec(word(), 0..4),
        images in collection::btree_set("(https://[a-z]{1,9}\\.test)?/[!-\\[\\]-~é]{0,20}", 0..4),
        (attributes, options) in (labels(), labels()),
        precision in 0u8..=6,
        stock in stock(),
        parent in option::of(sku()),
        popularity in any::<i64>(),
        tax_category in option::of("[a-z0-9-]{1,32}"),
    ) -> ProductDraft {
        let variant_of = parent.filter(|parent| *parent != sku);
        let images = images.into_iter().filter(|a| !a.starts_with("//")).collect();
        let tax_category = tax_category.map(|text| TaxCategory::new(&text).unwrap()).unwrap_or_default();
        let status = if disabled { ProductStatus::Disabled } else { ProductStatus::Active };
        ProductDraft {
            sku, name, slug, brand, short_description, description, status, price, categories, images,
            attributes, unit, precision, stock, variant_of, options, popularity, tax_category,
        }
    }
}

/// JSON that is nearly a row: known keys with values of any kind.
fn nearly_a_row() -> impl Strategy<Value = String> {
    let known = "sku|upc|name|slug|price|currency|tax_category|categories|image|images|attributes|options|status|\
                 unit|precision|stock|variant_of|popularity|attribute:x|stock:|x";
    let scalar = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|b| b.to_string()),
        "-?[0-9]{1,25}(\\.[0-9]{1,9})?(e[0-9]{1,3})?",
        "\"[a-z>\\[{/: ]{0,12}\"",
        Just("\"\\ud800\\u0000\"".to_owned()),
    ];
    let value = scalar.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            collection::vec(inner.clone(), 0..4).prop_map(|v| format!("[{}]", v.join(","))),
            collection::vec(("warehouse|quantity|a|", inner), 0..4).prop_map(|entries| {
                let entries: Vec<_> = entries.iter().map(|(k, v)| format!("\"{k}\":{v}")).collect();
                format!("{{{}}}", entries.join(","))
            }),
        ]
    });
    collection::vec((known, value), 0..12).prop_map(|entries| {
        let entries: Vec<_> = entries.iter().map(|(k, v)| format!("\"{k}\":{v}")).collect();
        format!("{{{}}}", entries.join(","))
    })
}

proptest! {
    #[test]
    fn a_draft_written_as_json_reads_back_the_same(draft in draft()) {
        let mut ignored = Ignored::default();
        let line = json::write(&draft);
        prop_assert!(!line.contains('\n'));
        let read = json::row(1, line.as_bytes(), &reading(), &mut ignored);
        prop_assert_eq!(read, Ok(draft));
        prop_assert!(ignored.is_empty());
    }

    #[test]
    fn a_draft_written_as_csv_reads_back_the_same(draft in draft()) {
        let mut ignored = Ignored::default();
        let reading = reading();
        let head = csv::HEADER.iter().map(|h| h.as_bytes());
        let head = csv::Header::read(head, &reading.columns).unwrap();
        let cells = csv::cells(&draft);
        let read = head.row(1, cells.iter().map(|c| c.as_bytes()), &reading, &mut ignored);
        prop_assert_eq!(read, Ok(draft));
        prop_assert!(ignored.is_empty());
    }

    #[test]
    fn no_bytes_make_a_json_row_panic(bytes in collection::vec(any::<u8>(), 0..200)) {
        let _ = json::row(1, &bytes, &reading(), &mut Ignored::default());
    }

    #[test]
    fn what_is_nearly_a_row_is_a_draft_or_told_problems(text in nearly_a_row()) {
        if let Err(problems) = json_row(&text) {
            prop_assert!(!problems.is_empty() && problems.len() <= limits::PROBLEMS);
            prop_assert!(problems.iter().all(|p| !p.message.is_empty()));
        }
    }

    #[test]
    fn no_cells_make_a_csv_row_panic(
        cells in collection::vec(collection::vec(any::<u8>(), 0..40), csv::HEADER.len()),
        text in collection::vec("[\\[{]?\\PC{0,20}", csv::HEADER.len()),
    ) {
        let reading = reading();
        let head = csv::HEADER.iter().map(|h| h.as_bytes());
        let head = csv::Header::read(head, &reading.columns).unwrap();
        let mut ignored = Ignored::default();
        let _ = head.row(1, cells.iter().map(Vec::as_slice), &reading, &mut ignored);
        let _ = head.row(1, text.iter().map(String::as_bytes), &reading, &mut ignored);
    }

    #[test]
    fn no_header_makes_it_panic(
        heads in collection::vec(collection::vec(any::<u8>(), 0..12), 0..6),
        key in "\\PC*",
    ) {
        let map = BTreeMap::from([(key.clone(), key)]);
        if let Ok(columns) = Columns::new(&map) {
            let _ = csv::Header::read(heads.iter().map(Vec::as_slice), &columns);
        }
        let _ = csv::Header::read(heads.iter().map(Vec::as_slice), &Columns::default());
    }
}
