//! The search engine by itself: the same questions, called in this process, a thread a core.

use super::rounds::Round;
use std::{sync::Arc, time::Duration};
use tokio::{task::JoinSet, time::Instant};

/// Asks for as long as `lasting`. `ask` answers one question, whole, and throws the answer away;
/// an error of it is a sentence.
pub(crate) async fn round<S>(
    ask: Arc<S>,
    questions: Arc<[String]>,
    draws: Arc<[u32]>,
    lasting: Duration,
) -> Round
where
    S: Fn(&str) -> Result<(), String> + Send + Sync + 'static,
{
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut parts = JoinSet::new();
    for core in 0..cores {
        let (ask, questions, draws) = (ask.clone(), questions.clone(), draws.clone());
        parts.spawn_blocking(move || {
            let mut round = Round::default();
            let begun = Instant::now();
            let start = core * (draws.len() / cores).max(1);
            for next in start.. {
                let asked = Instant::now();
                if asked.duration_since(begun) >= lasting {
                    break;
                }
                match ask(&questions[draws[next % draws.len()] as usize]) {
                    Ok(()) => round.count(asked.elapsed()),
                    Err(error) => round.fail(error),
                }
            }
            round.elapsed = begun.elapsed();
            round
        });
    }
    let mut round = Round::default();
    while let Some(part) = parts.join_next().await {
        match part {
            Ok(part) => round.add(part),
            Err(error) => round.fail(format!("the search engine broke: {error}")),
        }
    }
    round
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[tokio::test]
    async fn each_question_asked_is_counted_and_each_that_fails_too() {
        let asked = Arc::new([AtomicU64::new(0), AtomicU64::new(0)]);
        let counter = Arc::clone(&asked);
        let ask = Arc::new(move |text: &str| {
            let bad = usize::from(text == "bad");
            counter[bad].fetch_add(1, Ordering::SeqCst);
            if bad == 1 { Err("no such word".to_owned()) } else { Ok(()) }
        });
        let questions: Arc<[String]> = ["good".to_owned(), "bad".to_owned()].into();
        let round = round(ask, questions, [0, 0, 1].into(), Duration::from_millis(50)).await;
        let [good, bad] = &*asked;
        assert_eq!(round.done, good.load(Ordering::SeqCst));
        assert_eq!(round.errors, bad.load(Ordering::SeqCst));
        assert!(round.done > 0 && round.errors > 0);
        assert_eq!(round.first_error.as_deref(), Some("no such word"));
        assert_eq!(round.latency.len(), round.done);
    }
}
