//! What many tasks have to write at the same time, in one transaction.

mod in_one;
mod in_parts;

use std::borrow::Cow;
use std::sync::Arc;

use swarm_database::{JsonText, Session};
use swarm_errors::Result;
use swarm_types::{StepId, TaskId, Timestamp};

use super::idempotency::RequestKey;
use super::leases::Owner;
use super::outbox::NewLetter;
use super::tasks::{Fence, Insert, Outcome};
use crate::events::NewEvent;
use crate::journal::{StepKind, StepState};
use crate::tasks::Usage;

/// What one task has to write: all of it or nothing. Its parts are written in the order of the
/// fields.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) fence: Fence,
    pub(crate) root: TaskId,
    pub(crate) birth: Option<Arc<Birth>>,
    pub(crate) ended: Vec<Arc<StepEnd>>,
    pub(crate) started: Option<Arc<StepStart>>,
    pub(crate) end: Option<Arc<TaskEnd>>,
}

/// The task itself, inserted as already taken by this replica.
#[derive(Debug)]
pub(crate) struct Birth {
    pub(crate) insert: Insert,
    pub(crate) request: Option<RequestKey>,
    pub(crate) operation: &'static str,
    pub(crate) events: Vec<Line>,
}

/// The end of an attempt of a step.
#[derive(Debug)]
pub(crate) struct StepEnd {
    pub(crate) key: String,
    pub(crate) attempt: u32,
    pub(crate) state: StepState,
    pub(crate) result: Option<JsonText>,
    pub(crate) usage: Usage,
    pub(crate) events: Vec<Line>,
}

/// The start of an attempt of a step.
#[derive(Debug)]
pub(crate) struct StepStart {
    pub(crate) key: String,
    pub(crate) id: StepId,
    pub(crate) kind: StepKind,
    pub(crate) name: String,
    pub(crate) attempt: u32,
    pub(crate) input: JsonText,
    /// Where it stands in the journal.
    pub(crate) position: i64,
    /// Whether no former attempt stands there.
    pub(crate) is_new: bool,
    pub(crate) event: Line,
}

/// The end of the task.
#[derive(Debug)]
pub(crate) struct TaskEnd {
    pub(crate) outcome: Outcome,
    /// The outcome's own.
    pub(crate) result: Option<JsonText>,
    pub(crate) at: Timestamp,
    pub(crate) letters: Vec<NewLetter>,
    pub(crate) event: Line,
}

/// An event that only wants its numbers.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) kind: Cow<'static, str>,
    pub(crate) data: JsonText,
}

impl Line {
    /// # Errors
    /// `invalid_argument` for U+0000.
    pub(crate) fn of(event: NewEvent) -> Result<Self> {
        Ok(Self {
            data: JsonText::of(&event.data)?,
            kind: event.kind.into(),
        })
    }

    /// Several as the store keeps them: a list of types and data.
    pub(crate) fn list<'a>(lines: impl IntoIterator<Item = &'a Self>) -> Result<JsonText> {
        let lines = lines.into_iter().map(|line| (&line.kind, &line.data));
        JsonText::of(&lines.collect::<Vec<_>>())
    }
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// It is committed; the sequence is that of the task's newest event.
    Committed { last_seq: i64 },
    /// Another worker holds the task, or it has ended, or its end has more to it than this.
    Refused,
    /// A birth: its key was used before.
    KeyTaken,
    /// A birth: the lease was lost.
    LeaseLost,
}

impl Change {
    /// Whether there is nothing to write.
    pub(crate) fn is_empty(&self) -> bool {
        self.birth.is_none()
            && self.ended.is_empty()
            && self.started.is_none()
            && self.end.is_none()
    }

    /// Whether it brings its task with it.
    pub(crate) fn is_birth(&self) -> bool {
        self.birth.is_some()
    }

    fn has_ends(&self) -> bool {
        !self.ended.is_empty() || self.end.is_some()
    }

    fn usage(&self) -> Usage {
        let mut usage = Usage::default();
        for end in &self.ended {
            usage += end.usage;
        }
        usage
    }

    /// How many steps it adds to the journal.
    fn new_steps(&self) -> i64 {
        i64::from(self.started.as_ref().is_some_and(|start| start.is_new))
    }

    /// Its events in their order.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &Line> {
        let birth = self.birth.iter().flat_map(|birth| &birth.events);
        let ended = self.ended.iter().flat_map(|end| &end.events);
        let started = self.started.iter().map(|start| &start.event);
        let end = self.end.iter().map(|end| &end.event);
        birth.chain(ended).chain(started).chain(end)
    }

    fn line_count(&self) -> i32 {
        i32::try_from(self.lines().count()).unwrap_or(i32::MAX)
    }

    /// The ends of steps that stay. When the next attempt of a step is started in the same
    /// breath, its start is written over the end of the former one.
    fn lasting_ends(&self) -> impl Iterator<Item = &StepEnd> {
        let again = self.started.as_ref().map(|start| start.key.as_str());
        let ends = self.ended.iter().map(AsRef::as_ref);
        ends.filter(move |end: &&StepEnd| Some(end.key.as_str()) != again)
    }
}

/// Writes changes of different trees in one transaction, and tells each one's fate in its order.
/// They are births, or none of them is one.
///
/// The fences are looked at first: what does not pass writes nothing, and holds back no other.
///
/// # Errors
/// Then nothing is written, unless it is `unavailable`: nobody knows. One change that spoils it
/// for all, such as the end of a step that is not running, fails with `internal`.
pub(crate) async fn write(
    session: &mut Session,
    owner: &Owner,
    changes: &[Arc<Change>],
    now: Timestamp,
) -> Result<Vec<Told>> {
    if changes.is_empty() {
        return Ok(Vec::new());
    }
    if !session.db().is_postgres() {
        return in_parts::write(session.db(), owner, changes, now).await;
    }
    let told = in_one::write(session, owner, changes, now).await;
    if told.is_err() {
        session.forget();
    }
    told
}

#[cfg(test)]
#[path = "changes_test.rs"]
mod tests;
