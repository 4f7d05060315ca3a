//! A database of a case's own on the server that `STOA_TEST_POSTGRES` names.

use std::sync::atomic::{AtomicU32, Ordering};

static NEXT: AtomicU32 = AtomicU32::new(0);

/// The address of a new, empty database. `None`, said aloud, when there is no server and none is
/// required. It is dropped with its server, which `scripts/services` made for the tests.
pub(crate) fn database(case: &str) -> Option<String> {
    let Some(server) = variable("STOA_TEST_POSTGRES") else {
        let required = variable("STOA_PEERS").is_some_and(|value| value == "required");
        assert!(!required, "STOA_PEERS=required, but STOA_TEST_POSTGRES names no server");
        eprintln!("skipped on PostgreSQL: {case} (STOA_TEST_POSTGRES is not set)");
        return None;
    };
    let name = format!("case_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
    crate::shop::runtime().block_on(async {
        use sqlx::{Connection, Executor};
        let mut conn = sqlx::PgConnection::connect(&server).await.expect("the tests' PostgreSQL");
        conn.execute(create).await.expect("a new database");
    });
    let (address, tail) = match server.split_once('?') {
        Some((address, tail)) => (address, format!("?{tail}")),
        None => (server.as_str(), String::new()),
    };
    let scheme = address.find("://").map_or(0, |at| at + 3);
    let host_end = address[scheme..].find('/').map_or(address.len(), |at| scheme + at);
    Some(format!("{}/{name}{tail}", &address[..host_end]))
}

#[expect(clippy::disallowed_methods, reason = "the test's own environment")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
