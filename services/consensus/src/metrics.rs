//! What this service counts.

use swarm_telemetry::{Counter, Counters, Registry, names};

use crate::voting::Outcome;

/// The metrics of one App. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    proposals: Counters<1>,
    failures: Counter,
}

impl Metrics {
    pub(crate) fn new(registry: &Registry) -> Self {
        Self {
            proposals: registry.counter(names::CONSENSUS_PROPOSALS_TOTAL),
            failures: registry.counter(names::CONSENSUS_FAILURES_TOTAL).with([]),
        }
    }

    /// A proposal has its outcome.
    pub(crate) fn decided(&self, outcome: Outcome) {
        self.proposals.with([outcome.as_str()]).inc();
    }

    /// The log did not commit a write.
    pub(crate) fn failed(&self) {
        self.failures.inc();
    }
}
