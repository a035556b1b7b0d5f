//! What the log's commands do to the register.
#![allow(clippy::unwrap_used)]

use chrono::TimeDelta;
use swarm_types::{ProposalId, TaskId, TenantId, Timestamp};

use super::{
    Answer, Choice, Close, Command, Create, Draft, Filter, OptionVote, ProposalOption, Refusal,
    Register, Rule, State, Vote,
};

fn at(seconds: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + TimeDelta::seconds(seconds)
}

fn tenant(name: &str) -> TenantId {
    TenantId::derived(&[name])
}

fn id(name: &str) -> ProposalId {
    ProposalId::derived(&[name])
}

fn create(name: &str) -> Create {
    Create {
        tenant: tenant("ours"),
        id: id(name),
        draft: Draft {
            title: name.into(),
            description: String::new(),
            options: vec![ProposalOption {
                id: "yes".into(),
                label: "Yes".into(),
            }],
            electorate: vec!["anna".into(), "ben".into(), "carl".into()],
            rule: Rule::SimpleMajority,
            open_for_ms: 10_000,
            task_id: None,
        },
        created_by: "anna".into(),
        body_hash: Vec::new(),
        at: at(100),
    }
}

fn vote(name: &str, voter: &str, choice: Choice) -> Vote {
    Vote {
        tenant: tenant("ours"),
        proposal: id(name),
        voter: voter.into(),
        votes: vec![OptionVote {
            option_id: "yes".into(),
            choice,
            reason: String::new(),
        }],
        at: at(101),
    }
}

fn refusal(register: &mut Register, command: Command) -> Refusal {
    let before = register.clone();
    let Answer::Refused(refusal) = register.apply(50, command).answer else {
        panic!("it was not refused");
    };
    let same = register.all().eq(before.all());
    assert!(same, "a refused command changes nothing");
    refusal
}

#[test]
fn a_repeat_finds_the_proposal_and_other_content_is_refused() {
    let mut register = Register::default();
    let first = register.apply(1, Command::Create(create("a"))).answer;
    let again = register.apply(2, Command::Create(create("a"))).answer;
    assert_eq!(first, again);
    let mut other = create("a");
    other.draft.title.push('!');
    let refused = refusal(&mut register, Command::Create(other));
    assert_eq!(refused, Refusal::OtherContent(id("a")));
}

#[test]
fn the_hash_of_a_request_is_compared_where_both_have_one() {
    let mut register = Register::default();
    let with_hash = |hash: &[u8]| {
        let mut create = create("a");
        create.body_hash = hash.to_vec();
        Command::Create(create)
    };
    register.apply(1, with_hash(b"one"));
    assert!(matches!(
        register.apply(2, with_hash(b"one")).answer,
        Answer::Created(_)
    ));
    assert!(matches!(
        register.apply(3, with_hash(b"")).answer,
        Answer::Created(_)
    ));
    assert_eq!(
        refusal(&mut register, with_hash(b"two")),
        Refusal::OtherContent(id("a"))
    );
}

#[test]
fn a_voter_has_one_ballot_before_and_after_the_close() {
    let mut register = Register::default();
    register.apply(1, Command::Create(create("a")));
    let first = register.apply(2, Command::Vote(vote("a", "anna", Choice::Approve)));
    let Answer::Voted(ballot, _) = first.answer else {
        panic!("it is a vote");
    };
    assert_eq!((ballot.log_index, ballot.cast_at), (2, at(101)));
    for index in 3..6 {
        let again = register.apply(index, Command::Vote(vote("a", "anna", Choice::Reject)));
        let Answer::Voted(stored, proposal) = again.answer else {
            panic!("it is a vote");
        };
        assert_eq!(stored, ballot, "the first ballot stands");
        assert_eq!(proposal.ballots.len(), 1);
        register.apply(10 + index, close("a"));
    }
    let late = Command::Vote(vote("a", "ben", Choice::Approve));
    assert_eq!(refusal(&mut register, late), Refusal::Closed(id("a")));
}

