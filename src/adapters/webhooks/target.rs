//! Where to post: a URL's parts, of a form that nothing is hidden in.

use super::Reach;
use http::{Uri, uri::PathAndQuery};

/// No URL is longer.
const MOST_URL: usize = 2_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// By https.
    pub(super) secure: bool,
    /// A name, or an address without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// For the `Host` header: the host as it was written, with the port if it was.
    pub(super) authority: String,
    pub(super) path: String,
}

impl Target {
    /// The error is a sentence.
    pub(super) fn read(url: &str, reach: Reach) -> Result<Self, String> {
        if url.len() > MOST_URL {
            return Err(format!("the URL is longer than {MOST_URL} bytes"));
        }
        let uri: Uri = url.parse().map_err(|error| format!("this is no URL: {error}"))?;
        let secure = match (uri.scheme_str(), reach) {
            (Some("https"), _) => true,
            (Some("http"), Reach::Anywhere) => false,
            (Some("http"), Reach::Public) => {
                return Err("the URL must begin with https://".to_owned());
            }
            _ => return Err("the URL must be a whole one, as https://example.com/hook".to_owned()),
        };
        let Some(authority) = uri.authority().map(|authority| authority.as_str()) else {
            return Err("the URL names no host".to_owned());
        };
        if authority.contains('@') {
            return Err("the URL must not hold a user's name".to_owned());
        }
        let host = uri.host().filter(|host| !host.is_empty()).ok_or("the URL names no host")?;
        let port = match authority.strip_prefix(host) {
            Some("") if secure => 443,
            Some("") => 80,
            Some(port) => port
                .strip_prefix(':')
                .and_then(|port| port.parse().ok())
                .filter(|port| *port != 0)
                .ok_or("the URL's port is none")?,
            None => return Err("the URL's host can't be read".to_owned()),
        };
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        Ok(Self {
            secure,
            host: bare.unwrap_or(host).to_owned(),
            port,
            authority: authority.to_owned(),
            path: uri.path_and_query().map_or("/", PathAndQuery::as_str).to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Target {
        Target::read(url, Reach::Anywhere).unwrap()
    }

    #[test]
    fn a_url_comes_apart() {
        let whole = read("https://hooks.example.com:8443/in?shop=1#not-sent");
        assert_eq!(
            whole,
            Target {
                secure: true,
                host: "hooks.example.com".into(),
                port: 8443,
                authority: "hooks.example.com:8443".into(),
                path: "/in?shop=1".into(),
            }
        );
        let short = read("http://example.com");
        assert_eq!((short.port, short.path.as_str(), short.secure), (80, "/", false));
        assert_eq!(read("https://example.com").port, 443);
        let six = read("https://[2606:4700::1111]:444/");
        assert_eq!(
            (six.host.as_str(), six.authority.as_str()),
            ("2606:4700::1111", "[2606:4700::1111]:444")
        );
    }

    #[test]
    fn what_is_no_plain_url_is_refused() {
        let long = format!("https://example.com/{}", "a".repeat(MOST_URL));
        for (url, why) in [
            ("", "no URL"),
            ("example.com", "whole"),
            ("/hook", "whole"),
            ("ftp://example.com/", "whole"),
            ("file:///etc/passwd", "no URL"),
            ("https://", "no URL"),
            ("https://someone@example.com/", "user"),
            ("https://example.com@127.0.0.1/", "user"),
            ("https://example.com:0/", "port"),
            ("https://example.com:99999/", "port"),
            ("https://exa mple.com/", "no URL"),
            ("https://example.com\\@127.0.0.1/", "no URL"),
            ("https://example.com/\r\nHost: other", "no URL"),
            ("https://ex\u{e4}mple.com/", "no URL"),
            (long.as_str(), "longer"),
        ] {
            let told = Target::read(url, Reach::Anywhere).unwrap_err();
            assert!(told.contains(why), "{url}: {told}");
        }
        let told = Target::read("http://example.com/", Reach::Public).unwrap_err();
        assert!(told.contains("https"), "{told}");
    }
}
