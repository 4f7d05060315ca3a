//! Orders placed together: stock and products are read once for all of them, decided in memory,
//! and what was granted is written set by set.

use super::{Failure, coupons, mail, stock};
use crate::{
    adapters::postgres::statement::{Param, execute, query, statements},
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
        time::Micros,
    },
    ports::{StoreError, clock::Ids},
};
use deadpool_postgres::{
    Transaction,
    tokio_postgres::{Error, Row},
};
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

statements! {
    PRODUCTS_NOW =
        "SELECT id, sku, status, price_minor, currency, tax_category FROM product
         WHERE id = ANY($1)";
    ITEMS_OF = "SELECT DISTINCT item_id FROM sku_stock_item WHERE product_id = ANY($1)";
    ORDERED = "SELECT cart_id, id FROM sales_order WHERE cart_id = ANY($1)";
    /// Locked in one order by everybody, and before what is read of them.
    CARTS_NOW =
        "SELECT id, version FROM cart WHERE id = ANY($1) AND state = 'open'
         ORDER BY id FOR UPDATE";
    CARTS_ARE_ORDERED =
        "UPDATE cart SET state = 'ordered', version = version + 1, updated_at = $2
         WHERE id = ANY($1)";
    /// Numbers are given in the order of the list.
    PUT_ORDERS =
        "INSERT INTO sales_order (id, site, locale, status, payment, fulfilment, version, cart_id,
             customer_id, placed_by, email, access_hash, currency, subtotal, discount, shipping,
             shipping_tax, tax, tax_on_top, total, taxes, coupon, sent_by, ship_to, bill_to,
             payment_id, provider, held_until, placed_at, updated_at)
         SELECT id, site, locale, status, payment, fulfilment, version, cart_id, customer_id,
             placed_by, email, access_hash, currency, subtotal, discount, shipping, shipping_tax,
             tax, tax_on_top, total, taxes::jsonb, coupon, sent_by::jsonb, ship_to::jsonb,
             bill_to::jsonb, payment_id, provider, held_until, placed_at, placed_at
         FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
                 $7::bigint[], $8::uuid[], $9::uuid[], $10::text[], $11::text[], $12::bytea[],
                 $13::text[], $14::bigint[], $15::bigint[], $16::bigint[], $17::bigint[],
                 $18::bigint[], $19::bigint[], $20::bigint[], $21::text[], $22::text[],
                 $23::text[], $24::text[], $25::text[], $26::uuid[], $27::text[], $28::bigint[],
                 $29::bigint[])
             o (id, site, locale, status, payment, fulfilment, version, cart_id, customer_id,
                 placed_by, email, access_hash, currency, subtotal, discount, shipping,
                 shipping_tax, tax, tax_on_top, total, taxes, coupon, sent_by, ship_to, bill_to,
                 payment_id, provider, held_until, placed_at)
         RETURNING id, number";
    PUT_LINES =
        "INSERT INTO sales_order_line (order_id, position, product_id, sku, name, unit, quantity,
             precision, unit_minor, price_tax, price_list, price_from, tax_category, amount,
             discount, net, tax, gross)
         SELECT * FROM unnest($1::uuid[], $2::int[], $3::uuid[], $4::text[], $5::text[],
             $6::text[], $7::bigint[], $8::int[], $9::bigint[], $10::text[], $11::uuid[],
             $12::bigint[], $13::text[], $14::bigint[], $15::bigint[], $16::bigint[],
             $17::bigint[], $18::bigint[])";
    PUT_RESERVATIONS =
        "INSERT INTO reservation (order_id, item_id, warehouse_id, quantity)
         SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[])";
    PUT_INTENTS =
        "INSERT INTO payment_intent (id, order_id, provider, token, amount_minor, currency,
             created_at, due_at)
         SELECT id, order_id, provider, token, amount, currency, at, at
         FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::text[],
                 $7::bigint[])
             i (id, order_id, provider, token, amount, currency, at)";
}

/// A placing that may be written, with what it takes from where.
type Granted<'a> = (&'a Placing, Vec<Reserve>);

