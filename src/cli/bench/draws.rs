//! Which of many things is asked for next: the same draws on every run and for both sides.

/// Enough that 64 connections don't walk in step, and small beside a processor's cache.
const DRAWS: usize = 1 << 16;

/// SplitMix64: chance that can be repeated, which is all a load generator wants of it.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `end`, which is not 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// In [0, 1).
    fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Places 0 to `things`: the thing at place `k` comes 1 / (k + 1) as often as the first, which is
/// how shoppers spread over a catalogue (Zipf's law, exponent 1).
pub(crate) fn zipf(things: usize, seed: u64) -> Vec<u32> {
    let mut sum = 0.0;
    let bounds: Vec<f64> = (1..=things)
        .map(|rank| {
            sum += 1.0 / rank as f64;
            sum
        })
        .collect();
    let mut chance = Chance::new(seed);
    (0..DRAWS)
        .map(|_| {
            let point = chance.fraction() * sum;
            bounds.partition_point(|bound| *bound <= point).min(things.saturating_sub(1)) as u32
        })
        .collect()
}

/// Each place as often as any other.
pub(crate) fn even(things: usize, seed: u64) -> Vec<u32> {
    let mut chance = Chance::new(seed);
    (0..DRAWS).map(|_| chance.below(things.max(1)) as u32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(draws: &[u32], things: usize) -> Vec<f64> {
        let mut counts = vec![0.0; things];
        for draw in draws {
            counts[*draw as usize] += 1.0;
        }
        counts
    }

    #[test]
    fn zipf_draws_fall_off_with_the_rank() {
        let counts = counts(&zipf(1_000, 7), 1_000);
        let harmonic: f64 = (1..=1_000).map(|k| 1.0 / f64::from(k)).sum();
        for rank in [1.0_f64, 2.0, 3.0, 10.0, 50.0] {
            let expected = DRAWS as f64 / harmonic / rank;
            let seen = counts[rank as usize - 1];
            // Five standard deviations; the draws are the same every time.
            assert!((seen - expected).abs() < 5.0 * expected.sqrt(), "{rank}: {seen} {expected}");
        }
        let tail: f64 = counts[500..].iter().sum();
        let expected =
            DRAWS as f64 * (501..=1_000).map(|k| 1.0 / f64::from(k)).sum::<f64>() / harmonic;
        assert!((tail - expected).abs() < 5.0 * expected.sqrt(), "{tail} {expected}");
    }

    #[test]
    fn even_draws_favour_nothing() {
        let counts = counts(&even(10, 7), 10);
        let expected = DRAWS as f64 / 10.0;
        assert!(counts.iter().all(|seen| (seen - expected).abs() < 5.0 * expected.sqrt()));
    }

    #[test]
    fn draws_repeat_and_stay_inside_however_few_things_there_are() {
        assert_eq!(zipf(1_000, 3), zipf(1_000, 3));
        assert_ne!(zipf(1_000, 3), zipf(1_000, 4));
        for things in [1, 2, 3] {
            assert!(zipf(things, 1).iter().all(|draw| (*draw as usize) < things));
            assert!(even(things, 1).iter().all(|draw| (*draw as usize) < things));
        }
    }
}
