//! A server goes and comes, and nobody who connects meanwhile is refused.

use crate::{
    Stack, on_every_stack,
    support::{
        client::exchange,
        server::{STOA, Server, now, stoa, stoa_at, until},
    },
};
use command_fds::{CommandFdExt, FdMapping};
use std::{
    fs,
    io::{self, Read, Write},
    net::{TcpListener, TcpStream},
    os::{
        fd::OwnedFd,
        unix::{
            fs::PermissionsExt,
            net::{UnixListener, UnixStream},
        },
    },
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
};

/// A binary of the test's own, which can be replaced while it runs.
fn own_binary(stack: &Stack) -> PathBuf {
    let path = stack.path("stoa");
    upgrade(&path);
    path
}

/// Puts another file in its place, as an upgrade does.
fn upgrade(binary: &Path) {
    let new = binary.with_extension("new");
    fs::copy(STOA, &new).unwrap();
    fs::rename(new, binary).unwrap();
}

fn serve(stack: &Stack, binary: &Path, arguments: &[&str]) -> Server {
    let all = [&["serve", "--listen", "127.0.0.1:0"], arguments].concat();
    Server::launch(stoa_at(binary, &stack.data(), &stack.with(&all)), &stack.data()).unwrap()
}

/// Waits until a successor serves in the same process, executed from the present file.
fn hand_over(server: &Server, binary: &Path) {
    let asked = now();
    server.signal("USR2");
    until("the successor", || {
        let tree = server.operate("GET", "/ops/tree.json", b"").json();
        (u128::from(tree["up_ms"].as_u64()?) < asked.elapsed().as_millis()).then_some(())
    });
    let running = fs::read_link(format!("/proc/{}/exe", server.id())).unwrap();
    assert_eq!(running, binary.canonicalize().unwrap());
}

/// Lets the clients end however the test ends.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Asks again and again, on a new connection each time; what didn't go well.
fn insist(stopped: &AtomicBool, mut ask: impl FnMut() -> io::Result<u16>) -> (usize, Vec<String>) {
    let (mut answered, mut failed) = (0, Vec::new());
    while !stopped.load(Ordering::SeqCst) {
        match ask() {
            Ok(200) => answered += 1,
            other => failed.push(format!("{other:?} behind {answered}")),
        }
    }
    (answered, failed)
}

/// Asks over the folder's own socket.
fn ask_locally(socket: &Path) -> io::Result<u16> {
    let mut stream = UnixStream::connect(socket)?;
    stream.write_all(b"GET /ops/pools.json HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    status.ok_or_else(|| io::Error::other("the connection broke"))
}

#[test]
fn nobody_is_refused_while_a_server_hands_over_again_and_again() {
    on_every_stack("hand over", |stack| {
        let binary = own_binary(stack);
        let server = serve(stack, &binary, &["--demo"]);
        server.demo_is_in();
        let (address, socket) = (server.address, server.data.join("run/stoa.sock"));
        let stopped = &AtomicBool::new(false);
        std::thread::scope(|scope| {
            let stop = Stop(stopped);
            let paths = ["/", "/api/v1/products?limit=3", "/search?q=drill"];
            let mut clients: Vec<_> = paths
                .map(|path| {
                    let ask = move || Ok(exchange(address, "GET", path, &[], b"")?.status);
                    scope.spawn(move || insist(stopped, ask))
                })
                .into();
            clients.push(scope.spawn(|| insist(stopped, || ask_locally(&socket))));
            for _ in 0..5 {
                upgrade(&binary);
                hand_over(&server, &binary);
            }
            drop(stop);
            for client in clients {
                let (answered, failed) = client.join().unwrap();
                assert!(failed.is_empty(), "{}: {failed:#?}", stack.name);
                assert!(answered > 5, "{}: {answered}", stack.name);
            }
        });
        assert!(server.stop(), "{}", stack.name);
    });
}

#[test]
fn a_successor_that_would_not_start_is_refused_and_serving_goes_on() {
    let stack = Stack::embedded();
    let binary = own_binary(&stack);
    let settings = stack.path("stoa.toml");
    fs::write(&settings, "shop.name = \"Toolery\"\n").unwrap();
    let server = serve(&stack, &binary, &["--config", settings.to_str().unwrap()]);
    let refused = |count: usize, why: &str| {
        server.signal("USR2");
        until("the refusal", || {
            (server.log().matches("serving goes on").count() == count).then_some(())
        });
        assert!(server.log().contains(why), "{}", server.log());
        assert!(server.get("/").text().contains("Toolery"));
    };
    fs::remove_file(&binary).unwrap();
    refused(1, "can't be run");
    fs::write(&binary, "#!/bin/sh\necho 'no such thing' >&2\nexit 3\n").unwrap();
    fs::set_permissions(&binary, fs::Permissions::from_mode(0o755)).unwrap();
    refused(2, "no such thing");
    upgrade(&binary);
    fs::write(&settings, "shop.nam = \"Toolery\"\n").unwrap();
    refused(3, "did you mean `shop.name`");
    fs::write(&settings, "shop.name = \"Drillery\"\n").unwrap();
    hand_over(&server, &binary);
    assert!(server.get("/").text().contains("Drillery"));
}

#[test]
fn a_hand_over_is_called_off_by_a_signal_to_end() {
    let stack = Stack::embedded();
    let binary = own_binary(&stack);
    let server = serve(&stack, &binary, &["--set", "http.drain_ms=30000"]);
    // An upload that doesn't end holds the hand-over for its drain time.
    let token = fs::read_to_string(server.data.join("run/admin.token")).unwrap();
    let head = format!(
        "POST /api/v1/imports HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
         content-type: text/csv\r\ncontent-length: 100\r\n\r\nsku"
    );
    let mut upload = TcpStream::connect(server.address).unwrap();
    upload.write_all(head.as_bytes()).unwrap();
    until("the upload to have begun", || {
        let folder = fs::read_dir(server.data.join("imports")).unwrap();
        (folder.count() > 0).then_some(())
    });
    server.signal("USR2");
    until("the hand-over to begin", || server.log().contains("handing over").then_some(()));
    server.signal("TERM");
    until("it to be called off", || server.log().contains("instead of handing over").then_some(()));
    drop(upload);
    assert!(server.ended());
}

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
