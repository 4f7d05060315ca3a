//! `/admin/products`: the catalogue with what is hidden from shoppers, and one product with its
//! details, its stock and its prices, each changed in place.

mod one;
mod prices;
mod stock;

use super::{Shown, address, may};
use crate::{
    domain::{import::change, policy::Permission, product::ProductStatus},
    http::{
        access::Access,
        api::products::wrong,
        app::App,
        cursor::{self, BehindSku},
        error::{Code, Problem},
        extract::{Param, Takes, encode},
        personal::see_other,
        resource::{Asked, Operation, Resource},
    },
    ports::products::{ProductFilter, ProductWritten},
    views::admin::{self as views, ProductsRoom, Typed},
};
use serde_json::{Map, Value};
use std::sync::Arc;
use warp::reply::Response;

pub(super) const HERE: &str = "/admin/products";
const READ: Access = Access::Staff(Permission::CatalogueRead);
const WRITE: Access = Access::Staff(Permission::CatalogueWrite);

/// Products of one page.
const PAGE: usize = 50;
const STATUSES: &[&str] = &["active", "disabled"];
const LIST: &[Param] = &[
    Param::new(
        "after",
        Takes::Formed { most: cursor::MOST, pattern: cursor::PATTERN },
        "Where to go on.",
    ),
    Param::new("q", Takes::Text { most: 100 }, "Part of a SKU, a name or a brand."),
    Param::new("status", Takes::OneOf(STATUSES), "Only those in this state."),
];

pub(super) fn resources() -> Vec<Resource> {
    let mut all = one::resources();
    all.push(Resource::new(
        HERE,
        [
            Operation::personal(READ, LIST, |a, b| Box::pin(show_all(a, b))),
            Operation::form(WRITE, |a, b| Box::pin(make(a, b))),
        ],
    ));
    all
}

fn place(sku: &str) -> String {
    format!("{HERE}/{}", encode(sku))
}

async fn show_all(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let shown = Shown::new(&app, &mut asked, HERE).await?;
    page(&app, &asked, shown, &Typed::default()).await
}

async fn make(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let who = asked.visit.must_act()?;
    let text = |name: &str| asked.form.text(name).to_owned();
    let typed = vec![("sku", text("sku")), ("name", text("name"))];
    let fields = typed.iter().map(|(name, text)| ((*name).to_owned(), Value::from(text.clone())));
    let hidden = ("status".to_owned(), Value::from("disabled"));
    let fields: Map<_, _> = fields.chain([hidden]).collect();
    let made = match change::make(fields, app.config.currency).map_err(wrong) {
        Ok(draft) => {
            let sku = draft.sku.clone();
            match app.products.make(draft, &who).await? {
                Some(ProductWritten::Put(_)) => Ok(sku),
                _ => Err(Problem {
                    errors: vec![super::field_error("sku", "There is a product with this SKU.")],
                    ..Problem::new(Code::Taken, "there is a product with this SKU")
                }),
            }
        }
        Err(problem) => Err(problem),
    };
    match made {
        Ok(sku) => Ok(see_other(&format!("{}?done=made", place(sku.as_str())))),
        Err(problem) => {
            let errors = super::errors_by_field(&problem);
            let shown = Shown::new(&app, &mut asked, HERE).await?.failed(problem)?;
            page(&app, &asked, shown, &Typed { values: typed, errors }).await
        }
    }
}

async fn page(app: &App, asked: &Asked, shown: Shown, typed: &Typed) -> Result<Response, Problem> {
    let after = asked.query.optional("after");
    let after = after.map(|text| cursor::read::<BehindSku>("after", text)).transpose()?;
    let after = after.map(|place| place.0);
    let text = asked.query.optional("q").unwrap_or_default().trim();
    let status = asked.query.optional("status").and_then(ProductStatus::parse);
    let filter = ProductFilter { text: text.to_owned(), status };
    let mut rows = app.products.find(&filter, after.as_ref(), PAGE as u32 + 1).await?;
    let more = rows.len() > PAGE;
    rows.truncate(PAGE);
    let next = rows.last().filter(|_| more).map(|last| cursor::write(BehindSku(last.sku.clone())));
    let next = next.map(|next| address(HERE, &asked.query, Some(&next)));
    let room = ProductsRoom {
        text,
        status,
        rows: &rows,
        is_first: after.is_none(),
        first: &address(HERE, &asked.query, None),
        next: next.as_deref(),
        new: may(asked, Permission::CatalogueWrite).then_some(typed),
    };
    Ok(shown.answer(app, asked, views::products(&shown.frame("Products"), &room)))
}
