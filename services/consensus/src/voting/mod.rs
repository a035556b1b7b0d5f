//! Proposals, ballots and what they decide. Everything here is pure: no clock, no randomness, no
//! order that a hash decides, so that every node that applies the same log holds the same state.

mod ballot;
mod command;
mod deadline;
mod proposal;
mod refusal;
mod register;
#[cfg(test)]
mod register_test;
mod rules;
mod tally;
#[cfg(test)]
mod tally_test;

pub(crate) use ballot::{Ballot, Choice, OptionVote};
pub(crate) use command::{Answer, Applied, Close, Command, Create, Outcome, Vote};
pub(crate) use deadline::Leadership;
pub(crate) use proposal::{Draft, Proposal, ProposalOption, State};
pub(crate) use refusal::Refusal;
pub(crate) use register::{Filter, Register};
pub(crate) use rules::Rule;
pub(crate) use tally::{Dissent, Tally, quorum};
