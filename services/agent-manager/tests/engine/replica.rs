//! A replica that can be frozen, as `SIGSTOP` freezes a process: it has a thread of its own, and
//! while that is held up nothing of it moves, no heartbeat, no timer and no connection.

use std::sync::Arc;
use std::sync::mpsc as blocking;
use std::thread::JoinHandle;

use swarm_agent_manager::SCHEMA;
use swarm_agent_manager::engine::{Engine, Executor, Submission};
use swarm_agent_manager::tasks::TaskRecord;
use swarm_database::{DatabaseConfig, Db, Migrate};
use swarm_errors::Result;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use crate::rig::{Options, Rig};

enum Order {
    Freeze {
        frozen: oneshot::Sender<()>,
        until: blocking::Receiver<()>,
    },
    Crash,
    Stop,
}

/// An engine in a thread and with connections of its own.
pub(crate) struct Replica {
    engine: Arc<Engine>,
    /// Where its futures run.
    runtime: Handle,
    orders: mpsc::UnboundedSender<Order>,
    thread: JoinHandle<()>,
}

/// A replica that stands still until it is thawed.
pub(crate) struct Frozen<'a>(
    #[expect(dead_code, reason = "one cannot be used meanwhile")] &'a Replica,
    blocking::Sender<()>,
);

impl Replica {
    pub(crate) async fn start(
        config: &DatabaseConfig,
        executor: Arc<dyn Executor>,
        options: Options,
    ) -> Self {
        let (orders, received) = mpsc::unbounded_channel();
        let (started, begun) = oneshot::channel();
        let config = config.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let db = Db::open(&config, &SCHEMA, Migrate::Auto).await.unwrap();
                let rig = Rig::start_with(&db, executor, options).await;
                let parts = (rig.engine.clone(), Handle::current());
                assert!(started.send(parts).is_ok(), "the test waits for it");
                obey(rig, received).await;
            });
        });
        let (engine, runtime) = begun.await.expect("the replica starts");
        Self {
            engine,
            runtime,
            orders,
            thread,
        }
    }

    /// Submits in the replica's own thread, where its connections are.
    pub(crate) async fn submit(&self, submission: Submission) -> TaskRecord {
        self.try_submit(submission).await.unwrap().unwrap()
    }

    /// As a client does who can give up.
    pub(crate) fn try_submit(
        &self,
        submission: Submission,
    ) -> tokio::task::JoinHandle<Result<TaskRecord>> {
        let engine = self.engine.clone();
        self.runtime
            .spawn(async move { engine.submit(submission).await })
    }

    pub(crate) async fn freeze(&self) -> Frozen<'_> {
        let (thaw, until) = blocking::channel();
        let (frozen, stands) = oneshot::channel();
        self.order(Order::Freeze { frozen, until });
        stands.await.unwrap();
        Frozen(self, thaw)
    }

    /// Ends it where it stands, with its connections.
    pub(crate) async fn crash(self) {
        self.end(Order::Crash).await;
    }

    pub(crate) async fn stop(self) {
        self.end(Order::Stop).await;
    }

    async fn end(self, order: Order) {
        self.order(order);
        let ended = tokio::task::spawn_blocking(move || self.thread.join());
        ended.await.unwrap().expect("the replica ends");
    }

    fn order(&self, order: Order) {
        assert!(self.orders.send(order).is_ok(), "the replica runs");
    }
}

impl Frozen<'_> {
    pub(crate) fn thaw(self) {
        self.1.send(()).unwrap();
    }
}

async fn obey(rig: Rig, mut orders: mpsc::UnboundedReceiver<Order>) {
    while let Some(order) = orders.recv().await {
        match order {
            Order::Freeze { frozen, until } => {
                frozen.send(()).unwrap();
                // Blocks the thread, and with it everything of this replica. An error means that
                // the test is over.
                until.recv().ok();
            }
            Order::Crash => return rig.crash().await,
            Order::Stop => return rig.stop().await,
        }
    }
    rig.crash().await;
}
