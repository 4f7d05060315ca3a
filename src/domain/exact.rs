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
