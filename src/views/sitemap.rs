//! What search engines read first: the sitemap (sitemaps.org 0.9) and `robots.txt` (RFC 9309).

use crate::domain::time::Micros;
use crate::views::shell::Shell;
use bytes::Bytes;

/// The most entries one file may have; a larger shop splits its own and lists the parts in an
/// index.
pub const MOST_SITEMAP_ENTRIES: usize = 50_000;

/// A page, or a part of the sitemap.
#[derive(Debug, Clone)]
pub struct SitemapEntry {
    /// With its slash: `/p/a-product`, `/sitemap-2.xml`.
    pub path: String,
    pub changed: Option<Micros>,
}

pub fn sitemap_index(shell: &Shell, parts: &[SitemapEntry]) -> Bytes {
    list(shell, "sitemapindex", "sitemap", parts)
}

/// At most [`MOST_SITEMAP_ENTRIES`] pages.
pub fn sitemap(shell: &Shell, pages: &[SitemapEntry]) -> Bytes {
    list(shell, "urlset", "url", pages)
}

pub fn robots_txt(shell: &Shell) -> Bytes {
    // Filtered and paged lists ask by themselves not to be indexed; they may be followed.
    let text = format!(
        "User-agent: *\nDisallow: /api/\nDisallow: /ops\nDisallow: /search\nDisallow: /account\nDisallow: /admin\n\nSitemap: {}/sitemap.xml\n",
        shell.url
    );
    text.into()
}

fn list(shell: &Shell, root: &str, item: &str, entries: &[SitemapEntry]) -> Bytes {
    let url = escaped(&shell.url);
    let mut xml = String::with_capacity(128 + entries.len() * (96 + url.len()));
    xml.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<");
    xml.push_str(root);
    xml.push_str(" xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n");
    for entry in entries {
        for part in ["<", item, "><loc>", &url, &escaped(&entry.path), "</loc>"] {
            xml.push_str(part);
        }
        if let Some(changed) = entry.changed {
            for part in ["<lastmod>", &changed.day(), "</lastmod>"] {
                xml.push_str(part);
            }
        }
        for part in ["</", item, ">\n"] {
            xml.push_str(part);
        }
    }
    for part in ["</", root, ">\n"] {
        xml.push_str(part);
    }
    xml.into()
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            c => out.push(c),
        }
    }
    out
}
