//! Failed tasks are tried again.

use std::sync::Arc;

use swarm_errors::{Error, Result};
use swarm_types::{TaskId, TenantId, Timestamp};

use super::Engine;
use crate::store::idempotency::RequestKey;
use crate::tasks::TaskRecord;

/// A retry by hand.
#[derive(Debug, Clone)]
pub struct Again {
    /// Whose task it is.
    pub tenant: TenantId,
    /// Names the write.
    pub request: Option<RequestKey>,
    /// The task.
    pub id: TaskId,
    /// `None` gives as much time as the task had at first.
    pub deadline: Option<Timestamp>,
}

impl Engine {
    /// Runs a failed or dead-lettered task again, from its journal and with fresh attempts.
    ///
    /// # Errors
    /// `not_found`; `failed_precondition` when it has not failed; `invalid_argument` for a sub-task.
    pub async fn retry(self: &Arc<Self>, _: Again) -> Result<TaskRecord> {
        Err(Error::unavailable("retries are being built"))
    }
}
