//! An operator looks in and turns things while the shop goes on.

use crate::{Stack, on_every_stack, support::client::exchange};
use serde_json::Value;

fn pool(stack: &Stack, name: &str) -> Value {
    let all: Value = serde_json::from_str(&stack.succeed(&["pool", "list", "--json"])).unwrap();
    let rows = all["items"].as_array().unwrap().clone();
    rows.into_iter().find(|row| row["name"] == name).expect("the pool")
}

#[test]
fn a_pool_is_resized_paused_and_reverted_live_and_stays_so_over_a_restart() {
    on_every_stack("pools", |stack| {
        let server = stack.serve(&[]);
        let configured = pool(stack, "render")["workers"].clone();
        stack.succeed(&["pool", "set", "render", "--workers", "7"]);
        assert_eq!(pool(stack, "render")["workers"], 7);
        stack.succeed(&["pool", "pause", "render"]);
        assert_eq!(pool(stack, "render")["state"], "paused");
        server.kill();

        let server = stack.serve(&[]);
        crate::support::server::until("the override to be applied", || {
            let row = pool(stack, "render");
            (row["workers"] == 7 && row["state"] == "paused").then_some(())
        });
        stack.succeed(&["pool", "resume", "render"]);
        assert_eq!(server.get("/").status, 200);
        stack.succeed(&["pool", "drain", "render"]);
        assert_eq!(pool(stack, "render")["state"], "drained");
        assert_eq!(server.get("/search?q=anything").status, 503);
        stack.succeed(&["pool", "revert", "render"]);
        stack.succeed(&["pool", "resume", "render"]);
        assert_eq!(pool(stack, "render")["workers"], configured);
        assert_eq!(pool(stack, "render")["state"], "running");
    });
}

