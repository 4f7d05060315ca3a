//! Webhooks signed as Standard Webhooks 1.0 has it: HMAC-SHA256 over `id.timestamp.body`.
//!
//! The body is signed as bytes: parse it after it was believed, never before.

use crate::{
    domain::time::Micros,
    ports::payments::{WEBHOOK_TOLERANCE_S, WebhookError},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderValue};
use sha2::Sha256;
use std::fmt;

const ID: &str = "webhook-id";
const TIMESTAMP: &str = "webhook-timestamp";
const SIGNATURE: &str = "webhook-signature";

/// A secret that both sides hold.
#[derive(Clone)]
pub struct WebhookKey(Hmac<Sha256>);

impl fmt::Debug for WebhookKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookKey(…)")
    }
}

impl WebhookKey {
    /// `whsec_` and the key in base64. `None`: it is no such text, or shorter than the 24 bytes
    /// that the standard wants.
    pub fn parse(secret: &str) -> Option<Self> {
        let key = STANDARD.decode(secret.strip_prefix("whsec_")?).ok()?;
        if key.len() < 24 {
            return None;
        }
        Hmac::new_from_slice(&key).ok().map(Self)
    }

    /// The text that [`WebhookKey::parse`] reads.
    pub fn write(key: &[u8; 32]) -> String {
        format!("whsec_{}", STANDARD.encode(key))
    }

    /// The headers of one delivery. `None`: the id can't stand in a header.
    pub fn sign(&self, id: &str, now: Micros, body: &[u8]) -> Option<HeaderMap> {
        Self::sign_with_all(std::slice::from_ref(self), id, now, body)
    }

    /// Signed with each of these, one at least, so that who knows any of them believes it while a
    /// key is being changed.
    pub fn sign_with_all(keys: &[Self], id: &str, now: Micros, body: &[u8]) -> Option<HeaderMap> {
        let timestamp = seconds(now).to_string();
        let of = |key: &Self| {
            let mac = key.mac(id, &timestamp, body).finalize().into_bytes();
            format!("v1,{}", STANDARD.encode(mac))
        };
        let signature = keys.iter().map(of).collect::<Vec<_>>().join(" ");
        let value = |text: &str| HeaderValue::from_str(text).ok().filter(|_| !text.is_empty());
        let mut headers = HeaderMap::new();
        headers.insert(ID, value(id)?);
        headers.insert(TIMESTAMP, value(&timestamp)?);
        headers.insert(SIGNATURE, value(&signature)?);
        Some(headers)
    }

    /// The delivery's id, if it was signed with this key, for this body, a short while ago.
    pub fn verify(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: Micros,
    ) -> Result<String, WebhookError> {
        let id = text(headers, ID)?;
        let timestamp = text(headers, TIMESTAMP)?;
        let signatures = text(headers, SIGNATURE)?;
        let at: i64 = timestamp.parse().map_err(|_| WebhookError::Header(TIMESTAMP))?;
        let mac = self.mac(id, timestamp, body);
        // Several while a key is being changed; other versions are not ours to judge.
        let fits = signatures
            .split(' ')
            .filter_map(|signature| STANDARD.decode(signature.strip_prefix("v1,")?).ok())
            // Compares in constant time.
            .any(|signature| mac.clone().verify_slice(&signature).is_ok());
        if !fits {
            return Err(WebhookError::Signature);
        }
        if seconds(now).abs_diff(at) > WEBHOOK_TOLERANCE_S.unsigned_abs() {
            return Err(WebhookError::Time);
        }
        Ok(id.to_owned())
    }

