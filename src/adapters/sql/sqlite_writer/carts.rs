//! Carts, edited set by set: a batch costs the same few statements whatever it holds, and reads of
//! a cart its row and the lines that are touched.

use super::{
    products::Hex,
    rows::{self, Values},
};
use crate::{
    adapters::sql::{
        carts::{CartRow, LineRow, cart_columns, line_columns},
        texts::statements,
    },
    domain::{
        cart::{Cart, CartAnswer, CartLine, CartWrite, Desk, Plan, Unknown},
        id::CartId,
        time::Micros,
    },
    ports::{StoreError, writer::Written},
};
use sqlx::{SqliteConnection, types::Json};

const CARTS_TEXT: &str = cart_columns!(
    "WHERE id IN (SELECT c.id FROM json_each($1) j
                  CROSS JOIN cart c ON c.owner_id = unhex(j.value) AND c.state = 'open'
                  UNION SELECT unhex(value) FROM json_each($2))"
);
const LINES_TEXT: &str = line_columns!(
    "FROM json_each($1) j
     CROSS JOIN cart_line l ON l.cart_id = unhex(j.value->>0) AND l.sku = j.value->>1"
);
const WHOLE_TEXT: &str =
    line_columns!("FROM json_each($1) j CROSS JOIN cart_line l ON l.cart_id = unhex(j.value)");

