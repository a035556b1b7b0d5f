//! The life of a proposal: pure.
//!
//! ```text
//! open --(outcome settled with quorum)--> decided --(deadline, or all have voted)--> sealed
//!   |--(deadline, quorum there)---------> decided and sealed
//!   `--(deadline, too few ballots)------> no quorum and sealed
//! ```
//!
//! A proposal is decided as soon as no further ballot can change it. Until it is sealed, voters
//! who have not voted still may: it changes no outcome, and their dissent is kept.

use chrono::TimeDelta;
use swarm_types::{ProposalId, TaskId, Timestamp};

use super::{Ballot, OptionVote, Outcome, Refusal, Rule, Tally, quorum, tally};

/// One thing that is voted on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProposalOption {
    /// Unique within the proposal.
    pub(crate) id: String,
    pub(crate) label: String,
}

/// What a proposal asks, as its author gave it. It never changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Draft {
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) options: Vec<ProposalOption>,
    pub(crate) electorate: Vec<String>,
    pub(crate) rule: Rule,
    pub(crate) open_for_ms: u32,
    pub(crate) task_id: Option<TaskId>,
}

/// Where a proposal is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Not decided yet.
    Open,
    /// With enough ballots to decide.
    Decided,
    /// Its deadline came with fewer ballots than the quorum.
    NoQuorum,
}

/// A question, its voters and their ballots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Proposal {
    pub(crate) id: ProposalId,
    pub(crate) draft: Draft,
    pub(crate) created_by: String,
    /// The hash of the request that made it; empty when none was given.
    pub(crate) body_hash: Vec<u8>,
    pub(crate) created_at: Timestamp,
    /// The index of the log entry that made it.
    pub(crate) log_index: u64,
    pub(crate) state: State,
    pub(crate) closed_at: Option<Timestamp>,
    /// No ballot is taken any more.
    pub(crate) is_sealed: bool,
    /// In the order of the log.
    pub(crate) ballots: Vec<Ballot>,
}

impl Proposal {
    /// When it is to close.
    pub(crate) fn deadline(&self) -> Timestamp {
        self.created_at + TimeDelta::milliseconds(i64::from(self.draft.open_for_ms))
    }

    /// The ballot of a voter, if it is cast.
    pub(crate) fn ballot_of(&self, voter: &str) -> Option<&Ballot> {
        self.ballots.iter().find(|ballot| ballot.voter == voter)
    }

    /// Whether a request to create it again means this very proposal.
    pub(crate) fn check_repeat(&self, draft: &Draft, body_hash: &[u8]) -> Result<(), Refusal> {
        let other_body = !self.body_hash.is_empty()
            && !body_hash.is_empty()
            && self.body_hash.as_slice() != body_hash;
        if self.draft != *draft || other_body {
            return Err(Refusal::OtherContent(self.id));
        }
        Ok(())
    }

    /// Whether a first ballot of this voter with these votes can be taken.
    pub(crate) fn check_ballot(&self, voter: &str, votes: &[OptionVote]) -> Result<(), Refusal> {
        if !self.draft.electorate.iter().any(|known| known == voter) {
            return Err(Refusal::NotInElectorate {
                voter: voter.to_owned(),
            });
        }
        for (position, vote) in votes.iter().enumerate() {
            if !self.has_option(&vote.option_id) {
                return Err(Refusal::UnknownOption {
                    position,
                    option_id: vote.option_id.clone(),
                });
            }
        }
        if self.is_sealed {
            return Err(Refusal::Closed(self.id));
        }
        Ok(())
    }

    /// Takes a ballot that was checked. Returns the outcome if this ballot decided it.
    pub(crate) fn cast(&mut self, ballot: Ballot) -> Option<Outcome> {
        let now = ballot.cast_at;
        self.ballots.push(ballot);
        let draft = &self.draft;
        let electorate = draft.electorate.len();
        let have_all_voted = self.ballots.len() == electorate;
        let is_settled = tally::is_settled(&draft.options, electorate, draft.rule, &self.ballots);
        let outcome = if self.state == State::Open && (have_all_voted || is_settled) {
            Some(self.decide(now))
        } else {
            None
        };
        self.is_sealed = have_all_voted;
        outcome
    }

    /// Ends it at its deadline. Returns the outcome unless that was known before.
    pub(crate) fn close(&mut self, now: Timestamp) -> Option<Outcome> {
        if self.is_sealed {
            return None;
        }
        self.is_sealed = true;
        if self.state != State::Open {
            return None;
        }
        if self.ballots.len() < quorum(self.draft.electorate.len()) as usize {
            self.state = State::NoQuorum;
            self.closed_at = Some(now);
            return Some(Outcome::NoQuorum);
        }
        Some(self.decide(now))
    }

    fn decide(&mut self, now: Timestamp) -> Outcome {
        self.state = State::Decided;
        self.closed_at = Some(now);
        let is_accepted = Tally::of(self).options.iter().any(|option| option.accepted);
        if is_accepted {
            Outcome::Accepted
        } else {
            Outcome::Rejected
        }
    }

    fn has_option(&self, id: &str) -> bool {
        self.draft.options.iter().any(|option| option.id == id)
    }
}
