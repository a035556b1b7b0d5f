//! This node of the group, running.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use openraft::async_runtime::watch::WatchReceiver;
use openraft::errors::{ClientWriteError, Fatal, LinearizableReadError, RaftError};
use openraft::{BasicNode, LinearizerOption, Raft, ServerState};
use swarm_errors::{Code, Error, Result};
use tokio::sync::{Semaphore, SemaphorePermit};
use tracing::Instrument;
use uuid::Uuid;

use super::network::NoPeers;
use super::settings::{READ_LEASE, Settings};
use super::state_machine::{Shared, StateMachine};
use super::store::Store;
use super::types::{NodeId, TypeConfig};
use crate::metrics::Metrics;
use crate::voting::{Answer, Command, Leadership, Register};

/// The first node of a group.
const FIRST_NODE: NodeId = 1;
/// How long the start may take until everything in the log is applied.
const RECOVERY_LIMIT: Duration = Duration::from_secs(60);
const RETRY_AFTER: Duration = Duration::from_millis(100);

/// A running node. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    inner: Arc<Inner>,
}

struct Inner {
    raft: Raft<TypeConfig, StateMachine>,
    shared: Arc<Shared>,
    metrics: Metrics,
    writes: Semaphore,
    write_bytes: Semaphore,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Group").finish_non_exhaustive()
    }
}

/// How the group is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) node_id: NodeId,
    /// `None` while there is no leader.
    pub(crate) leader_id: Option<NodeId>,
    pub(crate) term: u64,
    pub(crate) last_applied: u64,
    pub(crate) last_log: u64,
    pub(crate) voters: Vec<NodeId>,
}

impl Group {
    /// Starts the node, and a group of its own where it is new. Returns once it leads and has
    /// applied everything that its log holds.
    ///
    /// # Errors
    /// When the log cannot be used.
    pub(crate) async fn start(store: Store) -> Result<Self> {
        let Settings {
            max_in_flight,
            max_in_flight_bytes,
            ..
        } = store.settings;
        let node = store.identity.as_ref().map_or(FIRST_NODE, |id| id.node_id);
        let config = Arc::new(store.settings.raft()?);
        let shared = store.machine.shared.clone();
        let raft = Raft::new(node, config, NoPeers, store.log, store.machine)
            .await
            .map_err(Error::internal)?;
        let group = Self {
            inner: Arc::new(Inner {
                raft,
                shared,
                metrics: store.metrics,
                writes: Semaphore::new(max_in_flight),
                write_bytes: Semaphore::new(max_in_flight_bytes),
            }),
        };
        let mut joined = group.join(node).await;
        if joined.is_ok() && store.identity.is_none() {
            joined = store.folder.set_identity(node, Uuid::new_v4());
        }
        match joined {
            Ok(()) => Ok(group),
            Err(error) => {
                group.shutdown().await;
                Err(error)
            }
        }
    }

    /// Makes a group of this node alone where there is none, and waits until it has recovered.
    async fn join(&self, node: NodeId) -> Result<()> {
        let raft = &self.inner.raft;
        if !raft.is_initialized().await.map_err(Error::internal)? {
            // The address by which peers will know it is given when there are peers.
            let members = BTreeMap::from([(node, BasicNode::new(""))]);
            raft.initialize(members).await.map_err(Error::internal)?;
        }
        raft.wait_for_recovery(Some(RECOVERY_LIMIT))
            .await
            .map_err(|error| Error::unavailable("the group has no leader").with_source(error))?;
        Ok(())
    }

    /// Puts a command into the log and answers once it is on disk and applied. `bytes` is about
    /// its size.
    ///
    /// # Errors
    /// `resource_exhausted` when too much is on its way; `unavailable` when the log does not take
    /// it, in which case it may still take effect and is to be repeated as it is.
    pub(crate) async fn propose(&self, command: Command, bytes: usize) -> Result<Answer> {
        let _admitted = self.admit(bytes)?;
        self.write(command).await
    }

    /// As [`Self::propose`], for what must not wait behind clients.
    pub(crate) async fn write(&self, command: Command) -> Result<Answer> {
        let span = tracing::info_span!(
            "store",
            otel.name = "store propose",
            otel.kind = "client",
            db.system = "openraft"
        );
        let written = self.inner.raft.client_write(command).instrument(span).await;
        written.map(|response| response.data).map_err(|error| {
            self.inner.metrics.failed();
            write_error(error)
        })
    }

