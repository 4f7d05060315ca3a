//! From a request to its answer: names it, asks the page cache, else leads it to its module, and
//! finishes whatever comes back.
//!
//! A page from the cache is answered here, before any filter runs and without waiting. Everything
//! else is found by the first part of its path in a map and goes to that module's warp service.

use crate::{
    http::{
        access::{self, Caller},
        app::App,
        body::Body,
        cache::{self, Sought},
        cookie::{self, Cookie},
        error::{Code, Problem},
        headers,
        identity::{self, RequestIds},
        metrics::{Category, Meters},
        resource, routes,
    },
    views::{self, ErrorPage},
};
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri, header};
use hyper::{body::Incoming, service::Service};
use hyper_util::service::TowerToHyperService;
use std::{
    collections::HashMap,
    convert::Infallible,
    future::Future,
    net::IpAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::Instant;

type Module = Box<
    dyn Fn(Request<Incoming>) -> Pin<Box<dyn Future<Output = warp::reply::Response> + Send>>
        + Send
        + Sync,
>;

/// Every route with its handles; made once, shared by all connections.
pub(crate) struct Edge {
    pub(super) app: Arc<App>,
    pub(super) meters: Meters,
    modules: HashMap<String, Module>,
    nowhere: Module,
    page_headers: HeaderMap,
    data_headers: HeaderMap,
    /// What a session's cookie is called, over plain HTTP and over HTTPS.
    session_names: [String; 2],
}

impl Edge {
    pub(crate) fn new(app: App) -> Self {
        let app = Arc::new(app);
        let mut by_module: HashMap<String, Vec<_>> = HashMap::new();
        for resource in routes::all() {
            by_module.entry(module_of(resource.path).to_owned()).or_default().push(resource);
        }
        let service = |resources| -> Module {
            let filter = resource::module(&app, resources);
            let service = TowerToHyperService::new(warp::service(filter));
            Box::new(move |request| {
                let answer = service.call(request);
                Box::pin(async move { answer.await.unwrap_or_else(|never| match never {}) })
            })
        };
        Self {
            modules: by_module.into_iter().map(|(name, of)| (name, service(of))).collect(),
            nowhere: service(Vec::new()),
            page_headers: headers::of_pages(&app.config),
            data_headers: headers::of_data(&app.config),
            session_names: [false, true]
                .map(|https| Cookie::Session.name(https, app.config.listen.port())),
            meters: Meters::new(),
            app,
        }
    }

    /// The page, when it is one that the cache holds under just this spelling.
    fn cached(&self, request: &Request<Incoming>) -> Option<Response<Body>> {
        if request.method() != Method::GET && request.method() != Method::HEAD {
            return None;
        }
        let path = request.uri().path();
        if shows_prices(path) && self.may_be_signed_in(request.headers()) {
            return None;
        }
        let address = request.uri().path_and_query()?.as_str();
        let generation = match varies_by_generation(path) {
            true => self.app.search.generation(),
            false => 0,
        };
        let prices = prices_on(&self.app, path);
        let sought = Sought { scope: &self.app.scope, generation, prices, address };
        let entry = self.app.cache.get(&sought)?;
        self.meters.hits.increment(1);
        Some(entry.page.answer(request.method(), request.headers()))
    }

    /// Whether it comes with a session that isn't known for a guest's. Who has no cookie at all, which
    /// is nearly everybody, is told by one look.
    fn may_be_signed_in(&self, headers: &HeaderMap) -> bool {
        headers.contains_key(header::COOKIE)
            && self.session_names.iter().any(|name| {
                cookie::read(headers, name).is_some_and(|it| !self.app.visitors.is_known_guest(&it))
            })
    }

    /// An administrator who measures may have every page made for them: `cache-control: no-store`.
    /// For others the header has no effect, as it would let anybody ask for the costly way.
    fn wants_fresh(&self, request: &Request<Incoming>, peer: Option<IpAddr>) -> bool {
        let Some(wish) = request.headers().get(header::CACHE_CONTROL) else { return false };
        let caller = Caller { request_id: HeaderValue::from_static("-"), peer };
        wish.as_bytes() == b"no-store"
            && access::is_operator(&caller, request.headers(), self.app.token.as_ref())
    }

    /// Leads a request to its module.
    fn lead(self: &Arc<Self>, mut request: Request<Incoming>, caller: Caller) -> Answering {
        let started = Instant::now();
        let seen = Seen {
            edge: Arc::clone(self),
            method: request.method().clone(),
            uri: request.uri().clone(),
            id: caller.request_id.clone(),
            started,
        };
        if request.uri().path_and_query().map_or(0, |p| p.as_str().len())
            > self.app.config.uri_bytes
        {
            let told = format!("an address has at most {} bytes", self.app.config.uri_bytes);
            let response = Problem::new(Code::UriTooLong, told).into_response();
            return Answering::Ready(Some(seen.finish(response)));
        }
        if is_page(&seen.method, seen.uri.path()) {
            self.meters.misses.increment(1);
        }
        request.extensions_mut().insert(caller);
        let module = self.modules.get(module_of(request.uri().path())).unwrap_or(&self.nowhere);
        let answer = module(request);
        Answering::Later(Box::pin(async move { seen.finish(answer.await.map(Body::Route)) }))
    }

    /// Ends the connection with this answer when the process is about to leave: a client that reads
    /// so sends its next request elsewhere, instead of into a connection that is being closed.
    fn see_off(&self, response: &mut Response<Body>) {
        if self.app.stage.is_leaving() {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
    }

    /// Gives a problem its words: a page for people, JSON for programs.
    fn explain(&self, response: &mut Response<Body>, problem: &Problem, path: &str, id: &str) {
        let (content_type, extra, bytes) = if is_for_programs(path) {
            ("application/problem+json", &self.data_headers, problem.json(id).into())
        } else {
            let (_, shell) = self.app.shell();
            let page = ErrorPage {
                shell: &shell,
                offset: self.app.offset(),
                status: problem.code.status().as_u16(),
                closed: problem.code == Code::Maintenance,
                detail: Some(problem.detail.as_ref()),
                request_id: id,
            };
            ("text/html; charset=utf-8", &self.page_headers, views::error_page(&page))
        };
        let headers = response.headers_mut();
        for (name, value) in extra {
            headers.insert(name, value.clone());
        }
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        *response.body_mut() = Body::from(bytes);
    }
}

/// What is still needed of a request when its answer is there.
struct Seen {
    edge: Arc<Edge>,
    method: Method,
    uri: Uri,
    id: HeaderValue,
    started: Instant,
}

impl Seen {
    fn finish(self, mut response: Response<Body>) -> Response<Body> {
        let problem = response.extensions_mut().remove::<Problem>();
        if let Some(problem) = &problem {
            let id = self.id.to_str().unwrap_or_default();
            self.edge.explain(&mut response, problem, self.uri.path(), id);
        }
        let took = self.started.elapsed();
        self.edge.note(&response, &self.method, &self.uri, &self.id, took, problem.as_ref());
        self.edge.see_off(&mut response);
        response.headers_mut().insert(identity::HEADER, self.id);
        response
    }
}

impl Edge {
    /// Counts a request, and logs it: what failed here or took long as a warning, the rest for
    /// whoever debugs. Addresses without their query, which may hold what a person typed.
    fn note(
        &self,
        response: &Response<Body>,
        method: &Method,
        uri: &Uri,
        id: &HeaderValue,
        took: Duration,
        problem: Option<&Problem>,
    ) {
        let status = response.status();
        let category = Category::of(first_segment(uri.path()));
        self.meters.record(category, status, took);
        let slow = took >= self.app.config.slow();
        let cause = problem.and_then(|problem| problem.cause.as_deref());
        macro_rules! say {
            ($level:ident, $message:literal) => {
                tracing::$level!(
                    request.id = id.to_str().unwrap_or_default(), http.method = %method, http.path = uri.path(),
                    http.status = status.as_u16(), took_us = took.as_micros() as u64,
                    error = cause, $message
                )
            };
        }
        match problem.map(|problem| problem.code) {
            Some(Code::Internal) => say!(error, "request failed"),
            // A probe that says no is an answer; who asks will tell whoever should know.
            _ if category == Category::Health => say!(debug, "probe answered"),
            _ if status.is_server_error() => say!(warn, "request not served"),
            _ if slow => say!(warn, "request was slow"),
            _ => say!(debug, "request answered"),
        }
    }
}

/// One connection's side of the edge.
pub(super) struct Connection {
    edge: Arc<Edge>,
    ids: RequestIds,
    /// Who is at its other end; `None`: it came by the server's own socket.
    peer: Option<IpAddr>,
    asked: Arc<AtomicBool>,
}

impl Connection {
    pub(super) fn new(edge: Arc<Edge>, peer: Option<IpAddr>) -> Self {
        let ids = RequestIds::new(&*edge.app.ids);
        Self { edge, ids, peer, asked: Arc::default() }
    }

    /// Whether a request has come over it.
    pub(super) fn asked(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.asked)
    }
}

impl Service<Request<Incoming>> for Connection {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answering;

    fn call(&self, request: Request<Incoming>) -> Answering {
        self.asked.store(true, Ordering::Relaxed);
        let id = self.ids.of(request.headers(), &*self.edge.app.clock);
        let started = Instant::now();
        let fresh = self.edge.wants_fresh(&request, self.peer);
        let open = self.edge.app.door.is_open();
        if open
            && !fresh
            && let Some(mut response) = self.edge.cached(&request)
        {
            let took = started.elapsed();
            self.edge.note(&response, request.method(), request.uri(), &id, took, None);
            self.edge.see_off(&mut response);
            response.headers_mut().insert(identity::HEADER, id);
            return Answering::Ready(Some(response));
        }
        let answering = self.edge.lead(request, Caller { request_id: id, peer: self.peer });
        match answering {
            Answering::Later(answer) if fresh => Answering::Later(Box::pin(cache::past(answer))),
            answering => answering,
        }
    }
}

/// An answer that is there, or on its way.
pub(super) enum Answering {
    Ready(Option<Response<Body>>),
    Later(Pin<Box<dyn Future<Output = Response<Body>> + Send>>),
}

impl Future for Answering {
    type Output = Result<Response<Body>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            Self::Ready(response) => match response.take() {
                Some(response) => Poll::Ready(Ok(response)),
                // Polled behind its end, which hyper never does.
                None => Poll::Pending,
            },
            Self::Later(answer) => answer.as_mut().poll(cx).map(Ok),
        }
    }
}

