//! Proposals, ballots and tallies.

use serde::{Deserialize, Serialize};
use swarm_proto::common::v1::RequestKey;
use swarm_proto::consensus::v1 as wire;
use utoipa::{IntoParams, ToSchema};

use super::page::paged;
use super::wire::{Time, Word, some, text, time, words};

words! {
    /// Where a proposal is in its life.
    ProposalState = wire::ProposalState {
        /// Ballots are taken.
        Open,
        /// It closed with enough ballots to decide.
        Decided,
        /// It closed at its deadline with too few ballots.
        NoQuorum,
    }

    /// What a voter says to an option.
    Choice = wire::Choice {
        /// For it.
        Approve,
        /// Against it.
        Reject,
        /// Neither.
        Abstain,
    }

    /// How ballots decide.
    Rule = wire::Rule {
        /// An option is accepted when more voters approve than reject it.
        SimpleMajority,
    }
}

/// One thing that is voted on.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProposalOption {
    /// Unique within the proposal.
    id: String,
    #[serde(default)]
    label: String,
}

/// A question to put to a vote.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewProposal {
    title: String,
    description: Option<String>,
    options: Vec<ProposalOption>,
    /// Who may vote.
    electorate: Vec<String>,
    /// `simple_majority` unless given.
    rule: Option<Rule>,
    /// Milliseconds until it closes, at most 24 hours; 5 minutes unless given.
    open_for_ms: Option<u32>,
    /// The task it belongs to.
    task_id: Option<String>,
}

impl NewProposal {
    /// For the wire.
    pub(crate) fn into_wire(self, key: RequestKey) -> wire::CreateProposalRequest {
        wire::CreateProposalRequest {
            request: Some(key),
            id: String::new(),
            title: self.title,
            description: text(self.description),
            options: self
                .options
                .into_iter()
                .map(|it| wire::Option {
                    id: it.id,
                    label: it.label,
                })
                .collect(),
            electorate: self.electorate,
            rule: self.rule.unwrap_or(Rule::SimpleMajority).to_wire(),
            open_for_ms: self.open_for_ms.unwrap_or_default(),
            task_id: text(self.task_id),
        }
    }
}

/// A choice on one option.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewOptionVote {
    option_id: String,
    choice: Choice,
    #[serde(default)]
    reason: String,
}

/// A ballot to cast.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewVote {
    /// Who votes; the caller unless given.
    voter: Option<String>,
    /// A choice for each option.
    votes: Vec<NewOptionVote>,
}

impl NewVote {
    /// For the wire, where `caller` votes unless another voter is named.
    pub(crate) fn into_wire(self, proposal_id: String, caller: &str) -> wire::CastVoteRequest {
        let votes = self.votes.into_iter().map(|vote| wire::OptionVote {
            option_id: vote.option_id,
            choice: vote.choice.to_wire(),
            reason: vote.reason,
        });
        let voter = self.voter.unwrap_or_else(|| caller.to_owned());
        wire::CastVoteRequest {
            proposal_id,
            voter,
            votes: votes.collect(),
        }
    }
}

/// A choice that was made on one option.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OptionVote {
    option_id: String,
    #[schema(required)]
    choice: Option<Choice>,
    reason: String,
}

/// A ballot that was cast.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Ballot {
    voter: String,
    votes: Vec<OptionVote>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cast_at: Option<Time>,
    /// The index of the log entry that holds it.
    log_index: u64,
}

impl From<wire::Ballot> for Ballot {
    fn from(ballot: wire::Ballot) -> Self {
        let votes = ballot.votes.into_iter().map(|vote| OptionVote {
            option_id: vote.option_id,
            choice: Choice::from_wire(vote.choice),
            reason: vote.reason,
        });
        Self {
            voter: ballot.voter,
            votes: votes.collect(),
            cast_at: time(ballot.cast_at),
            log_index: ballot.log_index,
        }
    }
}

/// The count of one option.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OptionTally {
    option_id: String,
    approve: u32,
    reject: u32,
    abstain: u32,
    accepted: bool,
}

/// A voter whose choice was not the outcome.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Dissent {
    voter: String,
    option_id: String,
    #[schema(required)]
    choice: Option<Choice>,
    reason: String,
}

/// The count.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Tally {
    options: Vec<OptionTally>,
    /// Ballots that were cast.
    ballots: u32,
    /// Ballots that decide.
    quorum: u32,
    dissent: Vec<Dissent>,
}

impl From<wire::Tally> for Tally {
    fn from(tally: wire::Tally) -> Self {
        let options = tally.options.into_iter().map(|option| OptionTally {
            option_id: option.option_id,
            approve: option.approve,
            reject: option.reject,
            abstain: option.abstain,
            accepted: option.accepted,
        });
        let dissent = tally.dissent.into_iter().map(|dissent| Dissent {
            voter: dissent.voter,
            option_id: dissent.option_id,
            choice: Choice::from_wire(dissent.choice),
            reason: dissent.reason,
        });
        Self {
            options: options.collect(),
            ballots: tally.ballots,
            quorum: tally.quorum,
            dissent: dissent.collect(),
        }
    }
}

/// A question put to a vote.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Proposal {
    pub(crate) id: String,
    title: String,
    description: String,
    options: Vec<ProposalOption>,
    /// Who may vote: frozen at creation.
    electorate: Vec<String>,
    #[schema(required)]
    rule: Option<Rule>,
    /// Ballots that decide: more than half of the electorate.
    quorum: u32,
    #[schema(required)]
    state: Option<ProposalState>,
    ballots: Vec<Ballot>,
    tally: Tally,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<Time>,
    /// When it closes.
    #[serde(skip_serializing_if = "Option::is_none")]
    deadline: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    closed_at: Option<Time>,
    /// The task it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    task_id: Option<String>,
    created_by: String,
}

impl From<wire::Proposal> for Proposal {
    fn from(proposal: wire::Proposal) -> Self {
        let options = proposal.options.into_iter().map(|it| ProposalOption {
            id: it.id,
            label: it.label,
        });
        Self {
            id: proposal.id,
            title: proposal.title,
            description: proposal.description,
            options: options.collect(),
            electorate: proposal.electorate,
            rule: Rule::from_wire(proposal.rule),
            quorum: proposal.quorum,
            state: ProposalState::from_wire(proposal.state),
            ballots: proposal.ballots.into_iter().map(Into::into).collect(),
            tally: proposal.tally.unwrap_or_default().into(),
            created_at: time(proposal.created_at),
            deadline: time(proposal.deadline),
            closed_at: time(proposal.closed_at),
            task_id: some(proposal.task_id),
            created_by: proposal.created_by,
        }
    }
}

/// What a vote led to.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Cast {
    /// The stored ballot: the first one of this voter.
    pub(crate) ballot: Ballot,
    pub(crate) proposal: Proposal,
}

/// Which proposals are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListProposals {
    /// Only those in this state.
    #[param(inline)]
    pub(crate) state: Option<ProposalState>,
    /// Only those of this task.
    pub(crate) task_id: Option<String>,
    /// How many items, 50 unless given.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

paged!(ListProposals);
