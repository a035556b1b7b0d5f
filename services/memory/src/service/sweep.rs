//! Removing what is past its time.

use std::time::Duration;

use chrono::TimeDelta;
use swarm_errors::Result;
use swarm_runtime::CancellationToken;

use super::Memories;

/// Rows that one transaction removes.
const BATCH: i64 = 500;
/// How long an answer to a keyed write is kept.
const REQUESTS_KEPT: TimeDelta = TimeDelta::hours(24);
/// How long a vector outlives its content: a text that comes back meanwhile needs no embedding.
const VECTORS_KEPT: TimeDelta = TimeDelta::days(30);
/// Every so many rounds, what is not pressing is swept too; so in the first one.
const ROUNDS: u64 = 60;

/// What a sweep removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Memories past their expiry.
    pub memories: u64,
    /// Answers to keyed writes.
    pub requests: u64,
    /// Vectors of contents that nobody remembers.
    pub vectors: u64,
}

impl Memories {
    /// Removes, in batches, every tenant's memories that are past their expiry.
    ///
    /// # Errors
    /// As the database fails.
    pub async fn sweep_expired(&self) -> Result<u64> {
        let mut count = 0;
        for tenant in self.inner.store.tenants().await? {
            loop {
                let removed = self
                    .inner
                    .store
                    .delete_expired(tenant, self.inner.clock.now(), BATCH)
                    .await?;
                self.inner.indexes.forget(tenant, &removed);
                count += removed.len() as u64;
                if removed.is_empty() {
                    break;
                }
            }
        }
        Ok(count)
    }

    /// Removes also old answers to keyed writes, and old vectors whose content is gone.
    ///
    /// # Errors
    /// As the database fails.
    pub async fn sweep(&self) -> Result<Swept> {
        let mut swept = Swept {
            memories: self.sweep_expired().await?,
            ..Swept::default()
        };
        let now = self.inner.clock.now();
        for tenant in self.inner.store.tenants().await? {
            swept.requests += self
                .inner
                .store
                .delete_requests(tenant, now - REQUESTS_KEPT)
                .await?;
            loop {
                let removed = self
                    .inner
                    .store
                    .delete_orphans(tenant, now - VECTORS_KEPT, BATCH)
                    .await?;
                swept.vectors += removed;
                if removed == 0 {
                    break;
                }
            }
        }
        Ok(swept)
    }

    /// Sweeps every `interval` until `soft` is cancelled: a task of its own.
    ///
    /// # Errors
    /// Never: failures are logged, and tried again in the next round.
    pub async fn run_sweeper(&self, interval: Duration, soft: CancellationToken) -> Result<()> {
        for round in 0_u64.. {
            tokio::select! {
                () = soft.cancelled() => return Ok(()),
                () = tokio::time::sleep(interval) => {}
            }
            let swept = if round.is_multiple_of(ROUNDS) {
                self.sweep().await
            } else {
                self.sweep_expired().await.map(|memories| Swept {
                    memories,
                    ..Swept::default()
                })
            };
            match swept {
                Ok(swept) if swept == Swept::default() => {}
                Ok(swept) => tracing::info!(swept.memories, swept.requests, swept.vectors, "swept"),
                Err(error) => tracing::warn!(error = error.chain(), "sweeping failed"),
            }
        }
        Ok(())
    }
}
