//! Against a server that answers as it is told to.

use super::*;
use crate::{
    domain::{id::MailId, time::Micros},
    ports::mail::MailBody,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    net::TcpListener,
    task::JoinHandle,
};
use uuid::Uuid;

#[cfg(feature = "production")]
mod encrypted;

/// What it says instead of yes, by the command; `""`: it hangs up.
type Quirks = &'static [(&'static str, &'static str)];

/// Serves one connection, and tells what it was sent.
async fn peer(quirks: Quirks) -> (SmtpConfig, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    #[expect(clippy::disallowed_methods, reason = "a test's own server")]
    let serving = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        serve(stream, "220 peer", quirks).await
    });
    let config = SmtpConfig {
        host: "127.0.0.1".into(),
        port,
        tls: SmtpTls::None,
        user: String::new(),
        password: Secret::new(""),
        ca: PathBuf::new(),
    };
    (config, serving)
}

/// Talks to one client, and tells what it was sent. An empty greeting: the client speaks first.
async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    greeting: &'static str,
    quirks: Quirks,
) -> Vec<String> {
    let mut stream = BufReader::new(stream);
    let answer = |command: &str, usual: &'static str| {
        let quirk = quirks.iter().find(|(of, _)| command.starts_with(of));
        quirk.map_or(usual, |(_, answer)| answer)
    };
    let mut told = Vec::new();
    let mut line = answer("connect", greeting).to_owned();
    let mut first = greeting.is_empty();
    loop {
        if !std::mem::take(&mut first) {
            let said = format!("{line}\r\n");
            if line.is_empty() || stream.write_all(said.as_bytes()).await.is_err() {
                return told;
            }
        }
        let mut command = String::new();
        if stream.read_line(&mut command).await.unwrap_or(0) == 0 {
            return told;
        }
        let command = command.trim_end().to_owned();
        line = match command.split(' ').next().unwrap_or_default() {
            "EHLO" => answer("EHLO", "250-peer\r\n250 AUTH PLAIN"),
            "AUTH" => answer("AUTH", "235 welcome"),
            "DATA" if answer("DATA", "354 go on").starts_with('3') => {
                stream.write_all(b"354 go on\r\n").await.unwrap();
                let mut text = String::new();
                while !text.ends_with("\r\n.\r\n") {
                    if stream.read_line(&mut text).await.unwrap_or(0) == 0 {
                        return told;
                    }
                }
                told.push(text);
                answer("text", "250 taken")
            }
            verb => answer(verb, "250 fine"),
        }
        .to_owned();
        told.push(command);
    }
}

fn letter() -> Letter {
    Letter {
        id: MailId(Uuid::from_u128(7)),
        recipient: "ada@example.com".into(),
        subject: "Hello".into(),
        text: MailBody("one\n.\n..two\n".into()),
        html: None,
        created_at: Micros(0),
    }
}

async fn send(config: &SmtpConfig) -> Result<(), MailError> {
    let origin = Origin::read("Shop <shop@shop.example>").unwrap();
    SmtpMailer::new(config, origin).unwrap().send(&letter()).await
}

#[tokio::test]
async fn a_mail_is_handed_over_whole_and_a_dot_ends_nothing() {
    let (config, peer) = peer(&[]).await;
    send(&config).await.unwrap();
    let told = peer.await.unwrap();
    assert_eq!(
        told[..3],
        ["EHLO shop.example", "MAIL FROM:<shop@shop.example>", "RCPT TO:<ada@example.com>"]
    );
    let text = &told[3];
    assert!(text.contains("Message-ID: <00000000-0000-0000-0000-000000000007@shop.example>\r\n"));
    assert!(text.ends_with("\r\n\r\none\r\n..\r\n...two\r\n\r\n.\r\n"), "{text:?}");
}

