//! Coupons used by orders, counted in the order's own transaction.
//!
//! A batch's coupons are locked by id, behind its stock, so nodes that use one do so one after the
//! other; their counts are read once the locks are held.

use super::Failure;
use crate::{
    adapters::postgres::statement::{execute, query, statements},
    domain::{
        coupon::{CouponCode, CouponDesk, CouponNow, CouponUser},
        id::OrderId,
        rule::Rule,
    },
    ports::StoreError,
};
use deadpool_postgres::{
    Transaction,
    tokio_postgres::{Error, Row},
};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use uuid::Uuid;

statements! {
    COUPONS =
        "SELECT id, body::text FROM rule WHERE kind = 'coupon' AND unique_key = ANY($1)
         ORDER BY id FOR UPDATE";
    USED = "SELECT coupon_id, used FROM coupon_count WHERE coupon_id = ANY($1)";
    USED_BY =
        "SELECT coupon_id, used_by, count(*) AS used FROM coupon_use
         WHERE coupon_id = ANY($1) AND used_by = ANY($2) GROUP BY coupon_id, used_by";
    PUT_USES =
        "INSERT INTO coupon_use (order_id, coupon_id, used_by, at)
         SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[])";
    COUNT_USES =
        "INSERT INTO coupon_count AS c (coupon_id, used)
         SELECT * FROM unnest($1::uuid[], $2::bigint[])
         ON CONFLICT (coupon_id) DO UPDATE SET used = c.used + excluded.used";
    GIVE_BACK = "DELETE FROM coupon_use WHERE order_id = $1 RETURNING coupon_id";
    COUNT_BACK = "UPDATE coupon_count SET used = used - 1 WHERE coupon_id = $1";
}

/// The coupons of a batch of orders, as they are now.
pub(super) async fn read(
    tx: &Transaction<'_>,
    wanted: &BTreeSet<(&CouponCode, CouponUser)>,
) -> Result<CouponDesk, Failure> {
    if wanted.is_empty() {
        return Ok(CouponDesk::default());
    }
    let codes: BTreeSet<_> = wanted.iter().map(|(code, _)| code.as_str()).collect();
    let users: BTreeSet<_> = wanted.iter().map(|(_, user)| Uuid::from_bytes(user.0)).collect();
    let (codes, users): (Vec<_>, Vec<_>) =
        (codes.into_iter().collect(), users.into_iter().collect());
    let rows = query(tx, COUPONS, [&codes]).await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.try_get("id")).collect::<Result<_, _>>()?;
    let (used, used_by) = tokio::try_join!(
        biased;
        query(tx, USED, [&ids]),
        query(tx, USED_BY, [&ids, &users]),
    )?;
    let used = used.iter().map(|row| Ok((row.try_get("coupon_id")?, number(row)?)));
    let used: HashMap<Uuid, u32> = used.collect::<Result<_, Error>>()?;
    let mut by: HashMap<Uuid, HashMap<CouponUser, u32>> = HashMap::new();
    for row in &used_by {
        let user: Uuid = row.try_get("used_by")?;
        let of = by.entry(row.try_get("coupon_id")?).or_default();
        of.insert(CouponUser(user.into_bytes()), number(row)?);
    }
    let mut coupons = Vec::with_capacity(rows.len());
    for (id, row) in ids.iter().zip(&rows) {
        let rule = serde_json::from_str(row.try_get("body")?);
        let rule = rule.map_err(|error| StoreError::Corrupt(format!("a coupon: {error}")))?;
        if let Rule::Coupon(coupon) = rule {
            let used_by = by.remove(id).unwrap_or_default();
            let used = used.get(id).copied().unwrap_or_default();
            coupons.push(CouponNow { coupon, used, used_by });
        }
    }
    Ok(CouponDesk::new(coupons))
}

fn number(row: &Row) -> Result<u32, Error> {
    Ok(u32::try_from(row.try_get::<_, i64>("used")?).unwrap_or(u32::MAX))
}

/// Writes what the desk granted.
pub(super) async fn put(tx: &Transaction<'_>, desk: &CouponDesk) -> Result<(), Error> {
    let taken = desk.taken();
    if taken.is_empty() {
        return Ok(());
    }
    let orders: Vec<_> = taken.iter().map(|one| one.order.0).collect();
    let coupons: Vec<_> = taken.iter().map(|one| one.coupon.0).collect();
    let users: Vec<_> = taken.iter().map(|one| Uuid::from_bytes(one.user.0)).collect();
    let at: Vec<_> = taken.iter().map(|one| one.at.0).collect();
    let mut counts: BTreeMap<Uuid, i64> = BTreeMap::new();
    for coupon in &coupons {
        *counts.entry(*coupon).or_default() += 1;
    }
    let (counted, used): (Vec<_>, Vec<_>) = counts.into_iter().unzip();
    tokio::try_join!(
        biased;
        execute(tx, PUT_USES, [&orders, &coupons, &users, &at]),
        execute(tx, COUNT_USES, [&counted, &used]),
    )?;
    Ok(())
}

/// The order was cancelled: its use counts no more. Once or twice is the same.
pub(super) async fn give_back(tx: &Transaction<'_>, order: OrderId) -> Result<(), Error> {
    for row in query(tx, GIVE_BACK, [&order.0]).await? {
        let coupon: Uuid = row.try_get(0)?;
        execute(tx, COUNT_BACK, [&coupon]).await?;
    }
    Ok(())
}
