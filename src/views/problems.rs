//! The pages that a problem's `type` leads to.

use crate::views::{
    render::render,
    shell::{Meta, Shell},
};
use askama::Template;
use bytes::Bytes;

/// One kind of problem, as the API names it.
#[derive(Debug, Clone, Copy)]
pub struct ProblemKind<'a> {
    /// The last part of its address.
    pub slug: &'a str,
    pub status: u16,
    pub title: &'a str,
    /// What it means and what to do.
    pub about: &'a str,
}

/// Explains problems: all of them, or the one that was asked for.
pub struct ProblemsPage<'a> {
    pub shell: &'a Shell,
    pub offset: i64,
    /// Where this page is, without the shop's own address.
    pub path: &'a str,
    pub kinds: &'a [ProblemKind<'a>],
}

#[derive(Template)]
#[template(path = "problems.html")]
struct Problems<'a> {
    shell: &'a Shell,
    meta: Meta<'a>,
    title: &'a str,
    kinds: &'a [ProblemKind<'a>],
}

pub fn problems_page(page: &ProblemsPage) -> Bytes {
    let title = match page.kinds {
        [only] => only.title,
        _ => "Problems the API may answer with",
    };
    let view = Problems {
        shell: page.shell,
        meta: Meta {
            title: title.into(),
            canonical: Some(page.path.into()),
            offset: page.offset,
            ..Meta::default()
        },
        title,
        kinds: page.kinds,
    };
    render(&view, 6144 + page.shell.menu.len() + 512 * page.kinds.len())
}
