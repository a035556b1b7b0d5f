//! Waiting for the end of a task.
//!
//! Who waits is told by the commit of the end itself, with the record that was written, so that
//! an answer costs no query. What ends elsewhere is read from the store: when another replica
//! says so, and once a poll in any case.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use swarm_errors::Result;
use swarm_types::{TaskId, TenantId};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::{Engine, Submission};
use crate::store::tasks;
use crate::tasks::TaskRecord;

/// What those who wait for a task have heard.
#[derive(Debug, Clone, Default)]
enum Heard {
    #[default]
    Nothing,
    /// It may have ended: look.
    Look,
    Ended(Arc<TaskRecord>),
}

type Waiting = HashMap<(TenantId, TaskId), watch::Sender<Heard>>;

/// Who waits for which task in this process.
#[derive(Debug, Default)]
pub(super) struct Endings {
    waiting: Arc<Mutex<Waiting>>,
}

/// One who waits, until it is dropped.
struct Listener {
    key: (TenantId, TaskId),
    waiting: Arc<Mutex<Waiting>>,
    receiver: Option<watch::Receiver<Heard>>,
}

impl Endings {
    /// Tells that this end is committed.
    pub(super) fn tell(&self, task: &TaskRecord) {
        if let Some(sender) = lock(&self.waiting).get(&(task.tenant, task.id)) {
            sender.send_replace(Heard::Ended(Arc::new(task.clone())));
        }
    }

    /// Tells that the task has ended elsewhere.
    pub(super) fn look(&self, tenant: TenantId, task: TaskId) {
        if let Some(sender) = lock(&self.waiting).get(&(tenant, task)) {
            sender.send_if_modified(|heard| match heard {
                Heard::Ended(_) => false,
                Heard::Nothing | Heard::Look => {
                    *heard = Heard::Look;
                    true
                }
            });
        }
    }

    /// What is told after this has returned is heard.
    fn listen(&self, tenant: TenantId, task: TaskId) -> Listener {
        let key = (tenant, task);
        let receiver = lock(&self.waiting).entry(key).or_default().subscribe();
        Listener {
            key,
            waiting: self.waiting.clone(),
            receiver: Some(receiver),
        }
    }
}

impl Listener {
    /// The end, or `None` when the store must be asked.
    async fn next(&mut self) -> Option<TaskRecord> {
        let receiver = self.receiver.as_mut()?;
        // The sender lives as long as anybody listens.
        receiver.changed().await.ok()?;
        match &*receiver.borrow_and_update() {
            Heard::Ended(task) => Some(task.as_ref().clone()),
            Heard::Look | Heard::Nothing => None,
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut waiting = lock(&self.waiting);
        self.receiver = None;
        if waiting
            .get(&self.key)
            .is_some_and(|sender| sender.receiver_count() == 0)
        {
            waiting.remove(&self.key);
        }
    }
}

fn lock(waiting: &Mutex<Waiting>) -> MutexGuard<'_, Waiting> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Engine {
    /// The task, once it has ended or the wait is over.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn await_end(
        &self,
        tenant: TenantId,
        id: TaskId,
        longest: Duration,
    ) -> Result<TaskRecord> {
        let until = Instant::now() + longest;
        let listener = self.endings.listen(tenant, id);
        let task = tasks::get(&self.db, tenant, id).await?;
        self.wait_on(listener, task, until).await
    }

    /// As [`Engine::submit`], and answers when the task has ended, the wait is over, or `enough`
    /// is there: it is accepted in each case.
    ///
    /// # Errors
    /// As [`Engine::submit`].
    pub async fn submit_and_wait(
        self: &Arc<Self>,
        submission: Submission,
        longest: Duration,
        enough: impl Future<Output = ()>,
    ) -> Result<TaskRecord> {
        let until = Instant::now() + longest;
        let (tenant, id) = (submission.tenant, TaskId::new());
        let listener = self.endings.listen(tenant, id);
        let task = self.submit_as(id, submission).await?;
        let accepted = task.clone();
        // A repeat of an earlier request is that one's task.
        let listener = match task.id == id {
            true => listener,
            false => {
                drop(listener);
                return tokio::select! {
                    task = self.await_end(tenant, task.id, longest) => task,
                    () = enough => Ok(accepted),
                };
            }
        };
        tokio::select! {
            biased;
            task = self.wait_on(listener, task, until) => task,
            () = enough => Ok(accepted),
        }
    }

    async fn wait_on(
        &self,
        mut listener: Listener,
        mut task: TaskRecord,
        until: Instant,
    ) -> Result<TaskRecord> {
        while !task.state.is_terminal() && Instant::now() < until {
            let look_again = until.min(Instant::now() + self.config.poll);
            // Over by the clock or by what was heard: the store says how it is.
            task = match timeout_at(look_again, listener.next()).await {
                Ok(Some(ended)) => ended,
                Ok(None) | Err(_) => tasks::get(&self.db, task.tenant, task.id).await?,
            };
        }
        Ok(task)
    }
}
