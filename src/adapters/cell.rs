//! Jobs that are run alone, each in a child process: this program's own, called as it was and with
//! one flag more.
//!
//! A job goes in as a line of JSON, its verdict comes out as one. The child is in a process group of
//! its own, as Ctrl-C is for whoever started it; it ends when its input does, so also when its parent
//! is killed. What it says on standard error goes along to ours, and the end of it is kept: it is
//! all that a process which aborts leaves.

use crate::ports::{
    cells::{Cell, CellEnd, Cells},
    jobs::{ClaimedJob, Verdict},
};
use async_trait::async_trait;
use std::{
    ffi::OsString,
    io::Write,
    path::PathBuf,
    process::{ExitStatus, Stdio},
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command},
    time::Instant,
};

/// A child ends by itself when it has waited for a job for so long…
pub(crate) const IDLE: Duration = Duration::from_secs(60);
/// …and isn't handed one any more well before that.
const FRESH: Duration = Duration::from_secs(30);
/// A child's first line.
pub(crate) const READY: &str = "ready";
/// Of what a child said, so much is kept.
const MOST_SAID: usize = 3_000;
/// A verdict's line, with all of its effects.
const MOST_ANSWER: u64 = 16 << 20;

/// How this program is called to be one.
#[derive(Debug, Clone)]
pub(crate) struct ChildCells {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<OsString>,
}

#[async_trait]
impl Cells for ChildCells {
    async fn open(&self) -> Result<Box<dyn Cell>, String> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).process_group(0).kill_on_drop(true);
        // Sockets that a service manager passed are its parent's.
        for name in ["LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PID", "LISTEN_FDS_FIRST_FD"] {
            command.env_remove(name);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let failed = |error| format!("{} can't be run: {error}", self.program.display());
        let mut child = command.spawn().map_err(failed)?;
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(stdin), Some(stdout), Some(stderr)) = (stdin, stdout, stderr) else {
            return Err("a child process has no pipes".into());
        };
        let mut answers = BufReader::new(stdout.take(MOST_ANSWER)).lines();
        // Its start is not to be taken for the job's time.
        let ready = answers.next_line().await.ok().flatten();
        if ready.as_deref() != Some(READY) {
            return Err(format!("{} ended before it could run a job", self.program.display()));
        }
        Ok(Box::new(ChildCell {
            child,
            stdin,
            answers,
            stderr,
            said: Vec::new(),
            used: Instant::now(),
        }))
    }
}

struct ChildCell {
    child: Child,
    stdin: ChildStdin,
    answers: Lines<BufReader<tokio::io::Take<ChildStdout>>>,
    stderr: ChildStderr,
    said: Vec<u8>,
    used: Instant,
}

#[async_trait]
impl Cell for ChildCell {
    async fn run(&mut self, job: &ClaimedJob) -> Result<Verdict, CellEnd> {
        if self.used.elapsed() > FRESH {
            return Err(CellEnd::Closed);
        }
        self.said.clear();
        let mut line = serde_json::to_vec(job).map_err(|error| died(&error.to_string(), b""))?;
        line.push(b'\n');
        if self.stdin.write_all(&line).await.is_err() {
            return Err(self.over().await);
        }
        self.answers.get_mut().get_mut().set_limit(MOST_ANSWER);
        let answer = loop {
            let mut heard = [0; 4_096];
            tokio::select! {
                answer = self.answers.next_line() => break answer,
                read = self.stderr.read(&mut heard) => match read {
                    Ok(count @ 1..) => self.hear(&heard[..count]),
                    _ => break self.answers.next_line().await,
                },
            }
        };
        self.used = Instant::now();
        let Ok(Some(answer)) = answer else { return Err(self.over().await) };
        serde_json::from_str(&answer).map_err(|error| died(&error.to_string(), answer.as_bytes()))
    }
}

impl ChildCell {
    fn hear(&mut self, bytes: &[u8]) {
        // Nobody is there to be told that standard error is closed.
        drop(std::io::stderr().write_all(bytes));
        self.said.extend_from_slice(bytes);
        let beyond = self.said.len().saturating_sub(MOST_SAID);
        self.said.drain(..beyond);
    }

    /// It has ended: in peace, or how.
    async fn over(&mut self) -> CellEnd {
        let mut rest = Vec::new();
        // Whatever of it could be read is better than nothing.
        drop((&mut self.stderr).take(1 << 20).read_to_end(&mut rest).await);
        self.hear(&rest);
        match self.child.wait().await {
            Ok(status) if status.success() => CellEnd::Closed,
            Ok(status) => died(&ended(status), &self.said),
            Err(error) => died(&error.to_string(), &self.said),
        }
    }
}

fn ended(status: ExitStatus) -> String {
    format!("the process in which it ran alone has ended: {status}")
}

fn died(how: &str, said: &[u8]) -> CellEnd {
    CellEnd::Died(format!("{how}\n{}", String::from_utf8_lossy(said)))
}
