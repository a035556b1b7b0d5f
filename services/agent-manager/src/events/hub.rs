//! Wakes those who wait in this process. What is durable they then read from the store, so a lost
//! signal costs time and nothing else.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use swarm_types::{TaskId, TenantId};
use tokio::sync::{Notify, mpsc};

use super::EventRecord;
use super::mailbox::Mailbox;
use crate::tasks::TaskState;

/// Events after which a task waits for a worker.
const QUEUED: [&str; 4] = [
    "task.queued",
    "task.submitted",
    "task.retried",
    "schedule.fired",
];

/// What can be listened to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// A root task with all below it.
    Tree(TenantId, TaskId),
    /// All tasks of a tenant.
    Tenant(TenantId),
}

/// What a listener is told.
#[derive(Debug, Clone)]
pub enum Signal {
    /// Events of a task were committed.
    Committed {
        /// The task.
        task: TaskId,
        /// Whether it has ended.
        ended: bool,
    },
    /// An ephemeral event.
    Ephemeral(Arc<EventRecord>),
}

/// A commit, as other replicas are told of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wake {
    /// Whose task.
    pub tenant: TenantId,
    /// Its root.
    pub root: TaskId,
    /// The task.
    pub task: TaskId,
    /// Whether it has ended.
    pub ended: bool,
    /// Whether it waits for a worker.
    pub queued: bool,
}

impl Wake {
    /// Of a commit whose last event of the task is of this kind.
    #[must_use]
    pub fn of(tenant: TenantId, root: TaskId, task: TaskId, kind: &str) -> Self {
        let mut ends = TaskState::ALL.iter().filter(|state| state.is_terminal());
        Self {
            tenant,
            root,
            task,
            ended: ends.any(|state| state.event() == kind),
            queued: QUEUED.contains(&kind),
        }
    }
}

type Listeners = Arc<Mutex<HashMap<Topic, Vec<Arc<Listener>>>>>;

/// One listener's place. A slow one holds up nobody.
#[derive(Debug, Default)]
struct Listener {
    mailbox: Mutex<Mailbox>,
    mail: Notify,
}

impl Listener {
    fn put(&self, signal: Signal) {
        lock(&self.mailbox).put(signal);
        self.mail.notify_one();
    }
}

/// Where signals meet their listeners. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Hub {
    listeners: Listeners,
    /// Counts what was put into a queue, here or elsewhere.
    queued: Arc<AtomicU64>,
    remote: Option<mpsc::UnboundedSender<Wake>>,
}

/// Listens to a topic until it is dropped.
#[derive(Debug)]
pub struct Subscription {
    topic: Topic,
    listeners: Listeners,
    listener: Arc<Listener>,
}

impl Hub {
    /// A hub that hands every commit on, for other replicas.
    #[must_use]
    pub fn with_remote(remote: mpsc::UnboundedSender<Wake>) -> Self {
        Self {
            listeners: Listeners::default(),
            queued: Arc::default(),
            remote: Some(remote),
        }
    }

    /// Listens: what is committed after this has returned is signalled.
    #[must_use]
    pub fn subscribe(&self, topic: Topic) -> Subscription {
        let listener = Arc::new(Listener::default());
        lock(&self.listeners)
            .entry(topic)
            .or_default()
            .push(listener.clone());
        Subscription {
            topic,
            listeners: self.listeners.clone(),
            listener,
        }
    }

    /// Tells everyone of a commit.
    pub(crate) fn committed(&self, wake: &Wake) {
        self.wake(wake);
        if let Some(remote) = &self.remote {
            // The other end lives as long as the process.
            remote.send(*wake).ok();
        }
    }

    /// Tells those in this process.
    pub(crate) fn wake(&self, wake: &Wake) {
        if wake.queued {
            self.queued.fetch_add(1, Ordering::AcqRel);
        }
        let signal = Signal::Committed {
            task: wake.task,
            ended: wake.ended,
        };
        self.send(wake.tenant, wake.root, &signal);
    }

