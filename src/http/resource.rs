//! What a resource is: an address, its methods, whom each is for, what it takes and answers.
//!
//! A module lists its resources once. From that list come the warp filter that serves them, the
//! `Allow` of a 405, the check of parameters, the check of who asks, the limit of bodies, and the
//! API's description: none of them can say something else than the others.

use crate::{
    domain::once::{BodyHash, OnceName},
    http::{
        access::{Access, Caller},
        app::App,
        error::{Code, Problem},
        extract::{Param, Query, decode, encode},
        forgery::{self, Proof},
        form::Form,
        handles::Rows,
        maintenance, once,
        openapi::Doc,
        visit::Visit,
    },
};
use bytes::{Buf, Bytes};
use futures_util::{FutureExt, Stream, StreamExt, stream};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use std::{
    convert::Infallible, future::Future, panic::AssertUnwindSafe, pin::Pin, sync::Arc,
    time::Duration,
};
use warp::{Filter, filters::BoxedFilter, reply::Response};

/// A handler's outcome on its way.
pub(crate) type Answer = Pin<Box<dyn Future<Output = Result<Response, Problem>> + Send>>;

/// What a method takes as its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Intake {
    Nothing,
    Json,
    /// What a page's form sends; read whole before the handler runs.
    Form,
    /// As many rows as an import may have; read piece by piece.
    Rows,
}

/// A request as a handler gets it: admitted, and its parameters checked.
pub(crate) struct Asked {
    pub(crate) method: Method,
    /// What stands in the path's places, decoded, in order.
    pub(crate) path: Vec<String>,
    pub(crate) query: Query,
    pub(crate) headers: HeaderMap,
    pub(crate) caller: Caller,
    /// What it is called, where the operation is one that is done once.
    once: Option<OnceName>,
    /// Who asks; nobody where the answer is the same for everybody.
    pub(crate) visit: Visit,
    pub(crate) form: Form,
    pub(crate) body: Upload,
}

impl Asked {
    /// What the request is called by whoever may ask it again.
    pub(crate) fn name(&self) -> Result<OnceName, Problem> {
        self.once.ok_or_else(|| Problem::internal("the operation is not one that is done once"))
    }
}

/// One method of a resource.
pub(crate) struct Operation {
    pub(crate) method: Method,
    pub(crate) access: Access,
    pub(crate) params: &'static [Param],
    /// For people: empty parameters are none, those of campaigns are passed over.
    page: bool,
    /// Whether who is signed in gets another answer than everybody.
    own: bool,
    pub(crate) takes: Intake,
    /// Whether it is done once, however often it is asked.
    pub(crate) once: bool,
    pub(crate) proof: Proof,
    /// `None`: not part of the API.
    pub(crate) doc: Option<Doc>,
    run: fn(Arc<App>, Asked) -> Answer,
}

/// An address and its methods. `{name}` in the path stands for one segment.
pub(crate) struct Resource {
    pub(crate) path: &'static str,
    pub(crate) operations: Vec<Operation>,
}

impl Operation {
    pub(crate) fn new(
        method: Method,
        access: Access,
        params: &'static [Param],
        run: fn(Arc<App>, Asked) -> Answer,
    ) -> Self {
        let (takes, proof, once) = (Intake::Nothing, Proof::Token, false);
        let (page, own) = (false, false);
        Self { method, access, params, page, own, takes, once, proof, doc: None, run }
    }

    /// A page of the shop for everybody.
    pub(crate) fn page(params: &'static [Param], run: fn(Arc<App>, Asked) -> Answer) -> Self {
        Self { page: true, ..Self::new(Method::GET, Access::Anyone, params, run) }
    }

    /// The same, but made anew for who is signed in, who is told what it costs them.
    pub(crate) fn shop_page(params: &'static [Param], run: fn(Arc<App>, Asked) -> Answer) -> Self {
        Self { own: true, ..Self::page(params, run) }
    }

    /// A page that differs by who asks, and is kept by nobody but them.
    pub(crate) fn personal(
        access: Access,
        params: &'static [Param],
        run: fn(Arc<App>, Asked) -> Answer,
    ) -> Self {
        Self { page: true, ..Self::new(Method::GET, access, params, run) }
    }

    /// What a page's form is sent to.
    pub(crate) fn form(access: Access, run: fn(Arc<App>, Asked) -> Answer) -> Self {
        let operation = Self { page: true, ..Self::new(Method::POST, access, &[], run) };
        operation.takes(Intake::Form)
    }

