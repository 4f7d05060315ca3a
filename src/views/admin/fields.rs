//! Fields of the rooms' forms, with what stands in them and what is wrong with it.

/// How a field is filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// On one line; the words are the input's type and what a phone's keyboard offers.
    Line(&'static str, &'static str),
    /// On so many lines.
    Lines(u8),
    /// One of these: value and words.
    Choice(Vec<(String, String)>),
    Tick,
}

#[derive(Debug, Clone)]
pub(super) struct Field<'a> {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) label: String,
    pub(super) kind: Kind,
    /// Below the label; may be empty.
    pub(super) help: &'static str,
    pub(super) value: &'a str,
    pub(super) error: Option<&'a str>,
    pub(super) required: bool,
    pub(super) most: usize,
}

impl<'a> Field<'a> {
    pub(super) fn line(filled: &'a Typed, name: &'static str, label: &str) -> Self {
        Self {
            id: format!("field-{name}"),
            name: name.to_owned(),
            label: label.to_owned(),
            kind: Kind::Line("text", "text"),
            help: "",
            value: filled.value(name),
            error: filled.error(name),
            required: false,
            most: 300,
        }
    }

    pub(super) fn kind(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }

    pub(super) fn help(self, help: &'static str) -> Self {
        Self { help, ..self }
    }

    pub(super) fn most(self, most: usize) -> Self {
        Self { most, ..self }
    }

    pub(super) fn required(self) -> Self {
        Self { required: true, ..self }
    }

    pub(super) fn line_type(&self) -> Option<(&'static str, &'static str)> {
        match self.kind {
            Kind::Line(kind, keys) => Some((kind, keys)),
            _ => None,
        }
    }

    pub(super) fn rows(&self) -> Option<u8> {
        match self.kind {
            Kind::Lines(rows) => Some(rows),
            _ => None,
        }
    }

    pub(super) fn is_tick(&self) -> bool {
        self.kind == Kind::Tick
    }

    pub(super) fn choices(&self) -> &[(String, String)] {
        match &self.kind {
            Kind::Choice(choices) => choices,
            _ => &[],
        }
    }

    /// The ids of what describes it.
    pub(super) fn described_by(&self) -> Option<String> {
        let help = (!self.help.is_empty()).then(|| format!("{}-help", self.id));
        let error = self.error.map(|_| format!("{}-error", self.id));
        let all: Vec<_> = help.into_iter().chain(error).collect();
        (!all.is_empty()).then(|| all.join(" "))
    }
}

/// What stands in a form's fields, and what is wrong with it, both by the fields' names.
#[derive(Debug, Default)]
pub struct Typed {
    pub values: Vec<(&'static str, String)>,
    pub errors: Vec<(String, String)>,
}

impl Typed {
    pub(super) fn value(&self, name: &str) -> &str {
        let found = self.values.iter().find(|(known, _)| *known == name);
        found.map_or("", |(_, value)| value)
    }

    fn error(&self, name: &str) -> Option<&str> {
        self.errors.iter().find(|(of, _)| of == name).map(|(_, text)| text.as_str())
    }
}
