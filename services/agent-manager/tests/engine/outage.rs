//! The database is gone, takes no writes, or is full: what was refused is not there, what was
//! accepted ends, and what ran meanwhile goes on by itself.
#![expect(
    clippy::print_stdout,
    reason = "measured times are what some of it is about"
)]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;
use swarm_agent_manager::SCHEMA;
use swarm_agent_manager::engine::{Executor, Submission};
use swarm_agent_manager::journal::{StepDone, StepKind, StepSpec};
use swarm_agent_manager::store::idempotency::RequestKey;
use swarm_agent_manager::tasks::TaskState;
use swarm_database::{DatabaseConfig, Db, Migrate};
use swarm_errors::{Code, Error};
use swarm_test_support::database::Fresh;
use swarm_test_support::eventually;
use swarm_test_support::postgres::{Durability, Server};
use swarm_types::{TaskId, TenantId};
use tokio::sync::Semaphore;

use crate::rig::{LONG, Options, Rig, script, submission};

const LEASE: Duration = Duration::from_secs(2);
const TASKS: usize = 6;

/// Three steps, whose second may be called only once and waits at the gate.
struct Work {
    gate: Arc<Semaphore>,
    calls: Arc<Mutex<HashMap<(TaskId, usize), usize>>>,
}

impl Work {
    fn new() -> Self {
        Self {
            gate: Arc::new(Semaphore::new(0)),
            calls: Arc::default(),
        }
    }

    fn executor(&self) -> Arc<dyn Executor> {
        let (gate, calls) = (self.gate.clone(), self.calls.clone());
        script(move |context| {
            let (gate, calls) = (gate.clone(), calls.clone());
            async move {
                let task = context.task().id;
                for place in 0..3 {
                    let step =
                        StepSpec::new(format!("tool/{place}"), StepKind::Tool, "t", json!({}));
                    let call = |_| async {
                        *calls.lock().unwrap().entry((task, place)).or_default() += 1;
                        if place == 1 {
                            gate.acquire().await.unwrap().forget();
                        }
                        Ok(StepDone::new(()))
                    };
                    context.step(step.at_most_once(), call).await?;
                }
                Ok(json!("done"))
            }
        })
    }

    async fn all_called(&self, place: usize, tasks: usize) {
        eventually("the calls to begin", LONG, || async {
            let calls = self.calls.lock().unwrap();
            calls.keys().filter(|(_, at)| *at == place).count() == tasks
        })
        .await;
    }

    fn assert_each_once(&self, tasks: &[TaskId]) {
        let calls = self.calls.lock().unwrap();
        for task in tasks {
            let of_task = [0, 1, 2].map(|place| calls.get(&(*task, place)).copied());
            assert_eq!(of_task, [Some(1); 3]);
        }
    }
}

fn keyed(tenant: TenantId, key: usize) -> Submission {
    Submission {
        request: Some(RequestKey {
            key: key.to_string(),
            body_hash: vec![1],
        }),
        ..submission(tenant)
    }
}

fn options(replica: &'static str, tenant: TenantId) -> Options {
    Options {
        replica,
        tenant,
        lease: LEASE,
        workers: 3 * TASKS,
        ..Options::default()
    }
}

/// All tasks of a tenant.
async fn count(rig: &Rig) -> usize {
    let all = rig.engine.list_tasks(rig.tenant, None, None, None, 100);
    all.await.unwrap().items.len()
}

