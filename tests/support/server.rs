//! The binary, started on a folder and stopped or killed.

use super::client::{Answer, exchange};
use serde_json::Value;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// Each of an operator's requests has a name of its own.
static OPERATED: AtomicU64 = AtomicU64::new(0);

/// How long a condition may take to come true before the test fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits for a condition; fails the test with `what` when it never comes.
pub(crate) fn until<T>(what: &str, mut check: impl FnMut() -> Option<T>) -> T {
    let began = now();
    loop {
        if let Some(found) = check() {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "waited too long for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[expect(clippy::disallowed_methods, reason = "how long a test waits is measured here")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Where the binary under test is.
pub(crate) const STOA: &str = env!("CARGO_BIN_EXE_stoa");

/// The command line on a folder, with nothing of this machine's settings.
pub(crate) fn stoa(data: &Path, arguments: &[&str]) -> Command {
    stoa_at(Path::new(STOA), data, arguments)
}

/// The same of a binary elsewhere.
pub(crate) fn stoa_at(binary: &Path, data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(binary);
    let kept = ["PATH", "HOME", "TMPDIR", "RUST_BACKTRACE", "LLVM_PROFILE_FILE"];
    command.env_clear();
    for name in kept {
        #[expect(clippy::disallowed_methods, reason = "handed on to the binary under test")]
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    // What a command writes where it runs belongs to the test.
    let place = data.parent().filter(|parent| parent.is_dir()).unwrap_or(Path::new("/"));
    command.args(arguments).arg("--data").arg(data).current_dir(place).stdin(Stdio::null());
    command
}

/// Runs a command to its end.
pub(crate) fn run(data: &Path, arguments: &[&str]) -> Output {
    stoa(data, arguments).output().expect("the binary runs")
}

/// Runs a command that must succeed, and returns what it wrote to standard output.
pub(crate) fn succeed(data: &Path, arguments: &[&str]) -> String {
    let output = run(data, arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?} ended {}: {error}", output.status);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The last line of a command's output as JSON.
pub(crate) fn last_json(text: &str) -> Value {
    let line = text.lines().last().expect("a line of output");
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}"))
}

pub(crate) struct Server {
    process: Child,
    pub(crate) data: PathBuf,
    pub(crate) address: SocketAddr,
    pub(crate) log: PathBuf,
}

impl Server {
    /// Starts `stoa serve` on a free port and waits until it is ready.
    pub(crate) fn start(data: &Path, arguments: &[&str]) -> Self {
        Self::spawn(data, arguments).unwrap_or_else(|log| panic!("the server didn't start: {log}"))
    }

    /// The same, with what it logged when it ends before it is ready.
    pub(crate) fn spawn(data: &Path, arguments: &[&str]) -> Result<Self, String> {
        let mut all = vec!["serve", "--listen", "127.0.0.1:0"];
        all.extend(arguments);
        Self::launch(stoa(data, &all), data)
    }

    /// Runs a `serve` on `data` that a test has put together.
    pub(crate) fn launch(mut command: Command, data: &Path) -> Result<Self, String> {
        let log = data.with_extension("log");
        let file = std::fs::File::options().create(true).append(true).open(&log);
        let file = file.expect("a place for the log");
        let mut process = command.stdout(Stdio::null()).stderr(file).spawn().unwrap();
        let began = now();
        loop {
            if let Some(status) = process.try_wait().expect("a child of ours") {
                let said = std::fs::read_to_string(&log).unwrap_or_default();
                return Err(format!("{status}: {said}"));
            }
            if let Some(address) = announced(data, process.id()) {
                let ready = exchange(address, "GET", "/readyz", &[], b"");
                if ready.is_ok_and(|answer| answer.status == 200) {
                    return Ok(Self { process, data: data.to_owned(), address, log });
                }
            }
            if began.elapsed() > PATIENCE {
                drop(process.kill());
                return Err(std::fs::read_to_string(&log).unwrap_or_default());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        exchange(self.address, "GET", path, &[], b"").expect("an answer")
    }

    pub(crate) fn json(&self, path: &str) -> Value {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    }

    /// Products that a search finds; `None` while the index is being built.
    pub(crate) fn found(&self, query: &str) -> Option<u64> {
        let answer = self.get(&format!("/api/v1/search?limit=1&{query}"));
        if answer.status == 503 {
            return None;
        }
        assert_eq!(answer.status, 200, "{query}: {}", answer.text());
        answer.json()["total"].as_u64()
    }

    /// Waits until the demo catalogue can be found, and returns how many products that is.
    pub(crate) fn demo_is_in(&self) -> u64 {
        let all = until("the demo catalogue", || {
            let log = self.log();
            let line = log.lines().find(|line| line.contains("the demo catalogue is in"))?;
            serde_json::from_str::<Value>(line).ok()?["products"].as_u64()
        });
        until("all of it in the index", || self.found("").filter(|total| *total == all))
    }

    /// As the operator, with the folder's token and JSON.
    pub(crate) fn operate(&self, method: &str, path: &str, body: &[u8]) -> Answer {
        self.operate_as(method, path, "application/json", body)
    }

    /// Waits until these stand in the audit log, each so often at least: on PostgreSQL an entry gets its
    /// place behind its commit.
    pub(crate) fn audited(&self, actions: &[(&str, usize)]) {
        for (action, times) in actions {
            until(&format!("{action} in the audit log"), || {
                let log = self.operate("GET", "/ops/audit.json?limit=100", b"").json();
                let stands = log["items"].as_array()?.iter().filter(|one| one["action"] == *action);
                (stands.count() >= *times).then_some(())
            });
        }
    }

    pub(crate) fn operate_as(&self, method: &str, path: &str, form: &str, body: &[u8]) -> Answer {
        let token = std::fs::read_to_string(self.data.join("run/admin.token")).expect("a token");
        let bearer = format!("Bearer {}", token.trim());
        let key = format!("operate-{}", OPERATED.fetch_add(1, Ordering::Relaxed));
        let headers =
            [("authorization", bearer.as_str()), ("content-type", form), ("idempotency-key", &key)];
        exchange(self.address, method, path, &headers, body).expect("an answer")
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Sends it a signal: `TERM`, `USR2` …
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.id().to_string()]).status();
        assert!(sent.expect("kill").success(), "{name} could not be sent");
    }

    /// Ends it as `kill -9` does.
    pub(crate) fn kill(mut self) {
        self.kill_now();
    }

    /// The same, of one that another will stand in for.
    pub(crate) fn kill_now(&mut self) {
        self.process.kill().expect("a child of ours");
        self.process.wait().expect("a child of ours");
    }

    /// Asks it to end and waits; says whether it ended well.
    pub(crate) fn stop(self) -> bool {
        self.signal("TERM");
        self.ended()
    }

    /// Waits for its end; says whether it ended well.
    pub(crate) fn ended(mut self) -> bool {
        until("the server to stop", || self.process.try_wait().expect("a child of ours")).success()
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn announced(data: &Path, process: u32) -> Option<SocketAddr> {
    let text = std::fs::read_to_string(data.join("run/lock")).ok()?;
    let owner: Value = serde_json::from_str(&text).ok()?;
    if owner["process"].as_u64() != Some(process.into()) {
        return None;
    }
    owner["url"].as_str()?.strip_prefix("http://")?.parse().ok()
}
