//! Commercial rules, set and dropped, each with its event and its entry in the audit log.

use super::{products::Hex, stock};
use crate::{
    adapters::sql::{
        audit,
        rules::{PriceRow, RuleRow},
        texts::statements,
    },
    domain::{
        event::EventKind,
        id::PriceListId,
        price::{PriceEdit, PriceEntry, PricePlan, PriceTable},
        rule::{Rule, RuleKind, StoredRule},
    },
    ports::{
        StoreError,
        rules::{RuleAct, RuleWrite, RuleWritten},
        writer::Written,
    },
};
use sqlx::{SqliteConnection, types::Json};
use uuid::Uuid;

statements! {
    GET_RULE = { sqlite:
        "SELECT body, version, created_at, updated_at FROM rule WHERE id = $1" };
    TAKEN = { sqlite: "SELECT 1 FROM rule WHERE kind = $1 AND unique_key = $2 AND id <> $3" };
    PUT_RULE = { sqlite:
        "INSERT INTO rule (id, kind, unique_key, body, version, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (id) DO UPDATE SET unique_key = excluded.unique_key, body = excluded.body,
             version = excluded.version, updated_at = excluded.updated_at" };
    DROP_RULE = { sqlite: "DELETE FROM rule WHERE id = $1" };
    LIST_PRICES = { sqlite:
        "SELECT e.product_id, e.list_id, e.unit, e.min_quantity, e.amount
         FROM json_each($2) j
         CROSS JOIN price_entry e ON e.product_id = unhex(j.value) AND e.list_id = $1" };
    HAS_PRICES = { sqlite: "SELECT 1 FROM price_entry WHERE list_id = $1 LIMIT 1" };
    COUNT_PRICES = { sqlite: "SELECT count(*) FROM price_entry" };
    PUT_PRICES = { sqlite:
        "INSERT INTO price_entry (product_id, list_id, unit, min_quantity, amount)
         SELECT unhex(value->>0), $1, value->>1, value->>2, value->>3 FROM json_each($2)
         WHERE true
         ON CONFLICT (product_id, list_id, unit, min_quantity)
             DO UPDATE SET amount = excluded.amount" };
    DROP_PRICES = { sqlite:
        "DELETE FROM price_entry WHERE (product_id, list_id, unit, min_quantity) IN
             (SELECT unhex(value->>0), $1, value->>1, value->>2 FROM json_each($2))" };
    SWEEP_PRICES = { sqlite:
        "DELETE FROM price_entry WHERE (product_id, list_id, unit, min_quantity) IN
             (SELECT product_id, list_id, unit, min_quantity FROM price_entry
              WHERE list_id = $1 AND NOT EXISTS (SELECT 1 FROM rule WHERE id = $1)
              ORDER BY product_id, unit, min_quantity LIMIT $2)" };
}

pub(super) async fn act(
    conn: &mut SqliteConnection,
    write: &RuleWrite,
) -> Result<Written, sqlx::Error> {
    let written = match &write.act {
        RuleAct::Put { rule, if_version } => put(conn, write, rule, *if_version).await?,
        RuleAct::Drop { kind, id, if_version } => {
            drop_rule(conn, write, *kind, *id, *if_version).await?
        }
        RuleAct::Prices { list, edit } => set_prices(conn, write, *list, edit).await?,
        RuleAct::SweepPrices { list, most } => {
            let sweep = sqlx::query(SWEEP_PRICES.sqlite).bind(list.0).bind(most);
            RuleWritten::Swept(sweep.execute(conn).await?.rows_affected())
        }
    };
    Ok(Written::Rule(written))
}

async fn get(conn: &mut SqliteConnection, id: Uuid) -> Result<Option<StoredRule>, sqlx::Error> {
    let get = sqlx::query_as::<_, RuleRow>(GET_RULE.sqlite).bind(id);
    Ok(get.fetch_optional(conn).await?.map(Into::into))
}

async fn put(
    conn: &mut SqliteConnection,
    write: &RuleWrite,
    rule: &Rule,
    if_version: Option<i64>,
) -> Result<RuleWritten, sqlx::Error> {
    let (kind, id) = (rule.kind(), rule.id());
    let old = get(&mut *conn, id).await?;
    if old.as_ref().is_some_and(|old| old.rule.kind() != kind) {
        return Ok(RuleWritten::Taken);
    }
    let version = old.as_ref().map_or(0, |old| old.version);
    if if_version.is_some_and(|wanted| wanted != version) {
        return Ok(RuleWritten::Stale(version));
    }
    if let Some(old) = old.as_ref().filter(|old| old.rule == *rule) {
        return Ok(RuleWritten::Put(Box::new(old.clone())));
    }
    let key = rule.key();
    let taken = sqlx::query(TAKEN.sqlite).bind(kind.as_str()).bind(&key).bind(id);
    if taken.fetch_optional(&mut *conn).await?.is_some() {
        return Ok(RuleWritten::Taken);
    }
    // Of one that is new, those are what a dropped list of this id left behind.
    if old.as_ref().and_then(|old| old.rule.list_currency()) != rule.list_currency() {
        let has = sqlx::query(HAS_PRICES.sqlite).bind(id).fetch_optional(&mut *conn).await?;
        if has.is_some() {
            return Ok(RuleWritten::HasPrices);
        }
    }
    let new = StoredRule {
        rule: rule.clone(),
        version: version + 1,
        created_at: old.as_ref().map_or(write.at, |old| old.created_at),
        updated_at: write.at,
    };
    sqlx::query(PUT_RULE.sqlite)
        .bind(id)
        .bind(kind.as_str())
        .bind(&key)
        .bind(Json(rule))
        .bind(new.version)
        .bind(new.created_at.0)
        .bind(new.updated_at.0)
        .execute(&mut *conn)
        .await?;
    stock::tell(&mut *conn, EventKind::RuleChanged, [id], write.at).await?;
    audit::append(conn, &write.put(old.as_ref().map(|old| &old.rule), rule)).await?;
    Ok(RuleWritten::Put(Box::new(new)))
}

async fn drop_rule(
    conn: &mut SqliteConnection,
    write: &RuleWrite,
    kind: RuleKind,
    id: Uuid,
    if_version: Option<i64>,
) -> Result<RuleWritten, sqlx::Error> {
    let old = get(&mut *conn, id).await?.filter(|old| old.rule.kind() == kind);
    let Some(old) = old else { return Ok(RuleWritten::Absent) };
    if if_version.is_some_and(|wanted| wanted != old.version) {
        return Ok(RuleWritten::Stale(old.version));
    }
    sqlx::query(DROP_RULE.sqlite).bind(id).execute(&mut *conn).await?;
    stock::tell(&mut *conn, EventKind::RuleChanged, [id], write.at).await?;
    audit::append(conn, &write.dropped(&old.rule)).await?;
    Ok(RuleWritten::Dropped)
}

async fn set_prices(
    conn: &mut SqliteConnection,
    write: &RuleWrite,
    list: PriceListId,
    edit: &PriceEdit,
) -> Result<RuleWritten, sqlx::Error> {
    let list_is_there = get(&mut *conn, list.0).await?.is_some_and(|one| one.rule.is_list());
    if !list_is_there {
        return Ok(RuleWritten::Absent);
    }
    let products: Vec<_> = edit.products().into_iter().map(|product| Hex(product.0)).collect();
    let known: Vec<PriceRow> = sqlx::query_as(LIST_PRICES.sqlite)
        .bind(list.0)
        .bind(Json(products))
        .fetch_all(&mut *conn)
        .await?;
    let known = known.into_iter().map(PriceEntry::try_from).collect::<Result<_, _>>();
    let known = known.map_err(|error: StoreError| sqlx::Error::Decode(error.into()))?;
    let Some(plan) = edit.plan(known) else { return Ok(RuleWritten::PricesMoved) };
    if plan.is_nothing() {
        return Ok(RuleWritten::Prices(0));
    }
    if plan.added > 0 {
        let count: i64 = sqlx::query_scalar(COUNT_PRICES.sqlite).fetch_one(&mut *conn).await?;
        if count.unsigned_abs() + plan.added > PriceTable::MOST_ENTRIES {
            return Ok(RuleWritten::TooMany);
        }
    }
    write_plan(&mut *conn, list, &plan).await?;
    let products = plan.products().into_iter().map(|product| product.0);
    stock::tell(&mut *conn, EventKind::ListPriceChanged, products, write.at).await?;
    audit::append(conn, &write.priced(list, &plan)).await?;
    Ok(RuleWritten::Prices((plan.put.len() + plan.drop.len()) as u64))
}

async fn write_plan(
    conn: &mut SqliteConnection,
    list: PriceListId,
    plan: &PricePlan,
) -> Result<(), sqlx::Error> {
    if !plan.put.is_empty() {
        let line = |e: &PriceEntry| (Hex(e.product.0), e.unit.clone(), e.min_quantity, e.amount);
        let lines: Vec<_> = plan.put.iter().map(line).collect();
        sqlx::query(PUT_PRICES.sqlite).bind(list.0).bind(Json(lines)).execute(&mut *conn).await?;
    }
    if !plan.drop.is_empty() {
        let keys = plan.drop.iter().map(|key| (Hex(key.product.0), &key.unit, key.min_quantity));
        let keys: Vec<_> = keys.collect();
        sqlx::query(DROP_PRICES.sqlite).bind(list.0).bind(Json(keys)).execute(conn).await?;
    }
    Ok(())
}
