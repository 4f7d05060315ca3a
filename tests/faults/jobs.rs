//! Processes that run jobs are killed and frozen again and again, and what each job does to the
//! database is done once all the same.
//!
//! A probe's effect is its echo: another job, with an id of its own, so that a second one is seen.

use crate::{
    Dice, size,
    support::{
        server::{Server, stoa, until},
        stack::{Stack, on_every_stack},
    },
};
use serde_json::Value;
use std::{
    collections::HashSet,
    process::{Child, Command, Stdio},
    time::Duration,
};

const WORKERS: usize = 3;
const WAVE: usize = 1_000;

/// A process of its own; gone with the value.
pub(crate) struct Worker(Child);

impl Worker {
    pub(crate) fn start(stack: &Stack) -> Self {
        let arguments = stack.with(&["worker", "--queues", "default", "--concurrency", "8"]);
        let mut command = stoa(&stack.data(), &arguments);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self(command.spawn().unwrap())
    }

    /// Whether it ended by itself.
    pub(crate) fn is_over(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }

    /// Told to end as a service manager does it; true: it ended well.
    pub(crate) fn ended(mut self) -> bool {
        self.signal("-TERM");
        self.0.wait().unwrap().success()
    }

    fn signal(&self, name: &str) {
        let id = self.0.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // SIGKILL, which also ends one that is frozen.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn probe(server: &Server, first: usize) {
    let body = format!("{{\"first\":{first},\"count\":{WAVE},\"millis\":15,\"echo\":true}}");
    let put = server.operate("POST", "/ops/job-probes", body.as_bytes());
    assert_eq!(put.status, 200, "{}", put.text());
}

pub(crate) fn all(server: &Server, query: &str) -> Vec<Value> {
    let (mut jobs, mut after) = (Vec::new(), String::new());
    loop {
        let address = format!("/ops/jobs.json?limit=200&{query}{after}");
        let page = server.operate("GET", &address, b"").json();
        jobs.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return jobs,
        }
    }
}

/// Jobs of the queue that are not over.
pub(crate) fn left(server: &Server) -> u64 {
    let queues = server.operate("GET", "/ops/queues.json", b"").json();
    let queues = queues["items"].as_array().unwrap();
    let default = queues.iter().find(|queue| queue["name"] == "default").unwrap();
    ["scheduled", "ready", "running"].iter().map(|key| default[key].as_u64().unwrap()).sum()
}

#[test]
fn every_jobs_effect_happens_once_though_workers_are_killed_and_frozen() {
    on_every_stack("every_jobs_effect_happens_once", |stack| {
        let (jobs, kills) = (size(5_000, 50_000), size(20, 100));
        let mut dice = Dice::of("job kills");
        let server = stack.serve(&[]);
        let mut workers: Vec<_> = (0..WORKERS).map(|_| Worker::start(stack)).collect();
        let (mut sent, mut killed) = (0, 0);
        // One is frozen for longer than its lease, with jobs in hand, and comes back.
        let frozen = Worker::start(stack);
        while sent < jobs || killed < kills {
            if sent < jobs || left(&server) < WAVE as u64 {
                probe(&server, sent);
                sent += WAVE;
            }
            if killed == 5 {
                frozen.signal("-STOP");
            }
            std::thread::sleep(Duration::from_millis(100 + dice.below(400)));
            let which = dice.below(WORKERS as u64) as usize;
            workers[which] = Worker::start(stack);
            killed += 1;
        }
        until("the frozen one to be buried", || {
            let queues = server.operate("GET", "/ops/queues.json", b"").json();
            let workers = queues["workers"].as_array().unwrap();
            // The server's own and the living ones.
            (workers.len() <= WORKERS + 1).then_some(())
        });
        frozen.signal("-CONT");
        while left(&server) > 0 {
            std::thread::sleep(Duration::from_millis(200));
        }
        let probes = all(&server, "topic=probe");
        let echoes = all(&server, "topic=probe.echo");
        let of: HashSet<_> = echoes.iter().map(|echo| echo["body"]["of"].as_u64()).collect();
        let begun: u64 = probes.iter().map(|probe| probe["attempt"].as_u64().unwrap()).sum();
        eprintln!("{}: {sent} jobs, {killed} kills, begun {begun} times", stack.name);
        assert!(probes.iter().all(|probe| probe["state"] == "succeeded"));
        assert_eq!((probes.len(), echoes.len(), of.len()), (sent, sent, sent));
        assert!(begun > sent as u64, "nobody died with a job in hand");
    });
}