statements! {
    CARTS = { sqlite: (CARTS_TEXT) };
    LINES = { sqlite: (LINES_TEXT) };
    WHOLE = { sqlite: (WHOLE_TEXT) };
    DROP_CARTS = { sqlite:
        "DELETE FROM cart WHERE id IN (SELECT unhex(value) FROM json_each($1))" };
    /// In the order of the list, so that no two carts are ever active at once.
    PUT_CARTS = { sqlite:
        "INSERT INTO cart (id, owner_kind, owner_id, kind, state, name, note, version, lines, sums,
             next_place, created_at, updated_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET owner_kind = excluded.owner_kind,
             owner_id = excluded.owner_id, kind = excluded.kind, state = excluded.state,
             name = excluded.name, note = excluded.note, version = excluded.version,
             lines = excluded.lines, sums = excluded.sums, next_place = excluded.next_place,
             updated_at = excluded.updated_at" };
    DROP_LINES = { sqlite:
        "DELETE FROM cart_line WHERE (cart_id, sku) IN
             (SELECT unhex(value->>0), value->>1 FROM json_each($1))" };
    PUT_LINES = { sqlite:
        "INSERT INTO cart_line (cart_id, place, sku, product_id, quantity, precision, price,
             tax_category, band, note, added_at, updated_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (cart_id, sku) DO UPDATE SET place = excluded.place,
             product_id = excluded.product_id, quantity = excluded.quantity,
             precision = excluded.precision, price = excluded.price,
             tax_category = excluded.tax_category, band = excluded.band, note = excluded.note,
             added_at = excluded.added_at, updated_at = excluded.updated_at" };
    SWEEP = { sqlite:
        "DELETE FROM cart WHERE id IN (
             SELECT id FROM (
                 SELECT id, lines, sum(lines + 1) OVER (ORDER BY updated_at, id) AS upto
                 FROM (SELECT id, lines, updated_at FROM cart
                       WHERE (owner_kind = 'guest' OR state = 'ordered') AND updated_at < $1
                       ORDER BY updated_at, id LIMIT $2))
             WHERE upto - lines - 1 < $2)" };
}

/// One answer to each write, in order.
pub(super) async fn edit(
    conn: &mut SqliteConnection,
    writes: &[&CartWrite],
) -> Result<Vec<CartAnswer>, sqlx::Error> {
    let mut desk = Desk::new(writes);
    let owners: Vec<_> = desk.owners().into_iter().map(|owner| Hex(owner.id())).collect();
    let ids: Vec<_> = desk.ids().into_iter().map(|id| Hex(id.0)).collect();
    let carts = sqlx::query_as(CARTS.sqlite).bind(Json(owners)).bind(Json(ids));
    let carts: Vec<CartRow> = carts.fetch_all(&mut *conn).await?;
    let carts = carts.into_iter().map(Cart::try_from).collect::<Result<Vec<_>, _>>();
    desk.carts(carts.map_err(damaged)?);
    let plan = loop {
        match desk.plan() {
            Ok(plan) => break plan,
            Err(unknown) => {
                let found = find(conn, &unknown).await?;
                desk.lines(unknown, found);
            }
        }
    };
    write(conn, &plan).await?;
    Ok(plan.answers)
}

async fn find(
    conn: &mut SqliteConnection,
    unknown: &Unknown,
) -> Result<Vec<(CartId, CartLine)>, sqlx::Error> {
    let mut rows: Vec<LineRow> = Vec::new();
    if !unknown.lines.is_empty() {
        let lines: Vec<_> =
            unknown.lines.iter().map(|(cart, sku)| (Hex(cart.0), sku.as_str())).collect();
        rows.extend(find_some(conn, LINES.sqlite, Json(lines)).await?);
    }
    if !unknown.carts.is_empty() {
        let carts: Vec<_> = unknown.carts.iter().map(|cart| Hex(cart.0)).collect();
        rows.extend(find_some(conn, WHOLE.sqlite, Json(carts)).await?);
    }
    let line = |row: LineRow| Ok((CartId(row.cart_id), CartLine::try_from(row)?));
    rows.into_iter().map(line).collect::<Result<_, _>>().map_err(damaged)
}

async fn find_some<T: serde::Serialize + Send + Sync>(
    conn: &mut SqliteConnection,
    text: &'static str,
    which: Json<T>,
) -> Result<Vec<LineRow>, sqlx::Error> {
    sqlx::query_as(text).bind(which).fetch_all(conn).await
}

async fn write(conn: &mut SqliteConnection, plan: &Plan) -> Result<(), sqlx::Error> {
    if !plan.carts_gone.is_empty() {
        let gone: Vec<_> = plan.carts_gone.iter().map(|id| Hex(id.0)).collect();
        sqlx::query(DROP_CARTS.sqlite).bind(Json(gone)).execute(&mut *conn).await?;
    }
    rows::put(conn, PUT_CARTS, &plan.carts, cart_row).await?;
    if !plan.lines_gone.is_empty() {
        let gone: Vec<_> =
            plan.lines_gone.iter().map(|(cart, sku)| (Hex(cart.0), sku.as_str())).collect();
        sqlx::query(DROP_LINES.sqlite).bind(Json(gone)).execute(&mut *conn).await?;
    }
    rows::put(conn, PUT_LINES, &plan.lines, line_row).await.map(drop)
}

fn cart_row(values: &mut Values, cart: &Cart) {
    values
        .bind(cart.id.0)
        .bind(cart.owner.kind())
        .bind(cart.owner.id())
        .bind(cart.kind.as_str())
        .bind(cart.state.as_str())
        .bind(&cart.name)
        .bind(&cart.note)
        .bind(cart.version)
        .bind(i64::try_from(cart.lines()).unwrap_or(i64::MAX))
        .bind(Json(&cart.sums))
        .bind(cart.next_place)
        .bind(cart.created_at.0)
        .bind(cart.updated_at.0);
}

fn line_row(values: &mut Values, (cart, line): &(CartId, CartLine)) {
    let priced = &line.priced;
    values
        .bind(cart.0)
        .bind(line.place)
        .bind(line.sku.as_str())
        .bind(line.product.0)
        .bind(priced.quantity().steps())
        .bind(priced.precision().digits())
        .bind(Json(priced.price()))
        .bind(priced.tax_category().as_str())
        .bind(line.band.as_str())
        .bind(&line.note)
        .bind(line.added_at.0)
        .bind(line.updated_at.0);
}

pub(super) async fn sweep(
    conn: &mut SqliteConnection,
    older_than: Micros,
    most: u32,
) -> Result<Written, sqlx::Error> {
    let swept = sqlx::query(SWEEP.sqlite).bind(older_than.0).bind(most).execute(conn).await?;
    Ok(Written::Swept(swept.rows_affected()))
}

fn damaged(error: StoreError) -> sqlx::Error {
    sqlx::Error::Decode(error.into())
}
