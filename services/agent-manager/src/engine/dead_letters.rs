//! Tasks whose attempts are used up.

use swarm_errors::{Error, Result};
use swarm_types::{Page, TaskId, TenantId, Timestamp};

use super::Engine;
use crate::store::idempotency::RequestKey;
use crate::tasks::TaskRecord;

/// Dead letters that are to go.
#[derive(Debug, Clone)]
pub struct Purge {
    /// Whose they are.
    pub tenant: TenantId,
    /// Names the write, so that its repeat answers with the first one's count.
    pub request: Option<RequestKey>,
    /// Which ones.
    pub which: PurgeWhich,
}

/// Which dead letters are purged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PurgeWhich {
    /// Those that became one before this moment.
    Before(Timestamp),
    /// Those among these tasks.
    These(Vec<TaskId>),
}

impl Engine {
    /// Dead letters, the newest task first; an empty kind lists all.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn dead_letters(
        &self,
        _: TenantId,
        _: &str,
        _: Option<TaskId>,
        _: u32,
    ) -> Result<Page<TaskRecord>> {
        Err(Error::unavailable("dead letters are being built"))
    }

    /// Deletes dead letters for good, and says how many.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn purge(&self, _: Purge) -> Result<u64> {
        Err(Error::unavailable("dead letters are being built"))
    }
}
