//! A catalogue of our own making, for `stoa serve --demo`, tests and benchmarks.
//!
//! Everything in it is invented, brands included, and the same on every machine: [`catalogue`] is
//! a shop one can look at, [`generate()`] any number of products shaped like it. Nothing is held.

mod dice;
mod generate;
mod rules;
mod shelves;

pub use generate::generate;
pub use rules::{prices, rules};

use crate::domain::{
    import::json,
    money::{Currency, Money},
    product::{ProductDraft, ProductStatus, StockDraft},
    sku::Sku,
    tax::TaxCategory,
};
use dice::Dice;
use shelves::{Line, Spread};
use std::collections::BTreeMap;

/// What pictures show. A demo product's picture is at `/media/demo/{family}/{seed}.svg` with one
/// of these as its family and eight hexadecimal digits as its seed.
pub const FAMILIES: &[&str] = &[
    "anchor",
    "bag",
    "battery",
    "bin",
    "bolt",
    "boot",
    "bottle",
    "box",
    "cable",
    "chair",
    "cloth",
    "connector",
    "desk",
    "drill",
    "eyewear",
    "film",
    "flask",
    "garment",
    "glove",
    "grinder",
    "hammer",
    "helmet",
    "instrument",
    "lamp",
    "measure",
    "mop",
    "paper",
    "pen",
    "pipette",
    "pliers",
    "saw",
    "screw",
    "screwdriver",
    "shelf",
    "spanner",
    "tape",
    "trolley",
    "vial",
    "washer",
];

/// The whole demo shop, parents before their variants, in the order of its shelves.
pub fn catalogue() -> Vec<ProductDraft> {
    let mut drafts = Vec::new();
    for aisle in shelves::AISLES {
        for (place, line) in aisle.lines.iter().enumerate() {
            let base = format!("{}-{}", aisle.code, 101 + place * 10);
            line_of(aisle.name, aisle.closings, line, &base, &mut drafts);
        }
    }
    drafts
}

/// Drafts as an import reads them, one a line.
pub fn json_lines<'a>(drafts: impl IntoIterator<Item = &'a ProductDraft>) -> String {
    drafts.into_iter().map(|draft| json::write(draft) + "\n").collect()
}

fn line_of(
    aisle: &str,
    closings: &[&str],
    line: &Line,
    base: &str,
    drafts: &mut Vec<ProductDraft>,
) {
    let parent = sku(base);
    let kinds = line.kinds;
    if line.spread == Spread::Variants {
        let mut draft = plain(aisle, line, parent.clone(), line.name.to_owned());
        draft.description = Some(line.about.to_owned());
        draft.price = kinds.iter().filter_map(|(_, cents)| money(*cents)).min_by_key(|m| m.minor);
        draft.popularity = popularity(base) + 400;
        drafts.push(draft);
    }
    for (at, (label, cents)) in kinds.iter().enumerate() {
        let code = format!("{base}-{:02}", at + 1);
        let mut dice = Dice::of(&code);
        let mut draft = plain(aisle, line, sku(&code), format!("{}, {label}", line.name));
        draft.price = money(*cents);
        draft.stock = stock(&mut dice);
        draft.popularity = popularity(&code);
        let closing = closings[dice.below(closings.len())];
        draft.description = Some(format!("{} {closing}", line.about));
        match line.spread {
            Spread::Variants => {
                draft.variant_of = Some(parent.clone());
                draft.options.insert(line.by.to_owned(), (*label).to_owned());
                // A family of pictures differs in what the eye sees: not in size.
                draft.images = vec![picture(line.picture, base)];
            }
            Spread::Models => {
                draft.attributes.insert(line.by.to_owned(), (*label).to_owned());
            }
        }
        drafts.push(draft);
    }
}

/// What all of a line's products have in common.
fn plain(aisle: &str, line: &Line, sku: Sku, name: String) -> ProductDraft {
    let categories = [aisle, line.shelf, line.leaf];
    let attribute = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    ProductDraft {
        name,
        slug: None,
        brand: Some(line.brand.to_owned()),
        short_description: Some(line.short.to_owned()),
        description: None,
        status: ProductStatus::Active,
        price: None,
        tax_category: TaxCategory::default(),
        categories: categories.iter().filter(|n| !n.is_empty()).map(|n| (*n).to_owned()).collect(),
        images: vec![picture(line.picture, sku.as_str())],
        attributes: line.attributes.iter().map(attribute).collect(),
        unit: line.unit.to_owned(),
        // What is sold by the metre is cut to the decimetre.
        precision: u8::from(line.unit == "m"),
        stock: None,
        variant_of: None,
        options: BTreeMap::new(),
        popularity: 0,
        sku,
    }
}

/// Codes are made here, so they are always good ones.
fn sku(code: &str) -> Sku {
    Sku::new(code).unwrap_or_else(|error| unreachable!("{code}: {error}"))
}

/// US dollars; nothing for what is priced on request.
fn money(cents: i64) -> Option<Money> {
    (cents > 0).then_some(Money { minor: cents, currency: Currency::USD })
}

fn picture(family: &str, code: &str) -> String {
    format!("/media/demo/{family}/{:08x}.svg", Dice::of(code).next() as u32)
}

fn popularity(code: &str) -> i64 {
    // The square makes few that sell well and many that don't.
    let luck = Dice::of(code).below(32) as i64;
    luck * luck
}

