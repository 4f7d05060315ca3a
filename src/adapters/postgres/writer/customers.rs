//! Customers' addresses, and taking out all that names a person.

use super::{audit, sessions, stock};
use crate::{
    adapters::postgres::statement::{execute, query, statements},
    domain::{
        account::SavedAddress,
        audit::Change,
        event::EventKind,
        id::{AddressId, CustomerId},
        time::Micros,
    },
    ports::writer::Written,
};
use deadpool_postgres::{Transaction, tokio_postgres::Error};

statements! {
    PUT_ADDRESS =
        "INSERT INTO customer_address (id, customer_id, body, default_shipping, default_billing,
             created_at, updated_at)
         VALUES ($1, $2, $3::text::jsonb, $4, $5, $6, $6)";
    CHANGE_ADDRESS =
        "UPDATE customer_address SET body = $3::text::jsonb, default_shipping = $4, default_billing = $5,
             updated_at = $6
         WHERE id = $1 AND customer_id = $2";
    ONE_DEFAULT_SHIPPING =
        "UPDATE customer_address SET default_shipping = FALSE
         WHERE customer_id = $1 AND id <> $2 AND default_shipping";
    ONE_DEFAULT_BILLING =
        "UPDATE customer_address SET default_billing = FALSE
         WHERE customer_id = $1 AND id <> $2 AND default_billing";
    DROP_ADDRESS = "DELETE FROM customer_address WHERE id = $1 AND customer_id = $2";
    ERASE_CUSTOMER =
        "UPDATE customer SET name = 'erased', tax_number = NULL, group_id = NULL, updated_at = $2,
             erased_at = $2
         WHERE id = $1 AND erased_at IS NULL";
    EMAILS_OF = "SELECT email FROM account WHERE customer_id = $1 AND email IS NOT NULL";
    /// What a server said of a mail often names who it was for.
    ERASE_MAIL_ERRORS =
        "UPDATE job SET error = NULL WHERE error IS NOT NULL AND id IN (
             SELECT id FROM mail WHERE recipient = $1)";
    ERASE_MAIL =
        "UPDATE mail SET recipient = 'erased', subject = '', body = NULL, failure = NULL,
             state = CASE state WHEN 'waiting' THEN 'failed' ELSE state END
         WHERE recipient = $1";
    REDACT_ORDERS =
        "UPDATE sales_order SET email = 'erased', access_hash = decode(repeat('00', 32), 'hex'),
             ship_to = (ship_to || '{\"name\":\"erased\",\"street\":\"erased\"}'::jsonb)
                 - 'company' - 'street_more' - 'phone',
             bill_to = (bill_to || '{\"name\":\"erased\",\"street\":\"erased\"}'::jsonb)
                 - 'company' - 'street_more' - 'phone'
         WHERE id IN (
             SELECT o.id FROM customer c JOIN sales_order o ON o.customer_id = c.id
             WHERE c.erased_at IS NOT NULL AND o.email <> 'erased'
                 AND o.status NOT IN ('pending', 'confirmed', 'processing')
             ORDER BY o.id LIMIT $1 FOR UPDATE OF o SKIP LOCKED)";
    ERASE_ORDER_MAIL_ERRORS =
        "UPDATE job SET error = NULL WHERE error IS NOT NULL AND id IN (
             SELECT m.id FROM sales_order o JOIN mail m ON m.order_id = o.id
             WHERE o.customer_id = $1)";
    ERASE_ORDER_MAIL =
        "UPDATE mail SET recipient = 'erased', body = NULL, failure = NULL,
             state = CASE state WHEN 'waiting' THEN 'failed' ELSE state END
         WHERE order_id IN (SELECT id FROM sales_order WHERE customer_id = $1)";
    ERASE_QUOTES =
        "UPDATE quote SET email = '', body = jsonb_set(body, '{wish}', '\"\"'),
             version = version + 1, updated_at = $2,
             status = CASE status WHEN 'requested' THEN 'withdrawn' WHEN 'offered' THEN 'declined'
                      ELSE status END
         WHERE customer_id = $1";
    ERASE_TOKENS =
        "DELETE FROM account_token
         WHERE account_id IN (SELECT id FROM account WHERE customer_id = $1)";
    ERASE_SESSIONS =
        "DELETE FROM session WHERE account_id IN (SELECT id FROM account WHERE customer_id = $1)
         RETURNING token_hash";
    ERASE_CARTS =
        "DELETE FROM cart WHERE owner_kind = 'user'
             AND owner_id IN (SELECT id FROM account WHERE customer_id = $1)";
    ERASE_ADDRESSES = "DELETE FROM customer_address WHERE customer_id = $1";
    ERASE_ACCOUNTS =
        "UPDATE account SET email = NULL, name = 'erased', password_hash = NULL, active = FALSE,
             logged_in_at = NULL, updated_at = $2
         WHERE customer_id = $1";
}

