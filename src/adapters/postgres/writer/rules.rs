//! Commercial rules, set and dropped, each with its event and its entry in the audit log.
//!
//! A rule's row is locked before it is judged. Two nodes that make the same one at once, or two of
//! one name, meet in an index; the later is done again and finds the other's.

use super::{Failure, audit, stock};
use crate::{
    adapters::postgres::statement::{execute, query, statements},
    domain::{
        event::EventKind,
        id::{PriceListId, ProductId},
        price::{PriceEdit, PriceEntry, PricePlan, PriceTable},
        quantity::Quantity,
        rule::{Rule, RuleKind, StoredRule},
        time::Micros,
    },
    ports::{
        StoreError,
        rules::{RuleAct, RuleWrite, RuleWritten},
        writer::Written,
    },
};
use deadpool_postgres::{
    Transaction,
    tokio_postgres::{Row, error::SqlState},
};
use uuid::Uuid;

statements! {
    GET_RULE =
        "SELECT body::text, version, created_at, updated_at FROM rule
         WHERE id = $1 FOR UPDATE";
    TAKEN = "SELECT 1 FROM rule WHERE kind = $1 AND unique_key = $2 AND id <> $3";
    PUT_RULE =
        "INSERT INTO rule (id, kind, unique_key, body, version, created_at, updated_at)
         VALUES ($1, $2, $3, ($4::text)::jsonb, $5, $6, $7)
         ON CONFLICT (id) DO UPDATE SET unique_key = excluded.unique_key, body = excluded.body,
             version = excluded.version, updated_at = excluded.updated_at
         WHERE rule.version = excluded.version - 1";
    DROP_RULE = "DELETE FROM rule WHERE id = $1";
    LIST_PRICES =
        "SELECT product_id, unit, min_quantity, amount FROM price_entry
         WHERE list_id = $1 AND product_id = ANY($2)";
    HAS_PRICES = "SELECT 1 FROM price_entry WHERE list_id = $1 LIMIT 1";
    COUNT_PRICES = "SELECT count(*) FROM price_entry";
    PUT_PRICES =
        "INSERT INTO price_entry (product_id, list_id, unit, min_quantity, amount)
         SELECT p.product, $1, p.unit, p.quantity, p.amount
         FROM unnest($2::uuid[], $3::text[], $4::bigint[], $5::bigint[])
             p (product, unit, quantity, amount)
         ON CONFLICT (product_id, list_id, unit, min_quantity)
             DO UPDATE SET amount = excluded.amount";
    DROP_PRICES =
        "DELETE FROM price_entry e
         USING unnest($2::uuid[], $3::text[], $4::bigint[]) k (product, unit, quantity)
         WHERE e.list_id = $1 AND e.product_id = k.product AND e.unit = k.unit
             AND e.min_quantity = k.quantity";
    SWEEP_PRICES =
        "DELETE FROM price_entry WHERE (product_id, list_id, unit, min_quantity) IN
             (SELECT product_id, list_id, unit, min_quantity FROM price_entry
              WHERE list_id = $1 AND NOT EXISTS (SELECT 1 FROM rule WHERE id = $1)
              ORDER BY product_id, unit, min_quantity LIMIT $2)";
}

pub(super) async fn act(tx: &Transaction<'_>, write: &RuleWrite) -> Result<Written, Failure> {
    let written = match &write.act {
        RuleAct::Put { rule, if_version } => put(tx, write, rule, *if_version).await?,
        RuleAct::Drop { kind, id, if_version } => {
            drop_rule(tx, write, *kind, *id, *if_version).await?
        }
        RuleAct::Prices { list, edit } => set_prices(tx, write, *list, edit).await?,
        RuleAct::SweepPrices { list, most } => {
            let most = i64::from(*most);
            RuleWritten::Swept(execute(tx, SWEEP_PRICES, [&list.0, &most]).await?)
        }
    };
    Ok(Written::Rule(written))
}

async fn get(tx: &Transaction<'_>, id: Uuid) -> Result<Option<StoredRule>, Failure> {
    let rows = query(tx, GET_RULE, [&id]).await?;
    rows.first().map(stored).transpose()
}

fn stored(row: &Row) -> Result<StoredRule, Failure> {
    let rule = serde_json::from_str(row.try_get("body")?);
    Ok(StoredRule {
        rule: rule.map_err(|error| StoreError::Corrupt(format!("a rule: {error}")))?,
        version: row.try_get("version")?,
        created_at: Micros(row.try_get("created_at")?),
        updated_at: Micros(row.try_get("updated_at")?),
    })
}

async fn put(
    tx: &Transaction<'_>,
    write: &RuleWrite,
    rule: &Rule,
    if_version: Option<i64>,
) -> Result<RuleWritten, Failure> {
    let (kind, id) = (rule.kind(), rule.id());
    let old = get(tx, id).await?;
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
    if !query(tx, TAKEN, [&kind.as_str(), &key, &id]).await?.is_empty() {
        return Ok(RuleWritten::Taken);
    }
    // Of one that is new, those are what a dropped list of this id left behind.
    if old.as_ref().and_then(|old| old.rule.list_currency()) != rule.list_currency()
        && !query(tx, HAS_PRICES, [&id]).await?.is_empty()
    {
        return Ok(RuleWritten::HasPrices);
    }
    let new = StoredRule {
        rule: rule.clone(),
        version: version + 1,
        created_at: old.as_ref().map_or(write.at, |old| old.created_at),
        updated_at: write.at,
    };
    put_row(tx, &key, &new).await?;
    stock::tell(tx, EventKind::RuleChanged, [id], write.at).await?;
    audit::append(tx, &write.put(old.as_ref().map(|old| &old.rule), rule)).await?;
    Ok(RuleWritten::Put(Box::new(new)))
}

