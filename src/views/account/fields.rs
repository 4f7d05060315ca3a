//! Fields of forms, and what stands in them.

use crate::domain::{
    account::{LEAST_PASSWORD, MOST_PASSWORD},
    country::Country,
};

/// What stands in a form's fields, and what is wrong with it.
#[derive(Debug, Default)]
pub struct Filled {
    /// By the fields' names.
    pub values: Vec<(&'static str, String)>,
    /// By the fields' names, in words for people; an empty name stands for the form as a whole.
    pub errors: Vec<(String, String)>,
}

impl Filled {
    fn value(&self, name: &str) -> &str {
        let found = self.values.iter().find(|(known, _)| *known == name);
        found.map_or("", |(_, value)| value)
    }

    fn error(&self, name: &str) -> Option<&str> {
        self.errors.iter().find(|(of, _)| of == name).map(|(_, text)| text.as_str())
    }
}

/// How a field is filled in.
#[derive(PartialEq, Eq)]
pub(super) enum Kind {
    /// By typing; the word is the input's type.
    Line(&'static str),
    Tick,
    /// One of these: value and words.
    Choice(Vec<(String, String)>),
}

pub(super) struct Field<'a> {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) kind: Kind,
    /// How browsers know what belongs in (HTML's autofill names).
    pub(super) autocomplete: &'static str,
    /// Below the label; may be empty.
    pub(super) help: String,
    pub(super) value: &'a str,
    pub(super) error: Option<&'a str>,
    pub(super) required: bool,
    pub(super) least: usize,
    pub(super) most: usize,
}

impl<'a> Field<'a> {
    pub(super) fn line(filled: &'a Filled, name: &'static str, label: &'static str) -> Self {
        Self {
            name,
            label,
            kind: Kind::Line("text"),
            autocomplete: "off",
            help: String::new(),
            value: filled.value(name),
            error: filled.error(name),
            required: true,
            least: 0,
            most: 100,
        }
    }

    pub(super) fn email(filled: &'a Filled, autocomplete: &'static str) -> Self {
        let (kind, most) = (Kind::Line("email"), 254);
        Self { kind, autocomplete, most, ..Self::line(filled, "email", "Email address") }
    }

    /// One that is known already.
    pub(super) fn password(filled: &'a Filled, name: &'static str, label: &'static str) -> Self {
        Self {
            kind: Kind::Line("password"),
            autocomplete: "current-password",
            most: MOST_PASSWORD,
            // What was typed is not sent back.
            value: "",
            ..Self::line(filled, name, label)
        }
    }

    pub(super) fn new_password(filled: &'a Filled, label: &'static str) -> Self {
        Self {
            autocomplete: "new-password",
            least: LEAST_PASSWORD,
            help: format!(
                "At least {LEAST_PASSWORD} characters; a few words are easy to keep in mind."
            ),
            ..Self::password(filled, "password", label)
        }
    }

    pub(super) fn tick(filled: &'a Filled, name: &'static str, label: &'static str) -> Self {
        Self { kind: Kind::Tick, required: false, ..Self::line(filled, name, label) }
    }

    pub(super) fn country(filled: &'a Filled) -> Self {
        let mut all: Vec<_> = Country::all()
            .map(|country| (country.code().to_owned(), country.name().to_owned()))
            .collect();
        all.sort_by(|a, b| a.1.cmp(&b.1));
        Self {
            kind: Kind::Choice(all),
            autocomplete: "country",
            ..Self::line(filled, "country", "Country")
        }
    }

    pub(super) fn fills(self, autocomplete: &'static str) -> Self {
        Self { autocomplete, ..self }
    }

    pub(super) fn optional(self) -> Self {
        Self { required: false, ..self }
    }

    pub(super) fn help(self, help: &str) -> Self {
        Self { help: help.to_owned(), ..self }
    }

    pub(super) fn has_error(&self) -> bool {
        self.error.is_some()
    }

    pub(super) fn is_tick(&self) -> bool {
        self.kind == Kind::Tick
    }

    pub(super) fn choices(&self) -> &[(String, String)] {
        match &self.kind {
            Kind::Choice(choices) => choices,
            Kind::Line(_) | Kind::Tick => &[],
        }
    }

    pub(super) fn kind_name(&self) -> &str {
        match self.kind {
            Kind::Line(kind) => kind,
            Kind::Tick => "checkbox",
            Kind::Choice(_) => "",
        }
    }

    /// The ids of what describes it.
    pub(super) fn described_by(&self, form: &str) -> Option<String> {
        let help = (!self.help.is_empty()).then_some("help");
        let parts = [help, self.error.map(|_| "error")];
        let ids: Vec<_> = parts
            .into_iter()
            .flatten()
            .map(|part| format!("{form}-{}-{part}", self.name))
            .collect();
        (!ids.is_empty()).then(|| ids.join(" "))
    }
}