fn first_segment(path: &str) -> &str {
    path.strip_prefix('/').unwrap_or(path).split('/').next().unwrap_or_default()
}

/// The part of a path that names its module: its first segment; below `/api` the first three.
fn module_of(path: &str) -> &str {
    let path = path.strip_prefix('/').unwrap_or(path);
    let depth = if first_segment(path) == "api" { 3 } else { 1 };
    let end = path.match_indices('/').nth(depth - 1).map_or(path.len(), |(at, _)| at);
    &path[..end]
}

/// Whether what stands there depends on what the search index answers.
pub(super) fn varies_by_generation(path: &str) -> bool {
    matches!(first_segment(path), "" | "c" | "search" | "sitemap")
}

/// What everybody pays by on this page, as a part of what it is kept under: 0 where it shows nothing
/// of that, and while products' own prices are all there is.
pub(super) fn prices_on(app: &App, path: &str) -> u64 {
    match shows_prices(path) {
        true => app.rules.for_everybody(),
        false => 0,
    }
}

/// Who is signed in gets these pages with their own.
fn shows_prices(path: &str) -> bool {
    matches!(first_segment(path), "" | "c" | "p" | "search")
}

fn is_page(method: &Method, path: &str) -> bool {
    let kinds = [Category::Product, Category::List];
    *method == Method::GET && kinds.contains(&Category::of(first_segment(path)))
}

fn is_for_programs(path: &str) -> bool {
    let first = first_segment(path);
    matches!(Category::of(first), Category::Api | Category::Ops | Category::Health)
        || first == "openapi.json"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_is_found_by_the_beginning_of_the_path() {
        assert_eq!(module_of("/"), "");
        assert_eq!(module_of("/p/slug"), "p");
        assert_eq!(module_of("/api/v1/imports/7/errors"), "api/v1/imports");
        assert_eq!(module_of("/api/v1/{x}"), "api/v1/{x}");
        assert_eq!(module_of("/api"), "api");
    }
}
