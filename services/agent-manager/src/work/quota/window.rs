//! A minute that slides over two counters, each of a whole minute: a pure rule.
//!
//! What the minute before counted is taken as spread evenly, so of it counts the part that lies
//! within the last sixty seconds. A burst at the turn of the minute cannot use both minutes' limits.

use std::time::Duration;

use swarm_types::Timestamp;

const MINUTE_MS: i64 = 60_000;
/// Whoever waits does not ask more often.
const SHORTEST: Duration = Duration::from_millis(20);

/// A place within the minute of one counter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Window {
    /// The minute's number.
    pub(super) number: i64,
    /// The part of it that has passed.
    passed: f64,
}

impl Window {
    pub(super) fn at(now: Timestamp) -> Self {
        let now = now.timestamp_millis();
        Self {
            number: now.div_euclid(MINUTE_MS),
            passed: now.rem_euclid(MINUTE_MS) as f64 / MINUTE_MS as f64,
        }
    }

    /// `None` when what this minute counts by now, with `own` in it, keeps to the limit; else how
    /// long to wait. Take `own`, which is no more than the limit, back then.
    pub(super) fn wait(self, limit: u64, before: u64, counted: u64, own: u64) -> Option<Duration> {
        let (limit, before) = (limit as f64, before as f64);
        let (counted, own) = (counted as f64, own as f64);
        let left = 1.0 - self.passed;
        if before * left + counted <= limit {
            return None;
        }
        let minutes = if counted <= limit {
            // The minute before must slide out as far as this.
            (1.0 - (limit - counted) / before) - self.passed
        } else {
            // The same, once this minute has become the one before.
            left + (1.0 - (limit - own) / (counted - own).max(1.0)).clamp(0.0, 1.0)
        };
        Some(Duration::from_secs_f64(minutes.clamp(0.0, 2.0) * 60.0).max(SHORTEST))
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::*;

    fn at(seconds: i64) -> Window {
        Window::at(DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds))
    }

    #[test]
    fn it_admits_up_to_the_limit() {
        assert_eq!(at(30).wait(10, 0, 10, 1), None);
        assert_eq!(at(0).wait(10, 9, 1, 1), None);
        assert_eq!(at(45).wait(10, 40, 0, 0), None, "a quarter of 40");
        assert_eq!(at(90).number, 1);
    }

    #[test]
    fn who_is_too_early_waits_until_it_fits() {
        // Of the ten of the minute before, one must have slid out: six seconds.
        assert_eq!(at(0).wait(10, 10, 1, 1), Some(Duration::from_secs(6)));
        assert_eq!(
            at(0)
                .wait(10, 10, 1, 1)
                .and_then(|wait| at(wait.as_secs() as i64).wait(10, 10, 1, 1)),
            None
        );
        // Ten in this minute, all of them before: the eleventh fits six seconds into the next.
        assert_eq!(at(40).wait(10, 0, 11, 1), Some(Duration::from_secs(26)));
        // As large as the limit: all must have slid out.
        assert_eq!(at(30).wait(10, 0, 15, 10), Some(Duration::from_secs(90)));
    }
}
