//! `/account` and the pages on which people come in. Each works without scripts, and none is kept by
//! anybody.
//!
//! Whoever isn't signed in and asks for a page of theirs is led to the one that signs them in, and
//! from there on. What was wrong with a form is said beside its fields, on the page it came from,
//! with what was typed; never with a password.

mod addresses;
mod details;
mod enter;
mod orders;
mod own;
mod password;
mod quotes;

use super::{
    cart::{html, shopper},
    sentence,
};
use crate::{
    domain::cart::CartKind,
    http::{
        app::App,
        error::{Code, Problem},
        form::Form,
        resource::{Asked, Resource},
    },
    views::{AccountFrame, Filled, Shell},
};
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use std::sync::Arc;
use warp::reply::Response;

pub(super) fn resources() -> Vec<Resource> {
    [
        enter::resources(),
        password::resources(),
        own::resources(),
        orders::resources(),
        quotes::resources(),
        details::resources(),
        addresses::resources(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What such a page shows, and how it is answered.
struct Shown {
    shell: Arc<Shell>,
    offset: i64,
    form_token: String,
    cart_lines: u64,
    signed_in: bool,
    done: Option<&'static str>,
    status: StatusCode,
    wait: Option<u32>,
    filled: Filled,
}

impl Shown {
    /// The page as it is at first, with `done` in words.
    async fn new(
        app: &App,
        asked: &mut Asked,
        done: Option<&'static str>,
        values: Vec<(&'static str, String)>,
    ) -> Result<Self, Problem> {
        let cart = match shopper(&asked.visit) {
            Some(who) => app.carts.of_kind(&who, CartKind::Active).await?,
            None => None,
        };
        let (_, shell) = app.shell();
        Ok(Self {
            shell,
            offset: app.offset(),
            form_token: asked.visit.form_token(app),
            cart_lines: cart.map_or(0, |cart| cart.lines()),
            signed_in: asked.visit.session().is_some_and(|session| session.user().is_some()),
            done,
            status: StatusCode::OK,
            wait: None,
            filled: Filled { values, errors: Vec::new() },
        })
    }

    /// The page again with what was typed, and what is wrong with it.
    async fn wrong(
        app: &App,
        asked: &mut Asked,
        fields: &[&'static str],
        problem: Problem,
    ) -> Result<Self, Problem> {
        let status = match problem.code {
            // Signing in is not HTTP's own authentication: nobody is asked for it by a header.
            Code::WrongCredentials => StatusCode::UNPROCESSABLE_ENTITY,
            Code::BadContent | Code::Taken | Code::TooMany | Code::Conflict | Code::Unencrypted => {
                problem.code.status()
            }
            _ => return Err(problem),
        };
        let values = typed(&asked.form, fields);
        let mut shown = Self::new(app, asked, None, values).await?;
        (shown.status, shown.wait) = (status, problem.retry_after());
        shown.filled.errors = match problem.errors.is_empty() {
            true => vec![(String::new(), sentence(&problem.detail))],
            false => problem
                .errors
                .iter()
                .map(|error| {
                    let field = error.pointer.as_deref().unwrap_or_default();
                    (field.trim_start_matches('/').to_owned(), sentence(&error.detail))
                })
                .collect(),
        };
        Ok(shown)
    }

    fn frame(&self) -> AccountFrame<'_> {
        AccountFrame {
            shell: &self.shell,
            offset: self.offset,
            form_token: &self.form_token,
            cart_lines: self.cart_lines,
            signed_in: self.signed_in,
            done: self.done,
        }
    }

    fn answer(&self, app: &App, asked: &Asked, page: Bytes) -> Response {
        let mut response = html(app, asked, self.status, page);
        if let Some(seconds) = self.wait {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

fn typed(form: &Form, fields: &[&'static str]) -> Vec<(&'static str, String)> {
    fields.iter().map(|field| (*field, form.text(field).to_owned())).collect()
}

/// A path of ours to go on to; anything else is none, so nobody is led away by a link of ours.
fn onward(next: &str) -> &str {
    let ours = next.starts_with('/')
        && !next.starts_with("//")
        && !next.contains(['\\', '\r', '\n'])
        && !next.contains(char::is_control);
    if ours { next } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_led_away_from_here() {
        for ours in ["/", "/checkout", "/account/addresses?done=saved"] {
            assert_eq!(onward(ours), ours);
        }
        for theirs in [
            "",
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "javascript:x",
            "/a\tb",
        ] {
            assert_eq!(onward(theirs), "", "{theirs}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_in_sentences() {
        assert_eq!(sentence("fill this in"), "Fill this in.");
        assert_eq!(sentence("Is it?"), "Is it?");
    }
}
