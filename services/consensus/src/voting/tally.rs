//! Counting: a pure function of the ballots, which are entries of the log.

use super::{Ballot, Choice, Proposal, ProposalOption, Rule, State};

/// The choices on one option.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) approve: u32,
    pub(crate) reject: u32,
    pub(crate) abstain: u32,
}

/// The choices on one option, and what they decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OptionTally {
    pub(crate) option_id: String,
    pub(crate) count: Count,
    /// Only a decided proposal accepts.
    pub(crate) accepted: bool,
}

/// A choice that was not the outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dissent {
    pub(crate) voter: String,
    pub(crate) option_id: String,
    pub(crate) choice: Choice,
    pub(crate) reason: String,
}

/// The count of a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) options: Vec<OptionTally>,
    pub(crate) ballots: u32,
    pub(crate) quorum: u32,
    /// Empty until the proposal is decided; by option, then by the time of the ballot.
    pub(crate) dissent: Vec<Dissent>,
}

impl Tally {
    /// The count of a proposal as it stands.
    pub(crate) fn of(proposal: &Proposal) -> Self {
        let draft = &proposal.draft;
        let is_decided = proposal.state == State::Decided;
        let mut dissent = Vec::new();
        let options = draft
            .options
            .iter()
            .map(|option| {
                let count = count(option, &proposal.ballots);
                let accepted = is_decided && draft.rule.accepts(count);
                if is_decided {
                    dissent.extend(dissent_on(option, accepted, &proposal.ballots));
                }
                OptionTally {
                    option_id: option.id.clone(),
                    count,
                    accepted,
                }
            })
            .collect();
        Self {
            options,
            ballots: number(proposal.ballots.len()),
            quorum: quorum(draft.electorate.len()),
            dissent,
        }
    }
}

/// Ballots needed to decide: more than half of the electorate.
pub(crate) fn quorum(electorate: usize) -> u32 {
    number(electorate / 2 + 1)
}

/// Whether the quorum is there and no further ballot can change the outcome of any option.
pub(crate) fn is_settled(
    options: &[ProposalOption],
    electorate: usize,
    rule: Rule,
    ballots: &[Ballot],
) -> bool {
    let remaining = number(electorate.saturating_sub(ballots.len()));
    number(ballots.len()) >= quorum(electorate)
        && options
            .iter()
            .all(|option| rule.is_settled(count(option, ballots), remaining))
}

fn count(option: &ProposalOption, ballots: &[Ballot]) -> Count {
    let mut count = Count::default();
    for ballot in ballots {
        match ballot.choice_on(&option.id) {
            Choice::Approve => count.approve += 1,
            Choice::Reject => count.reject += 1,
            Choice::Abstain => count.abstain += 1,
        }
    }
    count
}

fn dissent_on<'a>(
    option: &'a ProposalOption,
    accepted: bool,
    ballots: &'a [Ballot],
) -> impl Iterator<Item = Dissent> + 'a {
    let against = if accepted {
        Choice::Reject
    } else {
        Choice::Approve
    };
    ballots.iter().filter_map(move |ballot| {
        let vote = ballot.on(&option.id)?;
        (vote.choice == against).then(|| Dissent {
            voter: ballot.voter.clone(),
            option_id: option.id.clone(),
            choice: vote.choice,
            reason: vote.reason.clone(),
        })
    })
}

/// Electorates are bounded far below `u32::MAX` where they are read.
fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
