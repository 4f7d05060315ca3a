//! What every page of one site and locale has around it.

use crate::domain::{category::Category, category::CategoryTree, money::Currency};
use crate::views::{
    address::ListAddress, assets::asset_path, drawings::family_among, list::CategoryLink,
    pictures::Pictures,
};
use askama::Template;

/// The settings a [`Shell`] is made from.
#[derive(Debug, Clone)]
pub struct ShellOptions {
    /// The shop's name, in the header and every title.
    pub name: String,
    /// Where the shop is reached, such as `https://shop.example`; canonical links, the sitemap
    /// and structured data are made from it.
    pub url: String,
    /// A BCP 47 tag.
    pub locale: String,
    /// The currency of price filters.
    pub currency: Currency,
    /// Hosts that pictures may come from besides our own.
    pub image_hosts: Vec<String>,
}

/// Header, menu and footer, made when the settings or the category tree change and shared by all
/// pages until then.
#[derive(Debug, Clone)]
pub struct Shell {
    pub(super) name: String,
    /// Without a slash at its end.
    pub(super) url: String,
    pub(super) locale: String,
    pub(super) currency: Currency,
    pub(super) pictures: Pictures,
    pub(super) head: String,
    pub(super) menu: String,
    /// What the menu and the home page begin with.
    pub(super) tiles: Vec<Tile>,
}

/// A category with a drawing.
#[derive(Debug, Clone)]
pub(super) struct Tile {
    pub(super) name: String,
    pub(super) slug: String,
    pub(super) picture: String,
}

/// The most categories side by side, in the menu's panel and among one's children.
const MOST_IN_BAR: usize = 6;
const MOST_IN_PANEL: usize = 24;
const MOST_CHILDREN: usize = 8;

impl Shell {
    pub fn new(options: ShellOptions, tree: &CategoryTree) -> Self {
        let top = top_categories(tree);
        let tiles = top.iter().take(MOST_IN_PANEL).map(|c| Tile::of(tree, c)).collect();
        let menu = Menu::of(tree, &top).render();
        let head = Head {
            theme: asset_path("theme.js"),
            style: asset_path("shop.css"),
            script: asset_path("shop.js"),
            icon: asset_path("icon.svg"),
        };
        let mut url = options.url;
        url.truncate(url.trim_end_matches('/').len());
        Self {
            name: options.name,
            url,
            locale: options.locale,
            currency: options.currency,
            pictures: Pictures::from_hosts(options.image_hosts),
            head: head.render().expect("a String takes everything"),
            menu: menu.expect("a String takes everything"),
            tiles,
        }
    }

    /// A list without filters at `path`, in the shop's currency.
    pub fn list_at<'a>(&self, path: &'a str) -> ListAddress<'a> {
        ListAddress::new(path, self.currency)
    }

    /// An address with the shop's own in front, if it is a path of ours.
    pub(super) fn absolute(&self, address: &str) -> String {
        let own = if address.starts_with('/') { self.url.as_str() } else { "" };
        [own, address].concat()
    }

    /// The hosts pictures may come from, to make cards with.
    pub fn pictures(&self) -> &Pictures {
        &self.pictures
    }
}

impl Tile {
    fn of(tree: &CategoryTree, category: &Category) -> Self {
        let children = tree.children(category.id).map(|child| child.name.as_str());
        let family = family_among(std::iter::once(category.name.as_str()).chain(children));
        Self {
            name: category.name.clone(),
            slug: category.slug.clone(),
            picture: format!("/media/demo/{family}/{}.svg", category.slug),
        }
    }
}

/// The roots; where there is only one, what is below it.
pub(super) fn top_categories(tree: &CategoryTree) -> Vec<&Category> {
    let roots: Vec<_> = tree.roots().collect();
    match roots.as_slice() {
        [only] if tree.children(only.id).next().is_some() => tree.children(only.id).collect(),
        _ => roots,
    }
}

#[derive(Template)]
#[template(path = "head.html")]
struct Head {
    theme: &'static str,
    style: &'static str,
    script: &'static str,
    icon: &'static str,
}

#[derive(Template)]
#[template(path = "menu.html")]
struct Menu<'a> {
    bar: Vec<CategoryLink<'a>>,
    panel: Vec<(CategoryLink<'a>, Vec<CategoryLink<'a>>)>,
    /// Roots that the panel has no room for.
    more: usize,
}

impl<'a> Menu<'a> {
    fn of(tree: &'a CategoryTree, top: &[&'a Category]) -> Self {
        let link = |c: &&'a Category| CategoryLink { name: &c.name, slug: &c.slug };
        let children =
            |c: &&'a Category| tree.children(c.id).take(MOST_CHILDREN).map(|c| link(&c)).collect();
        Self {
            bar: top.iter().take(MOST_IN_BAR).map(link).collect(),
            panel: top.iter().take(MOST_IN_PANEL).map(|c| (link(c), children(c))).collect(),
            more: top.len().saturating_sub(MOST_IN_PANEL),
        }
    }
}

/// What the head of one page says of it.
pub(super) struct Meta<'a> {
    pub(super) title: std::borrow::Cow<'a, str>,
    /// One or two sentences; empty for none.
    pub(super) description: std::borrow::Cow<'a, str>,
    /// The path that search engines should know; `None` keeps the page out of their index.
    pub(super) canonical: Option<std::borrow::Cow<'a, str>>,
    pub(super) kind: &'static str,
    /// An address for previews elsewhere; empty for none.
    pub(super) image: &'a str,
    pub(super) offset: i64,
    pub(super) search_text: &'a str,
    /// In the active cart of whom the page is for; `None` on pages for everybody, whose script
    /// asks for it.
    pub(super) cart_lines: Option<u64>,
    /// Whether whom the page is for has logged in; `None` on pages for everybody, as above.
    pub(super) signed_in: Option<bool>,
}

/// Who is signed in, on a page that is otherwise for everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visitor {
    /// In their active cart; `None`: that can't be said now, so the page's script asks.
    pub cart_lines: Option<u64>,
}

impl Meta<'_> {
    /// For whom the page is made anew.
    pub(super) fn to(self, visitor: Option<Visitor>) -> Self {
        let cart_lines = visitor.and_then(|visitor| visitor.cart_lines);
        Self { cart_lines, signed_in: visitor.map(|_| true), ..self }
    }
}

impl Default for Meta<'_> {
    fn default() -> Self {
        Self {
            title: "".into(),
            description: "".into(),
            canonical: None,
            kind: "website",
            image: "",
            offset: 0,
            search_text: "",
            cart_lines: None,
            signed_in: None,
        }
    }
}
