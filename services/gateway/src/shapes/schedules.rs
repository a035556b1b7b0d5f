//! Schedules and their ticks.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use swarm_proto::agents::v1 as wire;
use swarm_proto::common::v1::RequestKey;
use utoipa::{IntoParams, ToSchema};

use super::page::paged;
use super::retry::RetryPolicy;
use super::tasks::{NewTask, Priority, Strategy};
use super::wire::{Time, Word, json, some, text, time, words};

words! {
    /// Where a schedule is in its life.
    ScheduleState = wire::ScheduleState {
        /// It ticks.
        Active,
        /// It does not tick until it is resumed.
        Paused,
        /// Its last tick has passed.
        Ended,
    }

    /// What becomes of ticks that nobody was there for.
    CatchUpPolicy = wire::CatchUpPolicy {
        /// They are left out.
        None,
        /// The newest makes its task.
        Last,
        /// The newest make their tasks, up to the limit.
        All,
    }

    /// What a tick does while an earlier task of the schedule has not ended.
    Overlap = wire::Overlap {
        /// It makes its task all the same.
        Allow,
        /// It makes none.
        Skip,
        /// The earlier task is cancelled first.
        CancelPrevious,
        /// It waits until the earlier task has ended; at most 100 wait.
        Queue,
    }

    /// What became of a tick.
    TickOutcome = wire::TickOutcome {
        /// It made its task.
        Fired,
        /// It waits for its turn.
        Waiting,
        /// It made none.
        Skipped,
        /// Not a tick: somebody had the schedule run.
        Run,
    }
}

/// What becomes of ticks that nobody was there for.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CatchUp {
    #[schema(required)]
    policy: Option<CatchUpPolicy>,
    /// For `all`: how many, at most 100, which it is unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<u32>,
    /// For `last` and `all`: older ticks are left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_age_seconds: Option<u32>,
}

impl From<CatchUp> for wire::CatchUp {
    fn from(catch_up: CatchUp) -> Self {
        Self {
            policy: CatchUpPolicy::or_unspecified(catch_up.policy),
            limit: catch_up.limit.unwrap_or_default(),
            max_age_seconds: catch_up.max_age_seconds.unwrap_or_default(),
        }
    }
}

impl From<wire::CatchUp> for CatchUp {
    fn from(catch_up: wire::CatchUp) -> Self {
        Self {
            policy: CatchUpPolicy::from_wire(catch_up.policy),
            limit: above_zero(catch_up.limit),
            max_age_seconds: above_zero(catch_up.max_age_seconds),
        }
    }
}

/// On the wire, 0 stands for what is not there.
fn above_zero(number: u32) -> Option<u32> {
    (number > 0).then_some(number)
}

/// A schedule to create. It has either `cron` or `every_seconds`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewSchedule {
    /// Unique among the tenant's schedules.
    #[schema(example = "nightly")]
    name: String,
    /// Five fields (minute, hour, day, month, day of the week), six with seconds in front, or a word
    /// such as `@hourly`.
    #[schema(example = "0 3 * * *")]
    cron: Option<String>,
    /// The time zone in which `cron` is meant; UTC unless given.
    #[schema(example = "Europe/Berlin")]
    zone: Option<String>,
    /// From one tick to the next, counted from `starts_at`, or from now on.
    every_seconds: Option<u32>,
    /// What each tick makes; without a deadline.
    pub(crate) task: NewTask,
    /// A task ends so long after it was made; 24 hours unless given.
    time_limit_seconds: Option<u32>,
    /// `last` unless given.
    catch_up: Option<CatchUp>,
    /// `skip` unless given.
    overlap: Option<Overlap>,
    /// By up to so many seconds the ticks are put off, always by the same part of it, so that
    /// schedules of one pattern do not all come at once.
    jitter_seconds: Option<u32>,
    /// No tick is before.
    starts_at: Option<Time>,
    /// No tick is after.
    ends_at: Option<Time>,
    /// Whether it does not tick before it is resumed.
    #[serde(default)]
    paused: bool,
}

