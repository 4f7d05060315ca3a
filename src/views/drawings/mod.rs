//! Drawn pictures: product silhouettes for the demo shop and placeholders for what has none.
//!
//! The same name gives the same bytes on every machine, so http may cache them for good. A name
//! is only hashed, never written into the drawing.

mod families;
mod palette;

pub use families::{FAMILIES, Family};

use crate::domain::{document::ProductDocument, sku::Sku};
use crate::views::assets::fnv1a;
use bytes::Bytes;
use palette::{PALETTES, Palette, QUIET};

const OPEN: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 400 300\" width=\"400\" \
                    height=\"300\">";

/// A product of a family in a studio's light; the seed chooses its colours. An unknown family
/// becomes a box.
pub fn demo_svg(family: &str, seed: &str) -> Bytes {
    let family = known(family);
    let hash = fnv1a(seed.as_bytes());
    let palette = pick(PALETTES, hash);
    let [high, low] = palette.ground;
    // From 94 to 106 %, about the middle of the floor.
    let scale = 94 + (hash >> 32) % 13;
    let svg = format!(
        "{OPEN}<defs>{paints}<linearGradient id=\"r\" x2=\"0\" y2=\"1\"><stop stop-color=\"{high}\"/>\
         <stop offset=\".74\" stop-color=\"{high}\"/><stop offset=\".8\" stop-color=\"{low}\"/>\
         <stop offset=\"1\" stop-color=\"{high}\"/></linearGradient></defs>\
         <path fill=\"url(#r)\" d=\"M0 0h400v300H0z\"/>\
         <g transform=\"translate(200 246) scale({whole}.{part:02}) translate(-200 -246)\">{figure}</g></svg>",
        paints = palette.paints(),
        whole = scale / 100,
        part = scale % 100,
        figure = figure(family, palette),
    );
    svg.into()
}

/// What stands for a picture that isn't there: a quiet pattern of the SKU's own and the shape of
/// its family. Without a ground, so it sits on the page's in light and dark.
pub fn placeholder_svg(sku: &Sku, family: &str) -> Bytes {
    let hash = fnv1a(sku.as_str().as_bytes());
    let pattern = pick(PATTERNS, hash);
    let size = 22 + (hash >> 16) % 14;
    let turn = (hash >> 24) % 90;
    let svg = format!(
        "{OPEN}<defs>{paints}<pattern id=\"q\" width=\"24\" height=\"24\" \
         patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate({turn}) scale({whole}.{part})\">\
         <path fill=\"none\" stroke=\"#8f897c\" stroke-opacity=\".2\" stroke-width=\"1.5\" \
         stroke-linecap=\"round\" d=\"{pattern}\"/></pattern></defs>\
         <path fill=\"url(#q)\" d=\"M0 0h400v300H0z\"/>\
         <g opacity=\".8\" transform=\"translate(200 246) scale(.78) translate(-200 -278)\">{figure}</g>\
         </svg>",
        paints = QUIET.paints(),
        whole = size / 24,
        part = (size % 24) * 10 / 24,
        figure = figure(known(family), &QUIET),
    );
    svg.into()
}

/// One tile each, 24 by 24.
const PATTERNS: &[&str] = &[
    "M0 12h24",
    "M12 11v2M0 23v2M24 23v2M0-1v2M24-1v2",
    "M12 8v8M8 12h8",
    "M0 12a12 12 0 0 0 24 0",
    "M0 6l6 6 6-6 6 6 6-6",
    "M12 6a6 6 0 1 0 .1 0",
    "M0 0h24v24",
    "M6 6l12 12M18 6L6 18",
];

fn figure(family: &Family, palette: &Palette) -> String {
    let (x, half) = family.shadow;
    let shape = palette.paint(family.shape);
    format!("<ellipse cx=\"{x}\" cy=\"247\" rx=\"{half}\" ry=\"14\" fill=\"url(#f)\"/>{shape}")
}

