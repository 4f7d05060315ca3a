//! Lists of products with filters: a category's page and the search results.

use crate::domain::{
    category::{Category, CategoryRef, CategoryTree},
    money::Money,
    search::{Facets, Sort},
};
use crate::views::{
    address::{Href, ListAddress, category_path, short_amount, sorted},
    json_ld,
    render::{Grouped, Ready, render},
    shell::{Meta, Shell, Tile, Visitor, top_categories},
};
use askama::Template;
use bytes::Bytes;

/// What both kinds of list show.
pub struct Listing<'a> {
    pub shell: &'a Shell,
    /// The log's place the page was built at.
    pub offset: i64,
    pub tree: &'a CategoryTree,
    /// What was asked for; every link of the page is a change of it.
    pub address: ListAddress<'a>,
    pub total: u64,
    /// Ready cards of this page.
    pub cards: &'a [Bytes],
    /// `None`: search is away, so there is nothing to filter by and the page says so.
    pub facets: Option<&'a Facets>,
    /// The cursor of the next page.
    pub next: Option<&'a str>,
    /// Whether a cursor led here.
    pub continued: bool,
    /// Whom it is made for; `None`: for everybody.
    pub visitor: Option<Visitor>,
}

pub struct CategoryPage<'a> {
    pub category: &'a Category,
    pub list: Listing<'a>,
}

pub struct SearchResultsPage<'a> {
    /// Nothing held the words as typed, so near spellings were taken.
    pub corrected: bool,
    pub list: Listing<'a>,
}

/// A category's name and address.
#[derive(Debug, Clone, Copy)]
pub(super) struct CategoryLink<'a> {
    pub(super) name: &'a str,
    pub(super) slug: &'a str,
}

/// A filter as a link, with how many it leaves.
struct Choice<'a> {
    label: String,
    count: Grouped,
    chosen: bool,
    href: Href<'a>,
}

/// A filter that is on, with the address without it.
struct Chip<'a> {
    label: String,
    href: Href<'a>,
}

struct SortOption {
    value: &'static str,
    label: &'static str,
    chosen: bool,
}

struct Brand<'a> {
    name: &'a str,
    count: Grouped,
    chosen: bool,
}

#[derive(Template)]
#[template(path = "list.html")]
struct List<'a> {
    shell: &'a Shell,
    meta: Meta<'a>,
    title: String,
    list: &'a Listing<'a>,
    corrected: bool,
    /// The way here; empty on the search page.
    crumbs: Vec<CategoryRef>,
    json_ld: String,
    categories: Vec<Choice<'a>>,
    brands: Vec<Brand<'a>>,
    prices: Vec<Choice<'a>>,
    chips: Vec<Chip<'a>>,
    sorts: Vec<SortOption>,
    from: String,
    to: String,
}

/// Brands shown before "more"; the rest is one press away.
const BRANDS_AT_FIRST: usize = 8;
const MOST_CATEGORIES: usize = 30;

pub fn category(page: &CategoryPage) -> Bytes {
    let list = &page.list;
    let crumbs = list.tree.path(page.category.id);
    let paths: Vec<_> = list.tree.children(page.category.id).take(MOST_CATEGORIES).collect();
    let paths: Vec<_> = paths.into_iter().map(|c| (c, category_path(&c.slug))).collect();
    let categories = paths.iter().filter_map(|(child, path)| {
        let count = list.facets.map_or(0, |f| f.of_category(child.id));
        // A child that nothing matches is shown only while nobody knows the counts.
        (count > 0 || list.facets.is_none()).then(|| Choice {
            label: child.name.clone(),
            count: Grouped(count),
            chosen: false,
            href: list.address.with_path(path).href(None, None),
        })
    });
    let plain = !list.address.is_filtered() && !list.continued;
    let meta = Meta {
        title: page.category.name.as_str().into(),
        description: format!("{} at {}.", page.category.name, list.shell.name).into(),
        canonical: plain.then(|| list.address.path.into()),
        offset: list.offset,
        ..Meta::default()
    };
    let json_ld = json_ld::breadcrumbs(list.shell, &crumbs);
    let categories = categories.collect();
    let view = List::new(list, meta, page.category.name.clone(), categories);
    render(&List { crumbs, json_ld, ..view }, list.size())
}

