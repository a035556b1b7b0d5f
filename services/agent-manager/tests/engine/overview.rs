//! The work of the moment, over two replicas and their ends.

use std::sync::Arc;

use serde_json::json;
use swarm_agent_manager::SCHEMA;
use swarm_agent_manager::engine::Overview;
use swarm_agent_manager::journal::{StepDone, StepKind, StepSpec};
use swarm_test_support::database::for_each_database;
use swarm_test_support::eventually;
use swarm_types::Priority;
use tokio::sync::Semaphore;

use crate::rig::{LONG, Options, Rig, script_with};

async fn overview(rig: &Rig) -> Overview {
    rig.engine.overview(rig.tenant, false).await.unwrap()
}

#[tokio::test]
async fn what_two_replicas_do_adds_up() {
    for_each_database(&SCHEMA, |db| async move {
        let gate = Arc::new(Semaphore::new(0));
        let work = || {
            script_with(&gate, |context, gate| async move {
                let step = StepSpec::new("call", StepKind::Model, "oracle", json!({}));
                context
                    .step(step, |_| async {
                        gate.acquire().await.unwrap().forget();
                        Ok(StepDone::new(json!(1)))
                    })
                    .await
            })
        };
        let options = |replica| Options {
            replica,
            workers: 1,
            ..Options::default()
        };
        let one = Rig::start_with(&db, work(), options("one")).await;
        let tenant = one.tenant;
        let two = Rig::start_with(
            &db,
            work(),
            Options {
                tenant,
                ..options("two")
            },
        )
        .await;
        let agent = one.agent("scout", 9).await;
        let first = one.submit_to(agent.id).await;
        let second = two.submit().await;
        let mut urgent = one.submission();
        urgent.priority = Priority::High;
        let third = one.engine.submit(urgent).await.unwrap();

        // From either side.
        for rig in [&one, &two] {
            eventually("both replicas are seen at work", LONG, || async {
                let found = overview(rig).await;
                let held: Vec<_> = found
                    .replicas
                    .iter()
                    .map(|it| (it.name.clone(), it.held))
                    .collect();
                if held == [("one".to_owned(), 1), ("two".to_owned(), 1)] {
                    Ok(())
                } else {
                    Err(held)
                }
            })
            .await;
        }
        let found = overview(&one).await;
        assert_eq!(found.total.held, 2);
        let queued: Vec<_> = found.tenants[0]
            .queues
            .iter()
            .map(|queue| (queue.priority, queue.length, queue.oldest.is_some()))
            .collect();
        assert_eq!(
            queued,
            [
                (Priority::Critical, 0, false),
                (Priority::High, 1, true),
                (Priority::Normal, 0, false),
                (Priority::Low, 0, false)
            ]
        );
        eventually("the step is seen", LONG, || async {
            let found = overview(&one).await;
            let [work] = &found.work[..] else {
                return Err(found.work);
            };
            let step = work.step.clone();
            if step == Some(("model".to_owned(), "oracle".to_owned())) && work.task == first.id {
                Ok(())
            } else {
                Err(found.work)
            }
        })
        .await;

        gate.add_permits(3);
        for task in [&first, &second, &third] {
            one.ended(task.id).await;
        }
        eventually("all that ended is counted, once", LONG, || async {
            let found = overview(&two).await;
            let (count, held) = (found.total.tasks.count(), found.total.held);
            if (count, held) == (3, 0) {
                Ok(())
            } else {
                Err((count, held))
            }
        })
        .await;
        let stranger = Options::default().tenant;
        let other = one.engine.overview(stranger, false).await.unwrap();
        assert_eq!(other.total.tasks.count(), 0);
        assert!(other.agents.is_empty() && other.work.is_empty());
        eventually("everybody's tasks are counted", LONG, || async {
            let all = one.engine.overview(stranger, true).await.unwrap();
            match all.total.tasks.count() {
                3 => Ok(()),
                count => Err(count),
            }
        })
        .await;
        let all = one.engine.overview(stranger, true).await.unwrap();
        assert_eq!(all.total.workers.all, 2);
        assert!(all.tenants.iter().any(|it| it.tenant == tenant));
        two.stop().await;
        one.stop().await;
    })
    .await;
}