    /// Whether a person who isn't signed in is led to where they can be, and back here.
    pub(crate) fn is_ones_own_page(&self) -> bool {
        self.page && self.method.is_safe()
    }

    /// What a form has to prove; its token, unless this says less.
    pub(crate) fn proof(self, proof: Proof) -> Self {
        Self { proof, ..self }
    }

    pub(crate) fn takes(self, takes: Intake) -> Self {
        Self { takes, ..self }
    }

    /// It needs an `Idempotency-Key`, and answers the same to the same one.
    pub(crate) fn once(self) -> Self {
        Self { once: true, ..self }
    }

    pub(crate) fn doc(self, doc: Doc) -> Self {
        Self { doc: Some(doc), ..self }
    }
}

impl Resource {
    pub(crate) fn new(path: &'static str, operations: impl IntoIterator<Item = Operation>) -> Self {
        Self { path, operations: operations.into_iter().collect() }
    }

    /// The methods it takes, as `Allow` lists them.
    pub(crate) fn allow(&self) -> String {
        let mut names = Vec::new();
        for operation in &self.operations {
            names.push(operation.method.as_str());
            if operation.method == Method::GET {
                names.push("HEAD");
            }
        }
        names.join(", ")
    }

    fn operation(&self, method: &Method) -> Option<&Operation> {
        let method = if method == Method::HEAD { &Method::GET } else { method };
        self.operations.iter().find(|operation| operation.method == *method)
    }

    fn filter(self, app: &Arc<App>) -> BoxedFilter<(Response,)> {
        let places = places(self.path);
        let (resource, app) = (Arc::new(self), Arc::clone(app));
        let query = warp::query::raw().or(warp::any().map(String::new)).unify();
        places
            .and(warp::method())
            .and(query)
            .and(warp::header::headers_cloned())
            .and(warp::ext::get::<Caller>())
            .and(warp::body::stream().map(Upload::new))
            .then(move |path: Vec<String>, method, query: String, headers, caller, body| {
                let (resource, app) = (Arc::clone(&resource), Arc::clone(&app));
                async move {
                    let request = Raw { method, path, query, headers, caller, body };
                    resource.answer(app, request).await
                }
            })
            .boxed()
    }

    async fn answer(&self, app: Arc<App>, mut raw: Raw) -> Response {
        let Some(operation) = self.operation(&raw.method) else {
            return Problem::method_not_allowed(self.allow()).into_response();
        };
        if let Some(closed) = app.door.closed()
            && !maintenance::spares(self.path, operation.access)
            && let Err(problem) = maintenance::admit(&app, &raw.caller, &raw.headers, &closed).await
        {
            return problem.into_response();
        }
        if operation.access == Access::Anyone {
            // What everybody gets can't depend on who asks: the handler isn't told.
            raw.headers.remove(header::AUTHORIZATION);
            let visit = match operation.own {
                true => Visit::of_signed_in(&app, &raw.caller, &raw.headers).await,
                false => Visit::of_nobody(),
            };
            raw.headers.remove(header::COOKIE);
            let answered = operation.answer(app, self.path, raw, visit).await;
            return answered.unwrap_or_else(Problem::into_response);
        }
        let visit = Visit::of(&app, &raw.caller, &raw.headers, operation.access).await;
        let visit = match visit {
            Ok(visit) => visit,
            Err(problem) => return problem.into_response(),
        };
        let told = visit.told.clone();
        let answered = match visit.admit(operation.access) {
            Err(problem) if problem.code == Code::Unauthorized && operation.is_ones_own_page() => {
                Ok(to_login(self.path, &raw.path))
            }
            _ => operation.answer(app, self.path, raw, visit).await,
        };
        let mut response = answered.unwrap_or_else(Problem::into_response);
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        told.write(headers);
        response
    }
}

