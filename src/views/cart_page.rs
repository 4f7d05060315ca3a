//! A buyer's cart and lists, and the page that takes SKUs by the dozen.
//!
//! These are for one buyer alone and never cached. They work without scripts: every button sends
//! the form it stands in, and says by its value what is to be done.

use crate::domain::{
    cart::{
        Cart, CartKind, CartLine,
        compare::{Change, Standing},
    },
    document::ProductDocument,
    money::Money,
    stock::StockBand,
};
use crate::views::{
    address::{product_path, quote_path},
    pictures::placeholder,
    render::{Grouped, band_class, render},
    shell::{Meta, Shell},
};
use askama::Template;
use bytes::Bytes;

pub struct CartPage<'a> {
    pub shell: &'a Shell,
    /// The log's place the page was built at.
    pub offset: i64,
    pub form_token: &'a str,
    /// `None`: nothing was ever put into it.
    pub cart: Option<&'a Cart>,
    /// All open ones.
    pub carts: &'a [Cart],
    /// Some of its lines, in order.
    pub lines: &'a [CartRow<'a>],
    pub review: Option<CartReview<'a>>,
    /// The cursor these lines begin behind, and that of the next ones.
    pub after: Option<&'a str>,
    pub next: Option<&'a str>,
    /// What was just done, in a sentence.
    pub done: Option<&'a str>,
    pub errors: &'a [CartPageError],
}

/// A line with its product as it is now.
pub struct CartRow<'a> {
    pub line: &'a CartLine,
    pub document: Option<&'a ProductDocument>,
    pub standing: &'a Standing,
    pub changes: &'a [Change],
    /// What was typed instead of its quantity, when that can't be.
    pub typed: Option<&'a str>,
}

/// What has changed in the whole cart.
pub struct CartReview<'a> {
    pub rows: Vec<(&'a CartLine, Option<&'a ProductDocument>, &'a [Change])>,
    pub changed: usize,
    pub token: &'a str,
}

/// Something that could not be done.
pub struct CartPageError {
    pub text: String,
    /// The place of its line on this page.
    pub place: Option<i64>,
}

struct OtherCart<'a> {
    id: String,
    name: &'a str,
    href: String,
    lines: Grouped,
    kind: CartKind,
    chosen: bool,
}

struct Row<'a> {
    place: i64,
    name: &'a str,
    href: Option<String>,
    picture: String,
    sku: &'a str,
    unit: &'a str,
    quantity: String,
    each: Money,
    total: Money,
    band: Option<Band>,
    changes: Vec<String>,
    note: Option<&'a str>,
    error: Option<&'a str>,
    is_gone: bool,
    /// Where its price is asked for, now that it is on request.
    quote: Option<String>,
}

struct Band {
    class: &'static str,
    words: &'static str,
}

struct Review<'a> {
    rows: Vec<ChangedRow<'a>>,
    changed: usize,
    token: &'a str,
    /// Some of it only needs to be taken note of; some lines have to go.
    can_be_taken: bool,
    to_remove: bool,
}

struct ChangedRow<'a> {
    name: &'a str,
    href: Option<String>,
    text: String,
}

struct ErrorLink<'a> {
    text: &'a str,
    anchor: Option<String>,
}

#[derive(Template)]
#[template(path = "cart.html")]
struct Page<'a> {
    shell: &'a Shell,
    meta: Meta<'a>,
    form_token: &'a str,
    id: String,
    kind: CartKind,
    title: &'a str,
    note: Option<&'a str>,
    count: u64,
    subtotal: Option<Money>,
    carts: Vec<OtherCart<'a>>,
    lines: Vec<Row<'a>>,
    review: Option<Review<'a>>,
    after: Option<&'a str>,
    next: Option<&'a str>,
    done: Option<&'a str>,
    errors: Vec<ErrorLink<'a>>,
}

