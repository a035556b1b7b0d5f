//! Failed tasks are tried again by their policy, from their journal.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::TimeDelta;
use serde_json::{Value, json};
use swarm_agent_manager::SCHEMA;
use swarm_agent_manager::engine::{Executor, TaskContext};
use swarm_agent_manager::journal::{StepDone, StepKind, StepSpec};
use swarm_agent_manager::tasks::{Backoff, NewTask, RetryPolicy, TaskState, Usage};
use swarm_errors::{Code, Error, Result};
use swarm_test_support::database::for_each_database;
use swarm_types::{Clock, SystemClock};

use crate::rig::{Options, Rig, script};

/// So many attempts, with pauses of this many milliseconds.
pub(crate) fn attempts(max_attempts: u32, pause_ms: u32) -> RetryPolicy {
    RetryPolicy {
        max_attempts,
        backoff: Backoff {
            initial_ms: pause_ms,
            factor: 1.0,
            max_ms: pause_ms,
            jitter: 0.0,
        },
        retry_on: Vec::new(),
    }
}

/// A step that counts its calls.
pub(crate) async fn counted(
    context: &TaskContext,
    key: &str,
    calls: &AtomicUsize,
) -> Result<Value> {
    let step = StepSpec::new(key, StepKind::Tool, "t", json!({}));
    context
        .step(step, |_| async {
            calls.fetch_add(1, Ordering::SeqCst);
            Ok(StepDone::new(json!("done")))
        })
        .await
}

/// Takes one step, then fails with this code, so many times.
pub(crate) fn fails(
    times: usize,
    code: Code,
    calls: &Arc<AtomicUsize>,
    runs: &Arc<AtomicUsize>,
) -> Arc<dyn Executor> {
    let (calls, runs) = (calls.clone(), runs.clone());
    script(move |context| {
        let (calls, runs) = (calls.clone(), runs.clone());
        async move {
            counted(&context, "tool", &calls).await?;
            if runs.fetch_add(1, Ordering::SeqCst) < times {
                return Err(Error::new(code, "not yet"));
            }
            Ok(json!("ok"))
        }
    })
}

fn count() -> Arc<AtomicUsize> {
    Arc::default()
}

