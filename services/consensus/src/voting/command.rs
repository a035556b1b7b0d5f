//! What may be replicated, and what applying it answers: pure.

use std::fmt;
use std::sync::Arc;

use swarm_types::{ProposalId, TenantId, Timestamp};

use super::{Ballot, Draft, OptionVote, Proposal, Refusal};

/// One change of the register. Its time was stamped by the leader that proposed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Command {
    /// Opens a proposal.
    Create(Create),
    /// Casts a ballot.
    Vote(Vote),
    /// Ends a proposal at its deadline.
    Close(Close),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Create {
    pub(crate) tenant: TenantId,
    pub(crate) id: ProposalId,
    pub(crate) draft: Draft,
    pub(crate) created_by: String,
    pub(crate) body_hash: Vec<u8>,
    pub(crate) at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Vote {
    pub(crate) tenant: TenantId,
    pub(crate) proposal: ProposalId,
    pub(crate) voter: String,
    pub(crate) votes: Vec<OptionVote>,
    pub(crate) at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Close {
    pub(crate) tenant: TenantId,
    pub(crate) proposal: ProposalId,
    pub(crate) at: Timestamp,
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create(create) => write!(f, "create {}", create.id),
            Self::Vote(vote) => write!(f, "vote on {} by {}", vote.proposal, vote.voter),
            Self::Close(close) => write!(f, "close {}", close.proposal),
        }
    }
}

/// What a command answers to whoever proposed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The entry was not a command, but one of the group's own.
    Nothing,
    /// The proposal, opened now or before.
    Created(Arc<Proposal>),
    /// The voter's ballot, cast now or before, and the proposal with it.
    Voted(Ballot, Arc<Proposal>),
    /// The proposal is closed, now or before.
    Closed,
    /// It had no effect.
    Refused(Refusal),
}

/// How a proposal ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// At least one option was accepted.
    Accepted,
    /// No option was.
    Rejected,
    /// Too few voted.
    NoQuorum,
}

impl Outcome {
    /// The value of a metric's label.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::NoQuorum => "no_quorum",
        }
    }
}

/// What applying a command did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Applied {
    pub(crate) answer: Answer,
    /// The outcome, when this very command brought it.
    pub(crate) outcome: Option<Outcome>,
}
