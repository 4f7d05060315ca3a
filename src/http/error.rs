//! What went wrong, as a client is told it: the only map from the errors of ports and actors to
//! statuses.
//!
//! A handler fails with a [`Problem`]. The edge writes it as `application/problem+json`
//! (RFC 9457) below `/api`, `/ops` and the health addresses, and as a page elsewhere, with the
//! request's id in both. A problem's `type` resolves to a page made from [`Code`].

use crate::{
    actors::{
        keepers::writer::WriteError,
        workers::{
            importer::{ImportsError, SinkError},
            search_pool::AskError,
        },
    },
    ports::{StoreError, blobs::BlobError, documents::DocumentsError, search::SearchError},
};
use http::{HeaderValue, Response, StatusCode, header};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, time::Duration};
use supervisors::CallError;
use utoipa::ToSchema;

macro_rules! codes {
    ($($(#[doc = $doc:literal])* $name:ident = $slug:literal, $status:ident, $title:literal;)*) => {
        /// Every kind of problem there is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Code {
            $($(#[doc = $doc])* $name,)*
        }

        impl Code {
            pub(crate) const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The last part of the problem's `type`.
            pub(crate) fn slug(self) -> &'static str {
                match self { $(Self::$name => $slug),* }
            }

            pub(crate) fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status),* }
            }

            pub(crate) fn title(self) -> &'static str {
                match self { $(Self::$name => $title),* }
            }

            /// What it means and what to do: the text of the page behind `type`.
            pub(crate) fn about(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),*)),* }
            }
        }
    };
}

codes! {
    /// A parameter of the address is not what it should be. `errors` names each one and says what
    /// it takes; the API's description lists all of them.
    BadParameter = "bad-parameter", BAD_REQUEST, "A parameter can't be used";
    /// The address has a parameter that this resource doesn't know. `errors` names it, and the
    /// nearest known one. Nothing was ignored, so a misspelt filter never looks like a wide one.
    UnknownParameter = "unknown-parameter", BAD_REQUEST, "A parameter is unknown";
    /// The cursor was made by another version, for another list, or not by this shop. Begin again
    /// without it.
    BadCursor = "bad-cursor", BAD_REQUEST, "The cursor can't be used";
    /// The request's body could not be read: it is not the JSON it claims to be, it has fields
    /// that are unknown, or the client broke off.
    BadBody = "bad-body", BAD_REQUEST, "The body can't be read";
    /// This must be made once however often it is asked, so the request needs the header
    /// `Idempotency-Key`: 1 to 255 visible ASCII characters, of your choice, the same in each
    /// attempt and another for each new wish.
    BadIdempotencyKey = "bad-idempotency-key", BAD_REQUEST, "The Idempotency-Key can't be used";
    /// This is not for everybody: log in, or send a session's token or a key as
    /// `Authorization: Bearer …`. What is for operators needs the administrator's token, which is
    /// in `run/admin.token` in the data folder, or the server's own socket.
    Unauthorized = "unauthorized", UNAUTHORIZED, "Not without logging in";
    /// There is no account of this address with this password, or it may not come in; which of
    /// them is not said. A password that was forgotten can be set anew by a mailed link.
    WrongCredentials = "wrong-credentials", UNAUTHORIZED, "Not this address and password";
    /// A password would have gone over plain HTTP, where anybody on the way can read it. Serve the
    /// shop over HTTPS; on a network of your own, `--insecure-http` takes it all the same.
    Unencrypted = "unencrypted", FORBIDDEN, "Not over plain HTTP";
    /// It was tried too often, for this account or from this address. `Retry-After` says when to
    /// come back.
    TooMany = "too-many-tries", TOO_MANY_REQUESTS, "Too many tries";
    /// Somebody else has that name or address; `errors` says which field.
    Taken = "taken", CONFLICT, "It is taken";
    /// We know who asks, and they may not do this; `detail` names what it needs. Somebody with
    /// more rights can, or can grant them.
    Forbidden = "forbidden", FORBIDDEN, "Not with these rights";
    /// It came with a browser's cookie, but not from a page of this shop, so it was taken for
    /// another site's doing and nothing was changed. A program sends its token as bearer instead.
    Forged = "forged", FORBIDDEN, "Not from another site";
    /// There is nothing at this address, or not any more.
    NotFound = "not-found", NOT_FOUND, "Nothing is here";
    /// This address exists, but not for this method; `Allow` lists those it takes.
    MethodNotAllowed = "method-not-allowed", METHOD_NOT_ALLOWED, "Not by this method";
    /// What was asked can't be done in the state things are in; `detail` says which.
    Conflict = "conflict", CONFLICT, "Not in this state";
    /// There are too few left of something; `errors` says how many of each. Nothing was ordered, and
    /// asked again under the same `Idempotency-Key` the answer stays this one.
    SoldOut = "sold-out", CONFLICT, "Sold out";
    /// What was shown is not what it would be now: a price, a line or a sum has changed. Nothing was
    /// ordered; review it again, show that, and order with its new hash.
    ReviewChanged = "review-changed", CONFLICT, "It is not what was shown";
    /// An earlier request with this `Idempotency-Key` is still at work. `Retry-After` says when to
    /// ask again, with the same key: you get its answer then.
    KeyInFlight = "key-in-flight", CONFLICT, "The same request is at work";
    /// The thing has changed since: `If-Match` names a version it no longer has. Read it again,
    /// and ask again with its new `ETag`.
    PreconditionFailed = "precondition-failed", PRECONDITION_FAILED, "It has changed since";
    /// This is only done to a version you have seen, so that nobody's change is lost: send the
    /// `ETag` you got as `If-Match`.
    PreconditionRequired = "precondition-required", PRECONDITION_REQUIRED, "Not without If-Match";
    /// The body is larger than this resource takes.
    BodyTooLarge = "body-too-large", PAYLOAD_TOO_LARGE, "The body is too large";
    /// The address is longer than this server takes.
    UriTooLong = "uri-too-long", URI_TOO_LONG, "The address is too long";
    /// The body's `Content-Type` or `Content-Encoding` is none that this resource reads.
    UnsupportedMediaType = "unsupported-media-type", UNSUPPORTED_MEDIA_TYPE, "The body's type is not taken";
    /// The body was understood, but can't be acted on; `errors` points at each field.
    BadContent = "bad-content", UNPROCESSABLE_ENTITY, "The content can't be used";
    /// This `Idempotency-Key` was used for another body within the last day. Nothing was done; a
    /// new wish needs a new key.
    KeyReused = "key-reused", UNPROCESSABLE_ENTITY, "The Idempotency-Key stands for something else";
    /// Something failed that should not have. It is in the server's log under the request's id.
    Internal = "internal", INTERNAL_SERVER_ERROR, "Something failed here";
    /// There is more to do than can be done at the moment; nothing was begun. `Retry-After` says
    /// when to come back.
    Overloaded = "overloaded", SERVICE_UNAVAILABLE, "Too busy at the moment";
    /// Something this needs is away: the database, or the search index. `Retry-After` says when to
    /// come back.
    Unavailable = "unavailable", SERVICE_UNAVAILABLE, "Not available at the moment";
    /// The shop is closed while it is looked after; nothing was begun. `detail` says until when, and
    /// `Retry-After` how long that is. Staff and operators are let in meanwhile.
    Maintenance = "maintenance", SERVICE_UNAVAILABLE, "Closed for maintenance";
    /// No answer was ready in time. What was asked may or may not have been done.
    TimedOut = "timed-out", SERVICE_UNAVAILABLE, "It took too long";
    /// The disk is full. Nothing was changed.
    NoRoom = "no-room", INSUFFICIENT_STORAGE, "There is no room";
}