#[tokio::test]
async fn what_a_server_says_decides_whether_another_try_may_do() {
    let never = |quirks: Quirks| (quirks, true);
    let later = |quirks: Quirks| (quirks, false);
    for (quirks, is_never) in [
        never(&[("RCPT", "550 no such user")]),
        never(&[("text", "554 we don't like it")]),
        later(&[("RCPT", "451 greylisted, come back")]),
        later(&[("text", "452 no room")]),
        // Taken or not: nobody knows.
        later(&[("text", "")]),
        later(&[("DATA", "")]),
        later(&[("connect", "")]),
        later(&[("connect", "554 go away")]),
        later(&[("EHLO", "502 what?")]),
        later(&[("MAIL", "550 you may not send as that")]),
        later(&[("RCPT", "nonsense")]),
    ] {
        let (config, peer) = peer(quirks).await;
        let error = send(&config).await.unwrap_err();
        let answer = quirks[0].1;
        assert_eq!(matches!(error, MailError::Never(_)), is_never, "{quirks:?}: {error}");
        let words = answer.split_once(' ').map_or("", |(_, words)| words);
        assert!(error.to_string().contains(words), "{quirks:?}: {error}");
        peer.await.unwrap();
    }
}

#[tokio::test]
async fn nobody_there_is_tried_again_and_a_login_is_not_the_mails_fault() {
    let (config, peer) = peer(&[("AUTH", "535 wrong password")]).await;
    let login = SmtpConfig { user: "shop".into(), password: Secret::new("pw"), ..config.clone() };
    assert!(
        matches!(send(&login).await, Err(MailError::Later(told)) if told.contains("wrong password"))
    );
    let told = peer.await.unwrap();
    assert_eq!(told[1], "AUTH PLAIN AHNob3AAcHc=");
    // The listener is gone with its only connection.
    assert!(matches!(send(&config).await, Err(MailError::Later(_))));
}

#[tokio::test]
async fn an_address_that_would_say_more_is_never_said() {
    let (config, _peer) = peer(&[]).await;
    let origin = Origin::read("shop@shop.example").unwrap();
    let mailer = SmtpMailer::new(&config, origin).unwrap();
    for bad in
        ["", "ada", "ada@example.com>\r\nRCPT TO:<eve@example.com", "ada@example.com\r\nDATA"]
    {
        let letter = Letter { recipient: bad.into(), ..letter() };
        assert!(matches!(mailer.send(&letter).await, Err(MailError::Never(_))), "{bad:?}");
    }
}

#[test]
fn a_configuration_that_would_not_work_is_refused_with_its_key() {
    let config = |host: &str, port, tls, user: &str, password: &str| SmtpConfig {
        host: host.into(),
        port,
        tls,
        user: user.into(),
        password: Secret::new(password),
        ca: PathBuf::new(),
    };
    for (config, key) in [
        (config("", 0, SmtpTls::None, "", ""), None),
        (config("mail.example.com", 25, SmtpTls::None, "", ""), None),
        (config("localhost", 25, SmtpTls::None, "u", "p"), None),
        (config("mail.example.com", 25, SmtpTls::None, "u", "p"), Some("tls")),
        (config("mail.example.com:25", 25, SmtpTls::None, "u", ""), Some("user")),
        (config("smtp://mail", 25, SmtpTls::None, "", ""), Some("host")),
        (config("mail", 0, SmtpTls::None, "", ""), Some("port")),
    ] {
        assert_eq!(config.validate().err().map(|(key, _)| key), key, "{config:?}");
    }
    let encrypted = config("mail.example.com", 587, SmtpTls::Starttls, "u", "p").validate();
    assert_eq!(encrypted.is_ok(), cfg!(feature = "production"), "{encrypted:?}");
}

/// Whoever stands between can't talk us out of encryption: nothing but greetings was said.
#[cfg(feature = "production")]
#[tokio::test]
async fn a_server_without_encryption_is_told_nothing() {
    let (config, peer) = peer(&[]).await;
    let config = SmtpConfig { tls: SmtpTls::Starttls, ..config };
    let error = send(&config).await.unwrap_err();
    assert!(matches!(&error, MailError::Later(told) if told.contains("STARTTLS")), "{error}");
    assert_eq!(peer.await.unwrap(), ["EHLO shop.example"]);
}
