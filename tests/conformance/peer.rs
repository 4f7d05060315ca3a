//! A database of a case's own on the server that `STOA_TEST_POSTGRES` names.

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use std::sync::atomic::{AtomicU32, Ordering};

static NEXT: AtomicU32 = AtomicU32::new(0);

/// Dropped with the value, so that a server kept up between runs doesn't fill.
pub(crate) struct Database {
    server: String,
    name: String,
    pub(crate) url: String,
}

/// A new, empty database. `None`, said aloud, when there is no server and none is required.
pub(crate) fn database(case: &str) -> Option<Database> {
    let Some(server) = variable("STOA_TEST_POSTGRES") else {
        let required = variable("STOA_PEERS").is_some_and(|value| value == "required");
        assert!(!required, "STOA_PEERS=required, but STOA_TEST_POSTGRES names no server");
        eprintln!("skipped on PostgreSQL: {case} (STOA_TEST_POSTGRES is not set)");
        return None;
    };
    let name = format!("case_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let (address, tail) = match server.split_once('?') {
        Some((address, tail)) => (address, format!("?{tail}")),
        None => (server.as_str(), String::new()),
    };
    let scheme = address.find("://").map_or(0, |at| at + 3);
    let host_end = address[scheme..].find('/').map_or(address.len(), |at| scheme + at);
    let url = format!("{}/{name}{tail}", &address[..host_end]);
    let database = Database { server, name, url };
    // A killed run of an earlier process with our number may have left one.
    database.run("DROP DATABASE IF EXISTS {} WITH (FORCE)").expect("the tests' PostgreSQL");
    database.run("CREATE DATABASE {}").expect("a new database");
    Some(database)
}

impl Database {
    fn run(&self, text: &str) -> sqlx::Result<()> {
        let text = AssertSqlSafe(text.replace("{}", &self.name));
        crate::shop::runtime().block_on(async {
            let mut conn = PgConnection::connect(&self.server).await?;
            conn.execute(text).await?;
            conn.close().await
        })
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Err(error) = self.run("DROP DATABASE IF EXISTS {} WITH (FORCE)") {
            eprintln!("{} is left behind: {error}", self.name);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the test's own environment")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
