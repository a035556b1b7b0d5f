//! To the wire.

use swarm_errors::Result;
use swarm_proto::agents::v1 as wire;
use swarm_proto::convert::{text_or_empty, to_wire_time};

use crate::grpc::encode::{spec, spec_in_list};
use crate::schedules::{
    Cadence, CatchUp, Outcome, Overlap, ScheduleRecord, ScheduleState, TickRecord,
};

/// A schedule with all of its task's input.
pub(super) fn schedule(schedule: &ScheduleRecord) -> Result<wire::Schedule> {
    let task = &schedule.definition.task;
    Ok(encode(schedule, spec(&task.spec, task.priority)?))
}

/// A schedule among others: of its task's documents, names and sizes.
pub(super) fn schedule_in_list(schedule: &ScheduleRecord) -> Result<wire::Schedule> {
    let task = &schedule.definition.task;
    Ok(encode(schedule, spec_in_list(&task.spec, task.priority)?))
}

fn encode(schedule: &ScheduleRecord, task: wire::TaskSpec) -> wire::Schedule {
    let definition = &schedule.definition;
    let (cron, zone, every_seconds) = match &definition.cadence {
        Cadence::Cron { pattern, zone } => (pattern.clone(), zone.clone(), 0),
        Cadence::Every { seconds } => (String::new(), String::new(), *seconds),
    };
    wire::Schedule {
        id: schedule.id.to_string(),
        name: definition.name.clone(),
        cron,
        zone,
        every_seconds,
        task: Some(task),
        time_limit_seconds: definition.task.time_limit_seconds,
        catch_up: Some(catch_up(definition.catch_up)),
        overlap: overlap(definition.overlap).into(),
        jitter_seconds: definition.jitter_seconds,
        starts_at: definition.starts_at.map(to_wire_time),
        ends_at: definition.ends_at.map(to_wire_time),
        state: state(schedule.state).into(),
        next_at: schedule.next_at().map(to_wire_time),
        waiting: schedule.waiting,
        last_ticks: Vec::new(),
        created_at: Some(to_wire_time(schedule.created_at)),
        updated_at: Some(to_wire_time(schedule.updated_at)),
    }
}

pub(super) fn tick(tick: &TickRecord) -> wire::Tick {
    let made = matches!(tick.outcome, Outcome::Fired | Outcome::Run);
    wire::Tick {
        tick: Some(to_wire_time(tick.tick)),
        outcome: outcome(tick.outcome).into(),
        reason: text_or_empty(tick.reason.as_ref()),
        task_id: text_or_empty(made.then_some(&tick.id)),
        count: tick.count,
        at: Some(to_wire_time(tick.at)),
    }
}

fn catch_up(catch_up: CatchUp) -> wire::CatchUp {
    use wire::CatchUpPolicy as Wire;
    let (policy, limit, max_age) = match catch_up {
        CatchUp::None => (Wire::None, 0, None),
        CatchUp::Last { max_age_seconds } => (Wire::Last, 0, max_age_seconds),
        CatchUp::All {
            limit,
            max_age_seconds,
        } => (Wire::All, limit, max_age_seconds),
    };
    wire::CatchUp {
        policy: policy.into(),
        limit,
        max_age_seconds: max_age.unwrap_or(0),
    }
}

const fn overlap(overlap: Overlap) -> wire::Overlap {
    match overlap {
        Overlap::Allow => wire::Overlap::Allow,
        Overlap::Skip => wire::Overlap::Skip,
        Overlap::CancelPrevious => wire::Overlap::CancelPrevious,
        Overlap::Queue => wire::Overlap::Queue,
    }
}

const fn state(state: ScheduleState) -> wire::ScheduleState {
    match state {
        ScheduleState::Active => wire::ScheduleState::Active,
        ScheduleState::Paused => wire::ScheduleState::Paused,
        ScheduleState::Ended => wire::ScheduleState::Ended,
    }
}

const fn outcome(outcome: Outcome) -> wire::TickOutcome {
    match outcome {
        Outcome::Fired => wire::TickOutcome::Fired,
        Outcome::Waiting => wire::TickOutcome::Waiting,
        Outcome::Skipped => wire::TickOutcome::Skipped,
        Outcome::Run => wire::TickOutcome::Run,
    }
}
