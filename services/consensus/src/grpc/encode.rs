//! From our types to the wire: pure.

use swarm_proto::consensus::v1 as wire;
use swarm_proto::convert::{text_or_empty, to_wire_time};

use crate::voting::{Ballot, Choice, Dissent, OptionVote, Proposal, Rule, State, Tally, quorum};

pub(super) fn proposal(proposal: &Proposal) -> wire::Proposal {
    let draft = &proposal.draft;
    let Rule::SimpleMajority = draft.rule;
    let option = |option: &crate::voting::ProposalOption| wire::Option {
        id: option.id.clone(),
        label: option.label.clone(),
    };
    wire::Proposal {
        id: proposal.id.to_string(),
        title: draft.title.clone(),
        description: draft.description.clone(),
        options: draft.options.iter().map(option).collect(),
        electorate: draft.electorate.clone(),
        rule: wire::Rule::SimpleMajority.into(),
        quorum: quorum(draft.electorate.len()),
        state: state(proposal.state).into(),
        ballots: proposal.ballots.iter().map(ballot).collect(),
        tally: Some(tally(&Tally::of(proposal))),
        created_at: Some(to_wire_time(proposal.created_at)),
        deadline: Some(to_wire_time(proposal.deadline())),
        closed_at: proposal.closed_at.map(to_wire_time),
        task_id: text_or_empty(draft.task_id.as_ref()),
        created_by: proposal.created_by.clone(),
    }
}

pub(super) fn ballot(ballot: &Ballot) -> wire::Ballot {
    let vote = |vote: &OptionVote| wire::OptionVote {
        option_id: vote.option_id.clone(),
        choice: choice(vote.choice).into(),
        reason: vote.reason.clone(),
    };
    wire::Ballot {
        voter: ballot.voter.clone(),
        votes: ballot.votes.iter().map(vote).collect(),
        cast_at: Some(to_wire_time(ballot.cast_at)),
        log_index: ballot.log_index,
    }
}

fn tally(tally: &Tally) -> wire::Tally {
    let options = tally.options.iter().map(|option| wire::OptionTally {
        option_id: option.option_id.clone(),
        approve: option.count.approve,
        reject: option.count.reject,
        abstain: option.count.abstain,
        accepted: option.accepted,
    });
    let dissent = |dissent: &Dissent| wire::Dissent {
        voter: dissent.voter.clone(),
        option_id: dissent.option_id.clone(),
        choice: choice(dissent.choice).into(),
        reason: dissent.reason.clone(),
    };
    wire::Tally {
        options: options.collect(),
        ballots: tally.ballots,
        quorum: tally.quorum,
        dissent: tally.dissent.iter().map(dissent).collect(),
    }
}

fn choice(choice: Choice) -> wire::Choice {
    match choice {
        Choice::Approve => wire::Choice::Approve,
        Choice::Reject => wire::Choice::Reject,
        Choice::Abstain => wire::Choice::Abstain,
    }
}

fn state(state: State) -> wire::ProposalState {
    match state {
        State::Open => wire::ProposalState::Open,
        State::Decided => wire::ProposalState::Decided,
        State::NoQuorum => wire::ProposalState::NoQuorum,
    }
}
