//! `/api/v1/products`: the catalogue by SKU.

mod edits;

pub(crate) use edits::wrong;

use super::{JSON, link_next, tagged, write_array, write_value};
use crate::{
    domain::{document::ProductDocument, product::ProductStatus, sku::Sku},
    http::{
        access::Access,
        app::App,
        cache::{Built, Entry, Key},
        cursor::{self, BehindSku},
        error::Problem,
        extract::{Param, Takes, encode},
        headers,
        openapi::{Doc, json},
        page::{Keep, Page},
        resource::{Asked, Operation, Resource},
    },
    ports::documents::StoredDocument,
    views::ProductView,
};
use bytes::Bytes;
use http::Method;
use serde_json::{Map, Value};
use std::{borrow::Cow, sync::Arc};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Ref, RefOr, Schema,
        schema::{ArrayBuilder, ObjectBuilder, OneOfBuilder, SchemaType, Type},
    },
};

/// The fields of a product, as `fields` may name them.
pub(super) const FIELDS: &[&str] = &[
    "id",
    "sku",
    "slug",
    "name",
    "brand",
    "short_description",
    "description",
    "status",
    "price",
    "price_on_request",
    "tax_category",
    "stock",
    "unit",
    "precision",
    "categories",
    "images",
    "attributes",
    "options",
    "parent",
    "variants",
    "popularity",
    "created_at",
    "updated_at",
];
const INCLUDES: &[&str] = &["parent", "variants"];

pub(super) const FIELDS_PARAM: Param =
    Param::new("fields", Takes::SomeOf(FIELDS), "Only these fields, with commas between.");
const INCLUDE_PARAM: Param = Param::new(
    "include",
    Takes::SomeOf(INCLUDES),
    "Whole products beside this one, under `included`: its parent, its variants.",
);
/// The most variants that are included.
const MOST_INCLUDED: usize = 100;
/// Rounds of reading in which products that aren't shown are passed over.
const MOST_ROUNDS: usize = 32;

const LIST: &[Param] = &[
    Param::new("sku", Takes::Text { most: 64 }, "Only this product; may be repeated.").many(100),
    Param::new(
        "after",
        Takes::Formed { most: cursor::MOST, pattern: cursor::PATTERN },
        "Where to go on: `next` of the answer before.",
    ),
    Param::new("limit", Takes::Integer { least: 1, most: 100, default: 24 }, "Products at most."),
    FIELDS_PARAM,
    INCLUDE_PARAM,
    Param::new("total", Takes::Flag, "Whether to count all products, as `total`."),
];
const ONE: &[Param] = &[FIELDS_PARAM, INCLUDE_PARAM];
const SKU: Param = Param::new("sku", Takes::Text { most: 64 }, "The product's SKU.");

/// Products in the order of their SKUs. Only describes: the answer is put together from parts that
/// are JSON already.
#[derive(ToSchema)]
#[expect(dead_code, reason = "a description")]
struct ProductList {
    items: Vec<SparseProduct>,
    /// Hand it back as `after` for the next ones; `null` at the end.
    #[schema(required)]
    next: Option<String>,
    /// Only when asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
}

/// A product: all of its fields, or those asked for. Described as [`ProductView`] with nothing
/// required and with what `include` adds.
pub(super) struct SparseProduct;

impl ToSchema for SparseProduct {
    fn name() -> Cow<'static, str> {
        "Product".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        ProductView::schemas(schemas);
        schemas.push((ProductView::name().into_owned(), ProductView::schema()));
    }
}

impl PartialSchema for SparseProduct {
    fn schema() -> RefOr<Schema> {
        let mut schema = ProductView::schema();
        if let RefOr::T(Schema::Object(product)) = &mut schema {
            product.required.clear();
            let whole = || Ref::from_schema_name(ProductView::name());
            let parent = OneOfBuilder::new()
                .item(whole())
                .item(ObjectBuilder::new().schema_type(SchemaType::new(Type::Null)));
            let included = ObjectBuilder::new()
                .property("parent", parent)
                .property("variants", ArrayBuilder::new().items(whole()));
            product.properties.insert("included".to_owned(), included.into());
        }
        schema
    }
}