impl Operation {
    /// By whom and with what is checked before the handler runs.
    async fn answer(
        &self,
        app: Arc<App>,
        address: &str,
        raw: Raw,
        visit: Visit,
    ) -> Result<Response, Problem> {
        visit.admit(self.access)?;
        let changes = !self.method.is_safe();
        if changes && (visit.is_by_cookie() || self.takes == Intake::Form) {
            let silent = self.takes == Intake::Form && self.proof == Proof::Token;
            forgery::check_origin(&raw.headers, &app.config, silent)?;
        }
        let places = raw.path.iter().map(|part| decode(part, false).map(String::from));
        let path = places.collect::<Option<Vec<_>>>().ok_or_else(Problem::not_found)?;
        let query = Query::read(&raw.query, self.params, self.page)?;
        let limit = match self.takes {
            Intake::Nothing => u64::MAX,
            Intake::Json | Intake::Form => app.config.json_body_bytes,
            Intake::Rows => app.config.import_body_bytes,
        };
        let once = match self.once {
            true => {
                let whole = std::iter::once(address).chain(path.iter().map(String::as_str));
                let whole = whole.collect::<Vec<_>>().join("/");
                let who = visit.principal().map_or("anyone".to_owned(), |who| who.to_string());
                Some(once::name(&raw.headers, &who, &raw.method, &whole)?)
            }
            false => None,
        };
        let mut body = raw.body.limited(&raw.headers, limit, app.config.stall_timeout())?;
        let mut form = Form::default();
        match self.takes {
            Intake::Json => wants(&raw.headers, "application/json")?,
            Intake::Form => {
                wants(&raw.headers, "application/x-www-form-urlencoded")?;
                let whole = tokio::time::timeout(app.config.request_timeout(), body.take().whole());
                form = Form::read(&whole.await.map_err(|_| too_late())??)?;
                if self.proof == Proof::Token {
                    forgery::check_token(&form, &visit.form_cookies())?;
                }
            }
            Intake::Nothing | Intake::Rows => {}
        }
        let Raw { method, headers, caller, .. } = raw;
        let within = app.config.request_timeout();
        let asked = Asked { method, path, query, headers, caller, once, visit, form, body };
        // A panic costs its request, not the connection's other ones.
        let run = AssertUnwindSafe((self.run)(app, asked)).catch_unwind();
        let ended = match self.takes {
            // An upload takes as long as it takes; a stalled one is cut by its connection.
            Intake::Rows => run.await,
            Intake::Nothing | Intake::Json | Intake::Form => {
                match tokio::time::timeout(within, run).await {
                    Ok(ended) => ended,
                    Err(_) => return Err(too_late()),
                }
            }
        };
        ended.unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            Err(Problem::internal(format!("panicked: {}", text.unwrap_or("without a text"))))
        })
    }
}

/// To the page that signs somebody in, which leads them on to where they wanted to go.
fn to_login(address: &str, places: &[String]) -> Response {
    let mut places = places.iter();
    let part = |part: &str| match part.starts_with('{') {
        true => places.next().cloned().unwrap_or_default(),
        false => part.to_owned(),
    };
    let next = address.split('/').map(part).collect::<Vec<_>>().join("/");
    let mut response = Response::default();
    *response.status_mut() = StatusCode::SEE_OTHER;
    if let Ok(place) = HeaderValue::from_str(&format!("/login?next={}", encode(&next))) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    response
}

/// Before any check.
struct Raw {
    method: Method,
    path: Vec<String>,
    query: String,
    headers: HeaderMap,
    caller: Caller,
    body: Upload,
}

/// All resources of one module as one filter, in which its rejections end.
pub(crate) fn module(
    app: &Arc<App>,
    resources: impl IntoIterator<Item = Resource>,
) -> BoxedFilter<(Response,)> {
    let nothing = warp::any().and_then(|| async { Err::<Response, _>(warp::reject::not_found()) });
    resources
        .into_iter()
        .map(|resource| resource.filter(app))
        .fold(nothing.boxed(), |all, one| one.or(all).unify().boxed())
        .recover(|rejection: warp::Rejection| async move {
            let problem = if rejection.is_not_found() {
                Problem::not_found()
            } else {
                Problem::internal(format!("{rejection:?}"))
            };
            Ok::<Response, Infallible>(problem.into_response())
        })
        .unify()
        .boxed()
}

/// Matches the path and collects what stands in its places.
fn places(path: &'static str) -> BoxedFilter<(Vec<String>,)> {
    let mut filter = warp::any().map(Vec::new).boxed();
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        filter = match segment.split_once('{') {
            None => filter.and(warp::path(segment)).boxed(),
            Some((before, rest)) => {
                let after = rest.split_once('}').map_or("", |(_, after)| after);
                filter
                    .and(warp::path::param::<String>())
                    .and_then(move |mut found: Vec<String>, part: String| async move {
                        let inner = part
                            .strip_prefix(before)
                            .and_then(|rest| rest.strip_suffix(after))
                            .filter(|inner| !inner.is_empty());
                        let Some(inner) = inner else { return Err(warp::reject::not_found()) };
                        found.push(inner.to_owned());
                        Ok(found)
                    })
                    .boxed()
            }
        };
    }
    filter.and(warp::path::end()).boxed()
}

fn too_late() -> Problem {
    Problem::new(Code::TimedOut, "no answer was ready in time")
}