pub fn search(page: &SearchResultsPage) -> Bytes {
    let list = &page.list;
    let text = list.address.text;
    let title = if text.is_empty() {
        "All products".to_owned()
    } else {
        format!("Results for “{text}”")
    };
    let meta = Meta {
        title: title.clone().into(),
        offset: list.offset,
        search_text: text,
        ..Meta::default()
    };
    let view = List::new(list, meta, title, search_categories(list));
    render(&List { corrected: page.corrected, ..view }, list.size())
}

/// The chosen category with what is below it, or the first ones.
fn search_categories<'a>(list: &'a Listing<'a>) -> Vec<Choice<'a>> {
    let Some(facets) = list.facets else { return Vec::new() };
    let choice = |c: &'a Category, chosen: bool| Choice {
        label: c.name.clone(),
        count: Grouped(facets.of_category(c.id)),
        chosen,
        href: list.address.with_category((!chosen).then_some(&c.slug)).href(None, None),
    };
    let chosen = list.address.category.and_then(|slug| list.tree.by_slug(slug));
    let below = match chosen {
        Some(chosen) => list.tree.children(chosen.id).collect(),
        None => top_categories(list.tree),
    };
    let below = below.into_iter().map(|c| choice(c, false)).filter(|c| c.count.0 > 0);
    chosen.map(|c| choice(c, true)).into_iter().chain(below.take(MOST_CATEGORIES)).collect()
}

impl Listing<'_> {
    fn size(&self) -> usize {
        let cards = self.cards.iter().map(|c| c.len() + 16).sum::<usize>();
        let address = &self.address;
        let chosen = address.brands.iter().map(|brand| 2 * brand.len() + 16).sum::<usize>();
        let address = 128 + 2 * address.text.len() + chosen;
        let links = address_count(self.facets) + self.address.brands.len();
        let brands = self.facets.map_or(0, |f| f.brands.len());
        8192 + self.shell.menu.len() + cards + 192 * brands + (160 + address) * links
    }
}

/// About how many links a page has that carry its whole address.
fn address_count(facets: Option<&Facets>) -> usize {
    facets.map_or(0, |f| f.prices.len() + f.categories.len().min(MOST_CATEGORIES)) + 6
}

impl<'a> List<'a> {
    fn new(
        list: &'a Listing<'a>,
        meta: Meta<'a>,
        title: String,
        categories: Vec<Choice<'a>>,
    ) -> Self {
        let amount = |minor: Option<i64>| {
            let money = minor.map(|minor| Money { minor, currency: list.address.currency });
            money.map(short_amount).unwrap_or_default()
        };
        Self {
            shell: list.shell,
            meta: meta.to(list.visitor),
            title,
            list,
            corrected: false,
            crumbs: Vec::new(),
            json_ld: String::new(),
            categories,
            brands: brands(list),
            prices: prices(list),
            chips: chips(list),
            sorts: sorts(list),
            from: amount(list.address.price_from),
            to: amount(list.address.price_to),
        }
    }

    /// Without results, filters only help when taking one back would.
    fn has_filters(&self) -> bool {
        self.list.facets.is_some() && (self.list.total > 0 || self.list.address.is_filtered())
    }

    fn total(&self) -> Grouped {
        Grouped(self.list.total)
    }

    fn in_stock(&self) -> Grouped {
        Grouped(self.list.facets.map_or(0, |facets| facets.in_stock))
    }

    fn first_brands(&self) -> &[Brand<'a>] {
        &self.brands[..self.brands.len().min(BRANDS_AT_FIRST)]
    }

    fn more_brands(&self) -> &[Brand<'a>] {
        &self.brands[self.brands.len().min(BRANDS_AT_FIRST)..]
    }

    fn cleared(&self) -> Href<'a> {
        self.list.address.cleared().href(None, None)
    }

    fn first_page(&self) -> Href<'a> {
        self.list.address.href(None, None)
    }

    fn next_page(&self) -> Option<Href<'a>> {
        self.list.next.map(|cursor| self.list.address.href(None, Some(cursor)))
    }

    fn tiles(&self) -> &'a [Tile] {
        &self.shell.tiles
    }
}

