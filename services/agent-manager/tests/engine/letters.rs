//! The outbox: what learning and memory are told.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};
use swarm_agent_manager::SCHEMA;
use swarm_agent_manager::engine::{Courier, LEARNING, Letter, MEMORY};
use swarm_agent_manager::journal::{StepDone, StepKind, StepSpec};
use swarm_agent_manager::tasks::Usage;
use swarm_errors::{Error, Result};
use swarm_runtime::CancellationToken;
use swarm_test_support::database::for_each_database;
use swarm_types::TenantId;
use tokio::sync::mpsc;

use crate::rig::{LONG, Rig, script};

/// Fails the first time for each receiver.
#[derive(Debug)]
struct Clumsy {
    failed: std::sync::Mutex<Vec<String>>,
    carried: mpsc::UnboundedSender<(String, TenantId, Value)>,
}

#[async_trait]
impl Courier for Clumsy {
    async fn carry(&self, target: &str, tenant: TenantId, letters: &[Letter]) -> Result<()> {
        {
            let mut failed = self.failed.lock().unwrap();
            if !failed.iter().any(|known| known == target) {
                failed.push(target.to_owned());
                return Err(Error::unavailable("not at home"));
            }
        }
        for letter in letters {
            self.carried
                .send((target.to_owned(), tenant, letter.payload.clone()))
                .unwrap();
        }
        Ok(())
    }
}

#[tokio::test]
async fn learning_hears_of_the_outcome_and_memory_of_the_episode() {
    for_each_database(&SCHEMA, |db| async move {
        let work = script(|context| async move {
            let usage = Usage {
                input_tokens: 7,
                output_tokens: 3,
                model_calls: 1,
                ..Usage::default()
            };
            let step = StepSpec::new("model", StepKind::Model, "smol", json!({}));
            context
                .step(step, |_| async { Ok(StepDone::new(()).with_usage(usage)) })
                .await?;
            Ok(json!({"answer": "because"}))
        });
        let rig = Rig::start(&db, work).await;
        let (carried, mut letters) = mpsc::unbounded_channel();
        let courier = Arc::new(Clumsy {
            failed: Default::default(),
            carried,
        });
        let soft = CancellationToken::new();
        let carrying = tokio::spawn(rig.engine.clone().carry_letters(courier, soft.clone()));
        let agent = rig.agent("one", 1).await;
        let task = rig.submit_to(agent.id).await;
        rig.ended(task.id).await;
        let mut found = Vec::new();
        for _ in 0..2 {
            let (target, tenant, payload) = tokio::time::timeout(LONG, letters.recv())
                .await
                .unwrap()
                .unwrap();
            assert_eq!(tenant, rig.tenant);
            found.push((target, payload));
        }
        found.sort_by(|one, other| one.0.cmp(&other.0));
        let (target, observation) = &found[0];
        assert_eq!(target, LEARNING);
        for (key, value) in [
            ("task_id", json!(task.id)),
            ("agent_id", json!(agent.id)),
            ("model", json!("smol")),
            ("kind", json!("test")),
            ("input_tokens", json!(7)),
            ("output_tokens", json!(3)),
            ("success", json!(true)),
        ] {
            assert_eq!(observation[key], value, "{key}");
        }
        let (target, episode) = &found[1];
        assert_eq!(target, MEMORY);
        assert_eq!(episode["content"], json!("Asked: why?\nAnswered: because"));
        soft.cancel();
        carrying.await.unwrap().unwrap();
        assert!(
            letters.recv().await.is_none(),
            "each letter was carried once"
        );
        rig.stop().await;
    })
    .await;
}

/// Never comes back from its first way.
#[derive(Debug)]
struct Slow(mpsc::UnboundedSender<()>);

#[async_trait]
impl Courier for Slow {
    async fn carry(&self, _target: &str, _tenant: TenantId, _letters: &[Letter]) -> Result<()> {
        self.0.send(()).unwrap();
        std::future::pending().await
    }
}

#[tokio::test]
async fn a_replica_that_stops_waits_for_no_letter() {
    for_each_database(&SCHEMA, |db| async move {
        let rig = Rig::start(&db, script(|_| async { Ok(json!({"answer": "because"})) })).await;
        let (left, mut under_way) = mpsc::unbounded_channel();
        let soft = CancellationToken::new();
        let courier = Arc::new(Slow(left));
        let carrying = tokio::spawn(rig.engine.clone().carry_letters(courier, soft.clone()));
        let agent = rig.agent("one", 1).await;
        let task = rig.submit_to(agent.id).await;
        rig.ended(task.id).await;
        tokio::time::timeout(LONG, under_way.recv()).await.unwrap();
        soft.cancel();
        tokio::time::timeout(LONG, carrying)
            .await
            .expect("it stops")
            .unwrap()
            .unwrap();
        rig.stop().await;
    })
    .await;
}
