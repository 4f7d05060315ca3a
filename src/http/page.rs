//! An answer as finished bytes, in each form a client may want it.
//!
//! Made once, sent often: headers stand ready, gzip is made on first demand and kept. Every form
//! has a strong ETag of its own.

use crate::http::identity;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use std::{io::Write, sync::OnceLock};

/// Below this gzip gains nothing that a packet would notice.
const LEAST_GZIP: usize = 860;

/// How long others than us may keep it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// Ask us each time whether it still stands: a change is seen at once, a hit costs a 304.
    Revalidate,
    /// Its address changes with its content.
    Forever,
    /// An hour: what an operator may replace by hand.
    Hour,
    /// A day: drawings that only a release changes.
    Day,
}

impl Keep {
    fn value(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Revalidate => "public, no-cache",
            Self::Forever => "public, max-age=31536000, immutable",
            Self::Hour => "public, max-age=3600",
            Self::Day => "public, max-age=86400",
        })
    }
}

/// Finished bytes and their headers.
#[derive(Debug)]
pub(crate) struct Page {
    plain: Form,
    /// `None` inside: not worth it.
    packed: OnceLock<Option<Form>>,
    packable: bool,
}

#[derive(Debug)]
struct Form {
    bytes: Bytes,
    etag: HeaderValue,
    headers: HeaderMap,
}

impl Page {
    /// `extra` are headers beside type, tag and caching; security headers of pages come that way.
    pub(crate) fn new(
        content_type: &'static str,
        bytes: Bytes,
        keep: Keep,
        extra: &HeaderMap,
    ) -> Self {
        let hash = URL_SAFE_NO_PAD.encode(fingerprint(&bytes));
        let etag = tag(&hash, "");
        let packable = bytes.len() >= LEAST_GZIP && is_text(content_type);
        let mut headers = extra.clone();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        headers.insert(header::CACHE_CONTROL, keep.value());
        headers.insert(header::ETAG, etag.clone());
        // A place for the name that every answer gets: with it a copy needn't grow.
        headers.insert(identity::HEADER, HeaderValue::from_static("-"));
        if packable {
            headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        }
        let plain = Form { bytes, etag, headers };
        Self { plain, packed: OnceLock::new(), packable }
    }

    #[cfg(test)]
    pub(crate) fn bytes(&self) -> &Bytes {
        &self.plain.bytes
    }

    /// Bytes it may come to hold in memory, gzip included.
    pub(crate) fn weight(&self) -> usize {
        let packed = if self.packable { self.plain.bytes.len() / 3 } else { 0 };
        self.plain.bytes.len() + packed + 2_048
    }

    /// The answer to this request: the page, packed or not, or 304.
    pub(crate) fn answer<B: From<Bytes> + Default>(
        &self,
        method: &Method,
        asked: &HeaderMap,
    ) -> Response<B> {
        debug_assert!(method == Method::GET || method == Method::HEAD);
        let form = self.form(asked);
        if let Some(known) = asked.get(header::IF_NONE_MATCH)
            && names(known.as_bytes(), form.etag.as_bytes())
        {
            return form.unchanged();
        }
        // For HEAD hyper sends the headers alone, with the length the body would have.
        let mut response = Response::new(B::from(form.bytes.clone()));
        *response.headers_mut() = form.headers.clone();
        response
    }

    fn form(&self, asked: &HeaderMap) -> &Form {
        if !self.packable || !asked.get(header::ACCEPT_ENCODING).is_some_and(takes_gzip) {
            return &self.plain;
        }
        self.packed.get_or_init(|| self.plain.pack()).as_ref().unwrap_or(&self.plain)
    }
}

impl Form {
    fn pack(&self) -> Option<Self> {
        let mut encoder =
            GzEncoder::new(Vec::with_capacity(self.bytes.len() / 3), Compression::new(6));
        encoder.write_all(&self.bytes).ok()?;
        let packed = encoder.finish().ok()?;
        if packed.len() >= self.bytes.len() {
            return None;
        }
        let hash = std::str::from_utf8(self.etag.as_bytes()).ok()?.trim_matches('"');
        let etag = tag(hash, "-gz");
        let mut headers = self.headers.clone();
        headers.insert(header::ETAG, etag.clone());
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        Some(Self { bytes: packed.into(), etag, headers })
    }

