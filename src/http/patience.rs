//! How long a connection waits for a request's head, without a timer for each request.
//!
//! hyper asks for a new sleep at every head. Putting one into the runtime's wheel and taking it out
//! again costs about half a microsecond; on a hot page that is felt. Here a connection has one
//! sleep in the wheel, and each head only says until when it may take: deadlines move forward, so
//! the sleep wakes too early, sees that, and sleeps on.

use hyper::rt::{Sleep, Timer};
use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

/// One connection's timer.
pub(super) struct Patience {
    sleep: Arc<Mutex<Pin<Box<tokio::time::Sleep>>>>,
}

impl Patience {
    pub(super) fn new(at_first: Duration) -> Self {
        Self { sleep: Arc::new(Mutex::new(Box::pin(tokio::time::sleep(at_first)))) }
    }
}

impl Timer for Patience {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(self.now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        Box::pin(Until { sleep: Arc::clone(&self.sleep), deadline: deadline.into() })
    }

    fn now(&self) -> Instant {
        tokio::time::Instant::now().into()
    }
}

/// One head's deadline.
struct Until {
    sleep: Arc<Mutex<Pin<Box<tokio::time::Sleep>>>>,
    deadline: tokio::time::Instant,
}

impl Until {
    fn locked(&self) -> MutexGuard<'_, Pin<Box<tokio::time::Sleep>>> {
        // Never contended: a connection is one task.
        self.sleep.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sleep for Until {}

impl Future for Until {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut sleep = self.locked();
        if sleep.deadline() > self.deadline {
            sleep.as_mut().reset(self.deadline);
        }
        loop {
            ready!(sleep.as_mut().poll(cx));
            if sleep.deadline() >= self.deadline {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(self.deadline);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_head_gets_its_own_time_from_one_sleep() {
        let patience = Patience::new(Duration::from_millis(10));
        let now = patience.now();
        let mut first = patience.sleep_until(now + Duration::from_millis(10));
        assert!(futures_util::poll!(&mut first).is_pending());
        drop(first);
        let end = now + Duration::from_millis(60);
        patience.sleep_until(end).await;
        assert!(patience.now() >= end);
        // An earlier deadline than the sleep's own holds too.
        let far = patience.now() + Duration::from_secs(3_600);
        assert!(futures_util::poll!(&mut patience.sleep_until(far)).is_pending());
        patience.sleep(Duration::from_millis(5)).await;
        assert!(patience.now() < far);
    }
}
