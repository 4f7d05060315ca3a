//! `Retry-After` (RFC 9110, 10.2.3): seconds, or a date.

use crate::domain::time::Micros;
use http::{HeaderMap, header};
use jiff::fmt::rfc2822::DateTimeParser;
use std::time::Duration;

/// How long is to be waited from `now` on. What can't be read was not said.
pub(super) fn read(headers: &HeaderMap, now: Micros) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More than fits is long enough.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::from(u32::MAX))));
    }
    let at = DateTimeParser::new().parse_timestamp(text).ok()?.as_microsecond();
    u64::try_from(at.saturating_sub(now.0)).ok().map(Duration::from_micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_seconds_or_a_date_and_nothing_else() {
        // Of the standard's example, a minute before.
        let now = Micros(941_849_997_000_000);
        for (text, waits) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("99999999999999999999999999", Some(u64::from(u32::MAX))),
            ("Sat, 06 Nov 1999 01:00:57 GMT", Some(60)),
            ("Sat, 06 Nov 1999 00:00:00 GMT", None),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::RETRY_AFTER, text.parse().unwrap());
            assert_eq!(read(&headers, now).map(|wait| wait.as_secs()), waits, "{text}");
        }
        assert_eq!(read(&HeaderMap::new(), now), None);
    }
}
