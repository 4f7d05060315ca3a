//! Carts, edited set by set: a batch costs the same few statements whatever it holds, and reads of
//! a cart its row and the lines that are touched.
//!
//! The rows of a batch's carts are locked in the order of their ids, so nodes that edit one cart do
//! so one after the other. Two that make the same buyer's active cart at once meet in an index; the
//! later one is done again and finds it.

use super::Failure;
use crate::{
    adapters::postgres::statement::{execute, query, statements},
    domain::{
        cart::{Cart, CartAnswer, CartLine, CartWrite, Desk, Plan, Unknown},
        id::CartId,
        time::Micros,
    },
    ports::{
        StoreError,
        carts::{StoredCart, StoredLine},
        writer::Written,
    },
};
use deadpool_postgres::{
    Transaction,
    tokio_postgres::{Error, Row, error::SqlState},
};
use serde::{Serialize, de::DeserializeOwned};

statements! {
    CARTS =
        "SELECT id, owner_kind, owner_id, kind, state, name, note, version, sums::text, next_place,
             created_at, updated_at FROM cart
         WHERE id IN (SELECT id FROM cart WHERE state = 'open' AND owner_id = ANY($1)
                      UNION SELECT unnest($2::uuid[]))
         ORDER BY id FOR UPDATE";
    LINES =
        "SELECT l.cart_id, l.place, l.sku, l.product_id, l.quantity, l.precision, l.price::text,
             l.tax_category, l.band, l.note, l.added_at, l.updated_at
         FROM unnest($1::uuid[], $2::text[]) w (cart_id, sku)
         JOIN cart_line l ON l.cart_id = w.cart_id AND l.sku = w.sku";
    WHOLE =
        "SELECT l.cart_id, l.place, l.sku, l.product_id, l.quantity, l.precision, l.price::text,
             l.tax_category, l.band, l.note, l.added_at, l.updated_at
         FROM cart_line l WHERE l.cart_id = ANY($1)";
    DROP_CARTS = "DELETE FROM cart WHERE id = ANY($1)";
    /// In the order of the list, so that no two carts are ever active at once.
    PUT_CARTS =
        "INSERT INTO cart (id, owner_kind, owner_id, kind, state, name, note, version, lines, sums,
             next_place, created_at, updated_at)
         SELECT id, owner_kind, owner_id, kind, state, name, note, version, lines, sums::jsonb,
             next_place, created_at, updated_at
         FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::text[], $6::text[],
                 $7::text[], $8::bigint[], $9::bigint[], $10::text[], $11::bigint[], $12::bigint[],
                 $13::bigint[])
             WITH ORDINALITY c (id, owner_kind, owner_id, kind, state, name, note, version, lines,
                 sums, next_place, created_at, updated_at, n)
         ORDER BY n
         ON CONFLICT (id) DO UPDATE SET owner_kind = excluded.owner_kind,
             owner_id = excluded.owner_id, kind = excluded.kind, state = excluded.state,
             name = excluded.name, note = excluded.note, version = excluded.version,
             lines = excluded.lines, sums = excluded.sums, next_place = excluded.next_place,
             updated_at = excluded.updated_at";
    DROP_LINES =
        "DELETE FROM cart_line l USING unnest($1::uuid[], $2::text[]) w (cart_id, sku)
         WHERE l.cart_id = w.cart_id AND l.sku = w.sku";
    PUT_LINES =
        "INSERT INTO cart_line (cart_id, place, sku, product_id, quantity, precision, price,
             tax_category, band, note, added_at, updated_at)
         SELECT cart_id, place, sku, product_id, quantity, precision, price::jsonb, tax_category,
             band, note, added_at, updated_at
         FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::uuid[], $5::bigint[], $6::int[],
                 $7::text[], $8::text[], $9::text[], $10::text[], $11::bigint[], $12::bigint[])
             l (cart_id, place, sku, product_id, quantity, precision, price, tax_category, band,
                 note, added_at, updated_at)
         ON CONFLICT (cart_id, sku) DO UPDATE SET place = excluded.place,
             product_id = excluded.product_id, quantity = excluded.quantity,
             precision = excluded.precision, price = excluded.price,
             tax_category = excluded.tax_category, band = excluded.band, note = excluded.note,
             added_at = excluded.added_at, updated_at = excluded.updated_at";
    SWEEP =
        "DELETE FROM cart WHERE id IN (
             SELECT id FROM (
                 SELECT id, lines, sum(lines + 1) OVER (ORDER BY updated_at, id) AS upto
                 FROM (SELECT id, lines, updated_at FROM cart
                       WHERE (owner_kind = 'guest' OR state = 'ordered') AND updated_at < $1
                       ORDER BY updated_at, id LIMIT $2) oldest) sized
             WHERE upto - lines - 1 < $2)";
}

/// One answer to each write, in order.
pub(super) async fn edit(
    tx: &Transaction<'_>,
    writes: &[&CartWrite],
) -> Result<Vec<CartAnswer>, Failure> {
    let mut desk = Desk::new(writes);
    let owners: Vec<_> = desk.owners().iter().map(|owner| owner.id()).collect();
    let ids: Vec<_> = desk.ids().iter().map(|id| id.0).collect();
    let rows = query(tx, CARTS, [&owners, &ids]).await?;
    desk.carts(rows.iter().map(cart).collect::<Result<Vec<_>, _>>()?);
    let plan = loop {
        match desk.plan() {
            Ok(plan) => break plan,
            Err(unknown) => {
                let found = find(tx, &unknown).await?;
                desk.lines(unknown, found);
            }
        }
    };
    write(tx, &plan).await?;
    Ok(plan.answers)
}

