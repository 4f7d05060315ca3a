//! An operator turns the pool that does jobs while it does them, and stops workers the polite way:
//! what is in hand is done or goes back, and each job's effect happens once.

use crate::{
    Dice,
    jobs::{Worker, all, left},
    size,
    support::{
        server::{Server, now, until},
        stack::{Stack, on_every_stack},
    },
};
use serde_json::Value;
use std::{collections::HashSet, time::Duration};

const WAVE: usize = 1_000;

fn put(server: &Server, jobs: usize, millis: u32) {
    for first in (0..jobs).step_by(WAVE) {
        let body =
            format!("{{\"first\":{first},\"count\":{WAVE},\"millis\":{millis},\"echo\":true}}");
        let put = server.operate("POST", "/ops/job-probes", body.as_bytes());
        assert_eq!(put.status, 200, "{}", put.text());
    }
}

/// Each of so many jobs is done, and its effect there once. Says how often they were begun.
fn books_are_even(server: &Server, jobs: usize) -> u64 {
    while left(server) > 0 {
        std::thread::sleep(Duration::from_millis(200));
    }
    let (probes, echoes) = (all(server, "topic=probe"), all(server, "topic=probe.echo"));
    assert!(probes.iter().all(|probe| probe["state"] == "succeeded"));
    let of: HashSet<_> = echoes.iter().map(|echo| echo["body"]["of"].as_u64()).collect();
    assert_eq!((probes.len(), echoes.len(), of.len()), (jobs, jobs, jobs));
    probes.iter().map(|probe| probe["attempt"].as_u64().unwrap()).sum()
}

/// Processes that run jobs, the server among them.
fn joined(server: &Server) -> usize {
    let queues = server.operate("GET", "/ops/queues.json", b"").json();
    queues["workers"].as_array().unwrap().len()
}

fn pool(server: &Server) -> Value {
    let pools = server.operate("GET", "/ops/pools.json", b"").json();
    let pools = pools["items"].as_array().unwrap();
    pools.iter().find(|pool| pool["name"] == "default").unwrap().clone()
}

/// As an operator does it; from the command's start until so many are at work. In milliseconds.
fn resized(stack: &Stack, server: &Server, workers: u64) -> u128 {
    let asked = now();
    stack.succeed(&["pool", "set", "default", "--workers", &workers.to_string()]);
    until("so many work", || (pool(server)["busy"] == workers).then_some(()));
    asked.elapsed().as_millis()
}

#[test]
fn a_pool_is_resized_under_load_and_no_job_is_lost() {
    on_every_stack("a_pool_is_resized_under_load", |stack| {
        let jobs = size(4_000, 20_000);
        let server = stack.serve(&["--set", "pools.default.workers=4"]);
        put(&server, jobs, 25);
        let up = resized(stack, &server, 64);
        let down = resized(stack, &server, 8);
        stack.succeed(&["queue", "pause", "default"]);
        until("what was in hand is done", || (pool(&server)["busy"] == 0).then_some(()));
        assert!(left(&server) > 0, "there was nothing left to pause");
        stack.succeed(&["queue", "resume", "default"]);
        books_are_even(&server, jobs);
        let log = server.operate("GET", "/ops/audit.json", b"").json();
        let log = log["items"].as_array().unwrap();
        let set = log.iter().filter(|entry| entry["action"] == "pool.set");
        let set: Vec<_> = set.map(|entry| entry["new"]["workers"].as_u64()).collect();
        assert_eq!(set, [Some(8), Some(64)], "{log:?}");
        eprintln!("{}: 4 to 64 at work in {up} ms, 64 to 8 in {down} ms", stack.name);
    });
}

#[test]
fn a_pool_that_follows_its_queue_grows_within_its_bounds_and_comes_back() {
    on_every_stack("a_pool_that_follows_its_queue", |stack| {
        let server = stack.serve(&["--set", "pools.default.workers=1"]);
        let bounds = ["--min", "1", "--max", "3", "--wait", "200ms"];
        stack.succeed(&[&["pool", "autoscale", "default"][..], &bounds].concat());
        put(&server, WAVE, 25);
        let within = || {
            let pool = pool(&server);
            let workers = pool["workers"].as_u64().unwrap();
            assert!((1..=3).contains(&workers), "{pool}");
            (workers, pool["autoscale"]["last"]["why"].clone())
        };
        until("it has grown", || (within() == (3, "waited".into())).then_some(()));
        books_are_even(&server, WAVE);
        until("it has come back", || (within() == (1, "idle".into())).then_some(()));
        server.audited(&[("pool.autoscale", 1)]);
        let log = server.operate("GET", "/ops/audit.json", b"").json();
        assert_eq!(log["items"][0]["new"]["bounds"]["max"], 3, "{log}");
    });
}

#[test]
fn workers_that_are_told_to_end_hand_back_what_they_have_and_nothing_waits_for_a_lease() {
    on_every_stack("workers_that_are_told_to_end", |stack| {
        let (jobs, ends) = (size(3_000, 20_000), size(10, 50));
        let mut dice = Dice::of("job ends");
        let server = stack.serve(&[]);
        let mut workers: Vec<_> = (0..3).map(|_| Worker::start(stack)).collect();
        put(&server, jobs, 15);
        for _ in 0..ends {
            let which = dice.below(3) as usize;
            until("they have joined", || (joined(&server) == 4).then_some(()));
            let worker = std::mem::replace(&mut workers[which], Worker::start(stack));
            assert!(worker.ended(), "a worker that was told to end said that it failed");
        }
        let begun = books_are_even(&server, jobs);
        let lost = all(&server, "topic=probe").iter().filter(|job| job["losses"] != 0).count();
        assert_eq!(lost, 0, "somebody was taken for dead");
        eprintln!("{}: {jobs} jobs, {ends} ends, begun {begun} times", stack.name);
    });
}
