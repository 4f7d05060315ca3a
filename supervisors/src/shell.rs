//! One life of a child, as a ractor actor.
//!
//! Promise: whatever a child's code does (return an error, panic, hang at an
//! await), its actor ends in order and its supervisor gets one
//! [`Death`] for it. The child's own value is dropped before its supervisor
//! hears of its end, so a successor never meets its predecessor's locks.

use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::backoff::Backoff;
use crate::bell::{Bell, Wake};
use crate::context::{Context, Ending};
use crate::fault::{Death, Fault, StartError};
use crate::node::{Node, Presence};
use crate::panics::{Panicked, catch, caught};
use crate::reply::BoxFuture;

/// What a body wants after it was woken.
pub(crate) enum Flow {
    /// Nothing left; ring when there is.
    Rest,
    /// More to do, after others had their turn.
    Again,
    /// Done for good.
    Done,
}

/// What is inside a shell: an agent, a reconciler, a task or a pool's worker.
pub(crate) trait Body: Send + 'static {
    /// Does what there is to do.
    fn wake(&mut self, context: &Context) -> impl Future<Output = Result<Flow, Fault>> + Send;

    /// Serves what still waits; called once, when the child ends for good.
    fn drain(&mut self, _context: &Context) -> impl Future<Output = Result<(), Fault>> + Send {
        async { Ok(()) }
    }

    /// Tidies up; called once, at every orderly end.
    fn stopping(&mut self) -> impl Future<Output = ()> + Send {
        async {}
    }
}

/// Makes a body, at each start anew.
pub(crate) type Birth<B> =
    Box<dyn FnOnce(Context) -> BoxFuture<'static, Result<B, StartError>> + Send>;

/// Where a supervisor puts a child.
pub(crate) struct Berth {
    pub(crate) node: Arc<Node>,
    pub(crate) supervisor: ActorCell,
    pub(crate) backoff: Backoff,
    /// To be called when the child is up.
    pub(crate) started: Box<dyn FnOnce() + Send>,
}

/// A child's actor in its supervisor's hands.
pub(crate) struct Spawned {
    pub(crate) cell: ActorCell,
    pub(crate) join: JoinHandle<()>,
    pub(crate) ending: Stopper,
}

/// How a child is asked to end.
pub(crate) enum Stopper {
    /// Through its context; ractor's own stop follows.
    Leaf(watch::Sender<Option<Ending>>),
    /// A supervisor or pool, which stops its own children first.
    Branch(Box<dyn Fn(Ending) + Send + Sync>),
}

impl Spawned {
    pub(crate) fn stop(&self, ending: Ending) {
        match &self.ending {
            Stopper::Leaf(sender) => {
                sender.send_replace(Some(ending));
                self.cell.stop(None);
            }
            Stopper::Branch(stop) => stop(ending),
        }
    }
}

/// One life's state.
pub(crate) struct Life<B> {
    birth: Option<Birth<B>>,
    body: Option<B>,
    context: Context,
    node: Arc<Node>,
    bell: Arc<Bell>,
    backoff: Backoff,
    /// Consecutive times that what it needs was away.
    away: u32,
    started: Option<Box<dyn FnOnce() + Send>>,
    _presence: Presence,
}

pub(crate) struct Shell<B>(PhantomData<fn() -> B>);

impl<B: Body> Shell<B> {
    pub(crate) async fn spawn(
        berth: Berth,
        bell: Arc<Bell>,
        birth: Birth<B>,
    ) -> Result<Spawned, ractor::SpawnErr> {
        let (context, sender) = Context::new(Arc::clone(&berth.node.path));
        let life = Life {
            birth: Some(birth),
            body: None,
            context,
            bell,
            backoff: berth.backoff,
            away: 0,
            started: Some(berth.started),
            _presence: berth.node.alive.enter(),
            node: berth.node,
        };
        let (actor, join) =
            Self::spawn_linked(None, Self(PhantomData), life, berth.supervisor).await?;
        Ok(Spawned { cell: actor.get_cell(), join, ending: Stopper::Leaf(sender) })
    }
}

