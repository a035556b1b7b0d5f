//! One step.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use swarm_types::{MessageId, StepId, TaskId, Timestamp};

use crate::events::NewEvent;
use crate::messages::NewMessage;
use crate::tasks::{NewTask, Usage, words};

words! {
    /// What sort of step it is.
    StepKind {
        /// A call of a model.
        Model = "model",
        /// A call of a tool.
        Tool = "tool",
        /// The making of sub-tasks.
        SubTask = "sub_task",
        /// The sending or taking up of messages.
        Message = "message",
        /// A proposal, a vote or a tally.
        Ballot = "ballot",
        /// A search of memory before work begins.
        Recall = "recall",
        /// Who is to do it.
        Choice = "choice",
        /// The cutting of documents.
        Passages = "passages",
    }
}

words! {
    /// Where a step stands.
    StepState {
        /// Written before the call.
        Started = "started",
        /// Written with the result.
        Finished = "finished",
        /// The call failed; it may be tried again.
        Failed = "failed",
        /// It was started, and nobody knows whether the call took effect.
        OutcomeUnknown = "outcome_unknown",
    }
}

words! {
    /// What to do with a call whose end is unknown after a crash.
    Safety {
        /// Repeat it, with the same token.
        Idempotent = "idempotent",
        /// Never repeat it.
        AtMostOnce = "at_most_once",
    }
}

/// A step that is about to be taken.
#[derive(Debug, Clone)]
pub struct StepSpec {
    /// Names the step within its task, the same under replay, such as `model/3`; at most 200 characters.
    pub key: String,
    /// What sort of step it is.
    pub kind: StepKind,
    /// The model, the tool, or whatever else is called.
    pub name: String,
    /// What goes in.
    pub input: Value,
    /// What to do with it when its end is unknown.
    pub safety: Safety,
    /// Its work leaves nothing outside this process and costs nothing.
    pub is_free: bool,
}

impl StepSpec {
    /// A step that may be repeated while its end is unknown.
    #[must_use]
    pub fn new(
        key: impl Into<String>,
        kind: StepKind,
        name: impl Into<String>,
        input: Value,
    ) -> Self {
        Self {
            key: key.into(),
            kind,
            name: name.into(),
            input,
            safety: Safety::Idempotent,
            is_free: false,
        }
    }

    /// The same step, which leaves nothing outside this process and costs nothing, so that nobody
    /// can tell whether it ran: it may begin while its task is still on its way to the store.
    #[must_use]
    pub const fn free(mut self) -> Self {
        self.is_free = true;
        self
    }

    /// The same step, which must never be repeated.
    #[must_use]
    pub fn at_most_once(mut self) -> Self {
        self.safety = Safety::AtMostOnce;
        self
    }
}

/// What came out of a step's work. All of it is committed in one transaction.
#[derive(Debug, Clone)]
pub struct StepDone<T> {
    /// The result, which a replay returns.
    pub result: T,
    /// What it used.
    pub usage: Usage,
    /// What else is to be told; `step.finished`, `message.sent` and `message.consumed` come by themselves.
    pub events: Vec<NewEvent>,
    /// Messages to send.
    pub send: Vec<NewMessage>,
    /// Pending messages that were taken up.
    pub consume: Vec<MessageId>,
    /// Sub-tasks to make, at most 256. Their ids follow from task, step key and place.
    pub children: Vec<NewTask>,
}

impl<T> StepDone<T> {
    /// A result, and nothing else.
    #[must_use]
    pub const fn new(result: T) -> Self {
        Self {
            result,
            usage: Usage {
                input_tokens: 0,
                output_tokens: 0,
                cached_tokens: 0,
                model_calls: 0,
                tool_calls: 0,
            },
            events: Vec::new(),
            send: Vec::new(),
            consume: Vec::new(),
            children: Vec::new(),
        }
    }

    /// What it used.
    #[must_use]
    pub const fn with_usage(mut self, usage: Usage) -> Self {
        self.usage = usage;
        self
    }

    /// One more event.
    #[must_use]
    pub fn with_event(mut self, event: NewEvent) -> Self {
        self.events.push(event);
        self
    }
}

/// One entry of the journal.
#[derive(Debug, Clone, PartialEq)]
pub struct StepRecord {
    /// Its id.
    pub id: StepId,
    /// Of which task.
    pub task: TaskId,
    /// Its name within the task.
    pub key: String,
    /// From 0, in the order of their first start.
    pub position: u32,
    /// What sort of step it is.
    pub kind: StepKind,
    /// What is called.
    pub name: String,
    /// Where it stands.
    pub state: StepState,
    /// From 1; one more after each recorded failure.
    pub attempt: u32,
    /// The task's epoch at its newest start.
    pub epoch: i64,
    /// What went in.
    pub input: Value,
    /// What came out; of a failed step the error.
    pub result: Option<Value>,
    /// What it used.
    pub usage: Usage,
    /// When its newest attempt began.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}
