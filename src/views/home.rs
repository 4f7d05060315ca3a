//! The first page: what this shop sells, and what others buy.

use crate::views::{
    render::{Grouped, Ready, render},
    shell::{Meta, Shell, Visitor},
};
use askama::Template;
use bytes::Bytes;

pub struct HomePage<'a> {
    pub shell: &'a Shell,
    /// The log's place the page was built at.
    pub offset: i64,
    /// Products that can be found; 0 shows how to fill the shop.
    pub products: u64,
    /// Ready cards.
    pub popular: &'a [Bytes],
    pub newest: &'a [Bytes],
    /// Whom it is made for; `None`: for everybody.
    pub visitor: Option<Visitor>,
}

#[derive(Template)]
#[template(path = "home.html")]
struct Home<'a> {
    shell: &'a Shell,
    meta: Meta<'a>,
    products: u64,
    strips: [(&'static str, &'static str, &'a [Bytes]); 2],
}

pub fn home(page: &HomePage) -> Bytes {
    let home = Home {
        shell: page.shell,
        meta: Meta {
            title: page.shell.name.as_str().into(),
            description: format!(
                "{} products to order at {}.",
                Grouped(page.products),
                page.shell.name
            )
            .into(),
            canonical: Some("/".into()),
            offset: page.offset,
            ..Meta::default()
        }
        .to(page.visitor),
        products: page.products,
        strips: [
            ("Popular now", "/search?sort=popularity", page.popular),
            ("Just added", "/search?sort=newest", page.newest),
        ],
    };
    let cards = page.popular.iter().chain(page.newest).map(|c| c.len() + 16).sum::<usize>();
    render(&home, 6144 + page.shell.menu.len() + cards)
}
