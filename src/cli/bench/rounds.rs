//! Rounds of two sides in turn, and what they come to.
//!
//! A machine's speed drifts while it is measured. So the sides take turns, each round is set
//! against its neighbour, and the middle one of the ratios is the figure; a first round of each is
//! thrown away.

use super::{
    process,
    row::{Reach, Row},
};
use crate::cli::output;
use hdrhistogram::Histogram;
use std::time::Duration;

/// One side's work in one round.
#[derive(Debug)]
pub(crate) struct Round {
    /// Units of work that went right.
    pub(crate) done: u64,
    pub(crate) errors: u64,
    pub(crate) first_error: Option<String>,
    pub(crate) elapsed: Duration,
    /// Microseconds of each unit that went right.
    pub(crate) latency: Histogram<u64>,
    /// Processor time of the measured process.
    pub(crate) cpu: Option<Duration>,
}

impl Default for Round {
    fn default() -> Self {
        Self {
            done: 0,
            errors: 0,
            first_error: None,
            elapsed: Duration::ZERO,
            latency: Histogram::new_with_bounds(1, 60_000_000, 3)
                .expect("three digits between a microsecond and a minute can be kept"),
            cpu: None,
        }
    }
}

impl Round {
    pub(crate) fn count(&mut self, took: Duration) {
        self.done += 1;
        self.latency.saturating_record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }

    pub(crate) fn fail(&mut self, why: String) {
        self.errors += 1;
        self.first_error.get_or_insert(why);
    }

    /// Puts in what another thread did at the same time.
    pub(crate) fn add(&mut self, other: Self) {
        self.done += other.done;
        self.errors += other.errors;
        self.first_error = self.first_error.take().or(other.first_error);
        self.elapsed = self.elapsed.max(other.elapsed);
        if let Err(error) = self.latency.add(&other.latency) {
            self.fail(format!("the threads' times don't fit together: {error}"));
        }
    }

    fn rate(&self) -> f64 {
        self.done as f64 / self.elapsed.as_secs_f64().max(f64::MIN_POSITIVE)
    }

    fn quantile_ms(&self, quantile: f64) -> f64 {
        self.latency.value_at_quantile(quantile) as f64 / 1_000.0
    }

    fn cpu_ms(&self) -> Option<f64> {
        let cpu = self.cpu?.as_secs_f64() * 1_000.0;
        (self.done > 0).then(|| cpu / self.done as f64)
    }
}

/// How long and how often.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) rounds: usize,
    pub(crate) lasting: Duration,
}

/// All rounds of both sides; `baseline` is empty where there is none.
#[derive(Debug, Default)]
pub(crate) struct Compared {
    ours: Vec<Round>,
    baseline: Vec<Round>,
}

impl Plan {
    /// Lets both sides take turns, the first one changing from round to round.
    pub(crate) async fn compare(
        &self,
        name: &str,
        mut ours: impl AsyncFnMut(Duration) -> Round,
        mut baseline: impl AsyncFnMut(Duration) -> Round,
    ) -> Compared {
        self.announce(name, "and the same of what it is compared with");
        ours(self.lasting).await;
        baseline(self.lasting).await;
        let mut compared = Compared::default();
        for number in 0..self.rounds {
            if number % 2 == 0 {
                compared.ours.push(ours(self.lasting).await);
                compared.baseline.push(baseline(self.lasting).await);
            } else {
                compared.baseline.push(baseline(self.lasting).await);
                compared.ours.push(ours(self.lasting).await);
            }
        }
        compared
    }

    /// The same of one side, where nothing stands beside it.
    pub(crate) async fn alone(
        &self,
        name: &str,
        mut ours: impl AsyncFnMut(Duration) -> Round,
    ) -> Compared {
        self.announce(name, "with nothing beside it");
        ours(self.lasting).await;
        let mut compared = Compared::default();
        for _ in 0..self.rounds {
            compared.ours.push(ours(self.lasting).await);
        }
        compared
    }

    fn announce(&self, name: &str, beside: &str) {
        let seconds = self.lasting.as_secs();
        let rounds = self.rounds;
        output::talk(&format!(
            "{name}: {rounds} rounds of {seconds} s after one to warm up, {beside}"
        ));
    }
}

impl Compared {
    /// One round of each side, where their length is not a matter of time.
    pub(crate) fn push(&mut self, ours: Round, baseline: Round) {
        self.ours.push(ours);
        self.baseline.push(baseline);
    }

    /// Rates a second, times of one unit, processor time of one unit.
    pub(crate) fn row(&self, name: &str, unit: &'static str, reach: Reach) -> Row {
        let ratios = self.pairs(|ours, baseline| ours.rate() / baseline.rate());
        let p99 = |round: &Round| round.quantile_ms(0.99);
        Row {
            row: name.to_owned(),
            ours: median(self.ours.iter().map(Round::rate)).unwrap_or(0.0),
            baseline: median(self.baseline.iter().map(Round::rate)),
            ratio: median(ratios.iter().copied()),
            unit,
            ratio_range: ratios
                .iter()
                .copied()
                .map(|ratio| (ratio, ratio))
                .reduce(|(low, high), (ratio, _)| (low.min(ratio), high.max(ratio))),
            p50_ms: median(self.ours.iter().map(|round| round.quantile_ms(0.5))),
            p99_ms: median(self.ours.iter().map(p99)),
            baseline_p99_ms: median(self.baseline.iter().map(p99)),
            p99_ratio: median(self.pairs(|ours, baseline| p99(ours) / p99(baseline)).into_iter()),
            cpu_ms: median(self.ours.iter().filter_map(Round::cpu_ms)),
            baseline_cpu_ms: median(self.baseline.iter().filter_map(Round::cpu_ms)),
            reach,
            failed: self.failed(),
            ..Row::default()
        }
        .judged()
    }

