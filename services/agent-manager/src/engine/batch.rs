//! Several tasks in one transaction, and single ones that are tied to others or to a moment.

use std::sync::Arc;

use swarm_errors::{Error, Result};
use swarm_types::{TaskId, TenantId};

use super::accept::Entrant;
use super::{Engine, Submission};
use crate::store::idempotency::{self, RequestKey};
use crate::store::tasks;
use crate::tasks::{Predecessor, TaskRecord, check_dependencies, child_task_id};

const OPERATION: &str = "submit_tasks";
/// What the ids of a batch's tasks are derived with.
const ITEMS: &str = "batch";

/// Tasks that are accepted together, or not at all.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Whose they are.
    pub tenant: TenantId,
    /// Names the write, so that its repeat finds the first one's tasks.
    pub request: Option<RequestKey>,
    /// The tasks.
    pub items: Vec<BatchItem>,
}

/// One task of a batch.
#[derive(Debug, Clone)]
pub struct BatchItem {
    /// By which other items may depend on it; empty for none.
    pub name: String,
    /// The task; its own key and `depends_on` are not looked at.
    pub task: Submission,
    /// What goes before it.
    pub depends_on: Vec<Predecessor>,
}

fn path(place: usize) -> String {
    format!("tasks[{place}]")
}

impl Engine {
    /// Accepts all tasks of a batch in one transaction, or none.
    ///
    /// # Errors
    /// As [`Engine::submit`], with the item in the field's name.
    pub async fn submit_batch(self: &Arc<Self>, batch: Batch) -> Result<Vec<TaskRecord>> {
        if let Some(known) = self.batch_of(&batch).await? {
            return Ok(known);
        }
        refuse_cycles(&batch.items)?;
        for (place, item) in batch.items.iter().enumerate() {
            self.check_agents(batch.tenant, &item.task.spec)
                .await
                .map_err(|error| error.within(path(place)))?;
        }
        let id = TaskId::new();
        let entrants = self.entrants(id, &batch.items)?;
        let accepted = self
            .accept_once(&batch.request, OPERATION, id, &entrants)
            .await?;
        match accepted {
            Some(tasks) => Ok(tasks),
            None => self.batch_of(&batch).await?.ok_or_else(just_being_made),
        }
    }

    /// The tasks that the same request has made before; those that were purged are missing.
    async fn batch_of(&self, batch: &Batch) -> Result<Option<Vec<TaskRecord>>> {
        let request = batch.request.as_ref();
        let Some(id) = idempotency::find(&self.db, batch.tenant, request, OPERATION).await? else {
            return Ok(None);
        };
        let mut found = Vec::new();
        for place in 0..batch.items.len() {
            let id = child_task_id(TaskId::from_uuid(id), ITEMS, place);
            found.extend(tasks::find(&self.db, batch.tenant, id).await?);
        }
        Ok(Some(found))
    }

    fn entrants(&self, batch: TaskId, items: &[BatchItem]) -> Result<Vec<Entrant>> {
        let id_of = |place: usize| child_task_id(batch, ITEMS, place);
        items
            .iter()
            .enumerate()
            .map(|(place, item)| {
                let mut record = self
                    .new_root(id_of(place), &item.task)
                    .map_err(|error| error.within(path(place)))?;
                let depends_on = item.depends_on.iter().map(|before| match before {
                    Predecessor::Task(id) => (*id, String::new()),
                    Predecessor::Item(item) => (id_of(*item), items[*item].name.clone()),
                });
                let (ids, names) = depends_on.unzip();
                Arc::make_mut(&mut record.spec).depends_on = ids;
                Ok(Entrant {
                    record,
                    names,
                    path: path(place),
                })
            })
            .collect()
    }

    /// Accepts a task that depends on others or starts later.
    pub(super) async fn submit_tied(
        self: &Arc<Self>,
        id: TaskId,
        submission: &Submission,
        operation: &'static str,
    ) -> Result<Option<TaskRecord>> {
        let record = self.new_root(id, submission)?;
        let entrant = Entrant {
            record,
            names: Vec::new(),
            path: String::new(),
        };
        let accepted = self
            .accept_once(&submission.request, operation, id, &[entrant])
            .await?;
        Ok(accepted.and_then(|tasks| tasks.into_iter().next()))
    }

    /// One transaction: the key, the tasks, what ties them, their first events. `None` when the key
    /// is taken.
    async fn accept_once(
        self: &Arc<Self>,
        request: &Option<RequestKey>,
        operation: &'static str,
        answer: TaskId,
        entrants: &[Entrant],
    ) -> Result<Option<Vec<TaskRecord>>> {
        let Some(first) = entrants.first() else {
            return Ok(Some(Vec::new()));
        };
        let tenant = first.record.tenant;
        self.admit(tenant, entrants.len()).await?;
        let accepted = self
            .db
            .retry(|| async {
                let mut unit = self.begin_unit().await?;
                let (now, key) = (unit.now(), request.as_ref());
                let answer = answer.uuid();
                if !idempotency::insert(unit.tx(), tenant, key, operation, answer, now).await? {
                    unit.rollback().await?;
                    return Ok(None);
                }
                let tasks = self.accept(&mut unit, tenant, entrants.to_vec()).await?;
                self.commit(unit).await?;
                Ok(Some(tasks))
            })
            .await?;
        for task in accepted.iter().flatten() {
            self.metrics.submitted(task);
            self.due.expect(task.ready_at);
        }
        self.work.notify_one();
        Ok(accepted)
    }
}

pub(super) fn just_being_made() -> Error {
    Error::unavailable("the same request is just being made")
}

fn refuse_cycles(items: &[BatchItem]) -> Result<()> {
    let inside: Vec<Vec<usize>> = items
        .iter()
        .map(|item| {
            let before = item.depends_on.iter().filter_map(|before| match before {
                Predecessor::Item(place) => Some(*place),
                Predecessor::Task(_) => None,
            });
            before.collect()
        })
        .collect();
    check_dependencies(&inside).map_err(|cycle| {
        let words = cycle.words(|place| &items[place].name);
        let first = cycle.places.first().copied().unwrap_or(0);
        let next = cycle.places.get(1).copied().unwrap_or(first);
        let place = items[first]
            .depends_on
            .iter()
            .position(|before| *before == Predecessor::Item(next));
        let field = format!("depends_on[{}]", place.unwrap_or(0));
        Error::invalid(field, format!("is a cycle: {words}")).within(path(first))
    })
}
