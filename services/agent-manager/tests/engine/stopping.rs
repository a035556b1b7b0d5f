//! Cancel over replicas: it answers when whoever runs the task has stopped, or is fenced out.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use swarm_agent_manager::SCHEMA;
use swarm_agent_manager::tasks::TaskState;
use swarm_test_support::database::for_each_database;
use swarm_types::{Clock, ManualClock, Timestamp};
use tokio::sync::mpsc;

use crate::endless::endless;
use crate::rig::{LONG, Options, Rig, echo};

#[tokio::test]
async fn it_answers_when_the_other_replica_has_stopped_the_whole_tree() {
    for_each_database(&SCHEMA, |db| async move {
        let running = Arc::new(AtomicUsize::new(0));
        let (begun, mut at_work) = mpsc::unbounded_channel();
        // What a service looks at without a cache.
        let stop_poll = Duration::from_millis(100);
        let worker = Options {
            stop_poll,
            ..Options::default()
        };
        let asking = Options {
            replica: "asking",
            tenant: worker.tenant,
            workers: 0,
            stop_poll,
            ..Options::default()
        };
        let worker = Rig::start_with(&db, endless(&running, begun), worker).await;
        let asking = Rig::start_with(&db, echo(), asking).await;
        let task = worker.submit().await;
        at_work.recv().await.unwrap();
        at_work.recv().await.unwrap();
        let asked = Instant::now();
        let cancelled = asking.engine.cancel(asking.tenant, task.id, "").await;
        let (took, left) = (asked.elapsed(), running.load(Ordering::SeqCst));
        assert_eq!(cancelled.unwrap().state, TaskState::Cancelled);
        assert_eq!(left, 0, "no call goes on anywhere");
        assert!(took < Duration::from_millis(500), "it took {took:?}");
        let text = asking.registry.encode();
        assert!(
            text.contains("qwen_swarm_task_stop_latency_seconds_count 1"),
            "{text}"
        );
        worker.stop().await;
        asking.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_replica_that_does_not_answer_is_waited_for_until_its_lease_is_over() {
    for_each_database(&SCHEMA, |db| async move {
        let running = Arc::new(AtomicUsize::new(0));
        let (begun, mut at_work) = mpsc::unbounded_channel();
        let start: Timestamp = "2030-01-01T00:00:00Z".parse().unwrap();
        let clock = Arc::new(ManualClock::new(start));
        let frozen = Options {
            clock: clock.clone(),
            ..Options::default()
        };
        let asking = Options {
            replica: "asking",
            tenant: frozen.tenant,
            // The sub-tasks are the other's.
            workers: 0,
            clock: clock.clone(),
            ..Options::default()
        };
        let frozen = Rig::start_with(&db, endless(&running, begun), frozen).await;
        let asking = Rig::start_with(&db, echo(), asking).await;
        let (tenant, engine) = (asking.tenant, asking.engine.clone());
        let mut submission = frozen.submission();
        submission.deadline = Some(clock.now() + TimeDelta::days(1));
        let task = frozen.engine.submit(submission).await.unwrap();
        at_work.recv().await.unwrap();
        at_work.recv().await.unwrap();
        frozen.crash().await;
        let mut cancel =
            tokio::spawn(async move { engine.cancel(tenant, task.id, "no more").await });
        let early = tokio::time::timeout(Duration::from_millis(300), &mut cancel).await;
        assert!(early.is_err(), "its lease still holds: {early:?}");
        // A second one that asks for the same waits for the same.
        let again = asking.engine.cancel(tenant, task.id, "no more");
        let early = tokio::time::timeout(Duration::from_millis(100), again).await;
        assert!(early.is_err(), "its lease still holds: {early:?}");
        clock.advance(TimeDelta::seconds(61));
        let cancelled = tokio::time::timeout(LONG, cancel)
            .await
            .expect("it is fenced out");
        assert_eq!(cancelled.unwrap().unwrap().state, TaskState::Cancelled);
        asking.stop().await;
    })
    .await;
}