async fn assert_done(rig: &Rig, task: TaskId) {
    let ended = rig.ended(task).await;
    assert_eq!(ended.state, TaskState::Completed, "{:?}", ended.failure);
    assert_eq!(ended.result, Some(json!("done")));
    for (place, event) in rig.events(task).await.iter().enumerate() {
        assert_eq!(event.seq, place as i64 + 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_database_is_gone_nothing_is_accepted_and_what_runs_goes_on() {
    let server = Server::start(Durability::Full).await;
    let config = DatabaseConfig {
        acquire_timeout_ms: 300,
        ..DatabaseConfig::at(server.database().await)
    };
    let tenant = TenantId::new();
    let work = Work::new();
    let mut rigs = Vec::new();
    for replica in ["a", "b"] {
        let db = Db::open(&config, &SCHEMA, Migrate::Auto).await.unwrap();
        rigs.push(Rig::start_with(&db, work.executor(), options(replica, tenant)).await);
    }
    let mut accepted = Vec::new();
    for key in 0..TASKS {
        let task = rigs[key % 2].engine.submit(keyed(tenant, key)).await;
        accepted.push(task.unwrap().id);
    }
    work.all_called(1, TASKS).await;

    server.kill();
    let gone = Instant::now();
    let mut key = TASKS;
    // At once, and for longer than the leases last.
    while key < 4 * TASKS {
        if key == 3 * TASKS {
            eventually("the leases to be over", LONG, || async {
                gone.elapsed() > LEASE + LEASE / 2
            })
            .await;
        }
        let begun = Instant::now();
        let refused = rigs[key % 2].engine.submit(keyed(tenant, key)).await;
        let error = refused.expect_err("nobody could have stored it");
        assert_eq!(error.code(), Code::Unavailable, "{error:?}");
        assert!(error.retry_after().is_some());
        assert!(begun.elapsed() < Duration::from_secs(2), "it answers soon");
        key += 1;
    }
    // The calls end meanwhile, and what they have brought waits.
    work.gate.add_permits(TASKS);
    server.start_again().await;
    let back = Instant::now();
    for task in &accepted {
        assert_done(&rigs[0], *task).await;
    }
    println!(
        "all went on {:?} after the database was back",
        back.elapsed()
    );
    work.assert_each_once(&accepted);
    assert_eq!(
        count(&rigs[0]).await,
        TASKS,
        "what was refused is not there"
    );

    // The clients come back with their keys.
    work.gate.add_permits(key - TASKS);
    for key in 0..key {
        let task = rigs[0].engine.submit(keyed(tenant, key)).await.unwrap();
        match accepted.get(key) {
            Some(known) => assert_eq!(task.id, *known),
            None => accepted.push(task.id),
        }
        assert_done(&rigs[1], task.id).await;
    }
    assert_eq!(count(&rigs[0]).await, key);
    work.assert_each_once(&accepted);
    for rig in rigs {
        rig.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn submissions_across_crashes_of_the_database_are_kept_or_refused() {
    const CLIENTS: usize = 6;
    const EACH: usize = 25;
    let server = Server::start(Durability::Full).await;
    let config = DatabaseConfig {
        acquire_timeout_ms: 300,
        ..DatabaseConfig::at(server.database().await)
    };
    let tenant = TenantId::new();
    let quick = script(|context| async move {
        let step = StepSpec::new("one", StepKind::Tool, "t", json!({}));
        context
            .step(step, |_| async { Ok(StepDone::new(())) })
            .await?;
        Ok(json!("done"))
    });
    let mut rigs = Vec::new();
    for replica in ["a", "b"] {
        let db = Db::open(&config, &SCHEMA, Migrate::Auto).await.unwrap();
        rigs.push(Arc::new(
            Rig::start_with(&db, quick.clone(), options(replica, tenant)).await,
        ));
    }
    let refused = Arc::new(Mutex::new(0_usize));
    let clients = (0..CLIENTS).map(|client| {
        let (rigs, refused) = (rigs.clone(), refused.clone());
        tokio::spawn(async move {
            let mut accepted = Vec::new();
            for place in 0..EACH {
                let key = client * EACH + place;
                // A client that is refused comes back, also to the other replica.
                let task = eventually("the submission", LONG, || async {
                    let rig = &rigs[*refused.lock().unwrap() % 2];
                    let answer = rig.engine.submit(keyed(tenant, key)).await;
                    answer.inspect_err(|error| {
                        assert_eq!(error.code(), Code::Unavailable, "{error:?}");
                        *refused.lock().unwrap() += 1;
                    })
                })
                .await;
                accepted.push(task.id);
            }
            accepted
        })
    });
    let clients: Vec<_> = clients.collect();
    for least in [20, 60, 100] {
        eventually("tasks to be accepted", LONG, || async {
            let found = rigs[0].engine.list_tasks(tenant, None, None, None, least);
            found
                .await
                .is_ok_and(|page| page.items.len() == least as usize)
        })
        .await;
        server.kill();
        server.start_again().await;
    }
    let mut accepted = Vec::new();
    for client in clients {
        accepted.extend(client.await.unwrap());
    }
    for task in &accepted {
        assert_done(&rigs[0], *task).await;
    }
    let all = rigs[0].engine.list_tasks(tenant, None, None, None, 500);
    let all = all.await.unwrap().items;
    assert_eq!(
        all.len(),
        CLIENTS * EACH,
        "accepted once each, none forgotten"
    );
    println!(
        "refused {} times over three crashes",
        *refused.lock().unwrap()
    );
    for rig in rigs {
        Arc::into_inner(rig).unwrap().stop().await;
    }
}

/// What an operator does, or a disk.
async fn run(db: &Db, texts: &[&'static str]) {
    for text in texts {
        db.write(text).exec().await.unwrap();
    }
}

/// Running tasks and submissions while no write succeeds, and afterwards.
async fn writes_fail_for_a_while(
    db: &Db,
    words: &str,
    begin: &[&'static str],
    end: &[&'static str],
) {
    let tenant = TenantId::new();
    let work = Work::new();
    let rig = Rig::start_with(db, work.executor(), options("a", tenant)).await;
    let mut tasks = Vec::new();
    for key in 0..TASKS {
        tasks.push(rig.engine.submit(keyed(tenant, key)).await.unwrap().id);
    }
    work.all_called(1, TASKS).await;
    run(db, begin).await;
    let refusal: Error = eventually("submissions to be refused", LONG, || async {
        rig.engine.submit(keyed(TenantId::new(), 0)).await.err()
    })
    .await;
    assert_eq!(refusal.code(), Code::Unavailable, "{refusal:?}");
    assert_eq!(refusal.detail(), words);
    assert!(refusal.retry_after().is_some());
    // Also for those that were accepted before the last page was full.
    work.gate.add_permits(100 * TASKS);
    // What is stored can be read, and says that they are under way.
    for task in &tasks {
        assert_eq!(rig.task(*task).await.state, TaskState::Running);
    }
    run(db, end).await;
    for task in &tasks {
        assert_done(&rig, *task).await;
    }
    work.assert_each_once(&tasks);
    assert_eq!(count(&rig).await, TASKS);
    rig.stop().await;
}

#[tokio::test]
async fn a_postgres_that_takes_no_writes_is_waited_out() {
    let server = Server::start(Durability::None).await;
    let config = DatabaseConfig::at(server.database().await);
    let db = Db::open(&config, &SCHEMA, Migrate::Auto).await.unwrap();
    let reload = "SELECT pg_reload_conf() AS reloaded";
    writes_fail_for_a_while(
        &db,
        "the database takes no writes",
        &[
            "ALTER SYSTEM SET default_transaction_read_only = on",
            reload,
        ],
        &[
            "ALTER SYSTEM SET default_transaction_read_only = off",
            reload,
        ],
    )
    .await;
}

#[tokio::test]
async fn a_full_sqlite_is_waited_out() {
    let fresh = Fresh::sqlite();
    let db = fresh.open(&SCHEMA).await;
    // No page may be added: SQLite takes the number of pages that there are.
    writes_fail_for_a_while(
        &db,
        "the database is full",
        &["PRAGMA max_page_count = 1"],
        &["PRAGMA max_page_count = 1073741823"],
    )
    .await;
}
