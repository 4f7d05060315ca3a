//! Fills an empty shop with the generated catalogue and some rules, once.
//!
//! Products go in by the same door as an import's, in small batches, and rules by that of staff.
//! A kill half way leaves some of them; the next start with `--demo` sees the shop is not empty and leaves it so: the rest can
//! be had by emptying the folder.

use crate::{
    actors::{keepers::writer::StoreHandle, workers::importer::ProductSink},
    domain::{
        demo,
        id::PriceListId,
        price::{PriceEdit, PriceEntry},
        principal::Principal,
        rule::Rule,
        scope::Scope,
    },
    ports::{
        catalog::Catalog,
        clock::{Clock, Ids},
        rules::{RuleAct, RuleWrite},
        writer::{ProductBatch, Write},
    },
};
use std::sync::Arc;
use supervisors::{Child, Context, Fault, Restart, task};

const BATCH: usize = 128;

#[derive(Clone)]
pub(super) struct Demo {
    pub(super) catalog: Arc<dyn Catalog>,
    pub(super) store: StoreHandle,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<dyn Ids>,
    pub(super) scope: Scope,
}

impl Demo {
    pub(super) fn child(self) -> Child {
        task("demo", move |context| self.clone().fill(context)).restart(Restart::Transient)
    }

    async fn fill(self, context: Context) -> Result<(), Fault> {
        let there = self.catalog.product_count().await.map_err(Fault::unavailable)?;
        let products = demo::catalogue();
        if there > 0 {
            tracing::info!(
                products = there,
                "the shop is not empty, so the demo leaves it as it is"
            );
            return Ok(());
        }
        for batch in products.chunks(BATCH) {
            if context.stopping() {
                return Ok(());
            }
            let batch = ProductBatch {
                scope: self.scope.clone(),
                products: batch.to_vec(),
                checkpoint: None,
                supposed: Vec::new(),
                dry_run: false,
                at: self.clock.now(),
            };
            self.store.write(Write::Products(batch)).await.map_err(Fault::unavailable)?;
        }
        self.set_rules(&context).await?;
        tracing::info!(products = products.len(), "the demo catalogue is in");
        Ok(())
    }

    async fn set_rules(&self, context: &Context) -> Result<(), Fault> {
        for rule in demo::rules(&self.scope.site, || self.ids.next()) {
            if let Rule::PriceList(assigned) = &rule {
                let list = assigned.list.id;
                self.act(RuleAct::Put { rule: Box::new(rule), if_version: Some(0) }).await?;
                self.set_prices(list, context).await?;
                continue;
            }
            self.act(RuleAct::Put { rule: Box::new(rule), if_version: Some(0) }).await?;
        }
        Ok(())
    }

    async fn set_prices(&self, list: PriceListId, context: &Context) -> Result<(), Fault> {
        let mut after = None;
        while !context.stopping() {
            let ids = self.catalog.product_ids(&self.scope, after, BATCH as u32).await;
            let ids = ids.map_err(Fault::unavailable)?;
            let Some(last) = ids.last() else { break };
            after = Some(*last);
            let documents = self.catalog.documents(&self.scope, &ids).await;
            let documents = documents.map_err(Fault::unavailable)?;
            let prices: Vec<PriceEntry> =
                documents.iter().flat_map(|document| demo::prices(list, document)).collect();
            for some in prices.chunks(PriceEdit::MOST) {
                let edit = PriceEdit { put: some.to_vec(), ..PriceEdit::default() };
                self.act(RuleAct::Prices { list, edit }).await?;
            }
        }
        Ok(())
    }

    async fn act(&self, act: RuleAct) -> Result<(), Fault> {
        let write = RuleWrite { act, by: Principal::System.to_string(), at: self.clock.now() };
        self.store.write(Write::Rules(write)).await.map(drop).map_err(Fault::unavailable)
    }
}
