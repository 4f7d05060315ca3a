//! Our own CSS, JavaScript and icon, compiled in under names that change with their content.

use std::sync::LazyLock;

/// One file as http serves it. Its path changes whenever its bytes do, so it may be cached for
/// good.
#[derive(Debug)]
pub struct Asset {
    pub name: &'static str,
    /// `/assets/shop.<hash>.css`.
    pub path: String,
    pub bytes: &'static [u8],
    pub content_type: &'static str,
    /// Of the content, sixteen hex digits; a strong ETag once in quotes.
    pub hash: String,
}

const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    vec![
        asset(
            "shop.css",
            CSS,
            concat!(include_str!("assets/tokens.css"), include_str!("assets/shop.css")).as_bytes(),
        ),
        asset("theme.js", SCRIPT, include_bytes!("assets/theme.js")),
        asset("shop.js", SCRIPT, include_bytes!("assets/shop.js")),
        asset("admin.css", CSS, include_bytes!("assets/admin.css")),
        asset("docs.css", CSS, include_bytes!("assets/docs.css")),
        asset("docs.js", SCRIPT, include_bytes!("assets/docs.js")),
        asset("icon.svg", "image/svg+xml", include_bytes!("assets/icon.svg")),
    ]
});

/// Every asset, for http to serve by path.
pub fn assets() -> &'static [Asset] {
    &ASSETS
}

/// Where an asset is served.
pub(super) fn asset_path(name: &str) -> &'static str {
    let known = assets().iter().find(|asset| asset.name == name);
    known.map(|asset| asset.path.as_str()).expect("templates name assets that are in the table")
}

fn asset(name: &'static str, content_type: &'static str, bytes: &'static [u8]) -> Asset {
    let hash = format!("{:016x}", fnv1a(bytes));
    let (stem, extension) = name.split_once('.').unwrap_or((name, ""));
    Asset { name, path: format!("/assets/{stem}.{hash}.{extension}"), bytes, content_type, hash }
}

/// FNV-1a, 64 bits: tells our own versions apart; nobody hostile writes these files.
pub(super) fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
