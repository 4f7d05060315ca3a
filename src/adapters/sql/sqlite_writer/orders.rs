//! Orders placed together: stock and products are read once for all of them, decided in memory,
//! and what was granted is written set by set.

use super::{
    coupons, mail,
    products::Hex,
    rows::{self, Values},
    stock,
};
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
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
             ?, ?)" };
    PUT_LINES = { sqlite:
        "INSERT INTO sales_order_line (order_id, position, product_id, sku, name, unit, quantity,
             precision, unit_minor, price_tax, price_list, price_from, tax_category, amount,
             discount, net, tax, gross)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)" };
    PUT_RESERVATIONS = { sqlite:
        "INSERT INTO reservation (order_id, item_id, warehouse_id, quantity)
         VALUES (?, ?, ?, ?)" };
    PUT_INTENTS = { sqlite:
        "INSERT INTO payment_intent (id, order_id, provider, token, amount_minor, currency,
             created_at, due_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)" };
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

fn order_row(values: &mut Values, (order, access): &(&Order, &[u8; 32])) {
    let sums = &order.summary;
    values
        .bind(order.number.0)
        .bind(order.id.0)
        .bind(&order.scope.site.0)
        .bind(&order.scope.locale.0)
        .bind(order.state.status.as_str())
        .bind(order.state.payment.as_str())
        .bind(order.state.fulfilment.as_str())
        .bind(order.version)
        .bind(order.cart.map(|id| id.0))
        .bind(order.customer.map(|id| id.0))
        .bind(&order.placed_by)
        .bind(&order.email)
        .bind(&access[..])
        .bind(sums.currency.code())
        .bind(sums.subtotal)
        .bind(sums.discount)
        .bind(sums.shipping)
        .bind(sums.shipping_tax)
        .bind(sums.tax)
        .bind(sums.tax_on_top)
        .bind(sums.total)
        .bind(Json(&sums.taxes))
        .bind(order.coupon.as_ref().map(|code| code.as_str()))
        .bind(order.shipping.as_ref().map(Json))
        .bind(Json(&order.ship_to))
        .bind(order.bill_to.as_ref().map(Json))
        .bind(order.payment.0)
        .bind(&order.provider)
        .bind(order.held_until.map(|at| at.0))
        .bind(order.placed_at.0)
        .bind(order.placed_at.0);
}

fn line_row(values: &mut Values, (order, position, line): &(OrderId, i64, &OrderLine)) {
    let OrderLine { product, sku, name, unit, priced, total } = line;
    let price = priced.price();
    values
        .bind(order.0)
        .bind(*position)
        .bind(product.0)
        .bind(sku.as_str())
        .bind(name)
        .bind(unit)
        .bind(priced.quantity().steps())
        .bind(priced.precision().digits())
        .bind(price.amount.minor)
        .bind(match price.tax {
            TaxMode::Exclusive => "exclusive",
            TaxMode::Inclusive => "inclusive",
        })
        .bind(match price.source {
            PriceSource::Base => None,
            PriceSource::List { list } => Some(list.0),
        })
        .bind(price.min_quantity.steps())
        .bind(priced.tax_category().as_str())
        .bind(total.amount)
        .bind(total.discount)
        .bind(total.net)
        .bind(total.tax)
        .bind(total.gross);
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
    let orders: Vec<_> =
        orders.zip(&granted).map(|(order, (placing, _))| (order, &placing.access)).collect();
    rows::put(conn, PUT_ORDERS, &orders, order_row).await?;
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
            (0..).zip(&order.lines).map(|(position, line)| (order.id, position, line))
        })
        .collect();
    rows::put(conn, PUT_LINES, &lines, line_row).await?;
    let reservations: Vec<_> = granted
        .iter()
        .flat_map(|(placing, reserves)| reserves.iter().map(|r| (placing.order.id, r)))
        .collect();
    rows::put(conn, PUT_RESERVATIONS, &reservations, |values, (order, reserve)| {
        let Reserve { item, warehouse, quantity } = reserve;
        values.bind(order.0).bind(item.0).bind(warehouse.0).bind(*quantity);
    })
    .await?;
    rows::put(conn, PUT_INTENTS, granted, |values, (placing, _)| {
        let (order, method) = (&placing.order, &placing.method);
        let total = order.total();
        values
            .bind(order.payment.0)
            .bind(order.id.0)
            .bind(&method.provider)
            .bind(method.token.expose())
            .bind(total.minor)
            .bind(total.currency.code())
            .bind(order.placed_at.0)
            .bind(order.placed_at.0);
    })
    .await?;
    let orders = granted.iter().map(|(placing, _)| &placing.order);
    let carts: Vec<_> = orders.clone().filter_map(|order| order.cart).map(|id| Hex(id.0)).collect();
    if !carts.is_empty() {
        let at = orders.map(|order| order.placed_at.0).max().unwrap_or_default();
        let ordered = sqlx::query(CARTS_ARE_ORDERED.sqlite).bind(Json(carts)).bind(at);
        ordered.execute(conn).await?;
    }
    Ok(())
}
