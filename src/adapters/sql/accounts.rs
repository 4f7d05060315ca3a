//! Customers and accounts, read back; see `ports::accounts`. The writer makes and changes them.

use super::{
    SqlStore,
    error::not_ours,
    on,
    texts::{pattern, statements},
};
use crate::{
    domain::{
        account::{Account, Customer, CustomerGroup, CustomerKind, Email, Post, SavedAddress},
        address::Address,
        id::{AddressId, CustomerGroupId, CustomerId, UserId},
        policy::{BuyerRole, StaffRole},
        time::Micros,
    },
    ports::{
        StoreError,
        accounts::{Accounts, Credentials, PasswordHash, Purpose},
        sessions::TokenHash,
    },
};
use async_trait::async_trait;
use sqlx::types::Json;
use sqlx_macros::FromRow;
use uuid::Uuid;

macro_rules! account_columns {
    ($rest:literal) => {
        concat!(
            "SELECT id, kind, customer_id, email, name, role, password_hash, active, locked_at,
                    created_at, logged_in_at FROM account ",
            $rest
        )
    };
}
macro_rules! customer_columns {
    ($rest:literal) => {
        concat!(
            "SELECT id, kind, name, tax_number, group_id, created_at, erased_at FROM customer ",
            $rest
        )
    };
}

