//! Cancel is a fact once it has answered.

use std::time::{Duration, Instant};

use swarm_client::{NewTask, TaskState};
use swarm_test_cluster::{Cluster, Service, Shape};
use swarm_test_scenarios::{ANSWER, Journal, Swarm, slow_script};
use swarm_test_support::{eventually, postgres, redis};

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

/// Submits tasks until each agent-manager works on some, and returns their ids.
async fn long_tasks(client: &swarm_client::Client, count: usize) -> Vec<String> {
    let mut tasks = Vec::new();
    for _ in 0..count {
        let task = client.submit_task(&NewTask::question("Who is here?")).await;
        tasks.push(task.unwrap().id);
    }
    eventually("all at work", Duration::from_secs(30), || async {
        for id in &tasks {
            let tree = client.task_tree(id).await.unwrap();
            if !tree.steps.iter().any(|step| step.kind == "model") {
                return Err(format!("{id} has not begun"));
            }
        }
        Ok(())
    })
    .await;
    tasks
}

#[tokio::test]
async fn it_reaches_tasks_on_every_replica_and_waits_out_a_frozen_one() {
    let database = postgres::Server::shared().await.database().await;
    let mut cluster = Cluster::builder(Shape::SixProcesses)
        .replicas(Service::AgentManager, 2)
        .script(&slow_script(ANSWER, Duration::from_secs(120)))
        .postgres(&database)
        .await
        .redis(&redis::Server::shared().await.url())
        .set("agent_manager.lease_ms", "3000")
        .start()
        .await;
    let client = cluster.client();
    for id in long_tasks(&client, 8).await {
        let begun = Instant::now();
        let cancelled = client.cancel_task(&id, None).await.unwrap();
        assert_eq!(cancelled.state, TaskState::Cancelled);
        let took = begun.elapsed();
        assert!(took < Duration::from_secs(2), "it took {took:?}");
        let steps = client.task_tree(&id).await.unwrap().steps;
        let call = steps.iter().find(|step| step.kind == "model").unwrap();
        assert_eq!(call.state, "outcome_unknown");
    }
    let tasks = long_tasks(&client, 8).await;
    cluster.pause(Service::AgentManager.replica(1)).await;
    for id in &tasks {
        // While the frozen one still holds its lease, or its connection does not answer.
        eventually("the cancel", Duration::from_secs(60), || async {
            let cancelled = client.cancel_task(id, None).await;
            let cancelled = cancelled.map_err(|error| error.chain())?;
            (cancelled.state == TaskState::Cancelled)
                .then_some(())
                .ok_or_else(|| cancelled.state.to_string())
        })
        .await;
    }
    let mut before = Vec::new();
    for id in &tasks {
        before.push(Journal::read(&client, id).await.count("step.started"));
    }
    cluster.resume(Service::AgentManager.replica(1)).await;
    cluster.ready().await;
    for (id, before) in tasks.iter().zip(before) {
        let journal = Journal::read(&client, id).await;
        assert_eq!(journal.count("step.started"), before);
        let task = client.get_task(id).await.unwrap();
        assert_eq!(task.state, TaskState::Cancelled);
    }
}
