//! Proposals, ballots and tallies.

use serde::{Deserialize, Serialize};
use swarm_types::Timestamp;

/// One thing that is voted on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposalOption {
    /// Unique within the proposal.
    pub id: String,
    /// For people.
    #[serde(default)]
    pub label: String,
}

/// A proposal to open.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct NewProposal {
    /// The question.
    pub title: String,
    /// What one needs to know to answer it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What is voted on.
    pub options: Vec<ProposalOption>,
    /// Who may vote.
    pub electorate: Vec<String>,
    /// Milliseconds until it closes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_for_ms: Option<u32>,
    /// The task it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_id: Option<String>,
}

/// A choice on one option.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptionVote {
    /// The option.
    pub option_id: String,
    /// `approve`, `reject` or `abstain`.
    pub choice: String,
    /// Why.
    #[serde(default)]
    pub reason: String,
}

/// A ballot to cast.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct NewVote {
    /// Who votes; absent for the caller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voter: Option<String>,
    /// A choice for each option.
    pub votes: Vec<OptionVote>,
}

/// A ballot that was cast.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ballot {
    /// Who voted.
    pub voter: String,
    /// The choices.
    pub votes: Vec<OptionVote>,
    /// When.
    pub cast_at: Option<Timestamp>,
    /// The log entry that holds it.
    #[serde(default)]
    pub log_index: u64,
}

/// The count of one option.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptionTally {
    /// The option.
    pub option_id: String,
    /// Votes for it.
    pub approve: u32,
    /// Votes against it.
    pub reject: u32,
    /// Votes for neither.
    pub abstain: u32,
    /// Whether it is accepted.
    pub accepted: bool,
}

/// A voter whose choice was not the outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dissent {
    /// Who.
    pub voter: String,
    /// On which option.
    pub option_id: String,
    /// What was chosen.
    pub choice: String,
    /// Why.
    #[serde(default)]
    pub reason: String,
}

/// The count.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tally {
    /// By option.
    pub options: Vec<OptionTally>,
    /// Ballots that were cast.
    pub ballots: u32,
    /// Ballots that decide.
    pub quorum: u32,
    /// Who saw it differently, and why.
    pub dissent: Vec<Dissent>,
}

/// A question put to a vote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// Its id.
    pub id: String,
    /// The question.
    pub title: String,
    /// What one needs to know to answer it.
    #[serde(default)]
    pub description: String,
    /// What is voted on.
    pub options: Vec<ProposalOption>,
    /// Who may vote.
    pub electorate: Vec<String>,
    /// `simple_majority`.
    #[serde(default)]
    pub rule: String,
    /// Ballots that decide.
    pub quorum: u32,
    /// `open`, `decided` or `no_quorum`.
    pub state: String,
    /// The ballots so far.
    #[serde(default)]
    pub ballots: Vec<Ballot>,
    /// The count so far.
    #[serde(default)]
    pub tally: Tally,
    /// When it was opened.
    pub created_at: Option<Timestamp>,
    /// When it closes.
    pub deadline: Option<Timestamp>,
    /// When it closed.
    pub closed_at: Option<Timestamp>,
    /// The task it belongs to.
    pub task_id: Option<String>,
    /// Who opened it.
    #[serde(default)]
    pub created_by: String,
}

/// What a vote led to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cast {
    /// The stored ballot.
    pub ballot: Ballot,
    /// The proposal with it.
    pub proposal: Proposal,
}
