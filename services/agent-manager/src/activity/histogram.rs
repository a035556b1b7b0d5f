//! Lengths of time, counted in buckets that can be added up over replicas: pure.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Buckets for each doubling of the length: a quantile is right within 5 %.
const PER_OCTAVE: f64 = 8.0;

/// Counts by bucket; a bucket that nothing fell into is not there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Histogram(BTreeMap<u16, u64>);

impl Histogram {
    /// Counts a length.
    pub fn observe(&mut self, length: Duration) {
        let micros = (length.as_secs_f64() * 1e6).max(1.0);
        // At most 64 octaves, so it fits.
        let bucket = (micros.log2() * PER_OCTAVE) as u16;
        *self.0.entry(bucket).or_default() += 1;
    }

    /// Adds what another one counted.
    pub fn add(&mut self, other: &Self) {
        for (bucket, count) in &other.0 {
            *self.0.entry(*bucket).or_default() += count;
        }
    }

    /// How many were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.values().sum()
    }

    /// The length that this share of them does not exceed; `None` where nothing was counted.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Option<Duration> {
        let count = self.count();
        let wanted = ((count as f64 * share).ceil() as u64).clamp(1, count.max(1));
        let mut seen = 0;
        for (bucket, in_it) in &self.0 {
            seen += in_it;
            if seen >= wanted {
                let micros = ((f64::from(*bucket) + 0.5) / PER_OCTAVE).exp2();
                return Some(Duration::from_secs_f64(micros / 1e6));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn quantiles_are_right_within_five_per_cent() {
        let mut histogram = Histogram::default();
        for ms in 1..=1000 {
            histogram.observe(Duration::from_millis(ms));
        }
        for (share, expected) in [(0.5, 0.5), (0.99, 0.99), (1.0, 1.0), (0.0, 0.001)] {
            let found = histogram.quantile(share).unwrap().as_secs_f64();
            assert!(
                (found / expected - 1.0).abs() < 0.05,
                "{share}: {found} is not {expected}"
            );
        }
    }

    #[test]
    fn the_ends_of_the_scale_are_counted() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.quantile(0.5), None);
        histogram.observe(Duration::ZERO);
        histogram.observe(Duration::from_secs(30 * 24 * 3600));
        assert_eq!(histogram.count(), 2);
        assert!(histogram.quantile(0.5).unwrap() < Duration::from_micros(2));
        assert!(histogram.quantile(1.0).unwrap() > Duration::from_secs(28 * 24 * 3600));
    }

    #[test]
    fn what_replicas_counted_adds_up_also_as_json() {
        let (mut one, mut two) = (Histogram::default(), Histogram::default());
        one.observe(Duration::from_millis(3));
        two.observe(Duration::from_millis(3));
        two.observe(Duration::from_secs(3));
        let text = serde_json::to_string(&two).unwrap();
        one.add(&serde_json::from_str(&text).unwrap());
        assert_eq!(one.count(), 3);
        assert!(one.quantile(0.5).unwrap() < Duration::from_millis(4));
    }
}