/// In the order they came; inside the caller's transaction.
pub(super) async fn place(
    tx: &Transaction<'_>,
    placings: &[&Placing],
    ids: &dyn Ids,
) -> Result<Vec<Placed>, Failure> {
    let known = read(tx, placings).await?;
    let before = known.shelves.clone();
    let decided = decide(placings, known);
    let mut granted: Vec<Granted<'_>> = Vec::new();
    let mut placed = Vec::with_capacity(placings.len());
    for (placing, verdict) in placings.iter().zip(decided.verdicts) {
        placed.push(match verdict {
            Verdict::Granted(reserves) => {
                granted.push((placing, reserves));
                Placed::Order(Box::new(placing.order.clone()))
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
    let movements: Vec<Movement> = granted
        .iter()
        .flat_map(|(placing, reserves)| {
            reserves.iter().map(|reserve| reserved(&placing.order, reserve, ids))
        })
        .collect();
    let at = granted.iter().map(|(placing, _)| placing.order.placed_at).max().unwrap_or_default();
    let subjects = granted.iter().map(|(placing, _)| placing.order.id.0);
    let (numbers, ..) = tokio::try_join!(
        biased;
        async { Ok::<_, Failure>(put_orders(tx, &granted).await?) },
        async { Ok(put_lines(tx, &granted).await?) },
        async { Ok(put_reservations(tx, &granted).await?) },
        async { Ok(put_intents(tx, &granted).await?) },
        async { Ok(put_carts(tx, &granted, at).await?) },
        async { Ok(coupons::put(tx, &decided.coupons).await?) },
        stock::put(tx, &before, &decided.shelves, &movements, at),
        async { Ok(stock::tell(tx, EventKind::OrderPlaced, subjects, at).await?) },
        async { Ok(mail::confirm(tx, granted.iter().map(|(placing, _)| *placing), ids).await?) },
    )?;
    for one in &mut placed {
        if let Placed::Order(order) = one {
            let number = numbers.get(&order.id).copied();
            order.number = number.ok_or_else(|| {
                StoreError::Refused("an order that was just placed has no number".into())
            })?;
        }
    }
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

async fn read(tx: &Transaction<'_>, placings: &[&Placing]) -> Result<Known, Failure> {
    let lines = placings.iter().flat_map(|placing| &placing.order.lines);
    let products: BTreeSet<_> = lines.map(|line| line.product.0).collect();
    let products: Vec<_> = products.into_iter().collect();
    let carts: Vec<_> = placings.iter().filter_map(|one| one.order.cart).map(|id| id.0).collect();
    let (rows, items, open, ordered) = tokio::try_join!(
        biased;
        query(tx, PRODUCTS_NOW, [&products]),
        query(tx, ITEMS_OF, [&products]),
        async {
            match carts.is_empty() {
                true => Ok(Vec::new()),
                false => query(tx, CARTS_NOW, [&carts]).await,
            }
        },
        async {
            match carts.is_empty() {
                true => Ok(Vec::new()),
                false => query(tx, ORDERED, [&carts]).await,
            }
        },
    )?;
    let items = items.iter().map(|row| Ok(StockItemId(row.try_get(0)?)));
    let items = items.collect::<Result<Vec<_>, Error>>()?;
    let shelves = stock::shelves(tx, &items).await?;
    let coupons = placings.iter().filter_map(|placing| placing.coupon()).collect();
    let pair = |row: &Row| Ok((CartId(row.try_get(0)?), OrderId(row.try_get(1)?)));
    let version = |row: &Row| Ok((CartId(row.try_get(0)?), row.try_get(1)?));
    Ok(Known {
        products: rows.iter().map(product_now).collect::<Result<_, _>>()?,
        shelves,
        coupons: coupons::read(tx, &coupons).await?,
        ordered: ordered.iter().map(pair).collect::<Result<_, Error>>()?,
        carts: open.iter().map(version).collect::<Result<_, Error>>()?,
    })
}

fn product_now(row: &Row) -> Result<(ProductId, ProductNow), Failure> {
    let damaged = |error: &dyn std::fmt::Display| StoreError::Corrupt(error.to_string());
    let sku = Sku::new(row.try_get("sku")?).map_err(|error| damaged(&error))?;
    let minor: Option<i64> = row.try_get("price_minor")?;
    let currency: Option<&str> = row.try_get("currency")?;
    let price = match minor.zip(currency) {
        Some((minor, currency)) => {
            let currency = currency.parse();
            let currency =
                currency.map_err(|error: crate::domain::money::MoneyError| damaged(&error))?;
            Some(Money { minor, currency })
        }
        None => None,
    };
    let tax_category = TaxCategory::new(row.try_get("tax_category")?);
    let tax_category = tax_category.map_err(|error| damaged(&error))?;
    let active = ProductStatus::parse(row.try_get("status")?) == Some(ProductStatus::Active);
    Ok((ProductId(row.try_get("id")?), ProductNow { sku, active, price, tax_category }))
}

async fn put_orders(
    tx: &Transaction<'_>,
    granted: &[Granted<'_>],
) -> Result<HashMap<OrderId, OrderNumber>, Error> {
    let orders = || granted.iter().map(|(placing, _)| &placing.order);
    let sums = |of: fn(&crate::domain::totals::Summary) -> i64| -> Vec<i64> {
        orders().map(|order| of(&order.summary)).collect()
    };
    // Serialising what is made of texts and numbers can't fail.
    fn json(value: &impl serde::Serialize) -> String {
        serde_json::to_string(value).unwrap_or_default()
    }
    let ids: Vec<_> = orders().map(|o| o.id.0).collect();
    let sites: Vec<_> = orders().map(|o| o.scope.site.0.as_str()).collect();
    let locales: Vec<_> = orders().map(|o| o.scope.locale.0.as_str()).collect();
    let status: Vec<_> = orders().map(|o| o.state.status.as_str()).collect();
    let payment: Vec<_> = orders().map(|o| o.state.payment.as_str()).collect();
    let fulfilment: Vec<_> = orders().map(|o| o.state.fulfilment.as_str()).collect();
    let versions: Vec<_> = orders().map(|o| o.version).collect();
    let carts: Vec<_> = orders().map(|o| o.cart.map(|id| id.0)).collect();
    let customers: Vec<_> = orders().map(|o| o.customer.map(|id| id.0)).collect();
    let placed_by: Vec<_> = orders().map(|o| o.placed_by.as_str()).collect();
    let emails: Vec<_> = orders().map(|o| o.email.as_str()).collect();
    let access: Vec<_> = granted.iter().map(|(placing, _)| placing.access.as_slice()).collect();
    let currencies: Vec<_> = orders().map(|o| o.summary.currency.code().to_owned()).collect();
    let [subtotal, discount, shipping, shipping_tax, tax, tax_on_top, total] = [
        sums(|s| s.subtotal),
        sums(|s| s.discount),
        sums(|s| s.shipping),
        sums(|s| s.shipping_tax),
        sums(|s| s.tax),
        sums(|s| s.tax_on_top),
        sums(|s| s.total),
    ];
    let taxes: Vec<_> = orders().map(|o| json(&o.summary.taxes)).collect();
    let coupons: Vec<_> = orders().map(|o| o.coupon.as_ref().map(|code| code.as_str())).collect();
    let sent_by: Vec<_> = orders().map(|o| o.shipping.as_ref().map(json)).collect();
    let ship_to: Vec<_> = orders().map(|o| json(&o.ship_to)).collect();
    let bill_to: Vec<_> = orders().map(|o| o.bill_to.as_ref().map(json)).collect();
    let payments: Vec<_> = orders().map(|o| o.payment.0).collect();
    let providers: Vec<_> = orders().map(|o| o.provider.as_str()).collect();
    let held: Vec<_> = orders().map(|o| o.held_until.map(|at| at.0)).collect();
    let placed_at: Vec<_> = orders().map(|o| o.placed_at.0).collect();
    let params: [Param<'_>; 29] = [
        &ids,
        &sites,
        &locales,
        &status,
        &payment,
        &fulfilment,
        &versions,
        &carts,
        &customers,
        &placed_by,
        &emails,
        &access,
        &currencies,
        &subtotal,
        &discount,
        &shipping,
        &shipping_tax,
        &tax,
        &tax_on_top,
        &total,
        &taxes,
        &coupons,
        &sent_by,
        &ship_to,
        &bill_to,
        &payments,
        &providers,
        &held,
        &placed_at,
    ];
    let rows = query(tx, PUT_ORDERS, params).await?;
    let number = |row: &Row| Ok((OrderId(row.try_get(0)?), OrderNumber(row.try_get(1)?)));
    rows.iter().map(number).collect()
}

async fn put_lines(tx: &Transaction<'_>, granted: &[Granted<'_>]) -> Result<(), Error> {
    let all: Vec<(Uuid, i32, &OrderLine)> = granted
        .iter()
        .flat_map(|(placing, _)| {
            let lines = placing.order.lines.iter().zip(0..);
            lines.map(|(line, position)| (placing.order.id.0, position, line))
        })
        .collect();
    let lines = || all.iter().map(|(_, _, line)| *line);
    let orders: Vec<_> = all.iter().map(|(order, ..)| *order).collect();
    let positions: Vec<_> = all.iter().map(|(_, position, _)| *position).collect();
    let products: Vec<_> = lines().map(|l| l.product.0).collect();
    let skus: Vec<_> = lines().map(|l| l.sku.as_str()).collect();
    let names: Vec<_> = lines().map(|l| l.name.as_str()).collect();
    let units: Vec<_> = lines().map(|l| l.unit.as_str()).collect();
    let quantities: Vec<_> = lines().map(|l| l.priced.quantity().steps()).collect();
    let precisions: Vec<i32> = lines().map(|l| l.priced.precision().digits().into()).collect();
    let minor: Vec<_> = lines().map(|l| l.priced.price().amount.minor).collect();
    let price_tax: Vec<_> = lines()
        .map(|l| match l.priced.price().tax {
            TaxMode::Exclusive => "exclusive",
            TaxMode::Inclusive => "inclusive",
        })
        .collect();
    let lists: Vec<_> = lines()
        .map(|l| match l.priced.price().source {
            PriceSource::Base => None,
            PriceSource::List { list } => Some(list.0),
        })
        .collect();
    let from: Vec<_> = lines().map(|l| l.priced.price().min_quantity.steps()).collect();
    let categories: Vec<_> = lines().map(|l| l.priced.tax_category().as_str()).collect();
    let amounts: Vec<_> = lines().map(|l| l.total.amount).collect();
    let discounts: Vec<_> = lines().map(|l| l.total.discount).collect();
    let net: Vec<_> = lines().map(|l| l.total.net).collect();
    let tax: Vec<_> = lines().map(|l| l.total.tax).collect();
    let gross: Vec<_> = lines().map(|l| l.total.gross).collect();
    let params: [Param<'_>; 18] = [
        &orders,
        &positions,
        &products,
        &skus,
        &names,
        &units,
        &quantities,
        &precisions,
        &minor,
        &price_tax,
        &lists,
        &from,
        &categories,
        &amounts,
        &discounts,
        &net,
        &tax,
        &gross,
    ];
    execute(tx, PUT_LINES, params).await.map(drop)
}

async fn put_reservations(tx: &Transaction<'_>, granted: &[Granted<'_>]) -> Result<(), Error> {
    let all: Vec<(Uuid, &Reserve)> = granted
        .iter()
        .flat_map(|(placing, reserves)| reserves.iter().map(|r| (placing.order.id.0, r)))
        .collect();
    if all.is_empty() {
        return Ok(());
    }
    let orders: Vec<_> = all.iter().map(|(order, _)| *order).collect();
    let items: Vec<_> = all.iter().map(|(_, r)| r.item.0).collect();
    let warehouses: Vec<_> = all.iter().map(|(_, r)| r.warehouse.0).collect();
    let quantities: Vec<_> = all.iter().map(|(_, r)| r.quantity).collect();
    let params: [Param<'_>; 4] = [&orders, &items, &warehouses, &quantities];
    execute(tx, PUT_RESERVATIONS, params).await.map(drop)
}

async fn put_intents(tx: &Transaction<'_>, granted: &[Granted<'_>]) -> Result<(), Error> {
    let all = || granted.iter().map(|(placing, _)| *placing);
    let ids: Vec<_> = all().map(|p| p.order.payment.0).collect();
    let orders: Vec<_> = all().map(|p| p.order.id.0).collect();
    let providers: Vec<_> = all().map(|p| p.method.provider.as_str()).collect();
    let tokens: Vec<_> = all().map(|p| p.method.token.expose()).collect();
    let amounts: Vec<_> = all().map(|p| p.order.summary.total).collect();
    let currencies: Vec<_> = all().map(|p| p.order.summary.currency.code().to_owned()).collect();
    let at: Vec<_> = all().map(|p| p.order.placed_at.0).collect();
    let params: [Param<'_>; 7] = [&ids, &orders, &providers, &tokens, &amounts, &currencies, &at];
    execute(tx, PUT_INTENTS, params).await.map(drop)
}

async fn put_carts(tx: &Transaction<'_>, granted: &[Granted<'_>], at: Micros) -> Result<(), Error> {
    let carts = granted.iter().filter_map(|(placing, _)| placing.order.cart);
    let carts: Vec<_> = carts.map(|id| id.0).collect();
    if carts.is_empty() {
        return Ok(());
    }
    execute(tx, CARTS_ARE_ORDERED, [&carts, &at.0]).await.map(drop)
}