impl NewSchedule {
    /// For the wire.
    pub(crate) fn into_wire(self, key: RequestKey) -> wire::CreateScheduleRequest {
        let schedule = wire::Schedule {
            name: self.name,
            cron: text(self.cron),
            zone: text(self.zone),
            every_seconds: self.every_seconds.unwrap_or_default(),
            task: Some(self.task.into()),
            time_limit_seconds: self.time_limit_seconds.unwrap_or_default(),
            catch_up: self.catch_up.map(Into::into),
            overlap: Overlap::or_unspecified(self.overlap),
            jitter_seconds: self.jitter_seconds.unwrap_or_default(),
            starts_at: self.starts_at.map(Time::to_wire),
            ends_at: self.ends_at.map(Time::to_wire),
            ..wire::Schedule::default()
        };
        wire::CreateScheduleRequest {
            request: Some(key),
            schedule: Some(schedule),
            paused: self.paused,
        }
    }
}

/// What each tick of a schedule makes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ScheduledTask {
    kind: String,
    /// What is asked; in lists, documents are names and sizes.
    #[schema(value_type = Object)]
    input: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pool: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strategy: Option<Strategy>,
    #[schema(value_type = Priority)]
    priority: swarm_types::Priority,
    /// Words of the caller's own.
    metadata: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry: Option<RetryPolicy>,
}

impl From<wire::TaskSpec> for ScheduledTask {
    fn from(spec: wire::TaskSpec) -> Self {
        Self {
            kind: spec.kind,
            input: json(spec.input_json).unwrap_or_default(),
            agent_id: some(spec.agent_id),
            pool: some(spec.pool),
            strategy: spec.strategy.map(Into::into),
            priority: spec.priority.parse().unwrap_or_default(),
            metadata: spec.metadata.into_iter().collect(),
            retry: spec.retry.map(Into::into),
        }
    }
}

/// What became of a tick.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Tick {
    /// The moment that the schedule names.
    #[serde(skip_serializing_if = "Option::is_none")]
    tick: Option<Time>,
    #[schema(required)]
    outcome: Option<TickOutcome>,
    /// Why it made no task: `missed`, `overlap`, `queue_full`, `superseded`.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// The task it made.
    #[serde(skip_serializing_if = "Option::is_none")]
    task_id: Option<String>,
    /// More than 1 where several were missed, of which this was the first; 1000 stands for that or
    /// more.
    count: u32,
    /// When that was decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<Time>,
}

impl From<wire::Tick> for Tick {
    fn from(tick: wire::Tick) -> Self {
        Self {
            tick: time(tick.tick),
            outcome: TickOutcome::from_wire(tick.outcome),
            reason: some(tick.reason),
            task_id: some(tick.task_id),
            count: tick.count,
            at: time(tick.at),
        }
    }
}

/// What makes tasks at given times.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Schedule {
    pub(crate) id: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    cron: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    zone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    every_seconds: Option<u32>,
    task: ScheduledTask,
    time_limit_seconds: u32,
    catch_up: CatchUp,
    #[schema(required)]
    overlap: Option<Overlap>,
    jitter_seconds: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    starts_at: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_at: Option<Time>,
    #[schema(required)]
    state: Option<ScheduleState>,
    /// When the next tick is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_at: Option<Time>,
    /// Ticks that wait for their turn.
    waiting: u32,
    /// What became of the last ticks, the newest first; not in lists.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    last_ticks: Vec<Tick>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<Time>,
    /// When it was last paused or resumed.
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<Time>,
}

impl From<wire::Schedule> for Schedule {
    fn from(schedule: wire::Schedule) -> Self {
        Self {
            id: schedule.id,
            name: schedule.name,
            cron: some(schedule.cron),
            zone: some(schedule.zone),
            every_seconds: above_zero(schedule.every_seconds),
            task: schedule.task.unwrap_or_default().into(),
            time_limit_seconds: schedule.time_limit_seconds,
            catch_up: schedule.catch_up.unwrap_or_default().into(),
            overlap: Overlap::from_wire(schedule.overlap),
            jitter_seconds: schedule.jitter_seconds,
            starts_at: time(schedule.starts_at),
            ends_at: time(schedule.ends_at),
            state: ScheduleState::from_wire(schedule.state),
            next_at: time(schedule.next_at),
            waiting: schedule.waiting,
            last_ticks: schedule.last_ticks.into_iter().map(Into::into).collect(),
            created_at: time(schedule.created_at),
            updated_at: time(schedule.updated_at),
        }
    }
}

/// Which schedules are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListSchedules {
    /// The one of this name.
    pub(crate) name: Option<String>,
    /// How many items, 50 unless given.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

paged!(ListSchedules);
