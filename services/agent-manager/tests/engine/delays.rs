//! Delayed starts: never before their moment, and not a poll after it.

use std::time::Duration;

use chrono::TimeDelta;
use swarm_agent_manager::SCHEMA;
use swarm_agent_manager::tasks::TaskState;
use swarm_errors::Code;
use swarm_test_support::database::for_each_database;
use swarm_types::{Clock, SystemClock};

use crate::rig::{Options, Rig, echo};

/// Longer than any test waits.
const NEVER: Duration = Duration::from_secs(600);

#[tokio::test]
async fn a_task_starts_at_its_moment_also_after_a_crash() {
    for_each_database(&SCHEMA, |db| async move {
        let options = || Options {
            poll: NEVER,
            ..Options::default()
        };
        let first = options();
        let tenant = first.tenant;
        let rig = Rig::start_with(&db, echo(), first).await;
        let soon = SystemClock.now() + TimeDelta::milliseconds(700);
        let task = rig.submit_as(|spec| spec.not_before = Some(soon)).await;
        assert_eq!((task.state, task.started_at), (TaskState::Queued, None));
        assert_eq!(
            rig.task(task.id).await.ready_at.unwrap().timestamp_millis(),
            soon.timestamp_millis()
        );
        let later = SystemClock.now() + TimeDelta::milliseconds(2_500);
        let other = rig.submit_as(|spec| spec.not_before = Some(later)).await;
        let ended = rig.ended(task.id).await;
        assert!(ended.started_at.unwrap() >= soon);
        rig.crash().await;
        let rig = Rig::start_with(
            &db,
            echo(),
            Options {
                tenant,
                ..options()
            },
        )
        .await;
        let ended = rig.ended(other.id).await;
        assert_eq!(ended.state, TaskState::Completed);
        assert!(ended.started_at.unwrap() >= later);
        let past = rig
            .submit_as(|spec| spec.not_before = Some(SystemClock.now() - TimeDelta::hours(1)))
            .await;
        rig.ended(past.id).await;
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_delayed_task_can_be_cancelled_and_ends_at_its_deadline() {
    for_each_database(&SCHEMA, |db| async move {
        let clock = std::sync::Arc::new(swarm_types::ManualClock::new(SystemClock.now()));
        let options = Options {
            clock: clock.clone(),
            ..Options::default()
        };
        let rig = Rig::start_with(&db, echo(), options).await;
        let late = clock.now() + TimeDelta::hours(2);
        let task = rig.submit_as(|spec| spec.not_before = Some(late)).await;
        let cancelled = rig.engine.cancel(rig.tenant, task.id, "").await.unwrap();
        assert_eq!(cancelled.state, TaskState::Cancelled);
        let task = rig.submit_as(|spec| spec.not_before = Some(late)).await;
        // Nobody has woken up in time: the deadline is kept all the same.
        clock.advance(TimeDelta::hours(25));
        let ended = rig.ended(task.id).await;
        assert_eq!(ended.failure.unwrap().code, "deadline_exceeded");

        let mut submission = rig.submission();
        submission.spec.not_before = Some(clock.now() + TimeDelta::hours(2));
        submission.deadline = Some(clock.now() + TimeDelta::hours(1));
        let error = rig.engine.submit(submission).await.unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument);
        assert_eq!(error.fields()[0].field, "not_before");
        rig.stop().await;
    })
    .await;
}
