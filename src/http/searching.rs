//! The search pool's handle, as the edge asks it.

use crate::{
    actors::{
        reconcilers::search_index::{ReindexPhase, ReindexProgress},
        workers::search_pool::SearchHandle,
    },
    domain::{
        scope::Scope,
        search::{SearchPage, SearchQuery, Suggestions},
    },
    http::{
        error::Problem,
        handles::{Reindex, ReindexState, Searching},
    },
};
use async_trait::async_trait;

#[async_trait]
impl Searching for SearchHandle {
    async fn search(&self, query: SearchQuery) -> Result<SearchPage, Problem> {
        Ok(Self::search(self, query).await?)
    }

    fn ready(&self, query: &SearchQuery) -> Option<SearchPage> {
        Self::ready(self, query)
    }

    async fn suggest(
        &self,
        scope: Scope,
        typed: String,
        limit: usize,
    ) -> Result<Suggestions, Problem> {
        Ok(Self::suggest(self, scope, typed, limit).await?)
    }

    fn generation(&self) -> u64 {
        Self::generation(self)
    }

    async fn reindex(&self) -> Result<Reindex, Problem> {
        let watch = Self::reindex(self);
        let now = shown(&watch.borrow());
        now.ok_or_else(|| Problem::internal("a rebuild that was just asked for is unknown"))
    }

    fn reindex_progress(&self) -> Option<Reindex> {
        shown(&Self::reindex_progress(self).borrow())
    }
}

fn shown(now: &ReindexProgress) -> Option<Reindex> {
    let state = match now.phase {
        ReindexPhase::None => return None,
        ReindexPhase::Asked | ReindexPhase::Walking | ReindexPhase::CatchingUp => {
            ReindexState::Running
        }
        ReindexPhase::Done => ReindexState::Succeeded,
        ReindexPhase::Failed => ReindexState::Failed,
    };
    Some(Reindex { state, done: now.done, total: now.total, message: now.message.clone() })
}
