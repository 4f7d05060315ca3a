//! Products as staff sees them: the list, and one with all of it that can be changed in place.

use super::{
    AdminFrame, FRAME,
    fields::{Field, Kind, Typed},
};
use crate::{
    domain::{
        import::limits,
        product::{ProductRow, ProductStatus},
        quantity::Precision,
        stock::{Movement, MovementKind, StockRecord},
    },
    views::{address::Encoded, moment::Moment, render::render},
};
use askama::Template;
use bytes::Bytes;

pub struct ProductsRoom<'a> {
    pub text: &'a str,
    pub status: Option<ProductStatus>,
    pub rows: &'a [ProductRow],
    pub is_first: bool,
    /// Where the first page of this question is.
    pub first: &'a str,
    /// Where the list goes on.
    pub next: Option<&'a str>,
    /// Whether whoever looks may make a new one, and what they have typed for it.
    pub new: Option<&'a Typed>,
}

struct Row<'a> {
    place: String,
    row: &'a ProductRow,
    price: String,
    available: Option<String>,
    class: &'static str,
}

impl<'a> Row<'a> {
    fn of(row: &'a ProductRow) -> Self {
        let precision = Precision::new(row.precision).unwrap_or_default();
        let class = match row.available {
            Some(..=0) => "mark mark-bad",
            _ => "figure",
        };
        Self {
            place: product_place(row.sku.as_str()),
            row,
            price: row.price.map_or_else(|| "On request".to_owned(), |price| price.to_string()),
            available: row.available.map(|steps| precision.count_text(steps)),
            class,
        }
    }
}

/// Where a product is looked after.
pub(super) fn product_place(sku: &str) -> String {
    format!("/admin/products/{}", Encoded(sku))
}

#[derive(Template)]
#[template(path = "admin_products.html")]
struct Products<'a> {
    frame: &'a AdminFrame<'a>,
    page: &'a ProductsRoom<'a>,
    rows: Vec<Row<'a>>,
    fields: Vec<Field<'a>>,
}

impl Products<'_> {
    fn is_narrow(&self) -> bool {
        !self.page.text.is_empty() || self.page.status.is_some()
    }

    fn chosen(&self, status: &str) -> bool {
        self.page.status.is_some_and(|chosen| chosen.as_str() == status)
    }
}

pub fn products(frame: &AdminFrame<'_>, page: &ProductsRoom<'_>) -> Bytes {
    let new = |typed| {
        vec![
            Field::line(typed, "sku", "SKU").most(64).required(),
            Field::line(typed, "name", "Name").most(limits::NAME).required(),
        ]
    };
    let view = Products {
        frame,
        page,
        rows: page.rows.iter().map(Row::of).collect(),
        fields: page.new.map(new).unwrap_or_default(),
    };
    render(&view, 2 * FRAME + page.rows.len() * 700)
}

/// A price list with what it says of the product.
pub struct ListPrices {
    pub id: String,
    pub name: String,
    pub currency: String,
    pub active: bool,
    /// From how many on, and the price for one: as they stand, and as they were typed.
    pub tiers: Vec<Tier>,
    pub error: Option<String>,
}

#[derive(Debug, Clone, Default)]
pub struct Tier {
    /// In steps, as it stands; empty for one that is new.
    pub was_from: String,
    pub was: String,
    pub from: String,
    pub amount: String,
}

/// What is counted of the product, and what was typed about it.
pub struct StockBox<'a> {
    pub record: &'a StockRecord,
    /// Each warehouse, with what is there as it stands, or as it was typed.
    pub levels: Vec<StockLine>,
    pub threshold: String,
    pub back_order: bool,
    pub note: String,
    pub error: Option<String>,
    pub movements: &'a [Movement],
    /// Who is meant by the names in the ledger.
    pub people: &'a dyn Fn(&str) -> String,
}

pub struct StockLine {
    pub code: String,
    pub name: String,
    pub on_hand: String,
    pub reserved: String,
    pub owed: String,
}

pub struct ProductRoom<'a> {
    pub sku: &'a str,
    pub name: &'a str,
    pub status: ProductStatus,
    /// Where shoppers see it, while they do.
    pub shown_at: Option<&'a str>,
    pub version: i64,
    pub precision: Precision,
    pub unit: &'a str,
    pub typed: &'a Typed,
    /// By slug: a category's way from the root.
    pub categories: &'a [(String, String)],
    pub may_change: bool,
    pub may_count: bool,
    /// `None`: whoever looks may not see them.
    pub lists: Option<&'a [ListPrices]>,
    pub may_price: bool,
    pub stock: &'a StockBox<'a>,
}

