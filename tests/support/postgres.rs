//! A database of a test's own on the PostgreSQL named by `STOA_TEST_POSTGRES`.

use std::sync::atomic::{AtomicU32, Ordering};

/// Each test's database has a name of its own within this process.
static NEXT: AtomicU32 = AtomicU32::new(0);

/// The URL of a new, empty database; `None`, said aloud, when there is no server and none is
/// required.
pub(crate) fn database(test: &str) -> Option<String> {
    let Some(server) = variable("STOA_TEST_POSTGRES") else {
        let required = variable("STOA_PEERS").is_some_and(|value| value == "required");
        assert!(!required, "STOA_PEERS=required, but STOA_TEST_POSTGRES names no server");
        eprintln!("skipped on PostgreSQL: {test} (STOA_TEST_POSTGRES is not set)");
        return None;
    };
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("journey_{}_{number}", std::process::id());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (client, connection) =
            tokio_postgres::connect(&server, tokio_postgres::NoTls).await.expect("PostgreSQL");
        // One of a process that had our number before is nobody's any more.
        let work = async {
            client.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await?;
            client.batch_execute(&format!("CREATE DATABASE {name}")).await
        };
        tokio::select! {
            done = work => done.expect("a new database"),
            ended = connection => panic!("the connection ended: {ended:?}"),
        }
    });
    let (base, tail) = match server.split_once('?') {
        Some((base, tail)) => (base, format!("?{tail}")),
        None => (server.as_str(), String::new()),
    };
    let base = base.rsplit_once('/').filter(|(head, _)| !head.ends_with('/'));
    let base = base.map_or(server.as_str(), |(head, _)| head);
    Some(format!("{base}/{name}{tail}"))
}

#[expect(clippy::disallowed_methods, reason = "the test's own environment")]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