/// One thing that is wrong with a request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct FieldError {
    /// The parameter of the address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) parameter: Option<String>,
    /// The place in the body (RFC 6901).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pointer: Option<String>,
    /// Of a text with lines: which line, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) line: Option<usize>,
    /// Where in that line, in characters, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) column: Option<usize>,
    /// The product it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sku: Option<String>,
    pub(crate) detail: String,
}

/// A failure on its way to the client. Cheap to clone, so that all who waited for one page share it.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    pub(crate) code: Code,
    pub(crate) detail: Cow<'static, str>,
    pub(crate) errors: Vec<FieldError>,
    /// What lies behind it; for the log, never for the client.
    pub(crate) cause: Option<String>,
    pub(crate) allow: Option<String>,
    /// Seconds to wait, where the kind of problem doesn't say.
    pub(crate) wait: Option<u32>,
}

/// As it is sent.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody<'a> {
    /// A page that explains this kind of problem.
    #[schema(example = "/docs/problems/not-found")]
    r#type: Cow<'a, str>,
    title: Cow<'a, str>,
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// This one problem, in a sentence.
    detail: Cow<'a, str>,
    /// What to name when asking for help; the server's log has it too.
    request_id: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
}

impl Problem {
    pub(crate) fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            detail: detail.into(),
            errors: Vec::new(),
            cause: None,
            allow: None,
            wait: None,
        }
    }

    pub(crate) fn not_found() -> Self {
        Self::new(Code::NotFound, "there is nothing at this address")
    }

    pub(crate) fn method_not_allowed(allow: String) -> Self {
        let detail = format!("this address takes {allow}");
        Self { allow: Some(allow), ..Self::new(Code::MethodNotAllowed, detail) }
    }

    pub(crate) fn parameter(name: &str, detail: impl Into<String>) -> Self {
        Self::of_parameter(Code::BadParameter, name, detail.into())
    }

    pub(crate) fn of_parameter(code: Code, name: &str, detail: String) -> Self {
        let sentence = format!("{name}: {detail}");
        let parameter = Some(name.to_owned());
        let error = FieldError { parameter, detail, ..FieldError::default() };
        Self { errors: vec![error], ..Self::new(code, sentence) }
    }

    pub(crate) fn field(pointer: &str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        let sentence = format!("{pointer}: {detail}");
        let pointer = Some(pointer.to_owned());
        let error = FieldError { pointer, detail, ..FieldError::default() };
        Self { errors: vec![error], ..Self::new(Code::BadContent, sentence) }
    }

    /// Of a part of the body that stands at `pointer`: its errors point there.
    pub(crate) fn inside(mut self, pointer: &str) -> Self {
        for place in self.errors.iter_mut().filter_map(|error| error.pointer.as_mut()) {
            place.insert_str(0, pointer);
        }
        // A sentence about one field begins with its place.
        if self.detail.starts_with('/') {
            self.detail.to_mut().insert_str(0, pointer);
        }
        self
    }

    pub(crate) fn too_large(most: u64) -> Self {
        Self::new(Code::BodyTooLarge, format!("the body may have at most {most} bytes"))
    }

    /// A failure of ours: the client is told no more than that.
    pub(crate) fn internal(cause: impl ToString) -> Self {
        let told = "this request failed here; the request's id finds it in the log";
        Self { cause: Some(cause.to_string()), ..Self::new(Code::Internal, told) }
    }

    pub(crate) fn unavailable(detail: &'static str, cause: impl ToString) -> Self {
        Self { cause: Some(cause.to_string()), ..Self::new(Code::Unavailable, detail) }
    }

    /// Tried too often; how long to wait for the next try.
    pub(crate) fn too_many(told: String, wait: Duration) -> Self {
        let seconds = u32::try_from(wait.as_secs().saturating_add(1)).unwrap_or(u32::MAX);
        Self { wait: Some(seconds), ..Self::new(Code::TooMany, told) }
    }

    pub(crate) fn overloaded(detail: &'static str) -> Self {
        Self::new(Code::Overloaded, detail)
    }

    /// Seconds after which the same request may go better.
    pub(crate) fn retry_after(&self) -> Option<u32> {
        if self.wait.is_some() {
            return self.wait;
        }
        match self.code {
            Code::Overloaded | Code::KeyInFlight => Some(1),
            Code::Unavailable | Code::TimedOut | Code::Maintenance => Some(5),
            _ => None,
        }
    }

    /// A response that carries the problem to the edge, which knows the request's id and whether
    /// a person or a program asked.
    pub(crate) fn into_response<B: Default>(self) -> Response<B> {
        let mut response = Response::new(B::default());
        *response.status_mut() = self.code.status();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after() {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if self.code.status() == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer realm=\"stoa\"");
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        if let Some(Ok(allow)) = self.allow.as_deref().map(HeaderValue::from_str) {
            headers.insert(header::ALLOW, allow);
        }
        response.extensions_mut().insert(self);
        response
    }

    pub(crate) fn json(&self, request_id: &str) -> Vec<u8> {
        let body = ProblemBody {
            r#type: format!("/docs/problems/{}", self.code.slug()).into(),
            title: self.code.title().into(),
            status: self.code.status().as_u16(),
            detail: self.detail.as_ref().into(),
            request_id: request_id.into(),
            errors: self.errors.clone(),
        };
        serde_json::to_vec(&body).unwrap_or_default()
    }
}

