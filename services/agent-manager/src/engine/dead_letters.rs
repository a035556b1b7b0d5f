//! Tasks whose attempts are used up.

use swarm_errors::Result;
use swarm_types::{Page, TaskId, TenantId, Timestamp};
use uuid::Uuid;

use super::Engine;
use super::batch::just_being_made;
use crate::store::idempotency::{self, RequestKey};
use crate::store::tasks::{self, LARGEST_PURGE};
use crate::tasks::TaskRecord;

const OPERATION: &str = "purge_dead_letters";

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
        tenant: TenantId,
        kind: &str,
        before: Option<TaskId>,
        limit: u32,
    ) -> Result<Page<TaskRecord>> {
        let rows = tasks::dead(&self.db, tenant, kind, before, i64::from(limit) + 1).await?;
        Ok(Page::cut(rows, limit, |task| task.id.to_string()))
    }

    /// Deletes dead letters for good, and says how many: a hundred a transaction, so that a crash in
    /// between leaves some for the repeat.
    ///
    /// # Errors
    /// `idempotency_mismatch`; when the database cannot be reached.
    pub async fn purge(&self, purge: Purge) -> Result<u64> {
        let tenant = purge.tenant;
        if let Some(known) = self.purged(&purge).await? {
            return Ok(known);
        }
        let mut purged = 0;
        match &purge.which {
            PurgeWhich::These(ids) => {
                for some in ids.chunks(LARGEST_PURGE) {
                    purged += self.db.retry(|| self.purge_some(tenant, some)).await?;
                }
            }
            PurgeWhich::Before(moment) => loop {
                let some = tasks::purgeable(&self.db, tenant, *moment).await?;
                if some.is_empty() {
                    break;
                }
                purged += self.db.retry(|| self.purge_some(tenant, &some)).await?;
            },
        }
        self.remember(&purge, purged).await
    }

    async fn purge_some(&self, tenant: TenantId, ids: &[TaskId]) -> Result<u64> {
        let mut unit = self.begin_unit().await?;
        let purged = tasks::purge(unit.tx(), tenant, ids).await?;
        self.commit(unit).await?;
        Ok(purged)
    }

    /// What the same request has answered before.
    async fn purged(&self, purge: &Purge) -> Result<Option<u64>> {
        let request = purge.request.as_ref();
        let answer = idempotency::find(&self.db, purge.tenant, request, OPERATION).await?;
        Ok(answer.map(|answer| answer.as_u64_pair().1))
    }

    /// The answer to a key is an id; a count is its lower half.
    async fn remember(&self, purge: &Purge, purged: u64) -> Result<u64> {
        let (tenant, request) = (purge.tenant, purge.request.as_ref());
        let answer = Uuid::from_u64_pair(0, purged);
        let is_first = self
            .db
            .retry(|| async {
                let mut unit = self.begin_unit().await?;
                let now = unit.now();
                let is_first =
                    idempotency::insert(unit.tx(), tenant, request, OPERATION, answer, now).await?;
                self.commit(unit).await?;
                Ok(is_first)
            })
            .await?;
        if is_first {
            return Ok(purged);
        }
        self.purged(purge).await?.ok_or_else(just_being_made)
    }
}
