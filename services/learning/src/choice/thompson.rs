//! Thompson sampling: each arm draws a chance from what is known of it, the highest wins. Pure.

use rand::Rng;

use super::{Beta, Curves};

/// The name of this way to choose.
pub const POLICY: &str = "thompson";

/// One that may be chosen, with its outcomes so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arm {
    /// Its name.
    pub name: String,
    /// How often it succeeded.
    pub successes: u64,
    /// How often it failed.
    pub failures: u64,
}

/// One that was chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct Chosen {
    /// Its name.
    pub arm: String,
    /// The probability that it was drawn at its place, given those before it.
    pub propensity: f64,
}

/// Draws `count` different arms, or all when there are fewer. For each place all arms that are
/// left draw anew, so that each propensity is that of a full draw among them.
pub fn choose(arms: &[Arm], count: usize, random: &mut impl Rng) -> Vec<Chosen> {
    let beliefs: Vec<Beta> = arms
        .iter()
        .map(|arm| Beta::after(arm.successes, arm.failures))
        .collect();
    let curves = Curves::of(&beliefs);
    let mut left: Vec<usize> = (0..arms.len()).collect();
    let mut chosen = Vec::new();
    while chosen.len() < count && !left.is_empty() {
        let draws: Vec<f64> = left
            .iter()
            .map(|arm| beliefs[*arm].sample(random))
            .collect();
        let winner = highest(&draws);
        let propensity = curves.winning(&left)[winner];
        let arm = left.remove(winner);
        chosen.push(Chosen {
            arm: arms[arm].name.clone(),
            propensity,
        });
    }
    chosen
}

fn highest(draws: &[f64]) -> usize {
    let best = draws
        .iter()
        .enumerate()
        .max_by(|(_, one), (_, other)| one.total_cmp(other));
    best.map_or(0, |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashSet};

    use proptest::prelude::*;
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;

    use super::*;

    fn arms(outcomes: &[(u64, u64)]) -> Vec<Arm> {
        let arm = |(n, (successes, failures)): (usize, &(u64, u64))| Arm {
            name: format!("arm{n}"),
            successes: *successes,
            failures: *failures,
        };
        outcomes.iter().enumerate().map(arm).collect()
    }

    /// How often each arm was first of `draws`, and the propensity it said each time.
    fn shares(outcomes: &[(u64, u64)], draws: u32) -> BTreeMap<String, (f64, f64)> {
        let (arms, mut random) = (arms(outcomes), StdRng::seed_from_u64(7));
        let mut shares = BTreeMap::new();
        for _ in 0..draws {
            let first = choose(&arms, 1, &mut random).remove(0);
            let share: &mut (f64, f64) = shares.entry(first.arm).or_default();
            *share = (share.0 + 1.0 / f64::from(draws), first.propensity);
        }
        shares
    }

    #[test]
    fn arms_come_as_often_as_their_propensity_says() {
        const DRAWS: u32 = 2_000;
        for outcomes in [
            &[(3, 1), (1, 3), (0, 0)][..],
            &[(50, 50), (55, 45)],
            &[(0, 9), (9, 0), (2, 2), (3, 2)],
        ] {
            let shares = shares(outcomes, DRAWS);
            for (arm, (share, propensity)) in &shares {
                let error = (propensity * (1.0 - propensity) / f64::from(DRAWS)).sqrt();
                assert!(
                    (share - propensity).abs() < 4.0 * error + 0.001,
                    "{arm}: {share}, said {propensity}"
                );
            }
        }
    }

    #[test]
    fn more_successes_are_chosen_more_often() {
        let share = |successes| {
            shares(&[(successes, 10), (10, 10)], 500)
                .get("arm0")
                .map_or(0.0, |share| share.0)
        };
        let rising: Vec<f64> = [0, 5, 10, 20, 60].into_iter().map(share).collect();
        assert!(rising.is_sorted_by(|one, other| one < other), "{rising:?}");
        assert!(
            (rising[2] - 0.5).abs() < 0.1,
            "equals are chosen equally: {rising:?}"
        );
    }

    proptest! {
        #[test]
        fn chosen_arms_are_different_and_the_last_one_left_is_certain(
            outcomes in prop::collection::vec((0..50_u64, 0..50_u64), 1..10),
            count in 1..12_usize,
            seed: u64,
        ) {
            let chosen = choose(&arms(&outcomes), count, &mut StdRng::seed_from_u64(seed));
            prop_assert_eq!(chosen.len(), count.min(outcomes.len()));
            let names: HashSet<&str> = chosen.iter().map(|chosen| chosen.arm.as_str()).collect();
            prop_assert_eq!(names.len(), chosen.len());
            prop_assert!(chosen.iter().all(|chosen| chosen.propensity > 0.0 && chosen.propensity <= 1.0));
            if count >= outcomes.len() {
                prop_assert!((chosen[chosen.len() - 1].propensity - 1.0).abs() < 1e-9);
            }
        }

        #[test]
        fn the_same_random_source_chooses_the_same(outcomes in prop::collection::vec((0..50_u64, 0..50_u64), 1..6), seed: u64) {
            let run = || choose(&arms(&outcomes), 2, &mut StdRng::seed_from_u64(seed));
            prop_assert_eq!(run(), run());
        }
    }
}
