//! A step in the journal: its start, and each of its ends.

use serde_json::Value;
use swarm_database::JsonText;
use swarm_errors::{Error, Result};
use swarm_types::{MessageId, StepId};

use super::brings::{consume, insert_children, send};
use super::failure::{fenced_out, outcome_unknown, stopped};
use super::history::Entry;
use super::lines::{self, Said};
use super::persist::persist;
use super::{Engine, TaskContext};
use crate::journal::{Replay, Safety, StepDone, StepSpec, StepState, replay};
use crate::store::changes::{Line, StepEnd, StepStart};
use crate::store::tasks::{self, Advance, Fence};
use crate::store::{Unit, steps};
use crate::tasks::{TaskFailure, TaskRecord, TaskState, Usage, step_id};

/// The most sub-tasks of one step.
const MAX_CHILDREN: usize = 256;
const LONGEST_KEY: usize = 200;
const LONGEST_WORDS: usize = 500;

/// What the journal says to do.
#[derive(Debug)]
pub(super) enum Begun {
    /// It was finished before.
    Stored(Value),
    /// Its start is committed under this attempt, or on its way where that makes no difference.
    Started(u32),
}

/// One attempt of a step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attempt<'a> {
    pub(super) spec: &'a StepSpec,
    pub(super) id: StepId,
    pub(super) number: u32,
}

impl Attempt<'_> {
    /// Its start, at a place of the journal.
    fn start(self, task: &TaskRecord, input: JsonText, place: Place) -> Result<StepStart> {
        Ok(StepStart {
            key: self.spec.key.clone(),
            id: self.id,
            kind: self.spec.kind,
            name: self.spec.name.clone(),
            attempt: self.number,
            input,
            position: place.position,
            is_new: place.is_new,
            event: lines::of_step(self, task, "step.started", Said::at(place.position))?,
        })
    }

    /// That nobody knows whether it took effect.
    fn unknown(self, task: &TaskRecord) -> Result<StepEnd> {
        let event = lines::of_step(self, task, "step.outcome_unknown", Said::default())?;
        Ok(self.end(StepState::OutcomeUnknown, None, vec![event]))
    }

    fn failed(self, task: &TaskRecord, error: &Error) -> Result<StepEnd> {
        let failure = JsonText::of(&TaskFailure::from(error))?;
        let event = lines::of_step(self, task, "step.failed", Said::failed(&failure))?;
        Ok(self.end(StepState::Failed, Some(failure), vec![event]))
    }

    fn end(self, state: StepState, result: Option<JsonText>, events: Vec<Line>) -> StepEnd {
        StepEnd {
            key: self.spec.key.clone(),
            attempt: self.number,
            state,
            result,
            usage: Usage::default(),
            events,
        }
    }
}

/// Where a step stands in the journal.
#[derive(Debug, Clone, Copy)]
struct Place {
    position: i64,
    /// Whether no former attempt stands there.
    is_new: bool,
}

/// A finished step's contents, apart from the type of its result.
#[derive(Debug)]
pub(super) struct Finish {
    pub(super) result: JsonText,
    pub(super) rest: StepDone<()>,
    /// Made once, so that a repeat of the transaction sends the same messages.
    pub(super) message_ids: Vec<MessageId>,
}

impl Finish {
    /// Whether it changes nothing but the journal.
    fn is_plain(&self) -> bool {
        let rest = &self.rest;
        rest.send.is_empty() && rest.consume.is_empty() && rest.children.is_empty()
    }
}

impl TaskContext {
    /// Looks into the journal and commits a start where one is due.
    pub(super) async fn begin_step(&self, spec: &StepSpec) -> Result<Begun> {
        if spec.key.is_empty() || spec.key.len() > LONGEST_KEY {
            return Err(Error::internal(format!(
                "a step's key must have 1 to {LONGEST_KEY} bytes: {:?}",
                spec.key
            )));
        }
        let engine = &self.inner.engine;
        let what = format!("the input of step {}", spec.key);
        let input = engine.within_bounds(&what, &spec.input)?;
        let id = step_id(self.task().id, &spec.key);
        let entry = self.history().await?.entry(&spec.key);
        // Started by this very hold, and given up half-way.
        let is_ours = entry.is_some_and(|entry| {
            entry.state == StepState::Started && entry.epoch == self.fence().epoch
        });
        let safety = if is_ours {
            Safety::Idempotent
        } else {
            spec.safety
        };
        match replay(entry.map(|entry| (entry.state, entry.attempt)), safety) {
            Replay::Return => self.stored(&spec.key).await.map(Begun::Stored),
            Replay::Refuse => Err(outcome_unknown(&spec.key)),
            Replay::Unknown => {
                let number = entry.map_or(1, |entry| entry.attempt);
                let step = Attempt { spec, id, number };
                self.mark_unknown(step)?;
                Err(outcome_unknown(&spec.key))
            }
            Replay::Start { attempt: number } => {
                let step = Attempt { spec, id, number };
                let former = entry.map(|entry| entry.position);
                self.start_step(step, input, former).await?;
                Ok(Begun::Started(number))
            }
        }
    }

    async fn start_step(
        &self,
        step: Attempt<'_>,
        input: JsonText,
        former: Option<i64>,
    ) -> Result<()> {
        let history = self.history().await?;
        let place = match former {
            Some(position) => Place {
                position,
                is_new: false,
            },
            None => {
                self.inner.engine.check_count(history.len() + 1)?;
                Place {
                    position: history.take_place(),
                    is_new: true,
                }
            }
        };
        let start = step.start(self.task(), input, place)?;
        if step.spec.is_free && !self.is_born() {
            self.defer_start(start);
        } else {
            self.tell_start(start).await?;
        }
        let entry = Entry {
            state: StepState::Started,
            attempt: step.number,
            epoch: self.fence().epoch,
            position: place.position,
        };
        history.started(step.spec, entry);
        Ok(())
    }

