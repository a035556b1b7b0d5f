//! What to do with a step, given what the journal has of it.

use super::{Safety, StepState};

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replay {
    /// Take the stored result; call nothing.
    Return,
    /// Write the start under this attempt, then call.
    Start {
        /// From 1.
        attempt: u32,
    },
    /// Write that its end is unknown, and fail; call nothing.
    Unknown,
    /// It failed for good: an unknown end was recorded before.
    Refuse,
}

/// Decides from the journal's entry, if there is one: its state and its attempt.
#[must_use]
pub const fn replay(entry: Option<(StepState, u32)>, safety: Safety) -> Replay {
    match entry {
        None => Replay::Start { attempt: 1 },
        Some((StepState::Finished, _)) => Replay::Return,
        Some((StepState::Failed, attempt)) => Replay::Start {
            attempt: attempt + 1,
        },
        // The same attempt, so that the call outside bears the same token.
        Some((StepState::Started, attempt)) => match safety {
            Safety::Idempotent => Replay::Start { attempt },
            Safety::AtMostOnce => Replay::Unknown,
        },
        // Recorded when the task ended meanwhile: a retry of the task may repeat what may be repeated.
        Some((StepState::OutcomeUnknown, attempt)) => match safety {
            Safety::Idempotent => Replay::Start { attempt },
            Safety::AtMostOnce => Replay::Refuse,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_journal_decides_by_this_table() {
        use Safety::{AtMostOnce, Idempotent};
        use StepState::{Failed, Finished, OutcomeUnknown, Started};
        for (entry, idempotent, at_most_once) in [
            (
                None,
                Replay::Start { attempt: 1 },
                Replay::Start { attempt: 1 },
            ),
            (Some((Finished, 2)), Replay::Return, Replay::Return),
            (
                Some((Failed, 2)),
                Replay::Start { attempt: 3 },
                Replay::Start { attempt: 3 },
            ),
            (
                Some((Started, 2)),
                Replay::Start { attempt: 2 },
                Replay::Unknown,
            ),
            (
                Some((OutcomeUnknown, 1)),
                Replay::Start { attempt: 1 },
                Replay::Refuse,
            ),
        ] {
            assert_eq!(replay(entry, Idempotent), idempotent, "{entry:?}");
            assert_eq!(replay(entry, AtMostOnce), at_most_once, "{entry:?}");
        }
    }
}
