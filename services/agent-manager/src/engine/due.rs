//! Delayed starts and retries begin in time, not a poll later.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use swarm_errors::Result;
use swarm_runtime::CancellationToken;
use swarm_types::Timestamp;
use tokio::sync::Notify;

use super::Engine;
use crate::store::tasks;

/// Moments are kept to this much.
const FINEST: Duration = Duration::from_millis(1);
/// Polls between two looks at dependencies whose ends were not followed up: the safety net.
const NET_POLLS: u32 = 10;
/// Moments that are remembered; what is further away is found again in the store.
const REMEMBERED: usize = 1_024;

/// Moments at which queued tasks may be taken, the next ones first.
#[derive(Debug, Default)]
pub(super) struct Due {
    moments: Mutex<BTreeSet<Timestamp>>,
    changed: Notify,
}

impl Due {
    /// A task was queued for a moment.
    pub(super) fn expect(&self, moment: Option<Timestamp>) {
        let Some(moment) = moment else { return };
        let mut moments = self.lock();
        moments.insert(moment);
        if moments.len() > REMEMBERED {
            moments.pop_last();
        }
        if moments.first() == Some(&moment) {
            self.changed.notify_one();
        }
    }

    /// Forgets what has come, and says whether there was any.
    fn take_due(&self, now: Timestamp) -> bool {
        let mut moments = self.lock();
        let before = moments.len();
        moments.retain(|moment| *moment > now);
        moments.len() < before
    }

    fn next(&self) -> Option<Timestamp> {
        self.lock().first().copied()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<Timestamp>> {
        self.moments.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine {
    /// Wakes the scheduler whenever a queued task may be taken, until `soft` is cancelled. What
    /// other replicas, or a former life, have queued is looked up once a poll.
    pub(super) async fn wake_when_due(self: &Arc<Self>, soft: &CancellationToken) {
        let mut looked_up = None;
        let mut polls: u32 = 0;
        loop {
            let now = self.now();
            if self.due.take_due(now) {
                self.hub.is_due();
                self.work.notify_one();
            }
            let poll = self.config.poll;
            if looked_up.is_none_or(|at: tokio::time::Instant| at.elapsed() >= poll) {
                looked_up = Some(tokio::time::Instant::now());
                if let Err(error) = self.look_up(polls.is_multiple_of(NET_POLLS)).await {
                    tracing::debug!(error = %error.chain(), "delayed tasks could not be looked up");
                }
                polls = polls.wrapping_add(1);
            }
            let pause = self
                .due
                .next()
                .and_then(|next| (next - self.now()).to_std().ok())
                .unwrap_or(poll)
                .clamp(FINEST, poll);
            tokio::select! {
                biased;
                () = soft.cancelled() => return,
                () = self.due.changed.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }
}

impl Engine {
    /// Looks for what nobody here has been told of; `all` looks for abandoned dependencies, too.
    async fn look_up(self: &Arc<Self>, all: bool) -> Result<()> {
        self.due
            .expect(tasks::next_due(&self.db, self.now()).await?);
        self.end_overdue_dependents().await?;
        if all {
            self.settle_abandoned().await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    #[test]
    fn the_next_moment_comes_first_and_only_once() {
        let due = Due::default();
        assert!(!due.take_due(at(9)));
        for moment in [at(5), at(3), at(5)] {
            due.expect(Some(moment));
        }
        due.expect(None);
        assert_eq!(due.next(), Some(at(3)));
        assert!(due.take_due(at(4)));
        assert!(!due.take_due(at(4)));
        assert_eq!(due.next(), Some(at(5)));
    }

    #[test]
    fn what_is_remembered_is_bounded_and_the_nearest_stays() {
        let due = Due::default();
        for second in (0..2_000).rev() {
            due.expect(Some(at(second)));
        }
        assert_eq!((due.next(), due.lock().len()), (Some(at(0)), REMEMBERED));
    }
}
