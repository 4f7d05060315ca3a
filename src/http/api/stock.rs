//! `/api/v1/stock` and `/api/v1/warehouses`: what is there, seen and changed by staff.

use super::{fresh, link_next};
use crate::{
    domain::{
        id::WarehouseId,
        policy::Permission,
        principal::Principal,
        sku::Sku,
        stock::{EditRefused, Movement, StockEdit, StockRecord},
    },
    http::{
        access::Access,
        app::App,
        cursor::{self, BeforeMovement},
        error::{Code, Problem},
        extract::{Param, Takes},
        openapi::{Doc, json},
        resource::{Answer, Asked, Intake, Operation, Resource},
    },
    ports::stock::{StockWrite, StockWritten, Warehouse},
};
use http::{HeaderValue, Method, header};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};
use utoipa::ToSchema;
use uuid::Uuid;
use warp::reply::Response;

const SKU: Param = Param::new("sku", Takes::Text { most: 64 }, "The product's SKU.");
const CODE: Param = Param::new(
    "code",
    Takes::Formed { most: 32, pattern: "^[a-z0-9][a-z0-9_-]{0,31}$" },
    "The warehouse's code.",
);
const MOVEMENTS: &[Param] = &[
    Param::new(
        "after",
        Takes::Formed { most: cursor::MOST, pattern: cursor::PATTERN },
        "Where to go on: `next` of the answer before.",
    ),
    Param::new("limit", Takes::Integer { least: 1, most: 500, default: 50 }, "Lines at most."),
];

/// How a product is stocked. Quantities are in the product's smallest steps.
#[derive(Serialize, ToSchema)]
struct StockLevels {
    sku: String,
    /// Whether it is counted by its parts.
    bundle: bool,
    /// How many could be sold now; `null`: it isn't counted.
    #[schema(required)]
    available: Option<i64>,
    /// With no more than this left it counts as sold out.
    threshold: i64,
    /// Whether more may be promised than there are.
    back_order: bool,
    version: i64,
    levels: Vec<LevelView>,
}

#[derive(Serialize, ToSchema)]
struct LevelView {
    warehouse: String,
    on_hand: i64,
    /// Of these, set aside for open orders.
    reserved: i64,
    /// Promised beyond what is there.
    owed: i64,
}

/// What to change: either what is there, counted anew, or by how much it is more or fewer.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct StockChange {
    /// What is there now, by warehouse; others stay as they are.
    #[serde(default)]
    #[schema(value_type = Option<Object>, example = json!({"main": 40}))]
    on_hand: Option<BTreeMap<String, i64>>,
    /// With `on_hand`; left out it stays.
    #[serde(default)]
    #[schema(minimum = 0)]
    threshold: Option<i64>,
    /// With `on_hand`; left out it stays.
    #[serde(default)]
    back_order: Option<bool>,
    #[serde(default)]
    adjust: Option<Adjustment>,
    /// Why, for the ledger.
    #[serde(default)]
    #[schema(max_length = 500)]
    note: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Adjustment {
    warehouse: String,
    /// So many more, or fewer.
    by: i64,
}

/// A line of the ledger.
#[derive(Serialize, ToSchema)]
struct MovementView {
    id: Uuid,
    /// `opening`, `import`, `set`, `adjust`, `reserve`, `release`, `ship` or `restock`.
    kind: &'static str,
    on_hand: i64,
    promised: i64,
    #[schema(required)]
    order: Option<Uuid>,
    by: String,
    note: String,
    /// RFC 3339, UTC.
    #[schema(format = DateTime)]
    at: String,
}

