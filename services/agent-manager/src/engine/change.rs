//! What one task has to tell, all of it or nothing in one commit.

use std::sync::Arc;

use serde_json::Value;
use swarm_types::{StepId, TaskId, Timestamp};

use crate::events::NewEvent;
use crate::journal::{StepKind, StepState};
use crate::store::idempotency::RequestKey;
use crate::store::outbox::NewLetter;
use crate::store::tasks::{Fence, Insert, Outcome};
use crate::tasks::Usage;

/// A change of one task. Its parts are written in the order of the fields.
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub(super) fence: Fence,
    pub(super) root: TaskId,
    pub(super) birth: Option<Arc<Birth>>,
    pub(super) ended: Vec<Arc<StepEnd>>,
    pub(super) started: Option<Arc<StepStart>>,
    pub(super) end: Option<Arc<TaskEnd>>,
}

/// The task itself, inserted as already taken by this replica.
#[derive(Debug)]
pub(super) struct Birth {
    pub(super) insert: Insert,
    pub(super) request: Option<RequestKey>,
    pub(super) operation: &'static str,
    pub(super) events: Vec<NewEvent>,
}

/// The end of an attempt of a step.
#[derive(Debug)]
pub(super) struct StepEnd {
    pub(super) key: String,
    pub(super) attempt: u32,
    pub(super) state: StepState,
    pub(super) result: Option<Value>,
    pub(super) usage: Usage,
    pub(super) events: Vec<NewEvent>,
}

/// The start of an attempt of a step.
#[derive(Debug)]
pub(super) struct StepStart {
    pub(super) key: String,
    pub(super) id: StepId,
    pub(super) kind: StepKind,
    pub(super) name: String,
    pub(super) attempt: u32,
    pub(super) input: Value,
    /// Where a former attempt stands in the journal; a new step takes the next place.
    pub(super) position: Option<i64>,
    pub(super) event: NewEvent,
}

/// The end of the task.
#[derive(Debug)]
pub(super) struct TaskEnd {
    pub(super) outcome: Outcome,
    pub(super) at: Timestamp,
    pub(super) letters: Vec<NewLetter>,
    pub(super) event: NewEvent,
}

impl Change {
    /// Whether there is nothing to write.
    pub(super) fn is_empty(&self) -> bool {
        self.birth.is_none()
            && self.ended.is_empty()
            && self.started.is_none()
            && self.end.is_none()
    }

    pub(super) fn usage(&self) -> Usage {
        let mut usage = Usage::default();
        for end in &self.ended {
            usage += end.usage;
        }
        usage
    }

    /// How many steps it adds to the journal.
    pub(super) fn new_steps(&self) -> i64 {
        let is_new = self
            .started
            .as_ref()
            .is_some_and(|start| start.position.is_none());
        i64::from(is_new)
    }

    pub(super) fn event_count(&self) -> i64 {
        let birth = self.birth.as_ref().map_or(0, |birth| birth.events.len());
        let ended: usize = self.ended.iter().map(|end| end.events.len()).sum();
        let others = usize::from(self.started.is_some()) + usize::from(self.end.is_some());
        i64::try_from(birth + ended + others).unwrap_or(i64::MAX)
    }

    /// Its events in their order. A step's start says at which place of the journal it stands.
    pub(super) fn events(&self, position: i64) -> Vec<NewEvent> {
        let mut events = Vec::new();
        if let Some(birth) = &self.birth {
            events.extend(birth.events.iter().cloned());
        }
        for end in &self.ended {
            events.extend(end.events.iter().cloned());
        }
        if let Some(start) = &self.started {
            let mut event = start.event.clone();
            event.data["position"] = position.into();
            events.push(event);
        }
        if let Some(end) = &self.end {
            events.push(end.event.clone());
        }
        events
    }
}
