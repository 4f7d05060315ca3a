//! A server goes and comes, and nobody who connects meanwhile is refused.

use crate::{
    Stack,
    support::{
        client::exchange,
        server::{Server, stoa},
    },
};
use command_fds::{CommandFdExt, FdMapping};
use std::{
    net::TcpListener,
    os::{fd::OwnedFd, unix::net::UnixListener},
    path::Path,
    process::Command,
};

/// `stoa serve` with a socket as a service manager gives it one.
fn given(data: &Path, socket: impl Into<OwnedFd>) -> Command {
    let mut command = stoa(data, &["serve"]);
    let mapping = FdMapping { parent_fd: socket.into(), child_fd: 3 };
    command.env("LISTEN_FDS", "1").fd_mappings(vec![mapping]).unwrap();
    command
}

#[test]
fn a_socket_that_is_handed_in_keeps_its_connections_while_no_server_is_there() {
    let stack = Stack::embedded();
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    for life in 0..2 {
        // Asked before there is anybody: the connection waits in the socket.
        let early = std::thread::spawn(move || exchange(address, "GET", "/livez", &[], b""));
        let command = given(&stack.data(), socket.try_clone().unwrap());
        let server = Server::launch(command, &stack.data()).unwrap();
        assert_eq!(server.address, address, "life {life}");
        assert_eq!(early.join().unwrap().unwrap().status, 200, "life {life}");
        server.kill();
    }
}

#[test]
fn a_socket_that_cannot_be_served_is_refused_with_a_sentence() {
    let stack = Stack::embedded();
    // A proxy's socket must not be taken for the one that admits operators.
    let socket = UnixListener::bind(stack.path("proxy.sock")).unwrap();
    let output = given(&stack.data(), socket).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("takes one TCP socket"), "{said}");
    // Meant for another process: not ours to take.
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let mut command = given(&stack.data(), socket);
    command.env("LISTEN_PID", "1").args(["--listen", "127.0.0.1:0"]);
    let server = Server::launch(command, &stack.data()).unwrap();
    assert_ne!(server.address, address);
}
