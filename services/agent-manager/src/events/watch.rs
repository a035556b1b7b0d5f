//! Streams of events from a cursor on: the stored ones first, then live.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use async_stream::try_stream;
use futures::Stream;
use swarm_database::Db;
use swarm_errors::{Error, Result};
use swarm_types::{TaskId, TenantId};

use super::{EventRecord, Hub, Signal, Subscription, Topic};
use crate::store::{events, tasks};
use crate::tasks::TaskState;

const BATCH: i64 = 256;
/// A safety net for signals that other replicas could not send.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// Steps whose late tokens are held back.
const REMEMBERED_STEPS: usize = 1024;

/// What is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// One task; the cursor is its `seq`.
    Task(TaskId),
    /// A task and all below it; the cursor is `tenant_seq`.
    Tree(TaskId),
    /// All tasks of the tenant; the cursor is `tenant_seq`.
    Tenant,
}

/// One answer of a watch.
#[derive(Debug, Clone, PartialEq)]
pub struct Watched {
    /// The event; `None` when only the cursor moves.
    pub event: Option<EventRecord>,
    /// Where to resume.
    pub cursor: i64,
}

/// Events after `after`, or from now on where it is `None`. It ends by itself when the task, or
/// the tree's root, has ended.
///
/// # Errors
/// `not_found`, or when the store cannot be read; then resume from the last cursor.
pub fn watch(
    db: Db,
    hub: Hub,
    tenant: TenantId,
    scope: Scope,
    after: Option<i64>,
    ephemeral: bool,
) -> impl Stream<Item = Result<Watched>> + Send {
    try_stream! {
        let reader = Reader::open(db, tenant, scope).await?;
        // Before the first read, so that nothing falls in between.
        let mut signals = hub.subscribe(reader.topic());
        let mut cursor = match after {
            Some(after) => after,
            None => {
                let cursor = reader.newest().await?;
                yield Watched { event: None, cursor };
                cursor
            }
        };
        let mut finished = Finished::default();
        loop {
            // Asked before the read: what it says is then in the store.
            let has_ended = reader.has_ended().await?;
            loop {
                let batch = reader.read(cursor).await?;
                let full = batch.len() == usize::try_from(BATCH).unwrap_or(usize::MAX);
                for event in batch {
                    cursor = reader.cursor_of(&event);
                    finished.note(&event);
                    yield Watched { event: Some(event), cursor };
                }
                if !full {
                    break;
                }
            }
            if has_ended {
                break;
            }
            loop {
                match next(&mut signals).await {
                    Some(Signal::Ephemeral(event)) => {
                        if ephemeral && reader.shows(&event) && !finished.has(&event) {
                            yield Watched { event: Some((*event).clone()), cursor };
                        }
                    }
                    Some(Signal::Committed { task, .. }) if !reader.is_about(task) => {}
                    Some(Signal::Committed { .. }) | None => break,
                }
            }
        }
    }
}

async fn next(signals: &mut Subscription) -> Option<Signal> {
    tokio::time::timeout(LOOK_AGAIN, signals.next())
        .await
        .unwrap_or(None)
}

struct Reader {
    db: Db,
    tenant: TenantId,
    scope: Scope,
    root: TaskId,
}

impl Reader {
    async fn open(db: Db, tenant: TenantId, scope: Scope) -> Result<Self> {
        let root = match scope {
            Scope::Task(id) | Scope::Tree(id) => {
                let place = tasks::place(&db, tenant, id).await?;
                place.ok_or_else(|| Error::not_found("task", id))?.0
            }
            Scope::Tenant => TaskId::from_uuid(uuid::Uuid::nil()),
        };
        if let Scope::Tree(id) = scope
            && id != root
        {
            return Err(Error::invalid("tree_root_id", "must be a root task"));
        }
        Ok(Self {
            db,
            tenant,
            scope,
            root,
        })
    }

    const fn topic(&self) -> Topic {
        match self.scope {
            Scope::Task(_) | Scope::Tree(_) => Topic::Tree(self.tenant, self.root),
            Scope::Tenant => Topic::Tenant(self.tenant),
        }
    }

    /// The cursor behind everything that is committed.
    async fn newest(&self) -> Result<i64> {
        match self.scope {
            Scope::Task(id) => Ok(tasks::place(&self.db, self.tenant, id)
                .await?
                .map_or(0, |(_, _, seq)| seq)),
            Scope::Tree(_) | Scope::Tenant => events::newest(&self.db, self.tenant).await,
        }
    }

    async fn has_ended(&self) -> Result<bool> {
        match self.scope {
            Scope::Task(id) | Scope::Tree(id) => {
                let place = tasks::place(&self.db, self.tenant, id).await?;
                Ok(place.is_none_or(|(_, state, _): (_, TaskState, _)| state.is_terminal()))
            }
            Scope::Tenant => Ok(false),
        }
    }

    async fn read(&self, after: i64) -> Result<Vec<EventRecord>> {
        match self.scope {
            Scope::Task(id) => events::of_task(&self.db, self.tenant, id, after, BATCH).await,
            Scope::Tree(id) => events::of_tree(&self.db, self.tenant, id, after, BATCH).await,
            Scope::Tenant => events::of_tenant(&self.db, self.tenant, after, BATCH).await,
        }
    }

    const fn cursor_of(&self, event: &EventRecord) -> i64 {
        match self.scope {
            Scope::Task(_) => event.seq,
            Scope::Tree(_) | Scope::Tenant => event.tenant_seq,
        }
    }

    fn is_about(&self, task: TaskId) -> bool {
        !matches!(self.scope, Scope::Task(id) if id != task)
    }

    fn shows(&self, event: &EventRecord) -> bool {
        self.is_about(event.task)
    }
}

/// Steps whose end was shown: a token that comes after it would be text twice.
#[derive(Debug, Default)]
struct Finished {
    known: HashSet<String>,
    order: VecDeque<String>,
}

impl Finished {
    fn note(&mut self, event: &EventRecord) {
        let Some(mark) = mark(event) else { return };
        match event.kind.as_str() {
            "step.finished" | "step.failed" | "step.outcome_unknown"
                if self.known.insert(mark.clone()) =>
            {
                self.order.push_back(mark);
                if self.order.len() > REMEMBERED_STEPS
                    && let Some(oldest) = self.order.pop_front()
                {
                    self.known.remove(&oldest);
                }
            }
            _ => {}
        }
    }

    fn has(&self, token: &EventRecord) -> bool {
        mark(token).is_some_and(|mark| self.known.contains(&mark))
    }
}

/// Step and attempt.
fn mark(event: &EventRecord) -> Option<String> {
    let step = event.data.get("step")?.as_str()?;
    let attempt = event.data.get("attempt")?.as_u64()?;
    Some(format!("{step}/{attempt}"))
}
