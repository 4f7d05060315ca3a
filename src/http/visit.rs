//! Who asks: the session that came with a request, and what the answer tells the browser of it.
//!
//! A visitor has a session once something must be kept for them, and none for looking around, so
//! what is the same for everybody goes without a cookie and can be cached. An operation for
//! [`Access::Anyone`](super::access::Access) isn't told who asks at all.

use crate::{
    actors::keepers::sessions::{Opened, Whence},
    domain::{
        id::{CustomerId, OrderId},
        policy::Right,
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
    /// A session's cookie as it came, live or not.
    session_cookie: Option<Secret>,
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
            session_cookie: None,
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
            session_cookie: read(Cookie::Session),
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
                if let Some(given) = visit.session_cookie.clone() {
                    visit.session = app.visitors.find(&given, &[Via::Cookie]).await?;
                    if visit.session.is_some() {
                        visit.carrier = Carrier::Cookie(given);
                    }
                }
            }
        }
        Ok(visit)
    }

    /// For what is the same for everybody but who is signed in. Somebody who can't be known now is
    /// nobody: one looks around also while the database is away.
    pub(crate) async fn of_signed_in(app: &App, caller: &Caller, headers: &HeaderMap) -> Self {
        if !headers.contains_key(header::COOKIE) {
            return Self::of_nobody();
        }
        let access = Access::Shopper(Right::Carts);
        match Self::of(app, caller, headers, access).await {
            Ok(visit) if visit.session().is_some_and(|one| one.user().is_some()) => visit,
            _ => Self::of_nobody(),
        }
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

    /// The session, where the operation admits nobody without one.
    pub(crate) fn must_have(&self) -> Result<&Session, Problem> {
        self.session().ok_or_else(|| Problem::new(Code::Unauthorized, "log in first"))
    }

    /// Who acts, where the operation admits nobody without a name.
    pub(crate) fn must_act(&self) -> Result<Principal, Problem> {
        self.principal().ok_or_else(|| Problem::new(Code::Unauthorized, "log in first"))
    }

    /// The customer whose things these are, where the operation is for buyers.
    pub(crate) fn must_act_for(&self) -> Result<CustomerId, Problem> {
        let customer = self.must_have()?.principal().customer();
        customer.ok_or_else(|| Problem::new(Code::Forbidden, "this is for customers"))
    }

    /// Refuses what holds a password when somebody could listen on the way.
    pub(crate) fn must_be_unheard(&self, app: &App) -> Result<(), Problem> {
        if self.client.unheard || app.config.insecure_http {
            return Ok(());
        }
        let address = self.client.shown();
        let told = match app.config.is_https() {
            true => format!(
                "this came over plain HTTP from {address}: open {} instead; if a proxy with HTTPS \
                 is in front, its address belongs into http.trusted_proxies",
                app.config.origin()
            ),
            false => format!(
                "passwords are not taken over plain HTTP from {address}, as anybody on the way \
                 could read them: serve the shop over HTTPS (see --public-url), or start it with \
                 --insecure-http where nobody else is on the network"
            ),
        };
        Err(Problem::new(Code::Unencrypted, told))
    }

    /// Whom tries are counted for; `None` for this machine itself, which has no need to guess.
    pub(crate) fn from(&self) -> Option<String> {
        self.client.counted()
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

    /// The cookies that a form's token may be of. One of a session that has ended counts too: of
    /// two clicks on one button the second comes with what the first has just replaced. With a live
    /// session its own counts alone.
    pub(crate) fn form_cookies(&self) -> [Option<&Secret>; 2] {
        let other = self.form_cookie.as_ref().filter(|_| !self.is_by_cookie());
        [self.session_cookie.as_ref(), other]
    }

    /// What the link of an order's mail left in this browser.
    pub(crate) fn order_link(&self, headers: &HeaderMap, order: OrderId) -> Option<Secret> {
        cookie::read(headers, &Cookie::Order(order).name(self.client.https, self.port))
    }

    /// Lets this browser look at an order for so long.
    pub(crate) fn keep_order_link(&self, order: OrderId, token: &Secret, within: Duration) {
        self.tell(Cookie::Order(order), token, Some(within));
    }

    fn tell(&self, cookie: Cookie, value: &Secret, within: Option<Duration>) {
        self.told.add(cookie::set(cookie, value, (self.client.https, self.port), within));
    }
}
