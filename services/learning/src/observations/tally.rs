//! What outcomes and ratings add to the counts of each arm: pure.

use std::collections::BTreeMap;

use swarm_types::{AgentId, ObservationId, TaskId, Timestamp};

/// How one arm did on one task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// Its id, by which it is taken once.
    pub id: ObservationId,
    /// The task.
    pub task: TaskId,
    /// The agent: the arm.
    pub agent: AgentId,
    /// The model it used.
    pub model: String,
    /// What kind of task it was.
    pub kind: String,
    /// How long it took.
    pub latency_ms: i64,
    /// Tokens read.
    pub input_tokens: i64,
    /// Tokens written.
    pub output_tokens: i64,
    /// Whether it was done.
    pub success: bool,
    /// When it ended.
    pub at: Timestamp,
}

/// What is added to the counts of one arm for one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Delta {
    /// Successes.
    pub successes: i64,
    /// Failures.
    pub failures: i64,
    /// Milliseconds.
    pub latency_ms: i64,
    /// Ratings.
    pub ratings: i64,
    /// Their sum.
    pub rating_sum: i64,
}

/// Deltas by kind and arm, in that order, so that all writers take rows in the same order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally(BTreeMap<(String, String), Delta>);

impl Tally {
    /// Adds an outcome.
    pub fn add_outcome(&mut self, observation: &Observation) {
        let delta = self.of(&observation.kind, &observation.agent.to_string());
        delta.latency_ms = delta.latency_ms.saturating_add(observation.latency_ms);
        if observation.success {
            delta.successes += 1;
        } else {
            delta.failures += 1;
        }
    }

    /// Adds a rating of a task on which this arm has worked, in place of `before`.
    pub fn add_rating(&mut self, kind: &str, arm: &str, rating: i64, before: Option<i64>) {
        let delta = self.of(kind, arm);
        delta.ratings += i64::from(before.is_none());
        delta.rating_sum += rating - before.unwrap_or(0);
    }

    fn of(&mut self, kind: &str, arm: &str) -> &mut Delta {
        self.0.entry((kind.to_owned(), arm.to_owned())).or_default()
    }

    /// Kind, arm and what is added.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, Delta)> {
        self.0
            .iter()
            .map(|((kind, arm), delta)| (kind.as_str(), arm.as_str(), *delta))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rating_is_counted_once_and_replaced() {
        let mut tally = Tally::default();
        tally.add_rating("k", "a", 2, None);
        tally.add_rating("k", "a", 5, Some(2));
        tally.add_rating("k", "b", 4, None);
        let deltas: Vec<_> = tally
            .iter()
            .map(|(_, arm, delta)| (arm, delta.ratings, delta.rating_sum))
            .collect();
        assert_eq!(deltas, [("a", 1, 5), ("b", 1, 4)]);
    }
}
