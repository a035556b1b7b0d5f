//! What a person says of a schedule, and the checks of it: pure. Fields are named as in the public
//! shape.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use swarm_errors::{Error, Result};
use swarm_types::{Priority, ScheduleId, Timestamp};

use super::{Overlap, Timetable};
use crate::tasks::{TaskSpec, has_nul};

/// The longest time between two ticks of `every_seconds`: a year.
pub const MAX_PERIOD_SECONDS: u32 = 366 * 24 * 60 * 60;
/// The most by which a schedule's ticks are put off.
pub const MAX_JITTER_SECONDS: u32 = 60 * 60;
/// The most missed ticks that are caught up at once.
pub const MAX_CATCH_UP: u32 = 100;
const MAX_AGE_SECONDS: u32 = MAX_PERIOD_SECONDS;
const MAX_TIME_LIMIT_SECONDS: u32 = 30 * 24 * 60 * 60;
const MAX_NAME: usize = 200;
const MAX_PATTERN: usize = 200;

/// When a schedule ticks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cadence {
    /// When the clock on the wall shows a time that the pattern names.
    Cron {
        /// Five fields, six with seconds in front, or a word such as `@hourly`.
        pattern: String,
        /// The wall's time zone, such as `Europe/Berlin`.
        zone: String,
    },
    /// Each time that so many seconds have passed.
    Every {
        /// At least one.
        seconds: u32,
    },
}

/// What becomes of ticks that nobody was there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "policy")]
pub enum CatchUp {
    /// They are left out; the newest counts as missed after [`super::GRACE`].
    None,
    /// The newest makes its task, the others are left out.
    Last {
        /// Older ones are left out in any case.
        max_age_seconds: Option<u32>,
    },
    /// The newest make their tasks, in order; the others are left out.
    All {
        /// How many, up to [`MAX_CATCH_UP`].
        limit: u32,
        /// Older ones are left out in any case.
        max_age_seconds: Option<u32>,
    },
}

/// The task that a tick makes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Template {
    /// What is wanted.
    pub spec: TaskSpec,
    /// How urgent it is.
    pub priority: Priority,
    /// It ends so long after it was made.
    pub time_limit_seconds: u32,
}

/// A schedule as a person has written it. It does not change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Definition {
    /// Unique among the tenant's schedules.
    pub name: String,
    /// When it ticks.
    pub cadence: Cadence,
    /// What is missed, and what becomes of it.
    pub catch_up: CatchUp,
    /// What a tick does while an earlier task runs.
    pub overlap: Overlap,
    /// By up to so many seconds the ticks are put off, always by the same part of it, so that
    /// schedules of one pattern do not all come at once.
    pub jitter_seconds: u32,
    /// No tick is before.
    pub starts_at: Option<Timestamp>,
    /// No tick is after.
    pub ends_at: Option<Timestamp>,
    /// What a tick makes.
    pub task: Template,
}

impl Definition {
    /// Checks it, as far as no store is needed.
    ///
    /// # Errors
    /// `invalid_argument` that names the field.
    pub fn check(&self, now: Timestamp) -> Result<()> {
        check_name(&self.name)?;
        match &self.cadence {
            Cadence::Cron { pattern, .. } if pattern.len() > MAX_PATTERN => {
                let message = format!("must have at most {MAX_PATTERN} characters");
                return Err(Error::invalid("cron", message));
            }
            Cadence::Cron { .. } => {}
            Cadence::Every { seconds } => {
                within("every_seconds", *seconds, 1, MAX_PERIOD_SECONDS)?;
            }
        }
        within("jitter_seconds", self.jitter_seconds, 0, MAX_JITTER_SECONDS)?;
        let limit = self.task.time_limit_seconds;
        within("time_limit_seconds", limit, 1, MAX_TIME_LIMIT_SECONDS)?;
        self.catch_up.check()?;
        if self.ends_at.is_some_and(|end| end <= now) {
            return Err(Error::invalid("ends_at", "must be in the future"));
        }
        if let (Some(start), Some(end)) = (self.starts_at, self.ends_at)
            && end < start
        {
            return Err(Error::invalid("ends_at", "must not be before starts_at"));
        }
        if self.timetable(now)?.next_after(now).is_none() {
            let field = match self.cadence {
                Cadence::Cron { .. } => "cron",
                Cadence::Every { .. } => "every_seconds",
            };
            return Err(Error::invalid(
                field,
                "never comes between starts_at and ends_at",
            ));
        }
        Ok(())
    }

    /// Its ticks, where those of `every_seconds` are counted from `anchor` unless it has a start.
    ///
    /// # Errors
    /// `invalid_argument` when pattern or zone are not what they should be.
    pub fn timetable(&self, anchor: Timestamp) -> Result<Timetable> {
        Timetable::new(&self.cadence, anchor, self.starts_at, self.ends_at)
    }

    /// By how much the ticks of this schedule are put off: the same for each of them, so they stay
    /// in order.
    #[must_use]
    pub fn jitter_of(&self, id: ScheduleId) -> TimeDelta {
        let most = u128::from(self.jitter_seconds) * 1_000 + 1;
        // The last bits of an id are random.
        let millis = (id.uuid().as_u128() & 0xffff_ffff_ffff) % most;
        TimeDelta::milliseconds(i64::try_from(millis).unwrap_or(0))
    }
}

impl CatchUp {
    fn check(self) -> Result<()> {
        if let Self::All { limit, .. } = self {
            within("catch_up.limit", limit, 1, MAX_CATCH_UP)?;
        }
        match self.max_age() {
            Some(age) => within("catch_up.max_age_seconds", age, 1, MAX_AGE_SECONDS),
            None => Ok(()),
        }
    }

    /// How many ticks of those that have passed may make a task.
    pub(super) const fn limit(self) -> usize {
        match self {
            Self::None | Self::Last { .. } => 1,
            Self::All { limit, .. } => limit as usize,
        }
    }

    /// In seconds.
    pub(super) const fn max_age(self) -> Option<u32> {
        match self {
            Self::None => None,
            Self::Last { max_age_seconds }
            | Self::All {
                max_age_seconds, ..
            } => max_age_seconds,
        }
    }
}

/// An error about a field of the task, as one about a field of the schedule.
pub(crate) fn of_task(error: Error) -> Error {
    if error.fields().is_empty() {
        return error;
    }
    let inner = |field: &str| format!("task.{field}");
    let fields = error.fields().to_vec();
    let detail = fields.first().map_or_else(
        || error.detail().to_owned(),
        |first| format!("{}: {}", inner(&first.field), first.message),
    );
    fields
        .iter()
        .fold(Error::new(error.code(), detail), |error, field| {
            error.with_field(inner(&field.field), &field.message)
        })
}

fn check_name(name: &str) -> Result<()> {
    if name.trim().is_empty() {
        return Err(Error::invalid("name", "must not be empty"));
    }
    if name.chars().count() > MAX_NAME || has_nul(name) {
        let message = format!("must have at most {MAX_NAME} characters, without U+0000");
        return Err(Error::invalid("name", message));
    }
    Ok(())
}

fn within(field: &str, value: u32, least: u32, most: u32) -> Result<()> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(Error::invalid(
        field,
        format!("must be between {least} and {most}"),
    ))
}

#[cfg(test)]
#[path = "definition_test.rs"]
mod tests;
