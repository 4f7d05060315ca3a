//! Customers, accounts and their tokens are made and changed.

use super::{audit, customers, mail, sessions, stock};
use crate::{
    adapters::postgres::statement::{execute, query, statements},
    domain::{
        account::{CustomerGroup, Email, Post},
        audit::Change,
        event::EventKind,
        id::{CustomerGroupId, CustomerId, SessionId, UserId},
        time::Micros,
    },
    ports::{
        accounts::{
            AccountWrite, NewAccount, NewCustomer, NewToken, PasswordHash, Purpose, locking,
        },
        mail::NewMail,
        sessions::TokenHash,
        writer::Written,
    },
};
use deadpool_postgres::{Transaction, tokio_postgres::Error};
use uuid::Uuid;

statements! {
    PUT_CUSTOMER =
        "INSERT INTO customer (id, kind, name, tax_number, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $5)";
    DROP_CUSTOMER = "DELETE FROM customer WHERE id = $1";
    /// Nothing is put when somebody has that address of mail.
    PUT_ACCOUNT =
        "INSERT INTO account (id, kind, customer_id, email, name, role, password_hash, active,
             created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, TRUE, $8, $8)
         ON CONFLICT (email) DO NOTHING";
    PUT_TOKEN =
        "INSERT INTO account_token (token_hash, account_id, purpose, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5)";
    DROP_SETUP_TOKENS = "DELETE FROM account_token WHERE purpose = 'setup'";
    USE_TOKEN =
        "UPDATE account_token SET used_at = $3
         WHERE token_hash = $1 AND purpose = $2 AND used_at IS NULL AND expires_at > $3
         RETURNING account_id";
    FREE_TOKEN = "UPDATE account_token SET used_at = NULL WHERE token_hash = $1";
    USE_TOKENS_OF =
        "UPDATE account_token SET used_at = $2 WHERE account_id = $1 AND used_at IS NULL";
    SWEEP_TOKENS =
        "DELETE FROM account_token WHERE token_hash IN (
             SELECT token_hash FROM account_token WHERE expires_at < $1
             ORDER BY expires_at LIMIT $2)";
    STAFF = "SELECT id FROM account WHERE kind = 'staff' LIMIT 1";
    REHASH = "UPDATE account SET password_hash = $3 WHERE id = $1 AND password_hash = $2";
    SET_PASSWORD = "UPDATE account SET password_hash = $2, updated_at = $3 WHERE id = $1";
    EMAIL_TAKEN = "SELECT id FROM account WHERE email = $1 AND id <> $2";
    /// Not of one that was erased.
    CHANGE_ACCOUNT =
        "UPDATE account SET name = $2, email = $3, updated_at = $4
         WHERE id = $1 AND email IS NOT NULL";
    CHANGE_CUSTOMER =
        "UPDATE customer SET name = $2, tax_number = $3, updated_at = $4
         WHERE id = $1 AND erased_at IS NULL";
    POST_OF = "SELECT kind, customer_id, role, active FROM account WHERE id = $1 FOR UPDATE";
    OWNERS =
        "SELECT id FROM account WHERE kind = 'staff' AND role = 'owner' AND active ORDER BY id FOR UPDATE";
    ADMINS =
        "SELECT id FROM account WHERE customer_id = $1 AND role = 'admin' AND active
             AND locked_at IS NULL ORDER BY id FOR UPDATE";
    CHANGE_POST = "UPDATE account SET role = $2, active = $3, updated_at = $4 WHERE id = $1";
    LOCKED =
        "SELECT locked_at IS NOT NULL FROM account
         WHERE id = $1 AND customer_id = $2 AND email IS NOT NULL FOR UPDATE";
    SET_LOCKED = "UPDATE account SET locked_at = $2, updated_at = $3 WHERE id = $1";
    GROUP_OF = "SELECT group_id FROM customer WHERE id = $1 AND erased_at IS NULL FOR UPDATE";
    GROUP_EXISTS = "SELECT id FROM customer_group WHERE id = $1";
    SET_GROUP = "UPDATE customer SET group_id = $2, updated_at = $3 WHERE id = $1";
    GROUP_CODE_TAKEN = "SELECT id FROM customer_group WHERE code = $1 AND id <> $2";
    PUT_GROUP =
        "INSERT INTO customer_group (id, code, name, created_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (id) DO UPDATE SET code = excluded.code, name = excluded.name";
}

