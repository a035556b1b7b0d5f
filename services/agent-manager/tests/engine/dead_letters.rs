//! Dead letters: listed, retried, purged.

use chrono::TimeDelta;
use serde_json::json;
use swarm_agent_manager::SCHEMA;
use swarm_agent_manager::engine::{Again, Purge, PurgeWhich};
use swarm_agent_manager::store::idempotency::RequestKey;
use swarm_agent_manager::tasks::{RetryPolicy, TaskState};
use swarm_errors::{Code, Error};
use swarm_test_support::database::for_each_database;
use swarm_types::{Clock, SystemClock, TaskId, TenantId};

use crate::retries::attempts;
use crate::rig::{Rig, script};

async fn listed(rig: &Rig, kind: &str) -> Vec<TaskId> {
    let page = rig.engine.dead_letters(rig.tenant, kind, None, 10);
    page.await
        .unwrap()
        .items
        .iter()
        .map(|task| task.id)
        .collect()
}

#[tokio::test]
async fn dead_letters_are_listed_until_they_are_retried_or_purged() {
    for_each_database(&SCHEMA, |db| async move {
        let work = script(|context| async move {
            if context.task().spec.kind == "good" || context.task().attempt > 1 {
                return Ok(json!("ok"));
            }
            Err(Error::unavailable("away"))
        });
        let rig = Rig::start(&db, work).await;
        let submit = async |kind: &str| {
            let task = rig.submit_as(|spec| {
                spec.kind = kind.into();
                spec.retry = attempts(1, 1);
            });
            let id = task.await.id;
            rig.ended(id).await;
            id
        };
        let (one, two, three) = (submit("a").await, submit("b").await, submit("a").await);
        let good = submit("good").await;
        assert_eq!(
            listed(&rig, "").await,
            [three, two, one],
            "the newest first"
        );
        assert_eq!(listed(&rig, "a").await, [three, one]);
        let page = rig
            .engine
            .dead_letters(rig.tenant, "", Some(two), 10)
            .await
            .unwrap();
        assert_eq!(page.items.len(), 1);
        let foreign = rig
            .engine
            .dead_letters(TenantId::new(), "", None, 10)
            .await
            .unwrap();
        assert!(foreign.items.is_empty());

        let again = Again {
            tenant: rig.tenant,
            request: None,
            id: one,
            deadline: None,
        };
        rig.engine.retry(again).await.unwrap();
        assert_eq!(rig.ended(one).await.state, TaskState::Completed);
        assert_eq!(listed(&rig, "").await, [three, two]);

        let mut purge = Purge {
            tenant: rig.tenant,
            request: Some(RequestKey {
                key: "p".into(),
                body_hash: Vec::new(),
            }),
            which: PurgeWhich::These(vec![two, good, TaskId::new()]),
        };
        assert_eq!(
            rig.engine.purge(purge.clone()).await.unwrap(),
            1,
            "what is no dead letter stays"
        );
        assert_eq!(
            rig.engine.purge(purge.clone()).await.unwrap(),
            1,
            "a repeat answers the same"
        );
        assert_eq!(
            rig.engine.task(rig.tenant, two).await.unwrap_err().code(),
            Code::NotFound
        );
        assert_eq!(rig.task(good).await.state, TaskState::Completed);
        purge.request = None;
        purge.tenant = TenantId::new();
        purge.which = PurgeWhich::Before(SystemClock.now() + TimeDelta::hours(1));
        assert_eq!(
            rig.engine.purge(purge.clone()).await.unwrap(),
            0,
            "another tenant's"
        );
        purge.tenant = rig.tenant;
        purge.which = PurgeWhich::Before(SystemClock.now() - TimeDelta::hours(1));
        assert_eq!(
            rig.engine.purge(purge.clone()).await.unwrap(),
            0,
            "younger ones stay"
        );
        purge.which = PurgeWhich::Before(SystemClock.now() + TimeDelta::hours(1));
        assert_eq!(rig.engine.purge(purge).await.unwrap(), 1);
        assert!(listed(&rig, "").await.is_empty());
        for table in [
            "SELECT count(*) AS n FROM events WHERE tenant_id = $1 AND task_id = $2",
            "SELECT count(*) AS n FROM steps WHERE tenant_id = $1 AND task_id = $2",
        ] {
            let query = db.q(table).bind(rig.tenant.uuid()).bind(three.uuid());
            assert_eq!(query.scalar::<i64>().await.unwrap(), 0);
        }
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn what_depended_on_a_purged_task_cannot_be_retried() {
    for_each_database(&SCHEMA, |db| async move {
        let work = script(|_| async { Err(Error::unavailable("away")) });
        let rig = Rig::start(&db, work).await;
        let later = SystemClock.now() + TimeDelta::milliseconds(300);
        let before = rig.submit_as(|spec| {
            spec.retry = attempts(1, 1);
            spec.not_before = Some(later);
        });
        let before = before.await.id;
        let after = rig
            .submit_as(|spec| spec.depends_on = vec![before])
            .await
            .id;
        assert_eq!(rig.ended(before).await.state, TaskState::DeadLettered);
        assert_eq!(rig.ended(after).await.state, TaskState::Failed);
        let purge = Purge {
            tenant: rig.tenant,
            request: None,
            which: PurgeWhich::These(vec![before]),
        };
        assert_eq!(rig.engine.purge(purge).await.unwrap(), 1);
        let again = Again {
            tenant: rig.tenant,
            request: None,
            id: after,
            deadline: None,
        };
        let error = rig.engine.retry(again).await.unwrap_err();
        assert_eq!(error.code(), Code::FailedPrecondition);
        assert!(error.detail().contains("purged"), "{error}");
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn the_key_of_a_purged_task_makes_no_second_one() {
    for_each_database(&SCHEMA, |db| async move {
        let work = script(|_| async { Err(Error::unavailable("away")) });
        let rig = Rig::start(&db, work).await;
        let mut submission = rig.submission();
        submission.spec.retry = RetryPolicy { ..attempts(1, 1) };
        submission.request = Some(RequestKey {
            key: "k".into(),
            body_hash: Vec::new(),
        });
        let task = rig.engine.submit(submission.clone()).await.unwrap();
        rig.ended(task.id).await;
        let purge = Purge {
            tenant: rig.tenant,
            request: None,
            which: PurgeWhich::These(vec![task.id]),
        };
        assert_eq!(rig.engine.purge(purge).await.unwrap(), 1);
        let error = rig.engine.submit(submission).await.unwrap_err();
        assert_eq!(error.code(), Code::NotFound);
        rig.stop().await;
    })
    .await;
}