#[test]
fn strangers_unknown_options_and_foreign_proposals_are_refused() {
    let mut register = Register::default();
    register.apply(1, Command::Create(create("a")));
    let stranger = Command::Vote(vote("a", "mallory", Choice::Approve));
    let refused = refusal(&mut register, stranger);
    assert_eq!(
        refused,
        Refusal::NotInElectorate {
            voter: "mallory".into()
        }
    );
    let mut unknown = vote("a", "anna", Choice::Approve);
    unknown.votes[0].option_id = "no".into();
    let refused = refusal(&mut register, Command::Vote(unknown));
    assert_eq!(
        refused,
        Refusal::UnknownOption {
            position: 0,
            option_id: "no".into()
        }
    );
    let mut foreign = vote("a", "anna", Choice::Approve);
    foreign.tenant = tenant("theirs");
    let refused = refusal(&mut register, Command::Vote(foreign));
    assert_eq!(refused, Refusal::NotFound(id("a")));
    let nowhere = Command::Vote(vote("b", "anna", Choice::Approve));
    assert_eq!(refusal(&mut register, nowhere), Refusal::NotFound(id("b")));
    assert!(register.get(tenant("theirs"), id("a")).is_none());
}

#[test]
fn the_same_id_is_another_proposal_in_another_tenant() {
    let mut register = Register::default();
    register.apply(1, Command::Create(create("a")));
    let mut theirs = create("a");
    theirs.tenant = tenant("theirs");
    theirs.draft.title = "Other".into();
    register.apply(2, Command::Create(theirs));
    register.apply(3, Command::Vote(vote("a", "anna", Choice::Approve)));
    let ballots = |name| register.get(tenant(name), id("a")).unwrap().ballots.len();
    assert_eq!((ballots("ours"), ballots("theirs")), (1, 0));
}

#[test]
fn time_never_runs_back() {
    let mut register = Register::default();
    register.apply(1, Command::Create(create("a")));
    let mut slow = vote("a", "anna", Choice::Approve);
    slow.at = at(5);
    let Answer::Voted(ballot, _) = register.apply(2, Command::Vote(slow)).answer else {
        panic!("it is a vote");
    };
    assert_eq!(ballot.cast_at, at(100));
}

#[test]
fn what_takes_ballots_is_due_and_the_sealed_is_not() {
    let mut register = Register::default();
    for (index, name) in ["a", "b"].into_iter().enumerate() {
        register.apply(1 + index as u64, Command::Create(create(name)));
    }
    for voter in ["anna", "ben"] {
        register.apply(5, Command::Vote(vote("a", voter, Choice::Approve)));
    }
    assert_eq!(
        register.get(tenant("ours"), id("a")).unwrap().state,
        State::Decided
    );
    assert_eq!(
        register.due().count(),
        2,
        "carl may still vote on the decided one"
    );
    register.apply(7, Command::Vote(vote("a", "carl", Choice::Reject)));
    register.apply(8, close("b"));
    assert_eq!(register.due().count(), 0);
}

#[test]
fn lists_show_the_newest_first_and_go_on_from_a_cursor() {
    let mut register = Register::default();
    let task = TaskId::derived(&["task"]);
    for index in 1..=6_u64 {
        let mut create = create(&format!("p{index}"));
        create.draft.task_id = (index % 2 == 0).then_some(task);
        register.apply(index, Command::Create(create));
    }
    register.apply(9, close("p4"));
    let list = |filter, limit| -> Vec<u64> {
        let found = register.list(tenant("ours"), filter, limit);
        found.iter().map(|proposal| proposal.log_index).collect()
    };
    let none = Filter::default();
    assert_eq!(list(none, 3), [6, 5, 4]);
    assert_eq!(
        list(
            Filter {
                before: Some(4),
                ..none
            },
            9
        ),
        [3, 2, 1]
    );
    let of_task = Filter {
        task_id: Some(task),
        ..none
    };
    assert_eq!(list(of_task, 9), [6, 4, 2]);
    assert_eq!(
        list(
            Filter {
                state: Some(State::Open),
                ..of_task
            },
            9
        ),
        [6, 2]
    );
    assert_eq!(
        list(
            Filter {
                before: Some(6),
                ..of_task
            },
            1
        ),
        [4]
    );
    assert!(register.list(tenant("theirs"), none, 9).is_empty());
}

#[test]
fn a_restored_register_is_the_same() {
    let mut register = Register::default();
    for (index, name) in ["a", "b", "c"].into_iter().enumerate() {
        let mut create = create(name);
        create.draft.task_id = Some(TaskId::derived(&["task"]));
        register.apply(1 + index as u64, Command::Create(create));
    }
    register.apply(4, Command::Vote(vote("a", "anna", Choice::Approve)));
    register.apply(5, close("b"));
    let proposals = register
        .all()
        .map(|(tenant, p)| (tenant, p.as_ref().clone()));
    assert_eq!(Register::restore(register.now(), proposals), register);
}

fn close(name: &str) -> Command {
    Command::Close(Close {
        tenant: tenant("ours"),
        proposal: id(name),
        at: at(120),
    })
}
