//! Somebody else's endpoint, which answers as it is told to and believes a signature by a reckoning
//! of its own.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
};

/// One request, as it came.
#[derive(Debug, Clone)]
pub(super) struct Heard {
    head: String,
    pub(super) body: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Says {
    Status(u16),
    /// Not a word, and the connection stays until the other side is gone.
    Nothing,
}

struct State {
    says: Says,
    heard: Vec<Heard>,
}

pub(super) struct Receiver {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Receiver {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State { says: Says::Status(200), heard: Vec::new() }));
        let into = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, into) = (stream.unwrap(), Arc::clone(&into));
                // Whoever hangs up early has heard enough.
                std::thread::spawn(move || drop(serve(stream, &into)));
            }
        });
        Self { address, state }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/in?shop=1", self.address)
    }

    /// To whatever comes from now on.
    pub(super) fn say(&self, says: Says) {
        self.state.lock().unwrap().says = says;
    }

    pub(super) fn heard(&self) -> Vec<Heard> {
        self.state.lock().unwrap().heard.clone()
    }
}

fn serve(mut stream: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    let heard = loop {
        let mut more = [0; 4096];
        let count = stream.read(&mut more)?;
        if count == 0 {
            return Ok(());
        }
        bytes.extend_from_slice(&more[..count]);
        if let Some(heard) = Heard::whole(&bytes) {
            break heard;
        }
    };
    let says = {
        let mut state = state.lock().unwrap();
        state.heard.push(heard);
        state.says
    };
    match says {
        Says::Status(status) => {
            let answer = format!("HTTP/1.1 {status} So\r\ncontent-length: 5\r\n\r\nwords");
            stream.write_all(answer.as_bytes())
        }
        Says::Nothing => stream.read(&mut [0; 1]).map(drop),
    }
}

impl Heard {
    fn whole(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let heard = Self { head, body: bytes[end + 4..].to_vec() };
        let length: usize = heard.header("content-length")?.parse().ok()?;
        (heard.body.len() == length).then_some(heard)
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub(super) fn id(&self) -> &str {
        self.header("webhook-id").unwrap()
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// By the standard's text alone: any of the signatures is the one of this secret.
    pub(super) fn is_signed_with(&self, secret: &str) -> bool {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let (id, at) = (self.id(), self.header("webhook-timestamp").unwrap());
        let signed = [id.as_bytes(), b".", at.as_bytes(), b".", &self.body].concat();
        let wanted = format!("v1,{}", STANDARD.encode(hmac_sha256(&key, &signed)));
        self.header("webhook-signature").unwrap().split(' ').any(|one| one == wanted)
    }
}

/// RFC 2104, of a key that is no longer than a block.
fn hmac_sha256(key: &[u8], text: &[u8]) -> Vec<u8> {
    assert!(key.len() <= 64);
    let pad = |with: u8| {
        let mut block = [with; 64];
        block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
        block.to_vec()
    };
    let inner = Sha256::digest([&pad(0x36)[..], text].concat());
    Sha256::digest([&pad(0x5c)[..], &inner[..]].concat()).to_vec()
}
