//! Who may do what, and whose it is.

use swarm_identity::Role;
use swarm_proto::consensus::v1 as wire;
use swarm_types::TenantId;
use tonic::Request;

use crate::node::Node;
use crate::words::{ask, fault, yes};

#[tokio::test(flavor = "multi_thread")]
async fn another_tenant_finds_nothing() {
    let data = tempfile::tempdir().unwrap();
    let node = Node::start(data.path()).await;
    let theirs = TenantId::derived(&["theirs"]);
    let mut client = node.proposals.clone();
    let id = node.create(ask(&["a"], &["x"])).await.unwrap().id;
    let get = wire::GetProposalRequest { id: id.clone() };
    let found = client.get_proposal(node.call_for(theirs, get)).await;
    assert_eq!(fault(found.unwrap_err()).0, "not_found");
    let vote = wire::CastVoteRequest {
        proposal_id: id.clone(),
        voter: "x".into(),
        votes: yes("a"),
    };
    let found = client.cast_vote(node.call_for(theirs, vote)).await;
    assert_eq!(fault(found.unwrap_err()).0, "not_found");
    let list = node.call_for(theirs, wire::ListProposalsRequest::default());
    let found = client.list_proposals(list).await.unwrap().into_inner();
    assert!(found.proposals.is_empty());
    // The same id is free in the other tenant, and is another proposal.
    let mut same = ask(&["b"], &["y"]);
    same.id.clone_from(&id);
    let made = client.create_proposal(node.call_for(theirs, same)).await;
    assert_eq!(made.unwrap().into_inner().proposal.unwrap().id, id);
    assert_eq!(node.get(&id).await.unwrap().options[0].id, "a");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_are_checked_on_every_rpc() {
    let data = tempfile::tempdir().unwrap();
    let node = Node::start(data.path()).await;
    let mut client = node.proposals.clone();
    let id = node.create(ask(&["a"], &["x"])).await.unwrap().id;
    let (viewer, none) = ([Role::Viewer], []);
    let create = node.call_by_person(&viewer, |_| ask(&["a"], &["x"]));
    let refused = client.create_proposal(create).await.unwrap_err();
    assert_eq!(fault(refused).0, "permission_denied");
    let vote = |_: &str| wire::CastVoteRequest {
        proposal_id: id.clone(),
        voter: String::new(),
        votes: yes("a"),
    };
    let refused = client.cast_vote(node.call_by_person(&viewer, vote)).await;
    assert_eq!(fault(refused.unwrap_err()).0, "permission_denied");
    let get = |_: &str| wire::GetProposalRequest { id: id.clone() };
    client
        .get_proposal(node.call_by_person(&viewer, get))
        .await
        .unwrap();
    let refused = client.get_proposal(node.call_by_person(&none, get)).await;
    assert_eq!(fault(refused.unwrap_err()).0, "permission_denied");
    let list = |_: &str| wire::ListProposalsRequest::default();
    client
        .list_proposals(node.call_by_person(&viewer, list))
        .await
        .unwrap();
    let refused = client
        .list_proposals(node.call_by_person(&none, list))
        .await;
    assert_eq!(fault(refused.unwrap_err()).0, "permission_denied");
    let mut status = node.status.clone();
    let ask_status = |_: &str| wire::GetStatusRequest {};
    status
        .get_status(node.call_by_person(&viewer, ask_status))
        .await
        .unwrap();
    let refused = status
        .get_status(node.call_by_person(&none, ask_status))
        .await;
    assert_eq!(fault(refused.unwrap_err()).0, "permission_denied");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_call_passes_without_a_token_or_a_tenant() {
    let data = tempfile::tempdir().unwrap();
    let node = Node::start(data.path()).await;
    let mut client = node.proposals.clone();
    let bare = client.list_proposals(Request::new(wire::ListProposalsRequest::default()));
    assert_eq!(fault(bare.await.unwrap_err()).0, "unauthenticated");
    let message = wire::ListProposalsRequest::default();
    let nobodys = node.issuer.service_request("memory", None, message);
    let refused = client.list_proposals(nobodys).await.unwrap_err();
    assert_eq!(fault(refused).0, "permission_denied");
    node.stop().await;
}