/// `LIKE` is what folds the case of letters, which is SQLite's way and `ILIKE` PostgreSQL's.
macro_rules! find {
    ($like:literal) => {
        concat!(
            "SELECT c.id, c.kind, c.name, c.tax_number, c.group_id, c.created_at, c.erased_at,
                    (SELECT min(a.email) FROM account a WHERE a.customer_id = c.id) AS email
             FROM customer c WHERE c.id < $1 AND ($3 = '' OR c.name ",
            $like,
            " $3 ESCAPE '!' OR c.tax_number ",
            $like,
            " $3 ESCAPE '!'
                 OR EXISTS (SELECT 1 FROM account a WHERE a.customer_id = c.id
                            AND a.email ",
            $like,
            " $3 ESCAPE '!'))
             ORDER BY c.id DESC LIMIT $2"
        )
    };
}

const FIND_ON_SQLITE: &str = find!("LIKE");
const FIND_ON_POSTGRES: &str = find!("ILIKE");
const BY_EMAIL_TEXT: &str = account_columns!("WHERE email = $1");
const BY_USER_TEXT: &str = account_columns!("WHERE id = $1");
const OF_CUSTOMER_TEXT: &str = account_columns!("WHERE customer_id = $1 ORDER BY id");
const OF_SHOP_TEXT: &str = account_columns!("WHERE kind = 'staff' ORDER BY id");
const CUSTOMER_TEXT: &str = customer_columns!("WHERE id = $1");
const CUSTOMERS_TEXT: &str = customer_columns!("ORDER BY id LIMIT $1");
const CUSTOMERS_AFTER_TEXT: &str = customer_columns!("WHERE id > $1 ORDER BY id LIMIT $2");

statements! {
    BY_EMAIL = (BY_EMAIL_TEXT);
    BY_USER = (BY_USER_TEXT);
    OF_CUSTOMER = (OF_CUSTOMER_TEXT);
    OF_SHOP = (OF_SHOP_TEXT);
    CUSTOMER = (CUSTOMER_TEXT);
    CUSTOMERS = (CUSTOMERS_TEXT);
    CUSTOMERS_AFTER = (CUSTOMERS_AFTER_TEXT);
    FIND = { sqlite: (FIND_ON_SQLITE), postgres: (FIND_ON_POSTGRES) };
    ADDRESSES =
        "SELECT id, customer_id, body, default_shipping, default_billing, created_at, updated_at
         FROM customer_address WHERE customer_id = $1 ORDER BY id";
    GROUPS = "SELECT id, code, name FROM customer_group ORDER BY code";
    TOKEN =
        "SELECT account_id FROM account_token
         WHERE token_hash = $1 AND purpose = $2 AND used_at IS NULL AND expires_at > $3";
}

#[derive(FromRow)]
struct AccountRow {
    id: Uuid,
    kind: String,
    customer_id: Option<Uuid>,
    email: Option<String>,
    name: String,
    role: String,
    password_hash: Option<String>,
    active: bool,
    locked_at: Option<i64>,
    created_at: i64,
    logged_in_at: Option<i64>,
}

impl AccountRow {
    fn post(&self) -> Option<Post> {
        match (self.kind.as_str(), self.customer_id) {
            ("buyer", Some(customer)) => Some(Post::Buyer {
                customer: CustomerId(customer),
                role: BuyerRole::parse(&self.role)?,
            }),
            ("staff", None) => Some(Post::Staff { role: StaffRole::parse(&self.role)? }),
            _ => None,
        }
    }
}

impl TryFrom<AccountRow> for Credentials {
    type Error = StoreError;

    fn try_from(row: AccountRow) -> Result<Self, StoreError> {
        let post = row.post();
        let strange = |what| not_ours(format!("the {what} of account {}", row.id));
        let email = row.email.as_deref().map(Email::new).transpose();
        Ok(Self {
            account: Account {
                id: UserId(row.id),
                post: post.ok_or_else(|| strange("role"))?,
                email: email.map_err(|_| strange("address of mail"))?,
                name: row.name,
                active: row.active,
                locked_at: row.locked_at.map(Micros),
                created_at: Micros(row.created_at),
                logged_in_at: row.logged_in_at.map(Micros),
            },
            password: row.password_hash.map(PasswordHash),
        })
    }
}

#[derive(FromRow)]
struct CustomerRow {
    id: Uuid,
    kind: String,
    name: String,
    tax_number: Option<String>,
    group_id: Option<Uuid>,
    created_at: i64,
    erased_at: Option<i64>,
}

#[derive(FromRow)]
struct FoundRow {
    id: Uuid,
    kind: String,
    name: String,
    tax_number: Option<String>,
    group_id: Option<Uuid>,
    created_at: i64,
    erased_at: Option<i64>,
    email: Option<String>,
}

impl TryFrom<CustomerRow> for Customer {
    type Error = StoreError;

    fn try_from(row: CustomerRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: CustomerId(row.id),
            kind: CustomerKind::parse(&row.kind)
                .ok_or_else(|| not_ours(format!("what customer {} is", row.id)))?,
            name: row.name,
            tax_number: row.tax_number,
            group: row.group_id.map(CustomerGroupId),
            created_at: Micros(row.created_at),
            erased_at: row.erased_at.map(Micros),
        })
    }
}

#[derive(FromRow)]
struct AddressRow {
    id: Uuid,
    customer_id: Uuid,
    body: Json<Address>,
    default_shipping: bool,
    default_billing: bool,
    created_at: i64,
    updated_at: i64,
}

impl From<AddressRow> for SavedAddress {
    fn from(row: AddressRow) -> Self {
        Self {
            id: AddressId(row.id),
            customer: CustomerId(row.customer_id),
            address: row.body.0,
            default_shipping: row.default_shipping,
            default_billing: row.default_billing,
            created_at: Micros(row.created_at),
            updated_at: Micros(row.updated_at),
        }
    }
}

#[derive(FromRow)]
struct GroupRow {
    id: Uuid,
    code: String,
    name: String,
}

#[async_trait]
impl Accounts for SqlStore {
    async fn by_email(&self, email: &Email) -> Result<Option<Credentials>, StoreError> {
        let row: Option<AccountRow> = on!(self, BY_EMAIL, |pool, text| sqlx::query_as(text)
            .bind(email.as_str())
            .fetch_optional(pool)
            .await)?;
        row.map(TryInto::try_into).transpose()
    }

