//! Tasks on their way into the store: a step that nobody can tell of may run before.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use futures::StreamExt as _;
use futures::future::join_all;
use serde_json::json;
use swarm_agent_manager::SCHEMA;
use swarm_agent_manager::engine::{Executor, Submission, TaskContext};
use swarm_agent_manager::events::Scope;
use swarm_agent_manager::journal::{StepDone, StepKind, StepSpec, StepState};
use swarm_agent_manager::store::idempotency::RequestKey;
use swarm_agent_manager::tasks::TaskState;
use swarm_database::{Db, Tx};
use swarm_errors::{Code, Error, Result};
use swarm_test_support::database::for_each_database;
use swarm_types::{Clock, SystemClock};
use tokio::sync::{Notify, Semaphore};
use tokio::time::timeout;

use crate::rig::{LONG, Options, Rig, script, script_with};

fn paid(key: &str) -> StepSpec {
    StepSpec::new(key, StepKind::Model, "m", json!({"key": key}))
}

fn free(key: &str) -> StepSpec {
    paid(key).free()
}

/// Whether the task is in the store.
async fn is_there(db: &Db, context: &TaskContext) -> bool {
    let text = "SELECT count(*) AS found FROM tasks WHERE id = $1";
    let found: i64 = db
        .q(text)
        .bind(context.task().id.uuid())
        .scalar()
        .await
        .unwrap();
    found > 0
}

/// How many commits have told of the rig's tasks.
async fn tidings(db: &Db, rig: &Rig) -> i64 {
    let text = "SELECT count(*) AS told FROM events WHERE tenant_id = $1";
    db.q(text).bind(rig.tenant.uuid()).scalar().await.unwrap()
}

/// Takes one step, which says whether the task was in the store when it began.
fn look(db: &Db, spec: fn(&str) -> StepSpec, begun: &Arc<Notify>) -> Arc<dyn Executor> {
    let (db, begun) = (db.clone(), begun.clone());
    script(move |context| {
        let (db, begun) = (db.clone(), begun.clone());
        async move {
            let seen: bool = context
                .step(spec("look"), |_| async {
                    begun.notify_one();
                    Ok(StepDone::new(is_there(&db, &context).await))
                })
                .await?;
            Ok(json!(seen))
        }
    })
}

fn keyed(rig: &Rig) -> Submission {
    let mut submission = rig.submission();
    submission.request = Some(RequestKey {
        key: "k".to_owned(),
        body_hash: vec![1],
    });
    submission
}

/// Somebody else is about to use the key, so the birth has to wait.
async fn hold_back(db: &Db, rig: &Rig) -> Tx {
    let mut other = db.begin().await.unwrap();
    let text =
        "INSERT INTO idempotency (tenant_id, key, operation, body_hash, answer_id, created_at)
         VALUES ($1, 'k', 'submit_task', $2, $1, $3)";
    let query = other.q(text).bind(rig.tenant.uuid()).bind(vec![1_u8]);
    query.bind(SystemClock.now()).exec().await.unwrap();
    other
}

