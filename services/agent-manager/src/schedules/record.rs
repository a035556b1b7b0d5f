//! A schedule as it is stored, and what became of its ticks: pure.

use std::fmt;
use std::str::FromStr;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use swarm_errors::{Code, Error, Result};
use swarm_types::{ScheduleId, TaskId, TenantId, Timestamp};

use super::{Definition, Plan, plan};
use crate::tasks::words;

words! {
    /// Where a schedule is in its life.
    ScheduleState {
        /// It ticks.
        Active = "active",
        /// It does not tick until it is resumed.
        Paused = "paused",
        /// Its last tick has passed.
        Ended = "ended",
    }
}

words! {
    /// What became of a tick.
    Outcome {
        /// It made its task.
        Fired = "fired",
        /// It waits for its turn.
        Waiting = "waiting",
        /// It made none.
        Skipped = "skipped",
        /// Not a tick: a person made the task.
        Run = "run",
    }
}

words! {
    /// Why a tick made no task.
    Skipped {
        /// Nobody was there, and it is not caught up.
        Missed = "missed",
        /// An earlier task had not ended.
        Overlap = "overlap",
        /// Too many ticks wait already, or too many tasks of the tenant.
        QueueFull = "queue_full",
        /// A later tick was due as well, which would have cancelled its task at once.
        Superseded = "superseded",
    }
}

/// A schedule.
#[derive(Debug, Clone, PartialEq)]
pub struct ScheduleRecord {
    /// Whose it is.
    pub tenant: TenantId,
    /// Its id.
    pub id: ScheduleId,
    /// What was asked for.
    pub definition: Definition,
    /// Where it is in its life.
    pub state: ScheduleState,
    /// The first tick of which nothing is decided; `None` while it does not tick.
    pub next_tick: Option<Timestamp>,
    /// The last tick of which something is decided: none before it is decided again, whatever
    /// clocks say.
    pub last_tick: Option<Timestamp>,
    /// Ticks that wait for their turn.
    pub waiting: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When a person last changed it.
    pub updated_at: Timestamp,
}

/// What became of one tick.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TickRecord {
    /// The id of its task, also where it made none.
    pub id: TaskId,
    /// The moment that the schedule names.
    pub tick: Timestamp,
    /// What became of it.
    pub outcome: Outcome,
    /// Why it made no task.
    pub reason: Option<Skipped>,
    /// More than one where several were missed, of which this was the first.
    pub count: u32,
    /// When that was decided.
    pub at: Timestamp,
}

impl ScheduleRecord {
    /// By how much its ticks are put off.
    #[must_use]
    pub fn jitter(&self) -> TimeDelta {
        self.definition.jitter_of(self.id)
    }

    /// When its next tick is due.
    #[must_use]
    pub fn next_at(&self) -> Option<Timestamp> {
        self.next_tick.map(|tick| tick + self.jitter())
    }

    /// What is to be done at `now`.
    ///
    /// # Errors
    /// When the stored definition is not one, which is a fault of ours.
    pub fn plan(&self, now: Timestamp) -> Result<Plan> {
        let table = self.definition.timetable(self.created_at)?;
        Ok(match self.next_tick {
            Some(first) => plan(&table, self.definition.catch_up, first, now - self.jitter()),
            None => Plan {
                missed: None,
                due: Vec::new(),
                last: None,
                next: None,
            },
        })
    }

    /// Goes on to the next tick, after something was decided of all before it.
    pub fn go_on(&mut self, next: Option<Timestamp>, last: Option<Timestamp>) {
        self.next_tick = next;
        self.last_tick = self.last_tick.max(last);
        self.end_if_done();
    }

    /// It has ended when no tick is left, and none waits.
    pub fn end_if_done(&mut self) {
        if self.state == ScheduleState::Active && self.next_tick.is_none() && self.waiting == 0 {
            self.state = ScheduleState::Ended;
        }
    }

    /// Stops ticking. Ticks of the meantime are not made up for.
    ///
    /// # Errors
    /// `failed_precondition` when it has ended.
    pub fn pause(&mut self, now: Timestamp) -> Result<()> {
        self.change(ScheduleState::Paused, now)?;
        self.next_tick = None;
        Ok(())
    }

    /// Ticks again, from now on. One that ticks already goes on as it does.
    ///
    /// # Errors
    /// `failed_precondition` when it has ended.
    pub fn resume(&mut self, now: Timestamp) -> Result<()> {
        if self.state == ScheduleState::Active {
            return Ok(());
        }
        self.change(ScheduleState::Active, now)?;
        let after = self.last_tick.map_or(now, |last| last.max(now));
        self.next_tick = self
            .definition
            .timetable(self.created_at)?
            .next_after(after);
        self.end_if_done();
        Ok(())
    }

    fn change(&mut self, state: ScheduleState, now: Timestamp) -> Result<()> {
        if self.state == ScheduleState::Ended {
            return Err(Error::new(
                Code::FailedPrecondition,
                "the schedule has ended",
            ));
        }
        if self.state != state {
            self.state = state;
            self.updated_at = now;
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "record_test.rs"]
mod tests;
