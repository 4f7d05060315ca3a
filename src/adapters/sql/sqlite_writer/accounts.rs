//! Customers, accounts and their tokens are made and changed.

use super::{customers, mail, sessions, stock};
use crate::{
    adapters::sql::{audit, texts::statements},
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
use sqlx::SqliteConnection;
use sqlx_macros::FromRow;
use uuid::Uuid;

statements! {
    PUT_CUSTOMER = { sqlite:
        "INSERT INTO customer (id, kind, name, tax_number, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $5)" };
    DROP_CUSTOMER = { sqlite: "DELETE FROM customer WHERE id = $1" };
    /// Nothing is put when somebody has that address of mail.
    PUT_ACCOUNT = { sqlite:
        "INSERT INTO account (id, kind, customer_id, email, name, role, password_hash, active,
             created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, TRUE, $8, $8)
         ON CONFLICT (email) DO NOTHING" };
    PUT_TOKEN = { sqlite:
        "INSERT INTO account_token (token_hash, account_id, purpose, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5)" };
    DROP_SETUP_TOKENS = { sqlite: "DELETE FROM account_token WHERE purpose = 'setup'" };
    USE_TOKEN = { sqlite:
        "UPDATE account_token SET used_at = $3
         WHERE token_hash = $1 AND purpose = $2 AND used_at IS NULL AND expires_at > $3
         RETURNING account_id" };
    FREE_TOKEN = { sqlite: "UPDATE account_token SET used_at = NULL WHERE token_hash = $1" };
    USE_TOKENS_OF = { sqlite:
        "UPDATE account_token SET used_at = $2 WHERE account_id = $1 AND used_at IS NULL" };
    SWEEP_TOKENS = { sqlite:
        "DELETE FROM account_token WHERE token_hash IN (
             SELECT token_hash FROM account_token WHERE expires_at < $1
             ORDER BY expires_at LIMIT $2)" };
    STAFF = { sqlite: "SELECT id FROM account WHERE kind = 'staff' LIMIT 1" };
    REHASH = { sqlite:
        "UPDATE account SET password_hash = $3 WHERE id = $1 AND password_hash = $2" };
    SET_PASSWORD = { sqlite:
        "UPDATE account SET password_hash = $2, updated_at = $3 WHERE id = $1" };
    EMAIL_TAKEN = { sqlite: "SELECT id FROM account WHERE email = $1 AND id <> $2" };
    /// Not of one that was erased.
    CHANGE_ACCOUNT = { sqlite:
        "UPDATE account SET name = $2, email = $3, updated_at = $4
         WHERE id = $1 AND email IS NOT NULL" };
    CHANGE_CUSTOMER = { sqlite:
        "UPDATE customer SET name = $2, tax_number = $3, updated_at = $4
         WHERE id = $1 AND erased_at IS NULL" };
    POST_OF = { sqlite: "SELECT kind, customer_id, role, active FROM account WHERE id = $1" };
    OWNERS = { sqlite:
        "SELECT id FROM account WHERE kind = 'staff' AND role = 'owner' AND active ORDER BY id" };
    ADMINS = { sqlite:
        "SELECT id FROM account WHERE customer_id = $1 AND role = 'admin' AND active
             AND locked_at IS NULL ORDER BY id" };
    CHANGE_POST = { sqlite:
        "UPDATE account SET role = $2, active = $3, updated_at = $4 WHERE id = $1" };
    LOCKED = { sqlite:
        "SELECT locked_at IS NOT NULL FROM account
         WHERE id = $1 AND customer_id = $2 AND email IS NOT NULL" };
    SET_LOCKED = { sqlite: "UPDATE account SET locked_at = $2, updated_at = $3 WHERE id = $1" };
    GROUP_OF = { sqlite: "SELECT group_id FROM customer WHERE id = $1 AND erased_at IS NULL" };
    GROUP_EXISTS = { sqlite: "SELECT id FROM customer_group WHERE id = $1" };
    SET_GROUP = { sqlite: "UPDATE customer SET group_id = $2, updated_at = $3 WHERE id = $1" };
    GROUP_CODE_TAKEN = { sqlite: "SELECT id FROM customer_group WHERE code = $1 AND id <> $2" };
    PUT_GROUP = { sqlite:
        "INSERT INTO customer_group (id, code, name, created_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (id) DO UPDATE SET code = excluded.code, name = excluded.name" };
}

pub(super) async fn apply(
    conn: &mut SqliteConnection,
    write: &AccountWrite,
) -> Result<Written, sqlx::Error> {
    match write {
        AccountWrite::Register { customer, account, mail, at } => {
            register(conn, customer, account, mail.as_ref(), *at).await
        }
        AccountWrite::Invite { account, token, mail, by, at } => {
            if !put_account(conn, account, *at).await? {
                return Ok(Written::Taken);
            }
            put_token(conn, token).await?;
            mail::put(conn, mail).await?;
            let change = Change::new(
                *at,
                by,
                "account.invite",
                format!("user:{}", account.id),
                None::<&Post>,
                Some(&account.post),
            );
            audit::append(conn, &change).await?;
            Ok(Written::Done)
        }
        AccountWrite::SetUp { token, account, at } => set_up(conn, *token, account, *at).await,
        AccountWrite::PutToken { token, mail } => {
            if token.purpose == Purpose::Setup {
                sqlx::query(DROP_SETUP_TOKENS.sqlite).execute(&mut *conn).await?;
            }
            put_token(conn, token).await?;
            put_mail(conn, mail.as_ref()).await?;
            Ok(Written::Done)
        }
        AccountWrite::Rehash { user, old, new } => {
            let rehash = sqlx::query(REHASH.sqlite).bind(user.0).bind(&old.0).bind(&new.0);
            done_if(rehash.execute(conn).await?.rows_affected() > 0)
        }
        AccountWrite::SetPassword { user, password, but, mail, at } => {
            put_mail(conn, mail.as_ref()).await?;
            set_password(conn, *user, password, *but, *at).await
        }
        AccountWrite::UseToken { token, password, mail, at } => {
            let Some(Some(user)) = use_token(conn, *token, Purpose::Reset, *at).await? else {
                return Ok(Written::Absent);
            };
            put_mail(conn, mail.as_ref()).await?;
            set_password(conn, user, password, None, *at).await
        }
        AccountWrite::ChangeAccount { user, name, email, mail, at } => {
            change_account(conn, *user, name, email, mail.as_ref(), *at).await
        }
        AccountWrite::ChangeCustomer { id, name, tax_number, at } => {
            let change = sqlx::query(CHANGE_CUSTOMER.sqlite).bind(id.0).bind(name);
            let change = change.bind(tax_number).bind(at.0).execute(conn).await?;
            done_if(change.rows_affected() > 0)
        }
        AccountWrite::ChangePost { user, post, active, by, at } => {
            change_post(conn, *user, *post, *active, by, *at).await
        }
        AccountWrite::SetLocked { customer, user, locked, by, at } => {
            set_locked(conn, *customer, *user, *locked, by, *at).await
        }
        AccountWrite::SetGroup { customer, group, by, at } => {
            set_group(conn, *customer, *group, by, *at).await
        }
        AccountWrite::PutGroup { group, by, at } => put_group(conn, group, by, *at).await,
        AccountWrite::PutAddress { address, new } => {
            customers::put_address(conn, address, *new).await
        }
        AccountWrite::DropAddress { customer, id } => {
            customers::drop_address(conn, *customer, *id).await
        }
        AccountWrite::Erase { customer, by, at } => {
            customers::erase(conn, *customer, by, *at).await
        }
        AccountWrite::RedactOrders { most } => {
            Ok(Written::Swept(customers::redact_orders(conn, *most).await?))
        }
        AccountWrite::SweepTokens { expired_before, most } => {
            let sweep = sqlx::query(SWEEP_TOKENS.sqlite).bind(expired_before.0);
            let swept = sweep.bind(i64::from(*most)).execute(conn).await?;
            Ok(Written::Swept(swept.rows_affected()))
        }
    }
}

fn done_if(found: bool) -> Result<Written, sqlx::Error> {
    Ok(if found { Written::Done } else { Written::Absent })
}

async fn put_mail(conn: &mut SqliteConnection, mail: Option<&NewMail>) -> Result<(), sqlx::Error> {
    match mail {
        Some(mail) => mail::put(conn, mail).await,
        None => Ok(()),
    }
}

async fn register(
    conn: &mut SqliteConnection,
    customer: &NewCustomer,
    account: &NewAccount,
    mail: Option<&NewMail>,
    at: Micros,
) -> Result<Written, sqlx::Error> {
    sqlx::query(PUT_CUSTOMER.sqlite)
        .bind(customer.id.0)
        .bind(customer.kind.as_str())
        .bind(&customer.name)
        .bind(&customer.tax_number)
        .bind(at.0)
        .execute(&mut *conn)
        .await?;
    if !put_account(conn, account, at).await? {
        sqlx::query(DROP_CUSTOMER.sqlite).bind(customer.id.0).execute(conn).await?;
        return Ok(Written::Taken);
    }
    put_mail(conn, mail).await?;
    Ok(Written::Done)
}

/// False: somebody has that address of mail.
async fn put_account(
    conn: &mut SqliteConnection,
    account: &NewAccount,
    at: Micros,
) -> Result<bool, sqlx::Error> {
    let (kind, customer, role) = post(account.post);
    let put = sqlx::query(PUT_ACCOUNT.sqlite)
        .bind(account.id.0)
        .bind(kind)
        .bind(customer)
        .bind(account.email.as_str())
        .bind(&account.name)
        .bind(role)
        .bind(account.password.as_ref().map(|hash| hash.0.as_str()))
        .bind(at.0)
        .execute(conn)
        .await?;
    Ok(put.rows_affected() > 0)
}

/// As the columns have it.
fn post(post: Post) -> (&'static str, Option<Uuid>, &'static str) {
    match post {
        Post::Buyer { customer, role } => ("buyer", Some(customer.0), role.as_str()),
        Post::Staff { role } => ("staff", None, role.as_str()),
    }
}

async fn put_token(conn: &mut SqliteConnection, token: &NewToken) -> Result<(), sqlx::Error> {
    sqlx::query(PUT_TOKEN.sqlite)
        .bind(token.hash.0.as_slice())
        .bind(token.account.map(|user| user.0))
        .bind(token.purpose.as_str())
        .bind(token.at.0)
        .bind(token.expires_at.0)
        .execute(conn)
        .await
        .map(drop)
}

/// Whose it was; `None`: it can't be used.
async fn use_token(
    conn: &mut SqliteConnection,
    token: TokenHash,
    purpose: Purpose,
    at: Micros,
) -> Result<Option<Option<UserId>>, sqlx::Error> {
    let used: Option<Option<Uuid>> = sqlx::query_scalar(USE_TOKEN.sqlite)
        .bind(token.0.as_slice())
        .bind(purpose.as_str())
        .bind(at.0)
        .fetch_optional(conn)
        .await?;
    Ok(used.map(|account| account.map(UserId)))
}

async fn set_up(
    conn: &mut SqliteConnection,
    token: TokenHash,
    account: &NewAccount,
    at: Micros,
) -> Result<Written, sqlx::Error> {
    let staff: Option<Uuid> = sqlx::query_scalar(STAFF.sqlite).fetch_optional(&mut *conn).await?;
    if staff.is_some() || use_token(conn, token, Purpose::Setup, at).await?.is_none() {
        return Ok(Written::Absent);
    }
    if !put_account(conn, account, at).await? {
        sqlx::query(FREE_TOKEN.sqlite).bind(token.0.as_slice()).execute(conn).await?;
        return Ok(Written::Taken);
    }
    let (by, subject) = ("setup", format!("user:{}", account.id));
    let change = Change::new(at, by, "account.set_up", subject, None::<&Post>, Some(&account.post));
    audit::append(conn, &change).await?;
    Ok(Written::Done)
}

async fn set_password(
    conn: &mut SqliteConnection,
    user: UserId,
    password: &PasswordHash,
    but: Option<SessionId>,
    at: Micros,
) -> Result<Written, sqlx::Error> {
    let set = sqlx::query(SET_PASSWORD.sqlite).bind(user.0).bind(&password.0).bind(at.0);
    if set.execute(&mut *conn).await?.rows_affected() == 0 {
        return Ok(Written::Absent);
    }
    sqlx::query(USE_TOKENS_OF.sqlite).bind(user.0).bind(at.0).execute(&mut *conn).await?;
    Ok(Written::Ended(sessions::end_all(conn, user, but, at).await?))
}

async fn change_account(
    conn: &mut SqliteConnection,
    user: UserId,
    name: &str,
    email: &Email,
    mail: Option<&NewMail>,
    at: Micros,
) -> Result<Written, sqlx::Error> {
    let taken: Option<Uuid> = sqlx::query_scalar(EMAIL_TAKEN.sqlite)
        .bind(email.as_str())
        .bind(user.0)
        .fetch_optional(&mut *conn)
        .await?;
    if taken.is_some() {
        return Ok(Written::Taken);
    }
    let change = sqlx::query(CHANGE_ACCOUNT.sqlite).bind(user.0).bind(name).bind(email.as_str());
    if change.bind(at.0).execute(&mut *conn).await?.rows_affected() == 0 {
        return Ok(Written::Absent);
    }
    put_mail(conn, mail).await?;
    Ok(Written::Done)
}

#[derive(FromRow, serde::Serialize)]
struct PostRow {
    kind: String,
    customer_id: Option<Uuid>,
    role: String,
    active: bool,
}

async fn change_post(
    conn: &mut SqliteConnection,
    user: UserId,
    wanted: Post,
    active: bool,
    by: &str,
    at: Micros,
) -> Result<Written, sqlx::Error> {
    let old = sqlx::query_as::<_, PostRow>(POST_OF.sqlite).bind(user.0);
    let Some(old) = old.fetch_optional(&mut *conn).await? else { return Ok(Written::Absent) };
    let (kind, customer_id, role) = post(wanted);
    if (old.kind.as_str(), old.customer_id) != (kind, customer_id) {
        return Ok(Written::Absent);
    }
    let heads: Vec<Uuid> = match customer_id {
        None => sqlx::query_scalar(OWNERS.sqlite).fetch_all(&mut *conn).await?,
        Some(id) => sqlx::query_scalar(ADMINS.sqlite).bind(id).fetch_all(&mut *conn).await?,
    };
    let stays = active && matches!(role, "owner" | "admin");
    if heads == [user.0] && !stays {
        return Ok(Written::Conflict);
    }
    let change = sqlx::query(CHANGE_POST.sqlite).bind(user.0).bind(role).bind(active);
    change.bind(at.0).execute(&mut *conn).await?;
    let new = PostRow { kind: kind.into(), customer_id, role: role.into(), active };
    let subject = format!("user:{user}");
    let change = Change::new(at, by, "account.post", subject, Some(&old), Some(&new));
    audit::append(conn, &change).await?;
    Ok(Written::Ended(sessions::end_all(conn, user, None, at).await?))
}

async fn set_locked(
    conn: &mut SqliteConnection,
    customer: CustomerId,
    user: UserId,
    locked: bool,
    by: &str,
    at: Micros,
) -> Result<Written, sqlx::Error> {
    let is: Option<bool> = sqlx::query_scalar(LOCKED.sqlite)
        .bind(user.0)
        .bind(customer.0)
        .fetch_optional(&mut *conn)
        .await?;
    let Some(is) = is else { return Ok(Written::Absent) };
    if locked == is {
        return Ok(Written::Ended(Vec::new()));
    }
    let since = locked.then_some(at.0);
    let set = sqlx::query(SET_LOCKED.sqlite).bind(user.0).bind(since).bind(at.0);
    set.execute(&mut *conn).await?;
    audit::append(conn, &locking(user, locked, by, at)).await?;
    Ok(Written::Ended(sessions::end_all(conn, user, None, at).await?))
}

async fn set_group(
    conn: &mut SqliteConnection,
    customer: CustomerId,
    group: Option<CustomerGroupId>,
    by: &str,
    at: Micros,
) -> Result<Written, sqlx::Error> {
    let old: Option<Option<Uuid>> =
        sqlx::query_scalar(GROUP_OF.sqlite).bind(customer.0).fetch_optional(&mut *conn).await?;
    let Some(old) = old else { return Ok(Written::Absent) };
    if let Some(group) = group {
        let there: Option<Uuid> = sqlx::query_scalar(GROUP_EXISTS.sqlite)
            .bind(group.0)
            .fetch_optional(&mut *conn)
            .await?;
        if there.is_none() {
            return Ok(Written::Conflict);
        }
    }
    let new = group.map(|group| group.0);
    sqlx::query(SET_GROUP.sqlite).bind(customer.0).bind(new).bind(at.0).execute(&mut *conn).await?;
    stock::tell(&mut *conn, EventKind::CustomerChanged, [customer.0], at).await?;
    let subject = format!("customer:{customer}");
    let change = Change::new(at, by, "customer.group", subject, old.as_ref(), new.as_ref());
    audit::append(conn, &change).await?;
    Ok(Written::Done)
}

async fn put_group(
    conn: &mut SqliteConnection,
    group: &CustomerGroup,
    by: &str,
    at: Micros,
) -> Result<Written, sqlx::Error> {
    let taken: Option<Uuid> = sqlx::query_scalar(GROUP_CODE_TAKEN.sqlite)
        .bind(&group.code)
        .bind(group.id.0)
        .fetch_optional(&mut *conn)
        .await?;
    if taken.is_some() {
        return Ok(Written::Taken);
    }
    sqlx::query(PUT_GROUP.sqlite)
        .bind(group.id.0)
        .bind(&group.code)
        .bind(&group.name)
        .bind(at.0)
        .execute(&mut *conn)
        .await?;
    let subject = format!("customer_group:{}", group.id);
    let change =
        Change::new(at, by, "customer_group.put", subject, None::<&CustomerGroup>, Some(group));
    audit::append(conn, &change).await?;
    Ok(Written::Done)
}
