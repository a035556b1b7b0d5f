//! Several tasks in one transaction.

use std::sync::Arc;

use swarm_errors::{Error, Result};
use swarm_types::TenantId;

use super::{Engine, Submission};
use crate::store::idempotency::RequestKey;
use crate::tasks::{Predecessor, TaskRecord};

/// Tasks that are accepted together, or not at all.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Whose they are.
    pub tenant: TenantId,
    /// Names the write, so that its repeat finds the first one's tasks.
    pub request: Option<RequestKey>,
    /// The tasks.
    pub items: Vec<BatchItem>,
}

/// One task of a batch.
#[derive(Debug, Clone)]
pub struct BatchItem {
    /// By which other items may depend on it; empty for none.
    pub name: String,
    /// The task; its own key and `depends_on` are not looked at.
    pub task: Submission,
    /// What goes before it.
    pub depends_on: Vec<Predecessor>,
}

impl Engine {
    /// Accepts all tasks of a batch in one transaction, or none.
    ///
    /// # Errors
    /// As [`Engine::submit`], with the item in the field's name.
    pub async fn submit_batch(self: &Arc<Self>, _: Batch) -> Result<Vec<TaskRecord>> {
        Err(Error::unavailable("batches are being built"))
    }
}
