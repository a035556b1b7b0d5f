//! How an attempt tells the store what it does.
//!
//! The end of a step is not committed by itself: it rides with the task's next write, which is the
//! start of the next step or the end of the task, so that n steps cost n + 1 commits. When the
//! executor does something else meanwhile, what is pending is committed at once. Should the process
//! die before that, the step is repeated, as if it had died a moment earlier: nothing outside the
//! process has seen the result yet, for what leaves the process is a step, whose start comes first.
//!
//! A step that leaves nothing outside the process and costs nothing may begin before its task is
//! born: nobody knows of the task, so nobody can have cancelled it, and nobody can tell that the
//! step ever ran. What takes no time at all is so committed whole, as one change.

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use swarm_database::JsonText;
use swarm_errors::Result;
use tokio::sync::{Notify, OnceCell, oneshot};

use super::TaskContext;
use super::failure::stopped;
use super::history::History;
use super::lines;
use super::outbox::letters_of_end;
use super::persist::persist;
use crate::journal::StepState;
use crate::store::changes::{Birth, Change, Entry, StepEnd, StepStart, TaskEnd, Told};
use crate::store::steps;
use crate::store::tasks::Outcome;
use crate::tasks::{TaskRecord, Usage};

/// More steps than a journal may have.
const WHOLE_JOURNAL: i64 = i64::MAX;

/// A task that is not in the store yet, and who waits until it is.
#[derive(Debug)]
pub(super) struct Unborn {
    pub(super) birth: Arc<Birth>,
    pub(super) told: oneshot::Sender<Result<Told>>,
}

/// What an attempt has to tell, and what it knows.
#[derive(Debug)]
pub(super) struct Telling {
    pending: Mutex<Pending>,
    /// One write at a time.
    turn: tokio::sync::Mutex<()>,
    /// Something became pending.
    changed: Notify,
    told: Mutex<Option<oneshot::Sender<Result<Told>>>>,
    /// The task is in the store.
    is_born: AtomicBool,
    /// Whether the task was born is not known: the commit's answer was lost.
    in_doubt: AtomicBool,
    history: OnceCell<History>,
    usage: Mutex<Usage>,
    has_children: AtomicBool,
}

#[derive(Debug, Default, Clone)]
struct Pending {
    birth: Option<Arc<Birth>>,
    journal: Vec<Entry>,
}

impl Telling {
    pub(super) fn new(task: &TaskRecord, unborn: Option<Unborn>) -> Self {
        let (birth, told) = match unborn {
            Some(unborn) => (Some(unborn.birth), Some(unborn.told)),
            None => (None, None),
        };
        Self {
            is_born: AtomicBool::new(birth.is_none()),
            // A task that is only just born has no journal.
            history: OnceCell::new_with(birth.is_some().then(History::default)),
            pending: Mutex::new(Pending {
                birth,
                journal: Vec::new(),
            }),
            turn: tokio::sync::Mutex::default(),
            changed: Notify::new(),
            told: Mutex::new(told),
            in_doubt: AtomicBool::new(false),
            usage: Mutex::new(task.usage),
            has_children: AtomicBool::new(false),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_pending(&self) -> bool {
        let pending = self.lock();
        pending.birth.is_some() || !pending.journal.is_empty()
    }

    fn add(&self, entry: Entry) {
        self.lock().journal.push(entry);
        self.changed.notify_one();
    }

    fn take(&self) -> Taken<'_> {
        Taken {
            telling: self,
            pending: std::mem::take(&mut *self.lock()),
            written: false,
        }
    }
}

/// Pending things on their way to the store. They are pending again when they do not get there.
struct Taken<'a> {
    telling: &'a Telling,
    pending: Pending,
    written: bool,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if self.written {
            return;
        }
        let mut pending = self.telling.lock();
        pending.birth = self.pending.birth.take();
        let later = std::mem::take(&mut pending.journal);
        pending.journal = std::mem::take(&mut self.pending.journal);
        pending.journal.extend(later);
    }
}

impl TaskContext {
    /// Takes down the end of a step's attempt, to be committed with what comes next.
    pub(super) fn defer(&self, end: StepEnd) {
        self.note_end(&end.key, end.state, end.usage);
        self.inner.telling.add(Entry::Ended(Arc::new(end)));
    }

    /// Takes down the start of a step that does not wait for its commit.
    pub(super) fn defer_start(&self, start: StepStart) {
        self.inner.telling.add(Entry::Started(Arc::new(start)));
    }

    /// Whether the task is in the store.
    pub(super) fn is_born(&self) -> bool {
        self.inner.telling.is_born.load(Ordering::Acquire)
    }

    pub(super) fn note_end(&self, key: &str, state: StepState, usage: Usage) {
        let telling = &self.inner.telling;
        if let Some(history) = telling.history.get() {
            history.ended(key, state);
        }
        *telling.usage.lock().unwrap_or_else(PoisonError::into_inner) += usage;
    }

    pub(super) fn note_children(&self) {
        let telling = &self.inner.telling;
        telling.has_children.store(true, Ordering::Relaxed);
    }

    /// The journal, as far as this attempt knows it.
    pub(super) async fn history(&self) -> Result<&History> {
        let load = || async {
            let (db, fence) = (&self.inner.engine.db, self.fence());
            let read = || steps::list(db, fence.tenant, fence.task, -1, WHOLE_JOURNAL);
            persist(self.cancelled(), read)
                .await
                .map(|steps| History::of(&steps))
        };
        self.inner.telling.history.get_or_try_init(load).await
    }

