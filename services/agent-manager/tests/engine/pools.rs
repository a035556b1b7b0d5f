//! Bounds of pools: over replicas and tenants, whatever ends a task, and nobody else is held up.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::json;
use swarm_agent_manager::SCHEMA;
use swarm_agent_manager::engine::{Executor, TaskContext};
use swarm_agent_manager::journal::{StepDone, StepKind, StepSpec};
use swarm_agent_manager::tasks::{NewTask, TaskRecord, TaskState, WaitingReason};
use swarm_database::Db;
use swarm_errors::{Code, Error, Result};
use swarm_test_support::database::for_each_database;
use swarm_test_support::eventually;
use swarm_types::TenantId;
use tokio::sync::Semaphore;

use crate::rig::{LONG, Options, Rig, echo, script, script_with};

const NARROW: &str = "narrow";

fn bounded(most: u32) -> Options {
    Options {
        max_running: HashMap::from([(NARROW.to_owned(), most)]),
        ..Options::default()
    }
}

async fn submit(rig: &Rig, pool: &str, kind: &str) -> TaskRecord {
    rig.submit_as(|spec| {
        spec.pool = pool.to_owned();
        spec.kind = kind.to_owned();
    })
    .await
}

/// How many tasks are between their start and their end.
#[derive(Default)]
struct Count {
    running: AtomicUsize,
    most: AtomicUsize,
}

impl Count {
    fn begins(&self) {
        let now = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
    }

