//! `/robots.txt` and the sitemap.

use crate::http::resource::Resource;
pub(super) fn resources() -> Vec<Resource> { Vec::new() }
