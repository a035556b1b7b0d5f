//! Medians, quantiles and ratios of pairs. Pure.

/// The middle one; the mean of the middle two where their number is even. Zero of none.
#[must_use]
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => 0.0,
        length if length % 2 == 1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

/// The value that this share of the sorted ones does not exceed.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "an index of a list that fits into memory"
)]
pub fn quantile(sorted: &[u32], share: f64) -> u32 {
    let last = sorted.len().saturating_sub(1);
    let at = (sorted.len() as f64 * share).ceil() as usize;
    sorted
        .get(at.saturating_sub(1).min(last))
        .copied()
        .unwrap_or(0)
}

/// The ratio of each pair, ours over the peer's; a pair without the peer's number has none.
#[must_use]
pub fn ratios(ours: &[f64], peer: &[f64]) -> Vec<f64> {
    let pairs = ours.iter().zip(peer);
    pairs
        .filter(|(_, peer)| **peer > 0.0)
        .map(|(ours, peer)| ours / peer)
        .collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::float_cmp, reason = "exact in these cases")]
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(&[]), 0.0);
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0]), 2.5);
    }

    #[test]
    fn a_quantile_is_a_value_that_was_measured() {
        let sorted: Vec<u32> = (1..=100).collect();
        let at = |share| quantile(&sorted, share);
        assert_eq!((at(0.0), at(0.5), at(0.99), at(1.0)), (1, 50, 99, 100));
        assert_eq!(quantile(&[], 0.5), 0);
        assert_eq!(quantile(&[7], 0.99), 7);
    }

    #[test]
    fn a_pair_without_a_peer_has_no_ratio() {
        assert_eq!(ratios(&[6.0, 8.0], &[2.0, 0.0]), [3.0]);
    }
}
