//! The tokens are the only place of colours and sizes, and their colours can be read.

use crate::views::assets;
use std::{collections::BTreeMap, io::Write as _};

const TOKENS: &str = include_str!("../assets/tokens.css");
const SHEETS: [(&str, &str); 3] = [
    ("shop.css", include_str!("../assets/shop.css")),
    ("admin.css", include_str!("../assets/admin.css")),
    ("docs.css", include_str!("../assets/docs.css")),
];

/// Each colour token, light and dark.
fn colours() -> BTreeMap<String, [String; 2]> {
    let pairs = TOKENS.lines().filter_map(|line| {
        let (name, value) = line.trim().strip_prefix("--")?.split_once(": light-dark(")?;
        let (light, dark) = value.trim_end_matches(");").split_once(", ")?;
        (light.starts_with('#')).then(|| (name.to_owned(), [light.to_owned(), dark.to_owned()]))
    });
    pairs.collect()
}

/// WCAG 2.2's relative luminance.
fn luminance(hex: &str) -> f64 {
    let part = |at: usize| {
        let value = f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
}

fn contrast(one: &str, other: &str) -> f64 {
    let (a, b) = (luminance(one), luminance(other));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn text_can_be_read_on_every_ground_in_both_themes() {
    assert!((contrast("#ffffff", "#000000") - 21.0).abs() < 0.01);
    let colours = colours();
    let grounds = ["background", "surface", "raised", "notice", "accent-soft"];
    let texts = ["text", "muted", "accent", "accent-strong", "good", "warn", "bad"];
    let on_grounds = texts.iter().flat_map(|t| grounds.iter().map(move |g| (*t, *g, 4.5)));
    let on_accent = [("accent-text", "accent", 4.5), ("accent-text", "accent-strong", 4.5)];
    // What shows where a field ends (WCAG 2.2, 1.4.11).
    let fields = ["background", "raised"].map(|ground| ("line-strong", ground, 3.0));
    for (text, ground, least) in on_grounds.chain(on_accent).chain(fields) {
        for theme in [0, 1] {
            let ratio = contrast(&colours[text][theme], &colours[ground][theme]);
            assert!(ratio >= least, "{text} on {ground}, theme {theme}: {ratio:.2}");
        }
    }
}

#[test]
fn only_the_tokens_name_colours_and_sizes() {
    for (name, sheet) in SHEETS {
        let rules = sheet.lines().filter(|line| !line.trim_start().starts_with("@media"));
        for line in rules {
            assert!(!line.contains('#'), "{name} names a colour: {line}");
            for word in ["rgb(", "hsl(", "oklch(", "white", "black"] {
                let named = line.replace("white-space", "").contains(word);
                assert!(!named, "{name} names a colour: {line}");
            }
            for unit in ["px", "rem"] {
                let measured = line
                    .match_indices(unit)
                    .any(|(at, _)| line[..at].ends_with(|c: char| c.is_ascii_digit()));
                assert!(!measured, "{name} names a size: {line}");
            }
        }
    }
}

#[test]
fn every_token_that_is_used_exists_and_the_other_way_round() {
    let whole: String = SHEETS.iter().map(|(_, sheet)| *sheet).collect::<String>() + TOKENS;
    let defined: Vec<_> = TOKENS
        .lines()
        .filter_map(|line| line.trim().strip_prefix("--")?.split_once(':').map(|(name, _)| name))
        .collect();
    for used in whole.split("var(--").skip(1) {
        let name = used.split(')').next().unwrap();
        assert!(defined.contains(&name), "var(--{name}) is defined nowhere");
    }
    for name in defined {
        assert!(whole.contains(&format!("var(--{name})")), "--{name} is used nowhere");
    }
}

#[test]
fn all_that_a_page_loads_is_under_20_kb_compressed() {
    let packed = |bytes: &[u8]| {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        gzip.write_all(bytes).unwrap();
        gzip.finish().unwrap().len()
    };
    let all: usize = assets().iter().map(|asset| packed(asset.bytes)).sum();
    assert!(all < 20_000, "{all} bytes");
    let docs = assets().iter().find(|asset| asset.name == "docs.js").unwrap();
    assert!(docs.bytes.len() < 10_240, "{} bytes", docs.bytes.len());
}

#[test]
fn an_asset_s_name_changes_with_its_content() {
    for asset in assets() {
        assert!(asset.path.starts_with("/assets/") && asset.path.contains(&asset.hash));
        assert_eq!(asset.hash.len(), 16);
    }
    assert_ne!(assets()[0].hash, assets()[1].hash);
}
