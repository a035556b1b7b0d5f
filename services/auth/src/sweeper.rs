//! Forgets what has expired.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use swarm_errors::Result;
use swarm_runtime::CancellationToken;
use swarm_types::Clock;

use crate::store::Store;

const EVERY: Duration = Duration::from_secs(3600);
/// How long a repeat of a request finds what the first one made.
const REQUEST_HOURS: i64 = 24;

/// A named task that deletes expired sessions and old request keys.
#[derive(Debug)]
pub(crate) struct Sweeper {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Sweeper {
    pub(crate) async fn run(self, soft: CancellationToken) -> Result<()> {
        loop {
            tokio::select! {
                () = soft.cancelled() => return Ok(()),
                () = tokio::time::sleep(EVERY) => {}
            }
            // What was not forgotten now is forgotten an hour later.
            if let Err(error) = self.sweep().await {
                tracing::warn!(error = error.chain(), "expired sessions were not deleted");
            }
        }
    }

    async fn sweep(&self) -> Result<()> {
        let now = self.clock.now();
        let sessions = self.store.forget_sessions(now).await?;
        let requests = self
            .store
            .forget_requests(now - TimeDelta::hours(REQUEST_HOURS))
            .await?;
        tracing::debug!(sessions, requests, "expired rows deleted");
        Ok(())
    }
}
