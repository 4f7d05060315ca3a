//! What somebody who is signed in sees and changes: themselves, addresses, sessions.

use super::{AccountFrame, Field, Filled, Form, FormPage, Link};
use crate::domain::{
    account::SavedAddress,
    session::{Session, Via},
};
use crate::views::{
    moment::Moment,
    render::render,
    shell::{Meta, Shell},
};
use askama::Template;
use bytes::Bytes;

const ADDRESSES: &[(&str, &str)] = &[("Addresses", "/account/addresses")];

pub struct HomePage<'a> {
    pub name: &'a str,
    pub email: Option<&'a str>,
    /// The company somebody buys for, or their role in the shop.
    pub acts_for: Option<&'a str>,
    /// Whether there is a customer, with addresses.
    pub is_buyer: bool,
}

#[derive(Template)]
#[template(path = "account_home.html")]
struct Home<'a> {
    shell: &'a Shell,
    meta: Meta<'a>,
    frame: &'a AccountFrame<'a>,
    page: &'a HomePage<'a>,
}

pub fn home(frame: &AccountFrame<'_>, page: &HomePage<'_>) -> Bytes {
    let (shell, meta) = (frame.shell, frame.meta("Your account"));
    render(&Home { shell, meta, frame, page }, frame.size())
}

/// Which forms the page of one's details has.
pub struct Profile {
    /// Whether they may change what is known of their customer.
    pub of_customer: bool,
    pub is_company: bool,
    /// Whether there is a customer, whose data can be had and taken out.
    pub is_buyer: bool,
}

pub fn details(frame: &AccountFrame<'_>, filled: &Filled, profile: &Profile) -> Bytes {
    let mut forms = vec![Form {
        id: "details",
        heading: "Name and email",
        about: "For another email address your password is asked as well.",
        action: "/account/details",
        hidden: vec![("form", "details")],
        fields: vec![
            Field::line(filled, "name", "Your name").fills("name"),
            Field::email(filled, "email"),
            Field::password(filled, "current_password", "Current password").optional(),
        ],
        submit: "Save",
    }];
    if profile.of_customer {
        let label = if profile.is_company { "Company" } else { "Name on invoices" };
        forms.push(Form {
            id: "customer",
            heading: if profile.is_company { "Company" } else { "Invoices" },
            about: "",
            action: "/account/details",
            hidden: vec![("form", "customer")],
            fields: vec![
                Field::line(filled, "company", label).fills("organization"),
                Field { most: 40, ..Field::line(filled, "tax_number", "Tax number").optional() },
            ],
            submit: "Save",
        });
    }
    forms.push(Form {
        id: "password",
        heading: "Password",
        about: "A new one signs you out everywhere else and ends your API keys.",
        action: "/account/password",
        hidden: Vec::new(),
        fields: vec![
            Field::password(filled, "present_password", "Current password"),
            Field::new_password(filled, "New password"),
        ],
        submit: "Change password",
    });
    let export =
        Link { before: "", words: "Download what we keep about you", href: "/account/export" };
    let leave = Link { before: "", words: "Delete your account", href: "/account/leave" };
    let links =
        if profile.is_buyer && profile.of_customer { vec![export, leave] } else { Vec::new() };
    FormPage::new(frame, "Your details", forms).wrong(filled).links(links).render()
}

/// Who wants to be forgotten.
pub fn leave(frame: &AccountFrame<'_>, filled: &Filled) -> Bytes {
    let form = Form {
        id: "leave",
        heading: "",
        about: "Your name, addresses, carts and sessions are deleted, for everybody who signs in for \
                you. Orders stay in our books without them. There is no way back.",
        action: "/account/leave",
        hidden: Vec::new(),
        fields: vec![Field::password(filled, "password", "Your password")],
        submit: "Delete my account",
    };
    let back = Link { before: "", words: "Keep it", href: "/account/details" };
    let page = FormPage::new(frame, "Delete your account", vec![form]).wrong(filled).links([back]);
    FormPage { above: &[("Your details", "/account/details")], ..page }.render()
}

/// An address as its card shows it.
pub struct AddressCard {
    id: String,
    lines: Vec<String>,
    default_shipping: bool,
    default_billing: bool,
}

impl AddressCard {
    pub fn of(saved: &SavedAddress) -> Self {
        let address = &saved.address;
        let postcode = address.postcode.as_ref().map(ToString::to_string);
        let city = [postcode, Some(address.city.clone())].into_iter().flatten();
        let city = city.collect::<Vec<_>>().join(" ");
        let lines = [
            Some(address.name.clone()),
            address.company.clone(),
            Some(address.street.clone()),
            address.street_more.clone(),
            Some(city),
            address.region.clone(),
            Some(address.country.name().to_owned()),
            address.phone.clone(),
        ];
        Self {
            id: saved.id.to_string(),
            lines: lines.into_iter().flatten().collect(),
            default_shipping: saved.default_shipping,
            default_billing: saved.default_billing,
        }
    }
}

