//! What must happen by time alone: deadlines, lost workers.

use std::sync::Arc;
use std::time::Duration;

use swarm_errors::{Code, Result};
use swarm_runtime::CancellationToken;

use super::Engine;
use crate::store::tasks::{self, Fence, Outcome};
use crate::tasks::TaskFailure;

/// Deadlines are kept to this much.
const FINEST: Duration = Duration::from_millis(5);

impl Engine {
    /// Sweeps until `soft` is cancelled.
    pub(super) async fn sweep(self: &Arc<Self>, soft: &CancellationToken) {
        loop {
            let next_lease = self.sweep_once().await;
            tokio::select! {
                biased;
                () = soft.cancelled() => return,
                () = tokio::time::sleep(self.until_next_sweep(next_lease)) => {}
            }
        }
    }

    /// Looks at everything, whatever fails, and says when the next lease of another replica expires.
    async fn sweep_once(self: &Arc<Self>) -> Option<Duration> {
        let recovered = noted("leases", self.recover().await);
        noted("deadlines", self.end_overdue().await);
        recovered.and_then(|recovered| recovered.look_again)
    }

    fn until_next_sweep(&self, next_lease: Option<Duration>) -> Duration {
        let deadline = self
            .live
            .next_deadline()
            .and_then(|deadline| (deadline - self.now()).to_std().ok());
        [deadline, next_lease]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(self.config.poll)
            .clamp(FINEST, self.config.poll)
    }

    /// Fails what has passed its deadline: in the queue, and here.
    async fn end_overdue(&self) -> Result<()> {
        let now = self.now();
        let outcome = Outcome::Failed(TaskFailure {
            code: Code::DeadlineExceeded.as_str().to_owned(),
            detail: "the task's deadline has passed".to_owned(),
        });
        for entry in self.live.overdue(now) {
            let ended = self.db.retry(|| self.end_task(entry.fence, &outcome));
            if noted("a deadline", ended.await).is_some() {
                entry.cancel.cancel();
            }
        }
        for task in tasks::overdue(&self.db, now).await? {
            let fence = Fence::from(&task);
            let ended = self.db.retry(|| self.end_task(fence, &outcome));
            noted("a deadline", ended.await);
        }
        Ok(())
    }
}

pub(super) fn noted<T>(of: &'static str, outcome: Result<T>) -> Option<T> {
    outcome
        .inspect_err(|error| tracing::warn!(of, error = %error.chain(), "sweep failed"))
        .ok()
}
