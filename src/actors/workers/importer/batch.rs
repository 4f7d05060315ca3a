//! How many rows to commit at once.

use std::{collections::VecDeque, time::Duration};

/// What a commit may be; set per database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BatchOptions {
    pub(crate) start: usize,
    pub(crate) least: usize,
    pub(crate) most: usize,
    /// How long a commit should take: an embedded database writes nothing else meanwhile.
    pub(crate) target: Duration,
    /// Text in one batch, whatever the number of rows.
    pub(crate) most_bytes: usize,
}

impl BatchOptions {
    /// One writer for everything: short, so that no checkout waits for an import.
    pub(crate) const EMBEDDED: Self = Self {
        start: 256,
        least: 64,
        most: 4_096,
        target: Duration::from_millis(20),
        most_bytes: 8 << 20,
    };
    /// Others write beside it: longer, as a round trip costs more than a row.
    pub(crate) const SERVER: Self = Self {
        start: 1_024,
        least: 256,
        most: 8_192,
        target: Duration::from_millis(150),
        most_bytes: 16 << 20,
    };
}

/// Finds the number of rows that takes the target's time.
#[derive(Debug)]
pub(super) struct BatchSize {
    options: BatchOptions,
    size: usize,
    /// Time per row of the last commits. The least of them counts: the others have waited behind
    /// somebody else's write.
    costs: VecDeque<f64>,
}

impl BatchSize {
    const REMEMBERED: usize = 4;

    pub(super) fn new(options: &BatchOptions) -> Self {
        let size = options.start.clamp(options.least, options.most);
        Self { options: options.clone(), size, costs: VecDeque::new() }
    }

    pub(super) fn rows(&self) -> usize {
        self.size
    }

    pub(super) fn took(&mut self, rows: usize, time: Duration) {
        if rows == 0 {
            return;
        }
        if self.costs.len() == Self::REMEMBERED {
            self.costs.pop_front();
        }
        self.costs.push_back(time.as_secs_f64() / rows as f64);
        let cost = self.costs.iter().copied().fold(f64::INFINITY, f64::min);
        // A clock that saw no time pass says: as many as you like.
        let fitting = (self.options.target.as_secs_f64() / cost).min(self.options.most as f64);
        let (least, most) = (self.size / 2, self.size * 2);
        self.size = (fitting.round() as usize)
            .clamp(least, most)
            .clamp(self.options.least, self.options.most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_size_settles_where_a_commit_takes_the_targets_time() {
        let mut size = BatchSize::new(&BatchOptions::EMBEDDED);
        for _ in 0..10 {
            size.took(size.rows(), Duration::from_micros(10) * size.rows() as u32);
        }
        assert_eq!(size.rows(), 2_000);
        for _ in 0..10 {
            size.took(size.rows(), Duration::from_micros(100) * size.rows() as u32);
        }
        assert_eq!(size.rows(), 200);
    }

    #[test]
    fn one_commit_that_had_to_wait_does_not_shrink_it() {
        let mut size = BatchSize::new(&BatchOptions::EMBEDDED);
        for _ in 0..6 {
            size.took(size.rows(), Duration::from_micros(20) * size.rows() as u32);
        }
        size.took(size.rows(), Duration::from_secs(3));
        assert_eq!(size.rows(), 1_000);
    }

    proptest! {
        #[test]
        fn it_stays_in_its_bounds(times in proptest::collection::vec(0u64..u64::MAX, 1..20)) {
            let options = BatchOptions::EMBEDDED;
            let mut size = BatchSize::new(&options);
            for nanos in times {
                size.took(size.rows(), Duration::from_nanos(nanos));
                prop_assert!((options.least..=options.most).contains(&size.rows()));
            }
        }
    }
}
