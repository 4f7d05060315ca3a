//! Coming in: log in, register, set a forgotten password, become the shop's owner.

use super::{AccountFrame, Field, Filled, Form, FormPage, Link};
use bytes::Bytes;

/// Where to go on is handed from one page to the other.
fn with_next(path: &str, next: &str) -> String {
    match next {
        "" => path.to_owned(),
        next => format!("{path}?next={}", encoded(next)),
    }
}

/// The same, in a form.
fn onward(next: &str) -> Vec<(&'static str, &str)> {
    if next.is_empty() { Vec::new() } else { vec![("next", next)] }
}

fn encoded(text: &str) -> String {
    let byte = |b: u8| match b {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
            char::from(b).to_string()
        }
        other => format!("%{other:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// `next`: the path to go on to, or nothing.
pub fn log_in(frame: &AccountFrame<'_>, filled: &Filled, next: &str) -> Bytes {
    let (register, forgot) = (with_next("/register", next), "/forgot");
    let form = Form {
        id: "login",
        heading: "",
        about: "",
        action: "/login",
        hidden: onward(next),
        fields: vec![
            Field::email(filled, "username"),
            Field::password(filled, "password", "Password"),
        ],
        submit: "Sign in",
    };
    let links = [
        Link { before: "", words: "Forgot your password?", href: forgot },
        Link { before: "New here?", words: "Create an account", href: &register },
    ];
    FormPage::new(frame, "Sign in", vec![form]).wrong(filled).links(links).render()
}

pub fn register(frame: &AccountFrame<'_>, filled: &Filled, next: &str) -> Bytes {
    let log_in = with_next("/login", next);
    let form = Form {
        id: "register",
        heading: "",
        about: "With an account your addresses and orders are in one place. What is in your cart \
                comes along.",
        action: "/register",
        hidden: onward(next),
        fields: vec![
            Field::line(filled, "name", "Your name").fills("name"),
            Field::email(filled, "username"),
            Field::new_password(filled, "Password"),
            Field::line(filled, "company", "Company")
                .fills("organization")
                .optional()
                .help("If you buy for one, the account is the company’s."),
            Field { most: 40, ..Field::line(filled, "tax_number", "Tax number").optional() },
        ],
        submit: "Create account",
    };
    let link = Link { before: "Have one already?", words: "Sign in", href: &log_in };
    FormPage::new(frame, "Create an account", vec![form]).wrong(filled).links([link]).render()
}

/// Who forgot their password.
pub fn forgotten(frame: &AccountFrame<'_>, filled: &Filled) -> Bytes {
    let form = Form {
        id: "forgot",
        heading: "",
        about: "Tell us the address of your account. We send a link there with which you can set a \
                new password.",
        action: "/forgot",
        hidden: Vec::new(),
        fields: vec![Field::email(filled, "username")],
        submit: "Send the link",
    };
    let link = Link { before: "Remembered it?", words: "Sign in", href: "/login" };
    FormPage::new(frame, "Forgot your password?", vec![form]).wrong(filled).links([link]).render()
}

/// Who came by a mailed link; `token` is `None` when it can't be used any more.
pub fn reset(frame: &AccountFrame<'_>, filled: &Filled, token: Option<&str>) -> Bytes {
    let title = "Set a new password";
    let again = Link { before: "", words: "Have a new link sent", href: "/forgot" };
    let Some(token) = token else {
        let gone = [(String::new(), "This link has been used, or is too old.".to_owned())];
        let filled = Filled { values: Vec::new(), errors: gone.into() };
        return FormPage::new(frame, title, Vec::new()).wrong(&filled).links([again]).render();
    };
    let form = Form {
        id: "reset",
        heading: "",
        about: "Whoever is signed in with the old one is signed out.",
        action: "/reset",
        hidden: vec![("token", token)],
        fields: vec![Field::new_password(filled, "New password")],
        submit: "Set password",
    };
    FormPage::new(frame, title, vec![form]).wrong(filled).render()
}

/// Who came by the link that a shop without staff shows; `None` as above.
pub fn set_up(frame: &AccountFrame<'_>, filled: &Filled, token: Option<&str>) -> Bytes {
    let title = "Become the shop’s owner";
    let Some(token) = token else {
        let gone = "This link has been used, or is too old. A shop that has no owner yet makes a new \
                    one when it is started.";
        let gone = [(String::new(), gone.to_owned())];
        let filled = Filled { values: Vec::new(), errors: gone.into() };
        return FormPage::new(frame, title, Vec::new()).wrong(&filled).render();
    };
    let form = Form {
        id: "setup",
        heading: "",
        about: "The owner says who else works here. This works once.",
        action: "/admin/setup",
        hidden: vec![("token", token)],
        fields: vec![
            Field::line(filled, "name", "Your name").fills("name"),
            Field::email(filled, "username"),
            Field::new_password(filled, "Password"),
        ],
        submit: "Create the owner’s account",
    };
    FormPage::new(frame, title, vec![form]).wrong(filled).render()
}
