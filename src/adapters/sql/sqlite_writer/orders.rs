//! Orders placed together: stock and products are read once for all of them, decided in memory,
//! and what was granted is written set by set.

use super::{coupons, mail, products::Hex, stock};
use crate::{
    adapters::sql::texts::statements,
    domain::{
        event::EventKind,
        id::{CartId, OrderId, ProductId, StockItemId},
        money::Money,
        order::{Order, OrderLine, OrderNumber},
        placing::{Known, Placed, Placing, ProductNow, Verdict, decide},
        price::PriceSource,
        product::ProductStatus,
        sku::Sku,
        stock::{Movement, MovementKind, Reserve},
        tax::{TaxCategory, TaxMode},
    },
    ports::clock::Ids,
};
use serde::Serialize;
use sqlx::{SqliteConnection, types::Json};
use sqlx_macros::FromRow;
use std::collections::BTreeSet;
use uuid::Uuid;

statements! {
    PRODUCTS_NOW = { sqlite:
        "SELECT p.id, p.sku, p.status, p.price_minor, p.currency, p.tax_category
         FROM json_each($1) j CROSS JOIN product p ON p.id = unhex(j.value)" };
    ITEMS_OF = { sqlite:
        "SELECT DISTINCT u.item_id FROM json_each($1) j
         CROSS JOIN sku_stock_item u ON u.product_id = unhex(j.value)" };
    ORDERED = { sqlite:
        "SELECT o.cart_id, o.id FROM json_each($1) j
         CROSS JOIN sales_order o ON o.cart_id = unhex(j.value)" };
    CARTS_NOW = { sqlite:
        "SELECT c.id, c.version FROM json_each($1) j
         CROSS JOIN cart c ON c.id = unhex(j.value) WHERE c.state = 'open'" };
    CARTS_ARE_ORDERED = { sqlite:
        "UPDATE cart SET state = 'ordered', version = version + 1, updated_at = $2
         WHERE id IN (SELECT unhex(value) FROM json_each($1))" };
    LAST_NUMBER = { sqlite: "SELECT max(number) FROM sales_order" };
    PUT_ORDERS = { sqlite:
        "INSERT INTO sales_order (number, id, site, locale, status, payment, fulfilment, version,
             cart_id, customer_id, placed_by, email, access_hash, currency, subtotal, discount,
             shipping, shipping_tax, tax, tax_on_top, total, taxes, coupon, sent_by, ship_to,
             bill_to, payment_id, provider, held_until, placed_at, updated_at)
         SELECT value->>0, unhex(value->>1), value->>2, value->>3, value->>4, value->>5, value->>6,
             value->>7, unhex(value->>8), unhex(value->>9), value->>10, value->>11,
             unhex(value->>12), value->>13, value->>14, value->>15, value->>16, value->>17,
             value->>18, value->>19, value->>20, value->>21, value->>22, value->>23, value->>24,
             value->>25, unhex(value->>26), value->>27, value->>28, value->>29, value->>29
         FROM json_each($1)" };
    PUT_LINES = { sqlite:
        "INSERT INTO sales_order_line (order_id, position, product_id, sku, name, unit, quantity,
             precision, unit_minor, price_tax, price_list, price_from, tax_category, amount,
             discount, net, tax, gross)
         SELECT unhex(value->>0), value->>1, unhex(value->>2), value->>3, value->>4, value->>5,
             value->>6, value->>7, value->>8, value->>9, unhex(value->>10), value->>11,
             value->>12, value->>13, value->>14, value->>15, value->>16, value->>17
         FROM json_each($1)" };
    PUT_RESERVATIONS = { sqlite:
        "INSERT INTO reservation (order_id, item_id, warehouse_id, quantity)
         SELECT unhex(value->>0), unhex(value->>1), unhex(value->>2), value->>3
         FROM json_each($1)" };
    PUT_INTENTS = { sqlite:
        "INSERT INTO payment_intent (id, order_id, provider, token, amount_minor, currency,
             created_at, due_at)
         SELECT unhex(value->>0), unhex(value->>1), value->>2, value->>3, value->>4, value->>5,
             value->>6, value->>6
         FROM json_each($1)" };
}

#[derive(FromRow)]
struct ProductRow {
    id: Uuid,
    sku: String,
    status: String,
    price_minor: Option<i64>,
    currency: Option<String>,
    tax_category: String,
}

#[derive(Serialize)]
struct Row<'a>(
    i64,
    Hex,
    &'a str,
    &'a str,
    &'static str,
    &'static str,
    &'static str,
    i64,
    Option<Hex>,
    Option<Hex>,
    &'a str,
    &'a str,
    String,
    &'a str,
    i64,
    i64,
    i64,
    i64,
    i64,
    i64,
    i64,
    &'a [crate::domain::totals::TaxLine],
    Option<&'a str>,
    Option<&'a crate::domain::shipping::ShippingQuote>,
    &'a crate::domain::address::Address,
    Option<&'a crate::domain::address::Address>,
    Hex,
    &'a str,
    Option<i64>,
    i64,
);

impl<'a> Row<'a> {
    fn of(order: &'a Order, access: &[u8; 32]) -> Self {
        let sums = &order.summary;
        Self(
            order.number.0,
            Hex(order.id.0),
            &order.scope.site.0,
            &order.scope.locale.0,
            order.state.status.as_str(),
            order.state.payment.as_str(),
            order.state.fulfilment.as_str(),
            order.version,
            order.cart.map(|id| Hex(id.0)),
            order.customer.map(|id| Hex(id.0)),
            &order.placed_by,
            &order.email,
            access.iter().map(|byte| format!("{byte:02x}")).collect(),
            sums.currency.code(),
            sums.subtotal,
            sums.discount,
            sums.shipping,
            sums.shipping_tax,
            sums.tax,
            sums.tax_on_top,
            sums.total,
            &sums.taxes,
            order.coupon.as_ref().map(|code| code.as_str()),
            order.shipping.as_ref(),
            &order.ship_to,
            order.bill_to.as_ref(),
            Hex(order.payment.0),
            &order.provider,
            order.held_until.map(|at| at.0),
            order.placed_at.0,
        )
    }
}

#[derive(Serialize)]
struct LineRow<'a>(
    Hex,
    usize,
    Hex,
    &'a str,
    &'a str,
    &'a str,
    i64,
    u8,
    i64,
    &'static str,
    Option<Hex>,
    i64,
    &'a str,
    i64,
    i64,
    i64,
    i64,
    i64,
);

impl<'a> LineRow<'a> {
    fn of(order: OrderId, position: usize, line: &'a OrderLine) -> Self {
        let OrderLine { product, sku, name, unit, priced, total } = line;
        let price = priced.price();
        Self(
            Hex(order.0),
            position,
            Hex(product.0),
            sku.as_str(),
            name,
            unit,
            priced.quantity().steps(),
            priced.precision().digits(),
            price.amount.minor,
            match price.tax {
                TaxMode::Exclusive => "exclusive",
                TaxMode::Inclusive => "inclusive",
            },
            match price.source {
                PriceSource::Base => None,
                PriceSource::List { list } => Some(Hex(list.0)),
            },
            price.min_quantity.steps(),
            priced.tax_category().as_str(),
            total.amount,
            total.discount,
            total.net,
            total.tax,
            total.gross,
        )
    }
}

/// In the order they came; inside the caller's transaction.
pub(super) async fn place(
    conn: &mut SqliteConnection,
    placings: &[&Placing],
    ids: &dyn Ids,
) -> Result<Vec<Placed>, sqlx::Error> {
    let known = read(conn, placings).await?;
    let before = known.shelves.clone();
    let decided = decide(placings, known);
    let last: Option<i64> = sqlx::query_scalar(LAST_NUMBER.sqlite).fetch_one(&mut *conn).await?;
    let mut number = last.unwrap_or(OrderNumber::NONE.0);
    let mut granted: Vec<(&Placing, Vec<Reserve>)> = Vec::new();
    let mut placed = Vec::with_capacity(placings.len());
    for (placing, verdict) in placings.iter().zip(decided.verdicts) {
        placed.push(match verdict {
            Verdict::Granted(reserves) => {
                number += 1;
                granted.push((placing, reserves));
                let order = Order { number: OrderNumber(number), ..placing.order.clone() };
                Placed::Order(Box::new(order))
            }
            Verdict::SoldOut(short) => Placed::SoldOut(short),
            Verdict::Changed(changed) => Placed::Changed(changed),
            Verdict::Ordered(before) => Placed::Ordered(before),
            Verdict::CartMoved => Placed::CartMoved,
            Verdict::Coupon(why) => Placed::Coupon(why),
        });
    }
    if granted.is_empty() {
        return Ok(placed);
    }
    let orders = placed.iter().filter_map(|one| match one {
        Placed::Order(order) => Some(&**order),
        _ => None,
    });
    let rows: Vec<_> =
        orders.zip(&granted).map(|(order, (placing, _))| Row::of(order, &placing.access)).collect();
    sqlx::query(PUT_ORDERS.sqlite).bind(Json(rows)).execute(&mut *conn).await?;
    write(conn, &granted).await?;
    coupons::put(conn, &decided.coupons).await?;
    let movements = granted.iter().flat_map(|(placing, reserves)| {
        reserves.iter().map(|reserve| reserved(&placing.order, reserve, ids))
    });
    let at = granted.iter().map(|(placing, _)| placing.order.placed_at).max().unwrap_or_default();
    stock::put(conn, &before, &decided.shelves, &movements.collect::<Vec<_>>(), at).await?;
    mail::confirm(conn, granted.iter().map(|(placing, _)| *placing), ids).await?;
    let subjects = granted.iter().map(|(placing, _)| placing.order.id.0);
    stock::tell(conn, EventKind::OrderPlaced, subjects, at).await?;
    Ok(placed)
}

fn reserved(order: &Order, reserve: &Reserve, ids: &dyn Ids) -> Movement {
    Movement {
        id: ids.next(),
        item: reserve.item,
        warehouse: reserve.warehouse,
        kind: MovementKind::Reserve,
        on_hand: 0,
        promised: reserve.quantity,
        order: Some(order.id),
        by: order.placed_by.clone(),
        note: String::new(),
        at: order.placed_at,
    }
}

async fn read(conn: &mut SqliteConnection, placings: &[&Placing]) -> Result<Known, sqlx::Error> {
    let lines = placings.iter().flat_map(|placing| &placing.order.lines);
    let products: BTreeSet<_> = lines.map(|line| line.product).collect();
    let products = Json(products.iter().map(|id| Hex(id.0)).collect::<Vec<_>>());
    let rows: Vec<ProductRow> =
        sqlx::query_as(PRODUCTS_NOW.sqlite).bind(&products).fetch_all(&mut *conn).await?;
    let items: Vec<Uuid> =
        sqlx::query_scalar(ITEMS_OF.sqlite).bind(&products).fetch_all(&mut *conn).await?;
    let items: Vec<_> = items.into_iter().map(StockItemId).collect();
    let shelves = stock::shelves(&mut *conn, &items).await?;
    let carts: Vec<_> =
        placings.iter().filter_map(|placing| placing.order.cart).map(|id| Hex(id.0)).collect();
    let carts = Json(carts);
    let mut ordered: Vec<(Uuid, Uuid)> = Vec::new();
    let mut open: Vec<(Uuid, i64)> = Vec::new();
    if !carts.is_empty() {
        ordered = sqlx::query_as(ORDERED.sqlite).bind(&carts).fetch_all(&mut *conn).await?;
        open = sqlx::query_as(CARTS_NOW.sqlite).bind(&carts).fetch_all(&mut *conn).await?;
    }
    let coupons = placings.iter().filter_map(|placing| placing.coupon()).collect();
    let coupons = coupons::read(conn, &coupons).await?;
    Ok(Known {
        products: rows.into_iter().map(product_now).collect::<Result<_, _>>()?,
        shelves,
        ordered: ordered.into_iter().map(|(cart, order)| (CartId(cart), OrderId(order))).collect(),
        coupons,
        carts: open.into_iter().map(|(cart, version)| (CartId(cart), version)).collect(),
    })
}

fn product_now(row: ProductRow) -> Result<(ProductId, ProductNow), sqlx::Error> {
    let sku = Sku::new(&row.sku).map_err(|error| sqlx::Error::Decode(error.into()))?;
    let price = match (row.price_minor, row.currency) {
        (Some(minor), Some(currency)) => {
            let currency = currency.parse();
            let currency = currency.map_err(|error: crate::domain::money::MoneyError| {
                sqlx::Error::Decode(error.into())
            })?;
            Some(Money { minor, currency })
        }
        _ => None,
    };
    let tax_category = TaxCategory::new(&row.tax_category);
    let tax_category = tax_category.map_err(|error| sqlx::Error::Decode(error.into()))?;
    let active = ProductStatus::parse(&row.status) == Some(ProductStatus::Active);
    Ok((ProductId(row.id), ProductNow { sku, active, price, tax_category }))
}

async fn write(
    conn: &mut SqliteConnection,
    granted: &[(&Placing, Vec<Reserve>)],
) -> Result<(), sqlx::Error> {
    let lines: Vec<_> = granted
        .iter()
        .flat_map(|(placing, _)| {
            let order = &placing.order;
            let lines = order.lines.iter().enumerate();
            lines.map(|(position, line)| LineRow::of(order.id, position, line))
        })
        .collect();
    sqlx::query(PUT_LINES.sqlite).bind(Json(lines)).execute(&mut *conn).await?;
    let reservations: Vec<_> = granted
        .iter()
        .flat_map(|(placing, reserves)| {
            let order = placing.order.id;
            reserves
                .iter()
                .map(move |r| (Hex(order.0), Hex(r.item.0), Hex(r.warehouse.0), r.quantity))
        })
        .collect();
    if !reservations.is_empty() {
        let put = sqlx::query(PUT_RESERVATIONS.sqlite).bind(Json(reservations));
        put.execute(&mut *conn).await?;
    }
    let intents: Vec<_> = granted
        .iter()
        .map(|(placing, _)| {
            let (order, method) = (&placing.order, &placing.method);
            let total = order.total();
            let (id, of) = (Hex(order.payment.0), Hex(order.id.0));
            let (provider, token) = (&method.provider, method.token.expose());
            (id, of, provider, token, total.minor, total.currency, order.placed_at.0)
        })
        .collect();
    sqlx::query(PUT_INTENTS.sqlite).bind(Json(intents)).execute(&mut *conn).await?;
    let orders = granted.iter().map(|(placing, _)| &placing.order);
    let carts: Vec<_> = orders.clone().filter_map(|order| order.cart).map(|id| Hex(id.0)).collect();
    if !carts.is_empty() {
        let at = orders.map(|order| order.placed_at.0).max().unwrap_or_default();
        let ordered = sqlx::query(CARTS_ARE_ORDERED.sqlite).bind(Json(carts)).bind(at);
        ordered.execute(conn).await?;
    }
    Ok(())
}