pub(super) fn resources() -> Vec<Resource> {
    let shape = json::<ProductList>;
    let list = Doc::new("list_products", "catalogue", "Products by SKU")
        .answer(200, "Some products, and where the list goes on.", shape())
        .bare(304, "Nothing has changed.");
    let one = Doc::new("get_product", "catalogue", "One product")
        .place(SKU)
        .answer(200, "The product.", json::<SparseProduct>())
        .bare(304, "Nothing has changed.");
    let anyone = |params, run| Operation::new(Method::GET, Access::Anyone, params, run);
    vec![
        Resource::new(
            "/api/v1/products",
            [anyone(LIST, |a, b| Box::pin(show_list(a, b))).doc(list), edits::make()],
        ),
        Resource::new(
            "/api/v1/products/{sku}",
            [anyone(ONE, |a, b| Box::pin(show_one(a, b))).doc(one), edits::change()],
        ),
        edits::source(),
    ]
}

async fn show_list(app: Arc<App>, asked: Asked) -> Result<warp::reply::Response, Problem> {
    let limit = asked.query.size("limit");
    let wanted: Vec<&str> = asked.query.all("sku").collect();
    let (found, more) = if wanted.is_empty() {
        let after = asked.query.text("after").map(|text| cursor::read::<BehindSku>("after", text));
        page(&app, after.transpose()?.map(|place| place.0), limit)?
    } else {
        (by_skus(&app, &wanted)?, false)
    };
    let next = match found.last() {
        Some(last) if more => Some(cursor::write(BehindSku(last.document.sku.clone()))),
        _ => None,
    };
    let wish = Wish::of(&asked);
    let items = found.iter().map(|one| wish.write(&app, one)).collect::<Result<Vec<_>, _>>()?;
    let mut out = Vec::with_capacity(items.iter().map(|item| item.len() + 1).sum::<usize>() + 128);
    out.extend_from_slice(b"{\"items\":");
    write_array(&mut out, items);
    out.extend_from_slice(b",\"next\":");
    write_value(&mut out, &next);
    if asked.query.flag("total") {
        out.extend_from_slice(b",\"total\":");
        write_value(&mut out, &app.documents.count()?);
    }
    out.push(b'}');
    let mut response = tagged(&app, &asked, out);
    link_next(&mut response, "/api/v1/products", &asked.query.address(), next.as_deref());
    Ok(response)
}

/// Up to `limit` shown products behind `after`, and whether there are more.
fn page(
    app: &App,
    mut after: Option<Sku>,
    limit: usize,
) -> Result<(Vec<StoredDocument>, bool), Problem> {
    let mut found = Vec::with_capacity(limit + 1);
    for _ in 0..MOST_ROUNDS {
        let wanted = limit + 1 - found.len();
        let some = app.documents.page_by_sku(&app.scope, after.as_ref(), wanted)?;
        let end = some.len() < wanted;
        after = some.last().map(|last| last.document.sku.clone()).or(after);
        found.extend(some.into_iter().filter(|one| is_shown(&one.document)));
        if end || found.len() > limit {
            break;
        }
    }
    let more = found.len() > limit;
    found.truncate(limit);
    Ok((found, more))
}

fn by_skus(app: &App, wanted: &[&str]) -> Result<Vec<StoredDocument>, Problem> {
    let mut found = Vec::with_capacity(wanted.len());
    for text in wanted {
        // What can't be a SKU names no product.
        if let Ok(sku) = Sku::new(text) {
            found.extend(shown(app, &sku)?);
        }
    }
    Ok(found)
}

