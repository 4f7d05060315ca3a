//! A rebuild under way: a shadow, and how much of the documents is in it.

use super::{CHUNK, Into, ReindexPhase, SearchIndexParts, Trouble};
use crate::{
    domain::{event::Position, id::ProductId, time::Micros},
    ports::search::{IndexChange, SearchError},
};
use std::sync::Arc;

pub(super) struct Rebuild {
    /// Where the documents stood: what happened since is read again behind the walk, as it may
    /// have touched what the walk had passed.
    pub(super) began_at: Position,
    caught_up: Position,
    began: Micros,
    stage: Stage,
    done: u64,
    total: u64,
}

enum Stage {
    Walking { scope: usize, after: Option<ProductId> },
    CatchingUp,
}

impl Rebuild {
    pub(super) async fn begin(
        parts: &SearchIndexParts,
        began_at: Position,
    ) -> Result<Self, Trouble> {
        parts.index.lock().await.begin_shadow().await?;
        let rebuild = Self {
            began_at,
            caught_up: began_at,
            began: parts.clock.now(),
            stage: Stage::Walking { scope: 0, after: None },
            done: 0,
            total: parts.documents.count()?,
        };
        rebuild.show(parts, ReindexPhase::Walking);
        tracing::info!(search.documents = rebuild.total, "search index rebuild begins");
        Ok(rebuild)
    }

    /// True when the new index is live.
    pub(super) async fn step(
        &mut self,
        parts: &SearchIndexParts,
        target: Position,
    ) -> Result<bool, Trouble> {
        match self.stage {
            Stage::Walking { scope, after } => {
                self.walk(parts, scope, after).await?;
                Ok(false)
            }
            Stage::CatchingUp => self.catch_up(parts, target).await,
        }
    }

    async fn walk(
        &mut self,
        parts: &SearchIndexParts,
        number: usize,
        after: Option<ProductId>,
    ) -> Result<(), Trouble> {
        let Some(scope) = parts.scopes.get(number) else {
            self.stage = Stage::CatchingUp;
            self.show(parts, ReindexPhase::CatchingUp);
            return Ok(());
        };
        let (documents, scope_too) = (Arc::clone(&parts.documents), scope.clone());
        let page = parts.reading(move || documents.page_by_id(&scope_too, after, CHUNK)).await??;
        let Some(last) = page.last() else {
            self.stage = Stage::Walking { scope: number + 1, after: None };
            return Ok(());
        };
        self.stage = Stage::Walking { scope: number, after: Some(last.id) };
        self.done += page.len() as u64;
        let changes = page.into_iter().map(|product| IndexChange::Put(Box::new(product))).collect();
        parts.put(Into::Shadow, scope, changes).await?;
        self.show(parts, ReindexPhase::Walking);
        Ok(())
    }

    async fn catch_up(
        &mut self,
        parts: &SearchIndexParts,
        target: Position,
    ) -> Result<bool, Trouble> {
        let Some((events, to)) = parts.events(self.caught_up, target).await? else {
            let why = "the log was pruned while the index was rebuilt";
            return Err(SearchError::Unavailable(why.into()).into());
        };
        if to != self.caught_up {
            parts.give(Into::Shadow, &events).await?;
            self.caught_up = to;
        }
        if to.offset < target.offset {
            return Ok(false);
        }
        parts.index.lock().await.swap(self.caught_up).await?;
        self.show(parts, ReindexPhase::Done);
        tracing::info!(
            search.documents = self.done,
            search.took_ms = (parts.clock.now().0 - self.began.0) / 1_000,
            "search index rebuilt"
        );
        Ok(true)
    }

    fn show(&self, parts: &SearchIndexParts, phase: ReindexPhase) {
        let took = Micros(parts.clock.now().0 - self.began.0);
        parts.desk.show(phase, self.done, self.total, took);
    }
}
