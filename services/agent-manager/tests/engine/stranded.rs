//! The trap of leased submissions: a replica that stands still in the middle of one commits it after
//! its lease was taken over, and nobody would ever look for the task. The order of locks prevents it.

use std::time::Duration;

use serde_json::json;
use swarm_agent_manager::SCHEMA;
use swarm_agent_manager::tasks::{TaskRecord, TaskState};
use swarm_database::{Db, Tx};
use swarm_errors::{Code, Result};
use swarm_test_support::database::Fresh;
use swarm_test_support::eventually;
use swarm_types::TenantId;
use tokio::task::JoinHandle;

use crate::replica::Replica;
use crate::rig::{LONG, Options, Rig, echo, script, submission};

const LEASE: Duration = Duration::from_millis(400);
const COUNTER: &str = "SELECT tenant_seq FROM tenant_counters WHERE tenant_id = $1 FOR UPDATE";
const WAITING: &str = "
    SELECT count(*) AS waiting FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'";
const IDLE: &str = "
    SELECT count(*) AS idle FROM pg_stat_activity
    WHERE datname = current_database() AND state LIKE 'idle in transaction%' AND pid <> pg_backend_pid()";
const EXPIRED: &str = "
    SELECT count(*) AS expired FROM lease_groups WHERE owner = 'frozen' AND expires_at < now()";

fn options(replica: &'static str, tenant: TenantId) -> Options {
    Options {
        replica,
        tenant,
        lease: LEASE,
        ..Options::default()
    }
}

/// Holds the counter that each write with events takes last, so that a submission stands before its
/// commit.
async fn hold_counter(db: &Db, tenant: TenantId) -> Tx {
    let mut tx = db.begin().await.unwrap();
    let _: i64 = tx.q(COUNTER).bind(tenant.uuid()).scalar().await.unwrap();
    tx
}

async fn becomes(db: &Db, text: &'static str, least: i64) {
    eventually(text, LONG, || async {
        let found: i64 = db.q(text).scalar().await.unwrap();
        if found >= least { Ok(()) } else { Err(found) }
    })
    .await;
}

struct Case {
    db: Db,
    tenant: TenantId,
    frozen: Replica,
}

/// How many statements a submission takes.
#[derive(PartialEq)]
enum Statements {
    /// The commit lane's.
    One,
    /// Those of a transaction, for an agent's place belongs to it.
    Several,
}

/// A replica whose submission stands just before its commit.
async fn begin(statements: Statements) -> (Case, JoinHandle<Result<TaskRecord>>, Tx) {
    let fresh = Fresh::postgres().await;
    let db = fresh.open(&SCHEMA).await;
    let tenant = TenantId::new();
    let mut wanted = submission(tenant);
    if statements == Statements::Several {
        let rig = Rig::start_with(&db, echo(), options("other", tenant)).await;
        wanted.spec.agent_id = Some(rig.agent("anna", 1).await.id);
        rig.stop().await;
    }
    let never = script(|_| std::future::pending());
    let frozen = Replica::start(&fresh.config, never, options("frozen", tenant)).await;
    // The tenant's counter is there from now on.
    let first = frozen.submit(submission(TenantId::new())).await;
    assert_eq!(first.state, TaskState::Running);
    let seed = frozen.submit(submission(tenant)).await;
    assert_eq!(seed.state, TaskState::Running);
    let counter = hold_counter(&db, tenant).await;
    let submitted = frozen.try_submit(wanted);
    becomes(&db, WAITING, 1).await;
    (Case { db, tenant, frozen }, submitted, counter)
}

#[tokio::test]
async fn what_commits_after_the_lease_has_expired_is_taken_over_with_the_rest() {
    let (case, submitted, counter) = begin(Statements::One).await;
    let ice = case.frozen.freeze().await;
    becomes(&case.db, EXPIRED, 1).await;
    let other = Rig::start_with(&case.db, echo(), options("other", case.tenant)).await;
    // It cannot have the group while the submission is under way: with it would go the task.
    assert_eq!(
        other
            .engine
            .list_tasks(case.tenant, Some(TaskState::Running), None, None, 10)
            .await
            .unwrap()
            .items
            .len(),
        1
    );
    // The statement goes through, and is committed by itself.
    counter.rollback().await.unwrap();
    ice.thaw();
    let task = submitted.await.unwrap().expect("it is accepted");
    // It dies with the new task, which is found like the rest.
    case.frozen.crash().await;
    let ended = other.ended(task.id).await;
    assert_eq!(ended.state, TaskState::Completed, "accepted, so it ends");
    assert_eq!(ended.result, Some(json!({"prompt": "why?"})));
    other.stop().await;
}

#[tokio::test]
async fn a_submission_that_stands_still_for_too_long_is_undone_and_not_half_there() {
    let (case, submitted, counter) = begin(Statements::Several).await;
    let ice = case.frozen.freeze().await;
    counter.rollback().await.unwrap();
    becomes(&case.db, IDLE, 1).await;
    let other = Rig::start_with(&case.db, echo(), options("other", case.tenant)).await;
    // The database ends the transaction after two seconds; then the group is taken over.
    eventually("the lease to be taken over", LONG, || async {
        let running =
            other
                .engine
                .list_tasks(case.tenant, Some(TaskState::Running), None, None, 10);
        running.await.unwrap().items.is_empty()
    })
    .await;
    ice.thaw();
    match submitted.await.unwrap() {
        Ok(task) => assert_eq!(other.ended(task.id).await.state, TaskState::Completed),
        Err(error) => assert_eq!(error.code(), Code::Unavailable, "{error:?}"),
    }
    // Whatever it was told, nothing is left behind.
    eventually("everything to end", LONG, || async {
        let all = other
            .engine
            .list_tasks(case.tenant, None, None, None, 10)
            .await
            .unwrap();
        let open: Vec<_> = all
            .items
            .into_iter()
            .filter(|task| !task.state.is_terminal())
            .collect();
        if open.is_empty() { Ok(()) } else { Err(open) }
    })
    .await;
    case.frozen.crash().await;
    other.stop().await;
}
