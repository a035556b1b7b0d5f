//! When tasks are made by time: the rules of schedules. Pure: no I/O in here, and time is an argument.
//!
//! A tick is a moment that a schedule names. [`Timetable`] says which there are, [`plan`] which of
//! those that have passed make a task, and [`Overlap`] what happens when the one before still runs.

mod definition;
mod ids;
mod overlap;
mod plan;
mod record;
mod timetable;

pub(crate) use definition::of_task;
pub use definition::{
    Cadence, CatchUp, Definition, MAX_CATCH_UP, MAX_JITTER_SECONDS, MAX_PERIOD_SECONDS, Template,
};
pub use ids::tick_task_id;
pub use overlap::{Decision, MAX_WAITING, Overlap};
pub use plan::{GRACE, Missed, Plan, plan};
pub use record::{Outcome, ScheduleRecord, ScheduleState, Skipped, TickRecord};
pub use timetable::Timetable;
