//! What the kernel says of a process, and children that don't outlive their command.

use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};
use tokio::time::Instant;

/// The unit of times in `/proc`, the same on every Linux (`USER_HZ`).
const TICK: Duration = Duration::from_millis(10);
/// What a server gets to stop by itself.
const STOP: Duration = Duration::from_secs(15);

/// Processor time spent so far; `None` without `/proc`, or when the process is gone.
pub(crate) fn cpu(process: u32) -> Option<Duration> {
    ticks(&std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?)
}

/// The name in parentheses may hold anything, so counting begins behind it (proc(5)).
fn ticks(stat: &str) -> Option<Duration> {
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let user: u32 = fields.next()?.parse().ok()?;
    let system: u32 = fields.next()?.parse().ok()?;
    Some(TICK * user.saturating_add(system))
}

/// Memory of a process, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Memory {
    pub(crate) resident: u64,
    /// The part that isn't a copy of a file, which the kernel couldn't take back.
    pub(crate) anonymous: u64,
}

pub(crate) fn memory(process: u32) -> Option<Memory> {
    resident(&std::fs::read_to_string(format!("/proc/{process}/status")).ok()?)
}

fn resident(status: &str) -> Option<Memory> {
    let field = |name: &str| -> Option<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
        Some(kib * 1024)
    };
    Some(Memory { resident: field("VmRSS:")?, anonymous: field("RssAnon:")? })
}

/// A child that dies with this value.
#[derive(Debug)]
pub(crate) struct Minded(Child);

impl Minded {
    pub(crate) fn spawn(command: &mut Command) -> std::io::Result<Self> {
        command.spawn().map(Self)
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.0
    }

    /// How it ended, if it did.
    pub(crate) fn ended(&mut self) -> Option<String> {
        match self.0.try_wait() {
            Ok(None) => None,
            Ok(Some(status)) => Some(status.to_string()),
            Err(error) => Some(error.to_string()),
        }
    }

    /// Asks it to stop and waits until it has; one that doesn't is killed.
    pub(crate) async fn stop(mut self) {
        // The standard library sends no signal but the last one; a shell's own `kill` does.
        let asked = Command::new("sh")
            .args(["-c", "kill -TERM \"$0\"", &self.id().to_string()])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .status();
        let end = Instant::now() + STOP;
        while asked.as_ref().is_ok_and(|status| status.success())
            && self.ended().is_none()
            && Instant::now() < end
        {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Minded {
    fn drop(&mut self) {
        // Both fail only for a child that has gone already.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_behind_the_name_whatever_it_is() {
        let stat = "7 (a) b (c) R 1 2 3 4 5 6 7 8 9 10 150 25 0 0 20 0 4 0 100";
        assert_eq!(ticks(stat), Some(Duration::from_millis(1_750)));
        assert_eq!(ticks("7 (a) R 1 2"), None);
    }

    #[test]
    fn memory_is_read_from_its_two_lines() {
        let status = "Name:\tstoa\nVmPeak:\t  9 kB\nVmRSS:\t    2048 kB\nRssAnon:\t    1024 kB\n";
        assert_eq!(resident(status), Some(Memory { resident: 2 << 20, anonymous: 1 << 20 }));
        assert_eq!(resident("Name:\tstoa\n"), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_kernel_knows_this_process() {
        let me = std::process::id();
        assert!(cpu(me).is_some());
        assert!(memory(me).unwrap().resident > 1 << 20);
        assert_eq!(cpu(0), None);
    }

    fn sleeper() -> Minded {
        Minded::spawn(Command::new("sleep").arg("600").stdin(Stdio::null())).unwrap()
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_child_does_not_outlive_its_value() {
        let child = sleeper();
        let id = child.id();
        assert!(memory(id).is_some());
        drop(child);
        assert_eq!(cpu(id), None);
    }

    #[tokio::test]
    async fn a_child_is_asked_first() {
        let mut child = sleeper();
        assert_eq!(child.ended(), None);
        let id = child.id();
        child.stop().await;
        assert_eq!(cpu(id), None);
    }
}
