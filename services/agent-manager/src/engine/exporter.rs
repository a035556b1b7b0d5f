//! Gauges of what all replicas share are shown by one of them, so that they add up to the truth.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use swarm_errors::Result;
use swarm_runtime::CancellationToken;
use swarm_types::{Priority, Timestamp};

use super::Engine;
use crate::store::{agents, elections, leases, stops, tasks};

const OFFICE: &str = "exporter";
/// Measuring takes at most one part in so many of the time.
const SHARE: u32 = 50;

impl Engine {
    /// Measures while this replica is the elected one, until `soft` is cancelled.
    pub(super) async fn export(self: &Arc<Self>, soft: &CancellationToken) {
        let mut elected_until = None;
        loop {
            let pause = match self.export_once(&mut elected_until).await {
                Ok(took) => self.config.poll.max(took * SHARE),
                Err(error) => {
                    tracing::warn!(error = %error.chain(), "gauges could not be measured");
                    self.config.poll
                }
            };
            // With nothing that is still true to show, it shows nothing.
            if elected_until.is_none_or(|until| until <= self.now()) {
                self.metrics.hide_shared();
            }
            tokio::select! {
                biased;
                () = soft.cancelled() => break,
                () = tokio::time::sleep(pause) => {}
            }
        }
        self.metrics.hide_shared();
        if elected_until.is_some()
            && let Err(error) = elections::resign(&self.db, OFFICE, &self.leases.owner).await
        {
            tracing::debug!(error = %error.chain(), "the exporter's office ends by its time");
        }
    }

    /// Says how long the measuring took.
    async fn export_once(&self, elected_until: &mut Option<Timestamp>) -> Result<Duration> {
        let now = self.now();
        let replicas = leases::replicas(&self.db, now).await?;
        self.replicas.store(replicas, Ordering::Relaxed);
        let term = TimeDelta::from_std(self.config.lease).unwrap_or_default();
        // One write in a third of a term, not one in each round.
        if elected_until.is_none_or(|until| until - now <= term * 2 / 3) {
            let until = now + term;
            let owner = &self.leases.owner;
            let elected = elections::stand(&self.db, OFFICE, owner, until, now).await?;
            *elected_until = elected.then_some(until);
        }
        if elected_until.is_none() {
            return Ok(Duration::ZERO);
        }
        let begun = Instant::now();
        self.measure().await?;
        stops::forget(&self.db).await?;
        Ok(begun.elapsed())
    }

    async fn measure(&self) -> Result<()> {
        let lengths = tasks::queue_lengths(&self.db).await?;
        for priority in Priority::ALL {
            let length = lengths
                .iter()
                .find(|(rank, _)| *rank == priority.rank())
                .map_or(0, |(_, length)| *length);
            self.metrics.queue_length(priority, length);
        }
        self.metrics.active_agents(&agents::active(&self.db).await?);
        Ok(())
    }
}
