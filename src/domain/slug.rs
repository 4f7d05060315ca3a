//! The part of an address that names a product or category.

use crate::domain::sku::Sku;

/// Longest slug made from a name; a SKU may follow it.
const MOST_BYTES: usize = 80;
/// Longest slug that a source may give: any that was made here is shorter.
pub const MOST_GIVEN: usize = 240;

/// Whether a text has the form of what is made here.
pub fn is_one(text: &str) -> bool {
    text.len() <= MOST_GIVEN
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && text.split('-').all(|part| !part.is_empty())
}

/// Lower-case ASCII letters, digits and single hyphens; common accents lose their accent.
/// Empty when the name has no letter or digit that can be kept.
pub fn from_name(name: &str) -> String {
    let mut slug = String::with_capacity(name.len().min(MOST_BYTES));
    let mut gap = false;
    for c in name.chars().flat_map(char::to_lowercase) {
        let mut plain = [0u8; 4];
        let kept = match c {
            'a'..='z' | '0'..='9' => &*c.encode_utf8(&mut plain),
            '\'' | '’' | '®' | '™' | '©' | '\u{300}'..='\u{36f}' => continue,
            _ => unaccented(c),
        };
        if kept.is_empty() {
            gap = !slug.is_empty();
            continue;
        }
        if slug.len() + kept.len() + usize::from(gap) > MOST_BYTES {
            break;
        }
        if std::mem::take(&mut gap) {
            slug.push('-');
        }
        slug.push_str(kept);
    }
    slug
}

/// The slug for a product whose plain slug another one has: the SKU goes behind it, so the same
/// file gives the same addresses on every run.
pub fn with_sku(slug: &str, sku: &Sku) -> String {
    let tail = from_name(sku.as_str());
    match (slug.is_empty(), tail.is_empty()) {
        (true, true) => hex(sku.as_str()),
        (true, false) => tail,
        (false, true) => format!("{slug}-{}", hex(sku.as_str())),
        (false, false) => format!("{slug}-{tail}"),
    }
}

fn hex(text: &str) -> String {
    text.bytes().take(16).map(|b| format!("{b:02x}")).collect()
}

fn unaccented(c: char) -> &'static str {
    match c {
        'à' | 'á' | 'â' | 'ã' | 'å' | 'ā' | 'ă' | 'ą' => "a",
        'ä' | 'æ' => "ae",
        'ç' | 'ć' | 'č' => "c",
        'ď' | 'đ' | 'ð' => "d",
        'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ę' | 'ě' => "e",
        'ğ' => "g",
        'ì' | 'í' | 'î' | 'ï' | 'ī' | 'ı' => "i",
        'ł' => "l",
        'ñ' | 'ń' | 'ň' => "n",
        'ò' | 'ó' | 'ô' | 'õ' | 'ø' | 'ő' => "o",
        'ö' | 'œ' => "oe",
        'ř' => "r",
        'ś' | 'š' | 'ş' | 'ș' => "s",
        'ß' => "ss",
        'ť' | 'ț' | 'ţ' => "t",
        'ù' | 'ú' | 'û' | 'ů' | 'ű' | 'ū' => "u",
        'ü' => "ue",
        'ý' | 'ÿ' => "y",
        'ź' | 'ž' | 'ż' => "z",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_become_addresses() {
        assert_eq!(from_name("AT&T GoPhone - 4.5\" Phone™"), "at-t-gophone-4-5-phone");
        assert_eq!(from_name("Levi's® Größe Café"), "levis-groesse-cafe");
        assert_eq!(from_name("  ---  "), "");
        let sku = Sku::new("AB/12").unwrap();
        assert_eq!(with_sku("plain", &sku), "plain-ab-12");
        assert_eq!(with_sku("", &sku), "ab-12");
    }

    #[test]
    fn a_given_slug_looks_as_a_made_one_does() {
        assert!(is_one("a") && is_one("spanner-13-mm"));
        for bad in
            ["", "-", "a-", "-a", "a--b", "A", "a b", "a/b", "é", &"a".repeat(MOST_GIVEN + 1)]
        {
            assert!(!is_one(bad), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn a_slug_holds_only_what_an_address_may(name in "\\PC*") {
            let slug = from_name(&name);
            prop_assert!(slug.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
            prop_assert!(!slug.starts_with('-') && !slug.ends_with('-') && !slug.contains("--"));
            prop_assert!(slug.len() <= MOST_BYTES);
            prop_assert!(slug.is_empty() || is_one(&slug));
            prop_assert_eq!(from_name(&slug), slug);
        }

        #[test]
        fn one_with_a_sku_behind_it_may_be_given_too(name in "\\PC*", sku in "\\PC{1,64}") {
            if let Ok(sku) = Sku::new(&sku) {
                let slug = format!("{}-{}", with_sku(&from_name(&name), &sku), u32::MAX);
                prop_assert!(is_one(&slug), "{}", slug);
            }
        }
    }
}
