//! Leases: who may work on what, and until when.
//!
//! A replica puts the tasks that it takes into its newest lease group and renews all its groups
//! in one statement. Every few seconds it opens a new group, so that old ones empty and are closed.
//!
//! While the database is away no task is taken, and what runs goes on: its writes wait, and when the
//! database is back the epochs say whether somebody else has taken it over meanwhile.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use swarm_errors::{Code, Error, Result};
use swarm_types::Timestamp;
use uuid::Uuid;

use super::Engine;
use super::sight::Sight;
use crate::store::leases::{self, Owner};

/// A group gets new tasks for this many lease times.
const GENERATION: i32 = 2;
/// Heartbeats per lease time.
const BEATS: u32 = 4;
/// Of its time a lease lasts so many tenths without a heartbeat; the last one is for the take-over.
const TENTHS: u32 = 9;

/// This replica's lease groups.
#[derive(Debug)]
pub(super) struct Leases {
    pub(super) owner: Owner,
    ttl: Duration,
    groups: Mutex<Groups>,
    sight: Mutex<Sight>,
}

#[derive(Debug, Default)]
struct Groups {
    current: Option<Uuid>,
    known: HashMap<Uuid, Group>,
}

#[derive(Debug)]
struct Group {
    opened: Timestamp,
    expires: Timestamp,
    tickets: usize,
}

/// The right to put one task into a group. While it lives the group is not closed.
#[derive(Debug)]
pub(super) struct Ticket {
    pub(super) group: Uuid,
    leases: Arc<Leases>,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if let Some(group) = self.leases.lock().known.get_mut(&self.group) {
            group.tickets = group.tickets.saturating_sub(1);
        }
    }
}

impl Leases {
    /// Leases by which a lost replica's tasks are taken over within `within`.
    pub(super) fn new(owner: Owner, within: Duration) -> Self {
        Self {
            owner,
            ttl: within / 10 * TENTHS,
            groups: Mutex::default(),
            sight: Mutex::new(Sight::new(within / BEATS, Instant::now())),
        }
    }

    /// Whether other replicas whose leases have expired are lost.
    pub(super) fn judges(&self) -> bool {
        self.sight().judges(Instant::now())
    }

    fn sight(&self) -> MutexGuard<'_, Sight> {
        self.sight.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A ticket of the newest group, while that has not expired.
    pub(super) fn ticket(self: &Arc<Self>, now: Timestamp) -> Option<Ticket> {
        let mut groups = self.lock();
        let current = groups.current?;
        let group = groups
            .known
            .get_mut(&current)
            .filter(|group| group.expires > now)?;
        group.tickets += 1;
        Some(Ticket {
            group: current,
            leases: self.clone(),
        })
    }

    fn expiry(&self, now: Timestamp) -> Timestamp {
        now + TimeDelta::from_std(self.ttl).unwrap_or(TimeDelta::MAX)
    }

    fn is_due_for_a_new_group(&self, now: Timestamp) -> bool {
        let groups = self.lock();
        let age = TimeDelta::from_std(self.ttl).unwrap_or(TimeDelta::MAX) * GENERATION;
        groups
            .current
            .and_then(|current| groups.known.get(&current))
            .is_none_or(|group| group.tickets > 0 && now - group.opened >= age)
    }

    fn opened(&self, group: Uuid, now: Timestamp) {
        let mut groups = self.lock();
        groups.current = Some(group);
        groups.known.insert(
            group,
            Group {
                opened: now,
                expires: self.expiry(now),
                tickets: 0,
            },
        );
    }

    /// Takes in which groups were renewed, and returns those that are lost.
    fn renewed(&self, ours: &[Uuid], expires: Timestamp) -> Vec<Uuid> {
        self.lose(|id, group| {
            let kept = ours.contains(id);
            if kept {
                group.expires = expires;
            }
            !kept
        })
    }

    fn lose(&self, mut is_lost: impl FnMut(&Uuid, &mut Group) -> bool) -> Vec<Uuid> {
        let mut groups = self.lock();
        let lost: Vec<Uuid> = groups
            .known
            .iter_mut()
            .filter_map(|(id, group)| is_lost(id, group).then_some(*id))
            .collect();
        for id in &lost {
            groups.known.remove(id);
            if groups.current == Some(*id) {
                groups.current = None;
            }
        }
        lost
    }

