//! Requests that another site makes in a visitor's name, refused.
//!
//! A browser sends our cookie along whoever made it ask. So what changes something and came with
//! the cookie must prove that a page of ours asked: by `Origin` or `Sec-Fetch-Site`, which no
//! script of another site can set, and a form by a token too that stands in the form alone. The
//! token is a hash of a cookie that no script can read, so it needs no memory here. A bearer's
//! token is sent by nobody's browser unasked: those requests are free of all that.

use crate::{
    domain::secret::Secret,
    http::{
        config::HttpConfig,
        error::{Code, Problem},
        form::Form,
    },
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderName, header};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The field of a form that holds its token.
pub(crate) const FIELD: &str = "form_token";

/// What a form must prove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    /// Where it comes from, and the token it was shown with.
    Token,
    /// Where it comes from alone: for forms on pages that are the same for everybody, where a
    /// forged one does little, such as putting something into a cart.
    Origin,
}

/// What a form that is shown to the holder of this cookie has in it.
pub(crate) fn token(cookie: &Secret) -> String {
    let hash = Sha256::new().chain_update(b"stoa form\0").chain_update(cookie.expose());
    URL_SAFE_NO_PAD.encode(&hash.finalize()[..24])
}

/// Whether it was shown to the holder of one of these.
pub(crate) fn check_token(form: &Form, cookies: &[Option<&Secret>]) -> Result<(), Problem> {
    let given = form.raw(FIELD).as_bytes();
    let fits = |cookie: &&Secret| bool::from(token(cookie).as_bytes().ct_eq(given));
    if cookies.iter().flatten().any(fits) {
        return Ok(());
    }
    Err(Problem::new(
        Code::Forged,
        "this form is from before you logged in or out, or cookies are turned off: go back, load \
         the page again, and send it once more",
    ))
}

/// Whether the headers tell that a page of ours asks; `None`: they tell nothing.
fn from_here(headers: &HeaderMap, config: &HttpConfig) -> Option<bool> {
    let site = headers.get(SITE).map(|site| {
        // `none`: typed or bookmarked by the visitor themselves.
        matches!(site.as_bytes(), b"same-origin" | b"none")
    });
    let origin = headers.get(header::ORIGIN).map(|origin| {
        let Ok(origin) = origin.to_str() else { return false };
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let told = origin.split_once("://").map(|(_, authority)| authority);
        origin.eq_ignore_ascii_case(&config.origin())
            || told.zip(host).is_some_and(|(told, host)| told.eq_ignore_ascii_case(host))
    });
    match (site, origin) {
        (None, None) => None,
        (site, origin) => Some(site.unwrap_or(true) && origin.unwrap_or(true)),
    }
}

/// To be asked for each change that came with a cookie, and for each form. `silent`: whether it is
/// enough that the headers say nothing, as something else will prove it.
pub(crate) fn check_origin(
    headers: &HeaderMap,
    config: &HttpConfig,
    silent: bool,
) -> Result<(), Problem> {
    if from_here(headers, config).unwrap_or(silent) {
        return Ok(());
    }
    Err(Problem::new(
        Code::Forged,
        "this did not come from a page of this shop; a program sends its token as a bearer instead \
         of a cookie",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(headers: &[(HeaderName, &'static str)]) -> Option<bool> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(name.clone(), value.parse().unwrap());
        }
        let config =
            HttpConfig { public_url: Some("https://shop.example".into()), ..HttpConfig::default() };
        from_here(&map, &config)
    }

    #[test]
    fn only_our_own_pages_may_ask() {
        for (headers, here) in [
            (vec![], None),
            (vec![(SITE, "same-origin")], Some(true)),
            (vec![(SITE, "same-site")], Some(false)),
            (vec![(SITE, "cross-site")], Some(false)),
            (vec![(header::ORIGIN, "https://shop.example")], Some(true)),
            (vec![(header::ORIGIN, "https://evil.example")], Some(false)),
            (vec![(header::ORIGIN, "https://shop.example.evil.example")], Some(false)),
            (vec![(header::ORIGIN, "null")], Some(false)),
            (vec![(SITE, "cross-site"), (header::ORIGIN, "https://shop.example")], Some(false)),
            (vec![(SITE, "same-origin"), (header::ORIGIN, "https://evil.example")], Some(false)),
            (
                vec![(header::HOST, "10.0.0.2:80"), (header::ORIGIN, "http://10.0.0.2:80")],
                Some(true),
            ),
            (vec![(header::HOST, "10.0.0.2:80"), (header::ORIGIN, "http://10.0.0.2")], Some(false)),
        ] {
            assert_eq!(told(&headers), here, "{headers:?}");
        }
    }

    #[test]
    fn a_token_fits_its_cookie_alone_and_tells_nothing_of_it() {
        let (mine, other) = (Secret::new("mine"), Secret::new("other"));
        let form = Form::read(format!("{FIELD}={}", token(&mine)).as_bytes()).unwrap();
        assert!(check_token(&form, &[Some(&mine)]).is_ok());
        assert!(check_token(&form, &[None, Some(&mine)]).is_ok());
        assert!(check_token(&form, &[Some(&other)]).is_err());
        assert!(check_token(&form, &[None]).is_err());
        assert!(check_token(&Form::default(), &[Some(&mine)]).is_err());
        assert!(!token(&mine).contains("mine"));
    }
}