    fn ends(&self) {
        self.running.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Counts the tasks of the narrow pool, each of which takes a permit; the others are done at once.
fn counted(count: &Arc<Count>, gate: &Arc<Semaphore>) -> Arc<dyn Executor> {
    let (count, gate) = (count.clone(), gate.clone());
    script(move |context| {
        let (count, gate) = (count.clone(), gate.clone());
        async move {
            if context.task().spec.pool == NARROW {
                count.begins();
                gate.acquire().await.unwrap().forget();
                count.ends();
            }
            Ok(json!("done"))
        }
    })
}

#[tokio::test]
async fn the_bound_holds_over_replicas_and_tenants_and_other_pools_pass() {
    for_each_database(&SCHEMA, |db| async move {
        let (count, gate) = (Arc::<Count>::default(), Arc::new(Semaphore::new(0)));
        let one = Rig::start_with(&db, counted(&count, &gate), bounded(3)).await;
        let other = Options {
            replica: "other",
            tenant: TenantId::new(),
            ..bounded(3)
        };
        let other = Rig::start_with(&db, counted(&count, &gate), other).await;
        let mut tasks = Vec::new();
        for _ in 0..6 {
            tasks.push((&one, submit(&one, NARROW, "test").await.id));
            tasks.push((&other, submit(&other, NARROW, "test").await.id));
        }
        eventually("the pool is full", LONG, || async {
            match count.running.load(Ordering::SeqCst) {
                3 => Ok(()),
                running => Err(running),
            }
        })
        .await;
        for rig in [&one, &other] {
            let passes = submit(rig, "wide", "test").await;
            rig.ended(passes.id).await;
        }
        gate.add_permits(100);
        for (rig, id) in tasks {
            assert_eq!(rig.ended(id).await.state, TaskState::Completed);
        }
        assert_eq!(count.most.load(Ordering::SeqCst), 3);
        one.stop().await;
        other.stop().await;
    })
    .await;
}

/// Tasks that have waited and ask for a place again.
async fn wanted(db: &Db) -> i64 {
    db.q("SELECT count(*) AS wanted FROM pool_slots WHERE wanted_until IS NOT NULL")
        .scalar()
        .await
        .unwrap()
}

#[tokio::test]
async fn a_task_that_waits_leaves_its_place_and_goes_on_before_a_new_one_starts() {
    for_each_database(&SCHEMA, |db| async move {
        let log = Arc::<Mutex<Vec<String>>>::default();
        let (enough, gate) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        let work = {
            let (log, enough, gate) = (log.clone(), enough.clone(), gate.clone());
            script(move |context| {
                let (log, enough, gate) = (log.clone(), enough.clone(), gate.clone());
                async move {
                    let kind = context.task().spec.kind.clone();
                    if kind == "waits" {
                        let permit = enough.acquire();
                        context
                            .park_until(WaitingReason::Message, permit)
                            .await?
                            .unwrap()
                            .forget();
                    }
                    log.lock().unwrap().push(kind.clone());
                    if kind == "works" {
                        gate.acquire().await.unwrap().forget();
                    }
                    Ok(json!(null))
                }
            })
        };
        let options = Options {
            workers: 2,
            ..bounded(1)
        };
        let rig = Rig::start_with(&db, work, options).await;
        let waits = submit(&rig, NARROW, "waits").await;
        rig.reaches(waits.id, TaskState::Waiting).await;
        let works = submit(&rig, NARROW, "works").await;
        rig.reaches(works.id, TaskState::Running).await;
        let new = submit(&rig, NARROW, "new").await;
        enough.add_permits(1);
        eventually("it asks for a place", LONG, || async {
            match wanted(&db).await {
                1 => Ok(()),
                wanted => Err(wanted),
            }
        })
        .await;
        // Who waits for a place of a pool keeps no worker from the others.
        let passes = submit(&rig, "wide", "passes").await;
        rig.ended(passes.id).await;
        assert_eq!(rig.task(new.id).await.state, TaskState::Queued);
        gate.add_permits(1);
        for task in [works, waits, new] {
            assert_eq!(rig.ended(task.id).await.state, TaskState::Completed);
        }
        let log = log.lock().unwrap().clone();
        assert_eq!(log, ["works", "passes", "waits", "new"]);
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn whatever_ends_a_task_its_place_is_free_again() {
    for_each_database(&SCHEMA, |db| async move {
        let work = script(|context| async move {
            match context.task().spec.kind.as_str() {
                "fails" => Err(Error::new(Code::FailedPrecondition, "no")),
                "works" => Ok(json!("done")),
                _ => std::future::pending().await,
            }
        });
        let rig = Rig::start_with(&db, work, bounded(1)).await;
        let tenant = rig.tenant;
        let cancelled = submit(&rig, NARROW, "stays").await;
        let fails = submit(&rig, NARROW, "fails").await;
        let works = submit(&rig, NARROW, "works").await;
        rig.reaches(cancelled.id, TaskState::Running).await;
        rig.engine.cancel(tenant, cancelled.id, "").await.unwrap();
        assert_eq!(rig.ended(fails.id).await.state, TaskState::Failed);
        assert_eq!(rig.ended(works.id).await.state, TaskState::Completed);
        let lost = submit(&rig, NARROW, "stays").await;
        rig.reaches(lost.id, TaskState::Running).await;
        let queued = submit(&rig, NARROW, "works").await;
        rig.crash().await;
        let options = Options {
            tenant,
            ..bounded(1)
        };
        let rig = Rig::start_with(&db, echo(), options).await;
        for task in [lost, queued] {
            assert_eq!(rig.ended(task.id).await.state, TaskState::Completed);
        }
        rig.stop().await;
    })
    .await;
}

async fn split(context: &TaskContext) -> Result<()> {
    let step = StepSpec::new("split", StepKind::SubTask, "split", json!({}));
    let part = NewTask {
        role: "part".into(),
        ..NewTask::default()
    };
    context
        .step(step, |_| async {
            let mut done = StepDone::new(());
            done.children = vec![part; 4];
            Ok(done)
        })
        .await?;
    let parts: Vec<_> = (0..4).map(|part| context.child_id("split", part)).collect();
    context.await_tasks(&parts).await.map(drop)
}

#[tokio::test]
async fn sub_tasks_count_in_the_pool_of_their_parent_and_one_place_is_enough() {
    for_each_database(&SCHEMA, |db| async move {
        let count = Arc::<Count>::default();
        let work = script_with(&count, |context, count| async move {
            if context.task().role.is_empty() {
                split(&context).await?;
            }
            count.begins();
            let step = StepSpec::new("work", StepKind::Tool, "t", json!({}));
            context
                .step(step, |_| async { Ok(StepDone::new(())) })
                .await?;
            count.ends();
            Ok(json!("done"))
        });
        let rig = Rig::start_with(&db, work, bounded(1)).await;
        let tasks = [
            submit(&rig, NARROW, "test").await,
            submit(&rig, NARROW, "test").await,
        ];
        for task in tasks {
            let ended = rig.ended(task.id).await;
            assert_eq!(ended.state, TaskState::Completed, "{:?}", ended.failure);
        }
        assert_eq!(count.most.load(Ordering::SeqCst), 1);
        rig.stop().await;
    })
    .await;
}
