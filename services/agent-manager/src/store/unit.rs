//! One unit of work: what changes, and the events that say so, in one transaction.

use serde_json::Value;
use swarm_database::{Db, Tx};
use swarm_errors::{Error, Result};
use swarm_types::{TaskId, TenantId, Timestamp};

use super::events;
use crate::events::{EventRecord, NewEvent};
use crate::tasks::TaskRecord;

/// A transaction that gathers events. They are numbered for their tenants and inserted as its
/// last statements: numbers in the order of commits are what lets a reader follow a cursor.
#[derive(Debug)]
pub(crate) struct Unit {
    tx: Tx,
    events: Vec<EventRecord>,
    now: Timestamp,
}

/// What a unit has told, for those who wait in this process.
#[derive(Debug, Clone, Default)]
pub(crate) struct Committed {
    pub(crate) events: Vec<EventRecord>,
}

impl Unit {
    pub(crate) async fn begin(db: &Db, now: Timestamp) -> Result<Self> {
        Ok(Self {
            tx: db.begin().await?,
            events: Vec::new(),
            now,
        })
    }

    pub(crate) const fn tx(&mut self) -> &mut Tx {
        &mut self.tx
    }

    pub(crate) const fn now(&self) -> Timestamp {
        self.now
    }

    /// Adds an event whose number within its task was taken in this transaction.
    pub(crate) fn event(
        &mut self,
        tenant: TenantId,
        task: TaskId,
        root: TaskId,
        seq: i64,
        event: NewEvent,
    ) {
        let NewEvent { kind, data } = event;
        self.events.push(EventRecord {
            tenant,
            task,
            root,
            seq,
            tenant_seq: 0,
            kind,
            data,
            at: self.now,
        });
    }

    /// Adds the event of a task's newest number.
    pub(crate) fn event_of(&mut self, task: &TaskRecord, kind: &str, data: Value) {
        self.event(
            task.tenant,
            task.id,
            task.root,
            task.last_seq,
            NewEvent::new(kind, data),
        );
    }

    /// Numbers and inserts the events. From here to the commit the tenants' counters are held.
    pub(crate) async fn number(&mut self) -> Result<()> {
        let mut events: Vec<EventRecord> = self
            .events
            .iter()
            .filter(|event| event.tenant_seq == 0)
            .cloned()
            .collect();
        // All transactions take the counters in the same order. The sort is stable: within a
        // tenant events stay as they were added.
        events.sort_by_key(|event| event.tenant);
        let counts: Vec<(TenantId, i64)> = events
            .chunk_by(|one, next| one.tenant == next.tenant)
            .map(|group| {
                (
                    group[0].tenant,
                    i64::try_from(group.len()).unwrap_or(i64::MAX),
                )
            })
            .collect();
        let last = events::take_numbers(&mut self.tx, &counts).await?;
        for group in events.chunk_by_mut(|one, next| one.tenant == next.tenant) {
            let last = last.get(&group[0].tenant.uuid()).copied();
            let last = last.ok_or_else(|| Error::internal("a tenant has no counter"))?;
            for (number, event) in (1..=last).rev().zip(group.iter_mut().rev()) {
                event.tenant_seq = number;
            }
        }
        events::insert(&mut self.tx, &events).await?;
        self.events = events;
        Ok(())
    }

    /// Commits what [`Self::number`] has finished.
    pub(crate) async fn commit_numbered(self) -> Result<Committed> {
        self.tx.commit().await?;
        Ok(Committed {
            events: self.events,
        })
    }

    pub(crate) async fn commit(mut self) -> Result<Committed> {
        self.number().await?;
        self.commit_numbered().await
    }

    pub(crate) async fn rollback(self) -> Result<()> {
        self.tx.rollback().await
    }
}

#[cfg(test)]
#[path = "unit_test.rs"]
mod tests;
