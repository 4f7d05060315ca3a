//! Does jobs under which a process died before, each alone in a process of its own.
//!
//! Promise: a job that kills its process, or won't end, takes nothing else along; how its process
//! died is a failure of the job like another. The job stays in this process' hands all the while, so
//! it goes back when this dies. The child ends with its input, and is killed when the job is to end.

use super::{
    attempt::Outcome,
    committer::Finished,
    runner::{RunnerParts, Task, deliver, did_one, settled},
};
use crate::ports::{
    cells::{Cell, CellEnd, Cells},
    jobs::{ClaimedJob, Verdict},
};
use std::{sync::Arc, time::Duration};
use supervisors::{Child, Context, Fault, Pool, PoolHandle, Worker, pool};

/// The workers of the suspects' pool, as a child of the tree.
pub(crate) fn suspects(of: &Pool<Task>, cells: &Arc<dyn Cells>, parts: &RunnerParts) -> Child {
    let (handle, cells, parts) = (of.handle(), Arc::clone(cells), parts.clone());
    pool(of, move || {
        let (pool, cells, parts) = (handle.clone(), Arc::clone(&cells), parts.clone());
        let warden = Warden { pool, cells, cell: None, parts };
        async move { Ok(warden) }
    })
}

struct Warden {
    pool: PoolHandle<Task>,
    cells: Arc<dyn Cells>,
    cell: Option<Box<dyn Cell>>,
    parts: RunnerParts,
}

impl Worker for Warden {
    type Job = Task;

    async fn run(&mut self, task: Task, context: &Context) -> Result<(), Fault> {
        if context.stopping() {
            return Ok(());
        }
        let Task { job, hold, flow } = task;
        let ended = match self.parts.topics.start(&job, &hold.progress) {
            Err(error) => settled(&self.parts, &job, Err(error)),
            Ok(start) => {
                let (retry, limit) = (start.retry, start.limit);
                let cancelled = hold.cancelled();
                let outcome = tokio::select! {
                    said = self.alone(&job, limit) => Outcome::Said(said.map_err(Fault::crash)?),
                    () = cancelled => {
                        self.cell = None;
                        Outcome::Cancelled
                    }
                };
                settled(&self.parts, &job, Ok((outcome, retry)))
            }
        };
        deliver(&self.parts, Finished { ended, hold }, context).await;
        did_one(&self.parts, &flow, &self.pool);
        Ok(())
    }
}

impl Warden {
    /// `Err`: there is no process to be had.
    async fn alone(&mut self, job: &ClaimedJob, limit: Duration) -> Result<Verdict, String> {
        loop {
            let cell = match &mut self.cell {
                Some(cell) => cell,
                none => none.insert(self.cells.open().await?),
            };
            match tokio::time::timeout(limit, cell.run(job)).await {
                Ok(Ok(verdict)) => return Ok(verdict),
                Ok(Err(CellEnd::Closed)) => self.cell = None,
                Ok(Err(CellEnd::Died(how))) => {
                    self.cell = None;
                    return Ok(Verdict::retry(how));
                }
                Err(_) => {
                    self.cell = None;
                    return Ok(Verdict::retry(late(limit)));
                }
            }
        }
    }
}

fn late(limit: Duration) -> String {
    format!("it took longer than {} s, and its process was killed", limit.as_secs())
}