fn pick<T>(of: &'static [T], hash: u64) -> &'static T {
    &of[usize::try_from(hash % of.len() as u64).unwrap_or_default()]
}

fn fallback() -> &'static Family {
    FAMILIES.last().expect("the table of families is never empty")
}

fn known(name: &str) -> &'static Family {
    FAMILIES.iter().find(|family| family.name == name).unwrap_or_else(fallback)
}

/// The family that a category's or product's name speaks of.
pub fn family_for(name: &str) -> &'static str {
    family_among([name])
}

/// The family that the first of these names speaks of which speaks of one at all.
pub(super) fn family_among<'a>(names: impl IntoIterator<Item = &'a str>) -> &'static str {
    names.into_iter().find_map(family_in).unwrap_or_else(fallback).name
}

/// The family of a product: its nearest category that speaks of one, else its own name.
pub fn family_of(doc: &ProductDocument) -> &'static str {
    let categories = doc.categories.iter().rev().map(|category| category.name.as_str());
    family_among(categories.chain([doc.name.as_str()]))
}

/// The family of which a word ends latest in the name: in "glove box" it is the box that counts.
fn family_in(name: &str) -> Option<&'static Family> {
    let name = name.to_lowercase();
    let begins = |at: usize| !name[..at].ends_with(char::is_alphanumeric);
    let place = |family: &Family| {
        let found = family.words.iter().flat_map(|word| name.rmatch_indices(word));
        found.filter(|(at, _)| begins(*at)).map(|(at, word)| (at + word.len(), word.len())).max()
    };
    let found = FAMILIES.iter().filter_map(|family| Some((place(family)?, family)));
    found.max_by_key(|(place, _)| *place).map(|(_, family)| family)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: Bytes) -> String {
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[test]
    fn a_name_finds_its_family() {
        for (name, family) in [
            ("Cordless Drills & Drivers", "drill"),
            ("Power tools", "drill"),
            ("Glove boxes", "box"),
            ("Packing tape", "tape"),
            ("Cell Phones", "phone"),
            ("Die Hard - DVD", "disc"),
            ("Knives", "saw"),
            ("Größe & Ähnliches ™", "box"),
            ("", "box"),
        ] {
            assert_eq!(family_for(name), family, "{name}");
        }
        assert_eq!(family_among(["Personal items", "Gloves"]), "glove");
    }

    #[test]
    fn every_family_is_drawn_with_paints_that_exist() {
        for family in FAMILIES {
            let svg = text(demo_svg(family.name, "seed"));
            for used in svg.split("url(#").skip(1) {
                let id = used.split(')').next().unwrap();
                assert!(svg.contains(&format!("id=\"{id}\"")), "{} paints with {id}", family.name);
            }
            assert!(!svg.contains('{'), "{} has a tone left unfilled", family.name);
            assert!(!svg.contains("style") && !svg.contains("<script"));
            assert_ne!(svg, text(demo_svg(family.name, "other")), "{} looks alike", family.name);
        }
    }

    #[test]
    fn everything_the_demo_shop_shows_is_drawn() {
        for wanted in crate::domain::demo::FAMILIES {
            assert_eq!(known(wanted).name, *wanted);
        }
    }

    #[test]
    fn nothing_of_a_name_gets_into_a_drawing() {
        let sku = Sku::new("\"><script>alert(1)</script>").unwrap();
        for svg in [placeholder_svg(&sku, "<b>"), demo_svg("<b>", "<script>")] {
            let svg = text(svg);
            assert!(!svg.contains("script") && !svg.contains("<b>"), "{svg}");
        }
        let other = Sku::new("A-1").unwrap();
        assert_ne!(placeholder_svg(&sku, "drill"), placeholder_svg(&other, "drill"));
        assert_eq!(placeholder_svg(&sku, "drill"), placeholder_svg(&sku, "drill"));
    }
}
