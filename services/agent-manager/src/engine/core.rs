//! The engine itself: what its parts share.

use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use swarm_database::Db;
use swarm_errors::Result;
use swarm_runtime::CancellationToken;
use swarm_telemetry::Registry;
use swarm_types::{Clock, Timestamp};
use tokio::sync::{Notify, Semaphore};
use tokio_util::task::TaskTracker;

use super::due::Due;
use super::endings::Endings;
use super::lane::Lane;
use super::lease::Leases;
use super::live::Live;
use super::{EngineConfig, Executor};
use crate::events::{Hub, Wake};
use crate::metrics::Metrics;
use crate::scheduling::Backlog;
use crate::store::{Unit, leases::Owner};

/// Agents, tasks and messages of all tenants, and the work on them in this process.
#[derive(Debug)]
pub struct Engine {
    pub(crate) db: Db,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) hub: Hub,
    pub(super) config: EngineConfig,
    pub(super) executor: Arc<dyn Executor>,
    pub(super) metrics: Metrics,
    pub(super) workers: Arc<Semaphore>,
    pub(super) leases: Arc<Leases>,
    pub(super) live: Live,
    pub(super) backlog: Mutex<Backlog>,
    /// When delayed tasks are to be looked at.
    pub(super) due: Due,
    /// Replicas that work, as last counted.
    pub(super) replicas: AtomicU32,
    pub(super) lane: Lane,
    /// Something was queued, or there is room again.
    pub(super) work: Notify,
    /// An agent has room again.
    pub(super) room: Notify,
    /// Another replica may ask to stop something.
    pub(super) stops: Notify,
    /// Something lies in the outbox.
    pub(super) letters: Notify,
    /// Who waits for the end of a task.
    pub(super) endings: Endings,
    /// A schedule has changed.
    pub(super) schedules: Notify,
    pub(super) attempts: TaskTracker,
    /// Cancelled once the engine works.
    begun: CancellationToken,
    pub(super) stop: OnceLock<Stop>,
}

/// What looks at the store from time to time begins so much later than what goes before it.
const APART: Duration = Duration::from_millis(20);

/// Does `work` in its turn. All at the same moment, the looks would want a connection each, and a
/// connection that was opened stays.
async fn after(turn: u32, work: impl Future<Output = ()>) {
    tokio::time::sleep(APART * turn).await;
    work.await;
}

/// The two stages of a stop.
#[derive(Debug, Clone)]
pub(super) struct Stop {
    pub(super) soft: CancellationToken,
    pub(super) hard: CancellationToken,
}

impl Engine {
    /// An engine that does nothing yet but answer; [`Engine::run`] makes it work.
    #[must_use]
    pub fn new(
        db: Db,
        clock: Arc<dyn Clock>,
        hub: Hub,
        registry: &Registry,
        config: EngineConfig,
        executor: Arc<dyn Executor>,
    ) -> Arc<Self> {
        let owner = Owner {
            replica: config.replica.clone(),
            incarnation: uuid::Uuid::now_v7(),
        };
        Arc::new(Self {
            metrics: Metrics::new(registry, &db),
            workers: Arc::new(Semaphore::new(config.max_workers)),
            leases: Arc::new(Leases::new(owner, config.lease)),
            live: Live::default(),
            backlog: Mutex::default(),
            due: Due::default(),
            replicas: AtomicU32::new(1),
            lane: Lane::default(),
            work: Notify::new(),
            room: Notify::new(),
            stops: Notify::new(),
            letters: Notify::new(),
            endings: Endings::default(),
            schedules: Notify::new(),
            attempts: TaskTracker::new(),
            begun: CancellationToken::new(),
            stop: OnceLock::new(),
            db,
            clock,
            hub,
            config,
            executor,
        })
    }

