//! The replicated state in memory, as openraft drives it.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use futures::{Stream, TryStreamExt};
use openraft::storage::{EntryResponder, RaftSnapshotBuilder, RaftStateMachine};
use openraft::{BasicNode, EntryPayload, OptionalSend};
use tokio::sync::Notify;

use super::snapshot::{SnapshotFile, SnapshotStore, meta_of};
use super::types::{Entry, LeaderId, LogId, NodeId, SnapshotMeta, StoredMembership, TypeConfig};
use crate::metrics::Metrics;
use crate::voting::{Answer, Applied, Register};

type Snapshot = openraft::Snapshot<LeaderId, NodeId, BasicNode, SnapshotFile>;

/// All that applying the log has brought about: what a snapshot holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct MachineState {
    /// The last entry that was applied.
    pub(super) last: Option<LogId>,
    pub(super) membership: StoredMembership,
    pub(super) register: Register,
}

/// The state, shared between the log's worker, which changes it, and readers.
pub(super) struct Shared {
    state: RwLock<MachineState>,
    snapshot: Mutex<Option<(SnapshotMeta, SnapshotFile)>>,
    /// Told when a proposal is opened.
    pub(super) opened: Notify,
}

/// Applies entries and makes snapshots. Clones share the state.
#[derive(Debug, Clone)]
pub(super) struct StateMachine {
    pub(super) shared: Arc<Shared>,
    snapshots: SnapshotStore,
    metrics: Metrics,
}

/// What people have written is not for logs.
impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl Shared {
    pub(super) fn read(&self) -> RwLockReadGuard<'_, MachineState> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, MachineState> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn snapshot(&self) -> MutexGuard<'_, Option<(SnapshotMeta, SnapshotFile)>> {
        self.snapshot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MachineState {
    fn apply(&mut self, entry: Entry) -> Applied {
        self.last = Some(entry.log_id);
        match entry.payload {
            EntryPayload::Normal(command) => self.register.apply(entry.log_id.index, command),
            EntryPayload::Blank => nothing(),
            EntryPayload::Membership(membership) => {
                self.membership = StoredMembership::new(self.last, membership);
                nothing()
            }
        }
    }
}

fn nothing() -> Applied {
    Applied {
        answer: Answer::Nothing,
        outcome: None,
    }
}

impl StateMachine {
    /// The state of the newest snapshot, or an empty one.
    pub(super) fn open(snapshots: SnapshotStore, metrics: Metrics) -> io::Result<Self> {
        let newest = snapshots.newest()?;
        let (snapshot, state) = match newest {
            Some((file, state)) => (Some((meta_of(&state), file)), state),
            None => (None, MachineState::default()),
        };
        let shared = Shared {
            state: RwLock::new(state),
            snapshot: Mutex::new(snapshot),
            opened: Notify::new(),
        };
        Ok(Self {
            shared: Arc::new(shared),
            snapshots,
            metrics,
        })
    }

    /// The last entry that a snapshot holds.
    pub(super) fn snapshot_last(&self) -> Option<LogId> {
        let snapshot = self.shared.snapshot();
        snapshot.as_ref().and_then(|(meta, _)| meta.last_log_id)
    }

    /// Writes a snapshot off the async threads.
    async fn save(&self, state: MachineState) -> io::Result<Snapshot> {
        let snapshots = self.snapshots.clone();
        let meta = meta_of(&state);
        let file = tokio::task::spawn_blocking(move || snapshots.write(&state))
            .await
            .map_err(io::Error::other)??;
        *self.shared.snapshot() = Some((meta.clone(), file.clone()));
        Ok(Snapshot {
            meta,
            snapshot: file,
        })
    }
}

impl RaftStateMachine<TypeConfig> for StateMachine {
    type SnapshotData = SnapshotFile;
    type SnapshotBuilder = SnapshotBuilder;

    async fn applied_state(&mut self) -> io::Result<(Option<LogId>, StoredMembership)> {
        let state = self.shared.read();
        Ok((state.last, state.membership.clone()))
    }

    async fn apply<S>(&mut self, mut entries: S) -> io::Result<()>
    where
        S: Stream<Item = Result<EntryResponder<TypeConfig>, io::Error>> + Unpin + OptionalSend,
    {
        while let Some((entry, responder)) = entries.try_next().await? {
            let applied = self.shared.write().apply(entry);
            if matches!(applied.answer, Answer::Created(_)) {
                self.shared.opened.notify_one();
            }
            // Entries without a responder are replayed or another node's: counted elsewhere.
            if let Some(responder) = responder {
                if let Some(outcome) = applied.outcome {
                    self.metrics.decided(outcome);
                }
                responder.send(applied.answer);
            }
        }
        Ok(())
    }

    async fn get_snapshot_builder(&mut self) -> SnapshotBuilder {
        SnapshotBuilder {
            state: self.shared.read().clone(),
            machine: self.clone(),
        }
    }

    async fn install_snapshot(
        &mut self,
        meta: &SnapshotMeta,
        snapshot: SnapshotFile,
    ) -> io::Result<()> {
        let state = tokio::task::spawn_blocking(move || snapshot.read())
            .await
            .map_err(io::Error::other)??;
        if meta_of(&state) != *meta {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the snapshot is not the one that was announced",
            ));
        }
        self.save(state.clone()).await?;
        *self.shared.write() = state;
        self.shared.opened.notify_one();
        Ok(())
    }

    async fn get_current_snapshot(&mut self) -> io::Result<Option<Snapshot>> {
        let current = self.shared.snapshot().clone();
        Ok(current.map(|(meta, snapshot)| Snapshot { meta, snapshot }))
    }
}

/// Writes down a state that no longer changes.
#[derive(Debug)]
pub(super) struct SnapshotBuilder {
    state: MachineState,
    machine: StateMachine,
}

impl RaftSnapshotBuilder<TypeConfig> for SnapshotBuilder {
    type SnapshotData = SnapshotFile;

    async fn build_snapshot(&mut self) -> io::Result<Snapshot> {
        let snapshot = self.machine.save(self.state.clone()).await?;
        tracing::info!(
            log.index = self.state.last.map(|id| id.index),
            "snapshot written"
        );
        Ok(snapshot)
    }
}
