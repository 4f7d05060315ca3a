//! `/docs`.

use crate::http::resource::Resource;
pub(crate) fn resources() -> Vec<Resource> { Vec::new() }
