//! Fills an empty shop with the generated catalogue, once.
//!
//! Products go in by the same door as an import's, in small batches. A kill half way leaves some
//! of them; the next start with `--demo` sees the shop is not empty and leaves it so: the rest can
//! be had by emptying the folder.

use crate::{
    actors::{keepers::writer::StoreHandle, workers::importer::ProductSink},
    domain::{demo, scope::Scope},
    ports::{
        catalog::Catalog,
        clock::Clock,
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
        tracing::info!(products = products.len(), "the demo catalogue is in");
        Ok(())
    }
}