impl From<DocumentsError> for Problem {
    fn from(error: DocumentsError) -> Self {
        match error {
            DocumentsError::Full(_) => Self {
                cause: Some(error.to_string()),
                ..Self::new(Code::NoRoom, "the local documents have no room")
            },
            DocumentsError::Corrupt(_) => Self::internal(error),
            DocumentsError::Unavailable(_) => {
                Self::unavailable("the catalogue is away at the moment", error)
            }
        }
    }
}

impl From<BlobError> for Problem {
    fn from(error: BlobError) -> Self {
        match error {
            BlobError::Unavailable(_) => {
                Self::unavailable("the files are away at the moment", error)
            }
            BlobError::Full(_) => Self {
                cause: Some(error.to_string()),
                ..Self::new(Code::NoRoom, "the files have no room; nothing was changed")
            },
            BlobError::BadKey(_) => Self::not_found(),
            BlobError::Taken(_) => Self::new(Code::Conflict, error.to_string()),
            BlobError::TooLarge { .. } => Self::internal(error),
        }
    }
}

impl From<SearchError> for Problem {
    fn from(error: SearchError) -> Self {
        match error {
            SearchError::Unavailable(_) => {
                Self::unavailable("search is away at the moment; categories still work", error)
            }
            SearchError::Full(_) => Self {
                cause: Some(error.to_string()),
                ..Self::new(Code::NoRoom, "the search index has no room")
            },
            SearchError::Corrupt(_) => Self::internal(error),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => {
                Self::unavailable("the database is away at the moment", error)
            }
            StoreError::Full(_) => Self {
                cause: Some(error.to_string()),
                ..Self::new(Code::NoRoom, "the database has no room; nothing was changed")
            },
            StoreError::Corrupt(_) | StoreError::Refused(_) => Self::internal(error),
        }
    }
}

