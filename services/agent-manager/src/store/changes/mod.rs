//! What many tasks have to write at the same time, in one transaction.

mod in_one;
mod in_parts;

use std::borrow::Cow;
use std::sync::Arc;

use swarm_database::{JsonText, Session};
use swarm_errors::{Error, Result};
use swarm_types::{StepId, TaskId, Timestamp};

use super::idempotency::RequestKey;
use super::leases::Owner;
use super::outbox::NewLetter;
use super::tasks::{Fence, Insert, Outcome};
use crate::events::NewEvent;
use crate::journal::{StepKind, StepState};
use crate::tasks::{TaskState, Usage};

/// What one task has to write: all of it or nothing. It has happened in the order of the fields.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) fence: Fence,
    pub(crate) root: TaskId,
    pub(crate) birth: Option<Arc<Birth>>,
    pub(crate) journal: Vec<Entry>,
    pub(crate) end: Option<Arc<TaskEnd>>,
}

/// Something that has happened to a step.
#[derive(Debug, Clone)]
pub(crate) enum Entry {
    Started(Arc<StepStart>),
    Ended(Arc<StepEnd>),
}

impl Entry {
    fn lines(&self) -> &[Line] {
        match self {
            Self::Started(start) => std::slice::from_ref(&start.event),
            Self::Ended(end) => &end.events,
        }
    }
}

/// A step as a change leaves it, with what the change knows of it.
#[derive(Debug)]
enum Left<'a> {
    /// Its newest attempt was started, and may have ended in the same breath.
    Begun(&'a StepStart, Option<&'a StepEnd>),
    /// The attempt that stands in the store has ended.
    Over(&'a StepEnd),
}

impl Left<'_> {
    fn key(&self) -> &str {
        match self {
            Self::Begun(start, _) => &start.key,
            Self::Over(end) => &end.key,
        }
    }
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
        self.birth.is_none() && self.journal.is_empty() && self.end.is_none()
    }

    /// Whether it brings its task with it.
    pub(crate) fn is_birth(&self) -> bool {
        self.birth.is_some()
    }

    /// The state in which a task comes into the store.
    fn state_at_birth(&self, birth: &Birth) -> TaskState {
        let end = self.end.as_ref().map(|end| end.outcome.state());
        end.unwrap_or(birth.insert.record.state)
    }

    /// A task may end at its birth, but only well: an end that has more to it takes its own time.
    fn check(&self) -> Result<()> {
        let ends_well = |end: &Arc<TaskEnd>| matches!(end.outcome, Outcome::Completed(_));
        if self.is_birth() && !self.end.iter().all(ends_well) {
            return Err(Error::internal("a task fails at its birth"));
        }
        if self.is_birth() && self.over().next().is_some() {
            return Err(Error::internal("a step ends that was not started"));
        }
        Ok(())
    }

    fn usage(&self) -> Usage {
        let mut usage = Usage::default();
        for entry in &self.journal {
            if let Entry::Ended(end) = entry {
                usage += end.usage;
            }
        }
        usage
    }

    /// How many steps it adds to the journal.
    fn new_steps(&self) -> i64 {
        let is_new = |entry: &Entry| matches!(entry, Entry::Started(start) if start.is_new);
        (self.journal.iter().map(|entry| i64::from(is_new(entry)))).sum()
    }

    /// Its events in their order.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &Line> {
        let birth = self.birth.iter().flat_map(|birth| &birth.events);
        let journal = self.journal.iter().flat_map(Entry::lines);
        let end = self.end.iter().map(|end| &end.event);
        birth.chain(journal).chain(end)
    }

    fn line_count(&self) -> i32 {
        i32::try_from(self.lines().count()).unwrap_or(i32::MAX)
    }

    /// Its steps as they are in the end: the start of an attempt takes the place of the former one.
    fn left(&self) -> Vec<Left<'_>> {
        let mut left: Vec<Left<'_>> = Vec::with_capacity(1);
        for entry in &self.journal {
            let key = match entry {
                Entry::Started(start) => &start.key,
                Entry::Ended(end) => &end.key,
            };
            let known = left.iter_mut().find(|step| step.key() == key);
            match (entry, known) {
                (Entry::Started(start), Some(step)) => *step = Left::Begun(start, None),
                (Entry::Started(start), None) => left.push(Left::Begun(start, None)),
                (Entry::Ended(end), Some(Left::Begun(_, ended))) => *ended = Some(end),
                (Entry::Ended(end), Some(step)) => *step = Left::Over(end),
                (Entry::Ended(end), None) => left.push(Left::Over(end)),
            }
        }
        left
    }

    /// The steps that it writes anew, with their ends if they have ended.
    fn begun(&self) -> impl Iterator<Item = (&StepStart, Option<&StepEnd>)> {
        self.left().into_iter().filter_map(|step| match step {
            Left::Begun(start, end) => Some((start, end)),
            Left::Over(_) => None,
        })
    }

    /// The ends of what was started before.
    fn over(&self) -> impl Iterator<Item = &StepEnd> {
        self.left().into_iter().filter_map(|step| match step {
            Left::Begun(..) => None,
            Left::Over(end) => Some(end),
        })
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
    for change in changes {
        change.check()?;
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