    /// Looks at the state as of now: at everything that was acknowledged before the call.
    ///
    /// # Errors
    /// `unavailable` when this node does not lead.
    pub(crate) async fn view<T>(&self, look: impl FnOnce(&Register) -> T) -> Result<T> {
        let span = tracing::info_span!(
            "store",
            otel.name = "store read",
            otel.kind = "client",
            db.system = "openraft"
        );
        let option = LinearizerOption::new(Some(READ_LEASE), true);
        let raft = &self.inner.raft;
        async {
            let linearizer = raft.get_read_linearizer(option).await.map_err(read_error)?;
            linearizer.await_ready(raft).await.map_err(stopped)
        }
        .instrument(span)
        .await?;
        Ok(self.peek(look))
    }

    /// Looks at what this node has applied so far, all of which is committed.
    pub(crate) fn peek<T>(&self, look: impl FnOnce(&Register) -> T) -> T {
        look(&self.inner.shared.read().register)
    }

    /// How the group is, as this node sees it.
    pub(crate) fn status(&self) -> Status {
        let metrics = self.inner.raft.metrics().borrow_watched().clone();
        // openraft's figures follow a little later.
        let last_applied = self.inner.shared.read().last.map_or(0, |id| id.index);
        Status {
            node_id: metrics.id,
            leader_id: metrics.current_leader,
            term: metrics.current_term,
            last_applied,
            last_log: metrics.last_log_index.unwrap_or(0).max(last_applied),
            voters: metrics.membership_config.voter_ids().collect(),
        }
    }

    /// The term in which this node leads; `None` while it does not.
    pub(crate) fn leads_in(&self) -> Option<u64> {
        let metrics = self.inner.raft.metrics();
        let metrics = metrics.borrow_watched();
        (metrics.state == ServerState::Leader && metrics.running_state.is_ok())
            .then_some(metrics.current_term)
    }

    /// The beginning of a leadership at this moment.
    pub(crate) fn leadership(&self, since: swarm_types::Timestamp) -> Leadership {
        Leadership {
            since,
            last_index: self.status().last_log,
        }
    }

    /// Returns when a proposal was opened since the last call.
    pub(crate) async fn opened(&self) {
        self.inner.shared.opened.notified().await;
    }

    /// Returns when the node cannot go on, such as when the disk refused a write.
    pub(crate) async fn failed(&self) -> Error {
        let mut metrics = self.inner.raft.metrics();
        loop {
            let state = metrics.borrow_watched().running_state.clone();
            if let Err(fatal) = state {
                return stopped(fatal);
            }
            if metrics.changed().await.is_err() {
                return Error::unavailable("the log has stopped");
            }
        }
    }

    /// Stops the node. What it has acknowledged is on disk already.
    pub(crate) async fn shutdown(&self) {
        if let Err(error) = self.inner.raft.shutdown().await {
            tracing::warn!(%error, "log did not stop cleanly");
        }
    }

    fn admit(&self, bytes: usize) -> Result<(SemaphorePermit<'_>, SemaphorePermit<'_>)> {
        let inner = &self.inner;
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let write = inner.writes.try_acquire();
        let room = inner.write_bytes.try_acquire_many(bytes);
        match (write, room) {
            (Ok(write), Ok(room)) => Ok((write, room)),
            _ => Err(Error::new(
                Code::ResourceExhausted,
                "too many writes are on their way; try again shortly",
            )
            .with_retry_after(RETRY_AFTER)),
        }
    }
}

fn write_error(error: RaftError<TypeConfig, ClientWriteError<TypeConfig>>) -> Error {
    match error {
        RaftError::Fatal(fatal) => stopped(fatal),
        RaftError::APIError(error) => {
            Error::unavailable("the group's leader did not commit the write; repeat it")
                .with_retry_after(RETRY_AFTER)
                .with_source(error)
        }
    }
}

fn read_error(error: RaftError<TypeConfig, LinearizableReadError<TypeConfig>>) -> Error {
    match error {
        RaftError::Fatal(fatal) => stopped(fatal),
        RaftError::APIError(error) => Error::unavailable("the group has no leader")
            .with_retry_after(RETRY_AFTER)
            .with_source(error),
    }
}

fn stopped(fatal: Fatal<TypeConfig>) -> Error {
    Error::unavailable("the log has stopped").with_source(fatal)
}
