//! A tenant's queue is full: what is new is refused with the reason and the time to come again,
//! and what was accepted is done.

use std::time::Duration;

use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use swarm_client::{Client, NewTask, TaskState};
use swarm_test_cluster::{Cluster, Shape, http};
use swarm_test_support::eventually;
use swarm_types::PageRequest;

const LIMIT: Duration = Duration::from_secs(30);
const ROOM: usize = 3;

/// A tenant's client of the REST interface, which does not wait for room as the SDK does.
struct Door {
    http: reqwest::Client,
    base: String,
    token: String,
}

impl Door {
    async fn of(cluster: &Cluster) -> Self {
        Self {
            http: http(),
            base: format!("{}/api/v1", cluster.rest()),
            token: cluster.client().token().await.unwrap(),
        }
    }

    async fn submit(&self, path: &str, key: &str, body: &Value) -> Response {
        self.http
            .post(format!("{}{path}", self.base))
            .bearer_auth(&self.token)
            .header("idempotency-key", key)
            .json(body)
            .send()
            .await
            .unwrap()
    }
}

fn question() -> Value {
    json!({ "kind": "question", "input": { "prompt": "Who is next?" } })
}

fn key(place: usize) -> String {
    format!("job-{place}")
}

async fn id_of(answer: Response) -> String {
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    let task: Value = answer.json().await.unwrap();
    task["id"].as_str().unwrap().to_owned()
}

async fn reaches(client: &Client, id: &str, state: TaskState) {
    eventually("the task's state", LIMIT, || async {
        let task = client.get_task(id).await.unwrap();
        if task.state == state {
            Ok(())
        } else {
            Err((task.state, task.error))
        }
    })
    .await;
}

/// The answer says why, and when to come again.
async fn assert_says_why(refused: Response) {
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    let header = |name| refused.headers()[name].to_str().unwrap().to_owned();
    let after: u64 = header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&after), "{after}");
    assert!(header("content-type").starts_with("application/problem+json"));
    let problem: Value = refused.json().await.unwrap();
    assert_eq!(problem["status"], 429, "{problem}");
    assert_eq!(problem["code"], "resource_exhausted", "{problem}");
    let detail = problem["detail"].as_str().unwrap();
    assert!(
        detail.contains("queue is full") && detail.contains("at most 3"),
        "{problem}"
    );
}

#[tokio::test]
async fn a_full_queue_says_so_and_loses_nothing_that_it_has_accepted() {
    let turns = json!({ "turns": [
        { "when": "Take your time", "text": "Late.", "delay_ms": 600_000 },
        { "when": "", "text": "I am.", "repeat": true },
    ] });
    let cluster = Cluster::builder(Shape::OneProcess)
        .script(&turns)
        .set("agent_manager.max_workers", "1")
        .set("agent_manager.max_queued_per_tenant", &ROOM.to_string())
        .start()
        .await;
    let client = cluster.client();
    let holder = NewTask::question("Take your time.");
    let holder = client.submit_task(&holder).await.unwrap().id;
    reaches(&client, &holder, TaskState::Running).await;

    let door = Door::of(&cluster).await;
    let mut accepted = Vec::new();
    let refused = loop {
        let answer = door
            .submit("/tasks", &key(accepted.len()), &question())
            .await;
        if answer.status() == StatusCode::TOO_MANY_REQUESTS {
            break answer;
        }
        accepted.push(id_of(answer).await);
        assert!(accepted.len() <= ROOM, "the queue has an end");
    };
    assert_eq!(accepted.len(), ROOM);
    assert_says_why(refused).await;
    let batch = json!({ "tasks": [question(), question()] });
    assert_says_why(door.submit("/tasks:batch", "batch", &batch).await).await;
    // A client that repeats what was accepted gets its task, and no refusal.
    let repeated = door.submit("/tasks", &key(0), &question()).await;
    assert_eq!(id_of(repeated).await, accepted[0]);

    // The SDK comes again as it is told, and finds room.
    let patient = client.clone();
    let patient = tokio::spawn(async move {
        let question = NewTask::question("Is it my turn?");
        patient.submit_task(&question).await.unwrap().id
    });
    client.cancel_task(&holder, None).await.unwrap();
    let late = tokio::time::timeout(LIMIT, patient).await;
    accepted.push(late.expect("there is room again").unwrap());
    for id in &accepted {
        reaches(&client, id, TaskState::Completed).await;
    }
    // What was refused left nothing behind, and its key is free.
    let list = client.list_tasks(None, None, &PageRequest::default()).await;
    let mut listed: Vec<String> = list.unwrap().items.into_iter().map(|one| one.id).collect();
    let mut known = [accepted.clone(), vec![holder]].concat();
    listed.sort();
    known.sort();
    assert_eq!(listed, known);
    let again = eventually("room for what was refused", LIMIT, || async {
        let answer = door.submit("/tasks", &key(ROOM), &question()).await;
        match answer.status() {
            StatusCode::TOO_MANY_REQUESTS => Err(answer.status()),
            _ => Ok(id_of(answer).await),
        }
    })
    .await;
    assert!(!accepted.contains(&again));
    reaches(&client, &again, TaskState::Completed).await;
}
