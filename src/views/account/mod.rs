//! Pages on which people come in, and on which they see and change what is kept of them.
//!
//! These are for one visitor alone and never cached. They work without scripts. What a form's
//! fields are called, and what they help with, is said here; what stands in them and what is wrong
//! with it comes from whoever read the form.

mod enter;
mod fields;
mod orders;
mod own;
mod quotes;

pub use enter::{forgotten, log_in, register, reset, set_up};
pub use fields::Filled;
pub use orders::{OrderRow, orders};
pub use own::{
    AddressCard, AddressForm, HomePage as AccountHomePage, Profile, SessionCard, address,
    addresses, details, home as account_home, leave, sessions,
};

pub use quotes::{QuoteForm, QuoteRow, quote, quote_form, quotes};

use crate::views::{
    render::render,
    shell::{Meta, Shell},
};
use askama::Template;
use bytes::Bytes;
use fields::Field;

/// What each of these pages has around it.
pub struct AccountFrame<'a> {
    pub shell: &'a Shell,
    /// The log's place the page was built at.
    pub offset: i64,
    pub form_token: &'a str,
    /// In the visitor's active cart.
    pub cart_lines: u64,
    pub signed_in: bool,
    /// What was just done, in a sentence.
    pub done: Option<&'a str>,
}

impl<'a> AccountFrame<'a> {
    fn meta(&self, title: &'a str) -> Meta<'a> {
        Meta {
            title: title.into(),
            offset: self.offset,
            cart_lines: Some(self.cart_lines),
            signed_in: Some(self.signed_in),
            ..Meta::default()
        }
    }

    /// For a buffer: what is on every page.
    fn size(&self) -> usize {
        6_144 + self.shell.menu.len()
    }
}

/// One form of a page.
struct Form<'a> {
    /// Begins the ids of its fields.
    id: &'static str,
    /// Empty where the page's title says it.
    heading: &'static str,
    /// A sentence above the fields; may be empty.
    about: &'a str,
    action: &'a str,
    hidden: Vec<(&'static str, &'a str)>,
    fields: Vec<Field<'a>>,
    submit: &'static str,
}

struct ErrorLink<'a> {
    /// What its field is called.
    label: Option<&'static str>,
    text: &'a str,
    anchor: Option<String>,
}

struct Link<'a> {
    before: &'static str,
    words: &'static str,
    href: &'a str,
}

/// A page of forms.
#[derive(Template)]
#[template(path = "account_form.html")]
struct FormPage<'a> {
    shell: &'a Shell,
    meta: Meta<'a>,
    frame: &'a AccountFrame<'a>,
    title: &'a str,
    /// The pages above this one, without the account itself.
    above: &'a [(&'static str, &'static str)],
    errors: Vec<ErrorLink<'a>>,
    forms: Vec<Form<'a>>,
    links: Vec<Link<'a>>,
}

impl<'a> FormPage<'a> {
    fn new(frame: &'a AccountFrame<'a>, title: &'a str, forms: Vec<Form<'a>>) -> Self {
        let (shell, meta) = (frame.shell, frame.meta(title));
        Self { shell, meta, frame, title, above: &[], errors: Vec::new(), forms, links: Vec::new() }
    }

    /// What is wrong, each leading to its field.
    fn wrong(mut self, filled: &'a Filled) -> Self {
        let link = |(name, text): &'a (String, String)| {
            let of = |form: &Form<'_>| {
                let field =
                    form.fields.iter().find(|field| field.name == name && field.has_error());
                field.map(|field| (field.label, format!("{}-{}", form.id, field.name)))
            };
            let (label, anchor) = self.forms.iter().find_map(of).unzip();
            ErrorLink { label, text, anchor }
        };
        self.errors = filled.errors.iter().map(link).collect();
        self
    }

    fn links(mut self, links: impl IntoIterator<Item = Link<'a>>) -> Self {
        self.links.extend(links);
        self
    }

    fn render(&self) -> Bytes {
        render(self, self.frame.size() + self.forms.len() * 4_096)
    }
}