    /// Commits the start of a step.
    pub(super) async fn tell_start(&self, start: StepStart) -> Result<()> {
        match self.tell(Some(Arc::new(start)), None).await? {
            Told::Committed { .. } => Ok(()),
            _ => Err(self.refused().await),
        }
    }

    /// Commits what is pending.
    pub(super) async fn settle_up(&self) -> Result<()> {
        match self.tell(None, None).await? {
            Told::Committed { .. } => Ok(()),
            _ => Err(self.refused().await),
        }
    }

    /// Commits what is pending whenever the executor does something else, for as long as it is
    /// polled: poll the executor first.
    pub(super) async fn tell_when_idle(&self) -> Infallible {
        loop {
            if !self.inner.telling.has_pending() {
                self.inner.telling.changed.notified().await;
            } else if self.settle_up().await.is_err() {
                // The attempt is over; whoever it was told to ends it.
                return std::future::pending().await;
            }
        }
    }

    /// Commits the end of a task to which nothing else belongs. `None` when more belongs to it, or
    /// somebody else holds the task: then nothing of the end was written.
    pub(super) async fn tell_end(&self, outcome: &Outcome) -> Result<Option<TaskRecord>> {
        if !matches!(outcome, Outcome::Completed(_)) {
            self.settle_birth().await?;
        }
        let Some(task) = self.plain_end(outcome).await? else {
            return Ok(None);
        };
        let model = self.history().await?.last_model();
        let at = task.finished_at.unwrap_or(task.created_at);
        let result = outcome.result().map(JsonText::of).transpose()?;
        let event = lines::of_end(&task, result.as_ref())?;
        let end = TaskEnd {
            outcome: outcome.clone(),
            at,
            letters: letters_of_end(&task, &model, at),
            result,
            event,
        };
        match self.tell(None, Some(Arc::new(end))).await? {
            Told::Committed { last_seq } => Ok(Some(TaskRecord { last_seq, ..task })),
            _ => Ok(None),
        }
    }

    async fn settle_birth(&self) -> Result<()> {
        let is_unborn = self.inner.telling.lock().birth.is_some();
        if is_unborn {
            self.settle_up().await?;
        }
        Ok(())
    }

    /// The task as it ends, unless this attempt knows that more belongs to the end.
    async fn plain_end(&self, outcome: &Outcome) -> Result<Option<TaskRecord>> {
        let telling = &self.inner.telling;
        let has_more = matches!(outcome, Outcome::DeadLettered(_))
            || self.inner.waiting.has_agent()
            || telling.has_children.load(Ordering::Relaxed)
            || self.history().await?.has_open_steps();
        if has_more {
            return Ok(None);
        }
        let usage = *telling.usage.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Some(TaskRecord {
            state: outcome.state(),
            result: outcome.result().cloned(),
            failure: outcome.failure().cloned(),
            usage,
            finished_at: Some(self.inner.engine.now()),
            ..self.task().clone()
        }))
    }

    /// Whether the task was born is not known.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.inner.telling.in_doubt.load(Ordering::Acquire)
    }

    /// Commits what is pending together with this.
    async fn tell(
        &self,
        started: Option<Arc<StepStart>>,
        end: Option<Arc<TaskEnd>>,
    ) -> Result<Told> {
        let telling = &self.inner.telling;
        let _turn = telling.turn.lock().await;
        let mut taken = telling.take();
        let journal = taken.pending.journal.iter().cloned();
        let change = Arc::new(Change {
            fence: self.fence(),
            root: self.task().root,
            birth: taken.pending.birth.clone(),
            journal: journal.chain(started.map(Entry::Started)).collect(),
            end,
        });
        if change.is_empty() {
            taken.written = true;
            return Ok(Told::Committed { last_seq: 0 });
        }
        let engine = &self.inner.engine;
        let told = if change.birth.is_some() {
            self.tell_birth(change).await?
        } else {
            let mut again = false;
            persist(self.cancelled(), || {
                let told = engine.tell(change.clone(), again);
                again = true;
                told
            })
            .await?
        };
        taken.written = matches!(told, Told::Committed { .. });
        Ok(told)
    }

    /// The task's first commit is tried once: whoever submits it is told when it fails.
    async fn tell_birth(&self, change: Arc<Change>) -> Result<Told> {
        let telling = &self.inner.telling;
        let told = self.inner.engine.tell(change, false).await;
        let waiting = telling
            .told
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if matches!(told, Ok(Told::Committed { .. })) {
            telling.is_born.store(true, Ordering::Release);
        } else {
            telling
                .in_doubt
                .store(is_doubtful(&told), Ordering::Release);
            self.cancelled().cancel();
        }
        let copy = match &told {
            Ok(told) => Ok(*told),
            Err(error) => Err(error.for_another()),
        };
        if let Some(waiting) = waiting {
            // Who has gone needs no answer.
            waiting.send(copy).ok();
        }
        match told {
            Ok(told @ Told::Committed { .. }) => Ok(told),
            Ok(_) | Err(_) => Err(stopped("the task was not born")),
        }
    }
}

/// Whether nobody knows what became of it.
fn is_doubtful(told: &Result<Told>) -> bool {
    told.as_ref().is_err_and(|error| !error.had_no_effect())
}
