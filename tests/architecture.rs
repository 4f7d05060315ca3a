//! Who may name whom, checked against the source itself.
//!
//! The table is [`ROOMS`], [`CONFINED`] and [`NEVER`]; to change the architecture, change a row
//! and say why. Every `use` and every inline path below `src/` and `supervisors/src/` is read,
//! names brought in by `use` are followed to where they come from, and what a row does not grant
//! fails with file, line, rule and reason. The fixtures prove that each rule can fail.
//!
//! Known limits: names made by macros, and paths inside strings (`#[serde(with = "…")]`), are not
//! seen. That a message enum stays unnamed outside `actors` is judged by its name alone.
//!
//! Depends on nothing but `std`, so it also compiles alone, in a second:
//! `rustc --test --edition 2024 tests/architecture.rs`.
//!
//! Long because the table and the fixtures that prove it belong together.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use names::{Name, module_path, names};

#[path = "architecture/claims.rs"]
mod claims;
#[path = "architecture/names.rs"]
mod names;

// ---------------------------------------------------------------------------------------------
// The table
// ---------------------------------------------------------------------------------------------

/// A folder or file with the names it may use.
struct Room {
    /// A path; the longest that fits decides. `*` stands for one folder's name.
    here: &'static str,
    /// Top-level modules of `stoa` it may name beside itself.
    may: &'static [&'static str],
    /// The only crates it may name; `None`: all that [`CONFINED`] grants it.
    crates: Option<&'static [&'static str]>,
    because: &'static str,
}

const ROOMS: &[Room] = &[
    Room {
        here: "src/domain",
        may: &[],
        crates: Some(&[
            "std",
            "core",
            "alloc",
            "serde",
            "serde_json",
            "sha2",
            "thiserror",
            "uuid",
            "jiff",
            "croner",
        ]),
        because: "the rules of commerce are pure: they are tested by property, without a world",
    },
    Room {
        here: "src/views",
        may: &["domain"],
        crates: None,
        because: "a view turns domain values into bytes, for actors and http alike",
    },
    Room {
        here: "src/ports",
        may: &["domain"],
        crates: None,
        because: "a port says what the domain asks of the world, in the domain's words",
    },
    Room {
        here: "src/actors",
        may: &["domain", "views", "ports", "hand"],
        crates: None,
        because: "actors work through ports, so that one adapter can take another's place",
    },
    Room {
        here: "src/adapters",
        may: &[],
        crates: None,
        because: "the folder only lists the adapters: what two of them shared would tie them",
    },
    Room {
        here: "src/adapters/*",
        may: &["domain", "ports", "hand", "signing"],
        crates: None,
        because: "an adapter knows its port and its driver, so it can be taken out alone",
    },
    Room {
        here: "src/http",
        may: &["domain", "views", "actors", "ports"],
        crates: None,
        because: "http asks handles and read ports; who answers is settled at boot",
    },
    Room {
        here: "src/cli",
        may: &["boot", "config", "folder", "logging", "domain", "views", "actors", "tree", "http"],
        crates: None,
        because: "a command is one more caller: it gets what it needs from boot",
    },
    Room {
        here: "src/tree.rs",
        may: &["domain", "views", "ports", "actors", "http", "config"],
        crates: None,
        because: "the tree joins actors; what stands behind their ports is boot's affair",
    },
    Room {
        here: "src/boot.rs",
        may: &[
            "domain", "views", "ports", "actors", "adapters", "http", "config", "tree", "folder",
            "hand",
        ],
        crates: None,
        because: "boot joins everything, and nothing in it is worth naming for a command",
    },
    Room {
        here: "src/config.rs",
        may: &["domain", "views", "actors", "adapters", "http", "boot", "tree", "logging"],
        crates: None,
        because: "config composes the sections that live beside what they configure",
    },
    Room {
        here: "src/folder.rs",
        may: &[],
        crates: None,
        because: "the data folder's layout and lock are the same whatever lies in it",
    },
    Room {
        here: "src/hand.rs",
        may: &[],
        crates: Some(&["std", "tokio"]),
        because: "a thread knows nothing of what is done on it",
    },
    Room {
        here: "src/signing.rs",
        may: &["domain", "ports"],
        crates: None,
        because: "a signature is the same whoever signs, and whoever believes it",
    },
    Room {
        here: "src/logging.rs",
        may: &[],
        crates: None,
        because: "logging starts before anything else does",
    },
    Room {
        here: "src/lib.rs",
        may: &["cli", "boot", "config"],
        crates: None,
        because: "the library's root is a map, not a place for code",
    },
    Room {
        here: "src/main.rs",
        may: &["cli", "boot", "config"],
        crates: None,
        because: "main reads arguments and hands over",
    },
    Room {
        here: "supervisors/src",
        may: &[],
        crates: Some(&[
            "std",
            "core",
            "alloc",
            "tokio",
            "ractor",
            "serde",
            "serde_json",
            "thiserror",
            "tracing",
        ]),
        because: "supervision knows no commerce, storage or web, and can be read alone",
    },
];

