//! Proposals end at their deadline, and not before their voters had a chance.

use std::sync::Mutex;

use chrono::TimeDelta;
use swarm_proto::consensus::v1 as wire;
use swarm_proto::consensus::v1::ProposalState;
use swarm_test_support::eventually;

use crate::node::{LIMIT, Node, config};
use crate::words::{ask, fault, yes};

fn short(voters: &[&str]) -> wire::CreateProposalRequest {
    wire::CreateProposalRequest {
        open_for_ms: 60_000,
        ..ask(&["a"], voters)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_deadline_ends_it_with_what_was_voted() {
    let data = tempfile::tempdir().unwrap();
    let node = Node::start(data.path()).await;
    let voters = ["v", "w", "x", "y", "z"];
    let empty = node.create(short(&voters)).await.unwrap().id;
    let some = node.create(short(&voters)).await.unwrap().id;
    for (voter, votes) in [
        ("v", yes("a")),
        ("w", yes("a")),
        ("x", crate::words::no("a")),
    ] {
        node.vote(&some, voter, votes).await.unwrap();
    }
    node.clock.advance(TimeDelta::seconds(59));
    let last = node.vote(&empty, "v", yes("a")).await.unwrap();
    assert_eq!(last.proposal.unwrap().state(), ProposalState::Open);
    node.clock.advance(TimeDelta::seconds(2));
    let without = node.state_of(&empty, ProposalState::NoQuorum).await;
    assert!(!without.tally.unwrap().options[0].accepted);
    assert!(without.closed_at.unwrap().seconds >= without.deadline.unwrap().seconds);
    let with = node.state_of(&some, ProposalState::Decided).await;
    assert!(with.tally.unwrap().options[0].accepted);
    for id in [&empty, &some] {
        let late = node.vote(id, "z", yes("a")).await.unwrap_err();
        assert_eq!(fault(late).0, "failed_precondition");
    }
    let stored = node.vote(&some, "v", crate::words::no("a")).await.unwrap();
    assert_eq!(
        stored.ballot.unwrap().votes[0].choice(),
        wire::Choice::Approve
    );
    let metrics = node.metrics().await;
    for outcome in ["no_quorum", "accepted"] {
        let line = format!("qwen_swarm_consensus_proposals_total{{outcome=\"{outcome}\"}} 1");
        assert!(metrics.contains(&line), "{metrics}");
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decided_proposal_takes_late_ballots_until_its_deadline() {
    let data = tempfile::tempdir().unwrap();
    let node = Node::start(data.path()).await;
    let id = node.create(short(&["x", "y", "z"])).await.unwrap().id;
    node.vote(&id, "x", yes("a")).await.unwrap();
    let decided = node
        .vote(&id, "y", yes("a"))
        .await
        .unwrap()
        .proposal
        .unwrap();
    assert_eq!(decided.state(), ProposalState::Decided);
    let late = node.vote(&id, "z", crate::words::no("a")).await.unwrap();
    let proposal = late.proposal.unwrap();
    let tally = proposal.tally.unwrap();
    assert!(tally.options[0].accepted, "the outcome stands");
    assert_eq!(tally.dissent[0].voter, "z", "and the dissent is kept");
    assert_eq!(proposal.closed_at, decided.closed_at);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_became_due_while_nobody_led_stays_open_for_the_grace() {
    let data = tempfile::tempdir().unwrap();
    let mut settings = config(data.path());
    settings.consensus.min_grace_ms = 60_000;
    let node = Node::start_with(settings.clone()).await;
    let clock = node.clock.clone();
    let id = node.create(short(&["x"])).await.unwrap().id;
    node.stop().await;
    clock.advance(TimeDelta::minutes(10));

    let node = Node::start_at(settings, clock).await;
    // What is asked before the new leader has looked around counts as from before, too: one after
    // the other is asked until one ends in its time.
    let asked: Mutex<Vec<String>> = Mutex::default();
    eventually("a newer proposal to end", LIMIT, || async {
        let ids = asked.lock().unwrap().clone();
        for id in ids {
            if node.get(&id).await.unwrap().state() == ProposalState::NoQuorum {
                return true;
            }
        }
        let newer = wire::CreateProposalRequest {
            open_for_ms: 1_000,
            ..ask(&["a"], &["x"])
        };
        let newer = node.create(newer).await.unwrap().id;
        asked.lock().unwrap().push(newer);
        node.clock.advance(TimeDelta::milliseconds(1_100));
        false
    })
    .await;
    assert_eq!(node.get(&id).await.unwrap().state(), ProposalState::Open);
    node.clock.advance(TimeDelta::seconds(61));
    node.state_of(&id, ProposalState::NoQuorum).await;
    node.stop().await;
}
