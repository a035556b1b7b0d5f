//! Which token comes next. Pure: from the model's logits to token numbers.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

const TOP_K: usize = 40;
const TOP_P: f32 = 0.95;
const MIN_P: f32 = 0.05;
/// Ranked at once where a grammar refuses the first choice.
const RANKED: usize = 256;

/// Greedy at temperature 0, else from the likely ones by chance.
#[derive(Debug)]
pub(super) struct Sampler {
    temperature: f32,
    random: StdRng,
}

impl Sampler {
    pub(super) fn new(temperature: f32, seed: Option<u64>) -> Self {
        Self {
            temperature,
            random: StdRng::seed_from_u64(seed.unwrap_or_else(rand::random)),
        }
    }

    /// The next token.
    pub(super) fn pick(&mut self, logits: &[f32]) -> i32 {
        if self.temperature <= 0.0 {
            return number(most_likely(logits));
        }
        let ranked = top(logits, TOP_K);
        let Some(&(_, best)) = ranked.first() else {
            return 0;
        };
        let weight = |logit: f32| ((logit - best) / self.temperature).exp();
        let total: f32 = ranked.iter().map(|&(_, logit)| weight(logit)).sum();
        let (mut kept, mut mass) = (0, 0.0);
        for &(_, logit) in &ranked {
            if kept > 0 && (mass >= TOP_P * total || weight(logit) < MIN_P) {
                break;
            }
            kept += 1;
            mass += weight(logit);
        }
        let mut point = self.random.random::<f32>() * mass;
        for &(token, logit) in &ranked[..kept] {
            point -= weight(logit);
            if point <= 0.0 {
                return number(token);
            }
        }
        number(ranked[0].0)
    }

    /// The next token, then all others from likely to unlikely: for whoever cannot take each.
    pub(super) fn candidates<'a>(&mut self, logits: &'a [f32]) -> impl Iterator<Item = i32> + 'a {
        let likely = std::iter::once_with(|| top(logits, RANKED)).flatten();
        let all = std::iter::once_with(|| top(logits, logits.len())).flatten();
        std::iter::once(self.pick(logits)).chain(likely.chain(all).map(|(token, _)| number(token)))
    }
}

fn most_likely(logits: &[f32]) -> usize {
    // Four strands, which the processor compares at once.
    let mut best = [f32::NEG_INFINITY; 4];
    let mut chunks = logits.chunks_exact(4);
    for chunk in &mut chunks {
        for (best, logit) in best.iter_mut().zip(chunk) {
            *best = best.max(*logit);
        }
    }
    let rest = chunks.remainder().iter().copied();
    let best = best
        .into_iter()
        .chain(rest)
        .fold(f32::NEG_INFINITY, f32::max);
    logits.iter().position(|logit| *logit == best).unwrap_or(0)
}

/// The `count` most likely tokens, the likeliest first.
fn top(logits: &[f32], count: usize) -> Vec<(usize, f32)> {
    let mut ranked: Vec<(usize, f32)> = Vec::new();
    if count >= logits.len() {
        ranked.extend(
            logits
                .iter()
                .copied()
                .enumerate()
                .filter(|(_, logit)| !logit.is_nan()),
        );
        ranked.sort_unstable_by(|a, b| b.1.total_cmp(&a.1));
        return ranked;
    }
    let mut least = f32::NEG_INFINITY;
    for (token, &logit) in logits.iter().enumerate() {
        if logit > least || (ranked.len() < count && !logit.is_nan()) {
            let place = ranked.partition_point(|&(_, other)| other >= logit);
            ranked.insert(place, (token, logit));
            ranked.truncate(count);
            if ranked.len() == count {
                least = ranked[count - 1].1;
            }
        }
    }
    ranked
}

fn number(token: usize) -> i32 {
    i32::try_from(token).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ranking_is_what_sorting_gives(logits in prop::collection::vec(-9.0_f32..9.0, 1..80), count in 1_usize..20) {
            let mut sorted: Vec<f32> = logits.clone();
            sorted.sort_by(|a, b| b.total_cmp(a));
            let ranked = top(&logits, count);
            let values: Vec<f32> = ranked.iter().map(|(_, logit)| *logit).collect();
            prop_assert_eq!(&values[..], &sorted[..count.min(sorted.len())]);
            prop_assert!(ranked.iter().all(|(token, logit)| logits[*token] == *logit));
            prop_assert_eq!(logits[most_likely(&logits)], sorted[0]);
        }

        #[test]
        fn one_seed_gives_one_answer(logits in prop::collection::vec(-3.0_f32..3.0, 8..60), seed in any::<u64>()) {
            let draw = || {
                let mut sampler = Sampler::new(1.0, Some(seed));
                (0..8).map(|_| sampler.pick(&logits)).collect::<Vec<_>>()
            };
            prop_assert_eq!(draw(), draw());
        }

        #[test]
        fn candidates_name_every_token(logits in prop::collection::vec(-3.0_f32..3.0, 1..400)) {
            let mut sampler = Sampler::new(0.0, None);
            let named: std::collections::BTreeSet<i32> = sampler.candidates(&logits).collect();
            prop_assert_eq!(named.len(), logits.len());
        }
    }

    #[test]
    fn a_temperature_spreads_the_choice_over_the_likely_ones() {
        let mut logits = vec![-20.0; 100];
        logits[7] = 2.0;
        logits[9] = 1.8;
        let mut sampler = Sampler::new(1.0, Some(1));
        let drawn: Vec<i32> = (0..200).map(|_| sampler.pick(&logits)).collect();
        assert!(drawn.iter().all(|token| [7, 9].contains(token)));
        assert!(drawn.contains(&7) && drawn.contains(&9));
    }
}