async fn show_one(app: Arc<App>, asked: Asked) -> Result<warp::reply::Response, Problem> {
    // What can't be a SKU names no product.
    let sku = Sku::new(&asked.path[0]).map_err(|_| Problem::not_found())?;
    let wish = Wish::of(&asked);
    if wish.is_plain() {
        return Ok(one(&app, &sku).await?.answer(&asked));
    }
    let found = shown(&app, &sku)?.ok_or_else(Problem::not_found)?;
    Ok(tagged(&app, &asked, wish.write(&app, &found)?.to_vec()))
}

/// A product as JSON, from the page cache.
pub(crate) async fn one(app: &Arc<App>, sku: &Sku) -> Result<Arc<Entry>, Problem> {
    let address = format!("/api/v1/products/{}", encode(sku.as_str())).into();
    let key = Key { scope: Arc::clone(&app.scope), generation: 0, prices: 0, address };
    let build = || async {
        let found = shown(app, sku)?.ok_or_else(Problem::not_found)?;
        let extra = headers::of_data(&app.config);
        let page = Page::new(JSON, found.json.clone(), Keep::Revalidate, &extra);
        Ok(Built { page, products: vec![found.document.id], keep: true })
    };
    app.cache.get_or_build(key, build).await
}

fn shown(app: &App, sku: &Sku) -> Result<Option<StoredDocument>, Problem> {
    let found = app.documents.by_sku(&app.scope, sku)?;
    Ok(found.filter(|one| is_shown(&one.document)))
}

fn is_shown(document: &ProductDocument) -> bool {
    document.status == ProductStatus::Active
}

/// Which parts of a product a client wants.
pub(super) struct Wish<'a> {
    fields: Option<Vec<&'a str>>,
    include: Vec<&'a str>,
}

impl<'a> Wish<'a> {
    pub(super) fn of(asked: &'a Asked) -> Self {
        let some = |name| asked.query.optional(name).map(|text| text.split(',').map(str::trim));
        let include = some("include").map(Iterator::collect).unwrap_or_default();
        Self { fields: some("fields").map(Iterator::collect), include }
    }

    fn is_plain(&self) -> bool {
        self.fields.is_none() && self.include.is_empty()
    }

    /// The product's JSON; as it is kept, when all of it is wanted.
    fn write(&self, app: &App, found: &StoredDocument) -> Result<Bytes, Problem> {
        if self.include.is_empty() {
            return Ok(self.pick(&found.json));
        }
        let mut included = Map::new();
        for name in &self.include {
            let document = &found.document;
            let value = match *name {
                "parent" => match &document.parent {
                    Some(parent) => whole(app, &parent.sku)?,
                    None => Value::Null,
                },
                _ => {
                    let variants = document.variants.iter().take(MOST_INCLUDED);
                    let whole = variants.map(|variant| whole(app, &variant.sku));
                    let mut whole = whole.collect::<Result<Vec<_>, _>>()?;
                    whole.retain(|value| !value.is_null());
                    Value::Array(whole)
                }
            };
            included.insert((*name).to_owned(), value);
        }
        let mut out = self.pick(&found.json).to_vec();
        out.pop();
        if out.len() > 1 {
            out.push(b',');
        }
        out.extend_from_slice(b"\"included\":");
        write_value(&mut out, &included);
        out.push(b'}');
        Ok(out.into())
    }

    /// The fields wanted of a product that is JSON already.
    pub(super) fn pick(&self, json: &Bytes) -> Bytes {
        let Some(fields) = &self.fields else { return json.clone() };
        let Ok(mut all) = serde_json::from_slice::<Map<String, Value>>(json) else {
            return json.clone();
        };
        all.retain(|name, _| fields.contains(&name.as_str()));
        serde_json::to_vec(&all).unwrap_or_default().into()
    }
}

fn whole(app: &App, sku: &Sku) -> Result<Value, Problem> {
    match shown(app, sku)? {
        Some(found) => serde_json::from_slice(&found.json).map_err(Problem::internal),
        None => Ok(Value::Null),
    }
}
