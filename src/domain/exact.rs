//! Dividing amounts so that no unit is lost and none is made.

/// `numerator / denominator`, halves away from zero: 2.5 is 3, −2.5 is −3.
///
/// The denominator must be positive; `None` when it isn't, or when the result is beyond `i64`.
pub(super) fn rounded(numerator: i128, denominator: i128) -> Option<i64> {
    if denominator <= 0 {
        return None;
    }
    let (whole, rest) = (numerator / denominator, numerator % denominator);
    // Compared with what is missing to the next whole one, since twice the rest may not fit.
    let up = rest.abs() >= denominator - rest.abs();
    let away = if up { numerator.signum() } else { 0 };
    i64::try_from(whole + away).ok()
}

/// Splits `amount` in proportion to `weights`, by largest remainder; of equal remainders the
/// earlier weight is served first. The parts sum to `amount` exactly.
///
/// A part differs by less than one from its exact share, a weight of zero gets nothing, and no
/// part exceeds its weight unless `amount` exceeds their sum. Neither may be negative, and there
/// must be some weight if there is an amount: `None` otherwise.
pub(super) fn apportion(amount: i64, weights: &[i64]) -> Option<Vec<i64>> {
    if amount < 0 || weights.iter().any(|weight| *weight < 0) {
        return None;
    }
    if amount == 0 {
        return Some(vec![0; weights.len()]);
    }
    let sum: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
    if sum == 0 {
        return None;
    }
    let mut parts = Vec::with_capacity(weights.len());
    let mut remainders = Vec::new();
    let mut left = amount;
    for (i, weight) in weights.iter().enumerate() {
        let exact = i128::from(amount) * i128::from(*weight);
        let part = i64::try_from(exact / sum).ok()?;
        parts.push(part);
        left -= part;
        if exact % sum != 0 {
            remainders.push((std::cmp::Reverse(exact % sum), i));
        }
    }
    // The remainders sum to `left` whole shares, each below one: there are more of them than that.
    let left = usize::try_from(left).ok()?;
    if left > 0 && left < remainders.len() {
        remainders.select_nth_unstable(left);
    }
    for (_, i) in remainders.into_iter().take(left) {
        parts[i] += 1;
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};

    #[test]
    fn halves_go_away_from_zero() {
        for (numerator, nearest) in [(5, 3), (4, 2), (3, 2), (1, 1), (0, 0), (-1, -1), (-5, -3)] {
            assert_eq!(rounded(numerator, 2), Some(nearest), "{numerator} / 2");
        }
        assert_eq!(rounded(149, 100), Some(1));
        assert_eq!(rounded(-149, 100), Some(-1));
        assert_eq!(rounded(1, 0), None);
        assert_eq!(rounded(i128::MAX, i128::MAX), Some(1));
        assert_eq!(rounded(i128::MIN, i128::MAX), Some(-1));
        assert_eq!(rounded(i128::from(i64::MAX) + 1, 1), None);
    }

    #[test]
    fn the_largest_remainder_gets_the_last_unit() {
        assert_eq!(apportion(100, &[1, 1, 1]), Some(vec![34, 33, 33]));
        assert_eq!(apportion(10, &[15, 25, 60]), Some(vec![2, 2, 6]));
        assert_eq!(apportion(7, &[0, 3, 0]), Some(vec![0, 7, 0]));
        assert_eq!(apportion(0, &[0, 0]), Some(vec![0, 0]));
        assert_eq!(apportion(0, &[]), Some(vec![]));
    }

    #[test]
    fn what_cannot_be_split_is_not() {
        assert_eq!(apportion(1, &[]), None);
        assert_eq!(apportion(1, &[0, 0]), None);
        assert_eq!(apportion(-1, &[1]), None);
        assert_eq!(apportion(1, &[2, -1]), None);
    }

    /// Small ones, so that ties and zeros come up, and ones near the bound.
    fn weights() -> impl Strategy<Value = Vec<i64>> {
        vec(prop_oneof![0i64..5, 0i64..100_000, i64::MAX - 9..=i64::MAX], 1..40)
    }

    proptest! {
        #[test]
        fn rounding_is_to_the_nearest(n in any::<i64>(), d in 1i64..) {
            let (n, d) = (i128::from(n), i128::from(d));
            let off = (i128::from(rounded(n, d).unwrap()) * d - n) * 2;
            prop_assert!(off.abs() <= d);
            // Just between two, it is the one further from zero.
            prop_assert!(off.abs() < d || off.signum() == n.signum());
        }

        #[test]
        fn parts_sum_to_the_whole_and_are_fair(amount in prop_oneof![0i64..50, 0i64..], weights in weights()) {
            let sum: i128 = weights.iter().map(|w| i128::from(*w)).sum();
            prop_assume!(sum > 0);
            let parts = apportion(amount, &weights).unwrap();
            prop_assert_eq!(parts.iter().map(|p| i128::from(*p)).sum::<i128>(), i128::from(amount));
            for (part, weight) in parts.iter().zip(&weights) {
                let exact = i128::from(amount) * i128::from(*weight);
                prop_assert!((i128::from(*part) * sum - exact).abs() < sum);
                prop_assert!(*weight > 0 || *part == 0);
                prop_assert!(i128::from(amount) > sum || part <= weight);
            }
        }

        #[test]
        fn who_has_the_larger_remainder_is_not_served_after_the_other(amount in 0i64..50, weights in weights()) {
            let sum: i128 = weights.iter().map(|w| i128::from(*w)).sum();
            prop_assume!(sum > 0);
            let parts = apportion(amount, &weights).unwrap();
            let rest = |i: usize| (i128::from(amount) * i128::from(weights[i])) % sum;
            let served = |i: usize| {
                i128::from(parts[i]) > (i128::from(amount) * i128::from(weights[i])) / sum
            };
            for a in 0..weights.len() {
                for b in 0..weights.len() {
                    let first = rest(a) > rest(b) || (rest(a) == rest(b) && a < b);
                    prop_assert!(!(first && served(b) && !served(a)), "{a} before {b}");
                }
            }
        }
    }
}
