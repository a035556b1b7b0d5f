//! Waiting for what is neither a task nor a time.

use std::future::Future;
use std::sync::atomic::Ordering;

use swarm_errors::Result;

use super::TaskContext;
use crate::tasks::WaitingReason;

impl TaskContext {
    /// Waits for `what` in state `waiting` for this reason, without taking up a worker's or an
    /// agent's place; also within a step. It is dropped when the attempt must end.
    ///
    /// # Errors
    /// [`super::is_stopped`] when the attempt is over.
    pub async fn park_until<T>(
        &self,
        reason: WaitingReason,
        what: impl Future<Output = T>,
    ) -> Result<T> {
        // A step that has begun early may be the first to wait.
        self.settle_up().await?;
        self.wait(reason, async { Ok(what.await) }).await
    }

    /// Replicas that work at present, about; at least one.
    #[must_use]
    pub fn replicas(&self) -> u32 {
        self.inner.engine.replicas.load(Ordering::Relaxed).max(1)
    }
}
