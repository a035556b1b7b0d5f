//! Tallies by tables, and beside an independent count.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use swarm_types::{ProposalId, TenantId, Timestamp};

use super::{
    Answer, Ballot, Choice, Command, Create, Draft, OptionVote, Outcome, Proposal, ProposalOption,
    Register, Rule, State, Tally, Vote,
};

const APPROVE: Choice = Choice::Approve;
const REJECT: Choice = Choice::Reject;
const ABSTAIN: Choice = Choice::Abstain;

fn proposal(options: usize, voters: usize) -> Proposal {
    let option = |n: usize| ProposalOption {
        id: format!("o{n}"),
        label: String::new(),
    };
    Proposal {
        id: ProposalId::derived(&["test"]),
        draft: Draft {
            title: "Which?".into(),
            description: String::new(),
            options: (0..options).map(option).collect(),
            electorate: (0..voters).map(|n| format!("v{n}")).collect(),
            rule: Rule::SimpleMajority,
            open_for_ms: 1000,
            task_id: None,
        },
        created_by: "someone".into(),
        body_hash: Vec::new(),
        created_at: Timestamp::UNIX_EPOCH,
        log_index: 1,
        state: State::Open,
        closed_at: None,
        is_sealed: false,
        ballots: Vec::new(),
    }
}

/// A ballot of voter `n` with one choice per option; `None` passes the option over.
fn ballot(n: usize, choices: &[Option<Choice>]) -> Ballot {
    let votes = choices.iter().enumerate().filter_map(|(option, choice)| {
        Some(OptionVote {
            option_id: format!("o{option}"),
            choice: (*choice)?,
            reason: format!("reason of v{n}"),
        })
    });
    Ballot {
        voter: format!("v{n}"),
        votes: votes.collect(),
        cast_at: Timestamp::UNIX_EPOCH,
        log_index: 2 + n as u64,
    }
}

fn cast(proposal: &mut Proposal, choices: &[Choice]) -> Vec<Option<Outcome>> {
    let each = choices.iter().enumerate();
    each.map(|(n, choice)| proposal.cast(ballot(n, &[Some(*choice)])))
        .collect()
}

#[test]
fn one_option_decided_by_who_votes() {
    for (voters, choices, at, outcome) in [
        (1, &[APPROVE][..], 1, Outcome::Accepted),
        (1, &[REJECT], 1, Outcome::Rejected),
        (3, &[APPROVE, APPROVE], 2, Outcome::Accepted),
        (3, &[APPROVE, REJECT, APPROVE], 3, Outcome::Accepted),
        (3, &[APPROVE, REJECT, REJECT], 3, Outcome::Rejected),
        (3, &[REJECT, REJECT], 2, Outcome::Rejected),
        (2, &[APPROVE, REJECT], 2, Outcome::Rejected),
        (2, &[APPROVE, ABSTAIN], 2, Outcome::Accepted),
        (3, &[ABSTAIN, ABSTAIN, ABSTAIN], 3, Outcome::Rejected),
        (3, &[ABSTAIN, ABSTAIN, APPROVE], 3, Outcome::Accepted),
        // Two of four are half, and half is no quorum, so nothing is settled before the third.
        (4, &[REJECT, REJECT, ABSTAIN], 3, Outcome::Rejected),
    ] {
        let mut proposal = proposal(1, voters);
        let outcomes = cast(&mut proposal, choices);
        let expected = (0..choices.len()).map(|n| (n + 1 == at).then_some(outcome));
        assert_eq!(
            outcomes,
            expected.collect::<Vec<_>>(),
            "{voters} {choices:?}"
        );
        assert_eq!(proposal.state, State::Decided);
    }
}

#[test]
fn it_is_decided_early_only_when_every_option_is_settled() {
    let mut proposal = proposal(2, 3);
    assert_eq!(
        proposal.cast(ballot(0, &[Some(APPROVE), Some(APPROVE)])),
        None
    );
    assert_eq!(
        proposal.cast(ballot(1, &[Some(APPROVE), Some(REJECT)])),
        None
    );
    assert_eq!(proposal.state, State::Open, "the second option is open");
    let last = proposal.cast(ballot(2, &[Some(REJECT), Some(REJECT)]));
    assert_eq!(last, Some(Outcome::Accepted));
    let tally = Tally::of(&proposal);
    let accepted: Vec<bool> = tally.options.iter().map(|option| option.accepted).collect();
    assert_eq!(accepted, [true, false]);
    let dissent: Vec<_> = tally
        .dissent
        .iter()
        .map(|d| (d.voter.as_str(), d.option_id.as_str(), d.reason.as_str()))
        .collect();
    assert_eq!(
        dissent,
        [("v2", "o0", "reason of v2"), ("v0", "o1", "reason of v0")]
    );
}

#[test]
fn late_ballots_are_kept_and_change_nothing() {
    let mut proposal = proposal(1, 3);
    cast(&mut proposal, &[APPROVE, APPROVE]);
    assert_eq!(
        (proposal.state, proposal.is_sealed),
        (State::Decided, false)
    );
    assert!(Tally::of(&proposal).dissent.is_empty());
    assert_eq!(proposal.cast(ballot(2, &[Some(REJECT)])), None);
    assert!(proposal.is_sealed, "all have voted");
    let tally = Tally::of(&proposal);
    assert!(tally.options[0].accepted);
    assert_eq!(tally.dissent[0].voter, "v2");
    assert_eq!(proposal.close(Timestamp::UNIX_EPOCH), None);
}

