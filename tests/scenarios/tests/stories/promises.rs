//! The README's section on tasks that keep their promises, as somebody types it.

use std::time::Duration;

use futures::StreamExt;
use serde_json::{Value, json};
use swarm_client::{Client, Task, TaskState, Watched};
use swarm_test_cluster::{Cluster, Shape};
use swarm_test_scenarios::{Journal, command};
use swarm_test_support::eventually;
use swarm_types::PageRequest;

const LIMIT: Duration = Duration::from_secs(30);

async fn cluster() -> Cluster {
    let turns = json!({ "turns": [
        { "when": "doomed", "text": "", "repeat": true,
          "error": { "code": "unavailable", "detail": "the provider is away" } },
        { "when": "", "text": "Here it is.", "repeat": true },
    ] });
    Cluster::builder(Shape::OneProcess)
        .script(&turns)
        .start()
        .await
}

/// What a command prints with `--output json`.
async fn said(cluster: &Cluster, arguments: &[&str]) -> Value {
    let arguments = [arguments, &["--output", "json"]].concat();
    serde_json::from_str(&command::printed(cluster, &arguments).await).unwrap()
}

fn id_of(task: &Value) -> String {
    task["id"]
        .as_str()
        .unwrap_or_else(|| panic!("no id: {task}"))
        .to_owned()
}

async fn reaches(client: &Client, id: &str, state: TaskState) -> Task {
    eventually("the task's state", LIMIT, || async {
        let task = client.get_task(id).await.unwrap();
        if task.state == state {
            Ok(task)
        } else {
            Err((task.state, task.error))
        }
    })
    .await
}

#[tokio::test]
async fn a_batch_runs_in_its_order_and_is_the_same_tasks_under_the_same_key() {
    let cluster = cluster().await;
    let client = cluster.client();
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/examples/batch.toml"
    );
    let submit = ["tasks", "submit", "--file", file, "--key", "monday"];
    let ids = |said: &Value| -> Vec<String> {
        let items = said["items"].as_array().or(said.as_array());
        items
            .unwrap_or_else(|| panic!("no items: {said}"))
            .iter()
            .map(id_of)
            .collect()
    };
    let first = ids(&said(&cluster, &submit).await);
    assert_eq!(first.len(), 3);
    assert_eq!(ids(&said(&cluster, &submit).await), first);
    let summary = reaches(&client, &first[2], TaskState::Completed).await;
    for before in &first[..2] {
        let before = client.get_task(before).await.unwrap();
        assert_eq!(before.state, TaskState::Completed);
        assert!(
            before.finished_at <= summary.started_at,
            "{before:?} {summary:?}"
        );
    }
    let journal = Journal::read(&client, &summary.id).await;
    journal.assert_nothing_twice();
    let asked: Vec<String> = journal
        .steps
        .iter()
        .map(|step| format!("{:?}", step.input))
        .collect();
    assert!(
        asked.iter().any(|input| input.contains("Here it is.")),
        "{asked:?}"
    );
}

#[tokio::test]
async fn what_failed_too_often_is_a_dead_letter_until_somebody_cares() {
    let cluster = cluster().await;
    let client = cluster.client();
    let run = ["run", "a doomed question", "--retry", "1", "--follow"];
    let output = command::run(&cluster, &run).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let dead = eventually("a dead letter", LIMIT, || async {
        let page = client
            .list_dead_letters(None, &PageRequest::default())
            .await;
        page.unwrap().items.pop()
    })
    .await;
    let listed = command::printed(&cluster, &["dead-letters", "list"]).await;
    assert!(listed.contains(&dead.id), "{listed}");
    let shown = command::printed(&cluster, &["dead-letters", "show", &dead.id]).await;
    assert!(shown.contains("the provider is away"), "{shown}");
    command::printed(&cluster, &["tasks", "retry", &dead.id]).await;
    // Nothing has changed: it comes back.
    eventually("the dead letter to come back", LIMIT, || async {
        let task = client.get_task(&dead.id).await.unwrap();
        if task.state == TaskState::DeadLettered && task.attempt > dead.attempt {
            Ok(())
        } else {
            Err((task.state, task.attempt))
        }
    })
    .await;
    command::printed(&cluster, &["dead-letters", "purge", &dead.id]).await;
    let left = client
        .list_dead_letters(None, &PageRequest::default())
        .await;
    assert!(left.unwrap().items.is_empty());
    // Who has not read its events yet is told that they are gone, and goes on with the next ones.
    let next = id_of(&said(&cluster, &["run", "What is a quorum?"]).await);
    let mut events = std::pin::pin!(client.watch("tasks", Some("0".to_owned())));
    let mut read = async || events.next().await.unwrap().unwrap();
    let gap = read().await;
    assert!(matches!(gap, Watched::Gap { .. }), "{gap:?}");
    let first = read().await;
    assert!(
        matches!(&first, Watched::Event(told) if told.event.task_id == next),
        "{first:?}"
    );
}

#[tokio::test]
async fn a_task_follows_another_and_a_fork_goes_its_own_way() {
    let cluster = cluster().await;
    let client = cluster.client();
    let first = id_of(&said(&cluster, &["run", "What is a quorum?"]).await);
    let done = reaches(&client, &first, TaskState::Completed).await;
    let after = said(&cluster, &["run", "And why is it odd?", "--after", &first]).await;
    reaches(&client, &id_of(&after), TaskState::Completed).await;
    let steps = Journal::read(&client, &first).await.steps;
    let last = &steps.last().expect("it took steps").key;
    let fork = [
        "tasks", "fork", &first, "--step", last, "--prompt", "Shorter.",
    ];
    let fork = id_of(&said(&cluster, &fork).await);
    let forked = reaches(&client, &fork, TaskState::Completed).await;
    assert_eq!(forked.forked_from_id.as_deref(), Some(first.as_str()));
    assert_eq!(
        client.get_task(&first).await.unwrap(),
        done,
        "the origin is as it was"
    );
}
