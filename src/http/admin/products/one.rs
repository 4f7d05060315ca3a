//! One product, as it is shown, and its details as they are changed.

use super::{HERE, READ, WRITE, place, prices, stock};
use crate::{
    domain::{
        category::CategoryTree,
        import::change,
        policy::Permission,
        product::{ProductDraft, ProductStatus},
        quantity::Precision,
        sku::Sku,
        stock::StockRecord,
    },
    http::{
        access::Access,
        admin::{Shown, errors_by_field, may, people::People},
        api::products::wrong,
        app::App,
        error::{Code, Problem},
        extract::{Param, Takes},
        form::Form,
        personal::see_other,
        resource::{Asked, Operation, Resource},
    },
    ports::products::{ProductWritten, StoredDraft},
    views::{
        admin::{self as views, ListPrices, ProductRoom, Typed},
        product_path,
    },
};
use serde_json::{Map, Value};
use std::sync::Arc;
use warp::reply::Response;

const ONE: &[Param] = &[Param::new("done", Takes::OneOf(DONE), "What was just done.")];
const DONE: &[&str] = &["made", "saved", "stock", "prices"];
/// Lines of the stock's ledger that the page shows.
const MOVEMENTS: u32 = 10;
/// Categories that can be chosen from; with more, that of the product and the first of them.
const MOST_CATEGORIES: usize = 2_000;

pub(super) fn resources() -> Vec<Resource> {
    let count = Access::Staff(Permission::StockWrite);
    let price = Access::Staff(Permission::PricesWrite);
    vec![
        Resource::new(
            "/admin/products/{sku}",
            [
                Operation::personal(READ, ONE, |a, b| Box::pin(show(a, b))),
                Operation::form(WRITE, |a, b| Box::pin(save(a, b))),
            ],
        ),
        Resource::new(
            "/admin/products/{sku}/stock",
            [Operation::form(count, |a, b| Box::pin(stock::save(a, b)))],
        ),
        Resource::new(
            "/admin/products/{sku}/prices",
            [Operation::form(price, |a, b| Box::pin(prices::save(a, b)))],
        ),
    ]
}

/// A product with all that its page is made of.
pub(super) struct Found {
    pub(super) stored: StoredDraft,
    pub(super) record: StockRecord,
    pub(super) precision: Precision,
}

pub(super) async fn find(app: &App, asked: &Asked) -> Result<Found, Problem> {
    let absent = || Problem::new(Code::NotFound, "there is no product with this SKU");
    let sku = Sku::new(&asked.path[0]).map_err(|_| absent())?;
    let stored = app.products.get(&sku).await?.ok_or_else(absent)?;
    let record = app.stocks.record(&app.scope.site, &sku).await?.ok_or_else(absent)?;
    let precision = Precision::new(stored.draft.precision);
    let precision = precision.map_err(|error| Problem::internal(error.to_string()))?;
    Ok(Found { stored, record, precision })
}

/// What was typed that could not be kept, to be shown once more.
#[derive(Default)]
pub(super) struct Wishes {
    pub(super) details: Option<Typed>,
    pub(super) stock: Option<stock::Wish>,
    pub(super) prices: Option<ListPrices>,
}

async fn show(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let found = find(&app, &asked).await?;
    let done = asked.query.text("done").map(|done| match done {
        "made" => "The product is made. It isn’t shown yet.",
        "saved" => "It is saved; shoppers see it in a moment.",
        "stock" => "The stock is saved.",
        _ => "The prices are saved.",
    });
    let shown = Shown::new(&app, &mut asked, HERE).await?.done(done);
    page(&app, &asked, shown, found, Wishes::default()).await
}

