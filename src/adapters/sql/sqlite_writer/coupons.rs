//! Coupons used by orders, counted in the order's own transaction.

use super::products::Hex;
use crate::{
    adapters::sql::texts::statements,
    domain::{
        coupon::{CouponCode, CouponDesk, CouponNow, CouponUser},
        id::OrderId,
        rule::Rule,
    },
};
use sqlx::{SqliteConnection, types::Json};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use uuid::Uuid;

statements! {
    COUPONS = { sqlite:
        "SELECT r.id, r.body, coalesce(c.used, 0)
         FROM json_each($1) j CROSS JOIN rule r ON r.kind = 'coupon' AND r.unique_key = j.value
         LEFT JOIN coupon_count c ON c.coupon_id = r.id" };
    USED_BY = { sqlite:
        "SELECT coupon_id, used_by, count(*)
         FROM json_each($1) c CROSS JOIN json_each($2) w
         CROSS JOIN coupon_use u ON u.coupon_id = unhex(c.value) AND u.used_by = unhex(w.value)
         GROUP BY coupon_id, used_by" };
    PUT_USES = { sqlite:
        "INSERT INTO coupon_use (order_id, coupon_id, used_by, at)
         SELECT unhex(value->>0), unhex(value->>1), unhex(value->>2), value->>3
         FROM json_each($1)" };
    COUNT_USES = { sqlite:
        "INSERT INTO coupon_count (coupon_id, used)
         SELECT unhex(value->>0), value->>1 FROM json_each($1) WHERE true
         ON CONFLICT (coupon_id) DO UPDATE SET used = used + excluded.used" };
    GIVE_BACK = { sqlite: "DELETE FROM coupon_use WHERE order_id = $1 RETURNING coupon_id" };
    COUNT_BACK = { sqlite: "UPDATE coupon_count SET used = used - 1 WHERE coupon_id = $1" };
}

/// The coupons of a batch of orders, as they are now.
pub(super) async fn read(
    conn: &mut SqliteConnection,
    wanted: &BTreeSet<(&CouponCode, CouponUser)>,
) -> Result<CouponDesk, sqlx::Error> {
    if wanted.is_empty() {
        return Ok(CouponDesk::default());
    }
    let codes: BTreeSet<_> = wanted.iter().map(|(code, _)| code.as_str()).collect();
    let users: BTreeSet<_> = wanted.iter().map(|(_, user)| *user).collect();
    let rows: Vec<(Uuid, Json<Rule>, i64)> =
        sqlx::query_as(COUPONS.sqlite).bind(Json(codes)).fetch_all(&mut *conn).await?;
    let ids: Vec<_> = rows.iter().map(|(id, ..)| Hex(*id)).collect();
    let users: Vec<_> = users.into_iter().map(|user| Hex(Uuid::from_bytes(user.0))).collect();
    let used: Vec<(Uuid, Uuid, i64)> =
        sqlx::query_as(USED_BY.sqlite).bind(Json(ids)).bind(Json(users)).fetch_all(conn).await?;
    let mut used_by: HashMap<Uuid, HashMap<CouponUser, u32>> = HashMap::new();
    for (coupon, user, times) in used {
        used_by.entry(coupon).or_default().insert(CouponUser(user.into_bytes()), number(times));
    }
    let now = |(id, body, used): (Uuid, Json<Rule>, i64)| match body.0 {
        Rule::Coupon(coupon) => {
            let used_by = used_by.remove(&id).unwrap_or_default();
            Some(CouponNow { coupon, used: number(used), used_by })
        }
        _ => None,
    };
    Ok(CouponDesk::new(rows.into_iter().filter_map(now)))
}

/// Writes what the desk granted.
pub(super) async fn put(conn: &mut SqliteConnection, desk: &CouponDesk) -> Result<(), sqlx::Error> {
    if desk.taken().is_empty() {
        return Ok(());
    }
    let mut counts: BTreeMap<Uuid, u32> = BTreeMap::new();
    let mut uses = Vec::with_capacity(desk.taken().len());
    for one in desk.taken() {
        *counts.entry(one.coupon.0).or_default() += 1;
        let user = Hex(Uuid::from_bytes(one.user.0));
        uses.push((Hex(one.order.0), Hex(one.coupon.0), user, one.at.0));
    }
    sqlx::query(PUT_USES.sqlite).bind(Json(uses)).execute(&mut *conn).await?;
    let counts: Vec<_> = counts.into_iter().map(|(id, used)| (Hex(id), used)).collect();
    sqlx::query(COUNT_USES.sqlite).bind(Json(counts)).execute(conn).await?;
    Ok(())
}

/// The order was cancelled: its use counts no more. Once or twice is the same.
pub(super) async fn give_back(
    conn: &mut SqliteConnection,
    order: OrderId,
) -> Result<(), sqlx::Error> {
    let coupon = sqlx::query_scalar(GIVE_BACK.sqlite).bind(order.0);
    let coupon: Option<Uuid> = coupon.fetch_optional(&mut *conn).await?;
    if let Some(coupon) = coupon {
        sqlx::query(COUNT_BACK.sqlite).bind(coupon).execute(conn).await?;
    }
    Ok(())
}

fn number(count: i64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