impl From<WriteError> for Problem {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Overloaded { .. } => Self::overloaded("too many changes are waiting"),
            WriteError::Unknown => Self {
                cause: Some(error.to_string()),
                ..Self::new(Code::TimedOut, "it is unknown whether the change was made")
            },
            WriteError::Stopping => Self::unavailable("the server is stopping", error),
            WriteError::Store(error) => error.into(),
        }
    }
}

impl From<AskError> for Problem {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Busy => Self::overloaded("too many questions are waiting"),
            AskError::Unanswered(error) => error.into(),
            AskError::Search(error) => error.into(),
        }
    }
}

impl From<CallError> for Problem {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Full => Self::overloaded("too much is asked at the moment"),
            CallError::Stopped => Self::unavailable("the server is stopping", error),
            CallError::Lost | CallError::TimedOut => Self {
                cause: Some(error.to_string()),
                ..Self::new(Code::TimedOut, "no answer was ready in time")
            },
        }
    }
}

impl From<ImportsError> for Problem {
    fn from(error: ImportsError) -> Self {
        let cause = Some(error.to_string());
        let problem = match error {
            ImportsError::Options(_) | ImportsError::Source(_) => {
                return Self::new(Code::BadContent, error.to_string());
            }
            ImportsError::TooLarge { most } => return Self::too_large(most),
            ImportsError::NoRoom(_) => Self::new(Code::NoRoom, "there is no room for the rows"),
            ImportsError::Body(_) => Self::new(Code::BadBody, "the rows did not arrive whole"),
            ImportsError::NotResumable(_) => return Self::new(Code::Conflict, error.to_string()),
            ImportsError::Folder(cause) => return Self::internal(cause),
            ImportsError::Store(error) | ImportsError::Sink(SinkError::Store(error)) => {
                return error.into();
            }
            ImportsError::Sink(SinkError::Full) => {
                Self::overloaded("the database has too much to do at the moment")
            }
            ImportsError::Sink(SinkError::Unknown) => Self::new(
                Code::TimedOut,
                "no answer was ready in time; look whether the import is in the list",
            ),
            ImportsError::Sink(SinkError::Stopped) => {
                Self::new(Code::Unavailable, "the server is stopping")
            }
        };
        Self { cause, ..problem }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_names_its_type_and_what_is_wrong() {
        let problem = Problem::parameter("limit", "a whole number from 1 to 100");
        let body: serde_json::Value = serde_json::from_slice(&problem.json("r-1")).unwrap();
        assert_eq!(body["type"], "/docs/problems/bad-parameter");
        assert_eq!(body["status"], 400);
        assert_eq!(body["request_id"], "r-1");
        assert_eq!(body["errors"][0]["parameter"], "limit");
    }

    #[test]
    fn what_lies_behind_a_failure_stays_in_the_log() {
        let problem = Problem::internal("password=hunter2");
        let body = String::from_utf8(problem.json("r-1")).unwrap();
        assert!(!body.contains("hunter2"));
    }

    #[test]
    fn whoever_may_come_back_is_told_when() {
        for code in Code::ALL {
            let problem = Problem::new(*code, "");
            let retry = problem.clone().into_response::<()>();
            let told = retry.headers().contains_key(header::RETRY_AFTER);
            let may = code.status() == StatusCode::SERVICE_UNAVAILABLE;
            assert_eq!(told, may || *code == Code::KeyInFlight, "{code:?}");
        }
    }

    #[test]
    fn every_kind_has_an_address_of_its_own() {
        let mut slugs: Vec<_> = Code::ALL.iter().map(|c| c.slug()).collect();
        slugs.sort_unstable();
        slugs.dedup();
        assert_eq!(slugs.len(), Code::ALL.len());
    }
}