async fn save(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let found = find(&app, &asked).await?;
    let tree = app.documents.categories(&app.scope);
    match saved(&app, &asked, &tree, found.stored).await {
        Ok(()) => Ok(see_other(&format!("{}?done=saved", place(&asked.path[0])))),
        Err(problem) => {
            let errors = errors_by_field(&problem);
            let stale = problem.code == Code::PreconditionFailed;
            let shown = Shown::new(&app, &mut asked, HERE).await?.failed(problem)?;
            let found = find(&app, &asked).await?;
            // What somebody else changed meanwhile is shown, not what was typed before it was known.
            let names = values_of(&found.stored.draft, &tree).into_iter().map(|(name, _)| name);
            let values = names.map(|name| (name, asked.form.text(name).to_owned())).collect();
            let details = (!stale).then_some(Typed { values, errors });
            let wishes = Wishes { details, ..Wishes::default() };
            page(&app, &asked, shown, found, wishes).await
        }
    }
}

async fn saved(
    app: &App,
    asked: &Asked,
    tree: &CategoryTree,
    before: StoredDraft,
) -> Result<(), Problem> {
    let who = asked.visit.must_act()?;
    let stale = || Problem::new(Code::PreconditionFailed, "the product has changed since");
    if asked.form.text("version").parse() != Ok(before.version) {
        return Err(stale());
    }
    let fields = fields(&asked.form, tree, &before.draft)?;
    let draft = change::change(&before.draft, fields, app.config.currency).map_err(wrong)?;
    match app.products.change(before, draft, &who).await? {
        Some(ProductWritten::Put(_)) => Ok(()),
        Some(ProductWritten::Stale(_) | ProductWritten::Taken) | None => Err(stale()),
    }
}

/// What a form says otherwise than the page it was on, as the fields of a row. What nobody touched
/// stays as it is, also where a form can't show all of it.
fn fields(
    form: &Form,
    tree: &CategoryTree,
    before: &ProductDraft,
) -> Result<Map<String, Value>, Problem> {
    let mut fields = Map::new();
    for (name, shown) in values_of(before, tree) {
        // Browsers end lines in two characters.
        let text = form.text(name).replace("\r\n", "\n");
        if text == shown.trim() {
            continue;
        }
        let value = match name {
            "category" => {
                fields.insert("categories".to_owned(), category(&text, tree)?);
                continue;
            }
            "images" => Value::from(lines(&text).collect::<Vec<_>>()),
            "attributes" => attributes(&text)?,
            "name" | "status" => Value::from(text),
            "precision" | "popularity" => match text.parse::<i64>() {
                Ok(number) => Value::from(number),
                Err(_) => Value::from(text),
            },
            // A price that goes takes its currency along.
            "currency" if form.text("price").is_empty() => continue,
            _ if text.is_empty() => Value::Null,
            _ => Value::from(text),
        };
        fields.insert(name.to_owned(), value);
    }
    Ok(fields)
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

/// Names from the root down to the category of this slug; none for none.
fn category(slug: &str, tree: &CategoryTree) -> Result<Value, Problem> {
    if slug.is_empty() {
        return Ok(Value::Array(Vec::new()));
    }
    let gone = || Problem::field("/category", "there is no such category any more");
    let path = tree.path(tree.by_slug(slug).ok_or_else(gone)?.id);
    Ok(path.into_iter().map(|category| category.name).collect())
}

fn attributes(text: &str) -> Result<Value, Problem> {
    let mut attributes = Map::new();
    for line in lines(text) {
        let told = format!("“{line}” has no colon: write a name, a colon and what it is");
        let pair = line.split_once(':').ok_or_else(|| Problem::field("/attributes", told))?;
        attributes.insert(pair.0.trim().to_owned(), Value::from(pair.1.trim()));
    }
    Ok(Value::Object(attributes))
}

/// The product's category: its slug and its way from the root in words.
fn path_of<'t>(tree: &'t CategoryTree, draft: &ProductDraft) -> Option<(&'t str, String)> {
    let last = draft.categories.last()?;
    let is_it = |one: &&crate::domain::category::Category| {
        one.name == *last
            && tree.path(one.id).iter().map(|part| &part.name).eq(draft.categories.iter())
    };
    let found = tree.all().iter().find(is_it)?;
    Some((&found.slug, draft.categories.join(" › ")))
}

