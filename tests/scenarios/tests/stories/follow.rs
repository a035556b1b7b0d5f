//! A client follows a task: over WebSocket, as server-sent events, and page by page.

use std::time::Duration;

use futures::StreamExt;
use swarm_client::{Event, NewTask, TaskState, Watched};
use swarm_test_cluster::{Cluster, Shape, http};
use swarm_test_scenarios::{ANSWER, Swarm, events_of, script};

async fn followed(cluster: &Cluster, topic: &str, cursor: Option<String>) -> Vec<Event> {
    let stream = cluster.client().watch(topic, cursor);
    let mut stream = std::pin::pin!(stream);
    let mut events = Vec::new();
    let all = async {
        while let Some(watched) = stream.next().await {
            match watched.unwrap() {
                Watched::Event(event) => events.push(event.event),
                gap @ Watched::Gap { .. } => panic!("{gap:?}"),
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), all)
        .await
        .expect("the stream ends with its task");
    events
}

#[tokio::test]
async fn every_event_arrives_once_and_in_order_over_every_door() {
    let cluster = Cluster::builder(Shape::SixProcesses)
        .script(&script(ANSWER))
        .start()
        .await;
    let swarm = Swarm::create(&cluster).await;
    let task = swarm.ask().await;
    let topic = format!("tasks/{}", task.id);
    let live: Vec<Event> = followed(&cluster, &topic, None)
        .await
        .into_iter()
        .filter(|event| !event.ephemeral)
        .collect();
    let stored = events_of(&swarm.client, &task.id).await;
    let numbers = |events: &[Event]| {
        events
            .iter()
            .map(|event| (event.seq, event.kind.clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(numbers(&live), numbers(&stored));
    assert_eq!(stored.last().unwrap().kind, "task.completed");

    let later = followed(&cluster, &topic, Some("3".to_owned())).await;
    assert_eq!(
        numbers(&later),
        numbers(&stored[3..]),
        "a cursor resumes after itself"
    );
    assert_eq!(
        server_sent(&cluster, &task.id, 3).await,
        numbers(&stored[3..]),
        "so does Last-Event-ID"
    );
}

/// What the stream of server-sent events yields after an event.
async fn server_sent(cluster: &Cluster, task: &str, after: u64) -> Vec<(Option<u64>, String)> {
    let text = http()
        .get(format!("{}/api/v1/tasks/{task}/events", cluster.rest()))
        .bearer_auth(cluster.client().token().await.unwrap())
        .header("accept", "text/event-stream")
        .header("last-event-id", after.to_string())
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    // A frame with an id is a stored event; the others are tokens, and the end of the stream.
    text.split("\n\n")
        .filter(|frame| frame.lines().any(|line| line.starts_with("id:")))
        .map(|frame| {
            let data = frame
                .lines()
                .find_map(|line| line.strip_prefix("data:"))
                .unwrap();
            serde_json::from_str::<Event>(data.trim()).unwrap()
        })
        .map(|event| (event.seq, event.kind))
        .collect()
}

#[tokio::test]
async fn a_swarms_tree_streams_its_sub_tasks_and_tokens() {
    let cluster = Cluster::builder(Shape::OneProcess)
        .script(&script(ANSWER))
        .start()
        .await;
    let swarm = Swarm::create(&cluster).await;
    let task = swarm.ask().await;
    let events = followed(&cluster, &format!("tasks/{}/tree", task.id), None).await;
    let durable: Vec<u64> = events
        .iter()
        .filter(|event| !event.ephemeral)
        .filter_map(|event| event.tenant_seq)
        .collect();
    assert!(durable.is_sorted_by(|a, b| a < b), "{durable:?}");
    for kind in [
        "message.sent",
        "ballot.opened",
        "ballot.vote",
        "ballot.closed",
        "task.completed",
    ] {
        assert!(
            events.iter().any(|event| event.kind == kind),
            "no {kind} in {:?}",
            events.iter().map(|e| &e.kind).collect::<Vec<_>>()
        );
    }
    let children: std::collections::BTreeSet<_> =
        events.iter().map(|event| event.task_id.clone()).collect();
    assert_eq!(children.len(), 4, "the task, two parts and the writing");
}

#[tokio::test]
async fn a_repeated_submission_is_one_task() {
    let cluster = Cluster::builder(Shape::OneProcess)
        .script(&script(ANSWER))
        .start()
        .await;
    let client = cluster.client();
    let task = NewTask::question("Who keeps the lamp?");
    let first = client.submit_task_once("a key", &task).await.unwrap();
    let second = client.submit_task_once("a key", &task).await.unwrap();
    assert_eq!(first.id, second.id);
    let other = client
        .submit_task_once("a key", &NewTask::question("Who paints the door?"))
        .await
        .unwrap_err();
    assert_eq!(other.code().http(), 422);
    let ended = client
        .task_result(&first.id, Duration::from_secs(30))
        .await
        .unwrap();
    assert_eq!(ended.state, TaskState::Completed, "{:?}", ended.error);
}