pub(super) async fn put_address(
    tx: &Transaction<'_>,
    address: &SavedAddress,
    new: bool,
) -> Result<Written, Error> {
    let SavedAddress { id, customer, default_shipping, default_billing, updated_at, .. } = address;
    let body = serde_json::to_string(&address.address).unwrap_or_default();
    let text = if new { PUT_ADDRESS } else { CHANGE_ADDRESS };
    let put = [
        &id.0 as _,
        &customer.0 as _,
        &body as _,
        default_shipping as _,
        default_billing as _,
        &updated_at.0 as _,
    ];
    if execute(tx, text, put).await? == 0 {
        return Ok(Written::Absent);
    }
    for (is_default, text) in
        [(*default_shipping, ONE_DEFAULT_SHIPPING), (*default_billing, ONE_DEFAULT_BILLING)]
    {
        if is_default {
            execute(tx, text, [&customer.0, &id.0]).await?;
        }
    }
    Ok(Written::Done)
}

pub(super) async fn drop_address(
    tx: &Transaction<'_>,
    customer: CustomerId,
    id: AddressId,
) -> Result<Written, Error> {
    let dropped = execute(tx, DROP_ADDRESS, [&id.0, &customer.0]).await? > 0;
    Ok(if dropped { Written::Done } else { Written::Absent })
}

/// Orders redacted with their customer; a sweep does what is left of them.
const AT_ONCE: u32 = 1_000;

pub(super) async fn redact_orders(tx: &Transaction<'_>, most: u32) -> Result<u64, Error> {
    execute(tx, REDACT_ORDERS, [&i64::from(most)]).await
}

/// Whoever keeps more about a customer takes it out here too, in the same transaction.
pub(super) async fn erase(
    tx: &Transaction<'_>,
    customer: CustomerId,
    by: &str,
    at: Micros,
) -> Result<Written, Error> {
    if execute(tx, ERASE_CUSTOMER, [&customer.0, &at.0]).await? == 0 {
        return Ok(Written::Absent);
    }
    for row in query(tx, EMAILS_OF, [&customer.0]).await? {
        let email: String = row.try_get(0)?;
        execute(tx, ERASE_MAIL_ERRORS, [&email]).await?;
        execute(tx, ERASE_MAIL, [&email]).await?;
    }
    execute(tx, ERASE_ORDER_MAIL_ERRORS, [&customer.0]).await?;
    execute(tx, ERASE_ORDER_MAIL, [&customer.0]).await?;
    execute(tx, ERASE_QUOTES, [&customer.0, &at.0]).await?;
    redact_orders(tx, AT_ONCE).await?;
    execute(tx, ERASE_TOKENS, [&customer.0]).await?;
    let ended = query(tx, ERASE_SESSIONS, [&customer.0]).await?;
    execute(tx, ERASE_CARTS, [&customer.0]).await?;
    execute(tx, ERASE_ADDRESSES, [&customer.0]).await?;
    execute(tx, ERASE_ACCOUNTS, [&customer.0, &at.0]).await?;
    stock::tell(tx, EventKind::CustomerChanged, [customer.0], at).await?;
    let subject = format!("customer:{customer}");
    let change = Change::new(at, by, "customer.erase", subject, None::<&()>, None::<&()>);
    audit::append(tx, &change).await?;
    Ok(Written::Ended(sessions::hashes(&ended)?))
}
