//! Reading what stands in an address: percent-encoding and declared parameters.
//!
//! A resource declares its parameters once ([`Param`]); the same declaration checks a request and
//! describes the parameter in the API's document, so the two can't differ. What isn't declared is
//! refused by name: a misspelt filter must never look like a wide one.

use crate::{
    domain::money::{Currency, Money},
    http::error::{Code, Problem},
};
use std::borrow::Cow;

/// Parameters of one request, all told; more is refused before any is read.
const MOST_PAIRS: usize = 128;

/// What a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    /// At most so many characters.
    Text {
        most: usize,
    },
    /// Text of this form; `pattern` is for the description, the handler checks.
    Formed {
        most: usize,
        pattern: &'static str,
    },
    Integer {
        least: i64,
        most: i64,
        default: i64,
    },
    /// An amount such as `49.99` in the shop's currency.
    Amount,
    /// `true` or `false`.
    Flag,
    OneOf(&'static [&'static str]),
    /// Some of these, with commas between.
    SomeOf(&'static [&'static str]),
}

/// One parameter of an address's query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Param {
    /// `map.` stands for every name that begins so.
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) takes: Takes,
    /// How often it may come.
    pub(crate) most: usize,
    /// Whether it must come; it may be empty.
    pub(crate) required: bool,
}

impl Param {
    pub(crate) const fn new(name: &'static str, takes: Takes, about: &'static str) -> Self {
        Self { name, about, takes, most: 1, required: false }
    }

    pub(crate) const fn many(self, most: usize) -> Self {
        Self { most, ..self }
    }

    pub(crate) const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    pub(crate) fn is_prefix(&self) -> bool {
        self.name.ends_with('.')
    }

    fn fits(&self, name: &str) -> bool {
        if self.is_prefix() {
            name.len() > self.name.len() && name.starts_with(self.name)
        } else {
            name == self.name
        }
    }
}

/// Parameters that passed their declaration.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query {
    declared: &'static [Param],
    pairs: Vec<(String, String)>,
}

impl Query {
    /// Reads `raw` by the declaration.
    ///
    /// On a page a parameter that is empty is one that isn't there, as a form without script sends
    /// those, and what others hang on their links to us is passed over.
    pub(crate) fn read(raw: &str, declared: &'static [Param], page: bool) -> Result<Self, Problem> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for (i, pair) in raw.split('&').filter(|pair| !pair.is_empty()).enumerate() {
            if i >= MOST_PAIRS {
                let told = format!("an address has at most {MOST_PAIRS} parameters");
                return Err(Problem::new(Code::BadParameter, told));
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name, true).ok_or_else(|| undecodable(name))?;
            let Some(param) = declared.iter().find(|p| p.fits(&name)) else {
                if page && is_foreign(&name) {
                    continue;
                }
                return Err(unknown(&name, declared));
            };
            let value = decode(value, true).ok_or_else(|| undecodable(&name))?;
            if page && value.is_empty() {
                continue;
            }
            check(param, &name, &value)?;
            if pairs.iter().filter(|(known, _)| *known == name).count() >= param.most {
                let told = match param.most {
                    1 => "comes at most once".to_owned(),
                    most => format!("comes at most {most} times"),
                };
                return Err(Problem::parameter(&name, told));
            }
            pairs.push((name.into_owned(), value.into_owned()));
        }
        let missing = |param: &&Param| param.required && !pairs.iter().any(|(n, _)| param.fits(n));
        if let Some(param) = declared.iter().find(missing) {
            return Err(Problem::parameter(param.name, "is required"));
        }
        Ok(Self { declared, pairs })
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        debug_assert!(self.declared.iter().any(|p| p.fits(name)), "{name} is not declared");
        self.optional(name)
    }

    /// As [`Self::text`], of a parameter that not every address declares.
    pub(crate) fn optional(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.pairs.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Of a declaration that ends in a point: the rest of each name, and its value.
    pub(crate) fn below<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.pairs
            .iter()
            .filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?, value.as_str())))
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        self.text(name) == Some("true")
    }

    /// The number, or the declaration's default.
    pub(crate) fn integer(&self, name: &str) -> i64 {
        let default = self.declared.iter().find(|p| p.name == name).map(|p| p.takes);
        let default = match default {
            Some(Takes::Integer { default, .. }) => default,
            _ => 0,
        };
        self.text(name).and_then(|text| text.parse().ok()).unwrap_or(default)
    }

    pub(crate) fn size(&self, name: &str) -> usize {
        usize::try_from(self.integer(name)).unwrap_or_default()
    }

    /// Minor units of `currency`.
    pub(crate) fn amount(&self, name: &str, currency: Currency) -> Result<Option<i64>, Problem> {
        let Some(text) = self.text(name) else { return Ok(None) };
        match Money::parse_price(text, currency) {
            Ok(money) => Ok(Some(money.minor)),
            Err(error) => Err(Problem::parameter(name, error.to_string())),
        }
    }

    /// The query in one spelling, as it would stand in an address: equal questions have equal
    /// texts. Names come in the order of their declaration, values in their own.
    pub(crate) fn address(&self) -> String {
        let place = |name: &str| self.declared.iter().position(|p| p.fits(name));
        let mut pairs: Vec<_> = self.pairs.iter().map(|(n, v)| (place(n), n, v)).collect();
        pairs.sort_unstable();
        let mut text = String::new();
        for (_, name, value) in pairs {
            if !text.is_empty() {
                text.push('&');
            }
            text.push_str(&encode(name));
            text.push('=');
            text.push_str(&encode(value));
        }
        text
    }
}

