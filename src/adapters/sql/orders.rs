//! Orders, read back; see `ports::orders`. The writer makes and moves the rows.

use super::{SqlStore, error::not_ours, lists::IdList, on, texts::statements};
use crate::{
    domain::{
        address::Address,
        coupon::CouponCode,
        id::{CartId, CustomerId, OrderId, PaymentIntentId, PriceListId, ProductId},
        line::PricedLine,
        money::{Currency, Money},
        order::{Action, Order, OrderLine, OrderNumber, OrderState, OrderStatus, OrderStep},
        payment::PaymentState,
        price::{PriceSource, UnitPrice},
        quantity::{Precision, Quantity},
        scope::{Locale, Scope, Site},
        shipping::ShippingQuote,
        sku::Sku,
        tax::{TaxCategory, TaxMode},
        time::Micros,
        totals::{LineTotal, Summary, TaxLine},
    },
    ports::{
        StoreError,
        orders::{OrderFilter, Orders, StoredOrder},
    },
};
use async_trait::async_trait;
use sqlx::types::Json;
use sqlx_macros::FromRow;
use std::collections::HashMap;
use uuid::Uuid;

macro_rules! order_columns {
    ($rest:literal) => {
        concat!(
            "SELECT id, number, site, locale, status, payment, fulfilment, version, cart_id,
                    customer_id, placed_by, email, access_hash, currency, subtotal, discount,
                    shipping, shipping_tax, tax, tax_on_top, total, taxes, coupon, sent_by, ship_to,
                    bill_to, payment_id, provider, held_until, placed_at, updated_at
             FROM sales_order ",
            $rest
        )
    };
}

const GET_TEXT: &str = order_columns!("WHERE id = $1");
const LIST_TEXT: &str = order_columns!("WHERE number < $1 ORDER BY number DESC LIMIT $2");
const BY_STATUS_TEXT: &str =
    order_columns!("WHERE number < $1 AND status = $3 ORDER BY number DESC LIMIT $2");
const BY_CUSTOMER_TEXT: &str =
    order_columns!("WHERE number < $1 AND customer_id = $3 ORDER BY number DESC LIMIT $2");
const BY_BOTH_TEXT: &str = order_columns!(
    "WHERE number < $1 AND customer_id = $3 AND status = $4 ORDER BY number DESC LIMIT $2"
);

/// Everything that staff may ask for at once; an empty text asks for nothing. Walks the newest
/// orders until it has found enough.
const SEARCH_TEXT: &str = order_columns!(
    "WHERE number < $1 AND placed_at >= $3 AND placed_at < $4 AND ($5 = '' OR status = $5)
         AND ($6 = '' OR payment = $6) AND (customer_id = $7 OR $7 IS NULL)
     ORDER BY number DESC LIMIT $2"
);
const BY_EMAIL_TEXT: &str = order_columns!(
    "WHERE number < $1 AND placed_at >= $3 AND placed_at < $4 AND ($5 = '' OR status = $5)
         AND ($6 = '' OR payment = $6) AND (customer_id = $7 OR $7 IS NULL) AND email = $8
     ORDER BY number DESC LIMIT $2"
);

statements! {
    GET = (GET_TEXT);
    LIST = (LIST_TEXT);
    BY_STATUS = (BY_STATUS_TEXT);
    BY_CUSTOMER = (BY_CUSTOMER_TEXT);
    BY_BOTH = (BY_BOTH_TEXT);
    SEARCH = (SEARCH_TEXT);
    BY_EMAIL = (BY_EMAIL_TEXT);
    OPEN = "SELECT status, count(*) FROM sales_order
            WHERE status IN ('pending', 'confirmed', 'processing') GROUP BY status";
    LINES = [
        "SELECT order_id, product_id, sku, name, unit, quantity, precision, unit_minor, price_tax,
                price_list, price_from, tax_category, amount, discount, net, tax, gross
         FROM sales_order_line WHERE order_id", [ids "$1"], " ORDER BY order_id, position"
    ];
    STEPS = "SELECT at, by_whom, action, note, status, payment, fulfilment FROM sales_order_step
             WHERE order_id = $1 ORDER BY version";
}

#[derive(FromRow)]
struct OrderRow {
    id: Uuid,
    number: i64,
    site: String,
    locale: String,
    status: String,
    payment: String,
    fulfilment: String,
    version: i64,
    cart_id: Option<Uuid>,
    customer_id: Option<Uuid>,
    placed_by: String,
    email: String,
    access_hash: Vec<u8>,
    currency: String,
    subtotal: i64,
    discount: i64,
    shipping: i64,
    shipping_tax: i64,
    tax: i64,
    tax_on_top: i64,
    total: i64,
    taxes: Json<Vec<TaxLine>>,
    coupon: Option<String>,
    sent_by: Option<Json<ShippingQuote>>,
    ship_to: Json<Address>,
    bill_to: Option<Json<Address>>,
    payment_id: Uuid,
    provider: String,
    held_until: Option<i64>,
    placed_at: i64,
    updated_at: i64,
}

