//! Hears when another process has more jobs than it gets to, and wakes the dispatcher.
//!
//! Promise: none but speed. While it can't hear, the dispatcher looks twice a second by itself.

use super::desk::Desk;
use crate::{actors::reconcilers::store_fault, ports::bell::Bell};
use std::sync::Arc;
use supervisors::{Child, task};

pub(crate) fn listener(bell: &Arc<dyn Bell>, desk: &Desk) -> Child {
    let (bell, desk) = (Arc::clone(bell), desk.clone());
    task("job-listener", move |context| {
        let (bell, desk) = (Arc::clone(&bell), desk.clone());
        async move {
            let mut ear = bell.listen().await.map_err(store_fault)?;
            loop {
                tokio::select! {
                    () = context.stopped() => return Ok(()),
                    heard = ear.heard() => heard.map_err(store_fault)?,
                }
                desk.nudge().wake();
            }
        }
    })
}
