//! From the start of `stoa serve` to its first answer, and the memory it then holds.

use super::{
    process::{self, Memory, Minded},
    rounds::median,
    row::{Reach, Row},
    wire::Wire,
};
use crate::{
    cli::{Failure, output},
    folder::Folder,
};
use std::{
    net::SocketAddr,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};
use tokio::{net::TcpListener, time::Instant};

/// A server that hasn't answered by then doesn't start.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks whether it answers: what a figure may be off by.
const LOOK: Duration = Duration::from_millis(1);
/// Before memory is read, for what a start leaves to be done behind its first answer.
const SETTLE: Duration = Duration::from_secs(2);

/// Starts the server on this data folder so many times, one after the other.
pub(crate) async fn rows(data: &Path, times: usize) -> Result<Vec<Row>, Failure> {
    if let Some(owner) = Folder::at(data).owner() {
        return Err(Failure::Failed(format!(
            "the data folder {} is in use by `{}` (process {}); stop it first, or name another \
             with --start",
            data.display(),
            owner.command,
            owner.process
        )));
    }
    let mut times_ms = Vec::new();
    let mut memory = None;
    for number in 1..=times {
        output::talk(&format!("start to first answer: {number} of {times}"));
        let (server, took) = started(data).await?;
        times_ms.push(took.as_secs_f64() * 1_000.0);
        if number == times {
            tokio::time::sleep(SETTLE).await;
            memory = process::memory(server.id());
        }
        server.stop().await;
    }
    let start = Row {
        row: "start to first answer".into(),
        ours: median(times_ms.iter().copied()).unwrap_or(0.0),
        unit: "ms",
        reach: Reach::at_most(500.0),
        ..Row::default()
    };
    Ok([start.judged()].into_iter().chain(memory.map(memory_row)).collect())
}

pub(crate) fn memory_row(memory: Memory) -> Row {
    let mb = |bytes: u64| bytes as f64 / 1e6;
    let (resident, own) = (mb(memory.resident), mb(memory.anonymous));
    Row {
        row: "idle memory".into(),
        ours: resident,
        unit: "MB",
        reach: Reach::at_most(120.0),
        note: Some(format!("{own:.1} MB of it its own, the rest copies of files")),
        ..Row::default()
    }
    .judged()
}

async fn started(data: &Path) -> Result<(Minded, Duration), Failure> {
    let failed = |what: &str| {
        Failure::Failed(format!("{what}; `stoa serve --data {}` says why", data.display()))
    };
    let address = free_address().await.map_err(|error| Failure::Failed(error.to_string()))?;
    let program = std::env::current_exe().map_err(|error| Failure::Failed(error.to_string()))?;
    let begun = Instant::now();
    let mut server = Minded::spawn(
        Command::new(program)
            .arg("serve")
            .arg("--data")
            .arg(data)
            .args(["--listen", &address.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null()),
    )
    .map_err(|error| failed(&format!("the server can't be started ({error})")))?;
    let request = format!("GET / HTTP/1.1\r\nhost: {address}\r\n\r\n");
    while begun.elapsed() < PATIENCE {
        if let Ok(mut wire) = Wire::connect(address).await
            && let Ok(reply) = wire.exchange(request.as_bytes()).await
            && reply.status == 200
        {
            return Ok((server, begun.elapsed()));
        }
        if let Some(how) = server.ended() {
            return Err(failed(&format!("the server ended before it answered ({how})")));
        }
        tokio::time::sleep(LOOK).await;
    }
    Err(failed(&format!("the server didn't answer within {} s", PATIENCE.as_secs())))
}

/// An address nobody listens on. The server could take one by itself, but to learn which, its lock
/// would have to be looked at while it wants to take it.
pub(super) async fn free_address() -> std::io::Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0").await?.local_addr()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_folder_in_use_is_left_alone() {
        let place = tempfile::tempdir().unwrap();
        let _lock = Folder::at(place.path()).take("stoa serve").unwrap();
        let refused = rows(place.path(), 1).await.unwrap_err();
        assert!(
            matches!(&refused, Failure::Failed(why) if why.contains("in use by `stoa serve`")),
            "{refused:?}"
        );
    }

    #[test]
    fn memory_is_judged_in_megabytes() {
        let row = memory_row(Memory { resident: 121_000_000, anonymous: 60_000_000 });
        assert_eq!((row.ours, row.unit, row.reached), (121.0, "MB", false));
        assert!(memory_row(Memory { resident: 120_000_000, anonymous: 0 }).reached);
    }
}
