//! Customers' addresses, and taking out all that names a person.

use super::{sessions, stock};
use crate::{
    adapters::sql::{audit, texts::statements},
    domain::{
        account::SavedAddress,
        audit::Change,
        event::EventKind,
        id::{AddressId, CustomerId},
        time::Micros,
    },
    ports::writer::Written,
};
use sqlx::{SqliteConnection, types::Json};

statements! {
    PUT_ADDRESS = { sqlite:
        "INSERT INTO customer_address (id, customer_id, body, default_shipping, default_billing,
             created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $6)" };
    CHANGE_ADDRESS = { sqlite:
        "UPDATE customer_address SET body = $3, default_shipping = $4, default_billing = $5,
             updated_at = $6
         WHERE id = $1 AND customer_id = $2" };
    ONE_DEFAULT_SHIPPING = { sqlite:
        "UPDATE customer_address SET default_shipping = FALSE
         WHERE customer_id = $1 AND id <> $2 AND default_shipping" };
    ONE_DEFAULT_BILLING = { sqlite:
        "UPDATE customer_address SET default_billing = FALSE
         WHERE customer_id = $1 AND id <> $2 AND default_billing" };
    DROP_ADDRESS = { sqlite: "DELETE FROM customer_address WHERE id = $1 AND customer_id = $2" };
    ERASE_CUSTOMER = { sqlite:
        "UPDATE customer SET name = 'erased', tax_number = NULL, group_id = NULL, updated_at = $2,
             erased_at = $2
         WHERE id = $1 AND erased_at IS NULL" };
    EMAILS_OF = { sqlite:
        "SELECT email FROM account WHERE customer_id = $1 AND email IS NOT NULL" };
    /// What a server said of a mail often names who it was for.
    ERASE_MAIL_ERRORS = { sqlite:
        "UPDATE job SET error = NULL WHERE error IS NOT NULL AND id IN (
             SELECT id FROM mail WHERE recipient = $1)" };
    ERASE_MAIL = { sqlite:
        "UPDATE mail SET recipient = 'erased', subject = '', body = NULL, failure = NULL,
             state = CASE state WHEN 'waiting' THEN 'failed' ELSE state END
         WHERE recipient = $1" };
    REDACT_ORDERS = { sqlite:
        "UPDATE sales_order SET email = 'erased', access_hash = zeroblob(32),
             ship_to = json_remove(json_set(ship_to, '$.name', 'erased', '$.street', 'erased'),
                 '$.company', '$.street_more', '$.phone'),
             bill_to = json_remove(json_set(bill_to, '$.name', 'erased', '$.street', 'erased'),
                 '$.company', '$.street_more', '$.phone')
         WHERE number IN (
             SELECT o.number FROM customer c CROSS JOIN sales_order o ON o.customer_id = c.id
             WHERE c.erased_at IS NOT NULL AND o.email <> 'erased'
                 AND o.status NOT IN ('pending', 'confirmed', 'processing')
             LIMIT $1)" };
    ERASE_ORDER_MAIL_ERRORS = { sqlite:
        "UPDATE job SET error = NULL WHERE error IS NOT NULL AND id IN (
             SELECT m.id FROM sales_order o JOIN mail m ON m.order_id = o.id
             WHERE o.customer_id = $1)" };
    ERASE_ORDER_MAIL = { sqlite:
        "UPDATE mail SET recipient = 'erased', body = NULL, failure = NULL,
             state = CASE state WHEN 'waiting' THEN 'failed' ELSE state END
         WHERE order_id IN (SELECT id FROM sales_order WHERE customer_id = $1)" };
    ERASE_QUOTES = { sqlite:
        "UPDATE quote SET email = '', body = json_set(body, '$.wish', ''), version = version + 1,
             updated_at = $2,
             status = CASE status WHEN 'requested' THEN 'withdrawn' WHEN 'offered' THEN 'declined'
                      ELSE status END
         WHERE customer_id = $1" };
    ERASE_TOKENS = { sqlite:
        "DELETE FROM account_token
         WHERE account_id IN (SELECT id FROM account WHERE customer_id = $1)" };
    ERASE_SESSIONS = { sqlite:
        "DELETE FROM session WHERE account_id IN (SELECT id FROM account WHERE customer_id = $1)
         RETURNING token_hash" };
    ERASE_CARTS = { sqlite:
        "DELETE FROM cart WHERE owner_kind = 'user'
             AND owner_id IN (SELECT id FROM account WHERE customer_id = $1)" };
    ERASE_ADDRESSES = { sqlite: "DELETE FROM customer_address WHERE customer_id = $1" };
    ERASE_ACCOUNTS = { sqlite:
        "UPDATE account SET email = NULL, name = 'erased', password_hash = NULL, active = FALSE,
             logged_in_at = NULL, updated_at = $2
         WHERE customer_id = $1" };
}

pub(super) async fn put_address(
    conn: &mut SqliteConnection,
    address: &SavedAddress,
    new: bool,
) -> Result<Written, sqlx::Error> {
    let text = if new { PUT_ADDRESS.sqlite } else { CHANGE_ADDRESS.sqlite };
    let put = sqlx::query(text)
        .bind(address.id.0)
        .bind(address.customer.0)
        .bind(Json(&address.address))
        .bind(address.default_shipping)
        .bind(address.default_billing)
        .bind(address.updated_at.0)
        .execute(&mut *conn)
        .await?;
    if put.rows_affected() == 0 {
        return Ok(Written::Absent);
    }
    for (is_default, text) in [
        (address.default_shipping, ONE_DEFAULT_SHIPPING.sqlite),
        (address.default_billing, ONE_DEFAULT_BILLING.sqlite),
    ] {
        if is_default {
            let others = sqlx::query(text).bind(address.customer.0).bind(address.id.0);
            others.execute(&mut *conn).await?;
        }
    }
    Ok(Written::Done)
}

pub(super) async fn drop_address(
    conn: &mut SqliteConnection,
    customer: CustomerId,
    id: AddressId,
) -> Result<Written, sqlx::Error> {
    let drop = sqlx::query(DROP_ADDRESS.sqlite).bind(id.0).bind(customer.0);
    let dropped = drop.execute(conn).await?.rows_affected() > 0;
    Ok(if dropped { Written::Done } else { Written::Absent })
}

/// Whoever keeps more about a customer takes it out here too, in the same transaction.
/// Orders redacted with their customer; a sweep does what is left of them.
const AT_ONCE: u32 = 1_000;

pub(super) async fn redact_orders(
    conn: &mut SqliteConnection,
    most: u32,
) -> Result<u64, sqlx::Error> {
    let redact = sqlx::query(REDACT_ORDERS.sqlite).bind(i64::from(most));
    Ok(redact.execute(conn).await?.rows_affected())
}

pub(super) async fn erase(
    conn: &mut SqliteConnection,
    customer: CustomerId,
    by: &str,
    at: Micros,
) -> Result<Written, sqlx::Error> {
    let erase = sqlx::query(ERASE_CUSTOMER.sqlite).bind(customer.0).bind(at.0);
    if erase.execute(&mut *conn).await?.rows_affected() == 0 {
        return Ok(Written::Absent);
    }
    let emails: Vec<String> =
        sqlx::query_scalar(EMAILS_OF.sqlite).bind(customer.0).fetch_all(&mut *conn).await?;
    for email in emails {
        sqlx::query(ERASE_MAIL_ERRORS.sqlite).bind(&email).execute(&mut *conn).await?;
        sqlx::query(ERASE_MAIL.sqlite).bind(email).execute(&mut *conn).await?;
    }
    sqlx::query(ERASE_ORDER_MAIL_ERRORS.sqlite).bind(customer.0).execute(&mut *conn).await?;
    sqlx::query(ERASE_ORDER_MAIL.sqlite).bind(customer.0).execute(&mut *conn).await?;
    sqlx::query(ERASE_QUOTES.sqlite).bind(customer.0).bind(at.0).execute(&mut *conn).await?;
    redact_orders(&mut *conn, AT_ONCE).await?;
    sqlx::query(ERASE_TOKENS.sqlite).bind(customer.0).execute(&mut *conn).await?;
    let ended =
        sqlx::query_scalar(ERASE_SESSIONS.sqlite).bind(customer.0).fetch_all(&mut *conn).await?;
    sqlx::query(ERASE_CARTS.sqlite).bind(customer.0).execute(&mut *conn).await?;
    sqlx::query(ERASE_ADDRESSES.sqlite).bind(customer.0).execute(&mut *conn).await?;
    sqlx::query(ERASE_ACCOUNTS.sqlite).bind(customer.0).bind(at.0).execute(&mut *conn).await?;
    stock::tell(&mut *conn, EventKind::CustomerChanged, [customer.0], at).await?;
    let subject = format!("customer:{customer}");
    let change = Change::new(at, by, "customer.erase", subject, None::<&()>, None::<&()>);
    audit::append(conn, &change).await?;
    Ok(Written::Ended(sessions::hashes(ended)))
}
