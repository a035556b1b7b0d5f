//! Root tasks that are tied to others, or to a moment, are accepted.

use std::collections::{BTreeMap, HashMap};

use swarm_errors::{Error, Result};
use swarm_types::{TaskId, TenantId};

use super::Engine;
use super::submit::submitted_event;
use crate::store::Unit;
use crate::store::tasks::{self, Dependency, Insert, Predecessor};
use crate::tasks::{DependencyState, TaskRecord, TaskState, WaitingReason};

/// A root task that is about to be inserted.
#[derive(Debug, Clone)]
pub(super) struct Entrant {
    pub(super) record: TaskRecord,
    /// What its predecessors are called, in the order of the spec's `depends_on`; empty for their ids.
    pub(super) names: Vec<String>,
    /// Where it stands in the request, such as `tasks[3]`; empty for a request of one task.
    pub(super) path: String,
}

impl Entrant {
    fn refused(&self, place: usize, message: String) -> Error {
        let error = Error::invalid(format!("depends_on[{place}]"), message);
        if self.path.is_empty() {
            error
        } else {
            error.within(&self.path)
        }
    }
}

impl Engine {
    /// Inserts tasks of one tenant with what ties them, and tells of it. They wait for their
    /// predecessors, or are queued from their moment on.
    pub(super) async fn accept(
        &self,
        unit: &mut Unit,
        tenant: TenantId,
        entrants: Vec<Entrant>,
    ) -> Result<Vec<TaskRecord>> {
        let known = lock(unit, tenant, &entrants).await?;
        let inside: HashMap<TaskId, usize> = entrants
            .iter()
            .enumerate()
            .map(|(place, entrant)| (entrant.record.id, place))
            .collect();
        let mut ties = Vec::new();
        let mut waiting_for = vec![0; entrants.len()];
        let mut dependents = vec![0; entrants.len()];
        for (at, entrant) in entrants.iter().enumerate() {
            for (place, id) in entrant.record.spec.depends_on.iter().enumerate() {
                let state = match inside.get(id) {
                    Some(item) => {
                        dependents[*item] += 1;
                        DependencyState::Open
                    }
                    None => entrant.state_of(place, known.get(id))?,
                };
                waiting_for[at] += usize::from(state == DependencyState::Open);
                ties.push(Dependency {
                    predecessor: *id,
                    dependent: entrant.record.id,
                    place,
                    name: entrant.names.get(place).cloned().unwrap_or_default(),
                    state,
                });
            }
        }
        let records: Vec<TaskRecord> = entrants
            .into_iter()
            .zip(&waiting_for)
            .map(|(entrant, open)| placed(entrant.record, *open))
            .collect();
        let inserts: Vec<Insert> = records
            .iter()
            .map(|record| Insert {
                record: record.clone(),
                lease: None,
                step_count: 0,
            })
            .collect();
        tasks::insert(unit.tx(), &inserts).await?;
        let tied: Vec<_> = records
            .iter()
            .zip(waiting_for.iter().zip(&dependents))
            .filter(|(_, (open, after))| **open + **after > 0)
            .map(|(record, (open, after))| (record.id, *open, *after))
            .collect();
        tasks::arrange(unit.tx(), tenant, &tied).await?;
        tasks::depend(unit.tx(), tenant, &ties).await?;
        for task in &records {
            unit.event(tenant, task.id, task.root, 1, submitted_event(task));
        }
        Ok(records)
    }
}

/// As it is stored: waiting for others, or queued from its moment on.
fn placed(mut record: TaskRecord, open: usize) -> TaskRecord {
    if open > 0 {
        record.state = TaskState::Waiting;
        record.waiting_reason = Some(WaitingReason::Dependency);
        record.open_dependencies = u32::try_from(open).unwrap_or(u32::MAX);
    } else {
        let not_before = record.spec.not_before.unwrap_or(record.created_at);
        record.ready_at = Some(not_before.max(record.created_at));
    }
    record
}

impl Entrant {
    fn state_of(&self, place: usize, found: Option<&Predecessor>) -> Result<DependencyState> {
        let id = self.record.spec.depends_on[place];
        let Some(found) = found else {
            return Err(self.refused(place, format!("there is no task {id}")));
        };
        if !found.is_root {
            return Err(self.refused(place, format!("{id} is a sub-task: name its root")));
        }
        match DependencyState::from(found.state) {
            DependencyState::Lost => {
                Err(self.refused(place, format!("{id} is {} already", found.state)))
            }
            state => Ok(state),
        }
    }
}

/// Locks the predecessors that are there already, in the order of their ids.
async fn lock(
    unit: &mut Unit,
    tenant: TenantId,
    entrants: &[Entrant],
) -> Result<HashMap<TaskId, Predecessor>> {
    let mut counts: BTreeMap<TaskId, usize> = BTreeMap::new();
    for entrant in entrants {
        for id in &entrant.record.spec.depends_on {
            *counts.entry(*id).or_default() += 1;
        }
    }
    for entrant in entrants {
        counts.remove(&entrant.record.id);
    }
    let counts: Vec<_> = counts.into_iter().collect();
    let found = tasks::lock_predecessors(unit.tx(), tenant, &counts).await?;
    Ok(found.into_iter().map(|one| (one.id, one)).collect())
}