async fn put_row(tx: &Transaction<'_>, key: &str, new: &StoredRule) -> Result<(), Failure> {
    let again = || Failure::Again(StoreError::Unavailable("another node made this rule".into()));
    let (kind, id) = (new.rule.kind().as_str(), new.rule.id());
    let body = serde_json::to_string(&new.rule);
    let body = body.map_err(|error| StoreError::Refused(format!("a rule: {error}")))?;
    let (created, updated) = (new.created_at.0, new.updated_at.0);
    match execute(tx, PUT_RULE, [&id, &kind, &key, &body, &new.version, &created, &updated]).await {
        Ok(1) => Ok(()),
        Ok(_) => Err(again()),
        Err(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => Err(again()),
        Err(error) => Err(error.into()),
    }
}

async fn drop_rule(
    tx: &Transaction<'_>,
    write: &RuleWrite,
    kind: RuleKind,
    id: Uuid,
    if_version: Option<i64>,
) -> Result<RuleWritten, Failure> {
    let old = get(tx, id).await?.filter(|old| old.rule.kind() == kind);
    let Some(old) = old else { return Ok(RuleWritten::Absent) };
    if if_version.is_some_and(|wanted| wanted != old.version) {
        return Ok(RuleWritten::Stale(old.version));
    }
    execute(tx, DROP_RULE, [&id]).await?;
    stock::tell(tx, EventKind::RuleChanged, [id], write.at).await?;
    audit::append(tx, &write.dropped(&old.rule)).await?;
    Ok(RuleWritten::Dropped)
}

async fn set_prices(
    tx: &Transaction<'_>,
    write: &RuleWrite,
    list: PriceListId,
    edit: &PriceEdit,
) -> Result<RuleWritten, Failure> {
    // Locked: edits of one list are made one after the other, so what is read below stays so.
    if !get(tx, list.0).await?.is_some_and(|one| one.rule.is_list()) {
        return Ok(RuleWritten::Absent);
    }
    let products: Vec<_> = edit.products().into_iter().map(|product| product.0).collect();
    let known = query(tx, LIST_PRICES, [&list.0, &products]).await?;
    let known = known.iter().map(|row| entry(list, row)).collect::<Result<_, _>>()?;
    let Some(plan) = edit.plan(known) else { return Ok(RuleWritten::PricesMoved) };
    if plan.is_nothing() {
        return Ok(RuleWritten::Prices(0));
    }
    if plan.added > 0 {
        let counted = query(tx, COUNT_PRICES, []).await?;
        let counted = counted.first().map(|row| row.try_get::<_, i64>(0)).transpose()?;
        if counted.unwrap_or_default().unsigned_abs() + plan.added > PriceTable::MOST_ENTRIES {
            return Ok(RuleWritten::TooMany);
        }
    }
    write_plan(tx, list, &plan).await?;
    let products = plan.products().into_iter().map(|product| product.0);
    stock::tell(tx, EventKind::ListPriceChanged, products, write.at).await?;
    audit::append(tx, &write.priced(list, &plan)).await?;
    Ok(RuleWritten::Prices((plan.put.len() + plan.drop.len()) as u64))
}

fn entry(list: PriceListId, row: &Row) -> Result<PriceEntry, Failure> {
    let steps = row.try_get("min_quantity")?;
    let min_quantity = Quantity::of_steps(steps);
    Ok(PriceEntry {
        list,
        product: ProductId(row.try_get("product_id")?),
        unit: row.try_get("unit")?,
        min_quantity: min_quantity
            .map_err(|_| StoreError::Corrupt(format!("a price's quantity is {steps}")))?,
        amount: row.try_get("amount")?,
    })
}

async fn write_plan(
    tx: &Transaction<'_>,
    list: PriceListId,
    plan: &PricePlan,
) -> Result<(), Failure> {
    if !plan.put.is_empty() {
        let products: Vec<_> = plan.put.iter().map(|entry| entry.product.0).collect();
        let units: Vec<_> = plan.put.iter().map(|entry| entry.unit.as_str()).collect();
        let from: Vec<_> = plan.put.iter().map(|entry| entry.min_quantity.steps()).collect();
        let amounts: Vec<_> = plan.put.iter().map(|entry| entry.amount).collect();
        execute(tx, PUT_PRICES, [&list.0, &products, &units, &from, &amounts]).await?;
    }
    if !plan.drop.is_empty() {
        let products: Vec<_> = plan.drop.iter().map(|key| key.product.0).collect();
        let units: Vec<_> = plan.drop.iter().map(|key| key.unit.as_str()).collect();
        let from: Vec<_> = plan.drop.iter().map(|key| key.min_quantity.steps()).collect();
        execute(tx, DROP_PRICES, [&list.0, &products, &units, &from]).await?;
    }
    Ok(())
}
