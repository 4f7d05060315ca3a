//! The API's own page: lists every operation of `/openapi.json` and lets one try it.

use crate::views::{
    assets::asset_path,
    render::render,
    shell::{Meta, Shell},
};
use askama::Template;
use bytes::Bytes;

pub struct DocsPage<'a> {
    pub shell: &'a Shell,
    pub offset: i64,
}

#[derive(Template)]
#[template(path = "docs.html")]
struct Docs<'a> {
    shell: &'a Shell,
    meta: Meta<'a>,
    style: &'static str,
    script: &'static str,
}

pub fn docs_page(page: &DocsPage) -> Bytes {
    let docs = Docs {
        shell: page.shell,
        meta: Meta { title: "API".into(), offset: page.offset, ..Meta::default() },
        style: asset_path("docs.css"),
        script: asset_path("docs.js"),
    };
    render(&docs, 5120 + page.shell.menu.len())
}
