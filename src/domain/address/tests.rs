use super::*;
use proptest::{prelude::*, sample::select};

fn draft(country: &str) -> AddressDraft {
    AddressDraft {
        name: "Ada Lovelace".into(),
        street: "12 St James’s Square".into(),
        city: "London".into(),
        postcode: "SW1Y 4JH".into(),
        country: country.into(),
        ..AddressDraft::default()
    }
}

fn faults(draft: &AddressDraft) -> Vec<String> {
    draft.check().unwrap_err().iter().map(ToString::to_string).collect()
}

#[test]
fn a_form_becomes_an_address() {
    let address = AddressDraft {
        postcode: " sw1y  4jh ".into(),
        company: " ".into(),
        phone: "+44 (0)20 7930-1234".into(),
        ..draft("gb")
    }
    .check()
    .unwrap();
    assert_eq!(address.postcode.as_ref().map(Postcode::as_str), Some("SW1Y 4JH"));
    assert_eq!((address.company.as_deref(), address.country.code()), (None, "GB"));
    // Shown to be changed and sent as it was, it is the same.
    assert_eq!(AddressDraft::from(address.clone()).check(), Ok(address.clone()));
    assert_eq!(address.destination().postcode, address.postcode);
}

#[test]
fn an_empty_form_names_what_every_address_needs() {
    assert_eq!(
        faults(&AddressDraft::default()),
        [
            "name: fill this in",
            "street: fill this in",
            "city: fill this in",
            "country: fill this in"
        ]
    );
}

#[test]
fn what_a_country_needs_is_asked_for() {
    let us = AddressDraft { postcode: String::new(), ..draft("US") };
    assert_eq!(faults(&us), ["postcode: fill this in", "region: fill this in"]);
    let us = AddressDraft { postcode: "1234".into(), region: "New York".into(), ..us };
    assert_eq!(
        faults(&us),
        [
            "postcode: this is no postcode of United States: write it like 10001",
            "region: write the state's code, such as NY"
        ]
    );
    let us = AddressDraft { postcode: "10001-1234".into(), region: "ny".into(), ..us };
    assert_eq!(us.check().unwrap().region.as_deref(), Some("NY"));
    let nl = AddressDraft { postcode: "1012ab".into(), ..draft("NL") };
    assert_eq!(nl.check().unwrap().postcode.unwrap().plain(), "1012AB");
    // Hong Kong has no postcodes.
    let hk = AddressDraft { postcode: String::new(), ..draft("HK") };
    assert_eq!(hk.check().unwrap().postcode, None);
}

#[test]
fn each_field_is_refused_by_name() {
    let bad = AddressDraft {
        name: "Eve\nof Street".into(),
        company: "x".repeat(101),
        street: "1\u{202e}teerts".into(),
        street_more: "a\u{2028}b".into(),
        postcode: "<script>".into(),
        city: "\0".into(),
        region: "x".repeat(61),
        country: "Atlantis".into(),
        phone: "call me".into(),
    };
    let fields: Vec<_> = bad.check().unwrap_err().iter().map(|problem| problem.field).collect();
    use AddressField::*;
    assert_eq!(fields, [Name, Company, Street, StreetMore, Postcode, City, Region, Country, Phone]);
    for field in fields {
        let json = serde_json::to_string(&field).unwrap();
        assert_eq!(json, format!("\"{}\"", field.as_str()));
        assert!(serde_json::to_value(&bad).unwrap().get(field.as_str()).is_some());
    }
}

#[test]
fn a_field_nobody_knows_is_refused() {
    assert!(serde_json::from_str::<AddressDraft>(r#"{"name": "x", "planet": "Mars"}"#).is_err());
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[A-Za-z0-9 .-]{0,12}", "\\PC{0,10}", any::<String>()]
}

proptest! {
    #[test]
    fn no_form_makes_it_panic_and_an_address_passes_again(
        name in texts(), street in texts(), city in texts(), region in texts(),
        postcode in prop_oneof!["[0-9]{4,5}", "[A-Z0-9 -]{0,13}", texts()],
        country in prop_oneof![select(vec!["DE", "us", "NL", "HK", "GB", "AU"]).prop_map(str::to_owned), texts()],
        phone in texts(),
    ) {
        let draft = AddressDraft { name, street, city, region, postcode, country, phone, ..AddressDraft::default() };
        match draft.check() {
            Err(problems) => prop_assert!(!problems.is_empty()),
            Ok(address) => {
                let again = AddressDraft {
                    name: address.name.clone(),
                    company: address.company.clone().unwrap_or_default(),
                    street: address.street.clone(),
                    street_more: address.street_more.clone().unwrap_or_default(),
                    postcode: address.postcode.as_ref().map(ToString::to_string).unwrap_or_default(),
                    city: address.city.clone(),
                    region: address.region.clone().unwrap_or_default(),
                    country: address.country.to_string(),
                    phone: address.phone.clone().unwrap_or_default(),
                };
                prop_assert_eq!(again.check(), Ok(address.clone()));
                let json = serde_json::to_string(&address).unwrap();
                prop_assert_eq!(serde_json::from_str::<Address>(&json).unwrap(), address);
            }
        }
    }

    #[test]
    fn a_postcode_is_the_same_however_it_is_typed(plain in "[A-Z0-9]{1,9}", at in 0usize..9) {
        let (front, back) = plain.split_at(at.min(plain.len()));
        let typed = Postcode::new(&format!(" {}  {} ", front.to_lowercase(), back)).unwrap();
        prop_assert_eq!(typed.plain(), plain);
    }
}
