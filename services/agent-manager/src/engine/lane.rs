//! The commit lane: what many tasks have to tell at the same time goes into one transaction.
//!
//! One batch is under way at a time, and the next one takes whatever has come meanwhile, so that
//! nobody lingers and the load itself makes the batches larger. A batch holds at most one change
//! of a tree: it never waits for one task of a tree while it holds another one of it, as a cancel
//! does from the top down.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use swarm_database::Session;
use swarm_errors::{Code, Error, Result};
use swarm_types::{TaskId, TenantId};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::Engine;
use crate::store::changes::{Change, Told};

/// The most changes of one transaction: a larger one would gain little, and those who wait for their
/// answers before they ask again would all be in it, so that the store and everybody else would
/// take turns. (64 callers, two processors: 10,300 tasks a second with one batch of all of them,
/// 11,700 with halves.)
const LARGEST_BATCH: usize = 32;
/// With nothing to do for so long, the lane gives its connection back.
const REST_AFTER: Duration = Duration::from_millis(100);

/// A change that waits for its commit.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) change: Arc<Change>,
    /// It was tried before, and nobody knows whether that was committed.
    pub(super) again: bool,
    answer: oneshot::Sender<Result<Told>>,
}

/// Where changes queue up.
#[derive(Debug)]
pub(super) struct Lane {
    jobs: mpsc::UnboundedSender<Job>,
    /// Taken by the one who runs the lane.
    queue: Mutex<Option<mpsc::UnboundedReceiver<Job>>>,
}

impl Default for Lane {
    fn default() -> Self {
        let (jobs, queue) = mpsc::unbounded_channel();
        Self {
            jobs,
            queue: Mutex::new(Some(queue)),
        }
    }
}

impl Engine {
    /// Has a change committed.
    pub(super) async fn tell(&self, change: Arc<Change>, again: bool) -> Result<Told> {
        let (answer, told) = oneshot::channel();
        let job = Job {
            change,
            again,
            answer,
        };
        // Without a lane the process is about to end.
        let closed = || Error::unavailable("the engine is stopping");
        self.lane.jobs.send(job).map_err(|_| closed())?;
        told.await.map_err(|_| closed())?
    }

    /// Commits what is told for as long as it is polled.
    pub(super) async fn run_lane(&self) {
        let queue = self
            .lane
            .queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(mut queue) = queue else {
            return std::future::pending().await;
        };
        let mut session = self.db.session();
        let mut waiting = VecDeque::new();
        loop {
            if waiting.is_empty() {
                match next_job(&mut queue, &mut session).await {
                    Some(job) => waiting.push_back(job),
                    None => return,
                }
            }
            while let Ok(job) = queue.try_recv() {
                waiting.push_back(job);
            }
            self.commit_batch(&mut session, next_batch(&mut waiting))
                .await;
        }
    }

    async fn commit_batch(&self, session: &mut Session, batch: Vec<Job>) {
        let (doubtful, fresh): (Vec<Job>, Vec<Job>) = batch.into_iter().partition(|job| job.again);
        let changes: Vec<Arc<Change>> = fresh.iter().map(|job| job.change.clone()).collect();
        match self.flush(session, &changes).await {
            Ok(told) => {
                for (job, told) in fresh.into_iter().zip(told) {
                    job.answer(Ok(told));
                }
            }
            // Away: whoever still wants it comes again.
            Err(error) if error.code() == Code::Unavailable => {
                for job in fresh {
                    job.answer(Err(error.for_another()));
                }
            }
            // One of them spoils it for all.
            Err(_) => {
                for job in fresh {
                    self.commit_alone(job).await;
                }
            }
        }
        for job in doubtful {
            self.commit_alone(job).await;
        }
    }

    async fn commit_alone(&self, job: Job) {
        let settle = || async {
            let mut session = self.db.session();
            self.settle(&mut session, &job.change).await
        };
        let told = self.db.retry(settle).await;
        job.answer(told);
    }
}

/// The next job; while none comes, others may have the connection.
async fn next_job(queue: &mut mpsc::UnboundedReceiver<Job>, session: &mut Session) -> Option<Job> {
    if let Ok(job) = timeout(REST_AFTER, queue.recv()).await {
        return job;
    }
    session.rest();
    queue.recv().await
}

impl Job {
    fn answer(self, told: Result<Told>) {
        // Who has gone needs no answer.
        self.answer.send(told).ok();
    }
}

/// Takes what may go together, in the order of their coming: at most one change of each tree, and
/// births or none.
fn next_batch(waiting: &mut VecDeque<Job>) -> Vec<Job> {
    let mut trees: HashSet<(TenantId, TaskId)> = HashSet::new();
    let mut batch = Vec::new();
    let mut later = VecDeque::new();
    let are_births = waiting.front().is_some_and(|job| job.change.is_birth());
    for job in waiting.drain(..) {
        let tree = (job.change.fence.tenant, job.change.root);
        let fits = batch.len() < LARGEST_BATCH && job.change.is_birth() == are_births;
        if fits && trees.insert(tree) {
            batch.push(job);
        } else {
            later.push_back(job);
        }
    }
    *waiting = later;
    batch
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::store::tasks::Fence;

    fn job(tenant: TenantId, root: TaskId, task: TaskId) -> Job {
        let change = Change {
            fence: Fence {
                tenant,
                task,
                epoch: 1,
            },
            root,
            birth: None,
            journal: Vec::new(),
            end: None,
        };
        Job {
            change: Arc::new(change),
            again: false,
            answer: oneshot::channel().0,
        }
    }

    #[test]
    fn a_batch_has_one_change_of_a_tree_and_each_task_keeps_its_order() {
        let tenant = TenantId::new();
        let (one, part, two) = (TaskId::new(), TaskId::new(), TaskId::new());
        let mut waiting: VecDeque<Job> = [(one, one), (one, part), (two, two), (one, part)]
            .map(|(root, task)| job(tenant, root, task))
            .into();
        let mut take = || -> Vec<TaskId> {
            let batch = next_batch(&mut waiting);
            batch.iter().map(|job| job.change.fence.task).collect()
        };
        assert_eq!(take(), [one, two]);
        assert_eq!(take(), [part]);
        assert_eq!(take(), [part]);
        assert!(take().is_empty());
    }

    #[test]
    fn a_batch_is_bounded() {
        let tenant = TenantId::new();
        let ids: Vec<TaskId> = (0..=LARGEST_BATCH).map(|_| TaskId::new()).collect();
        let mut waiting = ids.iter().map(|id| job(tenant, *id, *id)).collect();
        assert_eq!(next_batch(&mut waiting).len(), LARGEST_BATCH);
        assert_eq!(next_batch(&mut waiting).len(), 1);
    }
}
