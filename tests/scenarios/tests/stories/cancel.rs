//! Cancel is a fact once it has answered.

use std::time::Duration;

use swarm_client::TaskState;
use swarm_test_cluster::{Cluster, Shape};
use swarm_test_scenarios::{ANSWER, Journal, Swarm, slow_script};
use swarm_test_support::eventually;

#[tokio::test]
async fn nothing_starts_in_the_whole_tree_after_the_answer() {
    let cluster = Cluster::builder(Shape::SixProcesses)
        .script(&slow_script(ANSWER, Duration::from_secs(30)))
        .start()
        .await;
    let swarm = Swarm::create(&cluster).await;
    let task = swarm.ask().await;
    eventually("a reader at work", Duration::from_secs(30), || async {
        let tree = swarm.client.task_tree(&task.id).await.unwrap();
        let thinking = tree
            .children
            .iter()
            .filter(|child| child.steps.iter().any(|step| step.kind == "model"))
            .count();
        (thinking == 1).then_some(())
    })
    .await;
    let cancelled = swarm
        .client
        .cancel_task(&task.id, Some("changed my mind"))
        .await
        .unwrap();
    assert_eq!(cancelled.state, TaskState::Cancelled);
    let tree = swarm.client.task_tree(&task.id).await.unwrap();
    let states: Vec<TaskState> = tree.children.iter().map(|child| child.task.state).collect();
    assert!(states.contains(&TaskState::Cancelled), "{states:?}");
    assert!(states.iter().all(|state| state.has_ended()), "{states:?}");
    let journal = Journal::read(&swarm.client, &task.id).await;
    let before = journal.count("step.started");
    let again = swarm.client.cancel_task(&task.id, None).await.unwrap();
    assert_eq!(
        again.state,
        TaskState::Cancelled,
        "a repeat changes nothing"
    );
    assert_eq!(
        Journal::read(&swarm.client, &task.id)
            .await
            .count("step.started"),
        before
    );
    assert_eq!(
        journal.count("step.finished"),
        journal
            .steps
            .iter()
            .filter(|step| step.state == "finished")
            .count()
    );
}
