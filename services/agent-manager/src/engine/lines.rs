//! What the events of steps and of a task's end say. They are written for every step, so they go
//! into their text without a tree of values in between.

use serde::Serialize;
use swarm_database::JsonText;
use swarm_errors::Result;
use swarm_types::{AgentId, StepId, TaskId};

use super::step::Attempt;
use crate::store::changes::Line;
use crate::tasks::{TaskFailure, TaskRecord, Usage};

/// Results up to this size travel in events; larger ones are read from the journal.
const LONGEST_RESULT: usize = 32 * 1024;

/// A result as events carry it: a large one is left to the journal.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Short<'a> {
    Whole(&'a JsonText),
    Omitted { omitted_bytes: usize },
}

impl<'a> Short<'a> {
    fn of(result: &'a JsonText) -> Self {
        match result.get().len() {
            ..=LONGEST_RESULT => Self::Whole(result),
            omitted_bytes => Self::Omitted { omitted_bytes },
        }
    }
}

/// What an attempt of a step says, apart from whose it is.
#[derive(Debug, Default, Serialize)]
pub(super) struct Said<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Short<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a JsonText>,
}

impl<'a> Said<'a> {
    /// That it stands at this place of the journal.
    pub(super) fn at(position: i64) -> Self {
        Self {
            position: Some(position),
            ..Self::default()
        }
    }

    /// What came out, and what it used.
    pub(super) fn done(result: &'a JsonText, usage: Usage) -> Self {
        Self {
            result: Some(Short::of(result)),
            usage: Some(usage),
            ..Self::default()
        }
    }

    /// Why it failed.
    pub(super) fn failed(error: &'a JsonText) -> Self {
        Self {
            error: Some(error),
            ..Self::default()
        }
    }
}

#[derive(Debug, Serialize)]
struct OfStep<'a> {
    step: StepId,
    key: &'a str,
    kind: &'a str,
    name: &'a str,
    attempt: u32,
    agent_id: Option<AgentId>,
    #[serde(flatten)]
    said: Said<'a>,
}

/// An event of an attempt of a step.
pub(super) fn of_step(
    step: Attempt<'_>,
    task: &TaskRecord,
    kind: &'static str,
    said: Said<'_>,
) -> Result<Line> {
    let data = OfStep {
        step: step.id,
        key: &step.spec.key,
        kind: step.spec.kind.as_str(),
        name: &step.spec.name,
        attempt: step.number,
        agent_id: task.agent,
        said,
    };
    Ok(Line {
        kind: kind.into(),
        data: JsonText::of(&data)?,
    })
}

#[derive(Debug, Serialize)]
struct OfEnd<'a> {
    state: &'a str,
    result: Option<Short<'a>>,
    error: Option<&'a TaskFailure>,
    usage: Usage,
    duration_ms: Option<i64>,
    agent_id: Option<AgentId>,
    role: &'a str,
    parent_id: Option<TaskId>,
}

/// The event of a task's end; the result is the task's own.
pub(super) fn of_end(task: &TaskRecord, result: Option<&JsonText>) -> Result<Line> {
    let took = task.finished_at.map(|at| at - task.created_at);
    let data = OfEnd {
        state: task.state.as_str(),
        result: result.map(Short::of),
        error: task.failure.as_ref(),
        usage: task.usage,
        duration_ms: took.map(|took| took.num_milliseconds()),
        agent_id: task.agent,
        role: &task.role,
        parent_id: task.parent,
    };
    Ok(Line {
        kind: task.state.event().into(),
        data: JsonText::of(&data)?,
    })
}

/// The same for a task whose result was not written out yet.
pub(super) fn of_ended(task: &TaskRecord) -> Result<Line> {
    let result = task.result.as_ref().map(JsonText::of).transpose()?;
    of_end(task, result.as_ref())
}
