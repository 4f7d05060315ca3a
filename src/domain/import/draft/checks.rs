//! What single values must be, whatever field they are for. Each check notes what it finds wrong
//! and gives nothing then.

use super::Row;
use crate::domain::{
    import::{
        limits,
        value::{Entries, Value, quoted},
    },
    sku::Sku,
};
use serde_json::value::RawValue;

/// What a text may be.
#[derive(Clone, Copy)]
pub(super) struct Rule {
    most: usize,
    /// Whether it may have line breaks and tabs.
    lines: bool,
}

impl Rule {
    pub(super) const fn line(most: usize) -> Self {
        Self { most, lines: false }
    }

    pub(super) const fn lines(most: usize) -> Self {
        Self { most, lines: true }
    }
}

impl Row<'_> {
    /// A trimmed text; nothing when it is empty.
    pub(super) fn text(&mut self, called: &str, value: &Value<'_>, rule: Rule) -> Option<String> {
        match value {
            Value::Nothing => None,
            Value::Text(text) => self.checked(called, text, rule),
            other => {
                self.problem(called, format_args!("expected text, found {}", other.found()));
                None
            }
        }
    }

    pub(super) fn checked(&mut self, called: &str, text: &str, rule: Rule) -> Option<String> {
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        // Bytes first: counting characters is only needed for texts that may be too long.
        if text.len() > rule.most && text.chars().count() > rule.most {
            let long = text.chars().count();
            self.problem(
                called,
                format_args!("has {long} characters; at most {} are kept", rule.most),
            );
            return None;
        }
        // Of ASCII only: those above are what a misread code page leaves, and do no harm.
        let allowed = |c: char| rule.lines && matches!(c, '\n' | '\r' | '\t');
        if let Some(bad) = text.chars().find(|c| c.is_ascii_control() && !allowed(*c)) {
            self.problem(
                called,
                format_args!("has the control character U+{:04X}", u32::from(bad)),
            );
            return None;
        }
        Some(text.to_owned())
    }

    /// A SKU, or a whole number that stands for one.
    pub(super) fn code(&mut self, called: &str, value: &Value<'_>) -> Option<Sku> {
        let text = match value {
            Value::Nothing => return None,
            Value::Text(text) if text.trim().is_empty() => return None,
            Value::Text(text) => text.as_ref(),
            Value::Number(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => digits,
            other => {
                let found = other.found();
                self.problem(
                    called,
                    format_args!("expected text such as \"AB-12\", found {found}"),
                );
                return None;
            }
        };
        Sku::new(text).map_err(|error| self.problem(called, error)).ok()
    }

    /// A whole number, written as one or as text.
    pub(super) fn whole(
        &mut self,
        called: &str,
        value: &Value<'_>,
        least: i64,
        most: i64,
    ) -> Option<i64> {
        let digits = match value {
            Value::Nothing => return None,
            Value::Text(text) if text.trim().is_empty() => return None,
            Value::Number(digits) => digits,
            Value::Text(text) => text.trim(),
            _ => "",
        };
        let plain = digits.strip_prefix('-').unwrap_or(digits);
        if plain.is_empty() || !plain.bytes().all(|b| b.is_ascii_digit()) {
            let found = value.found();
            self.problem(called, format_args!("expected a whole number, found {found}"));
            return None;
        }
        match digits.parse::<i64>() {
            Ok(number) if (least..=most).contains(&number) => Some(number),
            _ => {
                let found = value.found();
                self.problem(
                    called,
                    format_args!("must lie between {least} and {most}, found {found}"),
                );
                None
            }
        }
    }

    pub(super) fn address(&mut self, called: &str, address: String) -> Option<String> {
        let scheme = ["https://", "http://"].iter().find(|scheme| {
            address.get(..scheme.len()).is_some_and(|head| head.eq_ignore_ascii_case(scheme))
        });
        // A browser reads both "//host" and "/\host" as another host's address.
        let ours = address.starts_with('/') && !address.starts_with("//");
        let hosted = scheme.is_some_and(|scheme| {
            address[scheme.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '[')
        });
        let plain = !address.contains(|c: char| c.is_whitespace() || c == '\\');
        if plain && (ours || hosted) {
            return Some(address);
        }
        self.problem(
            called,
            format_args!(
                "expected an http or https address, or a path that begins with one \"/\", found {}",
                quoted(&address)
            ),
        );
        None
    }

    /// The texts of a JSON list.
    pub(super) fn texts(&mut self, called: &str, value: &Value<'_>, expected: &str) -> Vec<String> {
        let mut texts = Vec::new();
        match value {
            Value::Nothing => {}
            Value::List(json) => {
                for (at, item) in self.items(called, json).iter().enumerate() {
                    match Value::of(item) {
                        Value::Text(text) => texts.push(text.into_owned()),
                        other => {
                            let found = other.found();
                            self.problem(
                                called,
                                format_args!("expected text as item {}, found {found}", at + 1),
                            );
                        }
                    }
                }
            }
            other => {
                let found = other.found();
                self.problem(called, format_args!("expected {expected}, found {found}"));
            }
        }
        texts
    }

    pub(super) fn items<'a>(&mut self, called: &str, json: &'a str) -> Vec<&'a RawValue> {
        serde_json::from_str(json).unwrap_or_else(|_| {
            self.problem(called, "is not a JSON list");
            Vec::new()
        })
    }

    pub(super) fn entries<'a>(&mut self, called: &str, json: &'a str) -> Entries<'a> {
        serde_json::from_str(json).unwrap_or_else(|_| {
            self.problem(called, "is not a JSON object");
            Entries(Vec::new())
        })
    }

    /// A name and its value; values may be numbers and truths, which are kept as written.
    pub(super) fn pair(
        &mut self,
        called: &str,
        label: &str,
        value: &Value<'_>,
    ) -> Option<(String, String)> {
        let worth = match value {
            Value::Nothing => return None,
            Value::Text(text) => self.checked(called, text, Rule::lines(limits::WORTH))?,
            Value::Number(digits) => self.checked(called, digits, Rule::line(limits::WORTH))?,
            Value::Truth(truth) => truth.to_string(),
            other => {
                let found = other.found();
                self.problem(
                    called,
                    format_args!("expected text, a number, true or false, found {found}"),
                );
                return None;
            }
        };
        let before = self.problems.len();
        let label = self.checked(called, label, Rule::line(limits::LABEL));
        if label.is_none() && self.problems.len() == before {
            self.problem(called, "has no name");
        }
        Some((label?, worth))
    }
}
