//! The least HTTP/1.1 client that can still tell a right answer from a wrong one.
//!
//! It shares the machine with the server it measures, so each instruction of its own blurs the
//! figure: requests are finished bytes, of the head only status, length and `connection` are
//! read, and a body is counted and thrown away.

use bytes::Bytes;
use std::{io, net::SocketAddr};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A head must fit in here; a body is read through it.
const BUFFER: usize = 64 * 1024;

#[derive(Debug, thiserror::Error)]
pub(crate) enum WireError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("the connection ended before the answer did")]
    Ended,
    #[error("the answer is not HTTP/1.1")]
    NotHttp,
    #[error("the answer's head is longer than {BUFFER} bytes")]
    LongHead,
    #[error("the answer has no content-length")]
    NoLength,
    #[error("the answer goes on behind its content-length")]
    TooMuch,
}

/// What came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// Bytes of the body, all of which came.
    pub(crate) length: u64,
    /// The server closes the connection behind this answer.
    pub(crate) last: bool,
}

/// One connection, kept alive.
pub(crate) struct Wire {
    stream: TcpStream,
    buffer: Box<[u8]>,
}

/// Where a head ended in the buffer, and how much of it is filled.
struct Read {
    reply: Reply,
    head: usize,
    filled: usize,
}

impl Wire {
    pub(crate) async fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: vec![0; BUFFER].into() })
    }

    /// Sends a request and takes the whole answer. After an error the connection is of no use.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> Result<Reply, WireError> {
        let read = self.head(request).await?;
        let mut missing = missing(&read)?;
        while missing > 0 {
            let room = usize::try_from(missing).unwrap_or(BUFFER).min(BUFFER);
            match self.stream.read(&mut self.buffer[..room]).await? {
                0 => return Err(WireError::Ended),
                got => missing -= got as u64,
            }
        }
        Ok(read.reply)
    }

    /// The same, keeping what came: headers in order, and the body.
    pub(crate) async fn capture(&mut self, request: &[u8]) -> Result<Captured, WireError> {
        let read = self.head(request).await?;
        let missing = missing(&read)?;
        let head = String::from_utf8_lossy(&self.buffer[..read.head]);
        let headers = head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let mut body = self.buffer[read.head..read.filled].to_vec();
        let got = (&mut self.stream).take(missing).read_to_end(&mut body).await?;
        if (got as u64) < missing {
            return Err(WireError::Ended);
        }
        Ok(Captured { reply: read.reply, headers, body: body.into() })
    }

    async fn head(&mut self, request: &[u8]) -> Result<Read, WireError> {
        self.stream.write_all(request).await?;
        let mut filled = 0;
        loop {
            if filled == self.buffer.len() {
                return Err(WireError::LongHead);
            }
            let got = self.stream.read(&mut self.buffer[filled..]).await?;
            if got == 0 {
                return Err(WireError::Ended);
            }
            // The end may lie across two reads.
            let from = filled.saturating_sub(3);
            filled += got;
            let found = self.buffer[from..filled].windows(4).position(|four| four == b"\r\n\r\n");
            if let Some(at) = found {
                let head = from + at + 4;
                return Ok(Read { reply: reply(&self.buffer[..head])?, head, filled });
            }
        }
    }
}

/// An answer kept whole.
#[derive(Debug, Clone)]
pub(crate) struct Captured {
    pub(crate) reply: Reply,
    /// Names in small letters.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
}

/// Bytes of the body that haven't come yet.
fn missing(read: &Read) -> Result<u64, WireError> {
    let here = (read.filled - read.head) as u64;
    read.reply.length.checked_sub(here).ok_or(WireError::TooMuch)
}

fn reply(head: &[u8]) -> Result<Reply, WireError> {
    let digits = match head.strip_prefix(b"HTTP/1.1 ") {
        Some([a, b, c, ..]) if [a, b, c].iter().all(|d| d.is_ascii_digit()) => [a, b, c],
        _ => return Err(WireError::NotHttp),
    };
    let status = digits.iter().fold(0, |sum, digit| sum * 10 + u16::from(*digit - b'0'));
    let (mut length, mut last) = (None, false);
    for line in head.split(|byte| *byte == b'\n').skip(1) {
        // The length of a name rules most of them out without reading them.
        match line.iter().position(|byte| *byte == b':') {
            Some(14) if line[..14].eq_ignore_ascii_case(b"content-length") => {
                let digits = std::str::from_utf8(&line[15..]).unwrap_or_default();
                length = digits.trim().parse().ok();
            }
            Some(10) if line[..10].eq_ignore_ascii_case(b"connection") => {
                last = line[11..].trim_ascii().eq_ignore_ascii_case(b"close");
            }
            _ => {}
        }
    }
    let length = length.ok_or(WireError::NoLength)?;
    Ok(Reply { status, length, last })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_whatever_its_letters_and_order() {
        let head =
            b"HTTP/1.1 200 OK\r\ndate: now\r\nConnection: Close\r\nContent-Length:  12\r\n\r\n";
        assert_eq!(reply(head).unwrap(), Reply { status: 200, length: 12, last: true });
        let head = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n";
        assert_eq!(reply(head).unwrap(), Reply { status: 503, length: 0, last: false });
    }

    #[test]
    fn what_cannot_be_measured_is_refused_by_name() {
        let refused = |head: &[u8]| reply(head).unwrap_err();
        assert!(matches!(refused(b"SSH-2.0\r\n\r\n"), WireError::NotHttp));
        assert!(matches!(refused(b"HTTP/1.1 2\r\n\r\n"), WireError::NotHttp));
        let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        assert!(matches!(refused(chunked), WireError::NoLength));
        let wrong = b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n";
        assert!(matches!(refused(wrong), WireError::NoLength));
    }
}
