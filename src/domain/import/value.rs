//! One value as a row gives it, before anybody asked what it should be.

use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Numbers, lists and objects stay the text they are.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value<'a> {
    /// `null`, or an empty cell.
    Nothing,
    Text(Cow<'a, str>),
    Number(&'a str),
    Truth(bool),
    List(&'a str),
    Object(&'a str),
    /// A JSON string that holds no text, such as half a surrogate pair.
    Broken,
}

impl<'a> Value<'a> {
    /// `json` is well-formed JSON.
    pub(super) fn of(json: &'a RawValue) -> Self {
        let text = json.get();
        match text.as_bytes().first() {
            Some(b'n') | None => Self::Nothing,
            Some(b't') => Self::Truth(true),
            Some(b'f') => Self::Truth(false),
            Some(b'[') => Self::List(text),
            Some(b'{') => Self::Object(text),
            Some(b'"') => match serde_json::from_str::<Key<'a>>(text) {
                Ok(Key(text)) => Self::Text(text),
                Err(_) => Self::Broken,
            },
            Some(_) => Self::Number(text),
        }
    }

    /// What a message says was found.
    pub(super) fn found(&self) -> String {
        match self {
            Self::Nothing => "nothing".into(),
            Self::Text(text) => quoted(text),
            Self::Number(digits) => format!("the number {}", short(digits)),
            Self::Truth(truth) => truth.to_string(),
            Self::List(_) => "a list".into(),
            Self::Object(_) => "an object".into(),
            Self::Broken => "text with a broken escape".into(),
        }
    }
}

/// The text in quotes, cut to what fits in a message.
pub(super) fn quoted(text: &str) -> String {
    format!("{:?}", short(text))
}

fn short(text: &str) -> String {
    const MOST: usize = 40;
    let mut cut: String = text.chars().take(MOST).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    cut
}

/// A JSON string, borrowed where it has no escapes.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Key<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// A JSON object's entries in their order, twice named ones included.
pub(super) struct Entries<'a>(pub(super) Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Entries<'de>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<M: serde::de::MapAccess<'de>>(
                self,
                mut map: M,
            ) -> Result<Entries<'de>, M::Error> {
                let mut entries = Vec::with_capacity(16);
                while let Some((Key(key), value)) = map.next_entry::<Key<'de>, &RawValue>()? {
                    entries.push((key, value));
                }
                Ok(Entries(entries))
            }
        }
        from.deserialize_map(Visitor)
    }
}