/// Crates with a home. A crate that is not here is free wherever its room has no list of its own.
struct Confined {
    crates: &'static [&'static str],
    to: &'static [&'static str],
    because: &'static str,
}

const CONFINED: &[Confined] = &[
    Confined {
        crates: &["sqlx"],
        to: &["src/adapters/sql"],
        because: "one place holds the SQL that both databases run",
    },
    Confined {
        crates: &["sqlx_macros"],
        to: &["src/adapters/sql"],
        because: "it makes structs of sqlx's rows",
    },
    Confined {
        crates: &["deadpool_postgres", "tokio_postgres"],
        to: &["src/adapters/postgres"],
        because: "only the PostgreSQL writer pool and COPY need more than sqlx gives",
    },
    Confined {
        crates: &["tantivy"],
        to: &["src/adapters/tantivy"],
        because: "Meilisearch stands behind the same port",
    },
    Confined {
        crates: &["redb"],
        to: &["src/adapters/documents"],
        because: "the local document store is one choice among several",
    },
    Confined {
        crates: &["opendal"],
        to: &["src/adapters/blobs"],
        because: "where files lie is a matter of configuration",
    },
    Confined {
        crates: &["croner"],
        to: &["src/domain/cron.rs"],
        because: "what a cron expression means on a clock that is turned is said in one place",
    },
    Confined {
        crates: &["redis"],
        to: &["src/adapters/redis"],
        because: "a single node runs without it",
    },
    Confined {
        crates: &["lapin"],
        to: &["src/adapters/amqp"],
        because: "the job row is the truth, the broker only a transport",
    },
    Confined {
        crates: &["meilisearch_sdk"],
        to: &["src/adapters/meilisearch"],
        because: "tantivy stands behind the same port",
    },
    Confined {
        crates: &["lettre"],
        to: &["src/adapters/mail"],
        because: "a folder stands behind the same port",
    },
    Confined {
        crates: &["hmac"],
        to: &["src/signing.rs"],
        because: "who may sign and believe webhooks is found in one place",
    },
    Confined {
        crates: &["warp"],
        to: &["src/http"],
        because: "actors and commands are not requests",
    },
    Confined {
        crates: &["hyper", "hyper_util", "http_body_util"],
        to: &["src/http", "src/cli", "src/adapters/socket.rs", "src/adapters/webhooks"],
        because: "the server speaks HTTP, who asks it, commands and workers beside it, and who \
                  posts to others",
    },
    Confined {
        crates: &["tokio_rustls", "webpki_roots"],
        to: &["src/adapters/webhooks"],
        because: "whom a connection trusts is settled beside the rules of where it may go",
    },
    Confined {
        crates: &["moka"],
        to: &[
            "src/http",
            "src/actors/keepers/sessions.rs",
            "src/actors/keepers/carts.rs",
            "src/actors/keepers/limits.rs",
        ],
        because: "what is cached are finished pages, who a session's token is for a moment, what \
                  a long cart was found to differ in, and how many tries somebody has left",
    },
    Confined {
        crates: &["argon2"],
        to: &["src/adapters/passwords.rs"],
        because: "how passwords are hashed is one choice behind a port",
    },
    Confined {
        crates: &["getrandom"],
        to: &["src/adapters/chance.rs"],
        because: "chance comes in by its port, so that a test can say what is drawn",
    },
    Confined {
        crates: &["askama"],
        to: &["src/views"],
        because: "a template outside the views is a view nobody else can use",
    },
    Confined {
        crates: &["ractor", "ractor_cluster"],
        to: &["src/actors", "supervisors/src"],
        because: "callers hold handles, so an actor can become a pool and no caller changes",
    },
    Confined {
        crates: &["actix", "actix_rt", "tokio_tungstenite", "tungstenite"],
        to: &["src/actors/edge"],
        because: "the real-time gateway is all that runs on arbiters",
    },
    Confined {
        crates: &["listenfd", "command_fds"],
        to: &["src/boot.rs"],
        because: "sockets come in before anything starts and go on when all has ended",
    },
    Confined {
        crates: &["supervisors"],
        to: &[
            "src/actors",
            "src/tree.rs",
            "src/boot.rs",
            "src/config.rs",
            "src/http",
            "src/cli",
            "supervisors/src",
        ],
        because: "domain, views, ports and adapters do not know how they are kept alive",
    },
    Confined {
        crates: &["clap", "clap_complete", "clap_mangen", "indicatif"],
        to: &["src/cli", "src/main.rs"],
        because: "arguments and progress bars end at the command line",
    },
    Confined {
        crates: &["stoa"],
        to: &["src/main.rs"],
        because: "inside the library it is `crate`, and supervisors does not know it",
    },
];

