//! Replicas that die, come back or stand still: their tasks go on elsewhere, once.
#![expect(
    clippy::print_stdout,
    reason = "measured times are what some of it is about"
)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use serde_json::json;
use swarm_agent_manager::SCHEMA;
use swarm_agent_manager::engine::Executor;
use swarm_agent_manager::events::{EventRecord, Scope};
use swarm_agent_manager::journal::{StepDone, StepKind, StepSpec};
use swarm_agent_manager::tasks::{TaskRecord, TaskState};
use swarm_test_support::database::Fresh;
use swarm_test_support::eventually;
use swarm_types::{TaskId, TenantId};
use tokio::sync::{Semaphore, mpsc};

use crate::replica::Replica;
use crate::rig::{LONG, Options, Rig, script, script_with, submission};

const LEASE: Duration = Duration::from_secs(1);
const STEPS: usize = 3;

/// Which calls of which step were made, by whom.
type Calls = Arc<Mutex<Vec<(TaskId, usize, &'static str)>>>;

/// Three steps, of which the second waits at the gate. Notes each call, and who works no more.
struct Steps {
    gate: Arc<Semaphore>,
    calls: Calls,
    left: Arc<Mutex<Vec<&'static str>>>,
}

/// Notes that an attempt is over, also when it is dropped.
struct Leaves(Arc<Mutex<Vec<&'static str>>>, &'static str);

impl Drop for Leaves {
    fn drop(&mut self) {
        self.0.lock().unwrap().push(self.1);
    }
}

impl Steps {
    fn new() -> Self {
        Self {
            gate: Arc::new(Semaphore::new(0)),
            calls: Calls::default(),
            left: Arc::default(),
        }
    }

    fn executor(&self, name: &'static str) -> Arc<dyn Executor> {
        let (gate, calls, left) = (self.gate.clone(), self.calls.clone(), self.left.clone());
        script(move |context| {
            let (gate, calls, left) = (gate.clone(), calls.clone(), left.clone());
            async move {
                let _leaves = Leaves(left, name);
                for place in 0..STEPS {
                    let step =
                        StepSpec::new(format!("tool/{place}"), StepKind::Tool, "t", json!({}));
                    let task = context.task().id;
                    context
                        .step(step, |_| async {
                            calls.lock().unwrap().push((task, place, name));
                            if place == 1 {
                                gate.acquire().await.unwrap().forget();
                            }
                            Ok(StepDone::new(name.to_owned()))
                        })
                        .await?;
                }
                Ok(json!(name))
            }
        })
    }

    fn calls_of(&self, task: TaskId) -> Vec<(usize, &'static str)> {
        let calls = self.calls.lock().unwrap();
        calls
            .iter()
            .filter(|(of, ..)| *of == task)
            .map(|(_, place, by)| (*place, *by))
            .collect()
    }

    async fn reach(&self, task: TaskId, place: usize, by: &'static str) {
        let what = format!("{by} at step {place}");
        eventually(&what, LONG, || async {
            self.calls_of(task).contains(&(place, by))
        })
        .await;
    }
}

fn options(replica: &'static str, tenant: TenantId) -> Options {
    Options {
        replica,
        tenant,
        lease: LEASE,
        ..Options::default()
    }
}

/// Replica `a`, whose executor has this name, in the middle of a task.
async fn at_work(
    fresh: &Fresh,
    steps: &Steps,
    name: &'static str,
    tenant: TenantId,
) -> (Replica, TaskRecord) {
    let options = options("a", tenant);
    let replica = Replica::start(&fresh.config, steps.executor(name), options).await;
    let task = replica.submit(submission(tenant)).await;
    steps.reach(task.id, 1, name).await;
    (replica, task)
}

fn assert_whole(events: &[EventRecord]) {
    for (place, event) in events.iter().enumerate() {
        assert_eq!(event.seq, place as i64 + 1, "{events:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_replicas_tasks_go_on_within_the_lease() {
    const ROUNDS: usize = 24;
    let fresh = Fresh::postgres().await;
    let db = fresh.open(&SCHEMA).await;
    let tenant = TenantId::new();
    let (begun, mut resumed) = mpsc::unbounded_channel();
    let survivor = script(move |context| {
        let begun = begun.clone();
        async move {
            let at = Instant::now();
            let step = StepSpec::new("call", StepKind::Tool, "t", json!({}));
            context
                .step(step, |_| async { Ok(StepDone::new(())) })
                .await?;
            begun.send((context.task().id, at)).unwrap();
            Ok(json!("taken over"))
        }
    });
    let forever = script(|context| async move {
        let step = StepSpec::new("call", StepKind::Tool, "t", json!({}));
        context
            .step(step, |_| {
                std::future::pending::<swarm_errors::Result<StepDone<()>>>()
            })
            .await?;
        Ok(json!("never"))
    });
    let survivor = Rig::start_with(&db, survivor, options("survivor", tenant)).await;
    let mut victims = Vec::new();
    for round in 0..ROUNDS {
        // Room for one task, so that no victim takes over another one's.
        let options = Options {
            workers: 1,
            ..options(format!("victim-{round}").leak(), tenant)
        };
        let victim = Rig::start_with(&db, forever.clone(), options).await;
        let task = victim.submit().await;
        eventually("the call to be journaled", LONG, || async {
            let steps = victim.engine.steps(tenant, task.id, None, 1).await.unwrap();
            !steps.items.is_empty()
        })
        .await;
        victims.push((victim, task.id));
    }
    let mut died = Vec::new();
    for (victim, task) in victims {
        let at = Instant::now();
        victim.crash().await;
        // They were started one after the other, so each dies at another time of its heartbeat.
        died.push((task, at));
    }
    let mut took = Vec::new();
    for _ in 0..ROUNDS {
        let (task, at) = tokio::time::timeout(LONG, resumed.recv())
            .await
            .unwrap()
            .unwrap();
        let (_, death) = died.iter().find(|(id, _)| *id == task).unwrap();
        took.push(at - *death);
    }
    took.sort();
    let (p50, p99) = (took[ROUNDS / 2], took[ROUNDS - 1]);
    println!("take-over with a lease of {LEASE:?}: p50 {p50:?}, p99 {p99:?} of {ROUNDS}");
    // It is within the lease on a machine that has time for it.
    assert!(p50 <= LEASE, "{took:?}");
    assert!(p99 <= LEASE * 2, "{took:?}");
    for (task, _) in died {
        let kinds = survivor.kinds(task).await;
        let starts = kinds.iter().filter(|kind| *kind == "step.started").count();
        assert_eq!(starts, 2, "the open call was repeated: {kinds:?}");
        assert_whole(&survivor.events(task).await);
    }
    survivor.stop().await;
}

#[tokio::test]
async fn a_replica_that_stood_still_past_its_lease_is_refused_and_stops() {
    let fresh = Fresh::postgres().await;
    let db = fresh.open(&SCHEMA).await;
    let tenant = TenantId::new();
    let steps = Steps::new();
    let (frozen, task) = at_work(&fresh, &steps, "frozen", tenant).await;
    let other = Rig::start_with(&db, steps.executor("other"), options("b", tenant)).await;
    let reader = |after| {
        let watched = other
            .engine
            .watch(tenant, Scope::Task(task.id), Some(after), false);
        tokio::spawn(
            watched
                .map(|watched| watched.unwrap().event.unwrap())
                .collect::<Vec<_>>(),
        )
    };
    let live = reader(0);

    let ice = frozen.freeze().await;
    steps.reach(task.id, 1, "other").await;
    ice.thaw();
    // It stops by itself, in the middle of its call and while the new worker still is at it.
    eventually("the former worker to stop", LONG, || async {
        steps.left.lock().unwrap().first() == Some(&"frozen")
    })
    .await;
    steps.gate.add_permits(2);
    let ended = other.ended(task.id).await;
    assert_eq!(ended.result, Some(json!("other")));
    assert_eq!(
        steps.calls_of(task.id),
        [(0, "frozen"), (1, "frozen"), (1, "other"), (2, "other")],
        "a finished step is not repeated, and the former worker does not go on"
    );
    let all = other.events(task.id).await;
    assert_whole(&all);
    assert_eq!(live.await.unwrap(), all, "who read meanwhile saw the same");
    assert_eq!(reader(0).await.unwrap(), all);
    frozen.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn a_write_of_a_replica_that_stood_still_is_refused() {
    let fresh = Fresh::postgres().await;
    let db = fresh.open(&SCHEMA).await;
    let tenant = TenantId::new();
    let steps = Steps::new();
    let (frozen, task) = at_work(&fresh, &steps, "frozen", tenant).await;
    let other = Rig::start_with(&db, steps.executor("other"), options("b", tenant)).await;
    let ice = frozen.freeze().await;
    steps.reach(task.id, 1, "other").await;
    // Its call has ended when it moves again, and the first thing that it does is to write that.
    steps.gate.add_permits(1);
    ice.thaw();
    steps.gate.add_permits(2);
    let ended = other.ended(task.id).await;
    assert_eq!(ended.result, Some(json!("other")));
    let journal = other
        .engine
        .steps(tenant, task.id, None, 10)
        .await
        .unwrap()
        .items;
    let by: Vec<_> = journal
        .iter()
        .map(|step| step.result.clone().unwrap())
        .collect();
    assert_eq!(by, [json!("frozen"), json!("other"), json!("other")]);
    assert_whole(&other.events(task.id).await);
    frozen.crash().await;
    other.stop().await;
}

#[tokio::test]
async fn a_restarted_replica_resumes_at_once_and_its_former_life_never_works_again() {
    let fresh = Fresh::postgres().await;
    let db = fresh.open(&SCHEMA).await;
    let tenant = TenantId::new();
    let steps = Steps::new();
    let long = |replica| Options {
        lease: LONG * 3,
        ..options(replica, tenant)
    };
    let (former, task) = at_work(&fresh, &steps, "former", tenant).await;
    let ice = former.freeze().await;
    let begun = Instant::now();
    let new = Rig::start_with(&db, steps.executor("new"), long("a")).await;
    steps.reach(task.id, 1, "new").await;
    let took = begun.elapsed();
    println!("own task resumed {took:?} after the start");
    assert!(took < LEASE, "it did not wait for the lease: {took:?}");
    ice.thaw();
    // It may still take a submission, and leaves the work to its successor.
    let second = former.submit(submission(tenant)).await;
    steps.gate.add_permits(4);
    for id in [task.id, second.id] {
        assert_eq!(new.ended(id).await.result, Some(json!("new")));
    }
    assert_eq!(
        steps.calls_of(task.id),
        [(0, "former"), (1, "former"), (1, "new"), (2, "new")]
    );
    former.stop().await;
    new.stop().await;
}

#[tokio::test]
async fn many_replicas_take_each_lost_task_once() {
    const TASKS: usize = 40;
    let fresh = Fresh::postgres().await;
    let db = fresh.open(&SCHEMA).await;
    let tenant = TenantId::new();
    let runs = Arc::new(AtomicUsize::new(0));
    let dead = script(|_| std::future::pending());
    let alive = script_with(&runs, |context, runs| async move {
        let step = StepSpec::new("once", StepKind::Tool, "t", json!({}));
        context
            .step(step, |_| async {
                runs.fetch_add(1, Ordering::Relaxed);
                Ok(StepDone::new(()))
            })
            .await?;
        Ok(json!("done"))
    });
    let victim = Options {
        workers: TASKS,
        ..options("victim", tenant)
    };
    let victim = Rig::start_with(&db, dead, victim).await;
    let mut tasks = Vec::new();
    for _ in 0..TASKS {
        tasks.push(victim.submit().await.id);
    }
    let mut others = Vec::new();
    for name in ["b", "c", "d"] {
        others.push(Rig::start_with(&db, alive.clone(), options(name, tenant)).await);
    }
    victim.crash().await;
    for id in tasks {
        let task = others[0].ended(id).await;
        assert_eq!((task.state, task.epoch), (TaskState::Completed, 3));
        assert_whole(&others[0].events(id).await);
    }
    assert_eq!(runs.load(Ordering::Relaxed), TASKS);
    for other in others {
        other.stop().await;
    }
}
