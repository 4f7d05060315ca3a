//! `/api/v1/exports/products`: every product as an import takes it. For administrators.

use super::{fresh_bytes, link_next, write_array, write_value};
use crate::{
    domain::import,
    http::{
        access::Access,
        app::App,
        cursor::{self, BehindExported},
        error::Problem,
        extract::{Param, Takes},
        openapi::{Doc, json},
        resource::{Asked, Operation, Resource},
    },
};
use http::Method;
use std::sync::Arc;
use utoipa::ToSchema;
use warp::reply::Response;

const ADDRESS: &str = "/api/v1/exports/products";
const LIST: &[Param] = &[
    Param::new(
        "after",
        Takes::Formed { most: cursor::MOST, pattern: cursor::PATTERN },
        "Where to go on: `next` of the answer before.",
    ),
    Param::new("limit", Takes::Integer { least: 1, most: 1_000, default: 100 }, "Rows at most."),
];

/// Products in the order of their SKUs. Only describes: the rows are JSON already.
#[derive(ToSchema)]
#[expect(dead_code, reason = "a description")]
struct ExportList {
    /// Each a row as an import takes it.
    #[schema(value_type = Vec<Object>)]
    items: Vec<String>,
    /// Hand it back as `after` for the next ones; `null` at the end.
    #[schema(required)]
    next: Option<String>,
}

pub(super) fn resources() -> Vec<Resource> {
    let list = Doc::new("export_products", "imports", "Products as an import takes them")
        .about(
            "Every product, disabled ones too, with what is on hand in each warehouse. Imported \
             into an empty shop, the rows make the same products at the same addresses, and their \
             stock.",
        )
        .answer(200, "Some rows, and where the list goes on.", json::<ExportList>());
    let admin = Operation::new(Method::GET, Access::Admin, LIST, |a, b| Box::pin(show(a, b)));
    vec![Resource::new(ADDRESS, [admin.doc(list)])]
}

async fn show(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let limit = asked.query.size("limit");
    let after = asked.query.text("after").map(|text| cursor::read::<BehindExported>("after", text));
    let after = after.transpose()?.map(|place| place.0);
    let wanted = u32::try_from(limit + 1).unwrap_or(u32::MAX);
    let mut drafts = app.drafts.drafts(&app.scope, after.as_ref(), wanted).await?;
    let more = drafts.len() > limit;
    drafts.truncate(limit);
    let last = drafts.last().filter(|_| more);
    let next = last.map(|last| cursor::write(BehindExported(last.sku.clone())));
    let mut out = b"{\"items\":".to_vec();
    write_array(&mut out, drafts.iter().map(import::json::write));
    out.extend_from_slice(b",\"next\":");
    write_value(&mut out, &next);
    out.push(b'}');
    let mut response = fresh_bytes(&app, out);
    link_next(&mut response, ADDRESS, &asked.query.address(), next.as_deref());
    Ok(response)
}
