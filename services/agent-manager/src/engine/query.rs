//! Looking at tasks: one, many, their journal, their tree, their events.

use std::collections::HashMap;

use futures::Stream;
use swarm_errors::{Error, Result};
use swarm_types::{Page, TaskId, TenantId};

use super::Engine;
use crate::events::{EventRecord, Scope, Watched, watch};
use crate::journal::StepRecord;
use crate::store::tasks::Filter;
use crate::store::{events, steps, tasks};
use crate::tasks::{TaskRecord, TaskState};

/// A task with its journal and all below it.
#[derive(Debug, Clone)]
pub struct TaskTree {
    /// The task.
    pub task: TaskRecord,
    /// Its journal, in the order of first starts.
    pub steps: Vec<StepRecord>,
    /// Its sub-tasks, as they were made.
    pub children: Vec<TaskTree>,
}

impl Engine {
    /// A task.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn task(&self, tenant: TenantId, id: TaskId) -> Result<TaskRecord> {
        tasks::get(&self.db, tenant, id).await
    }

    /// Root tasks, or the sub-tasks of one task, the newest first.
    ///
    /// # Errors
    /// `not_found` when there is no such parent.
    pub async fn list_tasks(
        &self,
        tenant: TenantId,
        state: Option<TaskState>,
        parent: Option<TaskId>,
        before: Option<TaskId>,
        limit: u32,
    ) -> Result<Page<TaskRecord>> {
        let parent = match parent {
            Some(id) => Some((self.root_of(tenant, id).await?, id)),
            None => None,
        };
        let filter = Filter {
            state,
            parent,
            before,
        };
        let rows = tasks::list(&self.db, tenant, filter, i64::from(limit) + 1).await?;
        Ok(Page::cut(rows, limit, |task| task.id.to_string()))
    }

    async fn root_of(&self, tenant: TenantId, id: TaskId) -> Result<TaskId> {
        let place = tasks::place(&self.db, tenant, id).await?;
        Ok(place.ok_or_else(|| Error::not_found("task", id))?.0)
    }

    /// Entries of a task's journal after a position.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn steps(
        &self,
        tenant: TenantId,
        task: TaskId,
        after: Option<u32>,
        limit: u32,
    ) -> Result<Page<StepRecord>> {
        self.root_of(tenant, task).await?;
        let after = after.map_or(-1, i64::from);
        let rows = steps::list(&self.db, tenant, task, after, i64::from(limit) + 1).await?;
        Ok(Page::cut(rows, limit, |step| step.position.to_string()))
    }

    /// A task with its journal and all below it.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn tree(&self, tenant: TenantId, id: TaskId) -> Result<TaskTree> {
        let task = tasks::get(&self.db, tenant, id).await?;
        let mut children: HashMap<TaskId, Vec<TaskRecord>> = HashMap::new();
        for child in tasks::tree(&self.db, tenant, task.root).await? {
            if let Some(parent) = child.parent {
                children.entry(parent).or_default().push(child);
            }
        }
        let mut journals: HashMap<TaskId, Vec<StepRecord>> = HashMap::new();
        for step in steps::tree(&self.db, tenant, task.root).await? {
            journals.entry(step.task).or_default().push(step);
        }
        Ok(assemble(task, &mut children, &mut journals))
    }

    /// Events of one task after a sequence.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn events(
        &self,
        tenant: TenantId,
        task: TaskId,
        after: i64,
        limit: u32,
    ) -> Result<Vec<EventRecord>> {
        self.root_of(tenant, task).await?;
        events::of_task(&self.db, tenant, task, after, i64::from(limit)).await
    }

    /// Events after a cursor, the stored ones first and then live; `None` begins now.
    ///
    /// # Errors
    /// `not_found`, or when the store cannot be read; then resume from the last cursor.
    pub fn watch(
        &self,
        tenant: TenantId,
        scope: Scope,
        after: Option<i64>,
        ephemeral: bool,
    ) -> impl Stream<Item = Result<Watched>> + Send + use<> {
        watch(
            self.db.clone(),
            self.hub.clone(),
            tenant,
            scope,
            after,
            ephemeral,
        )
    }
}

fn assemble(
    task: TaskRecord,
    children: &mut HashMap<TaskId, Vec<TaskRecord>>,
    journals: &mut HashMap<TaskId, Vec<StepRecord>>,
) -> TaskTree {
    let below = children.remove(&task.id).unwrap_or_default();
    TaskTree {
        steps: journals.remove(&task.id).unwrap_or_default(),
        children: below
            .into_iter()
            .map(|child| assemble(child, children, journals))
            .collect(),
        task,
    }
}
