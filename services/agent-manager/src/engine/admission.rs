//! Back-pressure: a tenant's queue has an end.

use std::sync::PoisonError;
use std::time::Instant;

use swarm_errors::{Code, Error, Result};
use swarm_types::TenantId;

use super::Engine;
use crate::scheduling::Verdict;
use crate::store::tasks;

impl Engine {
    /// Asks for room for `count` more tasks in the tenant's queue. Ask for submissions that do not
    /// go straight to a worker, and never for sub-tasks: what was accepted must be able to end.
    ///
    /// # Errors
    /// `resource_exhausted`, with the time after which it makes sense to try again.
    pub(super) async fn admit(&self, tenant: TenantId, count: usize) -> Result<()> {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        let mut verdict = self.ask_backlog(tenant, count);
        if verdict == Verdict::Count {
            self.count_backlog(tenant).await?;
            verdict = self.ask_backlog(tenant, count);
        }
        match verdict {
            Verdict::Full(wait) => Err(Error::new(
                Code::ResourceExhausted,
                format!(
                    "the queue is full: at most {} tasks of a tenant may wait",
                    self.config.max_queued_per_tenant
                ),
            )
            .with_retry_after(wait)),
            // The count is stale again, because the clock has jumped: it was just taken.
            Verdict::Admitted | Verdict::Count => Ok(()),
        }
    }

    fn ask_backlog(&self, tenant: TenantId, count: u64) -> Verdict {
        let limit = self.config.max_queued_per_tenant;
        self.backlog
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .admit(tenant, count, limit, self.now())
    }

    async fn count_backlog(&self, tenant: TenantId) -> Result<()> {
        let begun = Instant::now();
        let most = self.config.max_queued_per_tenant.saturating_add(1);
        let length = tasks::queued_of(&self.db, tenant, most).await?;
        self.backlog
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .counted(tenant, length, begun.elapsed(), self.now());
        Ok(())
    }
}
