//! The seam between the engine and the work.

use std::fmt;

use async_trait::async_trait;
use serde_json::Value;
use swarm_errors::Result;

use super::TaskContext;

/// Does the work of one task.
///
/// It may be run again from the start after a crash, and then must take the same steps in the
/// same order: what [`TaskContext::step`] had finished returns its stored result. Everything that
/// leaves the process, and everything that chance or time decides, belongs into a step.
#[async_trait]
pub trait Executor: Send + Sync + fmt::Debug {
    /// Works on the task until its result is there. The future is dropped when the task is
    /// cancelled, its lease is lost or its deadline has passed.
    ///
    /// # Errors
    /// The task then fails with this code and detail.
    async fn execute(&self, context: TaskContext) -> Result<Value>;
}
