//! How long a tenant's queue is, about: counted now and then, added to in between.
//!
//! Between two counts the estimate misses what other replicas have queued and what has left the
//! queue. So a tenant may exceed its limit by what the other replicas take in within one count's
//! life, and may be refused for that long after its queue has emptied.

use std::collections::HashMap;
use std::time::Duration;

use swarm_types::{TenantId, Timestamp};

/// A count serves for at least so long.
const FRESH: Duration = Duration::from_secs(1);
/// Counting takes at most one part in so many of the time.
const SHARE: u32 = 50;
/// Tenants that are remembered before those without a fresh count are forgotten.
const MOST: usize = 1024;

#[derive(Debug, Clone, Copy)]
struct Entry {
    counted: u64,
    added: u64,
    until: Timestamp,
}

/// What is known of the tenants' queues.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    tenants: HashMap<TenantId, Entry>,
}

/// What becomes of tasks that would have to queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// They may.
    Admitted,
    /// They would exceed the limit; it makes sense to ask again after this.
    Full(Duration),
    /// Nothing fresh is known: count first.
    Count,
}

impl Backlog {
    /// Asks for `tasks` more in the tenant's queue, and takes them into account if there is room.
    pub(crate) fn admit(
        &mut self,
        tenant: TenantId,
        tasks: u64,
        limit: u64,
        now: Timestamp,
    ) -> Verdict {
        let verdict = self.ask(tenant, tasks, limit, now);
        if verdict == Verdict::Admitted {
            self.added(tenant, tasks);
        }
        verdict
    }

    /// Tasks were queued that nobody has asked for.
    pub(crate) fn added(&mut self, tenant: TenantId, tasks: u64) {
        if let Some(entry) = self.tenants.get_mut(&tenant) {
            entry.added += tasks;
        }
    }

    /// Whether there is room for `tasks` more in the tenant's queue.
    pub(crate) fn ask(
        &mut self,
        tenant: TenantId,
        tasks: u64,
        limit: u64,
        now: Timestamp,
    ) -> Verdict {
        let Some(entry) = self.tenants.get_mut(&tenant) else {
            return Verdict::Count;
        };
        if entry.until <= now {
            // One counts; meanwhile the others go on with what is known.
            entry.until = now + FRESH;
            return Verdict::Count;
        }
        if entry.counted + entry.added + tasks > limit {
            let wait = (entry.until - now).to_std().unwrap_or(FRESH);
            return Verdict::Full(wait.max(FRESH));
        }
        Verdict::Admitted
    }

    /// Takes in a count, and how long it took.
    pub(crate) fn counted(
        &mut self,
        tenant: TenantId,
        length: u64,
        took: Duration,
        now: Timestamp,
    ) {
        if self.tenants.len() >= MOST {
            self.tenants.retain(|_, entry| entry.until > now);
        }
        let entry = Entry {
            counted: length,
            added: 0,
            until: now + FRESH.max(took * SHARE),
        };
        self.tenants.insert(tenant, entry);
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::*;

    fn at(milliseconds: i64) -> Timestamp {
        DateTime::UNIX_EPOCH + TimeDelta::milliseconds(milliseconds)
    }

    #[test]
    fn it_counts_once_and_adds_until_the_limit() {
        let (mut backlog, tenant) = (Backlog::default(), TenantId::new());
        assert_eq!(backlog.admit(tenant, 1, 10, at(0)), Verdict::Count);
        backlog.counted(tenant, 7, Duration::ZERO, at(0));
        assert_eq!(backlog.admit(tenant, 4, 10, at(1)), Verdict::Full(FRESH));
        for _ in 0..3 {
            assert_eq!(backlog.admit(tenant, 1, 10, at(2)), Verdict::Admitted);
        }
        assert_eq!(backlog.admit(tenant, 1, 10, at(3)), Verdict::Full(FRESH));
        let other = TenantId::new();
        assert_eq!(backlog.admit(other, 1, 10, at(3)), Verdict::Count);
    }

    #[test]
    fn who_only_asks_takes_no_room() {
        let (mut backlog, tenant) = (Backlog::default(), TenantId::new());
        backlog.counted(tenant, 9, Duration::ZERO, at(0));
        for _ in 0..3 {
            assert_eq!(backlog.ask(tenant, 1, 10, at(1)), Verdict::Admitted);
        }
        backlog.added(tenant, 1);
        assert_eq!(backlog.ask(tenant, 1, 10, at(1)), Verdict::Full(FRESH));
    }

    #[test]
    fn a_stale_count_is_renewed_by_one_alone() {
        let (mut backlog, tenant) = (Backlog::default(), TenantId::new());
        backlog.counted(tenant, 3, Duration::ZERO, at(0));
        assert_eq!(backlog.admit(tenant, 1, 10, at(1_000)), Verdict::Count);
        assert_eq!(backlog.admit(tenant, 1, 10, at(1_000)), Verdict::Admitted);
        backlog.counted(tenant, 10, Duration::ZERO, at(1_001));
        assert_eq!(
            backlog.admit(tenant, 1, 10, at(1_002)),
            Verdict::Full(FRESH)
        );
    }

    #[test]
    fn a_slow_count_serves_for_longer() {
        let (mut backlog, tenant) = (Backlog::default(), TenantId::new());
        backlog.counted(tenant, 10, Duration::from_millis(100), at(0));
        let wait = Duration::from_millis(3_000);
        assert_eq!(backlog.admit(tenant, 1, 10, at(2_000)), Verdict::Full(wait));
        assert_eq!(backlog.admit(tenant, 1, 10, at(5_000)), Verdict::Count);
    }

    #[test]
    fn tenants_without_a_fresh_count_are_forgotten() {
        let mut backlog = Backlog::default();
        for _ in 0..MOST {
            backlog.counted(TenantId::new(), 0, Duration::ZERO, at(0));
        }
        backlog.counted(TenantId::new(), 0, Duration::ZERO, at(2_000));
        assert_eq!(backlog.tenants.len(), 1);
    }
}
