//! A step in the journal: its start, and each of its ends.

use serde_json::{Value, json};
use swarm_database::check_json;
use swarm_errors::{Error, Result};
use swarm_types::{MessageId, StepId};

use super::brings::{consume, insert_children, send};
use super::change::{StepEnd, StepStart};
use super::failure::{fenced_out, outcome_unknown, stopped};
use super::history::Entry;
use super::{Engine, TaskContext};
use crate::events::NewEvent;
use crate::journal::{Replay, Safety, StepDone, StepSpec, StepState, replay};
use crate::store::tasks::{self, Advance, Fence};
use crate::store::{Unit, steps};
use crate::tasks::{TaskFailure, TaskRecord, TaskState, Usage, step_id};

/// The most sub-tasks of one step.
const MAX_CHILDREN: usize = 256;
/// Results up to this size travel in events; larger ones are read from the journal.
const LONGEST_IN_EVENT: usize = 32 * 1024;
const LONGEST_KEY: usize = 200;
const LONGEST_WORDS: usize = 500;

/// What the journal says to do.
#[derive(Debug)]
pub(super) enum Begun {
    /// It was finished before.
    Stored(Value),
    /// Its start is committed under this attempt.
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
    fn data(&self, task: &TaskRecord) -> Value {
        json!({
            "step": self.id,
            "key": self.spec.key,
            "kind": self.spec.kind.as_str(),
            "name": self.spec.name,
            "attempt": self.number,
            "agent_id": task.agent,
        })
    }

    fn event(&self, task: &TaskRecord, kind: &str, more: &Value) -> NewEvent {
        let mut data = self.data(task);
        if let (Some(data), Some(more)) = (data.as_object_mut(), more.as_object()) {
            data.extend(more.clone());
        }
        NewEvent::new(kind, data)
    }

    fn start(&self, task: &TaskRecord, position: Option<i64>) -> StepStart {
        StepStart {
            key: self.spec.key.clone(),
            id: self.id,
            kind: self.spec.kind,
            name: self.spec.name.clone(),
            attempt: self.number,
            input: self.spec.input.clone(),
            position,
            event: self.event(task, "step.started", &Value::Null),
        }
    }

    fn end(&self, task: &TaskRecord, state: StepState, result: Option<Value>) -> StepEnd {
        let more = match (state, &result) {
            (StepState::Failed, Some(failure)) => json!({"error": failure}),
            _ => Value::Null,
        };
        StepEnd {
            key: self.spec.key.clone(),
            attempt: self.number,
            state,
            result,
            usage: Usage::default(),
            events: vec![self.event(task, &format!("step.{state}"), &more)],
        }
    }
}

/// A finished step's contents, apart from the type of its result.
#[derive(Debug)]
pub(super) struct Finish {
    pub(super) result: Value,
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
        engine.check_size(&format!("the input of step {}", spec.key), &spec.input)?;
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
                self.mark_unknown(step);
                Err(outcome_unknown(&spec.key))
            }
            Replay::Start { attempt: number } => {
                let step = Attempt { spec, id, number };
                self.start_step(step, entry.map(|entry| entry.position))
                    .await?;
                Ok(Begun::Started(number))
            }
        }
    }

    async fn start_step(&self, step: Attempt<'_>, position: Option<i64>) -> Result<()> {
        if position.is_none() {
            let steps = self.history().await?.len() + 1;
            self.inner.engine.check_count(steps)?;
        }
        let start = step.start(self.task(), position);
        let place = self.tell_start(start).await?;
        let entry = Entry {
            state: StepState::Started,
            attempt: step.number,
            epoch: self.fence().epoch,
            position: position.unwrap_or(place),
        };
        self.history().await?.started(step.spec, entry);
        Ok(())
    }

    /// The result of a finished step.
    async fn stored(&self, key: &str) -> Result<Value> {
        // What was finished just now may still be on its way to the store.
        self.settle_up().await?;
        let Fence { tenant, task, .. } = self.fence();
        let db = &self.inner.engine.db;
        let entry =
            super::persist::persist(self.cancelled(), || steps::find(db, tenant, task, key))
                .await?;
        Ok(entry.and_then(|entry| entry.result).unwrap_or(Value::Null))
    }

    /// Takes down that nobody knows whether a call took effect.
    pub(super) fn mark_unknown(&self, step: Attempt<'_>) {
        self.defer(step.end(self.task(), StepState::OutcomeUnknown, None));
    }

    /// Takes down that an attempt of a step has failed.
    pub(super) fn fail_step(&self, step: Attempt<'_>, error: &Error) -> Result<()> {
        let failure = serde_json::to_value(TaskFailure::from(error)).map_err(Error::internal)?;
        self.defer(step.end(self.task(), StepState::Failed, Some(failure)));
        Ok(())
    }

    /// Takes down a finished step. What changes nothing but the journal rides with the task's
    /// next write; everything else is committed now.
    pub(super) async fn finish_step(&self, step: Attempt<'_>, finish: Finish) -> Result<()> {
        let task = self.task();
        if !finish.is_plain() {
            self.settle_up().await?;
            let engine = &self.inner.engine;
            super::persist::persist(self.cancelled(), || engine.finish_step(self, step, &finish))
                .await?;
            self.note_end(&step.spec.key, StepState::Finished, finish.rest.usage);
            if !finish.rest.children.is_empty() {
                self.note_children();
            }
            return Ok(());
        }
        let Finish { result, rest, .. } = finish;
        let more = json!({"result": short(&result), "usage": rest.usage});
        let mut events = vec![step.event(task, "step.finished", &more)];
        events.extend(rest.events);
        // It will be written together with other things, which it must not spoil.
        check_json(&result)?;
        for event in &events {
            check_json(&event.data)?;
        }
        self.defer(StepEnd {
            key: step.spec.key.clone(),
            attempt: step.number,
            state: StepState::Finished,
            result: Some(result),
            usage: rest.usage,
            events,
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
        let more = json!({"result": short(&finish.result), "usage": rest.usage});
        let mut told = vec![step.event(task, "step.finished", &more)];
        told.extend(rest.events.iter().cloned());
        told.extend(send(&mut unit, task, finish).await?);
        told.extend(consume(&mut unit, task, &rest.consume, step.id).await?);
        for (seq, event) in (last - by.events + 1..).zip(told) {
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

/// A result as events carry it: a large one is left to the journal.
pub(super) fn short(result: &Value) -> Value {
    let bytes = result.to_string().len();
    if bytes <= LONGEST_IN_EVENT {
        result.clone()
    } else {
        json!({"omitted_bytes": bytes})
    }
}

/// Words as another task's error carries them.
pub(super) fn short_text(words: &str) -> &str {
    match words.char_indices().nth(LONGEST_WORDS) {
        Some((end, _)) => &words[..end],
        None => words,
    }
}
