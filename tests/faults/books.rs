//! The database itself, past the server: what must never be seen in it.

use crate::support::stack::Stack;
use std::collections::HashMap;
use stoa::{
    adapters::sql::{Location, SqlStore},
    ports::stock::Stock,
};

/// A sentence that is wrong, and the query that finds it so.
const NEVER: &[(&str, &str)] = &[
    (
        "an order without lines",
        "SELECT count(*) FROM sales_order o
         WHERE NOT EXISTS (SELECT 1 FROM sales_order_line l WHERE l.order_id = o.id)",
    ),
    (
        "an order without a payment",
        "SELECT count(*) FROM sales_order o
         WHERE NOT EXISTS (SELECT 1 FROM payment_intent i
                           WHERE i.order_id = o.id AND i.amount_minor = o.total)",
    ),
    (
        "an order that nobody was told of",
        "SELECT count(*) FROM sales_order o
         WHERE NOT EXISTS (SELECT 1 FROM outbox e
                           WHERE e.subject = o.id AND e.kind = 'order_placed')",
    ),
    (
        "an open order that holds nothing",
        "SELECT count(*) FROM sales_order o
         WHERE o.status IN ('pending', 'confirmed', 'processing')
             AND NOT EXISTS (SELECT 1 FROM reservation r WHERE r.order_id = o.id)",
    ),
    (
        "goods held for an order that is over",
        "SELECT count(*) FROM reservation r JOIN sales_order o ON o.id = r.order_id
         WHERE o.status NOT IN ('pending', 'confirmed', 'processing')",
    ),
    (
        "more promised than is there",
        "SELECT count(*) FROM stock_level WHERE reserved < 0 OR reserved > on_hand OR owed <> 0",
    ),
];

enum Connection {
    Sqlite(sqlx::SqlitePool),
    Postgres(sqlx::PgPool),
}

pub(crate) struct Books {
    runtime: tokio::runtime::Runtime,
    connection: Connection,
    location: Location,
}

impl Books {
    pub(crate) fn of(stack: &Stack) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let location = match stack.database_url() {
            Some(url) => Location::Postgres(url.to_owned()),
            None => Location::Sqlite(stack.data().join("stoa.db")),
        };
        let connection = runtime.block_on(async {
            match &location {
                Location::Sqlite(path) => {
                    let url = format!("sqlite:{}", path.display());
                    Connection::Sqlite(sqlx::SqlitePool::connect(&url).await.unwrap())
                }
                Location::Postgres(url) => {
                    Connection::Postgres(sqlx::PgPool::connect(url).await.unwrap())
                }
            }
        });
        Self { runtime, connection, location }
    }

    pub(crate) fn count(&self, query: &'static str) -> i64 {
        self.runtime.block_on(async {
            match &self.connection {
                Connection::Sqlite(pool) => sqlx::query_scalar(query).fetch_one(pool).await,
                Connection::Postgres(pool) => sqlx::query_scalar(query).fetch_one(pool).await,
            }
            .unwrap()
        })
    }

    pub(crate) fn execute(&self, text: &'static str) {
        self.runtime.block_on(async {
            match &self.connection {
                Connection::Sqlite(pool) => sqlx::query(text).execute(pool).await.map(drop),
                Connection::Postgres(pool) => sqlx::query(text).execute(pool).await.map(drop),
            }
            .unwrap();
        });
    }

    /// Totals in minor units by order.
    pub(crate) fn totals(&self) -> HashMap<uuid::Uuid, i64> {
        const ALL: &str = "SELECT id, total FROM sales_order";
        let rows: Vec<(uuid::Uuid, i64)> = self.runtime.block_on(async {
            match &self.connection {
                Connection::Sqlite(pool) => sqlx::query_as(ALL).fetch_all(pool).await,
                Connection::Postgres(pool) => sqlx::query_as(ALL).fetch_all(pool).await,
            }
            .unwrap()
        });
        rows.into_iter().collect()
    }

    /// Fails with whatever is wrong in them.
    pub(crate) fn balance(&self) {
        for (what, query) in NEVER {
            assert_eq!(self.count(query), 0, "{what}");
        }
        let drift = self.runtime.block_on(async {
            let store = SqlStore::connect(&self.location).await.unwrap();
            store.drift(10).await.unwrap()
        });
        assert!(drift.is_empty(), "{drift:?}");
    }
}
