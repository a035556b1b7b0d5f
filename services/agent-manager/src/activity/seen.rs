//! What one replica has seen of a tenant, or of all of them: pure.

use serde::{Deserialize, Serialize};

use super::{Histogram, RATE_SECONDS};

/// How many tasks met what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Were accepted.
    pub submitted: u64,
    /// Ended with a result.
    pub completed: u64,
    /// Ended by an error, or when their retries were exhausted.
    pub failed: u64,
    /// Were ended by a caller.
    pub cancelled: u64,
}

impl Counts {
    /// Adds another count.
    pub fn add(&mut self, other: Self) {
        self.submitted += other.submitted;
        self.completed += other.completed;
        self.failed += other.failed;
        self.cancelled += other.cancelled;
    }

    /// A count as a rate.
    #[must_use]
    pub fn per_second(count: u64) -> f64 {
        count as f64 / RATE_SECONDS as f64
    }
}

/// The workers of a replica.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workers {
    /// How many there are.
    pub all: u32,
    /// How many are at work.
    pub busy: u32,
}

/// What one replica has seen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Seen {
    /// Over the last seconds.
    pub counts: Counts,
    /// From submission to end.
    pub tasks: Histogram,
    /// From a cancel to the end of all that ran.
    pub stops: Histogram,
    /// Tasks that it holds.
    pub held: u64,
    /// Its workers, where it speaks of all tenants.
    pub workers: Workers,
}

impl Seen {
    /// Adds what another replica has seen of the same.
    pub fn add(&mut self, other: &Self) {
        self.counts.add(other.counts);
        self.tasks.add(&other.tasks);
        self.stops.add(&other.stops);
        self.held += other.held;
        self.workers.all += other.workers.all;
        self.workers.busy += other.workers.busy;
    }
}
