//! Proposals and votes through the rpcs.

use swarm_identity::Role;
use swarm_proto::common::v1::{PageRequest, RequestKey};
use swarm_proto::consensus::v1 as wire;
use swarm_proto::consensus::v1::{Choice, ProposalState};
use swarm_types::{ProposalId, TaskId};

use crate::node::Node;
use crate::words::{ask, fault, no, on, yes};

#[tokio::test(flavor = "multi_thread")]
async fn three_voters_decide_on_two_options() {
    let data = tempfile::tempdir().unwrap();
    let node = Node::start(data.path()).await;
    let created = node
        .create(ask(&["a", "b"], &["x", "y", "z"]))
        .await
        .unwrap();
    assert_eq!((created.quorum, created.state()), (2, ProposalState::Open));
    assert_eq!(created.created_by, "agent-manager");
    let both = |a, b| vec![on("a", a), on("b", b)];
    let (approve, reject) = (Choice::Approve, Choice::Reject);
    node.vote(&created.id, "x", both(approve, reject))
        .await
        .unwrap();
    let second = node
        .vote(&created.id, "y", both(approve, approve))
        .await
        .unwrap();
    assert_eq!(
        second.proposal.unwrap().state(),
        ProposalState::Open,
        "b is not settled"
    );
    let last = node
        .vote(&created.id, "z", both(reject, reject))
        .await
        .unwrap();
    let decided = last.proposal.unwrap();
    assert_eq!(decided.state(), ProposalState::Decided);
    assert!(decided.closed_at.is_some());
    let tally = decided.tally.clone().unwrap();
    let counts: Vec<_> = tally
        .options
        .iter()
        .map(|option| {
            (
                option.approve,
                option.reject,
                option.abstain,
                option.accepted,
            )
        })
        .collect();
    assert_eq!(counts, [(2, 1, 0, true), (1, 2, 0, false)]);
    let dissent: Vec<_> = tally
        .dissent
        .iter()
        .map(|dissent| (dissent.voter.as_str(), dissent.reason.as_str()))
        .collect();
    assert_eq!(dissent, [("z", "because a"), ("y", "because b")]);
    assert_eq!(node.get(&created.id).await.unwrap(), decided);
    let metrics = node.metrics().await;
    let line = "qwen_swarm_consensus_proposals_total{outcome=\"accepted\"} 1";
    assert!(metrics.contains(line), "{metrics}");
    assert!(
        metrics.contains("qwen_swarm_consensus_failures_total 0"),
        "{metrics}"
    );
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_voter_has_one_ballot_and_a_repeat_returns_it() {
    let data = tempfile::tempdir().unwrap();
    let node = Node::start(data.path()).await;
    let id = node.create(ask(&["a"], &["x", "y"])).await.unwrap().id;
    let first = node.vote(&id, "x", yes("a")).await.unwrap().ballot.unwrap();
    assert!(first.log_index > 0);
    let other = node.vote(&id, "x", no("a")).await.unwrap();
    assert_eq!(other.ballot.unwrap(), first, "the first ballot stands");
    node.vote(&id, "y", yes("a")).await.unwrap();
    let late = node.vote(&id, "x", no("a")).await.unwrap();
    assert_eq!(late.ballot.unwrap(), first, "also after the close");
    let proposal = late.proposal.unwrap();
    assert_eq!(
        (proposal.state(), proposal.ballots.len()),
        (ProposalState::Decided, 2)
    );
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_votes_of_one_voter_leave_one_ballot() {
    let data = tempfile::tempdir().unwrap();
    let node = Node::start(data.path()).await;
    let id = node.create(ask(&["a"], &["x", "y", "z"])).await.unwrap().id;
    let votes = (0..16).map(|n| {
        let votes = if n % 2 == 0 { yes("a") } else { no("a") };
        node.vote(&id, "x", votes)
    });
    let answers = futures::future::join_all(votes).await;
    let ballots: Vec<_> = answers
        .into_iter()
        .map(|answer| answer.unwrap().ballot)
        .collect();
    assert!(ballots.iter().all(|ballot| *ballot == ballots[0]));
    assert_eq!(node.get(&id).await.unwrap().ballots.len(), 1);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn repeats_of_a_create_find_the_stored_one() {
    let data = tempfile::tempdir().unwrap();
    let node = Node::start(data.path()).await;
    let id = ProposalId::derived(&["task", "step"]).to_string();
    let mut message = ask(&["a"], &["x"]);
    message.id.clone_from(&id);
    let first = node.create(message.clone()).await.unwrap();
    assert_eq!(first.id, id);
    assert_eq!(node.create(message.clone()).await.unwrap(), first);
    let voted = node
        .vote(&id, "x", yes("a"))
        .await
        .unwrap()
        .proposal
        .unwrap();
    assert_eq!(
        node.create(message.clone()).await.unwrap(),
        voted,
        "as it is now"
    );
    message.title = "Another".into();
    let refused = fault(node.create(message).await.unwrap_err());
    assert_eq!(refused, ("idempotency_mismatch", "id".into()));

    let keyed = |key: &str, hash: &[u8]| wire::CreateProposalRequest {
        request: Some(RequestKey {
            key: key.into(),
            body_hash: hash.to_vec(),
        }),
        ..ask(&["a"], &["x"])
    };
    let one = node.create(keyed("k1", b"h1")).await.unwrap();
    assert_eq!(node.create(keyed("k1", b"h1")).await.unwrap().id, one.id);
    assert_ne!(node.create(keyed("k2", b"h1")).await.unwrap().id, one.id);
    let refused = fault(node.create(keyed("k1", b"h2")).await.unwrap_err());
    assert_eq!(refused.0, "idempotency_mismatch");
    let without = ask(&["a"], &["x"]);
    let (a, b) = (
        node.create(without.clone()).await,
        node.create(without).await,
    );
    assert_ne!(
        a.unwrap().id,
        b.unwrap().id,
        "without id and key each is new"
    );
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_votes_for_itself() {
    let data = tempfile::tempdir().unwrap();
    let node = Node::start(data.path()).await;
    let mut client = node.proposals.clone();
    let claims = node.issuer.claims(node.tenant, &[Role::Developer]);
    let person = claims.sub.clone();
    let created = node.create(ask(&["a"], &[&person, "x"])).await.unwrap();
    let message = |voter: &str| wire::CastVoteRequest {
        proposal_id: created.id.clone(),
        voter: voter.into(),
        votes: yes("a"),
    };
    let signed = |message| {
        let mut request = node.issuer.service_request("gateway", None, message);
        let token = node.issuer.sign(&claims).parse().unwrap();
        request.metadata_mut().insert("x-on-behalf-of", token);
        request
    };
    let for_another = client.cast_vote(signed(message("x"))).await.unwrap_err();
    assert_eq!(fault(for_another), ("permission_denied", "voter".into()));
    let own = client
        .cast_vote(signed(message("")))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(own.ballot.clone().unwrap().voter, person);
    let named = client.cast_vote(signed(message(&person))).await.unwrap();
    assert_eq!(named.into_inner().ballot, own.ballot);
    let stranger = node.call_by_person(&[Role::Developer], |_| message(""));
    let refused = client.cast_vote(stranger).await.unwrap_err();
    assert_eq!(fault(refused), ("permission_denied", "voter".into()));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_page_from_the_newest() {
    let data = tempfile::tempdir().unwrap();
    let node = Node::start(data.path()).await;
    let task = TaskId::new().to_string();
    let mut ids = Vec::new();
    for n in 0..7 {
        let mut message = ask(&["a"], &["x"]);
        message.title = format!("number {n}");
        message.task_id = if n % 2 == 0 {
            task.clone()
        } else {
            String::new()
        };
        ids.push(node.create(message).await.unwrap().id);
    }
    ids.reverse();
    node.vote(&ids[0], "x", yes("a")).await.unwrap();
    let page = |limit, cursor: &str| wire::ListProposalsRequest {
        page: Some(PageRequest {
            limit,
            cursor: cursor.into(),
        }),
        ..wire::ListProposalsRequest::default()
    };
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let found = node.list(page(3, &cursor)).await.unwrap();
        seen.extend(found.proposals.into_iter().map(|proposal| proposal.id));
        cursor = found.next_cursor;
        if cursor.is_empty() {
            break;
        }
    }
    assert_eq!(seen, ids);
    let of_task = wire::ListProposalsRequest {
        task_id: task,
        state: ProposalState::Open.into(),
        ..page(0, "")
    };
    let found = node.list(of_task).await.unwrap().proposals;
    let found: Vec<_> = found.into_iter().map(|proposal| proposal.id).collect();
    assert_eq!(found, [&ids[2], &ids[4], &ids[6]].map(Clone::clone));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_shows_a_group_of_one() {
    let data = tempfile::tempdir().unwrap();
    let node = Node::start(data.path()).await;
    node.create(ask(&["a"], &["x"])).await.unwrap();
    let mut client = node.status.clone();
    let request = node
        .issuer
        .service_request("gateway", None, wire::GetStatusRequest {});
    let status = client.get_status(request).await.unwrap().into_inner();
    assert_eq!(
        (status.node_id, status.leader_id, status.voters),
        (1, 1, vec![1])
    );
    assert!(status.term > 0 && status.last_log > 0);
    assert_eq!(status.last_applied, status.last_log);
    node.stop().await;
}