#[derive(Serialize, ToSchema)]
struct MovementList {
    items: Vec<MovementView>,
    /// Hand it back as `after` for older ones; `null` at the end.
    #[schema(required)]
    next: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct WarehouseView {
    id: Uuid,
    code: String,
    name: String,
    /// The lowest is drawn on first.
    priority: i32,
}

#[derive(Serialize, ToSchema)]
struct WarehouseList {
    items: Vec<WarehouseView>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WarehouseBody {
    #[schema(min_length = 1, max_length = 80)]
    name: String,
    #[serde(default)]
    priority: i32,
}

pub(super) fn resources() -> Vec<Resource> {
    let tag = "stock";
    let one = Doc::new("get_stock", tag, "How a product is stocked")
        .about("Its `ETag` stands for this version of it.")
        .place(SKU)
        .answer(200, "Its levels.", json::<StockLevels>());
    let change = Doc::new("change_stock", tag, "Count or adjust a product's stock")
        .about("With `If-Match`, only if it is still the version that was seen.")
        .place(SKU)
        .body(json::<StockChange>())
        .answer(200, "Its levels now.", json::<StockLevels>())
        .problem(Code::Conflict)
        .problem(Code::PreconditionFailed);
    let ledger = Doc::new("list_stock_movements", tag, "Everything that moved a product's stock")
        .place(SKU)
        .answer(200, "Some of it, the newest first.", json::<MovementList>());
    let all = Doc::new("list_warehouses", tag, "Warehouses in the order they are drawn on").answer(
        200,
        "All of them.",
        json::<WarehouseList>(),
    );
    let put = Doc::new("put_warehouse", tag, "Make a warehouse, or change it")
        .place(CODE)
        .body(json::<WarehouseBody>())
        .answer(200, "All of them now.", json::<WarehouseList>());
    let staff = |method, permission, params, run: fn(Arc<App>, Asked) -> Answer| {
        Operation::new(method, Access::Staff(permission), params, run)
    };
    let (read, write) = (Permission::CatalogueRead, Permission::StockWrite);
    vec![
        Resource::new(
            "/api/v1/stock/{sku}",
            [
                staff(Method::GET, read, &[], |a, b| Box::pin(show(a, b))).doc(one),
                staff(Method::PATCH, write, &[], |a, b| Box::pin(edit(a, b)))
                    .takes(Intake::Json)
                    .doc(change),
            ],
        ),
        Resource::new(
            "/api/v1/stock/{sku}/movements",
            [staff(Method::GET, read, MOVEMENTS, |a, b| Box::pin(show_ledger(a, b))).doc(ledger)],
        ),
        Resource::new(
            "/api/v1/warehouses",
            [staff(Method::GET, read, &[], |a, b| Box::pin(show_warehouses(a, b))).doc(all)],
        ),
        Resource::new(
            "/api/v1/warehouses/{code}",
            [staff(Method::PUT, write, &[], |a, b| Box::pin(put_one(a, b)))
                .takes(Intake::Json)
                .doc(put)],
        ),
    ]
}

async fn show(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    Ok(shown(&app, &find(&app, &asked).await?))
}

async fn edit(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let before = find(&app, &asked).await?;
    let wish: StockChange = asked.body.json().await?;
    if wish.note.chars().count() > 500 {
        return Err(Problem::field("/note", "a note has at most 500 characters"));
    }
    let edit = match (wish.on_hand, wish.adjust) {
        (Some(_), Some(_)) => {
            return Err(Problem::field("/adjust", "count it or adjust it, not both at once"));
        }
        (None, Some(Adjustment { warehouse, by })) => StockEdit::Adjust { warehouse, by },
        (levels, None) => StockEdit::Set {
            levels: levels.unwrap_or_default().into_iter().collect(),
            threshold: wish.threshold.unwrap_or(before.threshold),
            back_order: wish.back_order.unwrap_or(before.back_order),
        },
    };
    let by = asked.visit.principal().unwrap_or(Principal::Operator).to_string();
    let write = StockWrite {
        site: app.scope.site.clone(),
        sku: before.sku,
        edit,
        by,
        note: wish.note,
        at: app.clock.now(),
        if_version: super::version_to_match(&asked.headers)?,
    };
    match app.stocks.edit(write).await?.ok_or_else(absent)? {
        StockWritten::Done(record) => Ok(shown(&app, &record)),
        StockWritten::Bundle => {
            Err(Problem::new(Code::Conflict, "it is counted by its parts: change theirs"))
        }
        StockWritten::Stale(version) => Err(Problem::new(
            Code::PreconditionFailed,
            format!("the stock has changed since: its ETag is \"{version}\""),
        )),
        StockWritten::Refused(EditRefused::NoWarehouse(code)) => {
            Err(Problem::field("/on_hand", format!("there is no warehouse {code}")))
        }
        StockWritten::Refused(EditRefused::Level { warehouse, why }) => {
            Err(Problem::new(Code::Conflict, format!("{warehouse}: {why}")))
        }
    }
}

async fn show_ledger(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let record = find(&app, &asked).await?;
    let limit = asked.query.size("limit");
    let after = asked.query.text("after").map(|text| cursor::read::<BeforeMovement>("after", text));
    let before = after.transpose()?.map(|place| place.0);
    let mut lines = Vec::new();
    if let Some(item) = record.item {
        let most = u32::try_from(limit + 1).unwrap_or(u32::MAX);
        lines = app.stocks.movements(item, before, most).await?;
    }
    let more = lines.len() > limit;
    lines.truncate(limit);
    let next = lines.last().filter(|_| more).map(|last| cursor::write(BeforeMovement(last.id)));
    let items = lines.iter().map(MovementView::of).collect();
    let address = format!("/api/v1/stock/{}/movements", record.sku);
    let mut response = fresh(&app, &MovementList { items, next: next.clone() });
    link_next(&mut response, &address, &asked.query.address(), next.as_deref());
    Ok(response)
}

async fn show_warehouses(app: Arc<App>, _: Asked) -> Result<Response, Problem> {
    warehouses(&app).await
}

async fn put_one(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let code = asked.path[0].clone();
    let letters = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    if code.len() > 32 || !code.bytes().all(letters) {
        let told = "1 to 32 small letters, digits, hyphens and underscores";
        return Err(Problem::parameter("code", told));
    }
    let WarehouseBody { name, priority } = asked.body.json().await?;
    let name = name.trim().to_owned();
    if !(1..=80).contains(&name.chars().count()) || name.chars().any(char::is_control) {
        return Err(Problem::field("/name", "a name is 1 to 80 characters on one line"));
    }
    let (id, site) = (WarehouseId(app.ids.next()), app.scope.site.clone());
    app.stocks.put_warehouse(Warehouse { id, site, code, name, priority }).await?;
    warehouses(&app).await
}

async fn warehouses(app: &App) -> Result<Response, Problem> {
    let all = app.stocks.warehouses(&app.scope.site).await?;
    let view = |one: Warehouse| WarehouseView {
        id: one.id.0,
        code: one.code,
        name: one.name,
        priority: one.priority,
    };
    Ok(fresh(app, &WarehouseList { items: all.into_iter().map(view).collect() }))
}

async fn find(app: &App, asked: &Asked) -> Result<StockRecord, Problem> {
    let sku = Sku::new(&asked.path[0]).map_err(|_| absent())?;
    app.stocks.record(&app.scope.site, &sku).await?.ok_or_else(absent)
}

fn shown(app: &App, record: &StockRecord) -> Response {
    let mut response = fresh(app, &StockLevels::of(record));
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{}\"", record.version)) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

fn absent() -> Problem {
    Problem::new(Code::NotFound, "there is no product with this SKU")
}

impl StockLevels {
    fn of(record: &StockRecord) -> Self {
        let levels = record.levels.iter().map(|level| LevelView {
            warehouse: level.warehouse.clone(),
            on_hand: level.on_hand,
            reserved: level.reserved,
            owed: level.owed,
        });
        Self {
            sku: record.sku.to_string(),
            bundle: record.bundle,
            available: record.available,
            threshold: record.threshold,
            back_order: record.back_order,
            version: record.version,
            levels: levels.collect(),
        }
    }
}

impl MovementView {
    fn of(movement: &Movement) -> Self {
        Self {
            id: movement.id,
            kind: movement.kind.as_str(),
            on_hand: movement.on_hand,
            promised: movement.promised,
            order: movement.order.map(|order| order.0),
            by: movement.by.clone(),
            note: movement.note.clone(),
            at: movement.at.rfc3339(),
        }
    }
}