pub(super) async fn apply(tx: &Transaction<'_>, write: &AccountWrite) -> Result<Written, Error> {
    match write {
        AccountWrite::Register { customer, account, mail, at } => {
            register(tx, customer, account, mail.as_ref(), *at).await
        }
        AccountWrite::Invite { account, token, mail, by, at } => {
            if !put_account(tx, account, *at).await? {
                return Ok(Written::Taken);
            }
            put_token(tx, token).await?;
            mail::put(tx, mail).await?;
            let change = Change::new(
                *at,
                by,
                "account.invite",
                format!("user:{}", account.id),
                None::<&Post>,
                Some(&account.post),
            );
            audit::append(tx, &change).await?;
            Ok(Written::Done)
        }
        AccountWrite::SetUp { token, account, at } => set_up(tx, *token, account, *at).await,
        AccountWrite::PutToken { token, mail } => {
            if token.purpose == Purpose::Setup {
                execute(tx, DROP_SETUP_TOKENS, []).await?;
            }
            put_token(tx, token).await?;
            put_mail(tx, mail.as_ref()).await?;
            Ok(Written::Done)
        }
        AccountWrite::Rehash { user, old, new } => {
            done_if(execute(tx, REHASH, [&user.0, &old.0, &new.0]).await? > 0)
        }
        AccountWrite::SetPassword { user, password, but, mail, at } => {
            put_mail(tx, mail.as_ref()).await?;
            set_password(tx, *user, password, *but, *at).await
        }
        AccountWrite::UseToken { token, password, mail, at } => {
            let Some(Some(user)) = use_token(tx, *token, Purpose::Reset, *at).await? else {
                return Ok(Written::Absent);
            };
            put_mail(tx, mail.as_ref()).await?;
            set_password(tx, user, password, None, *at).await
        }
        AccountWrite::ChangeAccount { user, name, email, mail, at } => {
            change_account(tx, *user, name, email, mail.as_ref(), *at).await
        }
        AccountWrite::ChangeCustomer { id, name, tax_number, at } => {
            done_if(execute(tx, CHANGE_CUSTOMER, [&id.0, name, tax_number, &at.0]).await? > 0)
        }
        AccountWrite::ChangePost { user, post, active, by, at } => {
            change_post(tx, *user, *post, *active, by, *at).await
        }
        AccountWrite::SetLocked { customer, user, locked, by, at } => {
            set_locked(tx, *customer, *user, *locked, by, *at).await
        }
        AccountWrite::SetGroup { customer, group, by, at } => {
            set_group(tx, *customer, *group, by, *at).await
        }
        AccountWrite::PutGroup { group, by, at } => put_group(tx, group, by, *at).await,
        AccountWrite::PutAddress { address, new } => {
            customers::put_address(tx, address, *new).await
        }
        AccountWrite::DropAddress { customer, id } => {
            customers::drop_address(tx, *customer, *id).await
        }
        AccountWrite::Erase { customer, by, at } => customers::erase(tx, *customer, by, *at).await,
        AccountWrite::RedactOrders { most } => {
            Ok(Written::Swept(customers::redact_orders(tx, *most).await?))
        }
        AccountWrite::SweepTokens { expired_before, most } => {
            let most = i64::from(*most);
            Ok(Written::Swept(execute(tx, SWEEP_TOKENS, [&expired_before.0, &most]).await?))
        }
    }
}

fn done_if(found: bool) -> Result<Written, Error> {
    Ok(if found { Written::Done } else { Written::Absent })
}

async fn put_mail(tx: &Transaction<'_>, mail: Option<&NewMail>) -> Result<(), Error> {
    match mail {
        Some(mail) => mail::put(tx, mail).await,
        None => Ok(()),
    }
}

