//! What is known of an arm: a Beta distribution of its chance of success. Pure.

use rand::{Rng, RngExt as _};

/// Beta(1 + successes, 1 + failures): the belief after so many outcomes, when nothing was known
/// before the first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Beta {
    alpha: f64,
    beta: f64,
}

impl Beta {
    /// The belief after these outcomes.
    #[must_use]
    pub fn after(successes: u64, failures: u64) -> Self {
        // Beyond 2^53 outcomes one more does not matter.
        #[expect(clippy::cast_precision_loss, reason = "counts of outcomes")]
        let (successes, failures) = (successes as f64, failures as f64);
        Self {
            alpha: 1.0 + successes,
            beta: 1.0 + failures,
        }
    }

    /// The expected chance.
    #[must_use]
    pub fn mean(self) -> f64 {
        self.alpha / (self.alpha + self.beta)
    }

    /// The standard deviation.
    #[must_use]
    pub fn deviation(self) -> f64 {
        let sum = self.alpha + self.beta;
        (self.alpha * self.beta / (sum + 1.0)).sqrt() / sum
    }

    /// The logarithm of the density at `x`, but for a constant.
    #[must_use]
    pub fn log_density(self, x: f64) -> f64 {
        // A weight of 0 makes the term vanish at the ends too, where the logarithm has no value.
        let term = |weight: f64, at: f64| if weight == 0.0 { 0.0 } else { weight * at.ln() };
        term(self.alpha - 1.0, x) + term(self.beta - 1.0, 1.0 - x)
    }

    /// A chance drawn from the belief.
    pub fn sample(self, random: &mut impl Rng) -> f64 {
        let (one, other) = (gamma(self.alpha, random), gamma(self.beta, random));
        one / (one + other)
    }
}

/// A value of Gamma(shape, 1) for a shape of at least 1 (Marsaglia and Tsang, 2000).
fn gamma(shape: f64, random: &mut impl Rng) -> f64 {
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x = normal(random);
        let v = (1.0 + c * x).powi(3);
        if v > 0.0 && positive(random).ln() < 0.5 * x * x + d - d * v + d * v.ln() {
            return d * v;
        }
    }
}

/// A standard normal value (Box and Muller).
fn normal(random: &mut impl Rng) -> f64 {
    let radius = (-2.0 * positive(random).ln()).sqrt();
    radius * (std::f64::consts::TAU * random.random::<f64>()).cos()
}

/// Uniform in (0, 1].
fn positive(random: &mut impl Rng) -> f64 {
    1.0 - random.random::<f64>()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;

    use super::*;

    #[test]
    fn samples_have_the_mean_and_spread_of_their_distribution() {
        const DRAWS: u32 = 20_000;
        let mut random = StdRng::seed_from_u64(1);
        for (successes, failures) in [(0, 0), (1, 0), (0, 50), (3, 9), (5_000, 200)] {
            let belief = Beta::after(successes, failures);
            let draws: Vec<f64> = (0..DRAWS).map(|_| belief.sample(&mut random)).collect();
            assert!(draws.iter().all(|x| (0.0..=1.0).contains(x)));
            let mean = draws.iter().sum::<f64>() / f64::from(DRAWS);
            let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / f64::from(DRAWS);
            let error = 5.0 * belief.deviation() / f64::from(DRAWS).sqrt();
            assert!(
                (mean - belief.mean()).abs() < error,
                "{belief:?}: mean {mean}"
            );
            let spread = variance.sqrt() / belief.deviation();
            assert!(
                (spread - 1.0).abs() < 0.05,
                "{belief:?}: deviation off by {spread}"
            );
        }
    }
}
