//! Steps: taken once, replayed from the journal, told as events.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use swarm_agent_manager::SCHEMA;
use swarm_agent_manager::engine::is_outcome_unknown;
use swarm_agent_manager::events::NewEvent;
use swarm_agent_manager::journal::{StepDone, StepKind, StepSpec, StepState};
use swarm_agent_manager::tasks::{TaskState, Usage};
use swarm_errors::{Code, Error};
use swarm_test_support::database::for_each_database;
use swarm_test_support::eventually;
use tokio::sync::{Semaphore, mpsc};

use crate::rig::{LONG, Options, Rig, script};

fn model(key: &str) -> StepSpec {
    StepSpec::new(key, StepKind::Model, "smol", json!({"prompt": "why?"}))
}

#[tokio::test]
async fn a_task_runs_to_its_result_and_tells_every_step() {
    for_each_database(&SCHEMA, |db| async move {
        let work = script(|context| async move {
            let usage = Usage {
                input_tokens: 3,
                output_tokens: 2,
                model_calls: 1,
                ..Usage::default()
            };
            let mut words = Vec::new();
            for key in ["model/0", "model/1"] {
                let word: String = context
                    .step(model(key), |step| async move {
                        assert_eq!(step.attempt(), 1);
                        let said = NewEvent::new("thought.said", json!({"key": "value"}));
                        Ok(StepDone::new(format!("{key}!"))
                            .with_usage(usage)
                            .with_event(said))
                    })
                    .await?;
                words.push(word);
            }
            Ok(json!({"answer": words.join(" ")}))
        });
        let rig = Rig::start(&db, work).await;
        let task = rig.submit().await;
        let ended = rig.ended(task.id).await;
        assert_eq!(ended.state, TaskState::Completed);
        assert_eq!(ended.result, Some(json!({"answer": "model/0! model/1!"})));
        assert_eq!((ended.usage.input_tokens, ended.usage.model_calls), (6, 2));
        let kinds = rig.kinds(task.id).await;
        let step = ["step.started", "step.finished", "thought.said"];
        let expected = [
            &["task.submitted", "task.started"][..],
            &step,
            &step,
            &["task.completed"],
        ]
        .concat();
        assert_eq!(kinds, expected);
        let seqs: Vec<i64> = rig
            .events(task.id)
            .await
            .iter()
            .map(|event| event.seq)
            .collect();
        assert_eq!(seqs, (1..=9).collect::<Vec<_>>());
        assert_eq!(ended.last_seq, 9);
        let steps = rig
            .engine
            .steps(rig.tenant, task.id, None, 10)
            .await
            .unwrap()
            .items;
        let seen: Vec<_> = steps
            .iter()
            .map(|step| (step.position, step.key.as_str(), step.state))
            .collect();
        assert_eq!(
            seen,
            [
                (0, "model/0", StepState::Finished),
                (1, "model/1", StepState::Finished)
            ]
        );
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn after_a_crash_finished_steps_are_not_repeated_and_the_open_one_keeps_its_token() {
    for_each_database(&SCHEMA, |db| async move {
        let (first, second) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (tokens, mut seen) = mpsc::unbounded_channel();
        let gate = Arc::new(Semaphore::new(0));
        let work = {
            let (first, second, gate) = (first.clone(), second.clone(), gate.clone());
            script(move |context| {
                let (first, second, gate, tokens) =
                    (first.clone(), second.clone(), gate.clone(), tokens.clone());
                async move {
                    let draw: usize = context
                        .step(model("draw"), |_| async {
                            Ok(StepDone::new(first.fetch_add(1, Ordering::SeqCst) + 41))
                        })
                        .await?;
                    let open: usize = context
                        .step(model("open"), |step| async move {
                            second.fetch_add(1, Ordering::SeqCst);
                            tokens.send(step.token().to_owned()).unwrap();
                            gate.acquire().await.unwrap().forget();
                            Ok(StepDone::new(1))
                        })
                        .await?;
                    Ok(json!(draw + open))
                }
            })
        };
        let options = Options::default();
        let tenant = options.tenant;
        let rig = Rig::start_with(&db, work.clone(), options).await;
        let task = rig.submit().await;
        let token = seen.recv().await.unwrap();
        rig.crash().await;

        gate.add_permits(1);
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
        assert_eq!(ended.result, Some(json!(42)), "{:?}", ended.failure);
        assert_eq!(
            (first.load(Ordering::SeqCst), second.load(Ordering::SeqCst)),
            (1, 2)
        );
        assert_eq!(
            seen.recv().await.unwrap(),
            token,
            "an outside service can deduplicate the repeat"
        );
        assert_eq!(ended.attempt, 1);
        assert!(ended.epoch > 1);
        let kinds = rig.kinds(task.id).await;
        assert_eq!(
            kinds.iter().filter(|kind| *kind == "step.finished").count(),
            2
        );
        assert!(
            kinds.contains(&"task.queued".to_owned()) && kinds.contains(&"task.resumed".to_owned())
        );
        let steps = rig
            .engine
            .steps(tenant, task.id, None, 10)
            .await
            .unwrap()
            .items;
        assert_eq!(
            steps
                .iter()
                .map(|step| (step.position, step.attempt))
                .collect::<Vec<_>>(),
            [(0, 1), (1, 1)]
        );
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_call_that_must_not_be_repeated_ends_as_unknown() {
    for_each_database(&SCHEMA, |db| async move {
        let calls = Arc::new(AtomicUsize::new(0));
        let (begun, mut seen) = mpsc::unbounded_channel();
        let work = {
            let calls = calls.clone();
            script(move |context| {
                let (calls, begun) = (calls.clone(), begun.clone());
                async move {
                    let pay =
                        || StepSpec::new("pay", StepKind::Tool, "pay", json!({})).at_most_once();
                    let call = |_| async {
                        calls.fetch_add(1, Ordering::SeqCst);
                        begun.send(()).unwrap();
                        std::future::pending::<Result<StepDone<Value>, Error>>().await
                    };
                    let error = context.step(pay(), call).await.unwrap_err();
                    if !is_outcome_unknown(&error) {
                        return Err(error);
                    }
                    // And it stays so.
                    let again = context.step(pay(), call).await.unwrap_err();
                    assert!(is_outcome_unknown(&again));
                    Ok(json!("unknown"))
                }
            })
        };
        let options = Options::default();
        let tenant = options.tenant;
        let rig = Rig::start_with(&db, work.clone(), options).await;
        let task = rig.submit().await;
        seen.recv().await.unwrap();
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
        assert_eq!(rig.ended(task.id).await.result, Some(json!("unknown")));
        assert_eq!(calls.load(Ordering::SeqCst), 1);
        let steps = rig
            .engine
            .steps(tenant, task.id, None, 10)
            .await
            .unwrap()
            .items;
        assert_eq!(steps[0].state, StepState::OutcomeUnknown);
        assert!(
            rig.kinds(task.id)
                .await
                .contains(&"step.outcome_unknown".to_owned())
        );
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_failed_step_is_journaled_and_its_repeat_is_another_attempt() {
    for_each_database(&SCHEMA, |db| async move {
        let work = script(|context| async move {
            let first = context
                .step(model("model/0"), |_| async {
                    Err::<StepDone<String>, _>(Error::unavailable("busy"))
                })
                .await
                .unwrap_err();
            assert_eq!(first.code(), Code::Unavailable);
            let token: String = context
                .step(model("model/0"), |step| async move {
                    Ok(StepDone::new(step.token().to_owned()))
                })
                .await?;
            Ok(json!(token))
        });
        let rig = Rig::start(&db, work).await;
        let task = rig.submit().await;
        let ended = rig.ended(task.id).await;
        let token = ended.result.unwrap();
        let steps = rig
            .engine
            .steps(rig.tenant, task.id, None, 10)
            .await
            .unwrap()
            .items;
        assert_eq!(token, json!(format!("{}/{}/2", task.id, steps[0].id)));
        assert_eq!(
            (steps.len(), steps[0].attempt, steps[0].state),
            (1, 2, StepState::Finished)
        );
        let kinds = rig.kinds(task.id).await;
        assert_eq!(
            kinds[2..6],
            [
                "step.started",
                "step.failed",
                "step.started",
                "step.finished"
            ]
        );
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_task_fails_with_the_words_of_its_error_or_its_panic() {
    for_each_database(&SCHEMA, |db| async move {
        let work = script(|context| async move {
            match context.task().spec.kind.as_str() {
                "panic" => panic!("oh no"),
                "nul" => Ok(json!("a\0b")),
                _ => Err(Error::new(Code::FailedPrecondition, "the model is full")),
            }
        });
        let rig = Rig::start(&db, work).await;
        for (kind, code, words) in [
            ("error", "failed_precondition", "the model is full"),
            ("panic", "internal", "unexpected fault"),
            ("nul", "internal", "cannot be stored"),
        ] {
            let mut submission = rig.submission();
            submission.spec.kind = kind.to_owned();
            let task = rig.engine.submit(submission).await.unwrap();
            let ended = rig.ended(task.id).await;
            let failure = ended.failure.unwrap();
            assert_eq!(
                (ended.state, failure.code.as_str()),
                (TaskState::Failed, code)
            );
            assert!(failure.detail.contains(words), "{}", failure.detail);
        }
        // An end is counted just after its commit, which is what was waited for.
        let counted = "qwen_swarm_tasks_completed_total{outcome=\"failed\"} 3.0";
        eventually("three failures to be counted", LONG, || async {
            let text = rig.registry.encode();
            if text.contains(counted) {
                Ok(())
            } else {
                Err(text)
            }
        })
        .await;
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn one_key_at_a_time() {
    for_each_database(&SCHEMA, |db| async move {
        let work = script(|context| async move {
            let inner = context.clone();
            context
                .step(model("same"), |_| async move {
                    let error = inner
                        .step(model("same"), |_| async { Ok(StepDone::new(1)) })
                        .await
                        .unwrap_err();
                    Ok(StepDone::new(error.code().as_str().to_owned()))
                })
                .await
                .map(|code: String| json!(code))
        });
        let rig = Rig::start(&db, work).await;
        let task = rig.submit().await;
        assert_eq!(rig.ended(task.id).await.result, Some(json!("internal")));
        rig.stop().await;
    })
    .await;
}
