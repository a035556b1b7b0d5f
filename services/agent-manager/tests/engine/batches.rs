//! Batches: all or nothing.

use serde_json::json;
use swarm_agent_manager::SCHEMA;
use swarm_agent_manager::engine::{Batch, BatchItem};
use swarm_agent_manager::store::idempotency::RequestKey;
use swarm_agent_manager::tasks::{Predecessor, TaskState};
use swarm_errors::Code;
use swarm_test_support::database::for_each_database;
use swarm_types::{AgentId, TaskId};

use crate::rig::{Options, Rig, echo, script};

fn item(rig: &Rig, name: &str, depends_on: &[Predecessor]) -> BatchItem {
    BatchItem {
        name: name.into(),
        task: rig.submission(),
        depends_on: depends_on.to_vec(),
    }
}

fn batch(rig: &Rig, items: Vec<BatchItem>) -> Batch {
    Batch {
        tenant: rig.tenant,
        request: None,
        items,
    }
}

async fn all(rig: &Rig) -> usize {
    let page = rig.engine.list_tasks(rig.tenant, None, None, None, 500);
    page.await.unwrap().items.len()
}

#[tokio::test]
async fn items_run_in_their_order_and_see_each_other_by_name() {
    for_each_database(&SCHEMA, |db| async move {
        let work = script(|context| async move { Ok(json!(context.predecessors().await?)) });
        let rig = Rig::start(&db, work).await;
        let outside = rig.submit().await;
        let items = vec![
            item(
                &rig,
                "report",
                &[
                    Predecessor::Item(1),
                    Predecessor::Item(2),
                    Predecessor::Task(outside.id),
                ],
            ),
            item(&rig, "draft", &[Predecessor::Item(2)]),
            item(&rig, "", &[]),
        ];
        let tasks = rig.engine.submit_batch(batch(&rig, items)).await.unwrap();
        assert_eq!(tasks[0].state, TaskState::Waiting);
        assert_eq!(tasks[2].state, TaskState::Queued);
        let report = rig.ended(tasks[0].id).await;
        let result = report.result.unwrap();
        let names: Vec<_> = (0..3).map(|place| result[place][0].clone()).collect();
        assert_eq!(
            names,
            [json!("draft"), json!(tasks[2].id), json!(outside.id)]
        );
        assert!(report.started_at >= rig.task(tasks[1].id).await.finished_at);
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn one_bad_item_leaves_nothing_and_is_named() {
    for_each_database(&SCHEMA, |db| async move {
        let rig = Rig::start(&db, echo()).await;
        let nobody = TaskId::new();
        let mut late = item(&rig, "", &[]);
        late.task.deadline = Some(swarm_types::Timestamp::UNIX_EPOCH);
        let mut lonely = item(&rig, "", &[]);
        lonely.task.spec.agent_id = Some(AgentId::new());
        let unknown = item(&rig, "", &[Predecessor::Item(0), Predecessor::Task(nobody)]);
        for (bad, field) in [
            (late, "tasks[1].deadline"),
            (lonely, "tasks[1].agent_id"),
            (unknown, "tasks[1].depends_on[1]"),
        ] {
            let items = vec![item(&rig, "a", &[]), bad, item(&rig, "", &[])];
            let mut refused = batch(&rig, items);
            refused.request = Some(RequestKey {
                key: "k".into(),
                body_hash: Vec::new(),
            });
            let error = rig.engine.submit_batch(refused).await.unwrap_err();
            assert_eq!(error.code(), Code::InvalidArgument);
            assert_eq!(error.fields()[0].field, field);
        }
        let items = vec![
            item(&rig, "x", &[]),
            item(&rig, "a", &[Predecessor::Item(0), Predecessor::Item(2)]),
            item(&rig, "b", &[Predecessor::Item(1)]),
        ];
        let error = rig
            .engine
            .submit_batch(batch(&rig, items))
            .await
            .unwrap_err();
        assert_eq!(error.fields()[0].field, "tasks[1].depends_on[1]");
        assert!(error.detail().contains("a -> b -> a"), "{error}");
        assert_eq!(all(&rig).await, 0);
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_large_batch_is_made_once_also_after_a_restart() {
    for_each_database(&SCHEMA, |db| async move {
        let options = Options::default();
        let tenant = options.tenant;
        let rig = Rig::start_with(&db, echo(), options).await;
        let mut items = vec![item(&rig, "first", &[])];
        items.extend((1..300).map(|_| item(&rig, "", &[Predecessor::Item(0)])));
        let mut keyed = batch(&rig, items);
        keyed.request = Some(RequestKey {
            key: "k".into(),
            body_hash: b"h".to_vec(),
        });
        let both = futures::join!(
            rig.engine.submit_batch(keyed.clone()),
            rig.engine.submit_batch(keyed.clone())
        );
        let ids = |tasks: Vec<swarm_agent_manager::tasks::TaskRecord>| {
            tasks.iter().map(|task| task.id).collect::<Vec<_>>()
        };
        let made = ids(both.0.unwrap());
        assert_eq!((made.len(), &made), (300, &ids(both.1.unwrap())));
        for id in &made {
            assert_eq!(rig.ended(*id).await.state, TaskState::Completed);
        }
        rig.stop().await;
        let options = Options {
            tenant,
            ..Options::default()
        };
        let rig = Rig::start_with(&db, echo(), options).await;
        assert_eq!(
            ids(rig.engine.submit_batch(keyed.clone()).await.unwrap()),
            made
        );
        keyed.request = Some(RequestKey {
            key: "k".into(),
            body_hash: b"other".to_vec(),
        });
        let error = rig.engine.submit_batch(keyed).await.unwrap_err();
        assert_eq!(error.code(), Code::IdempotencyMismatch);
        assert_eq!(all(&rig).await, 300);
        rig.stop().await;
    })
    .await;
}