#[tokio::test]
async fn a_step_that_costs_something_begins_when_its_task_is_stored() {
    for_each_database(&SCHEMA, |db| async move {
        let begun = Arc::new(Notify::new());
        let rig = Rig::start(&db, look(&db, paid, &begun)).await;
        let task = rig.submit().await;
        assert_eq!(rig.ended(task.id).await.result, Some(json!(true)));
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_step_that_costs_nothing_does_not_wait_for_the_store() {
    for_each_database(&SCHEMA, |db| async move {
        let begun = Arc::new(Notify::new());
        let rig = Rig::start(&db, look(&db, free, &begun)).await;
        let other = hold_back(&db, &rig).await;
        let (task, ()) = tokio::join!(rig.engine.submit(keyed(&rig)), async {
            timeout(LONG, begun.notified()).await.expect("it begins");
            other.rollback().await.unwrap();
        });
        let ended = rig.ended(task.unwrap().id).await;
        assert_eq!(ended.state, TaskState::Completed);
        rig.stop().await;
    })
    .await;
}

/// Whether its commit still came about or not: the repeat of the request ends as one task.
#[tokio::test]
async fn a_crash_before_the_birth_loses_and_doubles_nothing() {
    for_each_database(&SCHEMA, |db| async move {
        let begun = Arc::new(Notify::new());
        let rig = Rig::start(&db, look(&db, free, &begun)).await;
        let (engine, submission) = (rig.engine.clone(), keyed(&rig));
        let other = hold_back(&db, &rig).await;
        let (refused, ()) = tokio::join!(engine.submit(submission.clone()), async {
            timeout(LONG, begun.notified()).await.expect("it begins");
            rig.crash().await;
            other.rollback().await.unwrap();
        });
        assert_eq!(refused.unwrap_err().code(), Code::Unavailable);
        let options = Options {
            tenant: submission.tenant,
            ..Options::default()
        };
        let rig = Rig::start_with(&db, look(&db, free, &begun), options).await;
        let task = rig.engine.submit(submission).await.unwrap();
        assert_eq!(rig.ended(task.id).await.state, TaskState::Completed);
        let all = rig.engine.list_tasks(rig.tenant, None, None, None, 10);
        assert_eq!(all.await.unwrap().items.len(), 1);
        rig.stop().await;
    })
    .await;
}

/// Two free steps that take no time.
async fn two_words(context: TaskContext) -> Result<serde_json::Value> {
    for key in ["one", "two"] {
        let say = async |_| Ok(StepDone::new(key.to_owned()));
        context.step(free(key), say).await?;
    }
    Ok(json!("both"))
}

#[tokio::test]
async fn what_takes_no_time_is_one_commit() {
    for_each_database(&SCHEMA, |db| async move {
        let rig = Rig::start(&db, script(two_words)).await;
        let task = rig.submit().await;
        let ended = rig.ended(task.id).await;
        assert_eq!(
            (ended.state, ended.result),
            (TaskState::Completed, Some(json!("both")))
        );
        assert!(ended.finished_at.is_some());
        assert_eq!(tidings(&db, &rig).await, 1);
        let kinds = [
            "task.submitted",
            "task.started",
            "step.started",
            "step.finished",
            "step.started",
            "step.finished",
            "task.completed",
        ];
        assert_eq!(rig.kinds(task.id).await, kinds);
        assert_eq!(ended.last_seq, 7);
        let steps = rig.engine.steps(rig.tenant, task.id, None, 10).await;
        let steps = steps.unwrap().items;
        let found: Vec<_> = steps
            .iter()
            .map(|step| (step.position, step.state, step.result.clone()))
            .collect();
        let finished = StepState::Finished;
        assert_eq!(
            found,
            [
                (0, finished, Some(json!("one"))),
                (1, finished, Some(json!("two")))
            ]
        );
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn attempts_before_the_birth_are_all_told_and_the_last_one_stays() {
    for_each_database(&SCHEMA, |db| async move {
        let work = script(|context| async move {
            let step = || {
                context.step(free("try"), |step| async move {
                    match step.attempt() {
                        3 => Ok(StepDone::new(3)),
                        _ => Err(Error::unavailable("not yet")),
                    }
                })
            };
            for _ in 0..2 {
                step().await.unwrap_err();
            }
            Ok(json!(step().await?))
        });
        let rig = Rig::start(&db, work).await;
        let task = rig.submit().await;
        assert_eq!(rig.ended(task.id).await.result, Some(json!(3)));
        let kinds = rig.kinds(task.id).await;
        let of_steps: Vec<_> = kinds
            .iter()
            .filter(|kind| kind.starts_with("step"))
            .collect();
        let (begun, failed) = ("step.started", "step.failed");
        assert_eq!(
            of_steps,
            [begun, failed, begun, failed, begun, "step.finished"]
        );
        let steps = rig.engine.steps(rig.tenant, task.id, None, 10).await;
        let steps = steps.unwrap().items;
        assert_eq!(steps.len(), 1);
        assert_eq!((steps[0].attempt, steps[0].position), (3, 0));
        assert_eq!(steps[0].state, StepState::Finished);
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_failure_at_once_is_an_end_as_any_other() {
    for_each_database(&SCHEMA, |db| async move {
        let work = script(|context| async move {
            context
                .step(free("fail"), |_| async {
                    Err::<StepDone<()>, _>(Error::invalid("prompt", "is \0 bad"))
                })
                .await?;
            Ok(json!(null))
        });
        let rig = Rig::start(&db, work).await;
        let task = rig.submit().await;
        let ended = rig.ended(task.id).await;
        assert_eq!(ended.state, TaskState::Failed);
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_repeat_gets_the_first_ones_task_and_leaves_nothing() {
    for_each_database(&SCHEMA, |db| async move {
        let runs = Arc::new(AtomicU32::new(0));
        let work = script_with(&runs, |context, runs| async move {
            runs.fetch_add(1, Ordering::Relaxed);
            two_words(context).await
        });
        let rig = Rig::start(&db, work).await;
        let submission = keyed(&rig);
        let submit = |_| {
            rig.engine
                .submit_and_wait(submission.clone(), LONG, std::future::pending())
        };
        let all = join_all((0..6).map(submit)).await;
        let ids: Vec<_> = all.iter().map(|task| task.as_ref().unwrap().id).collect();
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
        assert!(
            all.iter()
                .all(|task| task.as_ref().unwrap().state == TaskState::Completed)
        );
        assert!(
            runs.load(Ordering::Relaxed) > 1,
            "it is a repeat that ran in vain"
        );
        assert_eq!(tidings(&db, &rig).await, 1);
        let steps: i64 = db
            .q("SELECT count(*) AS steps FROM steps WHERE tenant_id = $1")
            .bind(rig.tenant.uuid())
            .scalar()
            .await
            .unwrap();
        assert_eq!(steps, 2);
        rig.stop().await;
    })
    .await;
}

/// Nobody hears of a task before it is there; what was said meanwhile is not lost.
#[tokio::test]
async fn words_are_held_back_until_there_is_a_task_that_says_them() {
    for_each_database(&SCHEMA, |db| async move {
        let gate = Arc::new(Semaphore::new(0));
        let work = script_with(&gate, |context, gate| async move {
            context
                .step(free("say"), |step| async move {
                    step.emit_token("before ");
                    gate.acquire().await.unwrap().forget();
                    step.emit_token("after");
                    gate.acquire().await.unwrap().forget();
                    Ok(StepDone::new("before after".to_owned()))
                })
                .await?;
            Ok(json!("said"))
        });
        let rig = Rig::start(&db, work).await;
        let watched = rig.engine.watch(rig.tenant, Scope::Tenant, Some(0), true);
        let mut watched = Box::pin(watched);
        let mut next = async || loop {
            let next = timeout(LONG, watched.next())
                .await
                .unwrap()
                .unwrap()
                .unwrap();
            if let Some(event) = next.event {
                break event;
            }
        };
        // The watch is under way when the task comes.
        let (task, first) = tokio::join!(rig.submit(), next());
        assert_eq!(first.kind, "task.submitted");
        for kind in ["task.started", "step.started"] {
            assert_eq!(next().await.kind, kind);
        }
        gate.add_permits(1);
        let words = next().await;
        assert_eq!(words.kind, "token");
        assert_eq!(words.data["text"], "before after");
        assert_eq!(words.data["offset"], 0);
        gate.add_permits(1);
        rig.ended(task.id).await;
        rig.stop().await;
    })
    .await;
}

/// Without a place the task is queued, and no step begins before it is claimed.
#[tokio::test]
async fn a_task_that_has_to_queue_begins_nothing() {
    for_each_database(&SCHEMA, |db| async move {
        let options = Options {
            workers: 0,
            ..Options::default()
        };
        let rig = Rig::start_with(&db, look(&db, free, &Arc::default()), options).await;
        let task = rig.submit().await;
        assert_eq!(task.state, TaskState::Queued);
        assert_eq!(rig.kinds(task.id).await, ["task.submitted"]);
        rig.crash().await;
    })
    .await;
}