    /// The result of a finished step.
    async fn stored(&self, key: &str) -> Result<Value> {
        // What was finished just now may still be on its way to the store.
        self.settle_up().await?;
        let Fence { tenant, task, .. } = self.fence();
        let db = &self.inner.engine.db;
        let entry = persist(self.cancelled(), || steps::find(db, tenant, task, key)).await?;
        Ok(entry.and_then(|entry| entry.result).unwrap_or(Value::Null))
    }

    /// Takes down that nobody knows whether a call took effect.
    pub(super) fn mark_unknown(&self, step: Attempt<'_>) -> Result<()> {
        self.defer(step.unknown(self.task())?);
        Ok(())
    }

    /// Takes down that an attempt of a step has failed.
    pub(super) fn fail_step(&self, step: Attempt<'_>, error: &Error) -> Result<()> {
        self.defer(step.failed(self.task(), error)?);
        Ok(())
    }

    /// Takes down a finished step. What changes nothing but the journal rides with the task's
    /// next write; everything else is committed now.
    pub(super) async fn finish_step(&self, step: Attempt<'_>, finish: Finish) -> Result<()> {
        let task = self.task();
        if !finish.is_plain() {
            self.settle_up().await?;
            let engine = &self.inner.engine;
            persist(self.cancelled(), || engine.finish_step(self, step, &finish)).await?;
            self.note_end(&step.spec.key, StepState::Finished, finish.rest.usage);
            if !finish.rest.children.is_empty() {
                self.note_children();
            }
            return Ok(());
        }
        let Finish { result, rest, .. } = finish;
        let said = Said::done(&result, rest.usage);
        let mut events = vec![lines::of_step(step, task, "step.finished", said)?];
        for event in rest.events {
            events.push(Line::of(event)?);
        }
        self.defer(StepEnd {
            usage: rest.usage,
            ..step.end(StepState::Finished, Some(result), events)
        });
        match step.spec.safety {
            Safety::Idempotent => Ok(()),
            // A crash from here on must not leave it as unknown.
            Safety::AtMostOnce => self.settle_up().await,
        }
    }

    /// Why the fence did not let a write pass. The attempt ends.
    pub(super) async fn refused(&self) -> Error {
        let Fence { tenant, task, .. } = self.fence();
        let found = tasks::find(&self.inner.engine.db, tenant, task).await;
        self.cancelled().cancel();
        match found {
            Err(error) => error,
            Ok(Some(task)) if task.state == TaskState::Cancelled => {
                stopped("the task was cancelled")
            }
            Ok(Some(task)) if task.state.is_terminal() => stopped("the task has ended"),
            Ok(_) => fenced_out(),
        }
    }
}

impl Engine {
    /// Commits a finished step with everything that it brings.
    pub(super) async fn finish_step(
        &self,
        context: &TaskContext,
        step: Attempt<'_>,
        finish: &Finish,
    ) -> Result<()> {
        let fence = context.fence();
        let (rest, task) = (&finish.rest, context.task());
        if rest.children.len() > MAX_CHILDREN {
            return Err(Error::internal(format!(
                "a step makes at most {MAX_CHILDREN} sub-tasks"
            )));
        }
        let mut unit = self.begin_unit().await?;
        let now = unit.now();
        let events = 1 + rest.events.len() + rest.send.len() + rest.consume.len();
        let by = Advance {
            events: i64::try_from(events).unwrap_or(i64::MAX),
            steps: 0,
            children: i64::try_from(rest.children.len()).unwrap_or(i64::MAX),
            usage: rest.usage,
        };
        let Some((last, _)) = tasks::advance(unit.tx(), fence, by).await? else {
            return self.refuse(unit, context).await;
        };
        let (key, result) = (step.spec.key.as_str(), Some(&finish.result));
        let end = steps::End {
            fence,
            key,
            attempt: step.number,
            state: StepState::Finished,
            result,
            usage: rest.usage,
        };
        if !steps::end(unit.tx(), end, now).await? {
            // It is written already: only the answer was lost.
            return unit.rollback().await;
        }
        let said = Said::done(&finish.result, rest.usage);
        unit.line(
            task,
            last - by.events + 1,
            lines::of_step(step, task, "step.finished", said)?,
        );
        let mut told = rest.events.clone();
        told.extend(send(&mut unit, task, finish).await?);
        told.extend(consume(&mut unit, task, &rest.consume, step.id).await?);
        for (seq, event) in (last - by.events + 2..).zip(told) {
            unit.event(fence.tenant, fence.task, task.root, seq, event);
        }
        insert_children(&mut unit, task, step.spec, &rest.children).await?;
        self.commit(unit).await?;
        if !rest.children.is_empty() {
            self.work.notify_one();
        }
        Ok(())
    }

    /// Gives up a write that the fence did not let pass, and says why. The attempt ends.
    pub(super) async fn refuse<T>(&self, unit: Unit, context: &TaskContext) -> Result<T> {
        unit.rollback().await?;
        Err(context.refused().await)
    }
}

/// Words as another task's error carries them.
pub(super) fn short_text(words: &str) -> &str {
    match words.char_indices().nth(LONGEST_WORDS) {
        Some((end, _)) => &words[..end],
        None => words,
    }
}
