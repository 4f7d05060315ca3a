//! A server that hands over to its successor: the program at its own path, which may be a newer
//! one, takes its place in the same process, with its sockets still listening.
//!
//! The data folder has one owner, so the two can't run side by side. Instead the server stops, all
//! but its sockets, and the successor is executed in its place; connections that come meanwhile
//! wait in the sockets. That the successor starts is tried before anything stops. If it then can't
//! be executed nobody serves: the process ends with an error, and whoever minds it starts it again.

use super::sockets;
use crate::{
    adapters::cell::ChildCells,
    folder::{Folder, FolderError, FolderLock},
    http::Listeners,
};
use command_fds::{CommandFdExt, FdMapping};
use std::{
    ffi::OsString,
    fmt, io,
    os::{fd::OwnedFd, unix::process::CommandExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};
use tokio::time::Instant;

/// A successor that hasn't said by then that it can start is none.
const MOST_CHECK: Duration = Duration::from_secs(10);
/// Between two owners of the folder a command may have taken it; it gets so long to end.
pub(super) const MOST_OTHERS: Duration = Duration::from_secs(10);
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// What this process is an execution of.
#[derive(Debug, Clone)]
pub(super) struct Program {
    path: PathBuf,
    /// As it was called.
    name: OsString,
    arguments: Vec<OsString>,
}

impl Program {
    /// To be asked at the start: later the path may be another program's, or nobody's.
    pub(super) fn of_this_process() -> Self {
        let mut arguments = std::env::args_os();
        let name = arguments.next().unwrap_or_default();
        let called = Path::new(&name);
        // A name without a folder was found in PATH, by whoever started it.
        let called =
            called.parent().filter(|folder| !folder.as_os_str().is_empty()).map(|_| called);
        let called = called.and_then(|called| std::path::absolute(called).ok());
        let running = std::env::current_exe().ok();
        // Rather as it was called: a link to the version in use is then followed anew.
        let path = match (called, running) {
            (Some(called), Some(running))
                if called.canonicalize().ok() == Some(running.clone()) =>
            {
                called
            }
            (_, Some(running)) => running,
            (Some(called), None) => called,
            (None, None) => PathBuf::from(&name),
        };
        Self { path, name, arguments: arguments.collect() }
    }

    /// This program as it was called, as a process for one job at a time.
    pub(super) fn cells(&self) -> ChildCells {
        let mut arguments = self.arguments.clone();
        arguments.push("--cell".into());
        ChildCells { program: self.path.clone(), arguments }
    }

    /// Has the successor look at its arguments and configuration; answers how it calls itself, or
    /// why it would not start.
    pub(super) async fn check(&self) -> Result<String, String> {
        let mut command = tokio::process::Command::new(&self.path);
        command.arg0(&self.name).args(&self.arguments).arg("--check");
        command.stdin(Stdio::null()).kill_on_drop(true);
        let output = match tokio::time::timeout(MOST_CHECK, command.output()).await {
            Ok(Ok(output)) => output,
            Ok(Err(error)) => return Err(format!("{self} can't be run: {error}")),
            Err(_) => return Err(format!("{self} gave no answer in time")),
        };
        let last = |text: &[u8]| {
            let text = String::from_utf8_lossy(text);
            text.lines().next_back().unwrap_or_default().trim().to_owned()
        };
        let said = last(&output.stdout);
        if output.status.success() && said.starts_with("stoa ") {
            return Ok(said);
        }
        let error = last(&output.stderr);
        let why = if error.is_empty() { String::new() } else { format!(": {error}") };
        Err(format!("{self} is no successor ({}){why}", output.status))
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.display().fmt(f)
    }
}

/// Everything the successor gets; the folder stays ours until it is there.
#[derive(Debug)]
pub(crate) struct Handoff {
    program: Program,
    /// In the order of their names.
    sockets: Vec<OwnedFd>,
    _lock: FolderLock,
}

impl Handoff {
    pub(super) fn new(
        program: Program,
        listeners: &Listeners,
        lock: FolderLock,
    ) -> io::Result<Self> {
        Ok(Self { program, sockets: listeners.duplicate()?, _lock: lock })
    }

    /// Becomes the successor; what is returned says why not.
    pub(crate) fn execute(self) -> String {
        let Self { program, sockets, _lock } = self;
        let failed = |why: &dyn fmt::Display| format!("{program} can't take over: {why}");
        let mut command = Command::new(&program.path);
        command.arg0(&program.name).args(&program.arguments);
        command.envs(sockets::variables(sockets.len())).env_remove("LISTEN_FDS_FIRST_FD");
        let mappings = sockets.into_iter().zip(sockets::FIRST..);
        let mappings = mappings.map(|(parent_fd, child_fd)| FdMapping { parent_fd, child_fd });
        match command.fd_mappings(mappings.collect()) {
            Ok(command) => failed(&command.exec()),
            Err(collision) => failed(&collision),
        }
    }
}

/// Takes the folder for a successor, which a command may have come before.
pub(super) async fn take_patiently(
    folder: &Folder,
    within: Duration,
) -> Result<FolderLock, FolderError> {
    let deadline = Instant::now() + within;
    loop {
        match folder.take("stoa serve") {
            Err(FolderError::InUse { .. }) if Instant::now() < deadline => {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
            taken => return taken,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(path: &Path) -> Program {
        Program { path: path.to_owned(), name: "stoa".into(), arguments: vec!["serve".into()] }
    }

    #[tokio::test]
    async fn only_a_program_that_says_it_starts_is_a_successor() {
        let refused = async |path: &str| program(Path::new(path)).check().await.unwrap_err();
        assert!(refused("/nowhere/stoa").await.contains("can't be run"));
        assert!(refused("/etc/passwd").await.contains("can't be run"));
        assert!(refused("/bin/false").await.contains("is no successor"));
        // It ends well, but is none of ours.
        assert!(refused("/bin/true").await.contains("is no successor"));
        // `echo serve --check`
        assert!(refused("/bin/echo").await.contains("is no successor"));
    }

    #[tokio::test]
    async fn a_successor_waits_for_a_command_that_came_between_but_not_for_ever() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::at(place.path());
        let command = folder.take("stoa import").unwrap();
        let mut taking = std::pin::pin!(take_patiently(&folder, MOST_OTHERS));
        assert!(futures_util::poll!(&mut taking).is_pending());
        drop(command);
        let _ours = taking.await.unwrap();
        let refused = take_patiently(&folder, LOOK_AGAIN).await.unwrap_err();
        assert!(matches!(refused, FolderError::InUse { .. }), "{refused}");
    }
}
