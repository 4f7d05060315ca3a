use super::*;
use crate::domain::line::tests::samples::{category, rates};
use proptest::{collection::vec, option, prelude::*, sample::select};
use uuid::Uuid;

fn country(code: &str) -> Country {
    code.parse().unwrap()
}

fn area(code: &str, region: Option<&str>, prefix: Option<&str>) -> TaxArea {
    let postcode_prefix = prefix.map(|text| Postcode::new(text).unwrap());
    TaxArea { country: country(code), region: region.map(str::to_owned), postcode_prefix }
}

fn rule(name: &str, area: TaxArea, rate: Ppm) -> TaxRule {
    let (id, category) = (TaxRuleId(Uuid::nil()), category(name));
    TaxRule { id, name: "a tax".into(), category, area, rate }
}

fn percent(text: &str) -> Ppm {
    Ppm::parse_percent(text).unwrap()
}

fn place(code: &str, region: Option<&str>, postcode: Option<&str>) -> Destination {
    let area = area(code, region, postcode);
    Destination { country: area.country, region: area.region, postcode: area.postcode_prefix }
}

#[test]
fn the_most_specific_rule_wins() {
    let rules = TaxRules::new([
        rule("standard", area("US", None, None), percent("0")),
        rule("standard", area("US", Some("NY"), None), percent("4")),
        rule("standard", area("US", Some("NY"), Some("100")), percent("8.875")),
        rule("standard", area("US", None, Some("1")), percent("1")),
        rule("standard", area("DE", None, None), percent("19")),
        rule("books", area("DE", None, None), percent("7")),
    ])
    .unwrap();
    let rate = |name: &str, place: &Destination| rules.at(place).rate(&category(name)).to_string();
    assert_eq!(rate("standard", &place("US", Some("TX"), Some("75001"))), "0 %");
    assert_eq!(rate("standard", &place("US", Some("ny"), None)), "4 %");
    assert_eq!(rate("standard", &place("US", Some("NY"), Some("10001-1234"))), "8.875 %");
    // Not in New York, so the rule for its postcodes doesn't fit.
    assert_eq!(rate("standard", &place("US", Some("NJ"), Some("10001"))), "1 %");
    assert_eq!(rate("standard", &place("DE", None, Some("10001"))), "19 %");
    assert_eq!(rate("books", &place("DE", None, None)), "7 %");
    assert_eq!(rate("books", &place("US", Some("NY"), None)), "0 %");
    assert_eq!(TaxAt::NONE.rate(&category("standard")), Ppm::ZERO);
}

#[test]
fn two_rules_for_one_thing_are_refused_however_they_are_written() {
    let twice = |a, b| {
        TaxRules::new([rule("standard", a, percent("1")), rule("standard", b, percent("2"))])
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        twice(area("US", Some("NY"), Some("10-0")), area("US", Some(" ny "), Some("100"))),
        "two rules say what standard bears in US,  ny , 100…: keep one of them"
    );
    assert!(twice(area("DE", None, None), area("DE", None, None)).contains("in DE: keep"));
    let blank = TaxRules::new([rule("standard", area("US", Some(" "), None), percent("1"))]);
    assert_eq!(blank, Err(TaxError::Region));
}

#[test]
fn categories_are_plain_names() {
    for text in ["", "Standard", "a b", "ä", &"x".repeat(33)] {
        assert_eq!(TaxCategory::new(text), Err(TaxError::Category), "{text:?}");
    }
    assert_eq!(TaxCategory::default(), category("standard"));
    assert!(serde_json::from_str::<TaxCategory>("\"A\"").is_err());
}

fn places() -> impl Strategy<Value = (&'static str, Option<&'static str>, Option<&'static str>)> {
    (
        select(vec!["US", "DE"]),
        option::of(select(vec!["NY", "ny", "TX"])),
        option::of(select(vec!["1", "10", "100", "1-00", "10001", "2"])),
    )
}

proptest! {
    #[test]
    fn the_rule_found_fits_and_none_that_fits_is_more_specific(
        areas in vec((places(), rates()), 0..20), at in places(),
    ) {
        let mut rules = TaxRules::default();
        let mut kept: Vec<TaxRule> = Vec::new();
        for ((code, region, prefix), rate) in areas {
            kept.push(rule("standard", area(code, region, prefix), rate));
            match TaxRules::new(kept.clone()) {
                Ok(more) => rules = more,
                Err(_) => drop(kept.pop()),
            }
        }
        let (code, region, postcode) = at;
        let there = place(code, region, postcode);
        let plain = |text: &Option<Postcode>| text.as_ref().map_or_else(String::new, Postcode::plain);
        let fits = |rule: &&TaxRule| {
            let lower = |region: &Option<String>| region.as_ref().map(|r| r.to_lowercase());
            rule.area.country == there.country
                && plain(&there.postcode).starts_with(&plain(&rule.area.postcode_prefix))
                && (rule.area.region.is_none() || lower(&rule.area.region) == lower(&there.region))
        };
        let rank = |rule: &&TaxRule| {
            (plain(&rule.area.postcode_prefix).len(), rule.area.region.is_some())
        };
        let best = kept.iter().filter(fits).max_by_key(rank);
        prop_assert_eq!(rules.at(&there).rule(&category("standard")), best);
    }
}