fn wants(headers: &HeaderMap, media: &str) -> Result<(), Problem> {
    if media_type(headers).is_some_and(|given| given == media) {
        return Ok(());
    }
    Err(Problem::new(Code::UnsupportedMediaType, format!("the body must be {media}")))
}

/// `Content-Type` without its parameters, in small letters.
pub(crate) fn media_type(headers: &HeaderMap) -> Option<String> {
    let given = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    Some(given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

/// A request's body, piece by piece, with the most it may have.
pub(crate) struct Upload {
    pieces: Pin<Box<dyn Stream<Item = std::io::Result<Bytes>> + Send + Sync>>,
    left: u64,
    /// How long each piece may be waited for.
    patience: Duration,
}

/// The error inside a piece's when the body is over its limit.
#[derive(Debug, thiserror::Error)]
#[error("the body is larger than {0} bytes")]
struct TooLarge(u64);

impl Upload {
    fn new<B, S>(stream: S) -> Self
    where
        B: Buf,
        S: Stream<Item = Result<B, warp::Error>> + Send + Sync + 'static,
    {
        let pieces = stream.map(|piece| match piece {
            Ok(mut piece) => Ok(piece.copy_to_bytes(piece.remaining())),
            Err(error) => Err(std::io::Error::other(error)),
        });
        Self { pieces: Box::pin(pieces), left: u64::MAX, patience: Duration::MAX }
    }

    /// What is left to read, out of a value that stays.
    fn take(&mut self) -> Self {
        let pieces = std::mem::replace(&mut self.pieces, Box::pin(stream::empty()));
        Self { pieces, ..*self }
    }

    fn limited(self, headers: &HeaderMap, most: u64, patience: Duration) -> Result<Self, Problem> {
        let told = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
        match told.and_then(|text| text.parse::<u64>().ok()) {
            Some(length) if length > most => Err(Problem::too_large(most)),
            _ => Ok(Self { left: most, patience, ..self }),
        }
    }

    /// Piece by piece; one over the limit, or that is waited for too long, is an error.
    pub(crate) fn pieces(self) -> Rows {
        let most = self.left;
        Box::pin(stream::unfold(Some(self), move |upload| async move {
            let mut upload = upload?;
            let piece = match tokio::time::timeout(upload.patience, upload.pieces.next()).await {
                Ok(piece) => piece?,
                Err(_) => Err(std::io::ErrorKind::TimedOut.into()),
            };
            let piece = piece.and_then(|piece| {
                upload.left = upload
                    .left
                    .checked_sub(piece.len() as u64)
                    .ok_or_else(|| std::io::Error::other(TooLarge(most)))?;
                Ok(piece)
            });
            // Nothing follows an error.
            let rest = piece.is_ok().then_some(upload);
            Some((piece, rest))
        }))
    }

    /// The whole of a small body.
    pub(crate) async fn whole(self) -> Result<Vec<u8>, Problem> {
        let most = self.left;
        let mut pieces = self.pieces();
        let mut whole = Vec::new();
        while let Some(piece) = pieces.next().await {
            match piece {
                Ok(piece) => whole.extend_from_slice(&piece),
                Err(error) if is_too_large(&error) => return Err(Problem::too_large(most)),
                Err(_) => return Err(Problem::new(Code::BadBody, "the body broke off")),
            }
        }
        Ok(whole)
    }

    /// The body as JSON.
    pub(crate) async fn json<T: serde::de::DeserializeOwned>(self) -> Result<T, Problem> {
        from_json(&self.whole().await?)
    }

    /// The body as JSON, with what tells it from another one.
    pub(crate) async fn json_and_hash<T: serde::de::DeserializeOwned>(
        self,
    ) -> Result<(T, BodyHash), Problem> {
        let whole = self.whole().await?;
        Ok((from_json(&whole)?, BodyHash::of(&whole)))
    }
}

/// Every body is an object. Derived readers would take an array of its values in order as well,
/// which nobody is told and no later field could be added to.
fn from_json<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let read = serde_json::from_slice(bytes).map_err(|error| {
        use serde_json::error::Category;
        let told = error.to_string();
        match error.classify() {
            Category::Data => Problem::new(Code::BadContent, told),
            Category::Io | Category::Syntax | Category::Eof => Problem::new(Code::BadBody, told),
        }
    })?;
    match bytes.trim_ascii_start().first() {
        Some(b'[') => Err(Problem::new(Code::BadContent, "send an object, not an array")),
        _ => Ok(read),
    }
}

pub(crate) fn is_too_large(error: &std::io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<TooLarge>())
}
