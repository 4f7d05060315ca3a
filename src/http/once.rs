//! `Idempotency-Key`: how a client asks again without asking twice.
//!
//! An operation that says [`super::resource::Operation::once`] gets the name under which its
//! answer is kept; the write itself, its answer and the name are then committed together (see
//! `ports::writer::Once`). Whoever asks again gets the same bytes.

use crate::{
    actors::keepers::writer::OnceError,
    domain::once::{IdempotencyKey, KeptAnswer, OnceName},
    http::{
        app::App,
        error::{Code, Problem},
        extract::{Param, Takes},
        headers,
    },
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use warp::reply::Response;

pub(crate) const HEADER: HeaderName = HeaderName::from_static("idempotency-key");

/// As the API's description has it.
pub(crate) const PARAM: Param = Param::new(
    "Idempotency-Key",
    Takes::Formed { most: IdempotencyKey::MOST, pattern: "^[!-~]{1,255}$" },
    "Of your choice: the same in each attempt, another for each new wish. Asked again under it, \
     the answer is the same for a day.",
)
.required();

/// What the request is called: by whom it is asked, for what, and under which key.
pub(crate) fn name(
    headers: &HeaderMap,
    principal: &str,
    method: &Method,
    path: &str,
) -> Result<OnceName, Problem> {
    let mut given = headers.get_all(HEADER).iter();
    let bad = |told: &'static str| Problem::new(Code::BadIdempotencyKey, told);
    let Some(key) = given.next() else {
        return Err(bad("this needs the header Idempotency-Key"));
    };
    if given.next().is_some() {
        return Err(bad("Idempotency-Key comes once"));
    }
    let key = IdempotencyKey::new(key.as_bytes())
        .map_err(|_| bad("Idempotency-Key is 1 to 255 visible ASCII characters"))?;
    Ok(OnceName::new(principal, &format!("{method} {path}"), &key))
}

/// An answer as it is kept: JSON, with the headers that are its own.
pub(crate) fn kept(
    status: StatusCode,
    headers: impl IntoIterator<Item = (HeaderName, String)>,
    content_type: &str,
    body: Vec<u8>,
) -> KeptAnswer {
    let mut all = vec![(header::CONTENT_TYPE.to_string(), content_type.to_owned())];
    all.extend(headers.into_iter().map(|(name, value)| (name.to_string(), value)));
    // JSON is UTF-8.
    let body = String::from_utf8(body).unwrap_or_default();
    KeptAnswer { status: status.as_u16(), headers: all, body }
}

/// That something was made, and where it is.
pub(crate) fn made(value: &impl serde::Serialize, place: String) -> KeptAnswer {
    let body = serde_json::to_vec(value).unwrap_or_default();
    kept(StatusCode::CREATED, [(header::LOCATION, place)], "application/json", body)
}

/// A refusal that is for good, as it is kept.
pub(crate) fn kept_problem(problem: &Problem, request_id: &HeaderValue) -> KeptAnswer {
    let id = request_id.to_str().unwrap_or_default();
    kept(problem.code.status(), [], "application/problem+json", problem.json(id))
}

/// An answer as it is given, the first time and each time.
pub(crate) fn respond(app: &App, answer: KeptAnswer) -> Response {
    let mut response = Response::new(answer.body.into());
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    *response.headers_mut() = headers::of_data(&app.config);
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    for (name, value) in &answer.headers {
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value))
        {
            headers.insert(name, value);
        }
    }
    response
}

impl From<OnceError> for Problem {
    fn from(error: OnceError) -> Self {
        match error {
            OnceError::OtherBody => Self::new(
                Code::KeyReused,
                "this Idempotency-Key was used for another body; nothing was done",
            ),
            OnceError::InFlight => Self::new(
                Code::KeyInFlight,
                "a request with this Idempotency-Key is at work; ask again with the same key",
            ),
            OnceError::Write(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(keys: &[&'static str]) -> Result<OnceName, Code> {
        let mut headers = HeaderMap::new();
        for key in keys {
            headers.append(HEADER, HeaderValue::from_static(key));
        }
        name(&headers, "operator", &Method::POST, "/x").map_err(|problem| problem.code)
    }

    #[test]
    fn a_key_must_come_once_and_be_one() {
        assert_ne!(of(&["a"]).unwrap(), of(&["b"]).unwrap());
        for keys in [&[][..], &[""], &["a b"], &["a", "a"]] {
            assert_eq!(of(keys), Err(Code::BadIdempotencyKey), "{keys:?}");
        }
    }

    #[test]
    fn a_key_for_one_address_is_none_for_another() {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, HeaderValue::from_static("k"));
        let at = |path| name(&headers, "operator", &Method::POST, path).unwrap();
        assert_ne!(at("/api/v1/orders/1/cancel"), at("/api/v1/orders/2/cancel"));
    }
}
