//! `/api/v1/price-lists/{id}/prices`: what a list says of products, by SKU and quantity.

use super::{
    Family, ID, PAGE, READ, WRITE, absent, fields, id, price_lists::PriceListView, refused, who,
};
use crate::{
    domain::{
        document::ProductDocument,
        id::{PriceListId, ProductId},
        money::Currency,
        price::{PriceEdit, PriceEntry, PriceKey},
        quantity::{Precision, Quantity},
        rule::{Rule, RuleKind},
        sku::Sku,
    },
    http::{
        api::{fresh, link_next},
        app::App,
        cursor::{self, BehindPrice},
        error::{Code, Problem},
        openapi::{Doc, json},
        resource::{Asked, Intake, Operation, Resource},
    },
    ports::rules::RuleWritten,
};
use http::Method;
use serde::{Deserialize, Serialize};
use std::{collections::HashMap, sync::Arc};
use utoipa::ToSchema;
use warp::reply::Response;

const ADDRESS: &str = "/api/v1/price-lists/{id}/prices";

/// A price on a list.
#[derive(Serialize, ToSchema)]
struct PriceItem {
    /// `null`: the product isn't there any more.
    #[schema(required)]
    sku: Option<String>,
    product: uuid::Uuid,
    /// What the price is for one of.
    unit: String,
    /// From so many on; in steps, where the product isn't there any more.
    #[schema(example = "10")]
    from: String,
    #[schema(example = "9.99")]
    amount: String,
}

#[derive(Serialize, ToSchema)]
struct PriceItems {
    /// ISO 4217.
    currency: String,
    items: Vec<PriceItem>,
    /// The cursor of the next page; `null` on the last.
    #[schema(required)]
    next: Option<String>,
}