/// Names that campaigns and referrers hang on addresses of others.
fn is_foreign(name: &str) -> bool {
    name.starts_with("utm_") || ["fbclid", "gclid", "msclkid", "ref"].contains(&name)
}

fn check(param: &Param, name: &str, value: &str) -> Result<(), Problem> {
    let told = match param.takes {
        Takes::Text { most } | Takes::Formed { most, .. } => {
            let fits = value.chars().count() <= most && !value.contains('\0');
            (!fits).then(|| format!("text of at most {most} characters"))
        }
        Takes::Integer { least, most, .. } => {
            let fits = value.parse::<i64>().is_ok_and(|n| (least..=most).contains(&n));
            (!fits).then(|| format!("a whole number from {least} to {most}"))
        }
        Takes::Amount => (value.len() > 24).then(|| "an amount such as 49.99".to_owned()),
        Takes::Flag => (!["true", "false"].contains(&value)).then(|| "true or false".to_owned()),
        Takes::OneOf(known) => (!known.contains(&value)).then(|| choices(value, known)),
        Takes::SomeOf(known) => value
            .split(',')
            .map(str::trim)
            .find(|part| !known.contains(part))
            .map(|part| format!("{} is none of: {}", quoted(part), known.join(", "))),
    };
    told.map_or(Ok(()), |told| Err(Problem::parameter(name, told)))
}

fn choices(value: &str, known: &[&str]) -> String {
    match nearest(value, known.iter().copied()) {
        Some(near) => format!("one of {}; did you mean {near}?", known.join(", ")),
        None => format!("one of {}", known.join(", ")),
    }
}

fn unknown(name: &str, declared: &[Param]) -> Problem {
    let names = || declared.iter().map(|p| p.name);
    let told = match nearest(name, names()) {
        Some(near) => format!("is unknown here; did you mean {near}?"),
        None if declared.is_empty() => "is unknown here; this address takes no parameters".into(),
        None => format!("is unknown here; known are {}", names().collect::<Vec<_>>().join(", ")),
    };
    Problem::of_parameter(Code::UnknownParameter, &short(name), told)
}

fn undecodable(name: &str) -> Problem {
    Problem::parameter(&short(name), "is not percent-encoded UTF-8")
}

fn short(name: &str) -> String {
    name.chars().take(64).collect()
}

fn quoted(text: &str) -> String {
    format!("“{}”", short(text))
}

/// The known name that a misspelt one may stand for: at most a third of it differs.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > 64 {
        return None;
    }
    known
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.len() / 3).max(1))
        .min()
        .map(|(_, candidate)| candidate)
}

/// Letters to add, drop or change (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let change = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

/// Undoes percent-encoding; `None` for a broken escape or what isn't UTF-8. In a query `+` is a
/// space.
pub(crate) fn decode(text: &str, query: bool) -> Option<Cow<'_, str>> {
    if !text.bytes().any(|b| b == b'%' || (query && b == b'+')) {
        return Some(Cow::Borrowed(text));
    }
    let digit = |b: Option<u8>| char::from(b?).to_digit(16);
    let mut bytes = text.bytes();
    let mut plain = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        plain.push(match byte {
            b'%' => (digit(bytes.next())? * 16 + digit(bytes.next())?) as u8,
            b'+' if query => b' ',
            other => other,
        });
    }
    String::from_utf8(plain).ok().map(Cow::Owned)
}

