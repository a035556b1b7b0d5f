//! Several replicas of a service: one that is gone, or stopped, is not missed.

use std::pin::pin;
use std::time::{Duration, Instant};

use futures::StreamExt;
use swarm_client::{NewTask, TaskState, Watched};
use swarm_test_cluster::{Cluster, Service, Shape};
use swarm_test_scenarios::{ANSWER, events_of, slow_script};
use swarm_test_support::{eventually, postgres, redis};

const LIMIT: Duration = Duration::from_secs(60);

async fn cluster() -> Cluster {
    let database = postgres::Server::shared().await.database().await;
    Cluster::builder(Shape::SixProcesses)
        .replicas(Service::AgentManager, 3)
        .replicas(Service::Gateway, 2)
        .script(&slow_script(ANSWER, Duration::from_millis(50)))
        .postgres(&database)
        .await
        .redis(&redis::Server::shared().await.url())
        .set("agent_manager.lease_ms", "1500")
        .start()
        .await
}

async fn submit_and_end(cluster: &Cluster, gateway: usize, limit: Duration) -> String {
    let client = cluster.client_at(gateway);
    let begun = Instant::now();
    let task = client
        .submit_task(&NewTask::question("Who is here?"))
        .await
        .unwrap();
    let id = task.id.clone();
    eventually("the task to end", LIMIT, || async {
        let task = client
            .get_task(&id)
            .await
            .map_err(|error| error.chain().to_string())?;
        (task.state == TaskState::Completed)
            .then_some(())
            .ok_or_else(|| task.state.to_string())
    })
    .await;
    assert!(begun.elapsed() < limit, "it took {:?}", begun.elapsed());
    task.id
}

#[tokio::test]
async fn killed_and_stopped_replicas_are_not_missed() {
    let mut cluster = cluster().await;
    for number in [0, 2] {
        cluster.kill(Service::AgentManager.replica(number)).await;
        for _ in 0..6 {
            for gateway in [0, 1] {
                submit_and_end(&cluster, gateway, LIMIT).await;
            }
        }
        cluster.start(Service::AgentManager.replica(number)).await;
    }
    cluster.pause(Service::AgentManager.replica(1)).await;
    for _ in 0..6 {
        for gateway in [0, 1] {
            submit_and_end(&cluster, gateway, LIMIT).await;
        }
    }
    cluster.resume(Service::AgentManager.replica(1)).await;
    cluster.stop(Service::Gateway.replica(0)).await;
    submit_and_end(&cluster, 1, LIMIT).await;
}

#[tokio::test]
async fn a_stream_goes_on_at_another_replica_and_another_gateway() {
    let mut cluster = cluster().await;
    let client = cluster.client_at(0);
    let mut cursor = "0".to_owned();
    let mut seen = Vec::new();
    let mut tasks = Vec::new();
    for round in 0..4 {
        tasks.push(submit_and_end(&cluster, round % 2, LIMIT).await);
        let watcher = cluster.client_at(round % 2);
        let mut events = pin!(watcher.watch("tasks", Some(cursor.clone())));
        // Wherever the stream is now, it must survive the loss of each of its replicas.
        if round > 0 {
            cluster.kill(Service::AgentManager.replica(round - 1)).await;
            tasks.push(submit_and_end(&cluster, round % 2, LIMIT).await);
        }
        let mut expected = 0;
        for task in &tasks {
            expected += events_of(&client, task).await.len();
        }
        while seen.len() < expected {
            let next = tokio::time::timeout(LIMIT, events.next())
                .await
                .expect("the stream stalled");
            if let Some(Ok(Watched::Event(update))) = next
                && !update.event.ephemeral
            {
                cursor = update.cursor.unwrap_or(cursor);
                seen.push((update.event.task_id.clone(), update.event.seq));
            }
        }
        if round > 0 {
            cluster
                .start(Service::AgentManager.replica(round - 1))
                .await;
        }
    }
    let mut once = seen.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), seen.len(), "an event was told twice");
}
