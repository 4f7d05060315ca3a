//! What an operator wants of a running server, as signals say it.

use super::{BootError, handoff::Program};
use supervisors::Running;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// How a server ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    End,
    HandOver,
}

/// SIGTERM and Ctrl-C end it, SIGUSR2 has it hand over.
pub(super) struct Signals {
    term: Signal,
    interrupt: Signal,
    hand_over: Signal,
}

fn hear(kind: SignalKind) -> Result<Signal, BootError> {
    signal(kind).map_err(|error| BootError::Other(format!("can't hear signals: {error}")))
}

/// To be heard before anything else: a process that doesn't is ended by it, and the one who sends
/// it a second time may not know that the successor is only beginning.
pub(super) fn hand_over() -> Result<Signal, BootError> {
    hear(SignalKind::user_defined2())
}

impl Signals {
    /// From here on SIGTERM no longer ends the process by itself.
    pub(super) fn hear(hand_over: Signal) -> Result<Self, BootError> {
        let (term, interrupt) = (hear(SignalKind::terminate())?, hear(SignalKind::interrupt())?);
        Ok(Self { term, interrupt, hand_over })
    }

    pub(super) async fn end(&mut self) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    async fn next(&mut self) -> Wish {
        tokio::select! {
            _ = self.term.recv() => Wish::End,
            _ = self.interrupt.recv() => Wish::End,
            _ = self.hand_over.recv() => Wish::HandOver,
        }
    }
}

/// Serves until it is to end, to hand over to a program that would start, or until the tree gives
/// up.
pub(super) async fn until_the_end(
    running: &Running,
    signals: &mut Signals,
    program: &Program,
) -> Result<Wish, BootError> {
    loop {
        let wish = tokio::select! {
            wish = signals.next() => wish,
            ended = running.ended() => return Err(BootError::Ended(ended)),
        };
        if wish == Wish::End {
            tracing::info!("stopping: running requests finish; a second signal ends it at once");
            return Ok(Wish::End);
        }
        let checked = tokio::select! {
            checked = program.check() => checked,
            () = signals.end() => return Ok(Wish::End),
            ended = running.ended() => return Err(BootError::Ended(ended)),
        };
        match checked {
            Ok(successor) => {
                tracing::info!(successor, "handing over: running requests finish, new ones wait");
                return Ok(Wish::HandOver);
            }
            Err(reason) => tracing::error!(reason, "not handing over; serving goes on"),
        }
    }
}

/// Stops the tree in order, and says what is wanted then: a hand-over is called off by a signal to
/// end, and an end is cut short by a second one.
pub(super) async fn stop(
    running: &Running,
    signals: &mut Signals,
    mut wish: Wish,
) -> Result<Wish, BootError> {
    let mut stopped = std::pin::pin!(running.stop());
    loop {
        tokio::select! {
            () = &mut stopped => return Ok(wish),
            () = signals.end() => match wish {
                Wish::HandOver => {
                    tracing::info!("stopping instead of handing over");
                    wish = Wish::End;
                }
                Wish::End => {
                    let words = "ended by a second signal before everything had stopped";
                    return Err(BootError::Other(words.into()));
                }
            },
        }
    }
}
