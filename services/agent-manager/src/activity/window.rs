//! The last seconds and minutes of a tenant's tasks: pure.

use std::collections::VecDeque;
use std::time::Duration;

use swarm_types::Timestamp;

use super::{Counts, Histogram, Seen};

/// Rates are over this many whole seconds.
pub const RATE_SECONDS: i64 = 10;
/// Latencies of tasks are over this many.
const TASK_SECONDS: i64 = 60;
/// Cancels are rare: theirs are over a quarter of an hour.
const STOP_SECONDS: i64 = 15 * 60;

/// What happened, by second. A second in which nothing happened takes no place.
#[derive(Debug, Default)]
pub struct Window {
    tasks: VecDeque<(i64, Counts, Histogram)>,
    stops: VecDeque<(i64, Histogram)>,
}

impl Window {
    /// Counts something that happened to a task.
    pub fn count(&mut self, at: Timestamp, what: impl FnOnce(&mut Counts)) {
        what(&mut self.slot(at).1);
    }

    /// Takes in how long a task took.
    pub fn took(&mut self, at: Timestamp, length: Duration) {
        self.slot(at).2.observe(length);
    }

    /// Takes in how long a cancel took.
    pub fn stopped(&mut self, at: Timestamp, length: Duration) {
        let second = at.timestamp();
        if self.stops.back().is_none_or(|slot| slot.0 < second) {
            self.stops.push_back((second, Histogram::default()));
            forget(&mut self.stops, second - STOP_SECONDS, |slot| slot.0);
        }
        if let Some(slot) = self.stops.back_mut() {
            slot.1.observe(length);
        }
    }

    /// What there is to be seen now. The second that has just begun is left out of rates.
    pub fn seen(&mut self, now: Timestamp) -> Seen {
        let second = now.timestamp();
        self.forget(second);
        let mut seen = Seen::default();
        for (at, counts, took) in &self.tasks {
            if (second - RATE_SECONDS..second).contains(at) {
                seen.counts.add(*counts);
            }
            seen.tasks.add(took);
        }
        for (_, took) in &self.stops {
            seen.stops.add(took);
        }
        seen
    }

    /// Whether nothing has happened for long.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty() && self.stops.is_empty()
    }

    fn forget(&mut self, second: i64) {
        forget(&mut self.tasks, second - TASK_SECONDS, |slot| slot.0);
        forget(&mut self.stops, second - STOP_SECONDS, |slot| slot.0);
    }

    /// The slot of this second. A clock that was set back counts into the newest.
    fn slot(&mut self, at: Timestamp) -> &mut (i64, Counts, Histogram) {
        let second = at.timestamp();
        if self.tasks.back().is_none_or(|slot| slot.0 < second) {
            self.tasks
                .push_back((second, Counts::default(), Histogram::default()));
            forget(&mut self.tasks, second - TASK_SECONDS, |slot| slot.0);
        }
        let newest = self.tasks.len() - 1;
        &mut self.tasks[newest]
    }
}

/// Drops what is as old as this or older.
fn forget<T>(slots: &mut VecDeque<T>, until: i64, second: impl Fn(&T) -> i64) {
    while slots.front().is_some_and(|slot| second(slot) <= until) {
        slots.pop_front();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use chrono::{DateTime, TimeDelta};

    use super::*;

    fn at(second: i64) -> Timestamp {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
    }

    #[test]
    fn rates_are_over_the_last_whole_seconds() {
        let mut window = Window::default();
        for second in 100..=120 {
            window.count(at(second), |counts| counts.submitted += 5);
        }
        let seen = window.seen(at(120));
        assert_eq!(seen.counts.submitted, 50, "second 120 is not over");
        assert!((Counts::per_second(seen.counts.submitted) - 5.0).abs() < 1e-9);
        assert_eq!(window.seen(at(125)).counts.submitted, 30);
        assert_eq!(window.seen(at(140)).counts.submitted, 0);
    }

    #[test]
    fn what_is_old_is_forgotten_and_takes_no_room() {
        let mut window = Window::default();
        window.took(at(0), Duration::from_millis(5));
        window.stopped(at(0), Duration::from_millis(7));
        assert_eq!(window.seen(at(59)).tasks.count(), 1);
        let later = window.seen(at(61));
        assert_eq!((later.tasks.count(), later.stops.count()), (0, 1));
        assert!(!window.is_empty());
        window.seen(at(901));
        assert!(window.is_empty());
        for second in 0..10_000 {
            window.took(at(second), Duration::from_millis(5));
            window.stopped(at(second), Duration::from_millis(5));
        }
        assert!(window.tasks.len() <= 60 && window.stops.len() <= 900);
    }

    #[test]
    fn a_clock_that_was_set_back_does_no_harm() {
        let mut window = Window::default();
        window.count(at(100), |counts| counts.failed += 1);
        window.count(at(50), |counts| counts.failed += 1);
        assert_eq!(window.seen(at(101)).counts.failed, 2);
    }
}
