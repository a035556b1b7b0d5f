//! Until when a call may take, its repeats included.

use std::time::Duration;

use swarm_errors::{Code, Error, Result};
use tokio::time::Instant;

/// A moment that does not move: each try of a call gets what is left until then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

impl Deadline {
    /// This long from now.
    #[must_use]
    pub fn after(limit: Duration) -> Self {
        Self(Instant::now() + limit)
    }

    /// As much later.
    #[must_use]
    pub fn later_by(self, more: Duration) -> Self {
        Self(self.0 + more)
    }

    /// How long it is until then.
    #[must_use]
    pub fn left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// What `work` gives, unless it takes longer.
    ///
    /// # Errors
    /// `deadline_exceeded`.
    pub async fn bound<T>(self, work: impl Future<Output = T>) -> Result<T> {
        tokio::time::timeout_at(self.0, work)
            .await
            .map_err(|_| Error::new(Code::DeadlineExceeded, "it took longer than it may"))
    }
}
