//! Products made and changed by staff, one at a time: in the fields of an import's row, read by its
//! rules.

use super::{JSON, SKU};
use crate::{
    actors::keepers::{carts::Named, writer::Told},
    domain::{
        import::{RowError, change as row, json as rows},
        policy::Permission,
        principal::Principal,
        product::ProductDraft,
        sku::Sku,
    },
    http::{
        access::Access,
        api::{fresh_bytes, version_to_match},
        app::App,
        error::{Code, FieldError, Problem},
        extract::encode,
        once,
        openapi::{Doc, json},
        resource::{Asked, Intake, Operation, Resource},
    },
    ports::{
        products::{ProductWritten, StoredDraft},
        writer::{Answering, Written},
    },
};
use http::{HeaderValue, Method, StatusCode, header};
use serde_json::{Map, Value};
use std::{collections::BTreeMap, sync::Arc};
use utoipa::ToSchema;
use warp::reply::Response;

const WRITE: Access = Access::Staff(Permission::CatalogueWrite);

/// A product as an import takes it, without its stock.
#[derive(ToSchema)]
#[expect(dead_code, reason = "a description: rows are read as an import reads them")]
struct ProductSource {
    #[schema(max_length = 64)]
    sku: String,
    /// What its address ends with; made of the name when it is left out.
    slug: Option<String>,
    #[serde(flatten)]
    fields: ProductChange,
}

/// What of a product is to be otherwise; `null` takes something away.
#[derive(ToSchema)]
#[expect(dead_code, reason = "a description: rows are read as an import reads them")]
struct ProductChange {
    #[schema(max_length = 300)]
    name: Option<String>,
    #[schema(max_length = 120)]
    brand: Option<String>,
    #[schema(max_length = 2000)]
    short_description: Option<String>,
    #[schema(max_length = 50000)]
    description: Option<String>,
    /// `active` or `disabled`.
    #[schema(example = "active")]
    status: Option<String>,
    /// `null`: on request.
    #[schema(example = "49.99")]
    price: Option<String>,
    /// ISO 4217; the shop's when it is left out.
    #[schema(example = "EUR")]
    currency: Option<String>,
    /// Products of one category bear the same tax; `standard` when it is left out.
    #[schema(max_length = 32, pattern = "^[a-z0-9-]+$", example = "reduced")]
    tax_category: Option<String>,
    /// Names from the root down; those that are missing are made.
    #[schema(max_items = 8)]
    categories: Option<Vec<String>>,
    #[schema(max_items = 20)]
    images: Option<Vec<String>>,
    attributes: Option<BTreeMap<String, String>>,
    /// What tells a variant from its sisters.
    options: Option<BTreeMap<String, String>>,
    /// What one is called: `each`, `kg`.
    #[schema(max_length = 20)]
    unit: Option<String>,
    /// Digits after the point that a quantity may have.
    #[schema(minimum = 0, maximum = 6)]
    precision: Option<u8>,
    /// The SKU of the product it is a variant of.
    variant_of: Option<String>,
    /// Higher is shown first.
    popularity: Option<i64>,
}

pub(super) fn make() -> Operation {
    let doc = Doc::new("make_product", "catalogue", "Make a product")
        .about("Its stock is counted at `/api/v1/stock/{sku}`.")
        .body(json::<ProductSource>())
        .answer(201, "It is made.", json::<ProductSource>())
        .problem(Code::Taken);
    Operation::new(Method::POST, WRITE, &[], |a, b| Box::pin(make_one(a, b)))
        .takes(Intake::Json)
        .once()
        .doc(doc)
}

pub(super) fn change() -> Operation {
    let doc = Doc::new("change_product", "catalogue", "Change a product")
        .about("Needs `If-Match` with the `ETag` of its source.")
        .place(SKU)
        .body(json::<ProductChange>())
        .answer(200, "As it is now.", json::<ProductSource>())
        .problem(Code::PreconditionFailed)
        .problem(Code::PreconditionRequired);
    Operation::new(Method::PATCH, WRITE, &[], |a, b| Box::pin(change_one(a, b)))
        .takes(Intake::Json)
        .doc(doc)
}

pub(super) fn source() -> Resource {
    let read = Access::Staff(Permission::CatalogueRead);
    let doc = Doc::new("get_product_source", "catalogue", "A product as an import would bring it")
        .about("A disabled one too. Its `ETag` stands for this version of it.")
        .place(SKU)
        .answer(200, "Its row, without stock.", json::<ProductSource>());
    Resource::new(
        "/api/v1/products/{sku}/source",
        [Operation::new(Method::GET, read, &[], |a, b| Box::pin(show(a, b))).doc(doc)],
    )
}

