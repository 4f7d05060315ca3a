//! Any number of products, for tests and benchmarks.

use super::{
    dice::Dice,
    money, picture, plain,
    shelves::{AISLES, Line},
    sku, stock,
};
use crate::domain::product::{ProductDraft, ProductStatus};

const BRANDS: &[&str] = &[
    "Harrow & Pike",
    "Kestrom",
    "Norvane",
    "Lumarq",
    "Ternholm",
    "Paxtor",
    "Greyfold",
    "Solvik",
    "Ferrandel",
    "Quillmark",
    "Ostrander Lab",
    "Belwether",
    "Corvane",
    "Düsterloh",
    "Éclisse",
    "Montrell",
    "Åkerby",
    "Tolliver",
    "Wexcombe",
    "Zandrik",
];

const SERIES: &[&str] = &[
    "Atlas", "Basis", "Cobalt", "Delta", "Ember", "Forte", "Granite", "Horizon", "Ion", "Juniper",
    "Keel", "Lumen", "Mistral", "Nimbus", "Onyx", "Pivot", "Quartz", "Ridge", "Summit", "Tundra",
];

/// `n` products that `seed` alone decides; a longer run begins as a shorter one does. About one
/// in twelve has a name that others may have too, one in twelve is a variant of one before it, one
/// in fifty is disabled. Made one at a time, so any number takes the memory of one.
pub fn generate(n: usize, seed: u64) -> impl Iterator<Item = ProductDraft> {
    (0..n).map(move |at| product(seed, at))
}

fn code(seed: u64, at: usize) -> String {
    format!("G{seed:X}-{at:07}")
}

/// Only its place and the seed decide a product, so a variant finds its parent without a list.
fn product(seed: u64, at: usize) -> ProductDraft {
    let mut dice = Dice::of(&code(seed, at));
    dice = Dice::new(dice.next() ^ seed);
    let aisle = dice.pick(AISLES);
    let line: &Line = dice.pick(aisle.lines);
    let (label, cents) = *dice.pick(line.kinds);
    let brand = *dice.pick(BRANDS);
    let series = format!("{} {}", dice.pick(SERIES), 100 + dice.below(9_900));
    let name = match dice.below(12) {
        0 => format!("{}, {label}", line.name),
        _ => format!("{brand} {series} {}, {label}", lower_first(line.name)),
    };
    let sku = sku(&code(seed, at));
    let mut draft = plain(aisle.name, line, sku, name);
    draft.brand = Some(brand.to_owned());
    let closing = dice.pick(aisle.closings);
    draft.description = Some(format!("{} {closing}", line.about));
    draft.attributes.insert(line.by.to_owned(), label.to_owned());
    // A half to one and a half times what the line costs.
    let percent = 50 + dice.below(101) as i64;
    draft.price = if dice.below(25) == 0 { None } else { money(cents * percent / 100) };
    draft.stock = stock(&mut dice);
    let luck = dice.below(200) as i64;
    draft.popularity = luck * luck / 4;
    if dice.below(50) == 0 {
        draft.status = ProductStatus::Disabled;
    }
    draft.images = vec![picture(line.picture, draft.sku.as_str())];
    if at > 0 && dice.below(12) == 0 {
        let parent = at - 1 - dice.below(at.min(40));
        draft.variant_of = Some(super::sku(&code(seed, parent)));
        draft.options.insert(line.by.to_owned(), label.to_owned());
    }
    draft
}

fn lower_first(text: &str) -> String {
    // Names that begin with an abbreviation stay as they are.
    let second_is_lower = text.chars().nth(1).is_some_and(char::is_lowercase);
    let mut letters = text.chars();
    match letters.next() {
        Some(first) if second_is_lower => first.to_lowercase().chain(letters).collect(),
        _ => text.to_owned(),
    }
}