pub fn cart<'a>(page: &CartPage<'a>) -> Bytes {
    let kind = page.cart.map_or(CartKind::Active, |cart| cart.kind);
    let title = page.cart.map_or(kind.name(), |cart| cart.name.as_str());
    let error_of = |place| page.errors.iter().find(|error| error.place == Some(place));
    let row = |row: &CartRow<'a>| Row::of(page.shell, row, error_of(row.line.place));
    let view = Page {
        shell: page.shell,
        meta: Meta {
            title: title.into(),
            offset: page.offset,
            cart_lines: active(page.carts).map(Cart::lines),
            ..Meta::default()
        },
        form_token: page.form_token,
        id: page.cart.map(|cart| cart.id.to_string()).unwrap_or_default(),
        kind,
        title,
        note: page.cart.and_then(|cart| cart.note.as_deref()),
        count: page.cart.map_or(0, Cart::lines),
        subtotal: page.cart.and_then(Cart::subtotal),
        carts: page.carts.iter().map(|other| OtherCart::of(other, page.cart)).collect(),
        lines: page.lines.iter().map(row).collect(),
        review: page.review.as_ref().map(Review::of),
        after: page.after,
        next: page.next,
        done: page.done,
        errors: page.errors.iter().map(ErrorLink::of).collect(),
    };
    render(&view, 8192 + page.shell.menu.len() + page.lines.len() * 2_560)
}

fn active(carts: &[Cart]) -> Option<&Cart> {
    carts.iter().find(|cart| cart.kind == CartKind::Active)
}

impl Page<'_> {
    fn products(&self) -> Grouped {
        Grouped(self.count)
    }

    fn is_active(&self) -> bool {
        self.kind == CartKind::Active
    }

    fn is_later(&self) -> bool {
        self.kind == CartKind::Later
    }

    fn is_list(&self) -> bool {
        self.kind == CartKind::List
    }

    /// Where a line may go beside the cart and the list for later.
    fn lists(&self) -> Vec<&OtherCart<'_>> {
        let list = |other: &&OtherCart<'_>| other.kind == CartKind::List && !other.chosen;
        self.carts.iter().filter(list).collect()
    }

    fn has_pages(&self) -> bool {
        self.after.is_some() || self.next.is_some()
    }

    fn first_page(&self) -> String {
        match self.kind {
            CartKind::Active => "/cart".into(),
            CartKind::Later | CartKind::List => format!("/cart/list/{}", self.id),
        }
    }

    fn next_page(&self) -> Option<String> {
        self.next.map(|next| format!("{}?after={next}", self.first_page()))
    }
}

impl<'a> OtherCart<'a> {
    fn of(cart: &'a Cart, shown: Option<&Cart>) -> Self {
        let href = match cart.kind {
            CartKind::Active => "/cart".into(),
            CartKind::Later | CartKind::List => format!("/cart/list/{}", cart.id),
        };
        Self {
            id: cart.id.to_string(),
            name: &cart.name,
            href,
            lines: Grouped(cart.lines()),
            kind: cart.kind,
            chosen: shown.is_some_and(|shown| shown.id == cart.id),
        }
    }
}

impl<'a> Row<'a> {
    fn of(shell: &Shell, row: &CartRow<'a>, error: Option<&'a CartPageError>) -> Self {
        let (line, document) = (row.line, row.document);
        let band = match row.standing {
            Standing::Offered(offer) => Some(offer.band),
            _ => None,
        };
        let gone = row.changes.iter().any(|change| !change.can_be_taken());
        Self {
            place: line.place,
            name: name(line, document),
            href: document.filter(|_| !matches!(row.standing, Standing::NotSold)).map(href),
            picture: match document {
                Some(document) => shell.pictures.main(document),
                None => placeholder(&line.sku),
            },
            sku: line.sku.as_str(),
            unit: document.map_or("each", |document| document.unit.as_str()),
            quantity: row.typed.map_or_else(|| line.quantity_text(), str::to_owned),
            each: line.priced.price().amount,
            total: line.priced.amount(),
            band: band.map(|band| Band { class: band_class(band), words: band.words() }),
            changes: row.changes.iter().map(words).collect(),
            note: line.note.as_deref(),
            error: error.map(|error| error.text.as_str()),
            is_gone: gone,
            quote: matches!(row.standing, Standing::OnRequest).then(|| quote_path(&line.sku)),
        }
    }
}