struct Moved {
    at: Moment,
    words: &'static str,
    on_hand: String,
    promised: String,
    by: String,
    said: String,
    order: Option<String>,
}

#[derive(Template)]
#[template(path = "admin_product.html")]
struct Product<'a> {
    frame: &'a AdminFrame<'a>,
    page: &'a ProductRoom<'a>,
    place: String,
    fields: Vec<Field<'a>>,
    moved: Vec<Moved>,
}

impl Product<'_> {
    fn is_shown(&self) -> bool {
        self.page.status == ProductStatus::Active
    }

    fn available(&self) -> Option<String> {
        self.page.stock.record.available.map(|steps| self.page.precision.count_text(steps))
    }
}

pub fn product(frame: &AdminFrame<'_>, page: &ProductRoom<'_>) -> Bytes {
    let precision = page.precision;
    let signed = |steps: i64| match steps {
        0 => String::new(),
        1.. => format!("+{}", precision.count_text(steps)),
        _ => precision.count_text(steps),
    };
    let moved = |movement: &Movement| Moved {
        at: Moment::of(movement.at),
        words: movement_words(movement.kind),
        on_hand: signed(movement.on_hand),
        promised: signed(movement.promised),
        by: (page.stock.people)(&movement.by),
        said: movement.note.clone(),
        order: movement.order.map(|order| order.to_string()),
    };
    let view = Product {
        frame,
        page,
        place: product_place(page.sku),
        fields: details(page),
        moved: page.stock.movements.iter().map(moved).collect(),
    };
    render(&view, 4 * FRAME + page.categories.len() * 100)
}

fn details<'a>(page: &'a ProductRoom<'a>) -> Vec<Field<'a>> {
    let typed = page.typed;
    let of = |value: &str, words: &str| (value.to_owned(), words.to_owned());
    let status = vec![of("active", "On sale"), of("disabled", "Not shown")];
    let none = of("", "None");
    let categories = std::iter::once(none).chain(page.categories.iter().cloned()).collect();
    let line = |name, label| Field::line(typed, name, label);
    vec![
        line("name", "Name").most(limits::NAME).required(),
        line("status", "Status").kind(Kind::Choice(status)),
        line("price", "Price")
            .kind(Kind::Line("text", "decimal"))
            .most(24)
            .help("For one unit, such as 49.99. Empty: on request."),
        line("currency", "Currency").most(3).help("Three letters, such as EUR."),
        line("tax_category", "Tax category").most(32).help("Such as standard, reduced or books."),
        line("brand", "Brand").most(limits::BRAND),
        line("category", "Category").kind(Kind::Choice(categories)),
        line("unit", "Unit").most(limits::UNIT).help("What one is called: each, kg, m."),
        line("precision", "Digits after the point")
            .kind(Kind::Line("number", "numeric"))
            .most(1)
            .help("How finely it can be ordered, 0 to 6."),
        line("short_description", "Short description")
            .kind(Kind::Lines(3))
            .most(limits::SHORT_DESCRIPTION),
        line("description", "Description").kind(Kind::Lines(8)).most(limits::DESCRIPTION),
        line("images", "Pictures")
            .kind(Kind::Lines(3))
            .most(limits::IMAGE * limits::IMAGES)
            .help("One address a line, the main one first."),
        line("attributes", "Attributes")
            .kind(Kind::Lines(5))
            .most(100_000)
            .help("One a line, such as Power: 18 V."),
        line("popularity", "Popularity")
            .kind(Kind::Line("number", "numeric"))
            .most(19)
            .help("Higher is shown first."),
    ]
}

fn movement_words(kind: MovementKind) -> &'static str {
    match kind {
        MovementKind::Opening => "Opening",
        MovementKind::Import => "Imported",
        MovementKind::Set => "Counted",
        MovementKind::Adjust => "Adjusted",
        MovementKind::Reserve => "Promised",
        MovementKind::Release => "Let go",
        MovementKind::Ship => "Sent",
        MovementKind::Restock => "Came back",
    }
}