#[test]
fn a_deadline_decides_with_a_quorum_and_not_without() {
    for (voters, choices, outcome, state) in [
        (
            5,
            &[APPROVE, APPROVE, REJECT][..],
            Outcome::Accepted,
            State::Decided,
        ),
        (
            5,
            &[APPROVE, REJECT, ABSTAIN],
            Outcome::Rejected,
            State::Decided,
        ),
        (5, &[APPROVE, APPROVE], Outcome::NoQuorum, State::NoQuorum),
        (4, &[APPROVE, APPROVE], Outcome::NoQuorum, State::NoQuorum),
        (1, &[], Outcome::NoQuorum, State::NoQuorum),
    ] {
        let mut proposal = proposal(1, voters);
        cast(&mut proposal, choices);
        assert_eq!(proposal.state, State::Open, "{choices:?}");
        let now = proposal.deadline();
        assert_eq!(proposal.close(now), Some(outcome), "{choices:?}");
        assert_eq!((proposal.state, proposal.closed_at), (state, Some(now)));
        assert_eq!(proposal.close(now), None, "it ends once");
        let tally = Tally::of(&proposal);
        assert_eq!(tally.options[0].accepted, outcome == Outcome::Accepted);
        assert!(state == State::Decided || tally.dissent.is_empty());
    }
}

#[test]
fn an_option_that_is_passed_over_is_abstained_from() {
    let mut proposal = proposal(2, 1);
    proposal.cast(ballot(0, &[None, Some(APPROVE)]));
    let tally = Tally::of(&proposal);
    assert_eq!(
        (
            tally.options[0].count.abstain,
            tally.options[1].count.approve
        ),
        (1, 1)
    );
    assert_eq!(tally.ballots, 1);
}

fn choice() -> impl Strategy<Value = Option<Choice>> {
    prop_oneof![
        Just(None),
        Just(Some(APPROVE)),
        Just(Some(REJECT)),
        Just(Some(ABSTAIN)),
    ]
}

/// Options, voters, the choices of those who vote, and two orders in which they do.
fn elections() -> impl Strategy<Value = (usize, Vec<Vec<Option<Choice>>>, Vec<usize>, usize)> {
    (1..4_usize, 0..8_usize, 0..4_usize).prop_flat_map(|(options, ballots, absent)| {
        let choices = prop::collection::vec(prop::collection::vec(choice(), options), ballots);
        let order = Just((0..ballots).collect::<Vec<_>>()).prop_shuffle();
        (
            Just(options),
            choices,
            order,
            Just((ballots + absent).max(1)),
        )
    })
}

/// Runs an election through the register, as the log does.
fn elect(options: usize, voters: usize, ballots: &[Ballot]) -> (Proposal, usize) {
    let (tenant, proposal) = (TenantId::derived(&["t"]), proposal(options, voters));
    let (id, at) = (proposal.id, proposal.created_at);
    let mut register = Register::default();
    let create = Create {
        tenant,
        id,
        draft: proposal.draft,
        created_by: String::new(),
        body_hash: Vec::new(),
        at,
    };
    register.apply(1, Command::Create(create));
    let mut outcomes = 0;
    for (n, ballot) in ballots.iter().enumerate() {
        let vote = Vote {
            tenant,
            proposal: id,
            voter: ballot.voter.clone(),
            votes: ballot.votes.clone(),
            at,
        };
        let applied = register.apply(2 + n as u64, Command::Vote(vote));
        assert!(matches!(applied.answer, Answer::Voted(..)), "{applied:?}");
        outcomes += usize::from(applied.outcome.is_some());
    }
    let close = super::Close {
        tenant,
        proposal: id,
        at: at + chrono::TimeDelta::seconds(1),
    };
    outcomes += usize::from(register.apply(99, Command::Close(close)).outcome.is_some());
    assert_eq!(register.due().count(), 0);
    (register.get(tenant, id).unwrap().as_ref().clone(), outcomes)
}

proptest! {
    #[test]
    fn the_order_of_ballots_never_changes_a_tally((options, choices, order, voters) in elections()) {
        let ballots: Vec<Ballot> = choices.iter().enumerate().map(|(n, c)| ballot(n, c)).collect();
        let shuffled: Vec<Ballot> = order.iter().map(|n| ballots[*n].clone()).collect();
        let (one, outcomes) = elect(options, voters, &ballots);
        let (other, _) = elect(options, voters, &shuffled);
        let (mut first, mut second) = (Tally::of(&one), Tally::of(&other));
        prop_assert_eq!(outcomes, 1, "an outcome comes once");
        prop_assert_eq!(one.state, other.state);
        let key = |d: &super::Dissent| (d.option_id.clone(), d.voter.clone());
        first.dissent.sort_by_key(key);
        second.dissent.sort_by_key(key);
        prop_assert_eq!(&first, &second);
        prop_assert_eq!(plain_count(&choices, options, voters), summary(&one, &first));
    }
}

type Summary = (bool, Vec<(u32, u32, u32, bool)>);

fn summary(proposal: &Proposal, tally: &Tally) -> Summary {
    let options = tally.options.iter().map(|option| {
        let count = option.count;
        (count.approve, count.reject, count.abstain, option.accepted)
    });
    (proposal.state == State::Decided, options.collect())
}

/// The same, counted anew from the choices alone.
fn plain_count(choices: &[Vec<Option<Choice>>], options: usize, voters: usize) -> Summary {
    let is_decided = choices.len() * 2 > voters;
    let count = |option: usize, wanted: Choice| {
        let found = choices
            .iter()
            .filter(|ballot| ballot[option].unwrap_or(ABSTAIN) == wanted);
        u32::try_from(found.count()).unwrap()
    };
    let options = (0..options).map(|option| {
        let (yes, no) = (count(option, APPROVE), count(option, REJECT));
        (yes, no, count(option, ABSTAIN), is_decided && yes > no)
    });
    (is_decided, options.collect())
}
