//! Deadlines and priorities.

use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use serde_json::json;
use swarm_agent_manager::SCHEMA;
use swarm_agent_manager::tasks::TaskState;
use swarm_errors::Code;
use swarm_test_support::database::for_each_database;
use swarm_types::{Clock, ManualClock, Priority, SystemClock};
use tokio::sync::Semaphore;

use crate::rig::{Options, Rig, script};

#[tokio::test]
async fn a_task_ends_by_its_deadline_wherever_it_is() {
    for_each_database(&SCHEMA, |db| async move {
        let clock = Arc::new(ManualClock::new(SystemClock.now()));
        let work = script(|_| async {
            std::future::pending::<()>().await;
            Ok(json!(null))
        });
        let options = Options {
            workers: 1,
            clock: clock.clone(),
            ..Options::default()
        };
        let rig = Rig::start_with(&db, work, options).await;
        let mut submission = rig.submission();
        submission.deadline = Some(clock.now() + TimeDelta::seconds(30));
        let running = rig.engine.submit(submission.clone()).await.unwrap();
        let queued = rig.engine.submit(submission).await.unwrap();
        let later = rig.submit().await;
        assert_eq!(later.deadline, clock.now() + TimeDelta::hours(24));
        rig.reaches(running.id, TaskState::Running).await;
        assert_eq!(rig.task(queued.id).await.state, TaskState::Queued);
        clock.advance(TimeDelta::seconds(31));
        for id in [running.id, queued.id] {
            let ended = rig.ended(id).await;
            assert_eq!(ended.state, TaskState::Failed);
            assert_eq!(ended.failure.unwrap().code, "deadline_exceeded");
        }
        // Its place is free.
        rig.reaches(later.id, TaskState::Running).await;
        rig.crash().await;
    })
    .await;
}

#[tokio::test]
async fn a_deadline_that_makes_no_sense_is_refused_and_nothing_is_stored() {
    for_each_database(&SCHEMA, |db| async move {
        let rig = Rig::start(&db, crate::rig::echo()).await;
        for deadline in [
            SystemClock.now() - TimeDelta::seconds(1),
            SystemClock.now() + TimeDelta::days(31),
        ] {
            let mut submission = rig.submission();
            submission.deadline = Some(deadline);
            let error = rig.engine.submit(submission).await.unwrap_err();
            assert_eq!(
                (error.code(), error.fields()[0].field.as_str()),
                (Code::InvalidArgument, "deadline")
            );
        }
        assert!(
            rig.engine
                .list_tasks(rig.tenant, None, None, None, 10)
                .await
                .unwrap()
                .items
                .is_empty()
        );
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn the_most_urgent_goes_first_and_the_oldest_among_equals() {
    for_each_database(&SCHEMA, |db| async move {
        let order = Arc::new(Mutex::new(Vec::new()));
        let gate = Arc::new(Semaphore::new(0));
        let work = {
            let (order, gate) = (order.clone(), gate.clone());
            script(move |context| {
                let (order, gate) = (order.clone(), gate.clone());
                async move {
                    order.lock().unwrap().push(context.task().spec.kind.clone());
                    gate.acquire().await.unwrap().forget();
                    Ok(json!(null))
                }
            })
        };
        let rig = Rig::start_with(
            &db,
            work,
            Options {
                workers: 1,
                ..Options::default()
            },
        )
        .await;
        let submit = async |kind: &str, priority| {
            let mut submission = rig.submission();
            submission.spec.kind = kind.to_owned();
            submission.priority = priority;
            rig.engine.submit(submission).await.unwrap().id
        };
        let first = submit("first", Priority::Low).await;
        rig.reaches(first, TaskState::Running).await;
        let mut ids = vec![first];
        for (kind, priority) in [
            ("low", Priority::Low),
            ("normal", Priority::Normal),
            ("normal too", Priority::Normal),
            ("critical", Priority::Critical),
            ("high", Priority::High),
        ] {
            ids.push(submit(kind, priority).await);
        }
        swarm_test_support::eventually("the gauge of the queue", crate::rig::LONG, || async {
            rig.registry
                .encode()
                .contains("qwen_swarm_task_queue_length{priority=\"normal\"} 2.0")
        })
        .await;
        gate.add_permits(ids.len());
        for id in ids {
            rig.ended(id).await;
        }
        assert_eq!(
            *order.lock().unwrap(),
            ["first", "critical", "high", "normal", "normal too", "low"]
        );
        rig.stop().await;
    })
    .await;
}
