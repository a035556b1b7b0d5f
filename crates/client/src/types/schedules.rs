//! Schedules and their ticks.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use swarm_types::{Priority, Timestamp};

use super::retry::RetryPolicy;
use super::tasks::{NewTask, Strategy};

/// What becomes of ticks that nobody was there for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatchUp {
    /// `none`, `last` or `all`.
    pub policy: String,
    /// For `all`: how many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// For `last` and `all`: older ticks are left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age_seconds: Option<u32>,
}

/// A schedule to create. It has either `cron` or `every_seconds`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct NewSchedule {
    /// Unique among the tenant's schedules.
    pub name: String,
    /// A pattern such as `0 3 * * *`, or a word such as `@hourly`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cron: Option<String>,
    /// The time zone in which `cron` is meant, such as `Europe/Berlin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// From one tick to the next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every_seconds: Option<u32>,
    /// What each tick makes; without a deadline.
    pub task: NewTask,
    /// A task ends so long after it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_limit_seconds: Option<u32>,
    /// What becomes of ticks that nobody was there for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub catch_up: Option<CatchUp>,
    /// `allow`, `skip`, `cancel_previous` or `queue`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overlap: Option<String>,
    /// By up to so many seconds the ticks are put off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jitter_seconds: Option<u32>,
    /// No tick is before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<Timestamp>,
    /// No tick is after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
    /// Whether it does not tick before it is resumed.
    pub paused: bool,
}

/// What each tick of a schedule makes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScheduledTask {
    /// The word by which it is grouped.
    pub kind: String,
    /// What is asked.
    pub input: Value,
    /// The agent that shall do it.
    pub agent_id: Option<String>,
    /// The pool of which any agent may do it.
    pub pool: Option<String>,
    /// How it is worked on.
    pub strategy: Option<Strategy>,
    /// How urgent it is.
    pub priority: Priority,
    /// Words of the caller's own.
    #[serde(default)]
    pub metadata: BTreeMap<String, String>,
    /// When it is tried again after a failure.
    pub retry: Option<RetryPolicy>,
}

/// What became of a tick.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tick {
    /// The moment that the schedule names.
    pub tick: Option<Timestamp>,
    /// `fired`, `waiting`, `skipped`, or `run` where somebody had it run.
    pub outcome: String,
    /// Why it made no task: `missed`, `overlap`, `queue_full`, `superseded`.
    pub reason: Option<String>,
    /// The task it made.
    pub task_id: Option<String>,
    /// More than 1 where several were missed; 1000 stands for that or more.
    #[serde(default)]
    pub count: u32,
    /// When that was decided.
    pub at: Option<Timestamp>,
}

/// What makes tasks at given times.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// A pattern,
    pub cron: Option<String>,
    /// with its time zone,
    pub zone: Option<String>,
    /// or a period.
    pub every_seconds: Option<u32>,
    /// What each tick makes.
    pub task: ScheduledTask,
    /// A task ends so long after it was made.
    #[serde(default)]
    pub time_limit_seconds: u32,
    /// What becomes of ticks that nobody was there for.
    pub catch_up: CatchUp,
    /// What a tick does while an earlier task has not ended.
    pub overlap: String,
    /// By up to so many seconds the ticks are put off.
    #[serde(default)]
    pub jitter_seconds: u32,
    /// No tick is before.
    pub starts_at: Option<Timestamp>,
    /// No tick is after.
    pub ends_at: Option<Timestamp>,
    /// `active`, `paused` or `ended`.
    pub state: String,
    /// When the next tick is due.
    pub next_at: Option<Timestamp>,
    /// Ticks that wait for their turn.
    #[serde(default)]
    pub waiting: u32,
    /// What became of the last ticks, the newest first; not in lists.
    #[serde(default)]
    pub last_ticks: Vec<Tick>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// When it was last paused or resumed.
    pub updated_at: Option<Timestamp>,
}
