//! Decision rules, one per file: pure.

mod simple_majority;

use super::tally::Count;

/// How choices become an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// More approve than reject.
    SimpleMajority,
}

impl Rule {
    /// Whether an option with these choices is accepted.
    pub(crate) fn accepts(self, count: Count) -> bool {
        match self {
            Self::SimpleMajority => simple_majority::accepts(count),
        }
    }

    /// Whether `remaining` more choices, whatever they are, leave the outcome as it is.
    pub(crate) fn is_settled(self, count: Count, remaining: u32) -> bool {
        match self {
            Self::SimpleMajority => simple_majority::is_settled(count, remaining),
        }
    }
}
