//! Back-pressure: a tenant's queue has an end.

use std::sync::{MutexGuard, PoisonError};
use std::time::Instant;

use swarm_errors::{Code, Error, Result};
use swarm_types::{TenantId, Timestamp};

use super::Engine;
use crate::scheduling::{Backlog, Verdict};
use crate::store::tasks;

impl Engine {
    /// Asks for room for `count` more tasks in the tenant's queue. Ask for submissions that do not
    /// go straight to a worker, and never for sub-tasks: what was accepted must be able to end.
    ///
    /// # Errors
    /// `resource_exhausted`, with the time after which it makes sense to try again.
    pub(super) async fn admit(&self, tenant: TenantId, count: usize) -> Result<()> {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        let limit = self.config.max_queued_per_tenant;
        let verdict = self
            .verdict(tenant, |backlog, now| {
                backlog.admit(tenant, count, limit, now)
            })
            .await?;
        match verdict {
            Verdict::Full(wait) => Err(Error::new(
                Code::ResourceExhausted,
                format!("the queue is full: at most {limit} tasks of a tenant may wait"),
            )
            .with_retry_after(wait)),
            // The count is stale again, because the clock has jumped: it was just taken.
            Verdict::Admitted | Verdict::Count => Ok(()),
        }
    }

    /// Whether the tenant's queue takes no more. Who finds room and queues something says so with
    /// [`Self::queued`]: most looks come to nothing, and must not fill the queue in our books.
    pub(super) async fn is_full(&self, tenant: TenantId) -> Result<bool> {
        let limit = self.config.max_queued_per_tenant;
        let verdict = self
            .verdict(tenant, |backlog, now| backlog.ask(tenant, 1, limit, now))
            .await?;
        Ok(matches!(verdict, Verdict::Full(_)))
    }

    /// So many tasks were queued after a look.
    pub(super) fn queued(&self, tenant: TenantId, count: usize) {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        self.books().added(tenant, count);
    }

    /// What the books say, after a count where they say nothing fresh.
    async fn verdict(
        &self,
        tenant: TenantId,
        ask: impl Fn(&mut Backlog, Timestamp) -> Verdict,
    ) -> Result<Verdict> {
        let known = ask(&mut self.books(), self.now());
        if known != Verdict::Count {
            return Ok(known);
        }
        self.count_backlog(tenant).await?;
        Ok(ask(&mut self.books(), self.now()))
    }

    fn books(&self) -> MutexGuard<'_, Backlog> {
        self.backlog.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn count_backlog(&self, tenant: TenantId) -> Result<()> {
        let begun = Instant::now();
        let most = self.config.max_queued_per_tenant.saturating_add(1);
        let length = tasks::queued_of(&self.db, tenant, most).await?;
        self.books()
            .counted(tenant, length, begun.elapsed(), self.now());
        Ok(())
    }
}
