//! Back-pressure: a full queue refuses what is new, and never what belongs to what it has accepted.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use swarm_agent_manager::SCHEMA;
use swarm_agent_manager::journal::{StepDone, StepKind, StepSpec};
use swarm_agent_manager::tasks::{NewTask, TaskState};
use swarm_errors::Code;
use swarm_test_support::database::for_each_database;
use swarm_test_support::eventually;
use swarm_types::TenantId;
use tokio::sync::Semaphore;

use crate::rig::{LONG, Options, Rig, script, script_with};

#[tokio::test]
async fn a_full_queue_says_when_to_try_again_and_holds_up_nobody_else() {
    for_each_database(&SCHEMA, |db| async move {
        let gate = Arc::new(Semaphore::new(0));
        let work = script_with(&gate, |context, gate| async move {
            if context.task().parent.is_none() {
                gate.acquire().await.unwrap().forget();
                let split = StepSpec::new("split", StepKind::SubTask, "", json!({}));
                context
                    .step(split, |_| async {
                        let mut done = StepDone::new(());
                        done.children = vec![NewTask::default(); 5];
                        Ok(done)
                    })
                    .await?;
                let children: Vec<_> = (0..5)
                    .map(|place| context.child_id("split", place))
                    .collect();
                context.await_tasks(&children).await?;
            }
            Ok(json!("done"))
        });
        let options = Options {
            workers: 1,
            max_queued: 3,
            ..Options::default()
        };
        let rig = Rig::start_with(&db, work, options).await;
        let first = rig.submit().await;
        let mut queued = Vec::new();
        for _ in 0..3 {
            queued.push(rig.submit().await);
        }
        let refused = rig.engine.submit(rig.submission()).await.unwrap_err();
        assert_eq!(refused.code(), Code::ResourceExhausted);
        assert!(refused.retry_after().unwrap() >= Duration::from_secs(1));
        let mut other = rig.submission();
        other.tenant = TenantId::new();
        let other = rig.engine.submit(other).await.unwrap();
        // Its sub-tasks join the full queue.
        gate.add_permits(5);
        assert_eq!(rig.ended(first.id).await.state, TaskState::Completed);
        for task in queued {
            assert_eq!(rig.ended(task.id).await.state, TaskState::Completed);
        }
        let ended = rig.engine.await_end(other.tenant, other.id, LONG).await;
        assert_eq!(ended.unwrap().state, TaskState::Completed);
        // Once it is counted again there is room again.
        gate.add_permits(100);
        eventually("room in the queue", LONG, || async {
            rig.engine.submit(rig.submission()).await.map(drop)
        })
        .await;
        rig.stop().await;
    })
    .await;
}

#[tokio::test]
async fn tasks_for_a_busy_agent_fill_the_queue_too() {
    for_each_database(&SCHEMA, |db| async move {
        let work = script(|_| async move {
            std::future::pending::<()>().await;
            Ok(json!(1))
        });
        let options = Options {
            max_queued: 2,
            ..Options::default()
        };
        let rig = Rig::start_with(&db, work, options).await;
        let agent = rig.agent("busy", 1).await;
        rig.submit_to(agent.id).await;
        // Estimates only: a count that is taken meanwhile may let some more in.
        let mut refused = None;
        for _ in 0..10 {
            let mut submission = rig.submission();
            submission.spec.agent_id = Some(agent.id);
            if let Err(error) = rig.engine.submit(submission).await {
                refused = Some(error);
                break;
            }
        }
        assert_eq!(refused.unwrap().code(), Code::ResourceExhausted);
        rig.crash().await;
    })
    .await;
}
