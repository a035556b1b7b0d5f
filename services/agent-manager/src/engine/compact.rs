//! What grows and is of no more use is deleted: idempotency keys after a day, and, where that is
//! wanted, the events of trees that ended long ago. It walks through the tables in slices, each a
//! short transaction of its own, so nobody waits for it. Lease groups need none of this: they are
//! deleted when they are closed or taken over.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use swarm_errors::Result;
use swarm_runtime::CancellationToken;
use swarm_types::Timestamp;

use super::Engine;
use super::sweep::noted;
use crate::store::compact::{self, Cursor};

/// Between two slices where there was nothing to delete, in polls.
const POLLS: u32 = 10;
/// Between two slices where there was: others come first.
const BREATH: Duration = Duration::from_millis(20);

impl Engine {
    /// Deletes what is old until `soft` is cancelled.
    pub(super) async fn compact(self: &Arc<Self>, soft: &CancellationToken) {
        let (mut keys, mut tasks) = (Cursor::default(), Cursor::default());
        loop {
            let forgotten = noted("old keys", self.forget_keys(&mut keys).await);
            let cleared = noted("old events", self.clear_events(&mut tasks).await);
            let is_busy = forgotten.unwrap_or(0) + cleared.unwrap_or(0) > 0;
            let pause = if is_busy {
                BREATH
            } else {
                self.config.poll * POLLS
            };
            tokio::select! {
                biased;
                () = soft.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    async fn forget_keys(&self, cursor: &mut Cursor<String>) -> Result<usize> {
        compact::keys(&self.db, cursor, self.ago(self.config.key_age)).await
    }

    async fn clear_events(&self, cursor: &mut Cursor<uuid::Uuid>) -> Result<usize> {
        match self.config.event_retention {
            Some(age) => compact::events(&self.db, cursor, self.ago(age)).await,
            None => Ok(0),
        }
    }

    fn ago(&self, age: Duration) -> Timestamp {
        self.now() - TimeDelta::from_std(age).unwrap_or(TimeDelta::MAX)
    }
}
