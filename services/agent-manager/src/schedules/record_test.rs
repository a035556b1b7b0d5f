#![allow(clippy::unwrap_used)]
use chrono::DateTime;
use swarm_types::Priority;

use super::*;
use crate::schedules::{Cadence, CatchUp, Overlap, Template};
use crate::tasks::TaskSpec;

fn at(second: i64) -> Timestamp {
    DateTime::from_timestamp(1_795_500_000 + second, 0).unwrap()
}

/// Each ten seconds from 0 on, for a minute.
fn schedule() -> ScheduleRecord {
    ScheduleRecord {
        tenant: TenantId::new(),
        id: ScheduleId::new(),
        definition: Definition {
            name: "often".into(),
            cadence: Cadence::Every { seconds: 10 },
            catch_up: CatchUp::None,
            overlap: Overlap::Allow,
            jitter_seconds: 0,
            starts_at: None,
            ends_at: Some(at(60)),
            task: Template {
                spec: TaskSpec::default(),
                priority: Priority::Normal,
                time_limit_seconds: 60,
            },
        },
        state: ScheduleState::Active,
        next_tick: Some(at(10)),
        last_tick: None,
        waiting: 0,
        created_at: at(0),
        updated_at: at(0),
    }
}

#[test]
fn ticks_of_a_pause_are_not_made_up_for() {
    let mut schedule = schedule();
    schedule.go_on(Some(at(20)), Some(at(10)));
    schedule.pause(at(15)).unwrap();
    assert_eq!(
        (schedule.state, schedule.next_at()),
        (ScheduleState::Paused, None)
    );
    assert!(schedule.plan(at(40)).unwrap().due.is_empty());
    schedule.resume(at(42)).unwrap();
    assert_eq!(schedule.next_tick, Some(at(50)));
    schedule.resume(at(55)).unwrap();
    assert_eq!(schedule.next_tick, Some(at(50)), "it ticks already");
}

#[test]
fn a_pause_under_a_clock_that_went_back_repeats_nothing() {
    let mut schedule = schedule();
    schedule.go_on(Some(at(50)), Some(at(40)));
    schedule.pause(at(12)).unwrap();
    schedule.resume(at(13)).unwrap();
    assert_eq!(schedule.next_tick, Some(at(50)));
}

#[test]
fn it_ends_with_its_last_tick_once_none_waits() {
    let mut schedule = schedule();
    schedule.waiting = 1;
    schedule.go_on(None, Some(at(60)));
    assert_eq!(schedule.state, ScheduleState::Active);
    schedule.waiting = 0;
    schedule.end_if_done();
    assert_eq!(schedule.state, ScheduleState::Ended);
    for change in [ScheduleRecord::pause, ScheduleRecord::resume] {
        let error = change(&mut schedule, at(61)).unwrap_err();
        assert_eq!(error.code(), Code::FailedPrecondition);
    }
}

#[test]
fn one_that_is_resumed_after_its_end_has_ended() {
    let mut schedule = schedule();
    schedule.pause(at(15)).unwrap();
    schedule.resume(at(61)).unwrap();
    assert_eq!(schedule.state, ScheduleState::Ended);
}

#[test]
fn jitter_puts_every_tick_off_by_the_same_part() {
    let mut schedule = schedule();
    schedule.definition.jitter_seconds = 3_600;
    let jitter = schedule.jitter();
    assert_eq!(schedule.next_at(), Some(at(10) + jitter));
    let early = schedule
        .plan(at(10) + jitter - TimeDelta::microseconds(1))
        .unwrap();
    assert_eq!((early.due, early.next), (vec![], Some(at(10))));
    let plan = schedule.plan(at(10) + jitter).unwrap();
    assert_eq!((plan.due, plan.next), (vec![at(10)], Some(at(20))));
}
