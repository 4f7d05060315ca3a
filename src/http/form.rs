//! What a page's form sent: names and values, `application/x-www-form-urlencoded`.

use crate::{
    domain::address::AddressDraft,
    http::{
        error::{Code, Problem},
        extract::decode,
    },
};

/// Fields of one form, all told.
const MOST_FIELDS: usize = 256;

/// A form's fields in the order they were sent.
#[derive(Default, PartialEq, Eq)]
pub(crate) struct Form {
    fields: Vec<(String, String)>,
}

impl Form {
    pub(crate) fn read(body: &[u8]) -> Result<Self, Problem> {
        let bad = || Problem::new(Code::BadBody, "the form could not be read");
        let text = std::str::from_utf8(body).map_err(|_| bad())?;
        let mut fields = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            if fields.len() == MOST_FIELDS {
                let told = format!("a form has at most {MOST_FIELDS} fields");
                return Err(Problem::new(Code::BadBody, told));
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name, true).ok_or_else(bad)?;
            let value = decode(value, true).ok_or_else(bad)?;
            fields.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self { fields })
    }

    /// A field's value as it was sent; empty when it was not.
    pub(crate) fn raw(&self, name: &str) -> &str {
        let found = self.fields.iter().find(|(field, _)| field == name);
        found.map_or("", |(_, value)| value)
    }

    /// A field's text without space around it; empty when it was not sent.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.raw(name).trim()
    }

    /// Fields that begin so, by the rest of their names.
    pub(crate) fn below<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let fields = self.fields.iter();
        fields.filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?, value.as_str())))
    }

    /// Whether a box was ticked, or a button of this name pressed.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(field, _)| field == name)
    }

    /// The address that these fields spell, each with `prefix` before its name.
    pub(crate) fn address(&self, prefix: &str) -> AddressDraft {
        let text = |name| self.text(&format!("{prefix}{name}")).to_owned();
        AddressDraft {
            name: text("name"),
            company: text("company"),
            street: text("street"),
            street_more: text("street_more"),
            postcode: text("postcode"),
            city: text("city"),
            region: text("region"),
            country: text("country"),
            phone: text("phone"),
        }
    }
}

impl std::fmt::Debug for Form {
    /// Names alone: what was typed may be a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.fields.iter().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fields_are_decoded_and_missing_ones_are_empty() {
        let form = Form::read(b"name=Ada+L%C3%B6ve&tick&a=1&a=2&spaces=+x+").unwrap();
        assert_eq!((form.text("name"), form.text("none")), ("Ada Löve", ""));
        assert!(form.has("tick") && !form.has("tock"));
        assert_eq!((form.text("spaces"), form.raw("spaces")), ("x", " x "));
        assert!(!format!("{form:?}").contains("Ada"));
    }

    #[test]
    fn what_is_no_form_is_refused() {
        assert!(Form::read(b"a=%zz").is_err());
        assert!(Form::read(&[0xff, 0xfe]).is_err());
        assert!(Form::read("a&".repeat(300).as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Form::read(&body);
        }
    }
}
