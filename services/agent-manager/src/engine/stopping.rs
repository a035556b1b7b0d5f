//! Stops across replicas: who cancels asks in the same commit, who runs it answers by taking the
//! request away. Wake-up calls make it quick; the poll makes it sure, with or without a cache.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;
use swarm_errors::Result;
use swarm_types::{TaskId, TenantId};

use super::Engine;
use super::live::Entry;
use crate::store::stops;

/// A call that does not end when it is dropped must not hold up the answer for ever. A lease that
/// goes on for longer than this is that of a replica that lives.
const STOP_LIMIT: Duration = Duration::from_secs(10);
/// Between two looks of who waits for an answer: it doubles from the first to the last.
const FIRST_LOOK: Duration = Duration::from_millis(2);
const LAST_LOOK: Duration = Duration::from_millis(40);
/// Who does not end at once is looked at again, so that others' answers do not wait for it.
const PATIENCE: Duration = Duration::from_millis(20);

impl Engine {
    /// Ends the attempts of these tasks here and waits until they have. Says whether there were any.
    pub(super) async fn stop_here(&self, tenant: TenantId, tasks: &[TaskId]) -> bool {
        let running = self.live.all(tasks.iter().map(|task| (tenant, *task)));
        if !stop(&running, STOP_LIMIT).await {
            tracing::error!(
                limit.seconds = STOP_LIMIT.as_secs(),
                "a cancelled task still runs"
            );
        }
        !running.is_empty()
    }

    /// Waits until the other replicas have stopped what they were asked to stop of this tree, or
    /// are fenced out because their lease is over. Says whether there was anything to wait for.
    pub(super) async fn stopped_elsewhere(&self, tenant: TenantId, root: TaskId) -> Result<bool> {
        let begun = Instant::now();
        // Who does not renew its lease is fenced out within one.
        let limit = STOP_LIMIT.max(2 * self.config.lease);
        let mut pause = FIRST_LOOK;
        let mut waited = false;
        while self
            .db
            .retry(|| stops::are_open(&self.db, tenant, root, self.now()))
            .await?
        {
            waited = true;
            if begun.elapsed() >= limit {
                tracing::error!(
                    limit.seconds = limit.as_secs(),
                    "a cancelled task still runs on another replica"
                );
                break;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LAST_LOOK);
        }
        Ok(waited)
    }

    /// Does what other replicas ask to stop, for as long as it is polled.
    pub(super) async fn answer_stops(self: Arc<Self>) {
        loop {
            match self.answer_stops_once().await {
                Ok(true) => {}
                Ok(false) => self.notified(&self.stops, self.config.stop_poll).await,
                Err(error) => {
                    tracing::debug!(error = %error.chain(), "requests to stop could not be read");
                    tokio::time::sleep(self.config.stop_poll).await;
                }
            }
        }
    }

    /// Says whether some did not end yet.
    async fn answer_stops_once(&self) -> Result<bool> {
        let wanted = stops::wanted(&self.db, &self.leases.owner).await?;
        if wanted.is_empty() {
            return Ok(false);
        }
        let running = self.live.all(wanted.iter().copied());
        let all_ended = stop(&running, PATIENCE).await;
        let ended: Vec<_> = wanted
            .into_iter()
            .filter(|(tenant, task)| {
                let still = |entry: &&Entry| {
                    entry.fence.tenant == *tenant
                        && entry.fence.task == *task
                        && !entry.stopped.is_cancelled()
                };
                !running.iter().any(|entry| still(&entry))
            })
            .collect();
        self.db.retry(|| stops::done(&self.db, &ended)).await?;
        Ok(!all_ended)
    }
}

/// Ends these attempts, and says whether all have ended within the limit.
async fn stop(running: &[Entry], limit: Duration) -> bool {
    running.iter().for_each(|entry| entry.cancel.cancel());
    let all = join_all(running.iter().map(|entry| entry.stopped.cancelled()));
    tokio::time::timeout(limit, all).await.is_ok()
}
