//! The transactions of a step: its start, and each of its ends.

use serde_json::{Value, json};
use swarm_errors::{Error, Result};
use swarm_types::{MessageId, StepId};

use super::brings::{consume, insert_children, send};
use super::failure::{fenced_out, outcome_unknown, stopped};
use super::{Engine, TaskContext};
use crate::events::NewEvent;
use crate::journal::{Replay, Safety, StepDone, StepRecord, StepSpec, StepState, replay};
use crate::store::tasks::{self, Advance, Fence};
use crate::store::{Unit, steps};
use crate::tasks::{TaskFailure, TaskRecord, TaskState, Usage};

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
}

/// A finished step's contents, apart from the type of its result.
#[derive(Debug)]
pub(super) struct Finish {
    pub(super) result: Value,
    pub(super) rest: StepDone<()>,
    /// Made once, so that a repeat of the transaction sends the same messages.
    pub(super) message_ids: Vec<MessageId>,
}

impl Engine {
    /// Looks into the journal and commits a start where one is due.
    pub(super) async fn begin_step(
        &self,
        context: &TaskContext,
        spec: &StepSpec,
        id: StepId,
    ) -> Result<Begun> {
        if spec.key.is_empty() || spec.key.len() > LONGEST_KEY {
            return Err(Error::internal(format!(
                "a step's key must have 1 to {LONGEST_KEY} bytes: {:?}",
                spec.key
            )));
        }
        self.check_size(&format!("the input of step {}", spec.key), &spec.input)?;
        let fence = context.fence();
        let entry = steps::find(&self.db, fence.tenant, fence.task, &spec.key).await?;
        // A start of this very hold whose call never ran, because its commit's answer was lost.
        let is_ours = entry
            .as_ref()
            .is_some_and(|entry| entry.state == StepState::Started && entry.epoch == fence.epoch);
        let safety = if is_ours {
            Safety::Idempotent
        } else {
            spec.safety
        };
        match replay(
            entry.as_ref().map(|entry| (entry.state, entry.attempt)),
            safety,
        ) {
            Replay::Return => Ok(Begun::Stored(
                entry.and_then(|entry| entry.result).unwrap_or(Value::Null),
            )),
            Replay::Refuse => Err(outcome_unknown(&spec.key)),
            Replay::Unknown => {
                let number = entry.map_or(1, |entry| entry.attempt);
                self.mark_unknown(context, Attempt { spec, id, number })
                    .await?;
                Err(outcome_unknown(&spec.key))
            }
            Replay::Start { attempt } => {
                self.start_step(
                    context,
                    Attempt {
                        spec,
                        id,
                        number: attempt,
                    },
                    entry.as_ref(),
                )
                .await?;
                Ok(Begun::Started(attempt))
            }
        }
    }

    async fn start_step(
        &self,
        context: &TaskContext,
        step: Attempt<'_>,
        entry: Option<&StepRecord>,
    ) -> Result<()> {
        let fence = context.fence();
        let mut unit = self.begin_unit().await?;
        let now = unit.now();
        let by = Advance {
            events: 1,
            steps: i64::from(entry.is_none()),
            ..Advance::default()
        };
        // Locks the row that a cancel changes: whichever comes second sees the first.
        let Some((seq, step_count)) = tasks::advance(unit.tx(), fence, by).await? else {
            return self.refuse(unit, context).await;
        };
        self.check_count(step_count)?;
        let position = entry.map_or(step_count - 1, |entry| i64::from(entry.position));
        let start = steps::Start {
            fence,
            spec: step.spec,
            id: step.id,
            position,
            attempt: step.number,
        };
        steps::start(unit.tx(), start, now).await?;
        let event = step.event(
            context.task(),
            "step.started",
            &json!({"position": position}),
        );
        unit.event(fence.tenant, fence.task, context.task().root, seq, event);
        self.commit(unit).await
    }

    /// Writes that nobody knows whether a call took effect.
    pub(super) async fn mark_unknown(
        &self,
        context: &TaskContext,
        step: Attempt<'_>,
    ) -> Result<()> {
        self.end_step(
            context,
            step,
            StepState::OutcomeUnknown,
            None,
            Usage::default(),
            json!({}),
        )
        .await
    }

    /// Writes that an attempt of a step has failed.
    pub(super) async fn fail_step(
        &self,
        context: &TaskContext,
        step: Attempt<'_>,
        error: &Error,
    ) -> Result<()> {
        let failure = TaskFailure::from(error);
        let data = json!({"error": failure});
        let result = serde_json::to_value(&failure).map_err(Error::internal)?;
        self.end_step(
            context,
            step,
            StepState::Failed,
            Some(&result),
            Usage::default(),
            data,
        )
        .await
    }

    /// An end that brings nothing with it.
    async fn end_step(
        &self,
        context: &TaskContext,
        step: Attempt<'_>,
        state: StepState,
        result: Option<&Value>,
        usage: Usage,
        data: Value,
    ) -> Result<()> {
        let fence = context.fence();
        let mut unit = self.begin_unit().await?;
        let now = unit.now();
        let Some((seq, _)) = tasks::advance(
            unit.tx(),
            fence,
            Advance {
                events: 1,
                ..Advance::default()
            },
        )
        .await?
        else {
            return self.refuse(unit, context).await;
        };
        let end = steps::End {
            fence,
            key: &step.spec.key,
            attempt: step.number,
            state,
            result,
            usage,
        };
        if !steps::end(unit.tx(), end, now).await? {
            // It is written already: only the answer was lost.
            return unit.rollback().await;
        }
        let event = step.event(context.task(), &format!("step.{state}"), &data);
        unit.event(fence.tenant, fence.task, context.task().root, seq, event);
        self.commit(unit).await
    }

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

    /// Why the fence did not let a write pass. The attempt ends.
    pub(super) async fn refuse<T>(&self, unit: Unit, context: &TaskContext) -> Result<T> {
        unit.rollback().await?;
        let Fence { tenant, task, .. } = context.fence();
        let found = tasks::find(&self.db, tenant, task).await?;
        context.cancelled().cancel();
        match found {
            Some(task) if task.state == TaskState::Cancelled => {
                Err(stopped("the task was cancelled"))
            }
            Some(task) if task.state.is_terminal() => Err(stopped("the task has ended")),
            _ => Err(fenced_out()),
        }
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
