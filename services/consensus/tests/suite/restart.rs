//! What was acknowledged is there after a restart, from the log and from snapshots.

use std::path::Path;
use std::time::{Duration, Instant};

use swarm_consensus::{Sockets, build_with};
use swarm_proto::consensus::v1 as wire;
use swarm_test_support::eventually;

use crate::node::{LIMIT, Node, config};
use crate::words::{ask, no, yes};

async fn everything(node: &Node) -> Vec<wire::Proposal> {
    let all = wire::ListProposalsRequest {
        page: Some(swarm_proto::common::v1::PageRequest {
            limit: 500,
            cursor: String::new(),
        }),
        ..wire::ListProposalsRequest::default()
    };
    node.list(all).await.unwrap().proposals
}

async fn fill(node: &Node, proposals: usize) {
    for n in 0..proposals {
        let id = node.create(ask(&["a"], &["x", "y", "z"])).await.unwrap().id;
        for (voter, votes) in [("x", yes("a")), ("y", no("a"))].into_iter().take(n % 3) {
            node.vote(&id, voter, votes).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clean_restart_keeps_everything() {
    let data = tempfile::tempdir().unwrap();
    let node = Node::start(data.path()).await;
    fill(&node, 9).await;
    let before = everything(&node).await;
    node.stop().await;
    for _ in 0..3 {
        let node = Node::start(data.path()).await;
        assert_eq!(everything(&node).await, before);
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_aborted_service_lets_go_of_its_folder_and_keeps_everything() {
    let data = tempfile::tempdir().unwrap();
    let node = Node::start(data.path()).await;
    fill(&node, 5).await;
    let before = everything(&node).await;
    node.kill();
    let node = Node::start(data.path()).await;
    assert_eq!(everything(&node).await, before);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn snapshots_replace_the_log_and_hold_the_same() {
    let data = tempfile::tempdir().unwrap();
    let mut settings = config(data.path());
    settings.consensus.snapshot_every = 20;
    settings.consensus.keep_entries = 5;
    let node = Node::start_with(settings.clone()).await;
    fill(&node, 40).await;
    let before = everything(&node).await;
    let folder = settings.consensus.data.join("snapshots");
    eventually("two snapshots", LIMIT, || async {
        files(&folder).len() == 2
    })
    .await;
    node.stop().await;
    let node = Node::start_with(settings.clone()).await;
    assert_eq!(everything(&node).await, before);
    fill(&node, 1).await;
    assert_eq!(everything(&node).await.len(), before.len() + 1);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_service_on_the_folder_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let node = Node::start(data.path()).await;
    fill(&node, 1).await;
    let settings = config(data.path());
    let sockets = Sockets::bind(&settings).await.unwrap();
    let second = build_with(
        settings,
        sockets,
        node.issuer.verifier(),
        node.clock.clone(),
    );
    let error = second.await.unwrap_err();
    assert!(error.detail().contains("another process uses"), "{error}");
    assert_eq!(
        everything(&node).await.len(),
        1,
        "the first is not disturbed"
    );
    node.stop().await;
}

/// Room for a busy machine; `swarm up` as a whole is to be ready within a second.
#[tokio::test(flavor = "multi_thread")]
async fn an_existing_store_is_ready_soon() {
    let data = tempfile::tempdir().unwrap();
    let node = Node::start(data.path()).await;
    fill(&node, 30).await;
    node.stop().await;
    let start = Instant::now();
    let node = Node::start(data.path()).await;
    assert_eq!(everything(&node).await.len(), 30);
    assert!(
        start.elapsed() < Duration::from_secs(2),
        "{:?}",
        start.elapsed()
    );
    node.stop().await;
}

pub(crate) fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}