fn values_of(draft: &ProductDraft, tree: &CategoryTree) -> Vec<(&'static str, String)> {
    let or_nothing = |text: &Option<String>| text.clone().unwrap_or_default();
    let pairs = draft.attributes.iter().map(|(name, value)| {
        // A line is all that the form has for one.
        format!("{name}: {}", value.replace(['\r', '\n'], " "))
    });
    vec![
        ("name", draft.name.clone()),
        ("status", draft.status.as_str().to_owned()),
        ("price", draft.price.map(|price| price.amount()).unwrap_or_default()),
        ("currency", draft.price.map(|p| p.currency.code().to_owned()).unwrap_or_default()),
        ("tax_category", draft.tax_category.to_string()),
        ("brand", or_nothing(&draft.brand)),
        ("category", path_of(tree, draft).map(|(slug, _)| slug.to_owned()).unwrap_or_default()),
        ("unit", draft.unit.clone()),
        ("precision", draft.precision.to_string()),
        ("short_description", or_nothing(&draft.short_description)),
        ("description", or_nothing(&draft.description)),
        ("images", draft.images.join("\n")),
        ("attributes", pairs.collect::<Vec<_>>().join("\n")),
        ("popularity", draft.popularity.to_string()),
    ]
}

/// Each category by its slug with its way from the root, in the order of those.
fn categories(tree: &CategoryTree, draft: &ProductDraft) -> Vec<(String, String)> {
    let words = |id| {
        let path = tree.path(id).into_iter().map(|part| part.name);
        path.collect::<Vec<_>>().join(" › ")
    };
    let some = tree.all().iter().take(MOST_CATEGORIES);
    let mut all: Vec<_> = some.map(|one| (one.slug.clone(), words(one.id))).collect();
    if let Some((slug, words)) = path_of(tree, draft)
        && !all.iter().any(|(known, _)| known == slug)
    {
        all.push((slug.to_owned(), words));
    }
    all.sort_by(|a, b| a.1.cmp(&b.1));
    all
}

pub(super) async fn page(
    app: &App,
    asked: &Asked,
    shown: Shown,
    found: Found,
    wishes: Wishes,
) -> Result<Response, Problem> {
    let Found { stored, record, precision } = found;
    let draft = &stored.draft;
    let tree = app.documents.categories(&app.scope);
    let categories = categories(&tree, draft);
    let as_it_is = || Typed { values: values_of(draft, &tree), errors: Vec::new() };
    let typed = wishes.details.unwrap_or_else(as_it_is);
    let lists = match may(asked, Permission::PricesRead) {
        true => Some(prices::lists(app, &stored, precision, wishes.prices).await?),
        false => None,
    };
    let movements = match record.item {
        Some(item) => app.stocks.movements(item, None, MOVEMENTS).await?,
        None => Vec::new(),
    };
    let people = People::of(app, movements.iter().map(|movement| movement.by.as_str())).await;
    let warehouses = app.stocks.warehouses(&app.scope.site).await?;
    let people = |by: &str| people.name(by);
    let stock = stock::shown(&record, precision, warehouses, wishes.stock, &movements, &people);
    let document = app.documents.by_sku(&app.scope, &draft.sku)?;
    let shown_at = document.filter(|_| draft.status == ProductStatus::Active);
    let shown_at = shown_at.map(|one| product_path(&one.document.slug).to_string());
    let room = ProductRoom {
        sku: draft.sku.as_str(),
        name: &draft.name,
        status: draft.status,
        shown_at: shown_at.as_deref(),
        version: stored.version,
        precision,
        unit: &draft.unit,
        typed: &typed,
        categories: &categories,
        may_change: may(asked, Permission::CatalogueWrite),
        may_count: may(asked, Permission::StockWrite),
        lists: lists.as_deref(),
        may_price: may(asked, Permission::PricesWrite),
        stock: &stock,
    };
    Ok(shown.answer(app, asked, views::product(&shown.frame(&draft.name), &room)))
}