/// Without words the best match is what sells best, so "popular" would be there twice.
fn sorts(list: &Listing) -> Vec<SortOption> {
    let searched = !list.address.text.is_empty();
    let known = [
        (Sort::Relevance, if searched { "Best match" } else { "Popular" }),
        (Sort::Popularity, "Popular"),
        (Sort::PriceAscending, "Price, low to high"),
        (Sort::PriceDescending, "Price, high to low"),
        (Sort::Name, "Name"),
        (Sort::Newest, "Newest"),
    ];
    let asked = match list.address.sort {
        Sort::Popularity if !searched => Sort::Relevance,
        asked => asked,
    };
    let offered = known.into_iter().filter(|(sort, _)| searched || *sort != Sort::Popularity);
    let option = |(sort, label)| SortOption { value: sorted(sort), label, chosen: sort == asked };
    offered.map(option).collect()
}

/// Chosen ones first, so that they can always be taken back, then by how many they match.
fn brands<'a>(list: &'a Listing<'a>) -> Vec<Brand<'a>> {
    let Some(facets) = list.facets else { return Vec::new() };
    let count = |name: &str| facets.brands.iter().find(|(b, _)| b == name).map_or(0, |(_, n)| *n);
    let chosen = list.address.brands.iter();
    let chosen = chosen.map(|b| Brand { name: b, count: Grouped(count(b)), chosen: true });
    let others = facets.brands.iter().filter(|(b, _)| !list.address.brands.contains(b));
    let others = others.map(|(b, n)| Brand { name: b, count: Grouped(*n), chosen: false });
    chosen.chain(others).collect()
}

fn prices<'a>(list: &'a Listing<'a>) -> Vec<Choice<'a>> {
    let Some(facets) = list.facets else { return Vec::new() };
    let address = &list.address;
    let buckets = facets.prices.iter().filter(|bucket| bucket.count > 0);
    let choices = buckets.map(|bucket| {
        let from = (bucket.from > 0).then_some(bucket.from);
        // A bucket leaves its end out, an address takes it in.
        let to = bucket.to.map(|to| to - 1);
        let chosen = (address.price_from, address.price_to) == (from, to);
        let (link_from, link_to) = if chosen { (None, None) } else { (from, to) };
        Choice {
            label: range_label(list, from, bucket.to),
            count: Grouped(bucket.count),
            chosen,
            href: address.with_price(link_from, link_to).href(None, None),
        }
    });
    choices.collect()
}

/// `to` is left out of the range.
fn range_label(list: &Listing, from: Option<i64>, to: Option<i64>) -> String {
    let money = |minor| {
        let mut text = Money { minor, currency: list.address.currency }.to_string();
        let whole = text.strip_suffix(".00").map_or(text.len(), str::len);
        text.truncate(whole);
        text
    };
    match (from, to) {
        (None, Some(to)) => format!("Under {}", money(to)),
        (Some(from), Some(to)) => format!("{} to {}", money(from), money(to)),
        (Some(from), None) => format!("{} and up", money(from)),
        (None, None) => "Any price".to_owned(),
    }
}

fn chips<'a>(list: &'a Listing<'a>) -> Vec<Chip<'a>> {
    let address = list.address;
    let mut chips = Vec::new();
    if let Some(slug) = address.category {
        let name = list.tree.by_slug(slug).map_or(slug, |c| &c.name);
        let href = address.with_category(None).href(None, None);
        chips.push(Chip { label: name.to_owned(), href });
    }
    for brand in address.brands {
        chips.push(Chip { label: brand.clone(), href: address.href(Some(brand), None) });
    }
    if address.price_from.is_some() || address.price_to.is_some() {
        let known = prices(list).into_iter().find(|choice| choice.chosen).map(|c| c.label);
        let label = known.unwrap_or_else(|| exact_range(list));
        chips.push(Chip { label, href: address.with_price(None, None).href(None, None) });
    }
    if address.in_stock {
        chips.push(Chip {
            label: "In stock".to_owned(),
            href: address.with_stock(false).href(None, None),
        });
    }
    chips
}

fn exact_range(list: &Listing) -> String {
    let money = |minor| Money { minor, currency: list.address.currency };
    match (list.address.price_from, list.address.price_to) {
        (Some(from), Some(to)) => format!("{} to {}", money(from), money(to)),
        (Some(from), None) => format!("{} and up", money(from)),
        (None, Some(to)) => format!("Up to {}", money(to)),
        (None, None) => String::new(),
    }
}
