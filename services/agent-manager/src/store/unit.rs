//! One unit of work: what changes, and the events that say so, in one transaction.

use serde_json::Value;
use swarm_database::{Db, Tx};
use swarm_errors::{Error, Result};
use swarm_types::{TaskId, TenantId, Timestamp};

use super::changes::Line;
use super::events;
use crate::events::NewEvent;
use crate::tasks::TaskRecord;

/// A transaction that gathers events. They are numbered for their tenants and inserted as its
/// last statements: numbers in the order of commits are what lets a reader follow a cursor.
#[derive(Debug)]
pub(crate) struct Unit {
    tx: Tx,
    events: Vec<events::New>,
    numbered: Vec<events::New>,
    refused: Option<Error>,
    now: Timestamp,
}

/// What a unit has told, for those who wait in this process.
#[derive(Debug, Clone, Default)]
pub(crate) struct Committed {
    pub(crate) events: Vec<events::New>,
}

impl Unit {
    pub(crate) async fn begin(db: &Db, now: Timestamp) -> Result<Self> {
        Ok(Self {
            tx: db.begin().await?,
            events: Vec::new(),
            numbered: Vec::new(),
            refused: None,
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
        match Line::of(event) {
            Ok(line) => self.add(events::New {
                tenant,
                task,
                root,
                seq,
                lines: vec![line],
            }),
            // It fails when all is written.
            Err(error) => drop(self.refused.get_or_insert(error)),
        }
    }

    /// Adds an event that is written out already, by its number within its task.
    pub(crate) fn line(&mut self, task: &TaskRecord, seq: i64, line: Line) {
        self.add(events::New {
            tenant: task.tenant,
            task: task.id,
            root: task.root,
            seq,
            lines: vec![line],
        });
    }

    /// What follows at once on what was told of the same task goes with it.
    fn add(&mut self, new: events::New) {
        match self.events.last_mut() {
            Some(last) if last.task == new.task && last.seq + 1 == new.seq => {
                last.seq = new.seq;
                last.lines.extend(new.lines);
            }
            _ => self.events.push(new),
        }
    }

    /// The same under the task's newest number.
    pub(crate) fn line_of(&mut self, task: &TaskRecord, line: Line) {
        self.line(task, task.last_seq, line);
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
        if let Some(error) = self.refused.take() {
            return Err(error);
        }
        let new = std::mem::take(&mut self.events);
        events::append(&mut self.tx, &new, self.now).await?;
        self.numbered.extend(new);
        Ok(())
    }

    /// Commits what [`Self::number`] has finished.
    pub(crate) async fn commit_numbered(self) -> Result<Committed> {
        self.tx.commit().await?;
        Ok(Committed {
            events: self.numbered,
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
