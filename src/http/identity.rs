//! The name of each request: the client's own when it is fit to be logged, else one of ours.

use crate::ports::clock::{Clock, Ids};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::sync::atomic::{AtomicU64, Ordering};
use uuid::Uuid;

pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// Makes the ids of one connection's requests.
///
/// Each is a UUIDv7 of its own millisecond. The chance part is drawn once per connection and
/// counted on, as drawing it anew takes a system call: on a hot page that is felt.
pub(crate) struct RequestIds {
    /// The low 62 bits; the variant is put in front.
    next: AtomicU64,
    /// Twelve bits beside the time.
    salt: u64,
}

impl RequestIds {
    pub(crate) fn new(ids: &dyn Ids) -> Self {
        let (high, low) = ids.next().as_u64_pair();
        Self { next: AtomicU64::new(low), salt: high & 0x0fff }
    }

    /// What this request is called.
    pub(crate) fn of(&self, headers: &HeaderMap, clock: &dyn Clock) -> HeaderValue {
        match headers.get(&HEADER) {
            Some(given) if is_fit(given) => given.clone(),
            _ => self.make(clock),
        }
    }

    fn make(&self, clock: &dyn Clock) -> HeaderValue {
        let millis = clock.now().0.max(0) as u64 / 1_000;
        let high = (millis << 16) | 0x7000 | self.salt;
        let low = self.next.fetch_add(1, Ordering::Relaxed);
        let low = (low & 0x3fff_ffff_ffff_ffff) | 0x8000_0000_0000_0000;
        let mut text = [0; 36];
        Uuid::from_u64_pair(high, low).hyphenated().encode_lower(&mut text);
        HeaderValue::from_bytes(&text).unwrap_or(HeaderValue::from_static("-"))
    }
}

/// Short and plain, so that it can stand in a log line and a page as it is.
fn is_fit(given: &HeaderValue) -> bool {
    let bytes = given.as_bytes();
    (8..=64).contains(&bytes.len())
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Micros;

    struct At(i64);
    impl Clock for At {
        fn now(&self) -> Micros {
            Micros(self.0)
        }
    }
    struct Fixed;
    impl Ids for Fixed {
        fn next(&self) -> Uuid {
            Uuid::from_u128(u128::MAX)
        }
    }

    #[test]
    fn ours_are_uuids_of_their_time_and_differ() {
        let ids = RequestIds::new(&Fixed);
        let clock = At(1_700_000_000_123_456);
        let made: Vec<Uuid> = (0..3)
            .map(|_| ids.of(&HeaderMap::new(), &clock).to_str().unwrap().parse().unwrap())
            .collect();
        assert_ne!(made[0], made[1]);
        for id in made {
            assert_eq!(id.get_version_num(), 7);
            assert_eq!(id.get_variant(), uuid::Variant::RFC4122);
            assert_eq!(id.as_u64_pair().0 >> 16, 1_700_000_000_123);
        }
    }

    #[test]
    fn the_clients_name_is_kept_when_it_is_fit_for_a_log_line() {
        let ids = RequestIds::new(&Fixed);
        let named = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(HEADER, HeaderValue::from_static(text));
            ids.of(&headers, &At(0)) == text
        };
        assert!(named("checkout-7f3a.2"));
        for text in ["short", "has space in it", "<script>alert(1)</script>", ""] {
            assert!(!named(text), "{text}");
        }
    }
}
