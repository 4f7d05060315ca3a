//! A job that is put again and again: each second once, also when the server is killed meanwhile.

use crate::{
    on_every_stack,
    support::{
        server::{last_json, run, until},
        stack::Stack,
    },
};
use serde_json::Value;
use std::collections::BTreeSet;
use stoa::domain::time::Micros;

fn show(stack: &Stack) -> Value {
    last_json(&stack.succeed(&["schedule", "show", "tick", "--json"]))
}

/// For which seconds there is a job, each as often as there is one.
fn ticks(stack: &Stack) -> Vec<String> {
    let jobs = stack.succeed(&["jobs", "list", "--topic", "probe", "--limit", "200", "--json"]);
    let jobs = last_json(&jobs);
    let due = |job: &Value| job["due_at"].as_str().unwrap().to_owned();
    let mut ticks: Vec<_> = jobs["items"].as_array().unwrap().iter().map(due).collect();
    ticks.sort();
    ticks
}

const SET: &[&str] = &[
    "schedule",
    "set",
    "tick",
    "--cron",
    "* * * * * *",
    "--zone",
    "Europe/Berlin",
    "--topic",
    "probe",
    "--body",
    "{\"n\": 1, \"millis\": 0, \"echo\": false}",
    "--catch-up",
    "all:1000",
];

#[test]
fn every_tick_is_one_job_also_over_a_kill() {
    on_every_stack("schedules", |stack| {
        let server = stack.serve(&[]);
        let listed = stack.succeed(SET);
        assert!(listed.contains("Europe/Berlin") && listed.contains("all:1000"), "{listed}");
        until("three ticks", || (ticks(stack).len() >= 3).then_some(()));
        server.kill();
        let server = stack.serve(&[]);
        let before = ticks(stack).len();
        until("two more", || (ticks(stack).len() >= before + 2).then_some(()));
        let disabled = stack.succeed(&["schedule", "disable", "tick"]);
        assert!(disabled.contains("disabled"), "{disabled}");
        // None is put behind it: what was being put is there once all of them have run.
        until("all to have run", || {
            let ready = stack.succeed(&["jobs", "list", "--state", "ready", "--json"]);
            (last_json(&ready)["items"] == serde_json::json!([])).then_some(())
        });
        let (all, last) = (ticks(stack), show(stack));
        let seconds: BTreeSet<_> = all.iter().collect();
        assert_eq!(seconds.len(), all.len(), "none twice: {all:?}");
        let (first, end) = (time(&all[0]), time(all.last().unwrap()));
        assert_eq!(all.len() as i64, end - first + 1, "none left out: {all:?}");
        assert_eq!(last["last_at"], all.last().unwrap().as_str());
        assert_eq!(last["next_at"], Value::Null);
        let run_now = last_json(&stack.succeed(&["schedule", "run", "tick", "--json"]));
        assert_ne!(run_now["last_job"], last["last_job"]);
        server.audited(&[("schedule.set", 1), ("schedule.disable", 1), ("schedule.run", 1)]);
        let wrong: Vec<_> = SET
            .iter()
            .map(|part| if *part == "* * * * * *" { "0 25 * * *" } else { part })
            .collect();
        let refused = run(&server.data, &stack.with(&wrong));
        assert_eq!(refused.status.code(), Some(1));
        let told = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(told.contains("/cron the hour, `25` at character 3"), "{told}");
        stack.succeed(&["schedule", "remove", "tick"]);
        assert!(!stack.succeed(&["schedule", "list"]).contains("probe"));
    });
}

fn time(rfc3339: &str) -> i64 {
    Micros::parse(rfc3339).unwrap().0 / 1_000_000
}
