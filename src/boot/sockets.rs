//! Listening sockets that whoever started this process holds for it.
//!
//! The convention is systemd's (`sd_listen_fds(3)`): `LISTEN_FDS` sockets from descriptor 3 on, for
//! the process that `LISTEN_PID` names, called by `LISTEN_FDNAMES`. As the socket is open before
//! the server is there and after it is gone, connections wait in it instead of being refused. A
//! server that hands over (`handoff`) is such a manager for its successor.

use listenfd::ListenFd;
use std::{
    io, net,
    os::{fd::RawFd, unix},
};
use tokio::net::{TcpListener, UnixListener};

/// Where descriptors that are handed on begin.
pub(super) const FIRST: RawFd = 3;
const PORT: &str = "http";
/// What the data folder's own socket is called. It admits operators, so a Unix socket without this
/// name, such as one made for a proxy, must not be taken for it.
const LOCAL: &str = "local";

/// What tells this process, executing another program, of so many of its sockets: the port's, and
/// the folder's own if there is one.
pub(super) fn variables(count: usize) -> [(&'static str, String); 3] {
    let names = if count > 1 { format!("{PORT}:{LOCAL}") } else { PORT.to_owned() };
    [
        ("LISTEN_PID", std::process::id().to_string()),
        ("LISTEN_FDS", count.to_string()),
        ("LISTEN_FDNAMES", names),
    ]
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Inherited {
    tcp: net::TcpListener,
    local: Option<unix::net::UnixListener>,
}

impl Inherited {
    /// `None`: nothing was handed in. To be called once, while the process has a single thread:
    /// the variables are taken out of its environment, which no child may find there.
    pub(crate) fn take(names: &str) -> Result<Option<Self>, String> {
        let refused = |why: String| {
            Err(format!("{why}; `stoa serve` takes one TCP socket that listens (LISTEN_FDS=1)"))
        };
        let mut given = ListenFd::from_env();
        let names: Vec<&str> = names.split(':').collect();
        let (mut tcp, mut local) = (None, None);
        for place in 0..given.len() {
            let taken = match names.get(place) {
                Some(&LOCAL) => given.take_unix_listener(place).map(|one| local = one),
                _ if tcp.is_some() => return refused("more than one socket was handed in".into()),
                _ => given.take_tcp_listener(place).map(|one| tcp = one),
            };
            if let Err(error) = taken {
                return refused(format!("a socket that was handed in can't be used: {error}"));
            }
        }
        match tcp {
            Some(tcp) => Ok(Some(Self { tcp, local })),
            None if given.len() == 0 => Ok(None),
            None => refused("no TCP socket was handed in".into()),
        }
    }

    /// Hands them to the runtime.
    pub(super) fn adopt(self) -> io::Result<(TcpListener, Option<UnixListener>)> {
        self.tcp.set_nonblocking(true)?;
        let tcp = TcpListener::from_std(self.tcp)?;
        let Some(local) = self.local else { return Ok((tcp, None)) };
        local.set_nonblocking(true)?;
        Ok((tcp, Some(UnixListener::from_std(local)?)))
    }
}