async fn register(
    tx: &Transaction<'_>,
    customer: &NewCustomer,
    account: &NewAccount,
    mail: Option<&NewMail>,
    at: Micros,
) -> Result<Written, Error> {
    let NewCustomer { id, kind, name, tax_number } = customer;
    execute(tx, PUT_CUSTOMER, [&id.0, &kind.as_str(), name, tax_number, &at.0]).await?;
    if !put_account(tx, account, at).await? {
        execute(tx, DROP_CUSTOMER, [&id.0]).await?;
        return Ok(Written::Taken);
    }
    put_mail(tx, mail).await?;
    Ok(Written::Done)
}

/// False: somebody has that address of mail.
async fn put_account(
    tx: &Transaction<'_>,
    account: &NewAccount,
    at: Micros,
) -> Result<bool, Error> {
    let (kind, customer, role) = post(account.post);
    let password = account.password.as_ref().map(|hash| hash.0.as_str());
    let NewAccount { id, email, name, .. } = account;
    let email = email.as_str();
    let put = [
        &id.0 as _,
        &kind as _,
        &customer as _,
        &email as _,
        name as _,
        &role as _,
        &password as _,
        &at.0 as _,
    ];
    Ok(execute(tx, PUT_ACCOUNT, put).await? > 0)
}

/// As the columns have it.
fn post(post: Post) -> (&'static str, Option<Uuid>, &'static str) {
    match post {
        Post::Buyer { customer, role } => ("buyer", Some(customer.0), role.as_str()),
        Post::Staff { role } => ("staff", None, role.as_str()),
    }
}

async fn put_token(tx: &Transaction<'_>, token: &NewToken) -> Result<(), Error> {
    let (hash, account) = (token.hash.0.as_slice(), token.account.map(|user| user.0));
    let purpose = token.purpose.as_str();
    execute(tx, PUT_TOKEN, [&hash, &account, &purpose, &token.at.0, &token.expires_at.0])
        .await
        .map(drop)
}

/// Whose it was; `None`: it can't be used.
async fn use_token(
    tx: &Transaction<'_>,
    token: TokenHash,
    purpose: Purpose,
    at: Micros,
) -> Result<Option<Option<UserId>>, Error> {
    let used = query(tx, USE_TOKEN, [&token.0.as_slice(), &purpose.as_str(), &at.0]).await?;
    let Some(row) = used.first() else { return Ok(None) };
    let account: Option<Uuid> = row.try_get(0)?;
    Ok(Some(account.map(UserId)))
}

async fn set_up(
    tx: &Transaction<'_>,
    token: TokenHash,
    account: &NewAccount,
    at: Micros,
) -> Result<Written, Error> {
    // The token is one row, so of two at once one finds it used.
    let used = use_token(tx, token, Purpose::Setup, at).await?;
    if used.is_none() || !query(tx, STAFF, []).await?.is_empty() {
        return Ok(Written::Absent);
    }
    if !put_account(tx, account, at).await? {
        execute(tx, FREE_TOKEN, [&token.0.as_slice()]).await?;
        return Ok(Written::Taken);
    }
    let (by, subject) = ("setup", format!("user:{}", account.id));
    let change = Change::new(at, by, "account.set_up", subject, None::<&Post>, Some(&account.post));
    audit::append(tx, &change).await?;
    Ok(Written::Done)
}

async fn set_password(
    tx: &Transaction<'_>,
    user: UserId,
    password: &PasswordHash,
    but: Option<SessionId>,
    at: Micros,
) -> Result<Written, Error> {
    if execute(tx, SET_PASSWORD, [&user.0, &password.0, &at.0]).await? == 0 {
        return Ok(Written::Absent);
    }
    execute(tx, USE_TOKENS_OF, [&user.0, &at.0]).await?;
    Ok(Written::Ended(sessions::end_all(tx, user, but, at).await?))
}

async fn change_account(
    tx: &Transaction<'_>,
    user: UserId,
    name: &str,
    email: &Email,
    mail: Option<&NewMail>,
    at: Micros,
) -> Result<Written, Error> {
    let email = email.as_str();
    if !query(tx, EMAIL_TAKEN, [&email, &user.0]).await?.is_empty() {
        return Ok(Written::Taken);
    }
    if execute(tx, CHANGE_ACCOUNT, [&user.0, &name, &email, &at.0]).await? == 0 {
        return Ok(Written::Absent);
    }
    put_mail(tx, mail).await?;
    Ok(Written::Done)
}