    async fn by_user(&self, user: UserId) -> Result<Option<Credentials>, StoreError> {
        let row: Option<AccountRow> = on!(self, BY_USER, |pool, text| sqlx::query_as(text)
            .bind(user.0)
            .fetch_optional(pool)
            .await)?;
        row.map(TryInto::try_into).transpose()
    }

    async fn by_token(
        &self,
        token: TokenHash,
        purpose: Purpose,
        now: Micros,
    ) -> Result<Option<Option<UserId>>, StoreError> {
        let found: Option<Option<Uuid>> = on!(self, TOKEN, |pool, text| sqlx::query_scalar(text)
            .bind(token.0.as_slice())
            .bind(purpose.as_str())
            .bind(now.0)
            .fetch_optional(pool)
            .await)?;
        Ok(found.map(|account| account.map(UserId)))
    }

    async fn customer(&self, id: CustomerId) -> Result<Option<Customer>, StoreError> {
        let row: Option<CustomerRow> = on!(self, CUSTOMER, |pool, text| sqlx::query_as(text)
            .bind(id.0)
            .fetch_optional(pool)
            .await)?;
        row.map(TryInto::try_into).transpose()
    }

    async fn customers(
        &self,
        after: Option<CustomerId>,
        limit: u32,
    ) -> Result<Vec<Customer>, StoreError> {
        let limit = i64::from(limit);
        let rows: Vec<CustomerRow> = match after {
            None => on!(self, CUSTOMERS, |pool, text| sqlx::query_as(text)
                .bind(limit)
                .fetch_all(pool)
                .await)?,
            Some(after) => on!(self, CUSTOMERS_AFTER, |pool, text| sqlx::query_as(text)
                .bind(after.0)
                .bind(limit)
                .fetch_all(pool)
                .await)?,
        };
        rows.into_iter().map(TryInto::try_into).collect()
    }

    async fn find_customers(
        &self,
        text: &str,
        before: Option<CustomerId>,
        limit: u32,
    ) -> Result<Vec<(Customer, Option<String>)>, StoreError> {
        let before = before.map_or(Uuid::max(), |customer| customer.0);
        let pattern = pattern(text);
        let rows: Vec<FoundRow> = on!(self, FIND, |pool, text| {
            let query = sqlx::query_as(text).bind(before).bind(i64::from(limit));
            query.bind(&pattern).fetch_all(pool).await
        })?;
        let found = |row: FoundRow| {
            let FoundRow { id, kind, name, tax_number, group_id, created_at, erased_at, email } =
                row;
            let row = CustomerRow { id, kind, name, tax_number, group_id, created_at, erased_at };
            Ok((row.try_into()?, email))
        };
        rows.into_iter().map(found).collect()
    }

    async fn accounts(&self, customer: Option<CustomerId>) -> Result<Vec<Account>, StoreError> {
        let rows: Vec<AccountRow> = match customer {
            None => on!(self, OF_SHOP, |pool, text| sqlx::query_as(text).fetch_all(pool).await)?,
            Some(customer) => on!(self, OF_CUSTOMER, |pool, text| sqlx::query_as(text)
                .bind(customer.0)
                .fetch_all(pool)
                .await)?,
        };
        let account = |row: AccountRow| Credentials::try_from(row).map(|found| found.account);
        rows.into_iter().map(account).collect()
    }

    async fn addresses(&self, customer: CustomerId) -> Result<Vec<SavedAddress>, StoreError> {
        let rows: Vec<AddressRow> = on!(self, ADDRESSES, |pool, text| sqlx::query_as(text)
            .bind(customer.0)
            .fetch_all(pool)
            .await)?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    async fn groups(&self) -> Result<Vec<CustomerGroup>, StoreError> {
        let rows: Vec<GroupRow> =
            on!(self, GROUPS, |pool, text| sqlx::query_as(text).fetch_all(pool).await)?;
        let group = |row: GroupRow| CustomerGroup {
            id: CustomerGroupId(row.id),
            code: row.code,
            name: row.name,
        };
        Ok(rows.into_iter().map(group).collect())
    }
}