    fn unchanged<B: Default>(&self) -> Response<B> {
        let mut response = Response::new(B::default());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        for name in [header::ETAG, header::CACHE_CONTROL, header::VARY] {
            if let Some(value) = self.headers.get(&name) {
                response.headers_mut().insert(name, value.clone());
            }
        }
        response
    }
}

/// Tells two contents of one address apart: 128 bits, the same on every node.
///
/// By multiplying and folding words (as wyhash does) instead of a cryptographic hash, which took a
/// tenth of what a page that isn't in the cache costs. Nobody gains by two versions of a page that
/// look alike: whoever could write both could as well write neither.
fn fingerprint(bytes: &[u8]) -> [u8; 16] {
    const ODD: [u64; 2] = [0xa076_1d64_78bd_642f, 0xe703_7ed1_a0b4_28db];
    let fold = |a: u64, b: u64| {
        let product = u128::from(a) * u128::from(b);
        product as u64 ^ (product >> 64) as u64
    };
    let length = bytes.len() as u64;
    let mut lanes = [length ^ ODD[1], !length ^ ODD[0], length ^ ODD[0], !length ^ ODD[1]];
    // Four lanes that don't wait for each other, each pair of which takes in every other 16 bytes.
    let mut take = |piece: &[u8; 32]| {
        let words = piece.as_chunks::<8>().0;
        let [a, b, c, d] = [0, 1, 2, 3].map(|word| u64::from_le_bytes(words[word]));
        lanes = [
            fold(a ^ ODD[0], b ^ lanes[0]),
            fold(b ^ ODD[1], a ^ lanes[1]),
            fold(c ^ ODD[0], d ^ lanes[2]),
            fold(d ^ ODD[1], c ^ lanes[3]),
        ];
    };
    let (pieces, rest) = bytes.as_chunks::<32>();
    pieces.iter().for_each(&mut take);
    if !rest.is_empty() {
        let mut last = [0; 32];
        last[..rest.len()].copy_from_slice(rest);
        take(&last);
    }
    let lanes = [fold(lanes[0] ^ ODD[0], lanes[2] ^ ODD[1]), fold(lanes[1] ^ ODD[1], lanes[3])];
    let mixed = fold(lanes[0] ^ ODD[1], lanes[1] ^ ODD[0]);
    let mut print = [0; 16];
    print[..8].copy_from_slice(&(lanes[0] ^ mixed).to_le_bytes());
    print[8..].copy_from_slice(&(lanes[1].rotate_left(32) ^ mixed).to_le_bytes());
    print
}

fn tag(hash: &str, form: &str) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{hash}{form}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

fn is_text(content_type: &str) -> bool {
    ["text/", "application/json", "application/xml", "image/svg", "application/problem"]
        .iter()
        .any(|kind| content_type.starts_with(kind))
}

/// Whether `If-None-Match` names this tag. Compared weakly, as RFC 9110 §13.1.2 wants it.
fn names(known: &[u8], etag: &[u8]) -> bool {
    known
        .split(|b| *b == b',')
        .map(<[u8]>::trim_ascii)
        .any(|one| one == b"*" || one.strip_prefix(b"W/").unwrap_or(one) == etag)
}