#[tokio::test]
async fn a_passing_failure_is_tried_again_and_repeats_no_finished_step() {
    for_each_database(&SCHEMA, |db| async move {
        let (calls, runs) = (count(), count());
        let rig = Rig::start(&db, fails(2, Code::Unavailable, &calls, &runs)).await;
        let task = rig.submit_as(|spec| spec.retry = attempts(3, 1)).await;
        let ended = rig.ended(task.id).await;
        assert_eq!(ended.state, TaskState::Completed);
        assert_eq!((ended.attempt, ended.failure), (3, None));
        assert_eq!(calls.load(Ordering::SeqCst), 1, "the step ran once");
        assert_eq!(runs.load(Ordering::SeqCst), 3);
        let events = rig.events(task.id).await;
        let retried: Vec<_> = events
            .iter()
            .filter(|event| event.kind == "task.retried")
            .collect();
        assert_eq!(retried.len(), 2);
        assert_eq!(retried[0].data["attempt"], 2);
        assert_eq!(retried[0].data["by"], "policy");
        assert_eq!(retried[0].data["error"]["code"], "unavailable");
        assert!(retried[0].data["at"].is_string());
        let numbers: Vec<i64> = events.iter().map(|event| event.seq).collect();
        assert_eq!(numbers, (1..=ended.last_seq).collect::<Vec<_>>());
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn attempts_are_bounded_and_permanent_failures_get_no_second_one() {
    for_each_database(&SCHEMA, |db| async move {
        let (calls, runs) = (count(), count());
        let rig = Rig::start(&db, fails(99, Code::Unavailable, &calls, &runs)).await;
        let mut ids = Vec::new();
        for _ in 0..5 {
            ids.push(rig.submit_as(|spec| spec.retry = attempts(4, 1)).await.id);
        }
        for id in ids {
            let ended = rig.ended(id).await;
            assert_eq!((ended.state, ended.attempt), (TaskState::DeadLettered, 4));
            assert_eq!(ended.failure.unwrap().code, "unavailable");
        }
        assert_eq!(runs.load(Ordering::SeqCst), 5 * 4);
        rig.stop().await;

        let (calls, runs) = (count(), count());
        let rig = Rig::start(&db, fails(99, Code::InvalidArgument, &calls, &runs)).await;
        let task = rig.submit_as(|spec| spec.retry = attempts(4, 1)).await;
        let ended = rig.ended(task.id).await;
        assert_eq!((ended.state, ended.attempt), (TaskState::Failed, 1));
        assert_eq!(runs.load(Ordering::SeqCst), 1);
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_crash_between_two_attempts_loses_and_repeats_nothing() {
    for_each_database(&SCHEMA, |db| async move {
        let (calls, runs) = (count(), count());
        let work = fails(1, Code::Unavailable, &calls, &runs);
        let options = Options::default();
        let tenant = options.tenant;
        let rig = Rig::start_with(&db, work.clone(), options).await;
        let task = rig.submit_as(|spec| spec.retry = attempts(3, 2_000)).await;
        rig.reaches(task.id, TaskState::Queued).await;
        let waiting = rig.task(task.id).await;
        assert_eq!(
            (waiting.attempt, waiting.failure.unwrap().code),
            (2, "unavailable".into())
        );
        assert!(waiting.ready_at.unwrap() > waiting.created_at);
        rig.crash().await;
        let rig = Rig::start_with(
            &db,
            work,
            Options {
                tenant,
                ..Options::default()
            },
        )
        .await;
        let ended = rig.ended(task.id).await;
        assert_eq!((ended.state, ended.attempt), (TaskState::Completed, 2));
        assert!(
            ended.finished_at.unwrap() >= waiting.ready_at.unwrap(),
            "not before its time"
        );
        assert_eq!(calls.load(Ordering::SeqCst), 1);
        assert_eq!(runs.load(Ordering::SeqCst), 2);
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_task_between_two_attempts_can_be_cancelled() {
    for_each_database(&SCHEMA, |db| async move {
        let (calls, runs) = (count(), count());
        let rig = Rig::start(&db, fails(9, Code::Unavailable, &calls, &runs)).await;
        let task = rig
            .submit_as(|spec| spec.retry = attempts(3, 3_600_000))
            .await;
        rig.reaches(task.id, TaskState::Queued).await;
        let cancelled = rig.engine.cancel(rig.tenant, task.id, "").await.unwrap();
        assert_eq!(cancelled.state, TaskState::Cancelled);
        assert_eq!(cancelled.ready_at, None);
        assert_eq!(runs.load(Ordering::SeqCst), 1);
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn no_attempt_is_waited_for_that_comes_after_the_deadline() {
    for_each_database(&SCHEMA, |db| async move {
        let (calls, runs) = (count(), count());
        let rig = Rig::start(&db, fails(9, Code::Unavailable, &calls, &runs)).await;
        let mut submission = rig.submission();
        submission.spec.retry = attempts(3, 3_600_000);
        submission.deadline = Some(SystemClock.now() + TimeDelta::seconds(60));
        let task = rig.engine.submit(submission).await.unwrap();
        let ended = rig.ended(task.id).await;
        assert_eq!((ended.state, ended.attempt), (TaskState::DeadLettered, 1));
        let detail = ended.failure.unwrap().detail;
        assert!(detail.contains("before the deadline"), "{detail}");
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn failed_sub_tasks_are_tried_again_with_their_root_and_count_once() {
    for_each_database(&SCHEMA, |db| async move {
        let (runs, parts) = (count(), count());
        let work = {
            let (runs, parts) = (runs.clone(), parts.clone());
            script(move |context| {
                let (runs, parts) = (runs.clone(), parts.clone());
                async move {
                    if context.task().role == "part" {
                        let usage = Usage {
                            output_tokens: 5,
                            ..Usage::default()
                        };
                        let model = StepSpec::new("model", StepKind::Model, "m", json!({}));
                        context
                            .step(model, |_| async {
                                parts.fetch_add(1, Ordering::SeqCst);
                                Ok(StepDone::new(1).with_usage(usage))
                            })
                            .await?;
                        let is_bad = context.task().spec.input["part"] == 1;
                        if is_bad && context.task().attempt == 1 {
                            return Err(Error::unavailable("the model is away"));
                        }
                        return Ok(json!(null));
                    }
                    runs.fetch_add(1, Ordering::SeqCst);
                    let split = StepSpec::new("split", StepKind::SubTask, "split", json!({}));
                    context
                        .step(split, |_| async {
                            let mut done = StepDone::new(());
                            done.children = (0..2)
                                .map(|part| NewTask {
                                    role: "part".into(),
                                    input: json!({"part": part}),
                                    ..NewTask::default()
                                })
                                .collect();
                            Ok(done)
                        })
                        .await?;
                    let ids = [context.child_id("split", 0), context.child_id("split", 1)];
                    for part in context.await_tasks(&ids).await? {
                        if let Some(failure) = part.failure {
                            return Err(Error::unavailable(failure.detail));
                        }
                    }
                    Ok(json!("joined"))
                }
            })
        };
        let rig = Rig::start(&db, work).await;
        let task = rig.submit_as(|spec| spec.retry = attempts(2, 1)).await;
        let ended = rig.ended(task.id).await;
        assert_eq!(ended.state, TaskState::Completed, "{:?}", ended.failure);
        assert_eq!(runs.load(Ordering::SeqCst), 2);
        assert_eq!(
            parts.load(Ordering::SeqCst),
            2,
            "no model call of a part is repeated"
        );
        assert_eq!(ended.usage.output_tokens, 10, "what they used counts once");
        rig.stop().await;
    })
    .await;
}
