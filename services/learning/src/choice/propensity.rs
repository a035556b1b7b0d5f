//! How probable it is that each of several arms draws the highest chance. Pure.
//!
//! Arm j wins with the probability that it draws x and all others draw less, summed over x: the
//! integral of f_j(x) times the product of F_k(x) over all k but j. Densities f are evaluated on
//! one grid that is fine where any of the arms is likely, distributions F are their running sums
//! (trapezoid rule). No draw is repeated thousands of times, so the result is the same each time
//! and small probabilities do not come out as zero.

use super::Beta;

/// Steps of the grid to each side of an arm's mean.
const STEPS: i32 = 35;
/// Length of a step in standard deviations of the arm: 35 of them reach 7 deviations.
const STEP: f64 = 0.2;
/// Steps over all of 0 to 1, for the far tails.
const COARSE: i32 = 32;
/// What was drawn was possible: the least that is said of it.
const LEAST: f64 = 1e-9;

/// Densities and distributions of some arms, on one grid.
#[derive(Debug)]
pub struct Curves {
    grid: Vec<f64>,
    density: Vec<Vec<f64>>,
    distribution: Vec<Vec<f64>>,
}

impl Curves {
    /// The curves of these arms.
    #[must_use]
    pub fn of(arms: &[Beta]) -> Self {
        let grid = grid(arms);
        let (mut density, mut distribution) = (Vec::new(), Vec::new());
        for arm in arms {
            let (f, cumulative) = curve(*arm, &grid);
            density.push(f);
            distribution.push(cumulative);
        }
        Self {
            grid,
            density,
            distribution,
        }
    }

    /// For each of the arms that are `left`, the probability that it wins among them. They sum
    /// to 1.
    #[must_use]
    pub fn winning(&self, left: &[usize]) -> Vec<f64> {
        let mut wins = vec![0.0; left.len()];
        let mut before = vec![0.0; left.len()];
        // The products of all distributions before and after each arm.
        let (mut ahead, mut now) = (vec![1.0; left.len() + 1], vec![0.0; left.len()]);
        for (at, x) in self.grid.iter().enumerate() {
            for (n, arm) in left.iter().enumerate().rev() {
                ahead[n] = ahead[n + 1] * self.distribution[*arm][at];
            }
            let mut behind = 1.0;
            for (n, arm) in left.iter().enumerate() {
                now[n] = self.density[*arm][at] * behind * ahead[n + 1];
                behind *= self.distribution[*arm][at];
            }
            if at > 0 {
                let half = (x - self.grid[at - 1]) / 2.0;
                for n in 0..left.len() {
                    wins[n] += half * (now[n] + before[n]);
                }
            }
            std::mem::swap(&mut before, &mut now);
        }
        let sum: f64 = wins.iter().sum();
        wins.iter().map(|win| (win / sum).max(LEAST)).collect()
    }
}

/// Narrow arms first: where their points lie, wider ones need none of their own.
fn grid(arms: &[Beta]) -> Vec<f64> {
    let mut grid: Vec<f64> = (0..=COARSE)
        .map(|step| f64::from(step) / f64::from(COARSE))
        .collect();
    let mut arms = arms.to_vec();
    arms.sort_unstable_by(|one, other| one.deviation().total_cmp(&other.deviation()));
    for arm in arms {
        let (mean, step) = (arm.mean(), arm.deviation() * STEP);
        let points = (-STEPS..=STEPS).map(|n| mean + f64::from(n) * step);
        let new: Vec<f64> = points
            .filter(|x| *x > 0.0 && *x < 1.0 && !has_near(&grid, *x, step / 2.0))
            .collect();
        grid.extend(new);
        grid.sort_unstable_by(f64::total_cmp);
    }
    grid
}

fn has_near(grid: &[f64], x: f64, distance: f64) -> bool {
    let at = grid.partition_point(|point| *point < x - distance);
    grid.get(at).is_some_and(|point| *point <= x + distance)
}

/// Density and distribution on the grid, scaled so that the distribution ends at 1.
fn curve(arm: Beta, grid: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let logs: Vec<f64> = grid.iter().map(|x| arm.log_density(*x)).collect();
    let highest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut density: Vec<f64> = logs.iter().map(|log| (log - highest).exp()).collect();
    let mut distribution = Vec::with_capacity(grid.len());
    let mut sum = 0.0;
    distribution.push(sum);
    for at in 1..grid.len() {
        sum += (grid[at] - grid[at - 1]) * (density[at] + density[at - 1]) / 2.0;
        distribution.push(sum);
    }
    for value in density.iter_mut().chain(&mut distribution) {
        *value /= sum;
    }
    (density, distribution)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn winning(arms: &[(u64, u64)]) -> Vec<f64> {
        let arms: Vec<Beta> = arms
            .iter()
            .map(|(won, lost)| Beta::after(*won, *lost))
            .collect();
        Curves::of(&arms).winning(&(0..arms.len()).collect::<Vec<_>>())
    }

    #[test]
    fn known_integrals_come_out() {
        for arms in 1..6_u32 {
            for share in winning(&vec![(4, 2); arms as usize]) {
                assert!((share - 1.0 / f64::from(arms)).abs() < 1e-9);
            }
        }
        // Against an arm of which nothing is known, one wins with its mean.
        for (won, lost) in [(1, 0), (0, 1), (7, 3), (0, 400), (90_000, 10_000)] {
            let expected = Beta::after(won, lost).mean();
            let share = winning(&[(won, lost), (0, 0)])[0];
            assert!(
                (share / expected - 1.0).abs() < 0.01,
                "{won}/{lost}: {share}, not {expected}"
            );
        }
        // P(Beta(2, 1) > Beta(1, 2)) is 5/6.
        assert!((winning(&[(1, 0), (0, 1)])[0] - 5.0 / 6.0).abs() < 2e-3);
    }

    #[test]
    fn far_apart_and_well_known_arms_are_no_trouble() {
        let shares = winning(&[(1_000_000, 10), (10, 1_000_000), (u64::MAX, u64::MAX)]);
        assert!(
            shares[0] > 0.999_999 && shares.iter().all(|share| share.is_finite() && *share > 0.0)
        );
    }

    proptest! {
        #[test]
        fn shares_sum_to_one(arms in prop::collection::vec((0..2_000_u64, 0..2_000_u64), 1..20)) {
            let shares = winning(&arms);
            prop_assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-6);
            prop_assert!(shares.iter().all(|share| *share > 0.0 && *share <= 1.0));
        }

        #[test]
        fn a_success_more_raises_the_share(arms in prop::collection::vec((0..200_u64, 0..200_u64), 2..8)) {
            let before = winning(&arms)[0];
            let mut better = arms.clone();
            better[0].0 += 1 + arms[0].0 / 10;
            // Where an arm wins almost surely or almost never there is no room to see it.
            prop_assume!(before > 1e-4 && before < 1.0 - 1e-4);
            prop_assert!(winning(&better)[0] > before);
        }
    }
}
