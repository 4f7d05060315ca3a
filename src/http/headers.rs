//! Headers that keep a page from being turned against its reader.

use crate::http::config::HttpConfig;
use http::{HeaderMap, HeaderName, HeaderValue, header};

/// For pages. Scripts, styles and forms are ours alone; pictures also come from configured hosts.
pub(crate) fn of_pages(config: &HttpConfig) -> HeaderMap {
    let mut images = String::from("'self'");
    for host in &config.image_hosts {
        // Configuration allows nothing in a host that could end the directive.
        images.push_str(" https://");
        images.push_str(host);
    }
    let policy = format!(
        "default-src 'self'; img-src {images}; frame-ancestors 'none'; base-uri 'none'; \
         form-action 'self'; object-src 'none'"
    );
    let mut headers = of_data(config);
    headers.insert(header::CONTENT_SECURITY_POLICY, value(&policy));
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("strict-origin-when-cross-origin"),
    );
    headers.insert(
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=()"),
    );
    headers
}

/// For everything that isn't a page: a browser that is led there runs nothing.
pub(crate) fn of_data(config: &HttpConfig) -> HeaderMap {
    let mut headers = HeaderMap::new();
    nosniff(&mut headers);
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
    );
    if config.is_https() {
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000; includeSubDomains"),
        );
    }
    headers
}

/// A type is what we say it is.
pub(crate) fn nosniff(headers: &mut HeaderMap) {
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
}

fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_come_from_us_and_from_configured_hosts_alone() {
        let config =
            HttpConfig { image_hosts: vec!["cdn.example.com".into()], ..HttpConfig::default() };
        let headers = of_pages(&config);
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.contains("img-src 'self' https://cdn.example.com;"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
    }

    #[test]
    fn only_a_shop_on_https_demands_it() {
        let hsts = |url: Option<&str>| {
            let config = HttpConfig { public_url: url.map(Into::into), ..HttpConfig::default() };
            of_pages(&config).contains_key(header::STRICT_TRANSPORT_SECURITY)
        };
        assert!(hsts(Some("https://shop.example")));
        assert!(!hsts(Some("http://shop.example")) && !hsts(None));
    }
}
