//! Which failure is tried again, and when: pure.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::words;

/// The most attempts that a policy may ask for.
pub const MAX_ATTEMPTS: u32 = 100;

words! {
    /// A sort of failure that a later attempt may not meet again. Every other one is permanent.
    Passing {
        /// A service, a provider or a database could not be reached.
        Unavailable = "unavailable",
        /// A limit was reached.
        ResourceExhausted = "resource_exhausted",
        /// A call took too long.
        DeadlineExceeded = "deadline_exceeded",
        /// Something had changed meanwhile.
        Conflict = "conflict",
        /// A fault of ours, or of a provider.
        Internal = "internal",
    }
}

impl Passing {
    /// Those that are tried again unless the policy says otherwise.
    pub const USUAL: [Self; 3] = [
        Self::Unavailable,
        Self::ResourceExhausted,
        Self::DeadlineExceeded,
    ];
}

/// How long to wait before the next attempt.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Backoff {
    /// Milliseconds before the second attempt.
    pub initial_ms: u32,
    /// By how much each pause is longer than the one before.
    pub factor: f64,
    /// No pause is longer.
    pub max_ms: u32,
    /// Which share of a pause chance may take away, 0 to 1: what failed together comes back apart.
    pub jitter: f64,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            initial_ms: 1_000,
            factor: 2.0,
            max_ms: 60_000,
            jitter: 0.2,
        }
    }
}

impl Backoff {
    /// The pause after so many attempts; `chance` is at least 0 and below 1.
    #[must_use]
    pub fn pause(&self, attempts: u32, chance: f64) -> Duration {
        let doublings = i32::try_from(attempts.saturating_sub(1)).unwrap_or(i32::MAX);
        let whole =
            (f64::from(self.initial_ms) * self.factor.powi(doublings)).min(f64::from(self.max_ms));
        let left = whole * (1.0 - self.jitter * chance.clamp(0.0, 1.0));
        Duration::from_secs_f64(left.max(0.0) / 1_000.0)
    }
}

/// When a root task that fails is tried again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RetryPolicy {
    /// Attempts in all, 1 to [`MAX_ATTEMPTS`].
    pub max_attempts: u32,
    /// How long to wait between them.
    pub backoff: Backoff,
    /// After which failures; none means [`Passing::USUAL`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retry_on: Vec<Passing>,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 3,
            backoff: Backoff::default(),
            retry_on: Vec::new(),
        }
    }
}

/// What follows a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterFailure {
    /// The task fails: another attempt would not mend it.
    Permanent,
    /// The task becomes a dead letter: its attempts are used up.
    Exhausted,
    /// Another attempt, after this pause.
    Again(Duration),
}

impl RetryPolicy {
    /// Whether it is the one of tasks that name none.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a failure with this code is tried again, if there are attempts left.
    #[must_use]
    pub fn retries(&self, code: &str) -> bool {
        let Ok(code) = code.parse::<Passing>() else {
            return false;
        };
        match self.retry_on.as_slice() {
            [] => Passing::USUAL.contains(&code),
            chosen => chosen.contains(&code),
        }
    }

    /// What follows when so many attempts have been made and the last one failed with this code.
    /// The pause is at least what the failure itself has asked for.
    #[must_use]
    pub fn after(
        &self,
        attempts: u32,
        code: &str,
        asked_for: Option<Duration>,
        chance: f64,
    ) -> AfterFailure {
        if !self.retries(code) {
            AfterFailure::Permanent
        } else if attempts >= self.max_attempts.min(MAX_ATTEMPTS) {
            AfterFailure::Exhausted
        } else {
            let pause = self.backoff.pause(attempts, chance);
            AfterFailure::Again(pause.max(asked_for.unwrap_or_default()))
        }
    }
}

#[cfg(test)]
mod tests {
    use swarm_errors::Code;

    use super::*;

    const fn ms(value: u64) -> Duration {
        Duration::from_millis(value)
    }

    #[test]
    fn passing_failures_are_tried_again_and_permanent_ones_never() {
        let usual = RetryPolicy::default();
        let all = RetryPolicy {
            retry_on: Passing::ALL.to_vec(),
            ..RetryPolicy::default()
        };
        for code in Code::ALL {
            assert_eq!(
                usual.retries(code.as_str()),
                code.is_transient(),
                "{code:?}"
            );
            let may = code.is_transient() || matches!(code, Code::Conflict | Code::Internal);
            assert_eq!(all.retries(code.as_str()), may, "{code:?}");
        }
        let only = RetryPolicy {
            retry_on: vec![Passing::Internal],
            ..RetryPolicy::default()
        };
        assert!(only.retries("internal") && !only.retries("unavailable"));
        assert!(!usual.retries("") && !usual.retries("nonsense"));
    }

    #[test]
    fn attempts_are_bounded() {
        let policy = RetryPolicy::default();
        let after = |attempts, code| policy.after(attempts, code, None, 0.0);
        assert_eq!(after(1, "unavailable"), AfterFailure::Again(ms(1_000)));
        assert_eq!(after(2, "unavailable"), AfterFailure::Again(ms(2_000)));
        assert_eq!(after(3, "unavailable"), AfterFailure::Exhausted);
        assert_eq!(after(u32::MAX, "unavailable"), AfterFailure::Exhausted);
        assert_eq!(after(1, "invalid_argument"), AfterFailure::Permanent);
        let endless = RetryPolicy {
            max_attempts: u32::MAX,
            ..RetryPolicy::default()
        };
        assert_eq!(
            endless.after(MAX_ATTEMPTS, "unavailable", None, 0.0),
            AfterFailure::Exhausted
        );
    }

    #[test]
    fn pauses_grow_to_their_bound_and_chance_only_shortens_them() {
        let backoff = Backoff {
            initial_ms: 100,
            factor: 3.0,
            max_ms: 1_000,
            jitter: 0.5,
        };
        let pauses: Vec<Duration> = (1..6).map(|made| backoff.pause(made, 0.0)).collect();
        assert_eq!(pauses, [ms(100), ms(300), ms(900), ms(1_000), ms(1_000)]);
        assert_eq!(backoff.pause(2, 0.5), ms(225));
        assert_eq!(
            backoff.pause(2, 7.0),
            ms(150),
            "chance is kept in its bounds"
        );
        assert_eq!(backoff.pause(u32::MAX, 0.0), ms(1_000), "no overflow");
        assert_eq!(backoff.pause(0, 0.0), ms(100));
    }

    #[test]
    fn a_failure_may_ask_for_a_longer_pause() {
        let policy = RetryPolicy::default();
        let after = policy.after(1, "resource_exhausted", Some(ms(30_000)), 0.9);
        assert_eq!(after, AfterFailure::Again(ms(30_000)));
    }
}
