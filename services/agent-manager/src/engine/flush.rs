//! One transaction of the commit lane.

use std::sync::Arc;

use swarm_database::Session;
use swarm_errors::Result;

use super::Engine;
use crate::events::Wake;
use crate::journal::StepState;
use crate::store::changes::{self, Change, Told};
use crate::store::{steps, tasks};

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
        let rest = self.unwritten(change).await?;
        if rest.is_empty() {
            return Ok(Told::Committed { last_seq: 0 });
        }
        let told = self.flush(session, &[Arc::new(rest)]).await?;
        Ok(told.first().copied().unwrap_or(Told::Refused))
    }

    /// What of a change is not in the store.
    async fn unwritten(&self, change: &Change) -> Result<Change> {
        let (tenant, task) = (change.fence.tenant, change.fence.task);
        let mut rest = change.clone();
        if rest.birth.is_some() && tasks::find(&self.db, tenant, task).await?.is_some() {
            rest.birth = None;
        }
        let mut ended = Vec::new();
        for end in rest.ended {
            let entry = steps::find(&self.db, tenant, task, &end.key).await?;
            let is_open = entry.is_none_or(|entry| {
                entry.state == StepState::Started && entry.attempt == end.attempt
            });
            if is_open {
                ended.push(end);
            }
        }
        rest.ended = ended;
        if let Some(start) = &rest.started
            && let Some(entry) = steps::find(&self.db, tenant, task, &start.key).await?
            && entry.epoch == change.fence.epoch
            && entry.attempt == start.attempt
        {
            rest.started = None;
        }
        Ok(rest)
    }
}
