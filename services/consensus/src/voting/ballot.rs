//! What one voter says about a proposal: pure.

use swarm_types::Timestamp;

/// What a voter says about one option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Choice {
    /// For it.
    Approve,
    /// Against it.
    Reject,
    /// Neither; counts for the quorum.
    Abstain,
}

/// A choice about one option, with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OptionVote {
    pub(crate) option_id: String,
    pub(crate) choice: Choice,
    pub(crate) reason: String,
}

/// All that one voter says about a proposal. It never changes once it is in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ballot {
    pub(crate) voter: String,
    pub(crate) votes: Vec<OptionVote>,
    pub(crate) cast_at: Timestamp,
    /// The index of the log entry that holds it.
    pub(crate) log_index: u64,
}

impl Ballot {
    /// The vote on an option; `None` where the voter passed it over.
    pub(crate) fn on(&self, option_id: &str) -> Option<&OptionVote> {
        self.votes.iter().find(|vote| vote.option_id == option_id)
    }

    /// The choice on an option; an option that was passed over is abstained from.
    pub(crate) fn choice_on(&self, option_id: &str) -> Choice {
        self.on(option_id)
            .map_or(Choice::Abstain, |vote| vote.choice)
    }
}