    /// Units of ours that went right, over all rounds.
    pub(crate) fn done(&self) -> u64 {
        self.ours.iter().map(|round| round.done).sum()
    }

    fn pairs(&self, of: impl Fn(&Round, &Round) -> f64) -> Vec<f64> {
        let ratios = self.ours.iter().zip(&self.baseline).map(|(ours, base)| of(ours, base));
        ratios.filter(|ratio| ratio.is_finite()).collect()
    }

    /// Figures of work that went wrong are no figures.
    fn failed(&self) -> Option<String> {
        for (side, rounds) in [("the server", &self.ours), ("the baseline", &self.baseline)] {
            let errors: u64 = rounds.iter().map(|round| round.errors).sum();
            if errors > 0 {
                let first = rounds.iter().find_map(|round| round.first_error.clone());
                let first = first.unwrap_or_default();
                return Some(format!("{errors} errors of {side}, the first: {first}"));
            }
            if rounds.iter().any(|round| round.done == 0) {
                return Some(format!("a round in which {side} did nothing"));
            }
        }
        self.ours.is_empty().then(|| "nothing was measured".to_owned())
    }
}

/// A round with the processor time that `process` spent during it.
pub(crate) async fn with_cpu(process: Option<u32>, work: impl Future<Output = Round>) -> Round {
    let before = process.and_then(process::cpu);
    let mut round = work.await;
    let after = process.and_then(process::cpu);
    round.cpu = after.zip(before).and_then(|(after, before)| after.checked_sub(before));
    round
}

/// The middle one, or the mean of the two in the middle.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(values[middle]),
        _ => Some((values[middle - 1] + values[middle]) / 2.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    fn round(done: u64, ms: u64) -> Round {
        let mut round = Round { elapsed: Duration::from_secs(1), ..Round::default() };
        for _ in 0..done {
            round.count(Duration::from_millis(ms));
        }
        round.cpu = Some(Duration::from_millis(done * 2));
        round
    }

    #[test]
    fn the_ratio_is_the_middle_one_of_neighbours() {
        // A machine half as fast from the second round on: no ratio notices.
        let ours = vec![round(80, 2), round(40, 4), round(40, 4)];
        let baseline = vec![round(100, 1), round(50, 2), round(50, 2)];
        let row = Compared { ours, baseline }.row("pages", "requests/s", Reach::ratio(0.8));
        assert_eq!((row.ours, row.baseline, row.ratio), (40.0, Some(50.0), Some(0.8)));
        assert_eq!(row.ratio_range, Some((0.8, 0.8)));
        assert!((row.p99_ratio.unwrap() - 2.0).abs() < 0.01, "{row:?}");
        assert!((row.p99_ms.unwrap() - 4.0).abs() < 0.01, "{row:?}");
        assert_eq!((row.cpu_ms, row.baseline_cpu_ms), (Some(2.0), Some(2.0)));
        assert!(row.reached, "{row:?}");
    }

    #[test]
    fn one_error_on_either_side_fails_the_row() {
        for side in 0..2 {
            let mut sides = [vec![round(9, 1)], vec![round(9, 1)]];
            sides[side][0].fail("status 503".into());
            let [ours, baseline] = sides;
            let row = Compared { ours, baseline }.row("pages", "requests/s", Reach::ratio(0.1));
            assert!(row.failed.as_ref().is_some_and(|why| why.contains("status 503")), "{row:?}");
            assert!(!row.reached);
        }
        let idle = Compared { ours: vec![round(0, 0)], baseline: vec![] };
        assert!(idle.row("pages", "requests/s", Reach::default()).failed.is_some());
        assert!(Compared::default().row("pages", "requests/s", Reach::default()).failed.is_some());
    }

    #[test]
    fn a_side_alone_has_no_ratio() {
        let row = Compared { ours: vec![round(9, 1)], baseline: vec![] }.row(
            "x",
            "1/s",
            Reach::default(),
        );
        assert_eq!(
            (row.baseline, row.ratio, row.ratio_range, row.p99_ratio),
            (None, None, None, None)
        );
        assert_eq!(row.failed, None);
    }

    #[tokio::test]
    async fn sides_take_turns_and_the_first_round_of_each_is_not_counted() {
        let turns = RefCell::new(String::new());
        let side = |name: char| {
            turns.borrow_mut().push(name);
            let warm = turns.borrow().len() <= 2;
            round(if warm { 1 } else { 5 }, 1)
        };
        let plan = Plan { rounds: 3, lasting: Duration::ZERO };
        let compared = plan.compare("x", async |_| side('o'), async |_| side('b')).await;
        assert_eq!(*turns.borrow(), "obobboob");
        assert_eq!(compared.done(), 15);
    }

    #[test]
    fn medians_are_the_middle() {
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), Some(2.0));
        assert_eq!(median([4.0, 1.0, 2.0, 3.0].into_iter()), Some(2.5));
        assert_eq!(median(std::iter::empty()), None);
    }
}
