//! Over a handshake with openssl, which ends the encryption and hands us what came through it.

use super::*;
use std::process::Stdio;
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// A certificate of our own for a name, and its key.
fn certificate(name: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let made = std::process::Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
        .args(["-nodes", "-days", "2", "-subj", "/CN=peer"])
        .args(["-addext", &format!("subjectAltName=DNS:{name}")])
        .args(["-addext", "basicConstraints=CA:FALSE", "-keyout", "key.pem", "-out", "cert.pem"])
        .current_dir(&folder)
        .output()
        .expect("openssl");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    folder
}

/// Takes one connection; behind it are the child's pipes.
async fn terminator(folder: &Path) -> (Child, SocketAddr) {
    // Free now, and ours while nobody else asks for it.
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let child = Command::new("openssl")
        .args(["s_server", "-quiet", "-naccept", "1", "-cert", "cert.pem", "-key", "key.pem"])
        .args(["-accept", &address.to_string()])
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    // Its one connection is for the client, so whether it listens is read from the system's list.
    let listens = format!("0100007F:{:04X} 00000000:0000 0A", address.port());
    while !std::fs::read_to_string("/proc/net/tcp").unwrap().contains(&listens) {
        tokio::task::yield_now().await;
    }
    (child, address)
}

#[tokio::test]
async fn an_event_goes_to_who_has_the_certificate_of_that_name_and_to_nobody_else() {
    for (name, trusted) in
        [("hook.example", true), ("hook.example", false), ("other.example", true)]
    {
        let folder = certificate(name);
        let (mut child, address) = terminator(folder.path()).await;
        let ca = if trusted { folder.path().join("cert.pem") } else { Default::default() };
        let patience = Patience { connection: LONG, whole: LONG, body: LONG };
        let names = Fake::to(&[address]);
        let courier = HttpCourier::with(Reach::Anywhere, &ca, patience, names).unwrap();
        let (mut hears, mut says) = (child.stdout.take().unwrap(), child.stdin.take().unwrap());
        let parcel = parcel("https://hook.example/in");
        if trusted && name == "hook.example" {
            let receiving = async {
                let heard = heard(&mut hears).await;
                says.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
                heard
            };
            let (receipt, (head, body)) = tokio::join!(courier.post(&parcel), receiving);
            assert_eq!(receipt.unwrap().said, "ok");
            assert!(head.starts_with("POST /in HTTP/1.1\r\nhost: hook.example\r\n"), "{head}");
            assert_eq!(body, BODY);
        } else {
            let error = courier.post(&parcel).await.unwrap_err();
            assert!(matches!(&error, CourierError::Later(why) if why.contains("TLS")), "{error}");
            let mut said = String::new();
            hears.read_to_string(&mut said).await.unwrap();
            assert_eq!(said, "", "nothing is said to a stranger: {error}");
        }
    }
}

#[test]
fn a_file_without_certificates_is_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    for (file, text) in [("none.pem", None), ("bad.pem", Some("-----BEGIN CERTIFICATE-----\nx\n"))]
    {
        let path = folder.path().join(file);
        if let Some(text) = text {
            std::fs::write(&path, text).unwrap();
        }
        let told = HttpCourier::new(Reach::Public, &path).err().unwrap();
        assert!(told.contains("webhooks.ca") && told.contains(file), "{told}");
    }
}
