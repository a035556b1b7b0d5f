//! The trap of sequences: a number is drawn before the commit, so a slow transaction's row becomes
//! visible after a faster one's with a higher number. Real engines write here, every transaction is
//! slow in a place of its own, and no reader may skip or repeat a row.

use std::collections::HashMap;
use std::time::Duration;

use futures::StreamExt as _;
use serde_json::json;
use swarm_agent_manager::SCHEMA;
use swarm_agent_manager::engine::TaskContext;
use swarm_agent_manager::events::{EventRecord, Scope};
use swarm_agent_manager::journal::{StepDone, StepKind, StepSpec};
use swarm_agent_manager::tasks::NewTask;
use swarm_database::Db;
use swarm_errors::Result;
use swarm_test_support::database::for_each_database;
use swarm_types::{TaskId, TenantId};

use crate::rig::{LONG, Options, Rig, script, submission};

const TASKS: usize = 12;
const READERS: usize = 3;
const REPLICAS: [&str; 3] = ["a", "b", "c"];

/// After the numbers were drawn, and again at the commit, a transaction takes its time.
async fn slow_down(db: &Db) {
    let texts: &[&'static str] = if db.is_postgres() {
        &[
            "CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN PERFORM pg_sleep(random() * 0.004); RETURN NULL; END $$",
            "CREATE TRIGGER linger_at_insert AFTER INSERT ON events
             FOR EACH STATEMENT EXECUTE FUNCTION linger()",
            "CREATE CONSTRAINT TRIGGER linger_at_commit AFTER INSERT ON events
             DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION linger()",
        ]
    } else {
        // It has no sleep, and a trigger takes no WITH: it counts pairs of a small table instead.
        &[
            "CREATE TABLE linger (n INTEGER) STRICT",
            "INSERT INTO linger WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 300)
             SELECT n FROM s",
            "CREATE TRIGGER linger_at_insert AFTER INSERT ON events WHEN NEW.tenant_seq % 3 = 0
             BEGIN SELECT count(*) FROM linger a, linger b; END",
        ]
    };
    for text in texts {
        db.write(text).exec().await.unwrap();
    }
}

async fn work(context: TaskContext) -> Result<serde_json::Value> {
    if context.task().parent.is_some() {
        return Ok(json!("part"));
    }
    let split = StepSpec::new("split", StepKind::SubTask, "", json!({}));
    context
        .step(split, |_| async {
            let mut done = StepDone::new(());
            done.children = vec![NewTask::default(); 2];
            Ok(done)
        })
        .await?;
    let ids = [context.child_id("split", 0), context.child_id("split", 1)];
    context.await_tasks(&ids).await?;
    Ok(json!("whole"))
}

/// Reads all of a tenant until each of the root tasks has ended, now and then by a new stream.
async fn read(
    rig_engine: std::sync::Arc<swarm_agent_manager::engine::Engine>,
    tenant: TenantId,
    every: usize,
) -> Vec<EventRecord> {
    let mut seen: Vec<EventRecord> = Vec::new();
    let mut cursor = 0;
    loop {
        let mut watched = Box::pin(rig_engine.watch(tenant, Scope::Tenant, Some(cursor), false));
        for _ in 0..every {
            let next = tokio::time::timeout(LONG, watched.next()).await;
            let next = next.expect("more comes").unwrap().unwrap();
            cursor = next.cursor;
            seen.extend(next.event);
            let ended = seen
                .iter()
                .filter(|event| event.kind == "task.completed" && event.task == event.root)
                .count();
            if ended == TASKS {
                return seen;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_reader_skips_what_commits_late() {
    for_each_database(&SCHEMA, |db| async move {
        slow_down(&db).await;
        let tenants = [TenantId::new(), TenantId::new()];
        // SQLite has one owner; there the engine's own tasks compete.
        let replicas = if db.is_postgres() {
            &REPLICAS[..]
        } else {
            &REPLICAS[..1]
        };
        let mut rigs = Vec::new();
        for replica in replicas {
            let options = Options {
                replica,
                ..Options::default()
            };
            rigs.push(Rig::start_with(&db, script(work), options).await);
        }
        let mut readers = HashMap::new();
        for (place, tenant) in tenants.into_iter().enumerate() {
            for reader in 0..READERS {
                let engine = rigs[reader % rigs.len()].engine.clone();
                readers.insert(
                    (place, reader),
                    tokio::spawn(read(engine, tenant, 7 + 20 * reader)),
                );
            }
        }
        let submissions = (0..TASKS * tenants.len()).map(|place| {
            let engine = rigs[place % rigs.len()].engine.clone();
            let tenant = tenants[place / rigs.len() % tenants.len()];
            tokio::spawn(async move { engine.submit(submission(tenant)).await.unwrap() })
        });
        futures::future::try_join_all(submissions).await.unwrap();
        for (place, tenant) in tenants.into_iter().enumerate() {
            let mut first: Option<Vec<EventRecord>> = None;
            for reader in 0..READERS {
                let seen = readers.remove(&(place, reader)).unwrap().await.unwrap();
                let numbers: Vec<i64> = seen.iter().map(|event| event.tenant_seq).collect();
                let all: Vec<i64> = (1..=seen.len() as i64).collect();
                assert_eq!(numbers, all, "in order, none skipped, none twice");
                assert!(seen.iter().all(|event| event.tenant == tenant));
                let mut last: HashMap<TaskId, i64> = HashMap::new();
                for event in &seen {
                    let last = last.entry(event.task).or_default();
                    assert_eq!(event.seq, *last + 1, "each task's own order holds as well");
                    *last = event.seq;
                }
                let first = first.get_or_insert_with(|| seen.clone());
                let common = first.len().min(seen.len());
                assert_eq!(first[..common], seen[..common], "all readers see the same");
            }
        }
        for rig in rigs {
            tokio::time::timeout(Duration::from_secs(20), rig.stop())
                .await
                .unwrap();
        }
    })
    .await;
}
