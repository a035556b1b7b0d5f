//! Failures that the engine itself makes, and how to tell them from others.

use std::fmt;

use swarm_errors::{Code, Error};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    FencedOut,
    OutcomeUnknown,
    Stopped,
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FencedOut => "fenced out",
            Self::OutcomeUnknown => "outcome unknown",
            Self::Stopped => "stopped",
        })
    }
}

impl std::error::Error for Mark {}

/// The write bears an epoch that is no longer the task's.
pub(crate) fn fenced_out() -> Error {
    Error::new(
        Code::FailedPrecondition,
        "another worker has taken the task over",
    )
    .with_source(Mark::FencedOut)
}

/// An `at_most_once` call was started, its end was lost to a crash or a broken line, and nobody
/// knows whether it took effect.
#[must_use]
pub fn outcome_unknown(key: &str) -> Error {
    let words = format!("step {key} was started and must not be repeated: its outcome is unknown");
    Error::new(Code::FailedPrecondition, words).with_source(Mark::OutcomeUnknown)
}

/// The attempt is over: the task was cancelled, has ended, or is handed over.
pub(crate) fn stopped(why: &str) -> Error {
    Error::new(Code::Cancelled, why.to_owned()).with_source(Mark::Stopped)
}

/// Whether a write was refused because another worker holds the task now.
#[must_use]
pub fn is_fenced_out(error: &Error) -> bool {
    marked(error, Mark::FencedOut)
}

/// Whether a step ended as `outcome_unknown`: it must not be called again.
#[must_use]
pub fn is_outcome_unknown(error: &Error) -> bool {
    marked(error, Mark::OutcomeUnknown)
}

/// Whether the attempt is over, by a cancel, a lost lease, the deadline or a stop: give up at once.
#[must_use]
pub fn is_stopped(error: &Error) -> bool {
    marked(error, Mark::Stopped) || marked(error, Mark::FencedOut)
}

fn marked(error: &Error, mark: Mark) -> bool {
    std::error::Error::source(error).and_then(|source| source.downcast_ref::<Mark>()) == Some(&mark)
}
