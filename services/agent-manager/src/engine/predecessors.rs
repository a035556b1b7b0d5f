//! What went before a task.

use serde_json::Value;
use swarm_errors::Result;

use super::TaskContext;
use super::persist::persist;
use crate::store::tasks;

impl TaskContext {
    /// The results of the tasks that this one depends on, in its order, under the names that it gave
    /// them, or their ids. They have completed and do not change, so a replay reads the same.
    ///
    /// # Errors
    /// [`super::is_stopped`] when the attempt is over.
    pub async fn predecessors(&self) -> Result<Vec<(String, Value)>> {
        let task = self.task();
        if task.spec.depends_on.is_empty() {
            return Ok(Vec::new());
        }
        let db = &self.inner.engine.db;
        persist(self.cancelled(), || {
            tasks::completed_results(db, task.tenant, task.id)
        })
        .await
    }
}