/// Percent-encodes all but RFC 3986's unreserved characters.
pub(crate) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DECLARED: &[Param] = &[
        Param::new("q", Takes::Text { most: 10 }, ""),
        Param::new("limit", Takes::Integer { least: 1, most: 100, default: 24 }, ""),
        Param::new("sort", Takes::OneOf(&["name", "newest"]), ""),
        Param::new("brand", Takes::Text { most: 20 }, "").many(2),
        Param::new("in_stock", Takes::Flag, ""),
        Param::new("price_from", Takes::Amount, ""),
        Param::new("fields", Takes::SomeOf(&["sku", "name"]), ""),
        Param::new("map.", Takes::Text { most: 20 }, "").many(3),
    ];

    fn refusal(raw: &str) -> String {
        let problem = Query::read(raw, DECLARED, false).unwrap_err();
        assert_eq!(problem.code.status(), 400);
        problem.detail.into_owned()
    }

    #[test]
    fn declared_parameters_are_read() {
        let query = Query::read(
            "q=caf%C3%A9+5&brand=A%26B&brand=C&limit=7&in_stock=true&price_from=49.99&map.sku=Art",
            DECLARED,
            false,
        )
        .unwrap();
        assert_eq!(query.text("q"), Some("café 5"));
        assert_eq!(query.all("brand").collect::<Vec<_>>(), ["A&B", "C"]);
        assert_eq!((query.integer("limit"), query.flag("in_stock")), (7, true));
        assert_eq!(query.amount("price_from", Currency::USD).unwrap(), Some(4999));
        assert_eq!(query.below("map.").collect::<Vec<_>>(), [("sku", "Art")]);
        assert_eq!(Query::read("", DECLARED, false).unwrap().integer("limit"), 24);
    }

    #[test]
    fn on_a_page_an_empty_parameter_is_none_and_a_campaigns_is_passed_over() {
        let query = Query::read("q=&sort=&utm_source=mail", DECLARED, true).unwrap();
        assert_eq!((query.text("q"), query.text("sort")), (None, None));
        assert!(Query::read("brnd=x", DECLARED, true).is_err());
        assert_eq!(refusal("sort="), "sort: one of name, newest");
    }

    #[test]
    fn what_is_wrong_is_named_with_what_would_be_right() {
        assert_eq!(refusal("limit=101"), "limit: a whole number from 1 to 100");
        assert_eq!(refusal("sort=newst"), "sort: one of name, newest; did you mean newest?");
        assert_eq!(refusal("brnd=x"), "brnd: is unknown here; did you mean brand?");
        assert_eq!(refusal("q=1&q=2"), "q: comes at most once");
        assert_eq!(refusal("fields=sku,prce"), "fields: “prce” is none of: sku, name");
        assert_eq!(refusal("q=%zz"), "q: is not percent-encoded UTF-8");
        assert_eq!(refusal("q=%ff"), "q: is not percent-encoded UTF-8");
        assert!(refusal("zzzzzz=1").contains("known are q, limit"));
        let many = Query::read(&"q=&".repeat(200), DECLARED, true).unwrap_err();
        assert!(many.detail.contains("at most 128"));
        let query = Query::read("price_from=1e3", DECLARED, false).unwrap();
        assert!(query.amount("price_from", Currency::USD).is_err());
    }

    #[test]
    fn equal_questions_have_equal_texts() {
        let text = |raw| Query::read(raw, DECLARED, true).unwrap().address();
        assert_eq!(text("sort=name&q=%61+b&limit="), "q=a%20b&sort=name");
        assert_eq!(text("brand=b&brand=a"), "brand=a&brand=b");
        assert_ne!(text("brand=a&brand=b"), text("brand=a%26brand%3Db"));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(raw in "\\PC*") {
            let _ = Query::read(&raw, DECLARED, false);
        }

        #[test]
        fn what_was_encoded_is_read_back(text in "\\PC{0,10}") {
            let encoded = encode(&text);
            let read = decode(&encoded, true);
            prop_assert_eq!(read.as_deref(), Some(text.as_str()));
        }
    }
}
