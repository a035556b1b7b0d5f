//! How long a name must rest after a row of wrong passwords: pure.

use std::collections::HashMap;

use chrono::TimeDelta;
use swarm_types::Timestamp;

/// The names that are remembered at most; beyond, those that failed longest ago are forgotten.
const MAX_NAMES: usize = 10_000;
/// A row of failures is forgotten after so long without one.
const MEMORY_SECONDS: i64 = 15 * 60;

/// When pauses begin, and how long they get.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) free_failures: u32,
    pub(crate) max_pause_seconds: u32,
}

/// Failures in a row, by name, known or not: who asks learns nothing from a pause.
#[derive(Debug)]
pub(crate) struct Throttle {
    limits: Limits,
    names: HashMap<String, Row>,
}

#[derive(Debug, Clone, Copy)]
struct Row {
    failures: u32,
    last: Timestamp,
}

impl Throttle {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            names: HashMap::new(),
        }
    }

    /// Admits an attempt, which counts as failed until [`Self::succeeded`], so that many at once
    /// gain nothing; or says how long to wait.
    pub(crate) fn attempt(&mut self, name: &str, now: Timestamp) -> Result<(), TimeDelta> {
        let row = self
            .names
            .get(name)
            .copied()
            .filter(|row| now - row.last < TimeDelta::seconds(MEMORY_SECONDS));
        let failures = row.map_or(0, |row| row.failures);
        if let Some(row) = row {
            let free_at = row.last + self.pause(failures);
            if now < free_at {
                return Err(free_at - now);
            }
        }
        if !self.names.contains_key(name) {
            self.make_room(now);
        }
        self.names.insert(
            name.to_owned(),
            Row {
                failures: failures.saturating_add(1),
                last: now,
            },
        );
        Ok(())
    }

    /// The password was right: the row ends.
    pub(crate) fn succeeded(&mut self, name: &str) {
        self.names.remove(name);
    }

    /// The attempt came to no end for a reason of ours: it does not count.
    pub(crate) fn abandoned(&mut self, name: &str) {
        if let Some(row) = self.names.get_mut(name) {
            row.failures = row.failures.saturating_sub(1);
        }
    }

    /// A second at first, then doubling.
    fn pause(&self, failures: u32) -> TimeDelta {
        let Some(over) = failures.checked_sub(self.limits.free_failures) else {
            return TimeDelta::zero();
        };
        let seconds = 1_u32.checked_shl(over.min(31)).unwrap_or(u32::MAX);
        TimeDelta::seconds(i64::from(seconds.min(self.limits.max_pause_seconds)))
    }

    fn make_room(&mut self, now: Timestamp) {
        if self.names.len() < MAX_NAMES {
            return;
        }
        self.names
            .retain(|_, row| now - row.last < TimeDelta::seconds(MEMORY_SECONDS));
        if self.names.len() < MAX_NAMES {
            return;
        }
        // A tenth at once, so that a flood of made-up names does not pay this for each.
        let mut times: Vec<Timestamp> = self.names.values().map(|row| row.last).collect();
        let (_, limit, _) = times.select_nth_unstable(MAX_NAMES / 10);
        let limit = *limit;
        self.names.retain(|_, row| row.last > limit);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use swarm_types::{Clock, ManualClock};

    use super::*;

    fn start() -> (Throttle, ManualClock) {
        let limits = Limits {
            free_failures: 10,
            max_pause_seconds: 60,
        };
        (
            Throttle::new(limits),
            ManualClock::new("2026-01-01T00:00:00Z".parse().unwrap()),
        )
    }

    #[test]
    fn ten_failures_are_free_then_pauses_double_up_to_the_longest() {
        let (mut throttle, clock) = start();
        for _ in 0..10 {
            throttle.attempt("ann", clock.now()).unwrap();
        }
        let mut pauses = Vec::new();
        for _ in 0..8 {
            let pause = throttle.attempt("ann", clock.now()).unwrap_err();
            pauses.push(pause.num_seconds());
            clock.advance(pause);
            throttle.attempt("ann", clock.now()).unwrap();
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
        throttle.attempt("bob", clock.now()).unwrap();
    }

    #[test]
    fn success_and_time_end_the_row_and_our_own_faults_do_not_count() {
        let (mut throttle, clock) = start();
        for _ in 0..50 {
            throttle.attempt("ann", clock.now()).unwrap();
            throttle.abandoned("ann");
        }
        for _ in 0..9 {
            throttle.attempt("ann", clock.now()).unwrap();
        }
        throttle.succeeded("ann");
        for _ in 0..10 {
            throttle.attempt("ann", clock.now()).unwrap();
        }
        throttle.attempt("ann", clock.now()).unwrap_err();
        clock.advance(TimeDelta::seconds(MEMORY_SECONDS));
        throttle.attempt("ann", clock.now()).unwrap();
    }

    #[test]
    fn made_up_names_do_not_fill_the_memory_and_push_out_the_oldest() {
        let (mut throttle, clock) = start();
        for n in 0..MAX_NAMES * 3 {
            clock.advance(TimeDelta::microseconds(1));
            throttle.attempt(&n.to_string(), clock.now()).unwrap();
        }
        assert!(throttle.names.len() <= MAX_NAMES);
        assert!(
            throttle
                .names
                .contains_key(&(MAX_NAMES * 3 - 1).to_string())
        );
        assert!(!throttle.names.contains_key("0"));
    }
}
