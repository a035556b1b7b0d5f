//! What a tick does while an earlier task of its schedule still runs: pure.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::record::Skipped;
use crate::tasks::words;

/// The most ticks that wait for their turn.
pub const MAX_WAITING: u32 = 100;

words! {
    /// What a tick does while an earlier task of the schedule has not ended.
    Overlap {
        /// It makes its task all the same.
        Allow = "allow",
        /// It makes none.
        Skip = "skip",
        /// The earlier task is cancelled first.
        CancelPrevious = "cancel_previous",
        /// It waits until the earlier task has ended.
        Queue = "queue",
    }
}

/// What becomes of one tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Its task is made now.
    Make,
    /// Its task is made once the earlier tasks are cancelled.
    CancelFirst,
    /// It waits.
    Wait,
    /// It makes none.
    Skip(Skipped),
}

impl Overlap {
    /// Of several ticks that are due at once: those that are left out, because a later one would
    /// cancel their task at once, and the others.
    #[must_use]
    pub fn of_several<T>(self, due: &[T]) -> (&[T], &[T]) {
        match self {
            Self::CancelPrevious => due.split_at(due.len().saturating_sub(1)),
            Self::Allow | Self::Skip | Self::Queue => due.split_at(0),
        }
    }

    /// What becomes of a tick, where `open` says whether an earlier task has not ended, and
    /// `waiting` how many ticks wait before it.
    #[must_use]
    pub const fn decide(self, open: bool, waiting: u32) -> Decision {
        match self {
            Self::Queue if waiting >= MAX_WAITING => Decision::Skip(Skipped::QueueFull),
            Self::Queue if open || waiting > 0 => Decision::Wait,
            Self::Skip if open => Decision::Skip(Skipped::Overlap),
            Self::CancelPrevious if open => Decision::CancelFirst,
            Self::Allow | Self::Skip | Self::CancelPrevious | Self::Queue => Decision::Make,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_makes_its_task_when_nothing_is_before_it() {
        for overlap in Overlap::ALL {
            assert_eq!(overlap.decide(false, 0), Decision::Make, "{overlap}");
        }
    }

    #[test]
    fn of_several_ticks_only_the_last_cancels() {
        let due = [1, 2, 3];
        assert_eq!(
            Overlap::CancelPrevious.of_several(&due),
            (&due[..2], &due[2..])
        );
        assert_eq!(
            Overlap::CancelPrevious.of_several(&due[..0]),
            (&due[..0], &due[..0])
        );
        assert_eq!(Overlap::Queue.of_several(&due), (&due[..0], &due[..]));
    }

    #[test]
    fn each_policy_does_what_it_says() {
        assert_eq!(Overlap::Allow.decide(true, 0), Decision::Make);
        assert_eq!(
            Overlap::Skip.decide(true, 0),
            Decision::Skip(Skipped::Overlap)
        );
        assert_eq!(
            Overlap::CancelPrevious.decide(true, 0),
            Decision::CancelFirst
        );
        assert_eq!(Overlap::Queue.decide(true, 0), Decision::Wait);
        // Behind those that wait, also when their turn has just come.
        assert_eq!(Overlap::Queue.decide(false, 1), Decision::Wait);
        assert_eq!(
            Overlap::Queue.decide(true, MAX_WAITING),
            Decision::Skip(Skipped::QueueFull)
        );
    }
}