/// Names forbidden somewhere although their crate or module is allowed there.
struct Never {
    here: &'static [&'static str],
    names: &'static [&'static str],
    because: &'static str,
}

const NEVER: &[Never] = &[
    Never {
        here: &["src/domain", "src/views"],
        names: &[
            "std::time::SystemTime",
            "std::time::Instant",
            "tokio::time",
            "jiff::Timestamp::now",
            "jiff::Zoned::now",
        ],
        because: "time comes in as a value, from the clock port",
    },
    Never {
        here: &["src/domain", "src/views"],
        names: &[
            "std::fs",
            "std::net",
            "std::env",
            "std::process",
            "std::thread",
            "tokio::fs",
            "tokio::net",
            "tokio::process",
            "tokio::spawn",
            "tokio::task",
        ],
        because: "what is pure does no I/O",
    },
    Never {
        here: &["src/domain", "src/views"],
        names: &[
            "rand",
            "fastrand",
            "getrandom",
            "uuid::Uuid::now_v7",
            "uuid::Uuid::new_v4",
            "uuid::Uuid::now_v1",
        ],
        because: "chance comes in as a value, from the ids port",
    },
    Never {
        here: &["src/http", "src/cli", "src/boot.rs"],
        names: &["crate::actors::*Message", "crate::actors::*Msg", "crate::actors::*Command"],
        because: "only a handle sends to its mailbox",
    },
];

/// Rooms without `async`: what they do never waits.
const SYNCHRONOUS: &[&str] = &["src/domain", "src/views"];

/// Crates that tests inside `src/` may name beside their room's.
const IN_TESTS: &[&str] = &["proptest", "tempfile", "tokio"];

/// A file over this many lines opens with its reason, a sentence with "long because".
const LONG: usize = 700;

// ---------------------------------------------------------------------------------------------
// The tests
// ---------------------------------------------------------------------------------------------

#[test]
fn every_file_names_only_what_its_room_may() {
    let root = root();
    let crates = crates_of(&root);
    let mut found = Vec::new();
    for file in rust_files(&root, &["src", "supervisors/src"]) {
        found.extend(violations(&file, &read(&root.join(&file)), &crates));
    }
    assert!(found.is_empty(), "{}", report(&found));
}

#[test]
fn a_long_file_says_why() {
    let root = root();
    let files = rust_files(&root, &["src", "supervisors", "tests", "benches"]);
    let found: Vec<_> =
        files.iter().filter_map(|file| unexplained_length(file, &read(&root.join(file)))).collect();
    assert!(found.is_empty(), "{}", report(&found));
}

