//! What an operator may set of the edge, with the defaults beside the keys.

use crate::{domain::money::Currency, http::client::Trusted};
use serde::{Deserialize, Serialize};
use std::{net::SocketAddr, time::Duration};

/// The `[http]` section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct HttpConfig {
    /// Where the shop is served.
    pub(crate) listen: SocketAddr,
    /// What shoppers type: `https://shop.example.com`. Canonical links, the sitemap and HSTS
    /// follow it. `None`: as the listener's address says.
    pub(crate) public_url: Option<String>,
    /// The shop's name, as pages say it.
    pub(crate) shop_name: String,
    /// Of prices in addresses and of filters.
    pub(crate) currency: Currency,
    /// Addresses and networks of proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` count.
    pub(crate) trusted_proxies: Vec<String>,
    /// Take passwords over plain HTTP from other machines too.
    pub(crate) insecure_http: bool,
    /// Connections served at one time; one more is answered 503 and closed. Each holds about
    /// 20 KiB, so the default is some 80 MiB.
    pub(crate) max_connections: usize,
    /// A whole request head must arrive within this, and an idle connection may wait as long.
    pub(crate) header_timeout_ms: u64,
    /// Most bytes of a request head.
    pub(crate) header_bytes: usize,
    /// Most bytes of an address; longer ones are answered 414.
    pub(crate) uri_bytes: usize,
    /// From the head to the answer; uploads have no limit as a whole, only for each piece.
    pub(crate) request_timeout_ms: u64,
    /// A client that takes or sends nothing for this long in the middle of a body is cut.
    pub(crate) stall_timeout_ms: u64,
    /// What requests that are being answered get when the server stops.
    pub(crate) drain_ms: u64,
    /// A request that takes longer is logged as a warning.
    pub(crate) slow_ms: u64,
    /// Most bytes of a JSON body.
    pub(crate) json_body_bytes: u64,
    /// Most bytes of an import's body, as sent.
    pub(crate) import_body_bytes: u64,
    /// The page cache's cap. 0 turns it off.
    pub(crate) cache_bytes: u64,
    /// Hosts that pictures may come from besides our own: `cdn.example.com`.
    pub(crate) image_hosts: Vec<String>,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            public_url: None,
            shop_name: "Stoa".into(),
            currency: Currency::USD,
            trusted_proxies: vec!["127.0.0.0/8".into(), "::1".into()],
            insecure_http: false,
            max_connections: 4_096,
            header_timeout_ms: 15_000,
            header_bytes: 32 * 1024,
            uri_bytes: 8 * 1024,
            request_timeout_ms: 30_000,
            stall_timeout_ms: 30_000,
            drain_ms: 10_000,
            slow_ms: 1_000,
            json_body_bytes: 64 * 1024,
            import_body_bytes: 4 * 1024 * 1024 * 1024,
            cache_bytes: 64 * 1024 * 1024,
            image_hosts: Vec::new(),
        }
    }
}

impl HttpConfig {
    /// Whether the values can be worked with; the error is a sentence that names the key.
    pub(crate) fn validate(&self) -> Result<(), String> {
        let at_least = |key: &str, value: u64, least: u64| {
            if value >= least {
                return Ok(());
            }
            Err(format!("http.{key} is {value}, and must be at least {least}"))
        };
        at_least("max_connections", self.max_connections as u64, 1)?;
        at_least("header_timeout_ms", self.header_timeout_ms, 100)?;
        // hyper's read buffer has this least size.
        at_least("header_bytes", self.header_bytes as u64, 8_192)?;
        at_least("uri_bytes", self.uri_bytes as u64, 256)?;
        at_least("request_timeout_ms", self.request_timeout_ms, 100)?;
        at_least("stall_timeout_ms", self.stall_timeout_ms, 100)?;
        at_least("json_body_bytes", self.json_body_bytes, 1_024)?;
        at_least("import_body_bytes", self.import_body_bytes, 1_024)?;
        if let Some(url) = &self.public_url
            && !is_origin(url)
        {
            return Err(format!(
                "http.public_url is {url:?}, and must be a scheme and a host, such as https://shop.example.com"
            ));
        }
        if let Err(wrong) = Trusted::read(&self.trusted_proxies) {
            return Err(format!("http.trusted_proxies has an entry that can't be used: {wrong}"));
        }
        match self.image_hosts.iter().find(|host| !is_host(host)) {
            Some(host) => Err(format!(
                "http.image_hosts has {host:?}, and takes host names such as cdn.example.com"
            )),
            None => Ok(()),
        }
    }

    /// The shop's own address without a slash at its end.
    pub(crate) fn origin(&self) -> String {
        match &self.public_url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => format!("http://{}", self.listen),
        }
    }

    pub(crate) fn is_https(&self) -> bool {
        self.public_url.as_ref().is_some_and(|url| url.starts_with("https://"))
    }

    pub(super) fn header_timeout(&self) -> Duration {
        Duration::from_millis(self.header_timeout_ms)
    }

    pub(crate) fn request_timeout(&self) -> Duration {
        Duration::from_millis(self.request_timeout_ms)
    }

    pub(super) fn stall_timeout(&self) -> Duration {
        Duration::from_millis(self.stall_timeout_ms)
    }

    pub(super) fn drain(&self) -> Duration {
        Duration::from_millis(self.drain_ms)
    }

    pub(super) fn slow(&self) -> Duration {
        Duration::from_millis(self.slow_ms)
    }
}

/// A host with or without a port: nothing that could add a second source to a policy's header.
fn is_host(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-.:".contains(&b);
    !text.is_empty() && text.len() <= 255 && text.bytes().all(plain)
}

fn is_origin(url: &str) -> bool {
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    host.is_some_and(|host| is_host(host.trim_end_matches('/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid() {
        assert_eq!(HttpConfig::default().validate(), Ok(()));
    }

    #[test]
    fn a_value_that_cannot_work_is_named() {
        let with = |change: fn(&mut HttpConfig)| {
            let mut config = HttpConfig::default();
            change(&mut config);
            config.validate().unwrap_err()
        };
        assert!(with(|c| c.max_connections = 0).contains("http.max_connections"));
        assert!(with(|c| c.public_url = Some("shop".into())).contains("http.public_url"));
        assert!(with(|c| c.trusted_proxies = vec!["x".into()]).contains("trusted_proxies"));
        // A policy's header is a list: a space or semicolon would add to it.
        assert!(with(|c| c.image_hosts = vec!["a; script-src *".into()]).contains("image_hosts"));
    }

    #[test]
    fn the_origin_has_no_slash_at_its_end() {
        let config = HttpConfig {
            public_url: Some("https://shop.example/".into()),
            ..HttpConfig::default()
        };
        assert_eq!(config.origin(), "https://shop.example");
        assert!(config.is_https() && config.validate().is_ok());
    }
}