/// Every band: uncounted, sold out, a few left, plenty, plenty in two places.
fn stock(dice: &mut Dice) -> Option<Vec<StockDraft>> {
    let at = |warehouse: &str, quantity: usize| StockDraft {
        warehouse: warehouse.into(),
        quantity: i64::try_from(quantity).unwrap_or_default(),
    };
    match dice.below(20) {
        0 | 1 => None,
        2 => Some(vec![at("main", 0)]),
        3 => Some(vec![at("main", 0), at("north", 0)]),
        4 | 5 => Some(vec![at("main", 1 + dice.below(5))]),
        6..=14 => Some(vec![at("main", 12 + dice.below(900))]),
        _ => Some(vec![at("main", 6 + dice.below(400)), at("north", dice.below(1_500))]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        import::{Ignored, Reading},
        slug,
        stock::StockBand,
    };
    use std::collections::{BTreeSet, HashMap};

    fn band(draft: &ProductDraft) -> StockBand {
        StockBand::of(draft.stock.as_ref().map(|all| all.iter().map(|s| s.quantity).sum()))
    }

    fn assert_all_can_be_imported(drafts: &[ProductDraft]) {
        let reading = Reading::new(&BTreeMap::new(), Currency::EUR).unwrap();
        for (line, draft) in json_lines(drafts).lines().zip(drafts) {
            let read = json::row(1, line.as_bytes(), &reading, &mut Ignored::default());
            assert_eq!(read.as_ref(), Ok(draft));
        }
    }

    #[test]
    fn the_shop_is_the_size_and_shape_of_a_small_wholesaler() {
        let drafts = catalogue();
        assert!((350..=500).contains(&drafts.len()), "{}", drafts.len());
        assert_eq!(drafts, catalogue());
        let skus: BTreeSet<_> = drafts.iter().map(|d| &d.sku).collect();
        let names: BTreeSet<_> = drafts.iter().map(|d| slug::from_name(&d.name)).collect();
        assert_eq!((skus.len(), names.len()), (drafts.len(), drafts.len()));
        let roots: BTreeSet<_> = drafts.iter().map(|d| &d.categories[0]).collect();
        assert!((8..=10).contains(&roots.len()), "{roots:?}");
        assert!(drafts.iter().all(|d| (2..=3).contains(&d.categories.len())));
        let variants = drafts.iter().filter(|d| d.variant_of.is_some()).count();
        assert!(variants > 80, "{variants}");
        let on_request = drafts.iter().filter(|d| d.price.is_none()).count();
        assert!((5..40).contains(&on_request), "{on_request}");
        for kind in
            [StockBand::Untracked, StockBand::InStock, StockBand::FewLeft, StockBand::SoldOut]
        {
            assert!(drafts.iter().filter(|d| band(d) == kind).count() > 8, "{kind:?}");
        }
        assert_all_can_be_imported(&drafts);
    }

    #[test]
    fn every_product_has_something_to_read_and_to_look_at() {
        let mut families = BTreeSet::new();
        for draft in catalogue() {
            let about = draft.description.unwrap();
            let sentences = about.matches(". ").count() + 1;
            assert!((2..=4).contains(&sentences) && about.ends_with('.'), "{}: {about}", draft.sku);
            assert!(draft.attributes.len() >= 2 || !draft.options.is_empty(), "{}", draft.sku);
            let rest = draft.images[0].strip_prefix("/media/demo/").unwrap().to_owned();
            let (family, seed) = rest.split_once('/').unwrap();
            assert!(FAMILIES.contains(&family), "{family}");
            assert!(seed.len() == 12 && seed.ends_with(".svg"));
            families.insert(family.to_owned());
        }
        assert_eq!(families.len(), FAMILIES.len(), "no family is drawn for nothing");
    }

    #[test]
    fn variants_stand_behind_their_parent_and_differ_in_their_options() {
        let drafts = catalogue();
        let mut seen: HashMap<&Sku, BTreeSet<&BTreeMap<String, String>>> = HashMap::new();
        for draft in &drafts {
            match &draft.variant_of {
                Some(parent) => assert!(seen.get_mut(parent).unwrap().insert(&draft.options)),
                None => {
                    seen.insert(&draft.sku, BTreeSet::new());
                }
            }
        }
    }

    #[test]
    fn any_number_can_be_generated_and_a_seed_gives_the_same_again() {
        let some: Vec<_> = generate(2_000, 7).collect();
        assert_eq!(some.len(), 2_000);
        assert!(generate(2_000, 7).eq(some.iter().cloned()));
        assert!(generate(500, 7).eq(some.iter().take(500).cloned()));
        assert!(!generate(10, 8).eq(some.iter().take(10).cloned()));
        assert_all_can_be_imported(&some);
        let skus: BTreeSet<_> = some.iter().map(|d| &d.sku).collect();
        let names: BTreeSet<_> = some.iter().map(|d| slug::from_name(&d.name)).collect();
        assert_eq!(skus.len(), 2_000);
        let twice = 2_000 - names.len();
        assert!((20..400).contains(&twice), "{twice} names are taken");
        let known = |d: &ProductDraft| d.variant_of.as_ref().is_none_or(|p| skus.contains(p));
        assert!(some.iter().all(known));
        assert!(some.iter().filter(|d| d.variant_of.is_some()).count() > 100);
        assert!(some.iter().any(|d| d.price.is_none()));
    }
}