#[test]
fn every_dependency_has_a_reason_and_every_reason_a_dependency() {
    let root = root();
    let wanted: BTreeSet<String> = ["Cargo.toml", "supervisors/Cargo.toml"]
        .iter()
        .flat_map(|manifest| dependencies(&read(&root.join(manifest))))
        .collect();
    let reasons = reasons(&read(&root.join("docs/dependencies.md")));
    let mut found = Vec::new();
    for name in wanted.iter().filter(|name| !reasons.contains_key(*name)) {
        found.push(format!("{name} is in a Cargo.toml and has no line in docs/dependencies.md"));
    }
    for (name, why) in &reasons {
        if !wanted.contains(name) {
            found.push(format!("{name} is in docs/dependencies.md and in no Cargo.toml"));
        }
        if why.len() < 20 {
            found.push(format!("{name}'s line in docs/dependencies.md gives no reason"));
        }
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn each_rule_can_fail() {
    let mut seen = BTreeSet::new();
    for (file, source, expected) in BROKEN {
        let found = violations(file, source, &fixture_crates());
        let rules: BTreeSet<_> = found.iter().map(|violation| violation.rule.clone()).collect();
        assert!(
            rules.len() == 1 && rules.iter().all(|rule| rule.starts_with(expected)),
            "{file}: {source:?} should break \"{expected} …\" and nothing else, but: {}",
            report(&found)
        );
        seen.extend(rules);
    }
    let without: Vec<_> = all_rules().into_iter().filter(|rule| !seen.contains(rule)).collect();
    assert!(without.is_empty(), "no fixture breaks these rules: {without:#?}");
}

#[test]
fn what_is_allowed_passes() {
    for (file, source) in SOUND {
        let found = violations(file, source, &fixture_crates());
        assert!(found.is_empty(), "{file}: {source:?} is sound, but: {}", report(&found));
    }
}

#[test]
fn only_boot_may_name_both_ports_and_adapters() {
    let both = |room: &&Room| ["ports", "adapters"].iter().all(|module| room.may.contains(module));
    let rooms: Vec<_> = ROOMS.iter().filter(both).map(|room| room.here).collect();
    assert_eq!(rooms, ["src/boot.rs"]);
}

#[test]
fn a_violation_names_line_rule_and_reason() {
    let source = "//! Prices.\n\nfn store() {\n    sqlx::query(\"\");\n}\n";
    let found = violations("src/http/shop.rs", source, &fixture_crates());
    assert_eq!(
        report(&found),
        "\nsrc/http/shop.rs:4: names sqlx::query\n    rule: sqlx only in src/adapters/sql\n    \
         because one place holds the SQL that both databases run"
    );
}

#[test]
fn a_long_file_without_a_reason_is_found() {
    let long = "fn f() {}\n".repeat(LONG + 1);
    assert!(unexplained_length("src/a.rs", &long).is_some());
    assert!(unexplained_length("src/a.rs", &format!("//! A map.\n{long}")).is_some());
    let explained = format!("//! A map.\n//!\n//! Long because it is one table.\n{long}");
    assert!(unexplained_length("src/a.rs", &explained).is_none());
    assert!(unexplained_length("src/a.rs", "fn f() {}\n").is_none());
}

#[test]
fn dependencies_are_read_in_all_their_forms() {
    let manifest = "[package]\nname = \"x\"\n[dependencies]\na = \"1\"\nb.workspace = true\n\
                    c = { version = \"1\", features = [\n  \"d\",\n] }\n# e = \"1\"\n\
                    [dependencies.f]\nversion = \"1\"\n[target.'cfg(unix)'.dependencies]\ng = \"1\"\n\
                    [dev-dependencies]\nh = \"1\"\n[build-dependencies]\ni = \"1\"\n[profile.dev]\nj = 1\n";
    let names: Vec<_> = dependencies(manifest).into_iter().collect();
    assert_eq!(names, ["a", "b", "c", "f", "g", "h", "i"]);
}

// ---------------------------------------------------------------------------------------------
// Fixtures
// ---------------------------------------------------------------------------------------------

/// File, source, and how the one rule it breaks begins.
/// File, source, and how the one rule it breaks begins.
const BROKEN: &[(&str, &str, &str)] = &[
    // Rooms: what each may name of the others.
    ("src/domain/cart.rs", "use crate::ports::Clock;", "src/domain may name only itself"),
    ("src/domain/cart.rs", "use super::super::ports::Clock;", "src/domain may name only itself"),
    ("src/domain.rs", "use super::*;", "src/domain may name only itself"),
    ("src/views/page.rs", "use crate::actors::Catalog;", "src/views may name"),
    ("src/views/page.rs", "use crate::{domain::Sku, http::route};", "src/views may name"),
    ("src/ports/orders.rs", "fn f(o: &crate::views::Page) {}", "src/ports may name"),
    ("src/actors/keepers/orders.rs", "use crate::adapters::sql::SqlOrders;", "src/actors may name"),
    ("src/actors/keepers/orders.rs", "use crate::{\n    http as edge,\n};", "src/actors may name"),
    ("src/adapters/mod.rs", "use crate::domain::Sku;", "src/adapters may name"),
    ("src/adapters/postgres/mod.rs", "use crate::adapters::sql::rows;", "src/adapters/* may name"),
    ("src/adapters/postgres.rs", "use super::sql::rows;", "src/adapters/* may name"),
    ("src/adapters/sql/a.rs", "use crate::actors::X;", "src/adapters/* may name"),
    ("src/http/shop.rs", "fn f() { crate::adapters::sql::open() }", "src/http may name"),
    ("src/cli/import.rs", "use crate::adapters::sql;", "src/cli may name"),
    ("src/cli/import.rs", "use crate::ports::Orders;", "src/cli may name"),
    ("src/tree.rs", "use crate::adapters::sql;", "src/tree.rs may name"),
    ("src/boot.rs", "use crate::cli::serve;", "src/boot.rs may name"),
    ("src/config.rs", "use crate::ports::Orders;", "src/config.rs may name"),
    ("src/folder.rs", "use crate::config::Config;", "src/folder.rs may name"),
    ("src/hand.rs", "use crate::folder::Folder;", "src/hand.rs may name only"),
    ("src/hand.rs", "use bytes::Bytes;", "src/hand.rs may name the crates"),
    ("src/signing.rs", "use crate::adapters::sql;", "src/signing.rs may name"),
    ("src/logging.rs", "use crate::config::Config;", "src/logging.rs may name"),
    ("src/lib.rs", "mod domain; pub use domain::Sku;", "src/lib.rs may name"),
    ("src/main.rs", "use stoa::actors::Catalog;", "src/main.rs may name"),
    ("src/util/mod.rs", "fn f() {}", "every file has a room"),
    // Rooms with a list of crates of their own.
    ("src/domain/cart.rs", "use bytes::Bytes;", "src/domain may name the crates"),
    ("src/domain/cart.rs", "#[derive(tracing::Value)] struct A;", "src/domain may name the crates"),
    ("supervisors/src/pool.rs", "use bytes::Bytes;", "supervisors/src may name the crates"),
    // Drivers.
    ("src/http/shop.rs", "use sqlx::Row;", "sqlx only in"),
    ("src/ports/orders.rs", "use sqlx_macros::FromRow;", "sqlx_macros only in"),
    ("src/adapters/postgres/copy.rs", "use sqlx::Row;", "sqlx only in"),
    ("src/adapters/postgres/copy.rs", "fn f(x: ::sqlx::X) {}", "sqlx only in"),
    ("src/ports/orders.rs", "enum E { Db(#[from] sqlx::Error) }", "sqlx only in"),
    ("src/ports/orders.rs", "extern crate sqlx as db;", "sqlx only in"),
    ("src/boot.rs", "use ::sqlx as db;", "sqlx only in"),
    ("src/boot.rs", "fn f() -> ::sqlx::X {}", "sqlx only in"),
    ("src/boot.rs", "fn f() -> X { X { a, ..sqlx::X::new() } }", "sqlx only in"),
    ("src/boot.rs", "fn f() { open::<sqlx::Any>(1) }", "sqlx only in"),
    ("src/adapters/sql/a.rs", "use tokio_postgres::Row;", "deadpool_postgres,"),
    ("src/adapters/sql/a.rs", "use tantivy::Index;", "tantivy only in"),
    ("src/adapters/sql/a.rs", "use redb::Database;", "redb only in"),
    ("src/http/files.rs", "use opendal::Operator;", "opendal only in"),
    ("src/domain/job/due.rs", "use croner::Cron;", "croner only in"),
    ("src/http/limits.rs", "use redis::Client;", "redis only in"),
    ("src/actors/workers/a.rs", "use lapin::Channel;", "lapin only in"),
    ("src/actors/reconcilers/a.rs", "use meilisearch_sdk::Client;", "meilisearch_sdk only in"),
    ("src/http/hooks.rs", "use hmac::Mac;", "hmac only in"),
    ("src/cli/serve.rs", "use warp::Filter;", "warp only in"),
    ("src/actors/edge/hub.rs", "use hyper::upgrade;", "hyper,"),
    ("src/actors/keepers/a.rs", "use moka::sync::Cache;", "moka only in"),
    ("src/http/a.rs", "use tokio_rustls::TlsConnector;", "tokio_rustls,"),
    ("src/actors/keepers/a.rs", "use lettre::Message;", "lettre only in"),
    ("src/actors/keepers/a.rs", "use getrandom::fill;", "getrandom only in"),
    ("src/actors/keepers/a.rs", "use argon2::Argon2;", "argon2 only in"),
    ("src/http/shop.rs", "use askama::Template;", "askama only in"),
    ("src/http/serve.rs", "use listenfd::ListenFd;", "listenfd, command_fds only in"),
    ("src/http/shop.rs", "use ractor::ActorRef;", "ractor,"),
    ("src/tree.rs", "use ractor::ActorRef;", "ractor,"),
    ("src/actors/keepers/a.rs", "use actix::Arbiter;", "actix,"),
    ("src/ports/a.rs", "use supervisors::Slot;", "supervisors only in"),
    ("src/config.rs", "#[derive(clap::Args)] struct A;", "clap,"),
    ("supervisors/src/pool.rs", "use stoa::domain::Sku;", "stoa only in src/main.rs"),
    // Names.
    (
        "src/domain/hold.rs",
        "use std::time::{Duration, Instant};",
        "src/domain, src/views never name std::time",
    ),
    (
        "src/domain/hold.rs",
        "use jiff::Timestamp;\nfn f() { Timestamp::now(); }",
        "src/domain, src/views never name std::time",
    ),
    ("src/views/page.rs", "use std::{fs::File};", "src/domain, src/views never name std::fs"),
    (
        "src/domain/order.rs",
        "use uuid::Uuid as Id;\nfn f() { Id::now_v7(); }",
        "src/domain, src/views never name rand",
    ),
    (
        "src/http/shop.rs",
        "use crate::actors::keepers::orders::OrdersMessage;",
        "src/http, src/cli, src/boot.rs never name",
    ),
    ("src/domain/order.rs", "pub async fn place() {}", "no async"),
    // Tests inside the source get three crates more, and nothing else.
    ("src/http/shop.rs", "#[cfg(test)]\nmod tests { use sqlx::Row; }", "sqlx only in"),
    (
        "src/domain/cart.rs",
        "#[cfg(test)]\nmod tests { use proptest::prelude::*; }\nuse proptest::num;",
        "src/domain may name the crates",
    ),
    (
        "src/domain/cart.rs",
        "#[cfg(test)]\nmod tests { use super::super::super::ports::Clock; }",
        "src/domain may name only itself",
    ),
];

/// File and source that break nothing.
const SOUND: &[(&str, &str)] = &[
    ("src/domain/cart.rs", "use super::money::Money;\nuse std::time::Duration;\nuse uuid::Uuid;"),
    ("src/domain/cart.rs", "// use sqlx::Row;\n/* warp::get /* nested */ sqlx::x */ fn f() {}"),
    ("src/domain/cart.rs", r###"const A: &str = "sqlx::query"; const B: &str = r#"" warp::x"#;"###),
    ("src/domain/cart.rs", "fn f<'a>(c: char) -> bool { c == '\"' || c == '\\'' } // sqlx::x"),
    ("src/domain/cart.rs", "pub(crate) fn f() {}\npub(in crate::domain) fn g() {}"),
    ("src/domain/cart.rs", "mod http { pub fn x() {} }\nfn f() { http::x(); }"),
    (
        "src/domain/cart.rs",
        "#[cfg(test)]\nmod tests {\n    use super::*;\n    use proptest::num;\n}",
    ),
    ("src/domain/tests.rs", "use super::*;\nuse proptest::prelude::*;"),
    ("src/domain/mod.rs", "#[cfg(test)]\nmod tests { #[tokio::test]\nasync fn f() {} }"),
    ("src/views/page.rs", "use crate::domain::Sku;\nuse askama::Template;\nuse bytes::Bytes;"),
    ("src/ports/orders.rs", "use crate::domain::{self, Order};\nasync fn f() {}"),
    ("src/actors/keepers/orders.rs", "use crate::ports::Orders;\nuse ractor::Actor;"),
    ("src/actors/edge/hub.rs", "use actix::Arbiter;\nuse crate::actors::edge::frame::Frame;"),
    ("src/adapters/mod.rs", "pub(crate) mod sql;\npub(crate) mod tantivy;"),
    (
        "src/adapters/sql/orders.rs",
        "use super::rows;\nuse crate::adapters::sql::pool;\nuse sqlx::Row;",
    ),
    ("src/adapters/sql.rs", "mod rows;\nuse crate::ports::Orders;\nuse sqlx::Row;"),
    ("src/adapters/tantivy/mod.rs", "use tantivy::Index;\nuse super::tantivy::schema;"),
    ("src/http/shop.rs", "use warp::Filter;\nuse http::StatusCode;\nuse crate::http::error;"),
    ("src/cli/bench.rs", "use hyper::Request;\nuse clap::Args;\nuse crate::boot::Shop;"),
    (
        "src/boot.rs",
        "use crate::adapters::{sql, tantivy};\nuse crate::ports::Orders;\nfn f() { tantivy::open(); }",
    ),
    ("src/lib.rs", "pub mod cli;\nmod boot;\nmod http;\npub use cli::run;"),
    ("src/main.rs", "fn main() -> std::process::ExitCode { stoa::cli::main() }"),
    ("supervisors/src/lib.rs", "mod pool;\npub use pool::Pool;\nuse crate::pool::Worker;"),
    (
        "supervisors/src/pool.rs",
        "use super::tree::Spec;\nuse ractor::Actor;\nuse std::time::Instant;",
    ),
];

fn fixture_crates() -> BTreeSet<String> {
    let mut crates = known_crates();
    crates.extend(["bytes", "http", "tracing", "proptest"].map(str::to_owned));
    crates
}

// ---------------------------------------------------------------------------------------------
// Judging a file
// ---------------------------------------------------------------------------------------------

#[derive(Debug, PartialEq)]
struct Violation {
    file: String,
    line: usize,
    what: String,
    rule: String,
    because: String,
}

fn report(found: &[Violation]) -> String {
    let mut text = String::new();
    for Violation { file, line, what, rule, because } in found {
        text += &format!("\n{file}:{line}: {what}\n    rule: {rule}\n    because {because}");
    }
    text
}

impl Room {
    fn rule_of_modules(&self) -> String {
        match self.may {
            [] => format!("{} may name only itself", self.here),
            may => format!("{} may name {}", self.here, may.join(", ")),
        }
    }

    fn rule_of_crates(&self) -> Option<String> {
        Some(format!("{} may name the crates {}", self.here, self.crates?.join(", ")))
    }
}

impl Confined {
    fn rule(&self) -> String {
        format!("{} only in {}", self.crates.join(", "), self.to.join(", "))
    }
}

impl Never {
    fn rule(&self) -> String {
        format!("{} never name {}", self.here.join(", "), self.names.join(", "))
    }
}

fn rule_of_async() -> String {
    format!("no async in {}", SYNCHRONOUS.join(", "))
}

const HAS_A_ROOM: &str = "every file has a room";

/// Every rule a fixture must break. `supervisors/src` has no other rooms it could name.
fn all_rules() -> BTreeSet<String> {
    let modules =
        ROOMS.iter().filter(|room| room.here.starts_with("src/")).map(Room::rule_of_modules);
    let crates = ROOMS.iter().filter_map(Room::rule_of_crates);
    let confined = CONFINED.iter().map(Confined::rule);
    let never = NEVER.iter().map(Never::rule);
    let others = [rule_of_async(), HAS_A_ROOM.to_owned()];
    modules.chain(crates).chain(confined).chain(never).chain(others).collect()
}

/// Whether `file` lies in `place`; `*` fits one segment. `src/http` fits `src/http.rs` too.
fn lies_in(file: &str, place: &str) -> bool {
    let file = file.strip_suffix(".rs").unwrap_or(file);
    let place = place.strip_suffix(".rs").unwrap_or(place);
    let mut segments = file.split('/');
    place.split('/').all(|wanted| {
        segments.next().is_some_and(|is| is == wanted || (wanted == "*" && is != "mod"))
    })
}

fn room_of(file: &str) -> Option<&'static Room> {
    let fitting = ROOMS.iter().filter(|room| lies_in(file, room.here));
    fitting.max_by_key(|room| room.here.split('/').count())
}

fn violations(file: &str, source: &str, crates: &BTreeSet<String>) -> Vec<Violation> {
    let mut found = Vec::new();
    let Some(room) = room_of(file) else {
        found.push(Violation {
            file: file.to_owned(),
            line: 1,
            what: "is in no room".to_owned(),
            rule: HAS_A_ROOM.to_owned(),
            because: "a module beside the rooms is one everybody may name: give it a row in ROOMS"
                .to_owned(),
        });
        return found;
    };
    for name in names(file, source, crates) {
        let mut broken = |rule: String, because: &str| {
            let violation = Violation {
                file: file.to_owned(),
                line: name.line,
                what: format!("names {}", name.path.join("::")),
                rule,
                because: because.to_owned(),
            };
            if !found.contains(&violation) {
                found.push(violation);
            }
        };
        judge(file, room, &name, &mut broken);
    }
    found
}

fn judge(file: &str, room: &Room, name: &Name, broken: &mut dyn FnMut(String, &str)) {
    let first = name.path[0].as_str();
    if matches!(first, "async" | "await") {
        if !name.in_tests && SYNCHRONOUS.iter().any(|place| lies_in(file, place)) {
            broken(rule_of_async(), "what waits does I/O, and pure rules do none");
        }
        return;
    }
    if name.in_tests && IN_TESTS.contains(&first) {
        return;
    }
    // An actor's faults are tried on the store it will really have.
    let real_store = name.in_tests
        && lies_in(file, "src/actors")
        && name.path.get(1).is_some_and(|module| module == "adapters");
    if first == "crate" {
        if !real_store && !may_name_module(file, room, &name.path[1..]) {
            broken(room.rule_of_modules(), room.because);
        }
    } else if let Some(confined) = CONFINED.iter().find(|row| row.crates.contains(&first)) {
        if !confined.to.iter().any(|place| lies_in(file, place)) {
            broken(confined.rule(), confined.because);
        }
    } else if let Some(allowed) = room.crates
        && !allowed.contains(&first)
    {
        // A name the NEVER rows know has a better reason there.
        if !NEVER.iter().any(|row| row.forbids(file, &name.path)) {
            broken(room.rule_of_crates().unwrap_or_default(), room.because);
        }
    }
    for row in NEVER.iter().filter(|row| row.forbids(file, &name.path)) {
        broken(row.rule(), row.because);
    }
}

/// `path` is what follows `crate::`.
fn may_name_module(file: &str, room: &Room, path: &[String]) -> bool {
    if file.starts_with("supervisors/") {
        return true;
    }
    let Some(module) = path.first() else { return false };
    // An adapter's own room is its folder, not all adapters.
    if let Some(own) = adapter_of(file) {
        return match module.as_str() {
            "adapters" => path.get(1).is_some_and(|named| named == own),
            other => room.may.contains(&other),
        };
    }
    module_path(file).get(1) == Some(module) || room.may.contains(&module.as_str())
}

/// `sql` for `src/adapters/sql/orders.rs` and for `src/adapters/sql.rs`.
fn adapter_of(file: &str) -> Option<&str> {
    let rest = file.strip_prefix("src/adapters/")?;
    let own = rest.split('/').next()?.trim_end_matches(".rs");
    (own != "mod").then_some(own)
}

impl Never {
    fn forbids(&self, file: &str, path: &[String]) -> bool {
        self.here.iter().any(|place| lies_in(file, place))
            && self.names.iter().any(|name| fits(name, path))
    }
}

/// Whether `path` is `name` or something inside it; a last `*Suffix` fits any deeper segment.
fn fits(name: &str, path: &[String]) -> bool {
    let mut rest = path.iter();
    for wanted in name.split("::") {
        if let Some(suffix) = wanted.strip_prefix('*') {
            return rest.any(|is| is.ends_with(suffix));
        }
        if rest.next().is_none_or(|is| is != wanted) {
            return false;
        }
    }
    true
}

fn unexplained_length(file: &str, source: &str) -> Option<Violation> {
    let lines = source.lines().count();
    let head: Vec<_> = source.lines().take_while(|line| line.starts_with("//!")).collect();
    if lines <= LONG || head.join(" ").to_lowercase().contains("long because") {
        return None;
    }
    Some(Violation {
        file: file.to_owned(),
        line: 1,
        what: format!("has {lines} lines"),
        rule: format!("over {LONG} lines, the `//!` at the top says \"long because …\""),
        because: "size is a result of one thing per file".to_owned(),
    })
}

// ---------------------------------------------------------------------------------------------
// Files and manifests
// ---------------------------------------------------------------------------------------------

fn root() -> PathBuf {
    // Compiled without cargo, the test is run from the repository's root.
    PathBuf::from(option_env!("CARGO_MANIFEST_DIR").unwrap_or("."))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Paths of all Rust files in `folders`, relative to `root`, with `/`, sorted.
fn rust_files(root: &Path, folders: &[&str]) -> Vec<String> {
    let mut open: Vec<PathBuf> = folders.iter().map(|folder| root.join(folder)).collect();
    let mut files = Vec::new();
    while let Some(folder) = open.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry.expect("a folder's entry can be read").path();
            if path.is_dir() {
                if path.file_name().is_none_or(|name| name != "target") {
                    open.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let inside = path.strip_prefix(root).expect("found below the root");
                files.push(inside.to_string_lossy().replace('\\', "/"));
            }
        }
    }
    files.sort();
    assert!(!files.is_empty(), "no Rust file below {}: wrong folder?", root.display());
    files
}

/// Every crate a path may start with, as it is written in code.
fn crates_of(root: &Path) -> BTreeSet<String> {
    let mut crates = known_crates();
    for manifest in ["Cargo.toml", "supervisors/Cargo.toml"] {
        let names = dependencies(&read(&root.join(manifest)));
        crates.extend(names.into_iter().map(|name| name.replace('-', "_")));
    }
    crates
}

/// The crates the table speaks of, dependencies or not.
fn known_crates() -> BTreeSet<String> {
    let rooms = ROOMS.iter().filter_map(|room| room.crates).flatten();
    let confined = CONFINED.iter().flat_map(|row| row.crates);
    let never = NEVER.iter().flat_map(|row| row.names).filter_map(|name| name.split("::").next());
    let all = rooms.chain(confined).copied().chain(never).chain(IN_TESTS.iter().copied());
    all.filter(|name| *name != "crate").map(str::to_owned).collect()
}

/// Names in every `[…dependencies]` table of a manifest, the workspace's own list aside.
fn dependencies(manifest: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut inside = false;
    let mut brackets = 0_i32;
    for line in manifest.lines() {
        let line = line.split('#').next().unwrap_or_default();
        if brackets == 0 && line.starts_with('[') {
            let table = line.trim().trim_matches(['[', ']']);
            inside = table.ends_with("dependencies") && !table.starts_with("workspace");
            if let Some((_, name)) = table.split_once("dependencies.")
                && !table.starts_with("workspace")
            {
                names.insert(name.to_owned());
            }
            continue;
        }
        if inside
            && brackets == 0
            && let Some((name, _)) = line.split_once(['=', '.'])
        {
            names.insert(name.trim().trim_matches('"').to_owned());
        }
        brackets += line.matches(['[', '{']).count() as i32;
        brackets -= line.matches([']', '}']).count() as i32;
    }
    names
}

/// Name and reason of each "- `name`: reason" in the document.
fn reasons(document: &str) -> BTreeMap<String, String> {
    let mut reasons = BTreeMap::new();
    for line in document.lines().filter_map(|line| line.strip_prefix("- `")) {
        if let Some((name, why)) = line.split_once("`: ") {
            assert!(
                reasons.insert(name.to_owned(), why.to_owned()).is_none(),
                "docs/dependencies.md has two lines for {name}"
            );
        }
    }
    reasons
}