#[derive(serde::Serialize)]
struct PostRow {
    kind: String,
    customer_id: Option<Uuid>,
    role: String,
    active: bool,
}

async fn change_post(
    tx: &Transaction<'_>,
    user: UserId,
    wanted: Post,
    active: bool,
    by: &str,
    at: Micros,
) -> Result<Written, Error> {
    let (kind, customer_id, role) = post(wanted);
    // Those first, in the order of their ids: of two who would both be the last, one waits.
    let heads = match &customer_id {
        None => query(tx, OWNERS, []).await?,
        Some(id) => query(tx, ADMINS, [id]).await?,
    };
    let heads = heads.iter().map(|row| row.try_get(0)).collect::<Result<Vec<Uuid>, _>>()?;
    let found = query(tx, POST_OF, [&user.0]).await?;
    let Some(row) = found.first() else { return Ok(Written::Absent) };
    let old = PostRow {
        kind: row.try_get("kind")?,
        customer_id: row.try_get("customer_id")?,
        role: row.try_get("role")?,
        active: row.try_get("active")?,
    };
    if (old.kind.as_str(), old.customer_id) != (kind, customer_id) {
        return Ok(Written::Absent);
    }
    let stays = active && matches!(role, "owner" | "admin");
    if heads == [user.0] && !stays {
        return Ok(Written::Conflict);
    }
    execute(tx, CHANGE_POST, [&user.0, &role, &active, &at.0]).await?;
    let new = PostRow { kind: kind.into(), customer_id, role: role.into(), active };
    let subject = format!("user:{user}");
    let change = Change::new(at, by, "account.post", subject, Some(&old), Some(&new));
    audit::append(tx, &change).await?;
    Ok(Written::Ended(sessions::end_all(tx, user, None, at).await?))
}

async fn set_locked(
    tx: &Transaction<'_>,
    customer: CustomerId,
    user: UserId,
    locked: bool,
    by: &str,
    at: Micros,
) -> Result<Written, Error> {
    let found = query(tx, LOCKED, [&user.0, &customer.0]).await?;
    let Some(row) = found.first() else { return Ok(Written::Absent) };
    if locked == row.try_get::<_, bool>(0)? {
        return Ok(Written::Ended(Vec::new()));
    }
    let since = locked.then_some(at.0);
    execute(tx, SET_LOCKED, [&user.0, &since, &at.0]).await?;
    audit::append(tx, &locking(user, locked, by, at)).await?;
    Ok(Written::Ended(sessions::end_all(tx, user, None, at).await?))
}

async fn set_group(
    tx: &Transaction<'_>,
    customer: CustomerId,
    group: Option<CustomerGroupId>,
    by: &str,
    at: Micros,
) -> Result<Written, Error> {
    let found = query(tx, GROUP_OF, [&customer.0]).await?;
    let Some(row) = found.first() else { return Ok(Written::Absent) };
    let old: Option<Uuid> = row.try_get(0)?;
    let new = group.map(|group| group.0);
    if let Some(group) = &new
        && query(tx, GROUP_EXISTS, [group]).await?.is_empty()
    {
        return Ok(Written::Conflict);
    }
    execute(tx, SET_GROUP, [&customer.0, &new, &at.0]).await?;
    stock::tell(tx, EventKind::CustomerChanged, [customer.0], at).await?;
    let subject = format!("customer:{customer}");
    let change = Change::new(at, by, "customer.group", subject, old.as_ref(), new.as_ref());
    audit::append(tx, &change).await?;
    Ok(Written::Done)
}

async fn put_group(
    tx: &Transaction<'_>,
    group: &CustomerGroup,
    by: &str,
    at: Micros,
) -> Result<Written, Error> {
    let CustomerGroup { id, code, name } = group;
    if !query(tx, GROUP_CODE_TAKEN, [code, &id.0]).await?.is_empty() {
        return Ok(Written::Taken);
    }
    execute(tx, PUT_GROUP, [&id.0, code, name, &at.0]).await?;
    let subject = format!("customer_group:{id}");
    let change =
        Change::new(at, by, "customer_group.put", subject, None::<&CustomerGroup>, Some(group));
    audit::append(tx, &change).await?;
    Ok(Written::Done)
}
