//! What happened, in words that blame nobody, and what one can do now.

use crate::views::{
    render::render,
    shell::{Meta, Shell},
};
use askama::Template;
use bytes::Bytes;

pub struct ErrorPage<'a> {
    pub shell: &'a Shell,
    pub offset: i64,
    /// 400, 403, 404, 405, 500, 503 have words of their own; another one gets plain ones.
    pub status: u16,
    /// The whole shop is closed, and `detail` says until when.
    pub closed: bool,
    /// What exactly went wrong, in a sentence for people; `None` where the status says it all.
    pub detail: Option<&'a str>,
    pub request_id: &'a str,
}

#[derive(Template)]
#[template(path = "error.html")]
struct Error<'a> {
    shell: &'a Shell,
    meta: Meta<'a>,
    status: u16,
    closed: bool,
    title: &'static str,
    advice: &'static str,
    detail: Option<&'a str>,
    request_id: &'a str,
}

pub fn error_page(page: &ErrorPage) -> Bytes {
    let (title, advice) = if page.closed { CLOSED } else { words(page.status) };
    let error = Error {
        shell: page.shell,
        meta: Meta { title: title.into(), offset: page.offset, ..Meta::default() },
        status: page.status,
        closed: page.closed,
        title,
        advice,
        detail: page.detail,
        request_id: page.request_id,
    };
    render(&error, 5120 + page.shell.menu.len())
}

const CLOSED: (&str, &str) = (
    "We’re closed for a moment",
    "Nothing of yours is lost: carts and orders are as you left them. Load the page again then.",
);

fn words(status: u16) -> (&'static str, &'static str) {
    match status {
        400 => (
            "That address didn’t work",
            "Part of it can’t be read. Search for what you need, or start from a category.",
        ),
        403 => (
            "That isn’t open to you",
            "If it should be, ask whoever runs this shop. A form that was open for long has to be \
             loaded again.",
        ),
        404 => (
            "We can’t find that page",
            "It may have moved, or the product is no longer sold. Search for it, or start from a \
             category.",
        ),
        405 => (
            "That can’t be done here",
            "This page can only be looked at. Go back and try again from there.",
        ),
        503 => (
            "We’ll be right back",
            "The shop is busy or being looked after. Wait a few seconds and load the page again.",
        ),
        500.. => (
            "Something went wrong on our side",
            "It isn’t anything you did. Load the page again; if it stays, tell us the request id \
             below.",
        ),
        _ => ("That didn’t work", "Go back and try again, or search for what you need."),
    }
}
