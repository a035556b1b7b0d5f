//! What this node has on disk, opened and checked.

use std::path::Path;
use std::sync::Arc;

use swarm_errors::{Code, Error, Result};

use super::data_folder::{DataFolder, Identity, unusable};
use super::log_store::LogStore;
use super::settings::Settings;
use super::snapshot::SnapshotStore;
use super::state_machine::StateMachine;
use crate::metrics::Metrics;

/// The opened folder of a node that does not run yet.
#[derive(Debug)]
pub(crate) struct Store {
    pub(super) folder: Arc<DataFolder>,
    pub(super) identity: Option<Identity>,
    pub(super) log: LogStore,
    pub(super) machine: StateMachine,
    pub(super) settings: Settings,
    pub(super) metrics: Metrics,
}

impl Store {
    /// Opens the data folder, which is made where it is missing, and checks that log and snapshots
    /// belong together.
    ///
    /// # Errors
    /// When another process uses the folder, or what is in it is damaged or incomplete.
    pub(crate) async fn open(path: &Path, settings: Settings, metrics: Metrics) -> Result<Self> {
        let folder = Arc::new(DataFolder::open(path).await?);
        let identity = folder.identity()?;
        let (owner, counters) = (folder.clone(), metrics.clone());
        let opening = tokio::task::spawn_blocking(move || open_files(owner, counters));
        let (log, machine) = opening.await.map_err(Error::internal)??;
        check(path, identity.is_some(), &log, &machine)?;
        Ok(Self {
            folder,
            identity,
            log,
            machine,
            settings,
            metrics,
        })
    }
}

fn open_files(folder: Arc<DataFolder>, metrics: Metrics) -> Result<(LogStore, StateMachine)> {
    let snapshots = folder.sub_folder("snapshots")?;
    let machine = SnapshotStore::open(snapshots.clone())
        .and_then(|store| StateMachine::open(store, metrics))
        .map_err(|error| unusable(&snapshots, "cannot be read", error))?;
    let path = folder.sub_folder("log")?;
    let log = LogStore::open(&path, folder).map_err(|error| {
        let words = "cannot be read; restore the folder from a backup";
        unusable(&path, words, error)
    })?;
    Ok((log, machine))
}

/// Damage that neither file shows alone: a log or a snapshot that is gone.
fn check(path: &Path, has_identity: bool, log: &LogStore, machine: &StateMachine) -> Result<()> {
    let snapshot = machine.snapshot_last().map(|id| id.index);
    if log.is_empty() && (has_identity || snapshot.is_some()) {
        return Err(incomplete(
            path,
            "its log is gone, though this node has worked with it before",
        ));
    }
    let purged = log.purged().map(|id| id.index);
    if purged > snapshot {
        let found = snapshot.map_or("there is none".to_owned(), |index| {
            format!("the newest one ends at {index}")
        });
        let words = format!(
            "its log begins after entry {}, up to which a snapshot is needed, and {found}",
            purged.unwrap_or_default()
        );
        return Err(incomplete(path, &words));
    }
    Ok(())
}

fn incomplete(path: &Path, words: &str) -> Error {
    let words = format!(
        "consensus.data: {} is incomplete: {words}; restore the folder from a backup",
        path.display()
    );
    Error::new(Code::FailedPrecondition, words)
}