/// Whether `Accept-Encoding` takes gzip (RFC 9110 §12.5.3).
fn takes_gzip(value: &HeaderValue) -> bool {
    let mut any = false;
    for coding in value.as_bytes().split(|b| *b == b',') {
        let mut parts = coding.split(|b| *b == b';').map(<[u8]>::trim_ascii);
        let name = parts.next().unwrap_or_default();
        let refused = parts.any(|part| {
            let weight = part.strip_prefix(b"q=").or_else(|| part.strip_prefix(b"Q="));
            weight.is_some_and(|w| w.iter().all(|b| *b == b'0' || *b == b'.'))
        });
        if name.eq_ignore_ascii_case(b"gzip") || name.eq_ignore_ascii_case(b"x-gzip") {
            return !refused;
        }
        any |= name == b"*" && !refused;
    }
    any
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn page(bytes: &str) -> Page {
        let bytes = Bytes::from(bytes.to_owned());
        Page::new("text/html; charset=utf-8", bytes, Keep::Revalidate, &HeaderMap::new())
    }

    fn ask(page: &Page, headers: &[(header::HeaderName, &str)]) -> Response<Bytes> {
        let mut asked = HeaderMap::new();
        for (name, value) in headers {
            asked.append(name, value.parse().unwrap());
        }
        page.answer(&Method::GET, &asked)
    }

    #[test]
    fn a_changed_byte_anywhere_changes_the_tag() {
        let mut text = b"a page of the shop, long enough for some words and a rest".to_vec();
        let mut seen = std::collections::HashSet::from([fingerprint(&text)]);
        for i in 0..text.len() {
            for bit in 0..8 {
                text[i] ^= 1 << bit;
                assert!(seen.insert(fingerprint(&text)), "byte {i}, bit {bit}");
                text[i] ^= 1 << bit;
            }
        }
        for zeros in 0..64 {
            assert!(seen.insert(fingerprint(&vec![0; zeros])), "{zeros} zeros");
        }
        // A release that computes it otherwise makes every client load every page once more.
        assert_eq!(URL_SAFE_NO_PAD.encode(fingerprint(b"stoa")), "Gy7vx-Z7CRLEGrKBpoNK0A");
    }

    #[test]
    fn each_form_has_its_own_strong_tag_and_the_same_content() {
        let page = page(&"shop ".repeat(1_000));
        let plain = ask(&page, &[]);
        let packed = ask(&page, &[(header::ACCEPT_ENCODING, "br, gzip")]);
        assert_eq!(packed.headers()[header::CONTENT_ENCODING], "gzip");
        assert_ne!(plain.headers()[header::ETAG], packed.headers()[header::ETAG]);
        for response in [&plain, &packed] {
            assert_eq!(response.headers()[header::VARY], "accept-encoding");
            assert!(response.headers()[header::ETAG].as_bytes().starts_with(b"\""));
        }
        let mut unpacked = Vec::new();
        flate2::read::GzDecoder::new(&packed.body()[..]).read_to_end(&mut unpacked).unwrap();
        assert_eq!(Bytes::from(unpacked), *plain.body());
    }

    #[test]
    fn a_client_that_has_it_is_told_so() {
        let page = page(&"shop ".repeat(1_000));
        let tag = ask(&page, &[]).headers()[header::ETAG].to_str().unwrap().to_owned();
        for known in [tag.clone(), format!("\"x\", W/{tag}"), "*".into()] {
            let response = ask(&page, &[(header::IF_NONE_MATCH, &known)]);
            assert_eq!(response.status(), StatusCode::NOT_MODIFIED, "{known}");
            assert!(response.body().is_empty());
            assert_eq!(response.headers()[header::ETAG], *tag);
        }
        assert_eq!(ask(&page, &[(header::IF_NONE_MATCH, "\"x\"")]).status(), StatusCode::OK);
        // The packed form is another one: its tag doesn't answer for the plain form.
        let both = [(header::IF_NONE_MATCH, &*tag), (header::ACCEPT_ENCODING, "gzip")];
        assert_eq!(ask(&page, &both).status(), StatusCode::OK);
    }

    #[test]
    fn gzip_is_sent_only_to_who_takes_it() {
        let takes = |text| takes_gzip(&HeaderValue::from_static(text));
        assert!(takes("gzip") && takes("deflate, GZIP;q=0.5") && takes("*"));
        assert!(!takes("gzip;q=0") && !takes("br") && !takes("*;q=0.0") && !takes("gzip;q=0, *"));
        assert!(
            ask(&page("short"), &[(header::ACCEPT_ENCODING, "gzip")])
                .headers()
                .get(header::CONTENT_ENCODING)
                .is_none()
        );
    }
}