    fn mac(&self, id: &str, timestamp: &str, body: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
            mac.update(part);
        }
        mac
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &'static str) -> Result<&'h str, WebhookError> {
    let missing = || WebhookError::Header(name);
    headers.get(name).and_then(|value| value.to_str().ok()).ok_or_else(missing)
}

fn seconds(at: Micros) -> i64 {
    at.0.div_euclid(1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The standard's own example (its specification, "Signature scheme", and its libraries'
    /// tests).
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const MSG: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const AT: Micros = Micros(1_614_265_330_000_000);
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNED: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn key() -> WebhookKey {
        WebhookKey::parse(SECRET).unwrap()
    }

    fn signed() -> HeaderMap {
        key().sign(MSG, AT, BODY).unwrap()
    }

    fn later(seconds: i64) -> Micros {
        Micros(AT.0 + seconds * 1_000_000)
    }

    #[test]
    fn it_signs_as_the_standards_example_does() {
        assert_eq!(signed()["webhook-signature"], SIGNED);
        assert_eq!(signed()["webhook-timestamp"], "1614265330");
        assert_eq!(key().verify(&signed(), BODY, AT).as_deref(), Ok(MSG));
    }

    #[test]
    fn any_of_several_signatures_will_do() {
        let mut headers = signed();
        let all = format!("v1a,bm90aGluZw== v1,bm90aGluZw== {SIGNED}");
        headers.insert("webhook-signature", all.parse().unwrap());
        assert!(key().verify(&headers, BODY, AT).is_ok());
    }

    #[test]
    fn while_a_key_is_changed_who_knows_either_believes_it() {
        let new = WebhookKey::parse(&WebhookKey::write(&[7; 32])).unwrap();
        let signed = WebhookKey::sign_with_all(&[new.clone(), key()], MSG, AT, BODY).unwrap();
        for knows in [&new, &key()] {
            assert_eq!(knows.verify(&signed, BODY, AT).as_deref(), Ok(MSG));
        }
        assert!(signed["webhook-signature"].to_str().unwrap().ends_with(SIGNED));
        let stranger = WebhookKey::parse(&WebhookKey::write(&[8; 32])).unwrap();
        assert_eq!(stranger.verify(&signed, BODY, AT), Err(WebhookError::Signature));
        assert_eq!(WebhookKey::sign_with_all(&[], MSG, AT, BODY), None, "signed by nobody");
    }

    #[test]
    fn another_body_id_time_or_key_is_not_believed() {
        let fails = |headers: &HeaderMap, body| key().verify(headers, body, AT).unwrap_err();
        assert_eq!(fails(&signed(), br#"{"test":2432232314}"#), WebhookError::Signature);
        assert_eq!(fails(&signed(), b""), WebhookError::Signature);
        for (header, other) in [
            ("webhook-id", "msg_x"),
            ("webhook-timestamp", "1614265331"),
            ("webhook-signature", "v1,"),
            ("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1O="),
            ("webhook-signature", "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
            ("webhook-signature", "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
        ] {
            let mut headers = signed();
            headers.insert(header, other.parse().unwrap());
            assert_eq!(fails(&headers, BODY), WebhookError::Signature, "{header}: {other}");
        }
        let other = WebhookKey::parse(&WebhookKey::write(&[7; 32])).unwrap();
        assert_eq!(other.verify(&signed(), BODY, AT), Err(WebhookError::Signature));
    }

    #[test]
    fn a_header_that_is_missing_or_wrong_is_named() {
        for header in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
            let mut headers = signed();
            headers.remove(header);
            assert_eq!(key().verify(&headers, BODY, AT), Err(WebhookError::Header(header)));
        }
        let mut headers = signed();
        headers.insert("webhook-timestamp", "yesterday".parse().unwrap());
        let told = key().verify(&headers, BODY, AT);
        assert_eq!(told, Err(WebhookError::Header("webhook-timestamp")));
    }

    #[test]
    fn an_old_one_or_one_from_the_future_is_not_believed() {
        let at = |now| key().verify(&signed(), BODY, now).map(drop);
        for seconds in [0, WEBHOOK_TOLERANCE_S, -WEBHOOK_TOLERANCE_S] {
            assert_eq!(at(later(seconds)), Ok(()), "{seconds} s");
        }
        for seconds in [WEBHOOK_TOLERANCE_S + 1, -WEBHOOK_TOLERANCE_S - 1, -4_000_000_000] {
            assert_eq!(at(later(seconds)), Err(WebhookError::Time), "{seconds} s");
        }
    }

    #[test]
    fn a_secret_that_is_none_is_refused_and_a_good_one_is_not_shown() {
        for text in ["", "whsec_", "whsec_c2hvcnQ=", "whsec_!", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]
        {
            assert!(WebhookKey::parse(text).is_none(), "{text}");
        }
        assert_eq!(format!("{:?}", key()), "WebhookKey(…)");
    }
}
