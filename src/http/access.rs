//! Who may do what, until there are accounts.
//!
//! Everybody may browse. Everything else needs the server's own socket, which only its user can
//! open (`run/stoa.sock`, 0600), or the administrator's token as bearer. Each resource says which
//! of the two it is, in its own table, for each method; nothing is open by leaving it out.

use crate::http::error::{Code, Problem};
use http::{HeaderMap, HeaderValue, header};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Whom a method of a resource is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Anyone,
    Admin,
}

/// The administrator's token, kept as its hash, so that a dump of memory doesn't hand it out.
#[derive(Clone)]
pub(crate) struct AdminToken {
    hash: [u8; 32],
}

impl AdminToken {
    pub(crate) fn new(token: &str) -> Self {
        Self { hash: Sha256::digest(token.trim().as_bytes()).into() }
    }

    fn admits(&self, given: &[u8]) -> bool {
        let given: [u8; 32] = Sha256::digest(given).into();
        self.hash.ct_eq(&given).into()
    }
}

/// Who asks, and under which name the request goes.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) request_id: HeaderValue,
    /// Over the server's own socket.
    pub(crate) local: bool,
}

impl Access {
    pub(crate) fn check(
        self,
        caller: &Caller,
        headers: &HeaderMap,
        token: Option<&AdminToken>,
    ) -> Result<(), Problem> {
        if self == Self::Anyone || caller.local {
            return Ok(());
        }
        let given = headers.get(header::AUTHORIZATION).and_then(|value| bearer(value.as_bytes()));
        match (given, token) {
            (Some(given), Some(token)) if token.admits(given) => Ok(()),
            (None, _) => Err(Problem::new(
                Code::Unauthorized,
                "this needs the administrator's token as Authorization: Bearer",
            )),
            _ => Err(Problem::new(
                Code::Unauthorized,
                "the token is not this server's administrator's token",
            )),
        }
    }
}

fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(access: Access, local: bool, given: Option<&'static str>) -> bool {
        let caller = Caller { request_id: HeaderValue::from_static("r"), local };
        let mut headers = HeaderMap::new();
        if let Some(given) = given {
            headers.insert(header::AUTHORIZATION, HeaderValue::from_static(given));
        }
        access.check(&caller, &headers, Some(&AdminToken::new("secret\n"))).is_ok()
    }

    #[test]
    fn an_administrator_is_known_by_socket_or_token_alone() {
        assert!(check(Access::Anyone, false, None));
        assert!(check(Access::Admin, true, None));
        assert!(check(Access::Admin, false, Some("Bearer secret")));
        assert!(check(Access::Admin, false, Some("bearer secret")));
        for given in ["Bearer", "Bearer ", "Bearer secre", "Bearer secret2", "Basic secret", ""] {
            assert!(!check(Access::Admin, false, Some(given)), "{given}");
        }
        assert!(!check(Access::Admin, false, None));
    }

    #[test]
    fn without_a_token_only_the_socket_admits() {
        let caller = Caller { request_id: HeaderValue::from_static("r"), local: false };
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, HeaderValue::from_static("Bearer "));
        assert!(Access::Admin.check(&caller, &headers, None).is_err());
    }
}