impl<B: Body> Life<B> {
    /// Drops the body, even if its drop panics.
    fn bury(&mut self) {
        let body = self.body.take();
        let _panic_in_drop = catch(|| drop(body));
    }

    fn crash(&mut self, death: Death) -> ActorProcessingErr {
        self.bury();
        Box::new(death)
    }

    /// Waits until what is away may be back, or the child is asked to end.
    async fn wait_for_dependency(&mut self, fault: &Fault) {
        self.away = self.away.saturating_add(1);
        let reason = fault.to_string();
        tracing::warn!(child.path = self.context.path(), reason, "child waits for what it needs");
        self.node.waiting(reason);
        tokio::select! {
            () = self.context.stopped() => {}
            () = tokio::time::sleep(self.backoff.roll(self.away)) => {}
        }
    }
}

impl<B: Body> Actor for Shell<B> {
    type Msg = Wake;
    type State = Life<B>;
    type Arguments = Life<B>;

    async fn pre_start(
        &self,
        _myself: ActorRef<Wake>,
        life: Life<B>,
    ) -> Result<Life<B>, ActorProcessingErr> {
        Ok(life)
    }

    /// The child is made here and not in `pre_start`, so that its supervisor
    /// stays free for its other children meanwhile.
    async fn post_start(
        &self,
        myself: ActorRef<Wake>,
        life: &mut Life<B>,
    ) -> Result<(), ActorProcessingErr> {
        let Some(birth) = life.birth.take() else {
            return Ok(());
        };
        let context = life.context.clone();
        let made = match catch(|| birth(context)) {
            Ok(making) => caught(making).await,
            Err(panicked) => Err(panicked),
        };
        match made {
            Ok(Ok(body)) => life.body = Some(body),
            Ok(Err(error)) => return Err(Box::new(Death::from(error))),
            Err(panicked) => return Err(Box::new(Death::Panicked(panicked))),
        }
        life.bell.attach(myself);
        if let Some(started) = life.started.take() {
            started();
        }
        Ok(())
    }

    async fn handle(
        &self,
        myself: ActorRef<Wake>,
        _wake: Wake,
        life: &mut Life<B>,
    ) -> Result<(), ActorProcessingErr> {
        life.bell.heard();
        let Some(body) = life.body.as_mut() else {
            return Ok(());
        };
        let woken: Result<Result<Flow, Fault>, Panicked> = caught(body.wake(&life.context)).await;
        match woken {
            Ok(Ok(flow)) => {
                if life.away > 0 {
                    life.away = 0;
                    life.node.recovered();
                }
                match flow {
                    Flow::Rest => {}
                    Flow::Again => life.bell.ring(),
                    Flow::Done => myself.stop(None),
                }
                Ok(())
            }
            Ok(Err(fault)) if fault.is_unavailable() => {
                life.wait_for_dependency(&fault).await;
                life.bell.ring();
                Ok(())
            }
            Ok(Err(fault)) => Err(life.crash(fault.into())),
            Err(panicked) => Err(life.crash(Death::Panicked(panicked))),
        }
    }

    async fn post_stop(
        &self,
        _myself: ActorRef<Wake>,
        life: &mut Life<B>,
    ) -> Result<(), ActorProcessingErr> {
        let Some(body) = life.body.as_mut() else {
            return Ok(());
        };
        let closing = life.context.ending() == Some(Ending::Close);
        let ended = caught(async {
            if closing {
                body.drain(&life.context).await?;
            }
            body.stopping().await;
            Ok::<(), Fault>(())
        })
        .await;
        match ended {
            Ok(Ok(())) => {
                life.bury();
                Ok(())
            }
            Ok(Err(fault)) => Err(life.crash(fault.into())),
            Err(panicked) => Err(life.crash(Death::Panicked(panicked))),
        }
    }
}
