//! Retries by hand: once, from the journal, with fresh attempts.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::TimeDelta;
use serde_json::json;
use swarm_agent_manager::SCHEMA;
use swarm_agent_manager::engine::Again;
use swarm_agent_manager::journal::{StepDone, StepKind, StepSpec};
use swarm_agent_manager::store::idempotency::RequestKey;
use swarm_agent_manager::tasks::TaskState;
use swarm_errors::Code;
use swarm_test_support::database::for_each_database;
use swarm_types::{Clock, ManualClock, SystemClock, TaskId};

use crate::retries::{attempts, counted, fails};
use crate::rig::{Options, Rig, script, script_with};

fn again(rig: &Rig, id: TaskId) -> Again {
    Again {
        tenant: rig.tenant,
        request: None,
        id,
        deadline: None,
    }
}

fn key(key: &str) -> Option<RequestKey> {
    Some(RequestKey {
        key: key.into(),
        body_hash: Vec::new(),
    })
}

#[tokio::test]
async fn a_dead_letter_goes_on_from_its_journal_with_fresh_attempts() {
    for_each_database(&SCHEMA, |db| async move {
        let (calls, runs) = (Arc::default(), Arc::default());
        let rig = Rig::start(&db, fails(3, Code::Unavailable, &calls, &runs)).await;
        let task = rig.submit_as(|spec| spec.retry = attempts(2, 1)).await;
        assert_eq!(rig.ended(task.id).await.state, TaskState::DeadLettered);
        let retried = rig.engine.retry(again(&rig, task.id)).await.unwrap();
        assert_eq!((retried.attempt, retried.attempt_base), (3, 2));
        assert!(retried.finished_at.is_none() && retried.failure.is_none());
        // It fails once more, and has an attempt left.
        let ended = rig.ended(task.id).await;
        assert_eq!((ended.state, ended.attempt), (TaskState::Completed, 4));
        assert_eq!(
            calls.load(Ordering::SeqCst),
            1,
            "the finished step ran once"
        );
        let kinds = rig.kinds(task.id).await;
        let hand = rig.events(task.id).await;
        let by_hand = hand.iter().filter(|event| event.data["by"] == "hand");
        assert_eq!(by_hand.count(), 1, "{kinds:?}");
        let error = rig.engine.retry(again(&rig, task.id)).await.unwrap_err();
        assert_eq!(error.code(), Code::FailedPrecondition, "it has completed");
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn two_retries_at_once_are_one_and_a_key_answers_the_same_after_a_restart() {
    for_each_database(&SCHEMA, |db| async move {
        let (calls, runs) = (Arc::default(), Arc::default());
        let work = fails(1, Code::FailedPrecondition, &calls, &runs);
        let options = Options::default();
        let tenant = options.tenant;
        let rig = Rig::start_with(&db, work.clone(), options).await;
        let task = rig.submit().await;
        assert_eq!(rig.ended(task.id).await.state, TaskState::Failed);
        let all = (0..6).map(|_| rig.engine.retry(again(&rig, task.id)));
        let outcomes = futures::future::join_all(all).await;
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
        for error in outcomes.into_iter().filter_map(Result::err) {
            assert_eq!(error.code(), Code::FailedPrecondition, "{error}");
        }
        assert_eq!(rig.ended(task.id).await.attempt, 2);
        assert_eq!(runs.load(Ordering::SeqCst), 2);
        rig.stop().await;

        let work = fails(1, Code::FailedPrecondition, &calls, &Arc::default());
        let next = || Options {
            tenant,
            ..Options::default()
        };
        let rig = Rig::start_with(&db, work.clone(), next()).await;
        let task = rig.submit().await;
        rig.ended(task.id).await;
        let mut keyed = again(&rig, task.id);
        keyed.request = key("r");
        let all = (0..4).map(|_| rig.engine.retry(keyed.clone()));
        for outcome in futures::future::join_all(all).await {
            assert_eq!(outcome.unwrap().id, task.id);
        }
        rig.ended(task.id).await;
        rig.stop().await;
        let rig = Rig::start_with(&db, work, next()).await;
        let known = rig.engine.retry(keyed).await.unwrap();
        assert_eq!((known.state, known.attempt), (TaskState::Completed, 2));
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn what_ended_at_its_deadline_gets_time_and_repeats_only_what_may_be() {
    for_each_database(&SCHEMA, |db| async move {
        let clock = Arc::new(ManualClock::new(SystemClock.now()));
        let tokens: Arc<std::sync::Mutex<Vec<String>>> = Arc::default();
        let work = script_with(&tokens, |context, tokens| async move {
            let once = context.task().spec.kind == "once";
            let mut step = StepSpec::new("tool", StepKind::Tool, "t", json!({}));
            if once {
                step = step.at_most_once();
            }
            let first = context.task().attempt == 1;
            context
                .step(step, |step| async move {
                    tokens.lock().unwrap().push(step.token().to_owned());
                    if first {
                        std::future::pending::<()>().await;
                    }
                    Ok(StepDone::new(json!("done")))
                })
                .await
        });
        let options = Options {
            clock: clock.clone(),
            ..Options::default()
        };
        let rig = Rig::start_with(&db, work, options).await;
        let mut ids = Vec::new();
        for kind in ["often", "once"] {
            let mut submission = rig.submission();
            submission.spec.kind = kind.into();
            submission.deadline = Some(clock.now() + TimeDelta::seconds(30));
            ids.push(rig.engine.submit(submission).await.unwrap().id);
        }
        swarm_test_support::eventually("both calls", crate::rig::LONG, || async {
            let calls = tokens.lock().unwrap().len();
            if calls == 2 { Ok(()) } else { Err(calls) }
        })
        .await;
        clock.advance(TimeDelta::seconds(31));
        for id in &ids {
            assert_eq!(rig.ended(*id).await.state, TaskState::Failed);
            let retried = rig.engine.retry(again(&rig, *id)).await.unwrap();
            assert_eq!(retried.deadline, clock.now() + TimeDelta::hours(24));
        }
        assert_eq!(rig.ended(ids[0]).await.state, TaskState::Completed);
        let refused = rig.ended(ids[1]).await;
        assert_eq!(refused.state, TaskState::Failed);
        assert!(refused.failure.unwrap().detail.contains("unknown"));
        let tokens = tokens.lock().unwrap().clone();
        let of = |id: TaskId| {
            let id = id.to_string();
            tokens
                .iter()
                .filter(|token| token.starts_with(&id))
                .collect::<Vec<_>>()
        };
        let often = of(ids[0]);
        assert_eq!(
            (often.len(), often[0] == often[1]),
            (2, true),
            "the same token"
        );
        assert_eq!(of(ids[1]).len(), 1, "never twice");
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_retried_says_why() {
    for_each_database(&SCHEMA, |db| async move {
        let calls: Arc<AtomicUsize> = Arc::default();
        let work = script(move |context| {
            let calls = calls.clone();
            async move {
                counted(&context, "tool", &calls).await?;
                std::future::pending::<()>().await;
                Ok(json!(null))
            }
        });
        let rig = Rig::start(&db, work).await;
        let task = rig.submit().await;
        let running = rig.engine.retry(again(&rig, task.id)).await.unwrap_err();
        assert_eq!(running.code(), Code::FailedPrecondition);
        rig.engine.cancel(rig.tenant, task.id, "").await.unwrap();
        let cancelled = rig.engine.retry(again(&rig, task.id)).await.unwrap_err();
        assert_eq!(
            cancelled.code(),
            Code::FailedPrecondition,
            "cancel is a fact"
        );
        let nobody = rig
            .engine
            .retry(again(&rig, TaskId::new()))
            .await
            .unwrap_err();
        assert_eq!(nobody.code(), Code::NotFound);
        let mut other = again(&rig, task.id);
        other.tenant = swarm_types::TenantId::new();
        assert_eq!(
            rig.engine.retry(other).await.unwrap_err().code(),
            Code::NotFound
        );
        rig.stop().await;
    })
    .await;
}
