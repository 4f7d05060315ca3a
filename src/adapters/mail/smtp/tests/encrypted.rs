//! Over a handshake with openssl, which ends the encryption and hands us what came through it.

use super::*;
use std::{path::Path, process::Stdio};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, copy_bidirectional, join},
    net::TcpStream,
    process::{Child, Command},
};

/// A certificate of our own for this machine, and its key.
fn certificate() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let made = std::process::Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
        .args(["-nodes", "-days", "2", "-subj", "/CN=peer"])
        .args(["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=CA:FALSE"])
        .args(["-keyout", "key.pem", "-out", "cert.pem"])
        .current_dir(&folder)
        .output()
        .expect("openssl");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    folder
}

/// Takes one connection that is encrypted from its first byte on; behind it are the child's pipes.
async fn terminator(folder: &Path) -> (Child, u16) {
    // Free now, and ours while nobody else asks for it.
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let child = Command::new("openssl")
        .args(["s_server", "-quiet", "-naccept", "1", "-cert", "cert.pem", "-key", "key.pem"])
        .args(["-accept", &format!("127.0.0.1:{port}")])
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    // Its one connection is for the client, so whether it listens is read from the system's list.
    let listens = format!("0100007F:{port:04X} 00000000:0000 0A");
    while !std::fs::read_to_string("/proc/net/tcp").unwrap().contains(&listens) {
        tokio::task::yield_now().await;
    }
    (child, port)
}

fn config(port: u16, tls: SmtpTls, ca: PathBuf) -> SmtpConfig {
    let (user, password) = ("shop".into(), Secret::new("pw"));
    SmtpConfig { host: "127.0.0.1".into(), port, tls, user, password, ca }
}

#[tokio::test]
async fn from_the_first_byte_a_mail_goes_to_who_has_the_certificate() {
    let folder = certificate();
    for trusted in [true, false] {
        let (mut child, port) = terminator(folder.path()).await;
        let ca = if trusted { folder.path().join("cert.pem") } else { PathBuf::new() };
        let pipes = join(child.stdout.take().unwrap(), child.stdin.take().unwrap());
        let config = config(port, SmtpTls::Implicit, ca);
        let (sent, told) = tokio::join!(send(&config), serve(pipes, "220 peer", &[]));
        if trusted {
            sent.unwrap();
            assert_eq!(told[..2], ["EHLO shop.example", "AUTH PLAIN AHNob3AAcHc="]);
            assert!(told[4].contains("Subject: Hello"), "{told:?}");
        } else {
            let error = sent.unwrap_err();
            assert!(matches!(error, MailError::Later(_)), "{error}");
            assert_eq!(told, [""; 0], "nothing is said to a stranger: {error}");
        }
    }
}

#[tokio::test]
async fn on_demand_nothing_that_matters_is_said_before_it() {
    let folder = certificate();
    let (mut child, behind) = terminator(folder.path()).await;
    let pipes = join(child.stdout.take().unwrap(), child.stdin.take().unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let in_the_clear = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"220 peer\r\n").await.unwrap();
        let mut said = Vec::new();
        for answer in ["250-peer\r\n250 STARTTLS\r\n", "220 go on\r\n"] {
            let mut bytes = [0; 512];
            let count = stream.read(&mut bytes).await.unwrap();
            said.push(String::from_utf8_lossy(&bytes[..count]).into_owned());
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
        let mut to = TcpStream::connect(("127.0.0.1", behind)).await.unwrap();
        drop(copy_bidirectional(&mut stream, &mut to).await);
        said
    };
    let config = config(port, SmtpTls::Starttls, folder.path().join("cert.pem"));
    // Behind the handshake there is no greeting: the client begins anew.
    let (sent, said, told) = tokio::join!(send(&config), in_the_clear, serve(pipes, "", &[]));
    sent.unwrap();
    assert_eq!(said, ["EHLO shop.example\r\n", "STARTTLS\r\n"]);
    assert_eq!(told[..2], ["EHLO shop.example", "AUTH PLAIN AHNob3AAcHc="]);
    assert!(told[4].contains("Subject: Hello"), "{told:?}");
}