async fn show(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let StoredDraft { draft, version, .. } = find(&app, &asked).await?;
    Ok(shown(&app, &draft, version))
}

async fn change_one(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let before = find(&app, &asked).await?;
    if !asked.headers.contains_key(header::IF_MATCH) {
        let told = "send If-Match with the ETag of the product's source";
        return Err(Problem::new(Code::PreconditionRequired, told));
    }
    if version_to_match(&asked.headers)?.is_some_and(|seen| seen != before.version) {
        return Err(stale(before.version));
    }
    let who = asked.visit.principal().unwrap_or(Principal::Operator);
    let fields: Map<String, Value> = asked.body.json().await?;
    let draft = row::change(&before.draft, fields, app.config.currency).map_err(wrong)?;
    match app.products.change(before, draft.clone(), &who).await?.ok_or_else(absent)? {
        ProductWritten::Put(version) => Ok(shown(&app, &draft, version)),
        ProductWritten::Stale(version) => Err(stale(version)),
        ProductWritten::Taken => Err(Problem::internal("a change was taken for a new product")),
    }
}

async fn make_one(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let name = asked.name()?;
    let who = asked.visit.principal().unwrap_or(Principal::Operator);
    let (fields, body): (Map<String, Value>, _) = asked.body.json_and_hash().await?;
    let draft = row::make(fields, app.config.currency).map_err(wrong)?;
    let answer = made_answer(draft.clone(), asked.caller.request_id.clone());
    match app.products.make_once(draft, &who, Named { name, body, answer }).await? {
        Told::Answer(answer) => Ok(once::respond(&app, answer)),
        Told::Once(other) => Err(Problem::internal(format!("a product came to {other:?}"))),
    }
}

/// Kept for who asks again: the product, or that there is one already.
fn made_answer(draft: ProductDraft, request_id: HeaderValue) -> Answering {
    Arc::new(move |written| match written {
        Written::Product(ProductWritten::Put(version)) => {
            let place = format!("/api/v1/products/{}", encode(draft.sku.as_str()));
            let headers = [(header::LOCATION, place), (header::ETAG, tag(*version))];
            let body = rows::write(&draft).into_bytes();
            Some(once::kept(StatusCode::CREATED, headers, JSON, body))
        }
        Written::Product(ProductWritten::Taken) => {
            let problem = Problem::new(Code::Taken, "there is a product with this SKU already");
            Some(once::kept_problem(&problem, &request_id))
        }
        _ => None,
    })
}

async fn find(app: &App, asked: &Asked) -> Result<StoredDraft, Problem> {
    let sku = Sku::new(&asked.path[0]).map_err(|_| absent())?;
    app.products.get(&sku).await?.ok_or_else(absent)
}

fn shown(app: &App, draft: &ProductDraft, version: i64) -> Response {
    let mut response = fresh_bytes(app, rows::write(draft).into_bytes());
    if let Ok(tag) = HeaderValue::from_str(&tag(version)) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

fn tag(version: i64) -> String {
    format!("\"{version}\"")
}

fn stale(version: i64) -> Problem {
    let told = format!("the product has changed since: the ETag of its source is {}", tag(version));
    Problem::new(Code::PreconditionFailed, told)
}

fn absent() -> Problem {
    Problem::new(Code::NotFound, "there is no product with this SKU")
}

/// What is wrong with a row, each with its field.
pub(crate) fn wrong(errors: Vec<RowError>) -> Problem {
    let error = |error: RowError| FieldError {
        pointer: error.field.map(|field| format!("/{field}")),
        detail: error.message,
        ..FieldError::default()
    };
    let told = "some of its fields can't be so; nothing was changed";
    let errors = errors.into_iter().map(error).collect();
    Problem { errors, ..Problem::new(Code::BadContent, told) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use utoipa::{
        PartialSchema,
        openapi::{RefOr, Schema},
    };

    #[test]
    fn what_is_described_is_what_may_be_changed() {
        let RefOr::T(Schema::Object(described)) = ProductChange::schema() else {
            panic!("an object")
        };
        let mut described: Vec<_> = described.properties.keys().map(String::as_str).collect();
        let mut known = row::CHANGEABLE.to_vec();
        described.sort_unstable();
        known.sort_unstable();
        assert_eq!(described, known);
    }
}