#[derive(FromRow)]
struct LineRow {
    order_id: Uuid,
    product_id: Uuid,
    sku: String,
    name: String,
    unit: String,
    quantity: i64,
    precision: i32,
    unit_minor: i64,
    price_tax: String,
    price_list: Option<Uuid>,
    price_from: i64,
    tax_category: String,
    amount: i64,
    discount: i64,
    net: i64,
    tax: i64,
    gross: i64,
}

#[derive(FromRow)]
struct StepRow {
    at: i64,
    by_whom: String,
    action: Json<Action>,
    note: String,
    status: String,
    payment: String,
    fulfilment: String,
}

fn state(status: &str, payment: &str, fulfilment: &str) -> Result<OrderState, StoreError> {
    OrderState::parse(status, payment, fulfilment).ok_or_else(|| {
        not_ours(format!("the state of an order: {status}, {payment}, {fulfilment}"))
    })
}

impl OrderRow {
    fn order(self, lines: Vec<LineRow>) -> Result<StoredOrder, StoreError> {
        let currency: Currency = self.currency.parse().map_err(not_ours)?;
        let coupon = self.coupon.map(|code| code.try_into()).transpose();
        let coupon: Option<CouponCode> = coupon.map_err(not_ours)?;
        let lines = lines.into_iter().map(|line| line.line(currency)).collect::<Result<_, _>>()?;
        let access = self.access_hash.try_into();
        let access = access.map_err(|_| not_ours("an order's access hash has another length"))?;
        let order = Order {
            id: OrderId(self.id),
            number: OrderNumber(self.number),
            scope: Scope { site: Site(self.site), locale: Locale(self.locale) },
            state: state(&self.status, &self.payment, &self.fulfilment)?,
            version: self.version,
            cart: self.cart_id.map(CartId),
            customer: self.customer_id.map(CustomerId),
            placed_by: self.placed_by,
            email: self.email,
            lines,
            summary: Summary {
                currency,
                subtotal: self.subtotal,
                discount: self.discount,
                shipping: self.shipping,
                shipping_tax: self.shipping_tax,
                tax: self.tax,
                tax_on_top: self.tax_on_top,
                total: self.total,
                taxes: self.taxes.0,
            },
            coupon,
            shipping: self.sent_by.map(|json| json.0),
            ship_to: self.ship_to.0,
            bill_to: self.bill_to.map(|json| json.0),
            payment: PaymentIntentId(self.payment_id),
            provider: self.provider,
            held_until: self.held_until.map(Micros),
            placed_at: Micros(self.placed_at),
            updated_at: Micros(self.updated_at),
        };
        Ok(StoredOrder { order, access })
    }
}

impl LineRow {
    fn line(self, currency: Currency) -> Result<OrderLine, StoreError> {
        let price = UnitPrice {
            amount: Money { minor: self.unit_minor, currency },
            tax: match self.price_tax.as_str() {
                "exclusive" => TaxMode::Exclusive,
                "inclusive" => TaxMode::Inclusive,
                other => return Err(not_ours(format!("a price's tax mode: {other}"))),
            },
            source: match self.price_list {
                Some(list) => PriceSource::List { list: PriceListId(list) },
                None => PriceSource::Base,
            },
            min_quantity: Quantity::of_steps(self.price_from).map_err(not_ours)?,
        };
        let precision = u8::try_from(self.precision).map_err(not_ours)?;
        let priced = PricedLine::new(
            Quantity::of_steps(self.quantity).map_err(not_ours)?,
            Precision::new(precision).map_err(not_ours)?,
            price,
            TaxCategory::new(&self.tax_category).map_err(not_ours)?,
        );
        let LineRow { amount, discount, net, tax, gross, .. } = self;
        Ok(OrderLine {
            product: ProductId(self.product_id),
            sku: Sku::new(&self.sku).map_err(not_ours)?,
            name: self.name,
            unit: self.unit,
            priced: priced.map_err(not_ours)?,
            total: LineTotal { amount, discount, net, tax, gross },
        })
    }
}

