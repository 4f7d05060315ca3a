//! Whom an operation is for.
//!
//! Each resource says it in its own table, for each method; nothing is open by leaving it out. What
//! a role grants stands in `domain::policy`. An operator is whoever holds the server's own socket,
//! which only its user can open (`run/stoa.sock`, 0600), or the administrator's token as bearer.

use crate::{
    domain::{
        policy::{GUEST, Permission, Right},
        secret::Secret,
        session::{Session, Who},
    },
    http::error::{Code, Problem},
};
use http::{HeaderMap, HeaderValue, header};
use sha2::{Digest, Sha256};
use std::net::IpAddr;
use subtle::ConstantTimeEq;

/// Whom a method of a resource is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Everybody alike: the answer is the same whoever asks, and isn't told who does; but for pages
    /// of the shop, which who is signed in gets with their own prices.
    Anyone,
    /// Everybody, each with what is theirs: with the session they have, or none.
    Shopper(Right),
    /// Who has logged in, a buyer or one of the staff, about themselves.
    User(Right),
    /// A buyer, for their customer.
    Buyer(Right),
    /// The shop's own people who have this permission, and operators.
    Staff(Permission),
    /// Operators alone.
    Admin,
    /// Whoever signed the body with a key that is agreed on; the handler checks it first of all.
    Signed,
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
    /// Who is at the other end of the connection; `None`: over the server's own socket.
    pub(crate) peer: Option<IpAddr>,
}

impl Caller {
    /// Over the server's own socket.
    pub(crate) fn is_local(&self) -> bool {
        self.peer.is_none()
    }
}

/// Whether the server's own user asks, or who has the administrator's token.
pub(crate) fn is_operator(
    caller: &Caller,
    headers: &HeaderMap,
    token: Option<&AdminToken>,
) -> bool {
    caller.is_local() || has_admin_token(headers, token)
}

pub(crate) fn has_admin_token(headers: &HeaderMap, token: Option<&AdminToken>) -> bool {
    let given = bearer_bytes(headers);
    matches!((given, token), (Some(given), Some(token)) if token.admits(given))
}

impl Access {
    /// Whether somebody with this session, or an operator, may.
    pub(crate) fn admits(self, session: Option<&Session>, operator: bool) -> Result<(), Problem> {
        let user = session.filter(|session| session.user().is_some());
        match (self, session) {
            (Self::Anyone | Self::Signed, _) => Ok(()),
            (Self::Admin, _) if operator => Ok(()),
            (Self::Admin, _) => Err(Problem::new(
                Code::Unauthorized,
                "this needs the administrator's token as Authorization: Bearer",
            )),
            (Self::Shopper(right), None) if GUEST.contains(&right) => Ok(()),
            (Self::Shopper(right), Some(session)) if session.rights().has(right) => Ok(()),
            (Self::User(right) | Self::Buyer(right), _)
                if user.is_some_and(|user| self.is_for(user) && user.rights().has(right)) =>
            {
                Ok(())
            }
            // Staff that came by a session is held to it, also over the own socket.
            (Self::Staff(needed), Some(session)) if user.is_some() => {
                match session.permissions().has(needed) {
                    true => Ok(()),
                    false => Err(lacking(needed.as_str())),
                }
            }
            (Self::Staff(_), _) if operator => Ok(()),
            (Self::Shopper(right) | Self::User(right) | Self::Buyer(right), _)
                if user.is_some() =>
            {
                Err(lacking(right.as_str()))
            }
            _ => Err(Problem::new(Code::Unauthorized, "log in first, or send a token as bearer")),
        }
    }

    fn is_for(self, session: &Session) -> bool {
        self != Self::Anyone
            && (!matches!(self, Self::Buyer(_)) || matches!(session.who, Who::Buyer { .. }))
    }
}

fn lacking(needed: &str) -> Problem {
    Problem::new(Code::Forbidden, format!("this needs {needed}, which you don't have"))
}

/// The token of `Authorization: Bearer …`.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<Secret> {
    bearer_bytes(headers).map(|token| Secret::new(String::from_utf8_lossy(token)))
}