#[test]
fn what_cannot_be_done_to_a_pool_is_refused_with_its_reason() {
    let stack = Stack::embedded();
    let _server = stack.serve(&[]);
    for (arguments, words) in [
        (["pool", "set", "rendr", "--workers", "2"], "no such pool"),
        (["pool", "set", "render", "--workers", "0"], "from 1"),
        (["pool", "set", "render", "--workers", "100"], "64"),
        (["pool", "autoscale", "render", "--max", "4"], "no queue's jobs"),
        (["pool", "autoscale", "mail", "--max", "65"], "/max: must be 1 to 64"),
        (["pool", "autoscale", "mail", "--min", "0"], "/min: must be 1"),
    ] {
        let output = crate::support::server::run(&stack.data(), &arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn a_pool_follows_its_queue_where_that_is_said_and_a_size_that_is_set_goes_before() {
    on_every_stack("pool_autoscale", |stack| {
        let server = stack.serve(&[]);
        let before = pool(stack, "default");
        assert_eq!(before["autoscale"]["enabled"], false);
        assert_eq!(pool(stack, "render")["autoscale"], Value::Null);
        stack.succeed(&["pool", "autoscale", "default", "--min", "6", "--max", "8"]);
        let follows = pool(stack, "default");
        assert_eq!(follows["workers"], 6, "into its bounds at once: {follows}");
        assert_eq!(follows["autoscale"]["last"]["why"], "bounds");
        assert_eq!(follows["autoscale"]["wait_ms"], before["autoscale"]["wait_ms"]);
        server.kill();

        let server = stack.serve(&[]);
        let becomes = |workers: u64| {
            crate::support::server::until("the size", || {
                (pool(stack, "default")["workers"] == workers).then_some(())
            });
        };
        becomes(6);
        stack.succeed(&["pool", "set", "default", "--workers", "2"]);
        let said = stack.succeed(&["pool", "list"]);
        let line = said.lines().find(|line| line.starts_with("default")).unwrap();
        assert!(line.contains("goes before: autoscaled 6 to 8"), "{line}");
        becomes(2);
        stack.succeed(&["pool", "revert", "default"]);
        becomes(6);
        stack.succeed(&["pool", "autoscale", "default", "off"]);
        assert_eq!(pool(stack, "default")["workers"], before["workers"]);
        stack.succeed(&["pool", "autoscale", "default", "revert"]);
        assert_eq!(pool(stack, "default")["autoscale"]["by"], Value::Null);
        let metrics = server.operate("GET", "/metrics", b"").text();
        assert!(metrics.contains("stoa_pool_autoscale_max{pool=\"default\"}"), "{metrics}");
    });
}

#[test]
fn the_tree_shows_every_actor_with_its_mailbox() {
    let stack = Stack::embedded();
    let server = stack.serve(&[]);
    let text = stack.succeed(&["tree"]);
    for actor in ["writer", "outbox-relay", "documents", "search-index", "render", "http"] {
        assert!(text.contains(actor), "{actor} in\n{text}");
    }
    let anonymous = server.get("/ops/tree.json");
    assert_eq!(anonymous.status, 401);
    assert!(anonymous.header("www-authenticate").is_some());
    let tree = server.operate("GET", "/ops/tree.json", b"").json();
    assert_eq!(tree["name"], "stoa");
    let wrong =
        exchange(server.address, "GET", "/ops/tree.json", &[("authorization", "Bearer 0000")], b"");
    assert_eq!(wrong.unwrap().status, 401);
}

#[test]
fn every_part_tells_whether_it_is_ready() {
    let stack = Stack::embedded();
    let server = stack.serve(&[]);
    assert_eq!(server.get("/livez").status, 200);
    let ready = server.json("/readyz");
    for part in ["database", "documents", "search"] {
        assert!(
            ready["components"].as_array().unwrap().iter().any(|c| c["name"] == part),
            "{part} in {ready}"
        );
    }
    let metrics = server.operate("GET", "/metrics", b"");
    assert_eq!(metrics.status, 200);
    assert!(metrics.text().contains("http_server_request_duration"), "{}", metrics.text());
    assert_eq!(server.get("/metrics").status, 401);
    stack.succeed(&["doctor"]);
}

#[test]
fn every_change_of_a_pool_is_in_the_audit_log_and_the_log_can_be_checked() {
    on_every_stack("audit", |stack| {
        let server = stack.serve(&[]);
        stack.succeed(&["pool", "set", "render", "--workers", "7"]);
        stack.succeed(&["pool", "revert", "render"]);
        let log = crate::support::server::until("both entries to be chained", || {
            let log = server.operate("GET", "/ops/audit.json", b"").json();
            (log["items"].as_array()?.len() == 2).then_some(log)
        });
        assert_eq!(log["items"][0]["action"], "pool.revert", "{}: {log}", stack.name);
        assert_eq!(log["items"][1]["new"]["workers"], 7, "{}: {log}", stack.name);
        let noted =
            crate::support::server::last_json(&stack.succeed(&["doctor", "audit", "--json"]));
        assert_eq!((&noted["whole"], &noted["place"]), (&true.into(), &2.into()));

        stack.succeed(&["pool", "pause", "render"]);
        crate::support::server::until("the third to be chained", || {
            let log = server.operate("GET", "/ops/audit.json", b"").json();
            (log["items"].as_array()?.len() == 3).then_some(())
        });
        let link = format!("2:{}", noted["link"].as_str().unwrap());
        let said = stack.succeed(&["doctor", "audit", "--noted", &link]);
        assert!(said.starts_with("whole: 3 entries"), "{said}");
        let other = format!("2:{}", "ab".repeat(32));
        let arguments = stack.with(&["doctor", "audit", "--noted", &other]);
        let output = crate::support::server::run(&stack.data(), &arguments);
        assert_eq!(output.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&output.stdout).contains("was made anew or cut"));
        let arguments = stack.with(&["doctor", "audit", "--noted", "two"]);
        let output = crate::support::server::run(&stack.data(), &arguments);
        assert_eq!(output.status.code(), Some(2));
    });
}