impl SqlStore {
    async fn search(
        &self,
        filter: OrderFilter,
        before: i64,
        limit: i64,
    ) -> Result<Vec<Order>, StoreError> {
        let from = filter.from.map_or(i64::MIN, |at| at.0);
        let until = filter.until.map_or(i64::MAX, |at| at.0);
        let status = filter.status.map_or("", OrderStatus::as_str);
        let payment = filter.payment.map_or("", PaymentState::as_str);
        let customer = filter.customer.map(|customer| customer.0);
        let rows: Vec<OrderRow> = match &filter.email {
            None => on!(self, SEARCH, |pool, text| {
                let query = sqlx::query_as(text).bind(before).bind(limit).bind(from).bind(until);
                query.bind(status).bind(payment).bind(customer).fetch_all(pool).await
            })?,
            Some(email) => on!(self, BY_EMAIL, |pool, text| {
                let query = sqlx::query_as(text).bind(before).bind(limit).bind(from).bind(until);
                let query = query.bind(status).bind(payment).bind(customer);
                query.bind(email).fetch_all(pool).await
            })?,
        };
        let found = self.with_lines(rows).await?;
        Ok(found.into_iter().map(|stored| stored.order).collect())
    }

    async fn with_lines(&self, rows: Vec<OrderRow>) -> Result<Vec<StoredOrder>, StoreError> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let ids = IdList(rows.iter().map(|row| row.id).collect());
        let lines: Vec<LineRow> = on!(self, LINES, |pool, text| {
            sqlx::query_as(text).bind(ids.clone()).fetch_all(pool).await
        })?;
        let mut by_order: HashMap<Uuid, Vec<LineRow>> = HashMap::new();
        for line in lines {
            by_order.entry(line.order_id).or_default().push(line);
        }
        rows.into_iter()
            .map(|row| {
                let lines = by_order.remove(&row.id).unwrap_or_default();
                row.order(lines)
            })
            .collect()
    }
}

#[async_trait]
impl Orders for SqlStore {
    async fn get(&self, id: OrderId) -> Result<Option<StoredOrder>, StoreError> {
        let row: Option<OrderRow> = on!(self, GET, |pool, text| {
            sqlx::query_as(text).bind(id.0).fetch_optional(pool).await
        })?;
        Ok(self.with_lines(row.into_iter().collect()).await?.pop())
    }

    async fn list(
        &self,
        filter: OrderFilter,
        before: Option<OrderNumber>,
        limit: u32,
    ) -> Result<Vec<Order>, StoreError> {
        let before = before.map_or(i64::MAX, |number| number.0);
        let limit = i64::from(limit);
        if !filter.is_plain() {
            return self.search(filter, before, limit).await;
        }
        let rows: Vec<OrderRow> = match (filter.customer, filter.status) {
            (None, None) => on!(self, LIST, |pool, text| {
                sqlx::query_as(text).bind(before).bind(limit).fetch_all(pool).await
            })?,
            (None, Some(status)) => on!(self, BY_STATUS, |pool, text| {
                let query = sqlx::query_as(text).bind(before).bind(limit);
                query.bind(status.as_str()).fetch_all(pool).await
            })?,
            (Some(customer), None) => on!(self, BY_CUSTOMER, |pool, text| {
                let query = sqlx::query_as(text).bind(before).bind(limit);
                query.bind(customer.0).fetch_all(pool).await
            })?,
            (Some(customer), Some(status)) => on!(self, BY_BOTH, |pool, text| {
                let query = sqlx::query_as(text).bind(before).bind(limit).bind(customer.0);
                query.bind(status.as_str()).fetch_all(pool).await
            })?,
        };
        let found = self.with_lines(rows).await?;
        Ok(found.into_iter().map(|stored| stored.order).collect())
    }

    async fn open(&self) -> Result<Vec<(OrderStatus, u64)>, StoreError> {
        let rows: Vec<(String, i64)> =
            on!(self, OPEN, |pool, text| sqlx::query_as(text).fetch_all(pool).await)?;
        let count = |(status, count): (String, i64)| {
            let known = OrderStatus::parse(&status);
            let known =
                known.ok_or_else(|| not_ours(format!("the status of an order: {status}")))?;
            Ok((known, count.unsigned_abs()))
        };
        rows.into_iter().map(count).collect()
    }

    async fn steps(&self, id: OrderId) -> Result<Vec<OrderStep>, StoreError> {
        let rows: Vec<StepRow> = on!(self, STEPS, |pool, text| {
            sqlx::query_as(text).bind(id.0).fetch_all(pool).await
        })?;
        let step = |row: StepRow| {
            Ok(OrderStep {
                at: Micros(row.at),
                by: row.by_whom,
                action: row.action.0,
                note: row.note,
                state: state(&row.status, &row.payment, &row.fulfilment)?,
            })
        };
        rows.into_iter().map(step).collect()
    }
}
