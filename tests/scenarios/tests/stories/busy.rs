//! A model provider that is too busy makes tasks wait, and none fail.

use serde_json::json;
use swarm_client::{NewTask, TaskState};
use swarm_test_cluster::{Cluster, Shape};
use swarm_test_scenarios::{Journal, events_of};
use swarm_test_support::eventually;

#[tokio::test]
async fn a_refused_call_is_made_again_when_the_provider_says_so() {
    let busy = json!({ "code": "resource_exhausted", "detail": "too many", "retry_after_ms": 300 });
    let turns = json!({ "turns": [
        { "when": "", "text": "", "error": busy },
        { "when": "", "text": "", "error": busy },
        { "when": "", "text": "Here I am.", "repeat": true },
    ] });
    let cluster = Cluster::builder(Shape::OneProcess)
        .script(&turns)
        .set("models.scripted.max_concurrency", "1")
        .start()
        .await;
    let client = cluster.client();
    let mut tasks = Vec::new();
    for _ in 0..3 {
        let task = client.submit_task(&NewTask::question("Who is here?")).await;
        tasks.push(task.unwrap().id);
    }
    let mut waited = 0;
    for id in &tasks {
        eventually(
            "the task to end",
            std::time::Duration::from_secs(30),
            || async {
                let task = client.get_task(id).await.unwrap();
                match task.state {
                    TaskState::Completed => Ok(()),
                    state => Err(format!("{state} {:?}", task.error)),
                }
            },
        )
        .await;
        let journal = Journal::read(&client, id).await;
        journal.assert_nothing_twice();
        for step in &journal.steps {
            assert_eq!(
                (step.state.as_str(), step.attempt),
                ("finished", 1),
                "{step:?}"
            );
        }
        let events = events_of(&client, id).await;
        let for_the_provider = |event: &&swarm_client::Event| event.data["reason"] == "provider";
        waited += events.iter().filter(for_the_provider).count();
    }
    assert!(waited >= 1, "somebody has waited for the provider");
}