fn bearer_bytes(headers: &HeaderMap) -> Option<&[u8]> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.as_bytes().split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        id::{CustomerId, SessionId, UserId},
        policy::{BuyerRole, Permissions, StaffRole},
        session::Via,
        time::Micros,
    };
    use uuid::Uuid;

    fn admin(local: bool, given: Option<&'static str>) -> bool {
        let peer = (!local).then_some(IpAddr::from([127, 0, 0, 1]));
        let caller = Caller { request_id: HeaderValue::from_static("r"), peer };
        let mut headers = HeaderMap::new();
        if let Some(given) = given {
            headers.insert(header::AUTHORIZATION, HeaderValue::from_static(given));
        }
        let operator = is_operator(&caller, &headers, Some(&AdminToken::new("secret\n")));
        Access::Admin.admits(None, operator).is_ok()
    }

    #[test]
    fn an_operator_is_known_by_socket_or_token_alone() {
        assert!(admin(true, None));
        assert!(admin(false, Some("Bearer secret")));
        assert!(admin(false, Some("bearer secret")));
        for given in ["Bearer", "Bearer ", "Bearer secre", "Bearer secret2", "Basic secret", ""] {
            assert!(!admin(false, Some(given)), "{given}");
        }
        assert!(!admin(false, None));
    }

    #[test]
    fn without_a_token_only_the_socket_admits() {
        let caller = |peer| Caller { request_id: HeaderValue::from_static("r"), peer };
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, HeaderValue::from_static("Bearer "));
        assert!(!is_operator(&caller(Some(IpAddr::from([127, 0, 0, 1]))), &headers, None));
        assert!(is_operator(&caller(None), &headers, None));
    }

    fn session(who: Who) -> Session {
        Session {
            id: SessionId(Uuid::nil()),
            who,
            via: Via::Cookie,
            opened_at: Micros(0),
            seen_at: Micros(0),
            ends_at: Micros(0),
            label: String::new(),
            address: String::new(),
        }
    }

    /// Every access with every visitor: what each is answered, `0` for admitted.
    #[test]
    fn each_access_admits_whom_it_names() {
        let (user, customer) = (UserId(Uuid::nil()), CustomerId(Uuid::nil()));
        let buyer = |role: BuyerRole| session(Who::Buyer { user, customer, rights: role.rights() });
        let staff = |permissions| session(Who::Staff { user, permissions });
        let visitors = [
            (None, false),
            (Some(session(Who::Guest)), false),
            (Some(buyer(BuyerRole::Viewer)), false),
            (Some(buyer(BuyerRole::Admin)), false),
            (Some(staff(Permissions::NONE)), false),
            (Some(staff(StaffRole::Clerk.permissions())), false),
            (None, true),
        ];
        for (access, expected) in [
            (Access::Anyone, [0, 0, 0, 0, 0, 0, 0]),
            (Access::Signed, [0, 0, 0, 0, 0, 0, 0]),
            (Access::Shopper(Right::Carts), [0, 0, 403, 0, 0, 0, 0]),
            (Access::Shopper(Right::AccountRead), [401, 401, 0, 0, 0, 0, 401]),
            (Access::User(Right::AccountRead), [401, 401, 0, 0, 0, 0, 401]),
            (Access::User(Right::Users), [401, 401, 403, 0, 403, 403, 401]),
            (Access::Buyer(Right::AccountRead), [401, 401, 0, 0, 403, 403, 401]),
            (Access::Buyer(Right::Users), [401, 401, 403, 0, 403, 403, 401]),
            (Access::Staff(Permission::OrdersRead), [401, 401, 403, 403, 403, 0, 0]),
            (Access::Staff(Permission::StaffWrite), [401, 401, 403, 403, 403, 403, 0]),
            (Access::Admin, [401, 401, 401, 401, 401, 401, 0]),
        ] {
            let answers = visitors.clone().map(|(session, operator)| {
                let admitted = access.admits(session.as_ref(), operator);
                admitted.map_or_else(|problem| problem.code.status().as_u16(), |()| 0)
            });
            assert_eq!(answers, expected, "{access:?}");
        }
    }
}