async fn find(tx: &Transaction<'_>, unknown: &Unknown) -> Result<Vec<(CartId, CartLine)>, Failure> {
    let mut rows = Vec::new();
    if !unknown.lines.is_empty() {
        let carts: Vec<_> = unknown.lines.iter().map(|(cart, _)| cart.0).collect();
        let skus: Vec<_> = unknown.lines.iter().map(|(_, sku)| sku.as_str()).collect();
        rows.extend(query(tx, LINES, [&carts, &skus]).await?);
    }
    if !unknown.carts.is_empty() {
        let carts: Vec<_> = unknown.carts.iter().map(|cart| cart.0).collect();
        rows.extend(query(tx, WHOLE, [&carts]).await?);
    }
    rows.iter().map(line).collect()
}

async fn write(tx: &Transaction<'_>, plan: &Plan) -> Result<(), Failure> {
    if !plan.carts_gone.is_empty() {
        let gone: Vec<_> = plan.carts_gone.iter().map(|id| id.0).collect();
        execute(tx, DROP_CARTS, [&gone]).await?;
    }
    if !plan.carts.is_empty() {
        put_carts(tx, &plan.carts).await?;
    }
    if !plan.lines_gone.is_empty() {
        let carts: Vec<_> = plan.lines_gone.iter().map(|(cart, _)| cart.0).collect();
        let skus: Vec<_> = plan.lines_gone.iter().map(|(_, sku)| sku.as_str()).collect();
        execute(tx, DROP_LINES, [&carts, &skus]).await?;
    }
    if !plan.lines.is_empty() {
        put_lines(tx, &plan.lines).await?;
    }
    Ok(())
}

async fn put_carts(tx: &Transaction<'_>, carts: &[Cart]) -> Result<(), Failure> {
    macro_rules! column {
        ($cart:ident => $value:expr) => {
            &carts.iter().map(|$cart| $value).collect::<Vec<_>>()
        };
    }
    match execute(
        tx,
        PUT_CARTS,
        [
            column!(cart => cart.id.0),
            column!(cart => cart.owner.kind()),
            column!(cart => cart.owner.id()),
            column!(cart => cart.kind.as_str()),
            column!(cart => cart.state.as_str()),
            column!(cart => cart.name.as_str()),
            column!(cart => cart.note.as_deref()),
            column!(cart => cart.version),
            column!(cart => cart.lines() as i64),
            column!(cart => json(&cart.sums)),
            column!(cart => cart.next_place),
            column!(cart => cart.created_at.0),
            column!(cart => cart.updated_at.0),
        ],
    )
    .await
    {
        Ok(_) => Ok(()),
        Err(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => {
            Err(Failure::Again(StoreError::Unavailable("another node made this cart".into())))
        }
        Err(error) => Err(error.into()),
    }
}

async fn put_lines(tx: &Transaction<'_>, lines: &[(CartId, CartLine)]) -> Result<(), Failure> {
    macro_rules! column {
        ($line:ident => $value:expr) => {
            &lines.iter().map(|(_, $line)| $value).collect::<Vec<_>>()
        };
    }
    execute(
        tx,
        PUT_LINES,
        [
            &lines.iter().map(|(cart, _)| cart.0).collect::<Vec<_>>(),
            column!(line => line.place),
            column!(line => line.sku.as_str()),
            column!(line => line.product.0),
            column!(line => line.priced.quantity().steps()),
            column!(line => i32::from(line.priced.precision().digits())),
            column!(line => json(line.priced.price())),
            column!(line => line.priced.tax_category().as_str()),
            column!(line => line.band.as_str()),
            column!(line => line.note.as_deref()),
            column!(line => line.added_at.0),
            column!(line => line.updated_at.0),
        ],
    )
    .await?;
    Ok(())
}

/// Numbers, strings and lists of them always have a JSON form.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn of_json<T: DeserializeOwned>(row: &Row, column: &str) -> Result<T, Failure> {
    let text: &str = row.try_get(column)?;
    let value = serde_json::from_str(text);
    value.map_err(|error| StoreError::Corrupt(format!("a cart's {column}: {error}")).into())
}

fn cart(row: &Row) -> Result<Cart, Failure> {
    let stored = StoredCart {
        id: row.try_get("id")?,
        owner_kind: row.try_get("owner_kind")?,
        owner_id: row.try_get("owner_id")?,
        kind: row.try_get("kind")?,
        state: row.try_get("state")?,
        name: row.try_get("name")?,
        note: row.try_get("note")?,
        version: row.try_get("version")?,
        sums: of_json(row, "sums")?,
        next_place: row.try_get("next_place")?,
        created_at: row.try_get("created_at")?,
        updated_at: row.try_get("updated_at")?,
    };
    Ok(stored.try_into()?)
}

fn line(row: &Row) -> Result<(CartId, CartLine), Failure> {
    let stored = StoredLine {
        place: row.try_get("place")?,
        sku: row.try_get("sku")?,
        product_id: row.try_get("product_id")?,
        quantity: row.try_get("quantity")?,
        precision: row.try_get("precision")?,
        price: of_json(row, "price")?,
        tax_category: row.try_get("tax_category")?,
        band: row.try_get("band")?,
        note: row.try_get("note")?,
        added_at: row.try_get("added_at")?,
        updated_at: row.try_get("updated_at")?,
    };
    Ok((CartId(row.try_get("cart_id")?), stored.try_into()?))
}

pub(super) async fn sweep(
    tx: &Transaction<'_>,
    older_than: Micros,
    most: u32,
) -> Result<Written, Error> {
    let most = i64::from(most);
    Ok(Written::Swept(execute(tx, SWEEP, [&older_than.0, &most]).await?))
}