/// Prices to set and to drop, all or none of them.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PriceChanges {
    /// Of one SKU, unit and quantity given twice the later holds.
    #[serde(default)]
    #[schema(max_items = 500)]
    put: Vec<NewPrice>,
    /// One that isn't there is none to drop.
    #[serde(default)]
    #[schema(max_items = 500)]
    drop: Vec<OldPrice>,
    /// What you have seen: if one of these is otherwise by now, nothing is set or dropped.
    #[serde(default)]
    #[schema(max_items = 500)]
    seen: Vec<SeenPrice>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPrice {
    #[schema(min_length = 1, max_length = 64)]
    sku: String,
    /// The product's own when it is left out.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 20)]
    unit: Option<String>,
    /// From so many on; from the least there is when it is left out.
    #[serde(default)]
    #[schema(example = "10", max_length = 24)]
    from: Option<String>,
    /// For one whole unit, in the list's currency.
    #[schema(example = "9.99", max_length = 32)]
    amount: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OldPrice {
    #[schema(min_length = 1, max_length = 64)]
    sku: String,
    #[serde(default)]
    #[schema(min_length = 1, max_length = 20)]
    unit: Option<String>,
    #[serde(default)]
    #[schema(example = "10", max_length = 24)]
    from: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SeenPrice {
    #[schema(min_length = 1, max_length = 64)]
    sku: String,
    #[serde(default)]
    #[schema(min_length = 1, max_length = 20)]
    unit: Option<String>,
    #[serde(default)]
    #[schema(example = "10", max_length = 24)]
    from: Option<String>,
    /// `null`: that there was none.
    #[serde(default)]
    #[schema(example = "9.99", max_length = 32)]
    amount: Option<String>,
}

/// What became of them.
#[derive(Serialize, ToSchema)]
struct PricesChanged {
    /// Those that were so already are not counted.
    changed: u64,
}

pub(super) fn resources() -> Vec<Resource> {
    let list = Doc::new("list_prices", "prices", "What a price list says of products")
        .place(ID)
        .answer(200, "A page.", json::<PriceItems>());
    let change = Doc::new("change_prices", "prices", "Set and drop prices of a list")
        .about(
            "At most 500 at once, all or none of them. The price that holds for a quantity is that \
             of the highest `from` it reaches. With `seen`, what somebody else has changed \
             meanwhile is not written over.",
        )
        .place(ID)
        .body(json::<PriceChanges>())
        .answer(200, "They hold.", json::<PricesChanged>())
        .problem(Code::Conflict)
        .problem(Code::PreconditionFailed);
    let get = Operation::new(Method::GET, READ, PAGE, |a, b| Box::pin(show(a, b)));
    let patch = Operation::new(Method::PATCH, WRITE, &[], |a, b| Box::pin(set(a, b)));
    vec![Resource::new(ADDRESS, [get.doc(list), patch.takes(Intake::Json).doc(change)])]
}

async fn list_of(app: &App, asked: &Asked) -> Result<(PriceListId, Currency), Problem> {
    let id = id(asked, PriceListView::NAME)?;
    match app.rules.get(RuleKind::PriceList, id).await?.map(|stored| stored.rule) {
        Some(Rule::PriceList(assigned)) => Ok((assigned.list.id, assigned.list.currency)),
        _ => Err(absent(PriceListView::NAME)),
    }
}

async fn show(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let (list, currency) = list_of(&app, &asked).await?;
    let limit = asked.query.integer("limit") as u32;
    let after = match asked.query.text("after") {
        Some(text) => {
            let BehindPrice(product, unit, min_quantity) = cursor::read("after", text)?;
            Some(PriceKey { product, unit, min_quantity })
        }
        None => None,
    };
    let mut entries = app.rules.prices_of(list, after.as_ref(), limit + 1).await?;
    let more = entries.len() > limit as usize;
    entries.truncate(limit as usize);
    let last = entries.last().filter(|_| more);
    let next = last.map(|entry| {
        cursor::write(BehindPrice(entry.product, entry.unit.clone(), entry.min_quantity))
    });
    let ids: Vec<ProductId> = entries.iter().map(|entry| entry.product).collect();
    let documents = app.documents.documents(&app.scope, &ids)?;
    let item = |(entry, document): (PriceEntry, Option<ProductDocument>)| {
        let precision = document.as_ref().and_then(|d| Precision::new(d.precision).ok());
        let from = precision.map(|precision| entry.min_quantity.text(precision));
        PriceItem {
            sku: document.map(|document| document.sku.to_string()),
            product: entry.product.0,
            unit: entry.unit,
            from: from.unwrap_or_else(|| entry.min_quantity.steps().to_string()),
            amount: fields::text_of(entry.amount, currency),
        }
    };
    let items = entries.into_iter().zip(documents).map(item).collect();
    let currency = currency.code().to_owned();
    let mut response = fresh(&app, &PriceItems { currency, items, next: next.clone() });
    let address = ADDRESS.replace("{id}", &list.to_string());
    link_next(&mut response, &address, &asked.query.address(), next.as_deref());
    Ok(response)
}

async fn set(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let (who, (list, currency)) = (who(&asked)?, list_of(&app, &asked).await?);
    let changes: PriceChanges = asked.body.json().await?;
    let mut named = Named::new(&app);
    let mut edit = PriceEdit::default();
    for (row, new) in changes.put.into_iter().enumerate() {
        let at = format!("/put/{row}");
        let key = named.key(&at, &new.sku, new.unit, new.from.as_deref())?;
        let amount = fields::amount(&format!("{at}/amount"), &new.amount, currency)?;
        let PriceKey { product, unit, min_quantity } = key;
        edit.put.push(PriceEntry { list, product, unit, min_quantity, amount });
    }
    for (row, old) in changes.drop.into_iter().enumerate() {
        let at = format!("/drop/{row}");
        edit.drop.push(named.key(&at, &old.sku, old.unit, old.from.as_deref())?);
    }
    for (row, one) in changes.seen.into_iter().enumerate() {
        let at = format!("/seen/{row}");
        let key = named.key(&at, &one.sku, one.unit, one.from.as_deref())?;
        let amount = one.amount.as_deref();
        let amount = amount.map(|text| fields::amount(&format!("{at}/amount"), text, currency));
        edit.seen.push((key, amount.transpose()?));
    }
    match app.rules.set_prices(&who, list, edit).await? {
        RuleWritten::Prices(changed) => Ok(fresh(&app, &PricesChanged { changed })),
        other => Err(refused(other, PriceListView::NAME)),
    }
}

/// Products by what a body calls them; each is looked up once.
pub(crate) struct Named<'a> {
    app: &'a App,
    known: HashMap<Sku, (ProductId, String, Precision)>,
}

impl<'a> Named<'a> {
    pub(crate) fn new(app: &'a App) -> Self {
        Self { app, known: HashMap::new() }
    }

    pub(crate) fn key(
        &mut self,
        at: &str,
        sku: &str,
        unit: Option<String>,
        from: Option<&str>,
    ) -> Result<PriceKey, Problem> {
        let place = format!("{at}/sku");
        let sku = Sku::new(sku).map_err(|error| fields::wrong(&place, error))?;
        if !self.known.contains_key(&sku) {
            let found = self.app.documents.by_sku(&self.app.scope, &sku)?;
            let unknown = || Problem::field(&place, "there is no product with this SKU");
            let document = found.ok_or_else(unknown)?.document;
            let precision = Precision::new(document.precision);
            let precision = precision.map_err(|error| fields::wrong(&place, error))?;
            self.known.insert(sku.clone(), (document.id, document.unit, precision));
        }
        let (product, own, precision) = &self.known[&sku];
        let min_quantity = match from {
            None => Quantity::STEP,
            Some(text) => Quantity::parse(text, *precision)
                .map_err(|error| fields::wrong(&format!("{at}/from"), error))?,
        };
        Ok(PriceKey { product: *product, unit: unit.unwrap_or_else(|| own.clone()), min_quantity })
    }
}
