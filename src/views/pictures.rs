//! Which address a picture gets: ours, an allowed host's, or the drawn placeholder's.

use crate::domain::{document::ProductDocument, sku::Sku};
use crate::views::address::Encoded;

/// The hosts that pictures may come from besides our own; the content security policy's
/// `img-src` must name the same ones.
#[derive(Debug, Clone, Default)]
pub struct Pictures {
    hosts: Vec<String>,
}

impl Pictures {
    /// `hosts` as they stand in an address: `cdn.example.com`, or with a port.
    pub fn from_hosts(hosts: Vec<String>) -> Self {
        Self { hosts }
    }

    /// A product's main picture.
    pub(super) fn main(&self, doc: &ProductDocument) -> String {
        let main = doc.images.iter().find(|url| self.allows(url));
        main.cloned().unwrap_or_else(|| placeholder(&doc.sku))
    }

    /// Every picture that may be shown; the placeholder when there is none.
    pub(super) fn all(&self, doc: &ProductDocument) -> Vec<String> {
        let shown: Vec<_> = doc.images.iter().filter(|url| self.allows(url)).cloned().collect();
        if shown.is_empty() { vec![placeholder(&doc.sku)] } else { shown }
    }

    fn allows(&self, url: &str) -> bool {
        if url.starts_with('/') {
            // `//host/…` and `/\host/…` lead away from us.
            return !matches!(url.as_bytes().get(1), Some(b'/' | b'\\'));
        }
        let Some(rest) = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))
        else {
            return false;
        };
        let host = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
        self.hosts.iter().any(|allowed| allowed.eq_ignore_ascii_case(host))
    }
}

/// Where http serves `drawings::placeholder_svg` for a SKU.
pub(super) fn placeholder(sku: &Sku) -> String {
    format!("/media/placeholder/{}.svg", Encoded(sku.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_and_configured_hosts_are_asked_for_pictures() {
        let ours = Pictures::default();
        assert!(ours.allows("/media/demo/drill/7.svg"));
        for url in [
            "https://cdn.example.com/a.jpg",
            "//cdn.example.com/a.jpg",
            "/\\cdn.example.com/a.jpg",
            "data:image/png;base64,AAAA",
            "javascript:alert(1)",
            "",
        ] {
            assert!(!ours.allows(url), "{url}");
        }
        let more = Pictures::from_hosts(vec!["cdn.example.com".into()]);
        assert!(more.allows("https://CDN.example.com/a.jpg?x=1"));
        assert!(!more.allows("https://cdn.example.com.evil.test/a.jpg"));
        assert!(!more.allows("https://cdn.example.com@evil.test/a.jpg"));
    }

    #[test]
    fn a_placeholder_address_escapes_the_sku() {
        let sku = Sku::new("A/1?b#\"").unwrap();
        assert_eq!(placeholder(&sku), "/media/placeholder/A%2F1%3Fb%23%22.svg");
    }
}
