//! The database stops at once, without a word to anybody, and comes back: who works on jobs waits for
//! it, who asks for something is told to come back, and nothing is done twice or forgotten.

use crate::{
    jobs::{Worker, all, left},
    size,
    support::{
        postgres::variable,
        server::{Server, now, until},
        stack::Stack,
    },
};
use std::{
    collections::{BTreeMap, HashSet},
    path::PathBuf,
    process::{Command, Output},
    time::Duration,
};

const AWAY: Duration = Duration::from_secs(5);
const WAVE: usize = 1_000;

/// A PostgreSQL of the test's own, gone with the value.
struct Peer(PathBuf);

impl Peer {
    /// `None`, said aloud, where there is no PostgreSQL and none is required.
    fn start() -> Option<Self> {
        if variable("STOA_TEST_POSTGRES").is_none() {
            let required = variable("STOA_PEERS").is_some_and(|value| value == "required");
            assert!(!required, "STOA_PEERS=required, but STOA_TEST_POSTGRES names no server");
            eprintln!("skipped: there is no PostgreSQL that could be stopped");
            return None;
        }
        // Not in a folder that is closed to the user as whom PostgreSQL runs.
        let root = std::env::temp_dir().join(format!("stoa-outage-{}", std::process::id()));
        std::fs::create_dir(&root).unwrap();
        let peer = Self(root);
        peer.up();
        Some(peer)
    }

    fn services(&self, command: &str) -> Output {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/services");
        let mut services = Command::new(script);
        services.args([command, "postgres"]).env("STOA_SERVICES", &self.0);
        services.env("STOA_SERVICES_PORT", "16800").output().unwrap()
    }

    fn up(&self) {
        let up = self.services("up");
        assert!(up.status.success(), "{}", String::from_utf8_lossy(&up.stderr));
    }

    fn url(&self) -> String {
        let told = String::from_utf8(self.services("env").stdout).unwrap();
        told.split('\'').nth(1).unwrap().to_owned()
    }

    /// As `pg_ctl stop -m immediate` does: nothing is finished, nobody is told.
    fn stop_at_once(&self) {
        let file = self.0.join("postgres/data/postmaster.pid");
        let process = std::fs::read_to_string(&file).unwrap().lines().next().unwrap().to_owned();
        assert!(Command::new("kill").args(["-QUIT", &process]).status().unwrap().success());
        until("PostgreSQL is gone", || (!file.exists()).then_some(()));
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.services("down"));
        drop(std::fs::remove_dir_all(&self.0));
    }
}

fn put(server: &Server, first: usize, count: usize) -> (u16, bool) {
    let body = format!("{{\"first\":{first},\"count\":{count},\"millis\":5,\"echo\":true}}");
    let put = server.operate("POST", "/ops/job-probes", body.as_bytes());
    (put.status, put.header("retry-after").is_some())
}

#[test]
fn a_database_that_stops_at_once_and_comes_back_costs_time_and_no_job() {
    let Some(peer) = Peer::start() else { return };
    let stack = Stack::at(peer.url());
    let server = stack.serve(&[]);
    let mut workers: Vec<_> = (0..2).map(|_| Worker::start(&stack)).collect();
    let (jobs, mut sent) = (size(5_000, 50_000), 0);
    while sent < jobs {
        assert_eq!(put(&server, sent, WAVE).0, 200);
        sent += WAVE;
    }
    until("some are done", || (left(&server) < jobs as u64 - 500).then_some(()));
    let gone = now();
    peer.stop_at_once();
    let (mut told, mut asked) = (BTreeMap::<_, u32>::new(), 0);
    while gone.elapsed() < AWAY {
        let answer = put(&server, sent + asked, 1);
        asked += 1;
        *told.entry(answer).or_default() += 1;
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(told.keys().all(|answer| *answer == (503, true)), "with the database away: {told:?}");
    assert_eq!(server.get("/livez").status, 200);
    peer.up();
    let back = now();
    until("something is taken again", || {
        asked += 1;
        (put(&server, sent + asked, 1).0 == 200).then_some(())
    });
    let taken = back.elapsed();
    let before = left(&server);
    until("jobs are done again", || (left(&server) < before).then_some(()));
    let flowing = back.elapsed();
    while left(&server) > 0 {
        std::thread::sleep(Duration::from_millis(200));
    }
    let (probes, echoes) = (all(&server, "topic=probe"), all(&server, "topic=probe.echo"));
    assert!(probes.iter().all(|probe| probe["state"] == "succeeded"));
    let numbers: HashSet<_> = probes.iter().map(|probe| probe["body"]["n"].as_u64()).collect();
    let of: HashSet<_> = echoes.iter().map(|echo| echo["body"]["of"].as_u64()).collect();
    assert!((0..sent as u64).all(|n| numbers.contains(&Some(n))), "a job that was taken is gone");
    assert_eq!((echoes.len(), of), (probes.len(), numbers));
    assert!(workers.iter_mut().all(|worker| !worker.is_over()), "a worker gave up");
    eprintln!(
        "{} jobs; {} requests were told 503 in {} s; back, a change was taken after {} ms and jobs \
         were done after {} ms",
        probes.len(),
        told.values().sum::<u32>(),
        AWAY.as_secs(),
        taken.as_millis(),
        flowing.as_millis()
    );
}
