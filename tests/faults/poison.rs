//! Jobs that panic, abort their process, never end or keep their thread become dead letters that say
//! so, and the others of their queue are done meanwhile.

use crate::{
    jobs::{Worker, all, left},
    size,
    support::{
        server::{Server, now, until},
        stack::on_every_stack,
    },
};

/// What it does, and what its dead letter says.
const TROUBLES: &[(&str, &str)] = &[
    ("panic", "as it was asked to"),
    ("abort", "signal: 6"),
    ("endless", "longer than 5 s"),
    ("stuck", "longer than 5 s, and its process was killed"),
];

/// Less than a page of jobs.
const FEW: usize = 60;

fn put(server: &Server, first: usize, count: usize, trouble: &str) {
    let body = format!("{{\"first\":{first},\"count\":{count},\"millis\":20{trouble}}}");
    let put = server.operate("POST", "/ops/job-probes", body.as_bytes());
    assert_eq!(put.status, 200, "{}", put.text());
}

/// Until nearly all probes are over: what a process had in hand when it died comes a lease later.
/// Workers that ended are started anew, as a service manager does.
fn worked_off(server: &Server, probes: usize, keep: &mut dyn FnMut()) -> f64 {
    let since = now();
    until("the probes are done", || {
        keep();
        let address = "/ops/jobs.json?limit=200&topic=probe&state=";
        let busy = |state: &str| {
            let page = server.operate("GET", &format!("{address}{state}"), b"").json();
            page["items"].as_array().unwrap().len()
        };
        let busy: usize = ["scheduled", "ready", "running"].into_iter().map(busy).sum();
        (busy <= FEW).then_some(())
    });
    probes as f64 / since.elapsed().as_secs_f64()
}

#[test]
fn jobs_that_misbehave_are_dead_letters_and_the_others_are_done() {
    on_every_stack("jobs_that_misbehave", |stack| {
        let probes = size(1_000, 10_000);
        let server = stack.serve(&[]);
        // The first abort takes its process along, which is not to be the shop.
        let paused = server.operate("POST", "/ops/pools/default/pause", b"{}");
        assert_eq!(paused.status, 200, "{}", paused.text());
        let mut workers: Vec<_> = (0..2).map(|_| Worker::start(stack)).collect();
        let mut deaths = 0;
        let mut keep = || {
            for worker in &mut workers {
                if worker.is_over() {
                    *worker = Worker::start(stack);
                    deaths += 1;
                }
            }
        };
        put(&server, 0, probes, "");
        let alone = worked_off(&server, probes, &mut keep);
        for (trouble, _) in TROUBLES {
            put(&server, 0, 1, &format!(",\"trouble\":\"{trouble}\""));
        }
        put(&server, probes, probes, "");
        let beside = worked_off(&server, probes, &mut keep);
        until("the others are given up", || {
            keep();
            (left(&server) == 0).then_some(())
        });
        let done = all(&server, "topic=probe");
        assert!(done.iter().all(|job| job["state"] == "succeeded"));
        let letters = all(&server, "topic=trouble");
        assert_eq!(letters.len(), TROUBLES.len());
        for (trouble, says) in TROUBLES {
            let letter = letters.iter().find(|job| job["body"] == *trouble).unwrap();
            let error = letter["error"].as_str().unwrap();
            assert_eq!((&letter["state"], &letter["failures"]), (&"dead".into(), &3.into()));
            assert!(error.contains(says), "{trouble}: {error}");
        }
        assert!(deaths > 0, "nobody died of the abort");
        let name = stack.name;
        eprintln!("{name}: {alone:.0}/s alone, {beside:.0}/s beside poison, {deaths} deaths");
    });
}
