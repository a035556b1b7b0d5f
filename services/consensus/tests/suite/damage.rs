//! Damaged files: recovery where nothing acknowledged is missing, else an error that says so.

use std::path::{Path, PathBuf};

use swarm_consensus::{Config, Sockets, build_with};
use swarm_errors::Error;
use swarm_proto::consensus::v1 as wire;
use swarm_test_support::eventually;

use crate::node::{LIMIT, Node, config};
use crate::restart::files;
use crate::words::{ask, yes};

/// A stopped store with proposals, and their ids.
async fn filled(settings: &Config) -> Vec<String> {
    let node = Node::start_with(settings.clone()).await;
    let mut ids = Vec::new();
    for _ in 0..12 {
        let id = node.create(ask(&["a"], &["x", "y"])).await.unwrap().id;
        node.vote(&id, "x", yes("a")).await.unwrap();
        ids.push(id);
    }
    node.stop().await;
    // The writer of the log may end a moment later than the node, and until then writes to it.
    let lock = std::fs::File::open(settings.consensus.data.join("log/LOCK")).unwrap();
    eventually("the log to be let go", LIMIT, || async { lock.try_lock() }).await;
    lock.unlock().unwrap();
    ids
}

async fn refused(settings: &Config) -> Error {
    let node = swarm_test_support::identity::TestIssuer::new();
    let clock = std::sync::Arc::new(swarm_types::SystemClock);
    let sockets = Sockets::bind(settings).await.unwrap();
    let app = build_with(settings.clone(), sockets, node.verifier(), clock);
    app.await.unwrap_err()
}

fn log_file(settings: &Config) -> PathBuf {
    let found = files(&settings.consensus.data.join("log"));
    let is_chunk = |path: &PathBuf| path.extension().is_some_and(|end| end == "wal");
    found.into_iter().rev().find(is_chunk).unwrap()
}

fn change(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = std::fs::read(path).unwrap();
    change(&mut bytes);
    std::fs::write(path, bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_a_crash_cut_short_is_dropped() {
    let data = tempfile::tempdir().unwrap();
    let settings = config(data.path());
    let ids = filled(&settings).await;
    // The type and the log id of a next record, and the first bytes of its payload.
    let torn = [0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0];
    change(&log_file(&settings), |bytes| bytes.extend(torn));
    for _ in 0..2 {
        let node = Node::start_with(settings.clone()).await;
        for id in &ids {
            assert_eq!(node.get(id).await.unwrap().ballots.len(), 1);
        }
        node.create(ask(&["a"], &["x"])).await.unwrap();
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn space_that_was_never_written_is_dropped() {
    let data = tempfile::tempdir().unwrap();
    let settings = config(data.path());
    let ids = filled(&settings).await;
    change(&log_file(&settings), |bytes| bytes.extend([0; 3000]));
    let node = Node::start_with(settings).await;
    for id in &ids {
        assert_eq!(node.get(id).await.unwrap().ballots.len(), 1);
    }
    node.stop().await;
}

/// One byte in each stretch of the log, and each of the last ones: damage is never taken for the
/// end of the log.
#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_byte_anywhere_is_an_error() {
    let data = tempfile::tempdir().unwrap();
    let settings = config(data.path());
    filled(&settings).await;
    let path = log_file(&settings);
    let whole = std::fs::read(&path).unwrap();
    let last = whole.len() - 80;
    for at in (0..last).step_by(97).chain(last..whole.len()) {
        change(&path, |bytes| bytes[at] ^= 0x41);
        let error = refused(&settings).await;
        let words = error.detail();
        assert!(
            words.contains("consensus.data") && words.contains("backup"),
            "{at}: {words}"
        );
        std::fs::write(&path, &whole).unwrap();
    }
    Node::start_with(settings).await.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_gone_is_not_taken_for_a_new_one() {
    let data = tempfile::tempdir().unwrap();
    let settings = config(data.path());
    filled(&settings).await;
    let path = log_file(&settings);
    let whole = std::fs::read(&path).unwrap();
    for spoil in [&[][..], &[0; 500]] {
        std::fs::write(&path, spoil).unwrap();
        let error = refused(&settings).await;
        assert!(error.detail().contains("its log is gone"), "{error}");
        std::fs::remove_dir_all(settings.consensus.data.join("log")).unwrap();
        std::fs::create_dir(settings.consensus.data.join("log")).unwrap();
        std::fs::write(&path, &whole).unwrap();
    }
    Node::start_with(settings).await.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_snapshot_is_passed_over_only_where_the_log_makes_up_for_it() {
    let data = tempfile::tempdir().unwrap();
    let mut settings = config(data.path());
    settings.consensus.snapshot_every = 10;
    settings.consensus.keep_entries = 1_000;
    let ids = filled(&settings).await;
    let folder = settings.consensus.data.join("snapshots");
    let damage = |path: &PathBuf| change(path, |bytes| bytes[20] ^= 1);
    files(&folder).iter().for_each(damage);
    let node = Node::start_with(settings.clone()).await;
    for id in &ids {
        assert_eq!(
            node.get(id).await.unwrap().ballots.len(),
            1,
            "the log has all"
        );
    }
    node.stop().await;

    settings.consensus.keep_entries = 0;
    let more = filled(&settings).await;
    let node = Node::start_with(settings.clone()).await;
    eventually("a purge", LIMIT, || async { !files(&folder).is_empty() }).await;
    let all = wire::ListProposalsRequest::default();
    let found = node.list(all).await.unwrap().proposals.len();
    assert_eq!(found, ids.len() + more.len());
    node.stop().await;
    files(&folder).iter().for_each(damage);
    let error = refused(&settings).await;
    assert!(error.detail().contains("a snapshot is needed"), "{error}");
}
