//! Whose turn it is: tenants and pools get their shares, whatever the others have queued.

use std::sync::{Arc, Mutex};

use serde_json::json;
use swarm_agent_manager::SCHEMA;
use swarm_agent_manager::engine::{Executor, Weights};
use swarm_agent_manager::tasks::TaskRecord;
use swarm_database::Db;
use swarm_test_support::database::for_each_database;
use swarm_types::{Priority, TenantId};
use tokio::sync::Semaphore;

use crate::rig::{Options, Rig, script};

/// Copies of a queued task. One by one they would take minutes.
const COPY_PG: &str = "
    INSERT INTO tasks (tenant_id, id, root_id, role, kind, state, priority, spec, attempt, epoch, ready_at, deadline,
                       last_seq, created_at)
    SELECT tenant_id, n.id, n.id, role, kind, state, priority, spec, attempt, epoch, ready_at, deadline, last_seq,
           created_at
    FROM tasks, LATERAL (SELECT gen_random_uuid() AS id FROM generate_series(1, $3)) AS n
    WHERE tenant_id = $1 AND tasks.id = $2";
const COPY_LITE: &str = "
    WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < $3),
                   ids AS MATERIALIZED (SELECT randomblob(16) AS id FROM n)
    INSERT INTO tasks (tenant_id, id, root_id, role, kind, state, priority, spec, attempt, epoch, ready_at, deadline,
                       last_seq, created_at)
    SELECT tenant_id, ids.id, ids.id, role, kind, state, priority, spec, attempt, epoch, ready_at, deadline, last_seq,
           created_at
    FROM tasks, ids WHERE tenant_id = $1 AND tasks.id = $2";

async fn queue_copies(db: &Db, task: &TaskRecord, copies: i64) {
    db.write(db.pick(COPY_PG, COPY_LITE))
        .bind(task.tenant.uuid())
        .bind(task.id.uuid())
        .bind(copies)
        .exec()
        .await
        .unwrap();
}

/// What ran, in its order.
type Log = Arc<Mutex<Vec<TaskRecord>>>;

/// Writes down what runs. The first one waits until the gate opens, so that all can be queued.
fn recorder(log: &Log, gate: &Arc<Semaphore>) -> Arc<dyn Executor> {
    let (log, gate) = (log.clone(), gate.clone());
    script(move |context| {
        let (log, gate) = (log.clone(), gate.clone());
        async move {
            drop(gate.acquire().await.unwrap());
            log.lock().unwrap().push(context.task().clone());
            Ok(json!("done"))
        }
    })
}

#[tokio::test]
async fn ten_tasks_do_not_wait_for_a_hundred_thousand_of_another_tenant() {
    for_each_database(&SCHEMA, |db| async move {
        let (log, gate) = (Log::default(), Arc::new(Semaphore::new(0)));
        let options = Options {
            workers: 4,
            max_queued: 1_000_000,
            ..Options::default()
        };
        let rig = Rig::start_with(&db, recorder(&log, &gate), options).await;
        for _ in 0..4 {
            rig.submit().await;
        }
        queue_copies(&db, &rig.submit().await, 100_000).await;
        let mut small = rig.submission();
        small.tenant = TenantId::new();
        // The least urgent: what counts between tenants is their share.
        small.priority = Priority::Low;
        let mut waiting = Vec::new();
        for _ in 0..10 {
            waiting.push(rig.engine.submit(small.clone()).await.unwrap());
        }
        gate.add_permits(1_000_000);
        for task in waiting {
            let ended = rig
                .engine
                .await_end(task.tenant, task.id, crate::rig::LONG)
                .await
                .unwrap();
            assert!(ended.state.is_terminal());
        }
        let log = log.lock().unwrap().clone();
        let last = log.iter().rposition(|task| task.tenant == small.tenant);
        // Four that ran before, ten and ten in turns, and as many on their way as there are workers.
        let before = last.unwrap() + 1;
        assert!(
            before <= 4 + 20 + 8,
            "the ten have run after {before} tasks"
        );
        rig.crash().await;
    })
    .await;
}

#[tokio::test]
async fn pools_and_tenants_get_the_shares_of_their_weights() {
    for_each_database(&SCHEMA, |db| async move {
        let (log, gate) = (Log::default(), Arc::new(Semaphore::new(0)));
        let (heavy, light) = (TenantId::new(), TenantId::new());
        let options = Options {
            workers: 1,
            tenant: heavy,
            weights: Weights {
                tenants: [(heavy, 3)].into(),
                pools: [("fast".to_owned(), 4)].into(),
            },
            ..Options::default()
        };
        let rig = Rig::start_with(&db, recorder(&log, &gate), options).await;
        let mut all = vec![rig.submit().await];
        for _ in 0..60 {
            for (tenant, pool) in [(heavy, "fast"), (heavy, "slow"), (light, "slow")] {
                let mut submission = rig.submission();
                submission.tenant = tenant;
                submission.spec.pool = pool.to_owned();
                all.push(rig.engine.submit(submission).await.unwrap());
            }
        }
        gate.add_permits(1_000);
        for task in &all {
            let ended = rig
                .engine
                .await_end(task.tenant, task.id, crate::rig::LONG)
                .await
                .unwrap();
            assert!(ended.state.is_terminal());
        }
        let log = log.lock().unwrap().clone();
        // While all three have work: the one that opened the gate is left out.
        let first: Vec<_> = log[1..61].to_vec();
        let count = |tenant: TenantId, pool: &str| {
            let of = |task: &&TaskRecord| task.tenant == tenant && task.spec.pool == pool;
            first.iter().filter(of).count()
        };
        let counts = (
            count(heavy, "fast"),
            count(heavy, "slow"),
            count(light, "slow"),
        );
        let wanted = (36_usize, 9_usize, 15_usize);
        assert!(
            counts.0.abs_diff(wanted.0) <= 2
                && counts.1.abs_diff(wanted.1) <= 2
                && counts.2.abs_diff(wanted.2) <= 2,
            "{counts:?} and not about {wanted:?}"
        );
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn the_urgent_go_first_and_the_patient_are_not_forgotten() {
    for_each_database(&SCHEMA, |db| async move {
        let start = "2030-01-01T00:00:00Z".parse().unwrap();
        let clock = Arc::new(swarm_types::ManualClock::new(start));
        let (log, gate) = (Log::default(), Arc::new(Semaphore::new(0)));
        let options = Options {
            workers: 1,
            clock: clock.clone(),
            lease: std::time::Duration::from_secs(600),
            ..Options::default()
        };
        let rig = Rig::start_with(&db, recorder(&log, &gate), options).await;
        let mut all = vec![rig.submit().await];
        let mut submit = async |priority| {
            let mut submission = rig.submission();
            submission.priority = priority;
            all.push(rig.engine.submit(submission).await.unwrap());
        };
        submit(Priority::Low).await;
        clock.advance(chrono::TimeDelta::minutes(4));
        submit(Priority::Normal).await;
        submit(Priority::Critical).await;
        clock.advance(chrono::TimeDelta::minutes(2));
        submit(Priority::Normal).await;
        gate.add_permits(100);
        for task in &all {
            rig.ended(task.id).await;
        }
        let log = log.lock().unwrap().clone();
        let order: Vec<_> = log[1..].iter().map(|task| task.id).collect();
        // The low one has waited six minutes longer than the last normal one, which is more than
        // a level of priority is worth, and four longer than the first, which is not.
        let wanted = [all[3].id, all[2].id, all[1].id, all[4].id];
        assert_eq!(order, wanted);
        rig.stop().await;
    })
    .await;
}
