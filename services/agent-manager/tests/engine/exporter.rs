//! Gauges of what all replicas share are shown by one of them.

use swarm_agent_manager::SCHEMA;
use swarm_test_support::database::for_each_database;
use swarm_test_support::eventually;

use crate::rig::{LONG, Options, Rig, echo};

impl Rig {
    fn shows_the_queue(&self) -> bool {
        self.registry
            .encode()
            .contains("qwen_swarm_task_queue_length{")
    }
}

#[tokio::test]
async fn one_replica_shows_them_and_the_next_one_takes_over() {
    for_each_database(&SCHEMA, |db| async move {
        let one = Rig::start(&db, echo()).await;
        eventually("the first shows them", LONG, || async {
            one.shows_the_queue().then_some(()).ok_or("not yet")
        })
        .await;
        one.agent("worker", 1).await;
        eventually("the agent is shown", LONG, || async {
            let text = one.registry.encode();
            let shown = text.contains("qwen_swarm_active_agents{pool=\"default\"} 1");
            shown.then_some(()).ok_or(text)
        })
        .await;
        let options = Options {
            replica: "two",
            ..Options::default()
        };
        let two = Rig::start_with(&db, echo(), options).await;
        // It has swept at least once when it has done a task.
        let task = two.submit().await;
        two.ended(task.id).await;
        assert!(one.shows_the_queue() && !two.shows_the_queue());
        let registry = one.registry.clone();
        one.stop().await;
        assert!(!registry.encode().contains("qwen_swarm_task_queue_length{"));
        eventually("the second takes over", LONG, || async {
            two.shows_the_queue().then_some(()).ok_or("not yet")
        })
        .await;
        two.stop().await;
    })
    .await;
}
