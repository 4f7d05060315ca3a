//! Mail to a server that misbehaves: nothing is lost, nothing is sent for ever, and an operator sees
//! what is the matter.

use crate::{
    carts::{PRODUCTS, Person, import},
    checkout::{GOOD, place, review},
    on_every_stack,
    support::{
        server::{Server, until},
        stack::Stack,
    },
};
use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
};

/// What a connection comes to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Whim {
    Take,
    /// Says this to the recipient.
    Recipient(&'static str),
    /// Reads the whole mail and hangs up without a word.
    DropBehindTheText,
}

/// A server of mail; each connection has the next whim, and the last one stays.
pub(crate) struct Peer {
    port: u16,
    /// Whole texts, taken or not, in the order they came.
    seen: Arc<Mutex<Vec<String>>>,
}

impl Peer {
    pub(crate) fn start(whims: &'static [Whim]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&seen);
        std::thread::spawn(move || {
            for (n, stream) in listener.incoming().enumerate() {
                let whim = whims[n.min(whims.len() - 1)];
                // Whoever hangs up early has said what they wanted.
                drop(serve(stream.unwrap(), whim, &into));
            }
        });
        Self { port, seen }
    }

    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

fn serve(stream: TcpStream, whim: Whim, seen: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    stream.write_all(b"220 peer\r\n")?;
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let verb: String = line.chars().take(4).collect();
        let answer = match (verb.as_str(), whim) {
            ("RCPT", Whim::Recipient(answer)) => answer,
            ("DATA", _) => {
                stream.write_all(b"354 go on\r\n")?;
                let mut text = String::new();
                while !text.ends_with("\r\n.\r\n") {
                    if lines.read_line(&mut text)? == 0 {
                        return Ok(());
                    }
                }
                seen.lock().unwrap().push(text);
                match whim {
                    Whim::DropBehindTheText => return Ok(()),
                    _ => "250 taken",
                }
            }
            _ => "250 fine",
        };
        stream.write_all(format!("{answer}\r\n").as_bytes())?;
    }
}

pub(crate) fn open(stack: &Stack, peer: &Peer) -> Server {
    let config = stack.path("stoa.toml");
    let text = format!(
        "[payments]\ntest_cards = true\n[mail]\nfrom = \"Shop <shop@shop.example>\"\n\
         [mail.smtp]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\n",
        peer.port
    );
    std::fs::write(&config, text).unwrap();
    let server = stack.serve(&["--config", config.to_str().unwrap()]);
    import(stack, PRODUCTS);
    until("the products to be read", || {
        (server.get("/api/v1/products/E-6").status == 200).then_some(())
    });
    server
}

pub(crate) fn buy(server: &Server) {
    let person = Person::come(server);
    person.send("/cart/add", &[("sku", "A-1"), ("quantity", "1")]);
    let placed = place(&person, &review(&person, GOOD));
    assert_eq!(placed.status, 303, "{}", placed.text());
}

fn list(stack: &Stack, state: &str) -> Value {
    let text = stack.succeed(&["mail", "list", "--state", state, "--json"]);
    crate::support::server::last_json(&text)
}

/// The only mail in this state, once its last try ended so.
fn one(stack: &Stack, state: &str, failure: &str) -> String {
    until(failure, || {
        let list = list(stack, state);
        let mail = &list["items"][0];
        let told = mail["failure"].as_str().unwrap_or_default();
        told.contains(failure).then(|| mail["id"].as_str().unwrap().to_owned())
    })
}

#[test]
fn a_server_that_misbehaves_loses_no_mail_and_an_operator_sees_why() {
    const WHIMS: &[Whim] = &[
        Whim::Recipient("451 greylisted, come back"),
        Whim::DropBehindTheText,
        Whim::Recipient("550 no such user here"),
        Whim::Take,
    ];
    on_every_stack("smtp", |stack| {
        let peer = Peer::start(WHIMS);
        let server = open(stack, &peer);
        buy(&server);
        let id = one(stack, "waiting", "greylisted");
        let shown = stack.succeed(&["mail", "list", "--state", "waiting"]);
        assert!(shown.contains("ada@example.com") && shown.contains("order_placed"), "{shown}");
        assert!(peer.seen().is_empty());
        stack.succeed(&["mail", "retry", &id]);
        // Taken or not, nobody knows: it is not called sent.
        until("the text", || (peer.seen().len() == 1).then_some(()));
        until("the second failure", || {
            let mail = list(stack, "waiting")["items"][0].clone();
            let told = mail["failure"].as_str().unwrap_or_default();
            (mail["attempts"] == 2 && !told.contains("greylisted")).then_some(())
        });
        stack.succeed(&["mail", "retry", &id]);
        assert_eq!(one(stack, "failed", "no such user here"), id);
        assert_eq!(list(stack, "failed")["failed"], 1);
        let doctor = stack.succeed(&["doctor"]);
        assert!(doctor.contains("0 waiting, 1 given up"), "{doctor}");
        stack.succeed(&["mail", "retry", &id]);
        until("it to be sent", || {
            (list(stack, "sent")["items"][0]["id"] == id.as_str()).then_some(())
        });
        let seen = peer.seen();
        assert_eq!(seen.len(), 2);
        assert_eq!(seen[0], seen[1], "a repeat is the same mail");
        assert!(seen[0].contains(&format!("Message-ID: <{id}@shop.example>\r\n")), "{}", seen[0]);
        // What was sent is not sent again.
        let again = crate::support::server::run(&server.data, &stack.with(&["mail", "retry", &id]));
        assert_eq!(again.status.code(), Some(1));
        server.audited(&[("mail.retry", 1)]);
    });
}