#[derive(Template)]
#[template(path = "account_addresses.html")]
struct Addresses<'a> {
    shell: &'a Shell,
    meta: Meta<'a>,
    frame: &'a AccountFrame<'a>,
    cards: &'a [AddressCard],
    may_change: bool,
}

pub fn addresses(frame: &AccountFrame<'_>, cards: &[AddressCard], may_change: bool) -> Bytes {
    let (shell, meta) = (frame.shell, frame.meta("Addresses"));
    let page = Addresses { shell, meta, frame, cards, may_change };
    render(&page, frame.size() + cards.len() * 768)
}

/// An address that is written.
pub struct AddressForm<'a> {
    /// `None`: a new one.
    pub id: Option<&'a str>,
}

pub fn address(frame: &AccountFrame<'_>, filled: &Filled, form: &AddressForm<'_>) -> Bytes {
    let place = match form.id {
        Some(id) => format!("/account/addresses/{id}"),
        None => "/account/addresses".to_owned(),
    };
    let mut forms = vec![Form {
        id: "address",
        heading: "",
        about: "",
        action: &place,
        hidden: vec![("do", "save")],
        fields: vec![
            Field::line(filled, "name", "Full name").fills("name"),
            Field::line(filled, "company", "Company").fills("organization").optional(),
            Field::line(filled, "street", "Street and number").fills("address-line1"),
            Field::line(filled, "street_more", "Floor, door, care of")
                .fills("address-line2")
                .optional(),
            Field::line(filled, "postcode", "Postcode").fills("postal-code").optional(),
            Field::line(filled, "city", "Town or city").fills("address-level2"),
            Field { most: 60, ..Field::line(filled, "region", "State or province") }
                .fills("address-level1")
                .optional(),
            Field::country(filled),
            Field { most: 30, ..Field::line(filled, "phone", "Phone") }
                .fills("tel")
                .optional()
                .help("For the carrier, if they can’t find you."),
            Field::tick(filled, "default_shipping", "Deliver here unless I say otherwise"),
            Field::tick(filled, "default_billing", "Send invoices here"),
        ],
        submit: "Save address",
    }];
    let title = if form.id.is_some() { "Edit address" } else { "New address" };
    if form.id.is_some() {
        forms.push(Form {
            id: "delete",
            heading: "",
            about: "",
            action: &place,
            hidden: vec![("do", "delete")],
            fields: Vec::new(),
            submit: "Delete this address",
        });
    }
    let page = FormPage::new(frame, title, forms).wrong(filled);
    FormPage { above: ADDRESSES, ..page }.render()
}

/// A session as its row shows it.
pub struct SessionCard {
    id: String,
    client: String,
    address: String,
    opened: Moment,
    seen: Moment,
    current: bool,
    is_program: bool,
}

impl SessionCard {
    pub fn of(session: &Session, current: bool) -> Self {
        Self {
            id: session.id.to_string(),
            client: client(&session.label),
            address: session.address.clone(),
            opened: Moment::of(session.opened_at),
            seen: Moment::of(session.seen_at),
            current,
            is_program: session.via != Via::Cookie,
        }
    }
}

/// What calls itself so, in two words where they can be told.
fn client(label: &str) -> String {
    // The more particular ones first: Edge calls itself Chrome too, and Chrome Safari.
    let browsers = [
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("CriOS/", "Chrome"),
        ("Safari/", "Safari"),
    ];
    let systems = [
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    ];
    let find = |known: &[(&str, &'static str)]| {
        known.iter().find(|(mark, _)| label.contains(mark)).map(|(_, name)| *name)
    };
    match (find(&browsers), find(&systems)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        _ if label.is_empty() => "Unknown program".to_owned(),
        _ => label.chars().take(60).collect(),
    }
}

#[derive(Template)]
#[template(path = "account_sessions.html")]
struct Sessions<'a> {
    shell: &'a Shell,
    meta: Meta<'a>,
    frame: &'a AccountFrame<'a>,
    cards: &'a [SessionCard],
}

pub fn sessions(frame: &AccountFrame<'_>, cards: &[SessionCard]) -> Bytes {
    let (shell, meta) = (frame.shell, frame.meta("Where you are signed in"));
    render(&Sessions { shell, meta, frame, cards }, frame.size() + cards.len() * 768)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_called_by_its_name_and_a_program_by_its_own() {
        for (label, words) in [
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
                 Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0",
                "Firefox on Linux",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, \
                 like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            ("curl/8.0", "curl/8.0"),
            ("", "Unknown program"),
        ] {
            assert_eq!(client(label), words);
        }
    }
}
