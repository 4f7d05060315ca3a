//! Who asks: the session that came with a request, and what the answer tells the browser of it.
//!
//! A visitor has a session once something must be kept for them, and none for looking around, so
//! what is the same for everybody goes without a cookie and can be cached. An operation for
//! [`Access::Anyone`](super::access::Access) isn't told who asks at all.

use crate::{
    actors::keepers::sessions::{Opened, Whence},
    domain::{
        principal::Principal,
        secret::Secret,
        session::{Session, Via},
    },
    http::{
        access::{self, Access, Caller},
        app::App,
        client::Client,
        cookie::{self, Cookie},
        error::{Code, Problem},
        forgery,
    },
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue, header};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// How the session came.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Carrier {
    Nothing,
    Cookie(Secret),
    Bearer,
}

/// Cookies for the answer, collected while the request is handled.
#[derive(Debug, Clone, Default)]
pub(crate) struct Told(Arc<Mutex<Vec<HeaderValue>>>);

impl Told {
    fn add(&self, cookie: Option<HeaderValue>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(cookie);
    }

    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        for cookie in self.0.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            headers.append(header::SET_COOKIE, cookie);
        }
    }
}

/// A request's visitor.
#[derive(Debug)]
pub(crate) struct Visit {
    pub(crate) client: Client,
    carrier: Carrier,
    session: Option<Arc<Session>>,
    operator: bool,
    /// What ties forms to a browser that has no session yet.
    form_cookie: Option<Secret>,
    whence: Whence,
    port: u16,
    pub(crate) told: Told,
}

impl Visit {
    /// For what is the same for everybody.
    pub(crate) fn of_nobody() -> Self {
        Self {
            client: Client { address: None, https: false, unheard: false },
            carrier: Carrier::Nothing,
            session: None,
            operator: false,
            form_cookie: None,
            whence: Whence::default(),
            port: 0,
            told: Told::default(),
        }
    }

    /// Finds out who asks; a bearer that is nobody's is refused, a cookie that is nobody's (any
    /// more) is as none. For operators' work no session is looked up: it goes on without a
    /// database.
    pub(crate) async fn of(
        app: &App,
        caller: &Caller,
        headers: &HeaderMap,
        access: Access,
    ) -> Result<Self, Problem> {
        let client = Client::of(caller, headers, &app.trusted, &app.config);
        let port = app.config.listen.port();
        let read = |cookie: Cookie| cookie::read(headers, &cookie.name(client.https, port));
        let label = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
        let mut visit = Self {
            client,
            form_cookie: read(Cookie::Form),
            whence: Whence { label: label.unwrap_or_default().to_owned(), address: client.shown() },
            port,
            ..Self::of_nobody()
        };
        visit.operator = access::is_operator(caller, headers, app.token.as_ref());
        match access::bearer(headers) {
            _ if matches!(access, Access::Admin | Access::Signed) => {}
            Some(_) if access::has_admin_token(headers, app.token.as_ref()) => {}
            Some(given) => {
                let found = app.visitors.find(&given, &[Via::Bearer, Via::Key]).await?;
                let ended = "this token is unknown here, or its session has ended";
                let session = found.ok_or_else(|| Problem::new(Code::Unauthorized, ended))?;
                (visit.session, visit.carrier) = (Some(session), Carrier::Bearer);
            }
            None => {
                if let Some(given) = read(Cookie::Session) {
                    visit.session = app.visitors.find(&given, &[Via::Cookie]).await?;
                    if visit.session.is_some() {
                        visit.carrier = Carrier::Cookie(given);
                    }
                }
            }
        }
        Ok(visit)
    }

    /// Whether an operation is for this visitor.
    pub(crate) fn admit(&self, access: Access) -> Result<(), Problem> {
        access.admits(self.session.as_deref(), self.operator)
    }

    pub(crate) fn session(&self) -> Option<&Session> {
        self.session.as_deref()
    }

    /// Who acts. `None`: somebody without a session, who only looks.
    pub(crate) fn principal(&self) -> Option<Principal> {
        match &self.session {
            Some(session) => Some(session.principal()),
            None => self.operator.then_some(Principal::Operator),
        }
    }

    /// Who acts, with a guest's session opened for somebody who has none: something is to be kept
    /// for them. Their browser is told by the answer, whatever becomes of the rest.
    pub(crate) async fn principal_or_guest(&mut self, app: &App) -> Result<Principal, Problem> {
        if let Some(session) = &self.session {
            return Ok(session.principal());
        }
        let opened = app.visitors.open_guest(Via::Cookie, self.whence.clone()).await?;
        let principal = opened.session.principal();
        self.carry(app, opened);
        Ok(principal)
    }

    /// From where a session is opened.
    pub(crate) fn whence(&self) -> Whence {
        self.whence.clone()
    }

    /// It came by a browser's cookie, so a page of another site may have sent it.
    pub(crate) fn is_by_cookie(&self) -> bool {
        matches!(self.carrier, Carrier::Cookie(_))
    }

    /// Goes on as the visitor of this session, in a cookie.
    pub(crate) fn carry(&mut self, app: &App, opened: Opened) {
        let lasts = opened.session.ends_at.0.saturating_sub(app.clock.now().0);
        let lasts = Duration::from_micros(lasts.try_into().unwrap_or_default());
        self.tell(Cookie::Session, &opened.token, Some(lasts));
        self.carrier = Carrier::Cookie(opened.token);
        self.session = Some(Arc::new(opened.session));
    }

    /// Goes on as nobody.
    pub(crate) fn forget(&mut self) {
        self.tell(Cookie::Session, &Secret::new(""), Some(Duration::ZERO));
        (self.carrier, self.session) = (Carrier::Nothing, None);
    }

    /// What a form on a page for this visitor has to hold, see [`forgery`].
    pub(crate) fn form_token(&mut self, app: &App) -> String {
        if let Carrier::Cookie(token) = &self.carrier {
            return forgery::token(token);
        }
        if self.form_cookie.is_none() {
            let drawn = Secret::new(URL_SAFE_NO_PAD.encode(app.chance.bytes()));
            self.tell(Cookie::Form, &drawn, None);
            self.form_cookie = Some(drawn);
        }
        self.form_cookie.as_ref().map(forgery::token).unwrap_or_default()
    }

    /// The cookies that a form's token may be of.
    pub(crate) fn form_cookies(&self) -> [Option<&Secret>; 2] {
        let session = match &self.carrier {
            Carrier::Cookie(token) => Some(token),
            Carrier::Nothing | Carrier::Bearer => None,
        };
        // With a session its own cookie counts alone: the other one may have been there before.
        [session, self.form_cookie.as_ref().filter(|_| session.is_none())]
    }

    fn tell(&self, cookie: Cookie, value: &Secret, within: Option<Duration>) {
        let https = self.client.https;
        self.told.add(cookie::set(&cookie.name(https, self.port), value, https, within));
    }
}
