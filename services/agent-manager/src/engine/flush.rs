//! One transaction of the commit lane.

use std::sync::Arc;

use swarm_database::Session;
use swarm_errors::Result;

use super::Engine;
use crate::events::Wake;
use crate::journal::StepState;
use crate::store::changes::{self, Change, Entry, Told};
use crate::store::steps;
use crate::store::tasks::{self, Fence};

impl Engine {
    /// Writes changes of different trees in one transaction, and wakes those who wait for them.
    pub(super) async fn flush(
        &self,
        session: &mut Session,
        changes: &[Arc<Change>],
    ) -> Result<Vec<Told>> {
        let told = changes::write(session, &self.leases.owner, changes, self.now()).await?;
        for (change, told) in changes.iter().zip(&told) {
            if let (Told::Committed { .. }, Some(last)) = (told, change.lines().last()) {
                let fence = change.fence;
                let wake = Wake::of(fence.tenant, change.root, fence.task, &last.kind);
                self.hub.committed(&wake);
            }
        }
        Ok(told)
    }

    /// Writes a change of which parts may be written already: those are left away.
    pub(super) async fn settle(&self, session: &mut Session, change: &Arc<Change>) -> Result<Told> {
        let (tenant, task) = (change.fence.tenant, change.fence.task);
        if change.is_birth()
            && let Some(born) = tasks::find(&self.db, tenant, task).await?
        {
            // What came with the birth is written as well.
            let last_seq = born.last_seq;
            return Ok(Told::Committed { last_seq });
        }
        let rest = self.unwritten(change).await?;
        if rest.is_empty() {
            return Ok(Told::Committed { last_seq: 0 });
        }
        let told = self.flush(session, &[Arc::new(rest)]).await?;
        Ok(told.first().copied().unwrap_or(Told::Refused))
    }

    /// What of a change is not in the store.
    async fn unwritten(&self, change: &Change) -> Result<Change> {
        let mut rest = change.clone();
        rest.journal = Vec::new();
        for entry in &change.journal {
            if !self.is_written(change.fence, entry).await? {
                rest.journal.push(entry.clone());
            }
        }
        Ok(rest)
    }

    async fn is_written(&self, fence: Fence, entry: &Entry) -> Result<bool> {
        let key = match entry {
            Entry::Started(start) => &start.key,
            Entry::Ended(end) => &end.key,
        };
        let found = steps::find(&self.db, fence.tenant, fence.task, key).await?;
        Ok(found.is_some_and(|found| match entry {
            Entry::Started(start) => found.epoch == fence.epoch && found.attempt >= start.attempt,
            Entry::Ended(end) => {
                found.attempt > end.attempt
                    || found.attempt == end.attempt && found.state != StepState::Started
            }
        }))
    }
}
