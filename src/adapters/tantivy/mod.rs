//! The embedded search engine.
//!
//! [`open`] gives two halves over one folder: [`TantivySearch`] answers questions and is cheap
//! to clone, [`TantivyIndex`] follows the documents and belongs to one indexer. Before the first
//! index is built, and while one that can't be read is rebuilt, questions are
//! [`SearchError::Unavailable`], never empty.
//!
//! How a question is answered:
//!
//! 1. `words` cuts its text into folded words, `plan` looks them up: one posting list a word
//!    serves all fields, its term frequencies saying where the word is (name, brand …).
//! 2. `matching` folds the lists into scored products. All words must match; if none does, near
//!    spellings are tried, and last products with most of the words (two of three, three of
//!    four) are taken.
//! 3. `collect` filters, counts and keeps the best in one pass over decoded columns (`rows`).
//! 4. `highlight` marks the words in the texts of the page's hits.
//!
//! A list without words has nothing to look up; `browse` keeps what such lists come to, as long as
//! the view they were taken from.
//!
//! Nothing here holds what is not on disk: the process may die at any moment.

mod ask;
mod browse;
mod collect;
mod error;
mod folder;
mod highlight;
mod index;
mod matching;
mod memo;
mod newest;
mod plan;
mod popular;
mod rows;
mod schema;
mod view;
mod words;

pub use index::TantivyIndex;

use crate::{
    domain::{
        scope::Scope,
        search::{SearchPage, SearchQuery, Suggestions},
    },
    ports::search::{Search, SearchError},
};
use std::{
    path::Path,
    sync::{Arc, PoisonError, RwLock},
};
use view::View;

/// Opens the index of a folder, which is made if it isn't there. One that is damaged or of
/// another version counts as none: [`SearchIndex::position`](crate::ports::search::SearchIndex)
/// is `None` until it is rebuilt.
pub fn open(folder: &Path) -> Result<(TantivySearch, TantivyIndex), SearchError> {
    let shared = Arc::new(Shared::default());
    let index = TantivyIndex::open(folder, Arc::clone(&shared))?;
    Ok((TantivySearch { shared }, index))
}

/// The reading half alone, beside the process that owns the folder. It shows the index as it is
/// now and doesn't follow.
pub fn open_to_read(folder: &Path) -> Result<TantivySearch, SearchError> {
    let shared = Arc::new(Shared::default());
    TantivyIndex::look(folder, Arc::clone(&shared))?;
    Ok(TantivySearch { shared })
}

/// The adapter's reading half.
#[derive(Clone)]
pub struct TantivySearch {
    shared: Arc<Shared>,
}

/// What the two halves share: the newest view.
#[derive(Default)]
struct Shared {
    view: RwLock<Option<Arc<View>>>,
}

impl Shared {
    fn view(&self) -> Option<Arc<View>> {
        self.view.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn publish(&self, view: View) {
        *self.view.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(view));
    }
}

impl TantivySearch {
    fn view(&self) -> Result<Arc<View>, SearchError> {
        let building = || SearchError::Unavailable("the search index is being built".into());
        self.shared.view().ok_or_else(building)
    }
}

impl Search for TantivySearch {
    fn search(&self, query: &SearchQuery) -> Result<SearchPage, SearchError> {
        Ok(self.view()?.search(query)?)
    }

    fn ready(&self, query: &SearchQuery) -> Option<SearchPage> {
        self.shared.view()?.ready(query)
    }

    fn suggest(
        &self,
        scope: &Scope,
        typed: &str,
        limit: usize,
    ) -> Result<Suggestions, SearchError> {
        Ok(self.view()?.suggest(scope, typed, limit)?)
    }

    fn generation(&self) -> u64 {
        self.shared.view().map_or(0, |view| view.generation)
    }

    fn count(&self) -> u64 {
        self.shared.view().map_or(0, |view| view.count)
    }
}
