//! The engine's own speed, for `stoa bench`: the index of a folder asked in this process.

use super::BootError;
use crate::{
    adapters::tantivy,
    config::Config,
    domain::{scope::Scope, search::SearchQuery},
    folder::Folder,
    ports::search::Search,
};

/// Opens the live index to read, beside the server that writes it, and answers a question as the
/// API does: 24 hits by relevance, with facets.
pub(crate) fn bench_search(
    config: &Config,
    folder: &Folder,
) -> Result<impl Fn(&str) -> Result<(), String> + Send + Sync + 'static + use<>, BootError> {
    let search = tantivy::open_to_read(&folder.index())?;
    let scope = Scope { locale: config.shop.locale.clone(), ..Scope::default() };
    Ok(move |text: &str| {
        let query = SearchQuery {
            text: text.to_owned(),
            facets: true,
            ..SearchQuery::everything(scope.clone())
        };
        search.search(&query).map(drop).map_err(|error| error.to_string())
    })
}