    /// A task that was queued for later may be taken now.
    pub(crate) fn is_due(&self) {
        self.queued.fetch_add(1, Ordering::AcqRel);
    }

    /// Moves on whenever a task was queued.
    pub(crate) fn queued(&self) -> u64 {
        self.queued.load(Ordering::Acquire)
    }

    /// Shows an ephemeral event to those who watch now.
    pub(crate) fn ephemeral(&self, event: EventRecord) {
        let (tenant, root) = (event.tenant, event.root);
        self.send(tenant, root, &Signal::Ephemeral(Arc::new(event)));
    }

    /// Whether anybody would see an ephemeral event of this tree.
    pub(crate) fn is_watched(&self, tenant: TenantId, root: TaskId) -> bool {
        let listeners = lock(&self.listeners);
        listeners.contains_key(&Topic::Tree(tenant, root))
            || listeners.contains_key(&Topic::Tenant(tenant))
    }

    fn send(&self, tenant: TenantId, root: TaskId, signal: &Signal) {
        let listeners = lock(&self.listeners);
        for topic in [Topic::Tree(tenant, root), Topic::Tenant(tenant)] {
            for listener in listeners.get(&topic).into_iter().flatten() {
                listener.put(signal.clone());
            }
        }
    }
}

impl Subscription {
    /// The next signal; `None` when some were missed.
    pub async fn next(&mut self) -> Option<Signal> {
        loop {
            if let Some(signal) = lock(&self.listener.mailbox).take() {
                return signal;
            }
            self.listener.mail.notified().await;
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut listeners = lock(&self.listeners);
        if let Some(of_topic) = listeners.get_mut(&self.topic) {
            of_topic.retain(|listener| !Arc::ptr_eq(listener, &self.listener));
            if of_topic.is_empty() {
                listeners.remove(&self.topic);
            }
        }
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn wake(task: TaskId, kind: &str) -> Wake {
        Wake::of(TenantId::from_uuid(uuid::Uuid::nil()), task, task, kind)
    }

    #[tokio::test]
    async fn listeners_hear_of_their_tree_and_leave_nothing_behind() {
        let hub = Hub::default();
        let (one, other) = (TaskId::new(), TaskId::new());
        let tenant = TenantId::from_uuid(uuid::Uuid::nil());
        let mut tree = hub.subscribe(Topic::Tree(tenant, one));
        let mut all = hub.subscribe(Topic::Tenant(tenant));
        hub.committed(&wake(other, "task.started"));
        hub.committed(&wake(one, "task.failed"));
        assert!(
            matches!(tree.next().await, Some(Signal::Committed { task, ended: true }) if task == one)
        );
        assert!(
            matches!(all.next().await, Some(Signal::Committed { task, ended: false }) if task == other)
        );
        assert!(hub.is_watched(tenant, one));
        drop((tree, all));
        assert!(!hub.is_watched(tenant, one));
        assert!(lock(&hub.listeners).is_empty());
    }

    #[tokio::test]
    async fn a_slow_listener_holds_up_nobody_and_hears_of_each_task_once() {
        let hub = Hub::default();
        let (task, tenant) = (TaskId::new(), TenantId::from_uuid(uuid::Uuid::nil()));
        let mut slow = hub.subscribe(Topic::Tree(tenant, task));
        let mut fast = hub.subscribe(Topic::Tree(tenant, task));
        for _ in 0..5000 {
            hub.committed(&wake(task, "step.finished"));
            assert!(matches!(
                fast.next().await,
                Some(Signal::Committed { ended: false, .. })
            ));
        }
        hub.committed(&wake(task, "task.completed"));
        assert!(matches!(
            slow.next().await,
            Some(Signal::Committed { ended: true, .. })
        ));
        assert!(
            tokio::time::timeout(std::time::Duration::ZERO, slow.next())
                .await
                .is_err(),
            "there was nothing else to hear"
        );
    }
}
