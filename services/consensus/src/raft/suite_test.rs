//! openraft's own suite for logs and state machines, on ours.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use openraft::StorageError;
use openraft::testing::log::{StoreBuilder, Suite};
use swarm_telemetry::Registry;
use tempfile::TempDir;

use super::data_folder::DataFolder;
use super::log_store::LogStore;
use super::snapshot::SnapshotStore;
use super::state_machine::StateMachine;
use super::types::TypeConfig;
use crate::metrics::Metrics;

struct FreshFolder;

impl StoreBuilder<TypeConfig, LogStore, StateMachine, TempDir> for FreshFolder {
    async fn build(&self) -> Result<(TempDir, LogStore, StateMachine), StorageError<TypeConfig>> {
        let directory = tempfile::tempdir().unwrap();
        let folder = Arc::new(DataFolder::open(directory.path()).await.unwrap());
        let snapshots = SnapshotStore::open(folder.sub_folder("snapshots").unwrap()).unwrap();
        let machine = StateMachine::open(snapshots, Metrics::new(&Registry::new())).unwrap();
        let path = folder.sub_folder("log").unwrap();
        let log = LogStore::open(&path, folder).unwrap();
        Ok((directory, log, machine))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn log_and_state_machine_pass_openrafts_suite() {
    Suite::test_all(FreshFolder).await.unwrap();
}
