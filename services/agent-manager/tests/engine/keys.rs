//! Idempotency keys.

use serde_json::json;
use swarm_agent_manager::SCHEMA;
use swarm_agent_manager::store::idempotency::RequestKey;
use swarm_errors::Code;
use swarm_test_support::database::for_each_database;
use swarm_types::TenantId;

use crate::rig::{Options, Rig, echo, profile};

fn key(key: &str, body: &[u8]) -> Option<RequestKey> {
    Some(RequestKey {
        key: key.into(),
        body_hash: body.to_vec(),
    })
}

#[tokio::test]
async fn the_same_request_makes_one_task_also_all_at_once_and_after_a_restart() {
    for_each_database(&SCHEMA, |db| async move {
        let options = Options::default();
        let tenant = options.tenant;
        let rig = Rig::start_with(&db, echo(), options).await;
        let mut submission = rig.submission();
        submission.request = key("k", b"body");
        let all = (0..8).map(|_| rig.engine.submit(submission.clone()));
        let ids: Vec<_> = futures::future::join_all(all)
            .await
            .into_iter()
            .map(|task| task.unwrap().id)
            .collect();
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
        rig.ended(ids[0]).await;
        rig.stop().await;

        let rig = Rig::start_with(
            &db,
            echo(),
            Options {
                tenant,
                ..Options::default()
            },
        )
        .await;
        let again = rig.engine.submit(submission.clone()).await.unwrap();
        assert_eq!(
            (again.id, again.result),
            (ids[0], Some(json!({"prompt": "why?"})))
        );
        assert_eq!(
            rig.engine
                .list_tasks(tenant, None, None, None, 10)
                .await
                .unwrap()
                .items
                .len(),
            1
        );

        submission.request = key("k", b"another body");
        let error = rig.engine.submit(submission.clone()).await.unwrap_err();
        assert_eq!(error.code(), Code::IdempotencyMismatch);
        let error = rig
            .engine
            .create_agent(tenant, key("k", b"body").as_ref(), profile("a", 1))
            .await
            .unwrap_err();
        assert_eq!(error.code(), Code::IdempotencyMismatch, "another operation");
        submission.tenant = TenantId::new();
        assert_ne!(
            rig.engine.submit(submission).await.unwrap().id,
            ids[0],
            "another tenant's key is another key"
        );
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_refused_request_leaves_its_key_free() {
    for_each_database(&SCHEMA, |db| async move {
        let rig = Rig::start(&db, echo()).await;
        let key = key("k", b"body");
        let error = rig
            .engine
            .create_agent(rig.tenant, key.as_ref(), profile(" ", 1))
            .await
            .unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument);
        let agent = rig
            .engine
            .create_agent(rig.tenant, key.as_ref(), profile("a", 1))
            .await
            .unwrap();
        let again = rig
            .engine
            .create_agent(rig.tenant, key.as_ref(), profile("a", 1))
            .await
            .unwrap();
        assert_eq!(again.id, agent.id);
        rig.stop().await;
    })
    .await;
}
