//! Sub-tasks: made once, waited for without a worker's place, ended with their parent.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use swarm_agent_manager::SCHEMA;
use swarm_agent_manager::engine::TaskContext;
use swarm_agent_manager::journal::{StepDone, StepKind, StepSpec};
use swarm_agent_manager::tasks::{NewTask, TaskState, Usage, WaitingReason};
use swarm_errors::{Error, Result};
use swarm_test_support::database::for_each_database;
use swarm_types::TaskId;
use tokio::sync::{Semaphore, mpsc};

use crate::rig::{Options, Rig, script, script_with};

const PARTS: usize = 3;

async fn split(context: &TaskContext) -> Result<Vec<TaskId>> {
    let step = StepSpec::new("split", StepKind::SubTask, "split", json!({}));
    context
        .step(step, |_| async {
            let mut done = StepDone::new(PARTS);
            let part = |place| NewTask {
                role: "part".into(),
                input: json!({"part": place}),
                ..NewTask::default()
            };
            done.children = (0..PARTS).map(part).collect();
            Ok(done)
        })
        .await?;
    Ok((0..PARTS)
        .map(|place| context.child_id("split", place))
        .collect())
}

#[tokio::test]
async fn a_parent_waits_without_a_place_and_counts_what_they_used() {
    for_each_database(&SCHEMA, |db| async move {
        let work = script(|context| async move {
            if context.task().role == "part" {
                let usage = Usage {
                    output_tokens: 5,
                    model_calls: 1,
                    ..Usage::default()
                };
                let step = StepSpec::new("model", StepKind::Model, "m", json!({}));
                return context
                    .step(step, |_| async {
                        Ok(StepDone::new(context.task().spec.input["part"].clone())
                            .with_usage(usage))
                    })
                    .await;
            }
            let parts = context.await_tasks(&split(&context).await?).await?;
            Ok(json!(
                parts
                    .into_iter()
                    .map(|part| part.result)
                    .collect::<Vec<_>>()
            ))
        });
        // With a single worker they could not run if the parent kept its place.
        let rig = Rig::start_with(
            &db,
            work,
            Options {
                workers: 1,
                ..Options::default()
            },
        )
        .await;
        let task = rig.submit().await;
        let ended = rig.ended(task.id).await;
        assert_eq!(ended.result, Some(json!([0, 1, 2])), "{:?}", ended.failure);
        assert_eq!(
            (ended.usage.output_tokens, ended.usage.model_calls),
            (15, 3)
        );
        let kinds = rig.kinds(task.id).await;
        assert_eq!(
            kinds[4..],
            ["task.waiting", "task.resumed", "task.completed"]
        );
        let tree = rig.engine.tree(rig.tenant, task.id).await.unwrap();
        let order: Vec<_> = tree
            .children
            .iter()
            .map(|child| child.task.spec.input["part"].clone())
            .collect();
        assert_eq!(order, [json!(0), json!(1), json!(2)]);
        assert!(
            tree.children
                .iter()
                .all(|child| child.task.deadline == task.deadline)
        );
        let listed = rig
            .engine
            .list_tasks(rig.tenant, None, Some(task.id), None, 10)
            .await
            .unwrap();
        assert_eq!(listed.items.len(), PARTS);
        let roots = rig
            .engine
            .list_tasks(rig.tenant, Some(TaskState::Completed), None, None, 10)
            .await
            .unwrap();
        assert_eq!(roots.items.len(), 1, "sub-tasks are not among root tasks");
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_crash_makes_and_runs_no_part_twice() {
    for_each_database(&SCHEMA, |db| async move {
        let calls = Arc::new(AtomicUsize::new(0));
        let gate = Arc::new(Semaphore::new(0));
        let (begun, mut at_work) = mpsc::unbounded_channel();
        let work = {
            let (calls, gate) = (calls.clone(), gate.clone());
            script(move |context| {
                let (calls, gate, begun) = (calls.clone(), gate.clone(), begun.clone());
                async move {
                    if context.task().role == "part" {
                        let step = StepSpec::new("model", StepKind::Model, "m", json!({}));
                        context
                            .step(step, |_| async {
                                calls.fetch_add(1, Ordering::SeqCst);
                                Ok(StepDone::new(()))
                            })
                            .await?;
                        begun.send(()).unwrap();
                        gate.acquire().await.unwrap().forget();
                        return Ok(json!("part"));
                    }
                    let parts = context.await_tasks(&split(&context).await?).await?;
                    Ok(json!(parts.len()))
                }
            })
        };
        let options = Options::default();
        let tenant = options.tenant;
        let rig = Rig::start_with(&db, work.clone(), options).await;
        let task = rig.submit().await;
        for _ in 0..PARTS {
            at_work.recv().await.unwrap();
        }
        // One part ends, so the crash falls in the middle of the wait.
        gate.add_permits(1);
        swarm_test_support::eventually("one part's end", crate::rig::LONG, || async {
            let tree = rig.engine.tree(tenant, task.id).await.unwrap();
            tree.children
                .iter()
                .any(|child| child.task.state == TaskState::Completed)
                && tree.task.state == TaskState::Waiting
        })
        .await;
        rig.crash().await;

        gate.add_permits(PARTS);
        let rig = Rig::start_with(
            &db,
            work,
            Options {
                tenant,
                ..Options::default()
            },
        )
        .await;
        assert_eq!(rig.ended(task.id).await.result, Some(json!(PARTS)));
        assert_eq!(
            calls.load(Ordering::SeqCst),
            PARTS,
            "no finished step ran twice"
        );
        let tree = rig.engine.tree(tenant, task.id).await.unwrap();
        assert_eq!(tree.children.len(), PARTS);
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_left_below_a_failed_task_is_cancelled() {
    for_each_database(&SCHEMA, |db| async move {
        let work = script(|context| async move {
            if context.task().role == "part" {
                std::future::pending::<()>().await;
            }
            split(&context).await?;
            Err(Error::invalid("prompt", "changed my mind"))
        });
        let rig = Rig::start(&db, work).await;
        let task = rig.submit().await;
        assert_eq!(rig.ended(task.id).await.state, TaskState::Failed);
        for child in rig.engine.tree(rig.tenant, task.id).await.unwrap().children {
            assert_eq!(child.task.state, TaskState::Cancelled);
        }
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_parked_task_says_why_and_goes_on() {
    for_each_database(&SCHEMA, |db| async move {
        let gate = Arc::new(Semaphore::new(0));
        let work = script_with(&gate, |context, gate| async move {
            // Given up half-way: the next step finds the task waiting for nothing.
            tokio::select! {
                parked = context.park(WaitingReason::Timer, crate::rig::LONG) => parked?,
                permit = gate.acquire() => permit.unwrap().forget(),
            }
            let step = StepSpec::new("after", StepKind::Tool, "t", json!({}));
            context
                .step(step, |_| async { Ok(StepDone::new(())) })
                .await?;
            context
                .park(
                    WaitingReason::Consensus,
                    std::time::Duration::from_millis(1),
                )
                .await?;
            Ok(json!("went on"))
        });
        let rig = Rig::start(&db, work).await;
        let task = rig.submit().await;
        rig.reaches(task.id, TaskState::Waiting).await;
        assert_eq!(
            rig.task(task.id).await.waiting_reason,
            Some(WaitingReason::Timer)
        );
        gate.add_permits(1);
        assert_eq!(rig.ended(task.id).await.result, Some(json!("went on")));
        let kinds = rig.kinds(task.id).await;
        let wait = ["task.waiting", "task.resumed"];
        let expected = [
            &wait[..],
            &["step.started", "step.finished"],
            &wait,
            &["task.completed"],
        ]
        .concat();
        assert_eq!(kinds[2..], expected);
        rig.stop().await;
    })
    .await;
}
