//! Take-over, and hand-over at a clean stop.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use swarm_agent_manager::SCHEMA;
use swarm_agent_manager::journal::{StepDone, StepKind, StepSpec};
use swarm_agent_manager::tasks::{TaskState, WaitingReason};
use swarm_test_support::database::for_each_database;
use swarm_test_support::eventually;
use swarm_types::Timestamp;
use tokio::sync::{Semaphore, mpsc};

use crate::rig::{LONG, Options, Rig, echo, script, script_with};

#[tokio::test]
async fn a_replica_that_comes_back_takes_its_own_tasks_at_once_and_leaves_those_of_others() {
    for_each_database(&SCHEMA, |db| async move {
        let stuck = script(|context| async move {
            context.park(WaitingReason::Timer, LONG).await?;
            Ok(json!("late"))
        });
        let options = Options::default();
        let tenant = options.tenant;
        let one = Rig::start_with(&db, stuck.clone(), options).await;
        let other = Rig::start_with(
            &db,
            stuck,
            Options {
                replica: "other",
                tenant,
                ..Options::default()
            },
        )
        .await;
        let (mine, theirs) = (one.submit().await, other.submit().await);
        one.reaches(mine.id, TaskState::Waiting).await;
        other.reaches(theirs.id, TaskState::Waiting).await;
        one.crash().await;
        // The lease still holds for a minute.
        let one = Rig::start_with(
            &db,
            echo(),
            Options {
                tenant,
                ..Options::default()
            },
        )
        .await;
        assert_eq!(one.ended(mine.id).await.state, TaskState::Completed);
        assert_eq!(
            one.task(theirs.id).await.state,
            TaskState::Waiting,
            "another replica's lease is respected"
        );
        other.crash().await;
        one.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_clean_stop_finishes_the_running_step_and_hands_the_task_over() {
    for_each_database(&SCHEMA, |db| async move {
        let gate = Arc::new(Semaphore::new(0));
        let (begun, mut at_work) = mpsc::unbounded_channel();
        let work = {
            let gate = gate.clone();
            script(move |context| {
                let (gate, begun) = (gate.clone(), begun.clone());
                async move {
                    for place in 0..2 {
                        let step =
                            StepSpec::new(format!("tool/{place}"), StepKind::Tool, "t", json!({}));
                        context
                            .step(step, |_| async {
                                begun.send(place).unwrap();
                                gate.acquire().await.unwrap().forget();
                                Ok(StepDone::new(place))
                            })
                            .await?;
                    }
                    Ok(json!("done"))
                }
            })
        };
        let options = Options::default();
        let tenant = options.tenant;
        let rig = Rig::start_with(&db, work.clone(), options).await;
        let engine = rig.engine.clone();
        let task = rig.submit().await;
        assert_eq!(at_work.recv().await.unwrap(), 0);
        let stopping = tokio::spawn(rig.stop());
        // The stop is under way, and waits for the step.
        gate.add_permits(1);
        stopping.await.unwrap();
        assert_eq!(
            engine.task(tenant, task.id).await.unwrap().state,
            TaskState::Queued
        );
        let steps = engine.steps(tenant, task.id, None, 10).await.unwrap().items;
        // The second one may have begun before the stop did; then it, too, was finished.
        assert!(
            steps.iter().all(|step| step.finished_at.is_some()),
            "{steps:?}"
        );

        gate.add_permits(2);
        let rig = Rig::start_with(
            &db,
            work,
            Options {
                replica: "next",
                tenant,
                ..Options::default()
            },
        )
        .await;
        assert_eq!(rig.ended(task.id).await.result, Some(json!("done")));
        let kinds = rig.kinds(task.id).await;
        assert_eq!(
            kinds.iter().filter(|kind| *kind == "step.finished").count(),
            2
        );
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn waiting_tasks_do_not_hold_up_a_clean_stop() {
    for_each_database(&SCHEMA, |db| async move {
        let work = script(|context| async move {
            context.park(WaitingReason::Provider, LONG * 100).await?;
            Ok(json!(null))
        });
        let rig = Rig::start(&db, work).await;
        let (engine, tenant) = (rig.engine.clone(), rig.tenant);
        let task = rig.submit().await;
        rig.reaches(task.id, TaskState::Waiting).await;
        rig.stop().await;
        assert_eq!(
            engine.task(tenant, task.id).await.unwrap().state,
            TaskState::Queued
        );
    })
    .await;
}

#[tokio::test]
async fn a_lease_is_renewed_for_as_long_as_the_task_takes_and_closed_at_the_end() {
    const EXPIRY: &str = "SELECT expires_at FROM lease_groups";
    for_each_database(&SCHEMA, |db| async move {
        let gate = Arc::new(Semaphore::new(0));
        let work = script_with(&gate, |_, gate| async move {
            gate.acquire().await.unwrap().forget();
            Ok(json!(null))
        });
        let lease = Duration::from_secs(2);
        let rig = Rig::start_with(
            &db,
            work,
            Options {
                lease,
                ..Options::default()
            },
        )
        .await;
        let task = rig.submit().await;
        let first: Timestamp = db.q(EXPIRY).scalar().await.unwrap();
        // Without heartbeats the task would have been taken over by then.
        eventually("the lease outlives its time", LONG, || async {
            let expiries: Vec<Timestamp> = db.q(EXPIRY).scalars().await.unwrap();
            expiries.iter().any(|expiry| *expiry > first + lease)
        })
        .await;
        let held = rig.task(task.id).await;
        assert_eq!((held.state, held.epoch), (TaskState::Running, 1));
        gate.add_permits(1);
        rig.ended(task.id).await;
        rig.stop().await;
        let left: Vec<Timestamp> = db.q(EXPIRY).scalars().await.unwrap();
        assert!(left.is_empty(), "{left:?}");
    })
    .await;
}