impl<'a> Review<'a> {
    fn of(review: &CartReview<'a>) -> Self {
        let taken = |(_, _, changes): &(_, _, &[Change])| changes.iter().all(Change::can_be_taken);
        let row =
            |(line, document, changes): &(&'a CartLine, Option<&'a ProductDocument>, &[Change])| {
                ChangedRow {
                    name: name(line, *document),
                    href: document.map(href),
                    text: changes.iter().map(words).collect::<Vec<_>>().join("; "),
                }
            };
        Self {
            can_be_taken: review.rows.iter().any(taken),
            to_remove: !review.rows.iter().all(taken),
            rows: review.rows.iter().map(row).collect(),
            changed: review.changed,
            token: review.token,
        }
    }
}

impl<'a> ErrorLink<'a> {
    fn of(error: &'a CartPageError) -> Self {
        let anchor = error.place.map(|place| format!("quantity-{place}"));
        Self { text: &error.text, anchor }
    }
}

fn name<'a>(line: &'a CartLine, document: Option<&'a ProductDocument>) -> &'a str {
    document.map_or(line.sku.as_str(), |document| document.name.as_str())
}

fn href(document: &ProductDocument) -> String {
    product_path(&document.slug)
}

/// A change, in words.
fn words(change: &Change) -> String {
    match change {
        Change::Price { was, now } if was.currency == now.currency => {
            let way = if now.minor > was.minor { "higher" } else { "lower" };
            format!("the price is {way} now, {now} instead of {was}")
        }
        Change::Price { now, .. } => {
            format!("it is sold in {} now, at {now}: remove it and add it again", now.currency)
        }
        Change::Tax => "it is taxed at another rate now".into(),
        Change::Stock { now: StockBand::SoldOut, .. } => "it has sold out".into(),
        Change::Stock { was: StockBand::SoldOut, now } => {
            format!("it can be had again: {}", lower(now.words()))
        }
        Change::Stock { now, .. } => lower(now.words()),
        Change::NotSold => "it is no longer sold".into(),
        Change::OnRequest => "its price is on request now: ask for a quote".into(),
    }
}

fn lower(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

pub struct QuickOrderPage<'a> {
    pub shell: &'a Shell,
    pub offset: i64,
    pub form_token: &'a str,
    /// Of the active cart.
    pub cart_lines: Option<u64>,
    /// What was typed.
    pub rows: &'a str,
    pub partial: bool,
    /// Rows that went into the cart all the same.
    pub added: usize,
    pub errors: &'a [QuickOrderError],
}

/// What can't be ordered, and where it stands.
pub struct QuickOrderError {
    pub line: usize,
    pub column: usize,
    pub sku: Option<String>,
    pub text: String,
}

/// Errors that a page shows.
const MOST_ERRORS: usize = 50;

#[derive(Template)]
#[template(path = "quick_order.html")]
struct QuickOrder<'a> {
    shell: &'a Shell,
    meta: Meta<'a>,
    form_token: &'a str,
    rows: &'a str,
    partial: bool,
    added: usize,
    errors: &'a [QuickOrderError],
    /// Errors that are not shown.
    more: usize,
}

pub fn quick_order(page: &QuickOrderPage) -> Bytes {
    let shown = page.errors.len().min(MOST_ERRORS);
    let view = QuickOrder {
        shell: page.shell,
        meta: Meta {
            title: "Order by SKU".into(),
            offset: page.offset,
            cart_lines: page.cart_lines,
            ..Meta::default()
        },
        form_token: page.form_token,
        rows: page.rows,
        partial: page.partial,
        added: page.added,
        errors: &page.errors[..shown],
        more: page.errors.len() - shown,
    };
    render(&view, 8192 + page.shell.menu.len() + page.rows.len() + shown * 160)
}
