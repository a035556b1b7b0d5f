//! Cancel is a fact once it has answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use swarm_agent_manager::SCHEMA;
use swarm_agent_manager::engine::is_stopped;
use swarm_agent_manager::events::Scope;
use swarm_agent_manager::journal::{StepDone, StepKind, StepSpec, StepState};
use swarm_agent_manager::tasks::{NewTask, TaskState};
use swarm_errors::Code;
use swarm_test_support::database::for_each_database;
use tokio::sync::mpsc;

use crate::endless::endless;
use crate::rig::{LONG, Rig, echo, script};

#[tokio::test]
async fn running_calls_of_the_whole_tree_have_stopped_when_it_answers() {
    for_each_database(&SCHEMA, |db| async move {
        let running = Arc::new(AtomicUsize::new(0));
        let (begun, mut at_work) = mpsc::unbounded_channel();
        let rig = Rig::start(&db, endless(&running, begun)).await;
        let task = rig.submit().await;
        at_work.recv().await.unwrap();
        at_work.recv().await.unwrap();
        let cancelled = rig
            .engine
            .cancel(rig.tenant, task.id, "no longer needed")
            .await
            .unwrap();
        assert_eq!(running.load(Ordering::SeqCst), 0, "no call goes on");
        assert_eq!(cancelled.state, TaskState::Cancelled);
        assert_eq!(cancelled.failure.unwrap().detail, "no longer needed");
        let tree = rig.engine.tree(rig.tenant, task.id).await.unwrap();
        assert_eq!(tree.children.len(), 2);
        for child in &tree.children {
            assert_eq!(child.task.state, TaskState::Cancelled);
            assert_eq!(child.steps[0].state, StepState::OutcomeUnknown);
        }
        let told = rig.watch(Scope::Tree(task.id), 0, false).await;
        let last: Vec<_> = told
            .iter()
            .rev()
            .take(3)
            .map(|event| (event.kind.as_str(), event.task == task.id))
            .collect();
        assert_eq!(
            last,
            [
                ("task.cancelled", true),
                ("task.cancelled", false),
                ("task.cancelled", false)
            ]
        );
        let text = rig.registry.encode();
        assert!(
            text.contains("qwen_swarm_task_stop_latency_seconds_count 1"),
            "{text}"
        );
        assert_eq!(
            rig.engine
                .cancel(rig.tenant, task.id, "again")
                .await
                .unwrap()
                .state,
            TaskState::Cancelled
        );
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn no_step_begins_after_the_answer() {
    for_each_database(&SCHEMA, |db| async move {
        let calls = Arc::new(AtomicUsize::new(0));
        let (begun, mut at_work) = mpsc::unbounded_channel();
        let work = {
            let calls = calls.clone();
            script(move |context| {
                let (calls, begun) = (calls.clone(), begun.clone());
                async move {
                    begun.send(()).unwrap();
                    for place in 0.. {
                        let step =
                            StepSpec::new(format!("tool/{place}"), StepKind::Tool, "t", json!({}));
                        context
                            .step(step, |_| async {
                                calls.fetch_add(1, Ordering::SeqCst);
                                let mut done = StepDone::new(place);
                                done.children = vec![NewTask {
                                    role: "never".into(),
                                    ..NewTask::default()
                                }];
                                Ok(done)
                            })
                            .await?;
                    }
                    Ok(json!(null))
                }
            })
        };
        // One worker: its sub-tasks stay queued, and must be cancelled there.
        let options = crate::rig::Options {
            workers: 1,
            ..Default::default()
        };
        let rig = Rig::start_with(&db, work, options).await;
        for round in 0..8 {
            let task = rig.submit().await;
            at_work.recv().await.unwrap();
            // Another point of the loop each time.
            for _ in 0..round * 7 {
                tokio::task::yield_now().await;
            }
            rig.engine.cancel(rig.tenant, task.id, "").await.unwrap();
            let (called, tree) = (
                calls.load(Ordering::SeqCst),
                rig.engine.tree(rig.tenant, task.id).await.unwrap(),
            );
            let started = rig.kinds(task.id).await;
            // Whatever could still have been on its way has its chance.
            let other = rig.submit().await;
            at_work.recv().await.unwrap();
            rig.engine.cancel(rig.tenant, other.id, "").await.unwrap();
            let later = rig.engine.tree(rig.tenant, task.id).await.unwrap();
            assert_eq!(rig.kinds(task.id).await, started, "round {round}");
            assert_eq!(later.steps, tree.steps);
            assert!(calls.load(Ordering::SeqCst) >= called);
            assert_eq!(later.children.len(), tree.children.len());
            for child in later.children {
                assert_eq!(child.task.state, TaskState::Cancelled, "round {round}");
            }
        }
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_cancel_by_another_replica_is_seen_by_the_row_alone() {
    for_each_database(&SCHEMA, |db| async move {
        let (begun, mut at_work) = mpsc::unbounded_channel();
        let (outcomes, mut seen) = mpsc::unbounded_channel();
        let release = Arc::new(tokio::sync::Notify::new());
        let work = {
            let release = release.clone();
            script(move |context| {
                let (begun, outcomes, release) = (begun.clone(), outcomes.clone(), release.clone());
                async move {
                    let step = |key: &str| StepSpec::new(key, StepKind::Tool, "t", json!({}));
                    let first = context.step(step("first"), |_| async {
                        begun.send(()).unwrap();
                        release.notified().await;
                        let mut done = StepDone::new(());
                        done.children = vec![NewTask::default()];
                        Ok(done)
                    });
                    outcomes
                        .send(first.await.as_ref().err().is_some_and(is_stopped))
                        .unwrap();
                    Ok(json!("too late"))
                }
            })
        };
        // It is not told, and does not look.
        let options = crate::rig::Options {
            stop_poll: 10 * LONG,
            ..Default::default()
        };
        let one = Rig::start_with(&db, work, options).await;
        let options = crate::rig::Options {
            replica: "two",
            tenant: one.tenant,
            ..Default::default()
        };
        let two = Rig::start_with(&db, echo(), options).await;
        let task = one.submit().await;
        at_work.recv().await.unwrap();
        let (engine, tenant) = (two.engine.clone(), two.tenant);
        let cancel = tokio::spawn(async move { engine.cancel(tenant, task.id, "").await });
        two.reaches(task.id, TaskState::Cancelled).await;
        release.notify_one();
        assert!(seen.recv().await.unwrap(), "its end was refused");
        // Whoever stops has no lease any more.
        one.stop().await;
        cancel.await.unwrap().unwrap();
        let tree = two.engine.tree(two.tenant, task.id).await.unwrap();
        assert!(tree.children.is_empty());
        assert_eq!(
            (tree.steps.len(), tree.steps[0].state),
            (1, StepState::OutcomeUnknown)
        );
        assert_eq!(
            (tree.task.state, tree.task.result),
            (TaskState::Cancelled, None)
        );
        assert_eq!(two.kinds(task.id).await.last().unwrap(), "task.cancelled");
        two.stop().await;
    })
    .await;
}

#[tokio::test]
async fn what_has_ended_or_is_unknown_cannot_be_cancelled() {
    for_each_database(&SCHEMA, |db| async move {
        let rig = Rig::start(&db, echo()).await;
        let task = rig.submit().await;
        rig.ended(task.id).await;
        let error = rig
            .engine
            .cancel(rig.tenant, task.id, "")
            .await
            .unwrap_err();
        assert_eq!(error.code(), Code::FailedPrecondition);
        assert!(error.detail().contains("completed"), "{error}");
        let unknown = rig
            .engine
            .cancel(rig.tenant, swarm_types::TaskId::new(), "")
            .await
            .unwrap_err();
        assert_eq!(unknown.code(), Code::NotFound);
        let stranger = rig
            .engine
            .cancel(swarm_types::TenantId::new(), task.id, "")
            .await
            .unwrap_err();
        assert_eq!(
            stranger.code(),
            Code::NotFound,
            "another tenant does not see it"
        );
        rig.stop().await;
    })
    .await;
}
