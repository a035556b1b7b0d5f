//! Bad input is named and leaves no trace.

use swarm_proto::common::v1::{PageRequest, RequestKey};
use swarm_proto::consensus::v1 as wire;
use swarm_proto::consensus::v1::Choice;
use swarm_types::ProposalId;

use crate::node::Node;
use crate::words::{ask, fault, on, yes};

type Spoil = fn(&mut wire::CreateProposalRequest);

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_create_names_its_field() {
    let data = tempfile::tempdir().unwrap();
    let node = Node::start(data.path()).await;
    let cases: [(&str, Spoil); 18] = [
        ("title", |m| m.title.clear()),
        ("title", |m| m.title = "x".repeat(201)),
        ("title", |m| m.title = "a\0b".into()),
        ("description", |m| {
            m.description = "x".repeat((64 << 10) + 1);
        }),
        ("options", |m| m.options.clear()),
        ("options", |m| {
            m.options = vec![wire::Option::default(); 257];
        }),
        ("options[0].id", |m| m.options[0].id.clear()),
        ("options[1].id", |m| m.options.push(m.options[0].clone())),
        ("options[0].label", |m| {
            m.options[0].label = "x".repeat(9000);
        }),
        ("electorate", |m| m.electorate.clear()),
        ("electorate[1]", |m| m.electorate.push("x".into())),
        ("electorate[0]", |m| m.electorate[0].clear()),
        ("rule", |m| m.rule = 77),
        ("open_for_ms", |m| m.open_for_ms = 86_400_001),
        ("task_id", |m| m.task_id = "task_7".into()),
        ("id", |m| m.id = "proposal_x".into()),
        ("request.key", |m| {
            m.request = Some(RequestKey {
                key: "k".repeat(256),
                body_hash: Vec::new(),
            });
        }),
        ("request.body_hash", |m| {
            m.request = Some(RequestKey {
                key: "k".into(),
                body_hash: vec![0; 65],
            });
        }),
    ];
    for (field, spoil) in cases {
        let mut message = ask(&["a"], &["x"]);
        spoil(&mut message);
        let refused = fault(node.create(message).await.unwrap_err());
        assert_eq!(refused, ("invalid_argument", field.to_owned()));
    }
    let stored = node
        .list(wire::ListProposalsRequest::default())
        .await
        .unwrap();
    assert!(stored.proposals.is_empty(), "none leaves a trace");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_vote_names_its_field_and_never_reaches_the_log() {
    let data = tempfile::tempdir().unwrap();
    let node = Node::start(data.path()).await;
    let id = node.create(ask(&["a", "b"], &["x", "y"])).await.unwrap().id;
    let before = last_log(&node).await;
    let twice = vec![on("a", Choice::Approve), on("a", Choice::Reject)];
    let unknown = vec![on("a", Choice::Approve), on("c", Choice::Reject)];
    let unnamed = vec![on("a", Choice::Unspecified)];
    let wordy = vec![wire::OptionVote {
        reason: "x".repeat(9000),
        ..on("a", Choice::Abstain)
    }];
    for (voter, votes, code, field) in [
        ("x", twice, "invalid_argument", "votes[1].option_id"),
        ("x", unknown, "invalid_argument", "votes[1].option_id"),
        ("x", unnamed, "invalid_argument", "votes[0].choice"),
        ("x", wordy, "invalid_argument", "votes[0].reason"),
        ("x", Vec::new(), "invalid_argument", "votes"),
        ("", yes("a"), "invalid_argument", "voter"),
        ("mallory", yes("a"), "permission_denied", "voter"),
    ] {
        let refused = fault(node.vote(&id, voter, votes).await.unwrap_err());
        assert_eq!(refused, (code, field.to_owned()));
    }
    let refused = fault(node.vote("proposal_1", "x", yes("a")).await.unwrap_err());
    assert_eq!(refused, ("invalid_argument", "proposal_id".into()));
    let nowhere = ProposalId::new().to_string();
    let refused = fault(node.vote(&nowhere, "x", yes("a")).await.unwrap_err());
    assert_eq!(refused.0, "not_found");
    assert_eq!(last_log(&node).await, before);
    assert!(node.get(&id).await.unwrap().ballots.is_empty());
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_list_names_its_field() {
    let data = tempfile::tempdir().unwrap();
    let node = Node::start(data.path()).await;
    let page = PageRequest {
        limit: 1,
        cursor: "now".into(),
    };
    for (field, message) in [
        (
            "page.cursor",
            wire::ListProposalsRequest {
                page: Some(page),
                ..Default::default()
            },
        ),
        (
            "state",
            wire::ListProposalsRequest {
                state: 9,
                ..Default::default()
            },
        ),
        (
            "task_id",
            wire::ListProposalsRequest {
                task_id: "t".into(),
                ..Default::default()
            },
        ),
    ] {
        let refused = fault(node.list(message).await.unwrap_err());
        assert_eq!(refused, ("invalid_argument", field.to_owned()));
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_may_be_on_its_way_is_refused() {
    let data = tempfile::tempdir().unwrap();
    for (writes, bytes) in [(1, 10), (0, 1000)] {
        let mut config = crate::node::config(data.path());
        config.consensus.max_in_flight = writes;
        config.consensus.max_in_flight_bytes = bytes;
        let node = Node::start_with(config).await;
        let refused = node.create(ask(&["a"], &["x"])).await.unwrap_err();
        let error = swarm_errors::Error::from(refused);
        assert_eq!(error.code(), swarm_errors::Code::ResourceExhausted);
        assert!(error.retry_after().is_some());
        let stored = node.list(wire::ListProposalsRequest::default()).await;
        assert!(
            stored.unwrap().proposals.is_empty(),
            "reads are not held up"
        );
        node.stop().await;
    }
}

async fn last_log(node: &Node) -> u64 {
    let request = node.call(wire::GetStatusRequest {});
    let status = node.status.clone().get_status(request).await.unwrap();
    status.into_inner().last_log
}