    /// Old groups without a task.
    fn take_empty(&self) -> Vec<Uuid> {
        let current = self.lock().current;
        self.lose(|id, group| Some(*id) != current && group.tickets == 0)
    }

    fn lock(&self) -> MutexGuard<'_, Groups> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine {
    pub(super) async fn open_lease(&self) -> Result<()> {
        let (group, now) = (Uuid::now_v7(), self.now());
        let (owner, expires) = (&self.leases.owner, self.leases.expiry(now));
        if !leases::open(&self.db, group, owner, expires, now).await? {
            let words = format!("a newer process works under the name {:?}", owner.replica);
            return Err(Error::new(Code::FailedPrecondition, words));
        }
        self.leases.opened(group, now);
        self.leases.sight().beaten(Instant::now());
        Ok(())
    }

    /// Renews the leases for as long as it is polled.
    pub(super) async fn heartbeat(self: Arc<Self>) {
        loop {
            tokio::time::sleep(self.config.lease / BEATS).await;
            if let Err(error) = self.beat().await {
                tracing::warn!(error = %error.chain(), "leases could not be renewed");
            }
        }
    }

    async fn beat(&self) -> Result<()> {
        let expires = self.leases.expiry(self.now());
        let ours = leases::renew(&self.db, &self.leases.owner, expires).await?;
        self.leases.sight().beaten(Instant::now());
        self.give_up(&self.leases.renewed(&ours, expires));
        if self.leases.is_due_for_a_new_group(self.now()) && self.takes_work() {
            self.open_lease().await?;
            self.work.notify_one();
        }
        for group in self.leases.take_empty() {
            leases::close(&self.db, group, &self.leases.owner).await?;
        }
        Ok(())
    }

    fn give_up(&self, groups: &[Uuid]) {
        if !groups.is_empty() {
            tracing::warn!(groups = groups.len(), "leases lost: their tasks stop here");
            self.live.cancel_groups(groups);
        }
    }

    /// At the end of a clean stop nothing is held any more.
    pub(super) async fn close_leases(&self) {
        for group in self.leases.lose(|_, group| group.tickets == 0) {
            if let Err(error) = leases::close(&self.db, group, &self.leases.owner).await {
                tracing::warn!(error = %error.chain(), "a lease could not be closed and will expire");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use chrono::DateTime;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    fn leases() -> Arc<Leases> {
        let owner = Owner {
            replica: "one".into(),
            incarnation: Uuid::now_v7(),
        };
        Arc::new(Leases::new(owner, Duration::from_secs(5)))
    }

    #[test]
    fn an_expired_group_takes_no_task() {
        let leases = leases();
        assert!(leases.ticket(at(0)).is_none());
        leases.opened(Uuid::now_v7(), at(0));
        assert!(leases.ticket(at(4)).is_some());
        assert!(
            leases.ticket(at(5)).is_none(),
            "a tenth before five seconds are over"
        );
    }

    #[test]
    fn a_group_with_a_task_is_kept_and_followed_by_a_new_one() {
        let leases = leases();
        let (first, second) = (Uuid::now_v7(), Uuid::now_v7());
        leases.opened(first, at(0));
        assert!(
            !leases.is_due_for_a_new_group(at(60)),
            "an empty one goes on"
        );
        let ticket = leases.ticket(at(1)).unwrap();
        assert!(!leases.is_due_for_a_new_group(at(8)));
        assert!(leases.is_due_for_a_new_group(at(10)));
        leases.opened(second, at(10));
        assert!(leases.take_empty().is_empty());
        drop(ticket);
        assert_eq!(leases.take_empty(), [first]);
        assert!(leases.take_empty().is_empty(), "the newest stays");
    }

    #[test]
    fn what_was_not_renewed_is_lost() {
        let leases = leases();
        let (first, second) = (Uuid::now_v7(), Uuid::now_v7());
        leases.opened(first, at(0));
        leases.opened(second, at(0));
        assert_eq!(leases.renewed(&[second], at(9)), [first]);
        assert!(leases.ticket(at(8)).is_some());
        assert!(
            leases.ticket(at(9)).is_none(),
            "expired, and no task is put into it"
        );
    }
}