    /// Works until `soft` is cancelled and the running steps have ended, or until `hard` is. What
    /// is not finished goes back to the queue, or is taken over at the next start.
    ///
    /// # Errors
    /// Never: failures of the database are waited out.
    pub async fn run(
        self: Arc<Self>,
        soft: CancellationToken,
        hard: CancellationToken,
    ) -> Result<()> {
        self.stop.get_or_init(|| Stop {
            soft: soft.clone(),
            hard: hard.clone(),
        });
        self.begin(&soft).await;
        let work = async {
            tokio::join!(
                self.schedule(&soft),
                after(1, self.sweep(&soft)),
                after(2, self.keep_schedules(&soft)),
                after(3, self.wake_when_due(&soft)),
                after(4, self.export(&soft)),
                after(5, self.report(&soft)),
                after(6, self.compact(&soft)),
            );
            self.attempts.close();
            self.attempts.wait().await;
        };
        let beat = self.clone().heartbeat();
        let stops = self.clone().answer_stops();
        tokio::select! {
            () = work => {}
            () = beat => {}
            () = stops => {}
            () = self.run_lane() => {}
            () = hard.cancelled() => {
                // They end where they stand; the leases stay, for the next life to find.
                self.attempts.close();
                self.attempts.wait().await;
                return Ok(());
            }
        }
        self.close_leases().await;
        Ok(())
    }

    /// Opens the first lease and takes over what a former life of this replica has left.
    async fn begin(self: &Arc<Self>, soft: &CancellationToken) {
        while !soft.is_cancelled() {
            let begun = async {
                self.open_lease().await?;
                self.recover().await
            };
            match begun.await {
                Ok(_) => return self.begun.cancel(),
                Err(error) => {
                    tracing::warn!(error = %error.chain(), "engine cannot begin and tries again");
                    tokio::select! {
                        () = tokio::time::sleep(self.config.poll) => {}
                        () = soft.cancelled() => {}
                    }
                }
            }
        }
    }

    /// Ends once the engine works: its first lease is there, and what its former life has left is
    /// back in the queue.
    pub async fn begun(&self) {
        self.begun.cancelled().await;
    }

    /// Whether the engine works.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.begun.is_cancelled()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Whether tasks are handed over rather than gone on with.
    pub(super) fn is_draining(&self) -> bool {
        self.stop.get().is_some_and(|stop| stop.soft.is_cancelled())
    }

    /// Whether this process takes work.
    pub(super) fn takes_work(&self) -> bool {
        self.stop
            .get()
            .is_some_and(|stop| !stop.soft.is_cancelled())
    }

    /// Ends when tasks are to be handed over.
    pub(super) async fn drained(&self) {
        match self.stop.get() {
            Some(stop) => stop.soft.cancelled().await,
            None => std::future::pending().await,
        }
    }

    /// Another replica has committed something.
    pub(crate) fn heard(&self, wake: &Wake) {
        self.hub.wake(wake);
        if wake.ended {
            self.endings.look(wake.tenant, wake.task);
        }
        if wake.ended
            && let Some(entry) = self.live.get(wake.tenant, wake.task)
        {
            // Cancelled there, or ended at its deadline: what runs here is fenced out.
            entry.cancel.cancel();
            self.stops.notify_one();
        }
        if wake.queued || wake.ended {
            self.look();
        }
    }

    /// Something may have happened: look at the queue.
    pub(crate) fn look(&self) {
        self.work.notify_one();
        self.room.notify_waiters();
    }

    pub(super) async fn begin_unit(&self) -> Result<Unit> {
        Unit::begin(&self.db, self.now()).await
    }

    /// Commits and wakes those who wait for it.
    pub(super) async fn commit(&self, unit: Unit) -> Result<()> {
        let committed = unit.commit().await?;
        for of_task in committed.events.chunk_by(|one, next| one.task == next.task) {
            if let Some(last) = of_task.last()
                && let Some(line) = last.lines.last()
            {
                let wake = Wake::of(last.tenant, last.root, last.task, &line.kind);
                self.hub.committed(&wake);
            }
        }
        Ok(())
    }

    /// Waits for a notification, but not longer than a poll.
    pub(super) async fn notified(&self, notify: &Notify, longest: Duration) {
        // Late or lost, it makes no difference: the caller looks again.
        tokio::time::timeout(longest, notify.notified()).await.ok();
    }
}
