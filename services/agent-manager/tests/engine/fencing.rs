//! A worker that lost its task can no longer write.

use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::json;
use swarm_agent_manager::SCHEMA;
use swarm_agent_manager::engine::is_fenced_out;
use swarm_agent_manager::journal::{StepDone, StepKind, StepSpec};
use swarm_agent_manager::tasks::TaskState;
use swarm_test_support::database::for_each_database;
use swarm_types::{Clock, ManualClock, SystemClock};
use tokio::sync::{Notify, mpsc};

use crate::rig::{Options, Rig, script};

#[tokio::test]
async fn the_stale_worker_is_refused_and_the_new_one_is_not_disturbed() {
    for_each_database(&SCHEMA, |db| async move {
        let release = Arc::new(Notify::new());
        let (errors, mut refused) = mpsc::unbounded_channel();
        let (begun, mut at_work) = mpsc::unbounded_channel();
        let stale = {
            let release = release.clone();
            script(move |context| {
                let (release, errors, begun) = (release.clone(), errors.clone(), begun.clone());
                async move {
                    let step = |key: &str| StepSpec::new(key, StepKind::Tool, "t", json!({}));
                    let call = |_| async {
                        begun.send(()).unwrap();
                        // Its process is frozen, say, while the other one takes over.
                        release.notified().await;
                        Ok(StepDone::new("stale".to_owned()))
                    };
                    // What has ended is written with what comes next: that is refused at the latest.
                    let first = context.step(step("first"), call).await;
                    let next = |_| async { Ok(StepDone::new("never".to_owned())) };
                    let error = match first {
                        Ok(_) => context.step(step("next"), next).await.unwrap_err(),
                        Err(error) => error,
                    };
                    errors.send(is_fenced_out(&error)).unwrap();
                    Ok(json!("stale"))
                }
            })
        };
        let fresh = script(|context| async move {
            let first = StepSpec::new("first", StepKind::Tool, "t", json!({}));
            let word: String = context
                .step(first, |_| async { Ok(StepDone::new("fresh".to_owned())) })
                .await?;
            Ok(json!(word))
        });
        let options = Options::default();
        let tenant = options.tenant;
        let one = Rig::start_with(&db, stale, options).await;
        let task = one.submit().await;
        at_work.recv().await.unwrap();

        // Where the other replica looks, an hour has passed without a heartbeat.
        let clock = Arc::new(ManualClock::new(SystemClock.now() + TimeDelta::hours(1)));
        let two = Rig::start_with(
            &db,
            fresh,
            Options {
                replica: "two",
                clock,
                tenant,
                ..Options::default()
            },
        )
        .await;
        let ended = two.ended(task.id).await;
        assert_eq!(
            (ended.state, ended.result),
            (TaskState::Completed, Some(json!("fresh")))
        );

        release.notify_one();
        // Refused as stale, or as late, but refused: the result is that of the new worker.
        refused.recv().await.unwrap();
        let steps = two
            .engine
            .steps(tenant, task.id, None, 10)
            .await
            .unwrap()
            .items;
        assert_eq!(steps[0].result, Some(json!("fresh")));
        assert_eq!(two.task(task.id).await.result, Some(json!("fresh")));
        one.crash().await;
        two.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_stale_epoch_is_named_as_such_while_the_new_worker_is_at_it() {
    for_each_database(&SCHEMA, |db| async move {
        let release = Arc::new(Notify::new());
        let (errors, mut refused) = mpsc::unbounded_channel();
        let (begun, mut at_work) = mpsc::unbounded_channel();
        let work = {
            let release = release.clone();
            move |mark: &'static str| {
                let (release, errors, begun) = (release.clone(), errors.clone(), begun.clone());
                script(move |context| {
                    let (release, errors, begun) = (release.clone(), errors.clone(), begun.clone());
                    async move {
                        let step = |key: &str| StepSpec::new(key, StepKind::Tool, "t", json!({}));
                        let call = |_| async {
                            begun.send(mark).unwrap();
                            release.notified().await;
                            Ok(StepDone::new(mark.to_owned()))
                        };
                        let next = |_| async { Ok(StepDone::new(mark.to_owned())) };
                        let mut outcome = context.step(step("open"), call).await;
                        if outcome.is_ok() {
                            outcome = context.step(step("next"), next).await;
                        }
                        errors
                            .send((mark, outcome.as_ref().err().is_some_and(is_fenced_out)))
                            .unwrap();
                        outcome.map(|word| json!(word))
                    }
                })
            }
        };
        let options = Options::default();
        let tenant = options.tenant;
        let one = Rig::start_with(&db, work("stale"), options).await;
        let task = one.submit().await;
        assert_eq!(at_work.recv().await.unwrap(), "stale");
        let clock = Arc::new(ManualClock::new(SystemClock.now() + TimeDelta::hours(1)));
        let two = Rig::start_with(
            &db,
            work("fresh"),
            Options {
                replica: "two",
                clock,
                tenant,
                ..Options::default()
            },
        );
        let two = two.await;
        assert_eq!(at_work.recv().await.unwrap(), "fresh");
        // The older waiter is woken first.
        release.notify_one();
        assert_eq!(refused.recv().await.unwrap(), ("stale", true));
        release.notify_one();
        assert_eq!(refused.recv().await.unwrap(), ("fresh", false));
        assert_eq!(two.ended(task.id).await.result, Some(json!("fresh")));
        one.crash().await;
        two.stop().await;
    })
    .await;
}
