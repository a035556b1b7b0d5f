//! The line to PostgreSQL breaks after a commit and before its answer: what was accepted is there
//! once, and is worked on once.

use std::time::Duration;

use serde_json::json;
use swarm_client::{NewAgent, NewTask, Task, TaskState};
use swarm_test_cluster::{Cluster, Service, Shape};
use swarm_test_scenarios::Journal;
use swarm_test_support::eventually;
use swarm_test_support::lost_answers::LostAnswers;
use swarm_test_support::postgres::Server;
use swarm_types::PageRequest;

const ANSWER: &str = "A quorum is more than half of the members.";
const LIMIT: Duration = Duration::from_secs(60);

/// Six processes on PostgreSQL, of which agent-manager alone has a line that can lose answers.
async fn start(line: &LostAnswers, url: &str) -> Cluster {
    let script = json!({ "turns": [{ "when": "", "text": ANSWER, "repeat": true }] });
    let builder = Cluster::builder(Shape::SixProcesses).script(&script);
    let builder = builder.postgres(url).await;
    let lossy = line.url(url);
    let cluster = builder
        .set_for(Service::AgentManager, "database.url", &lossy)
        .start()
        .await;
    let agent = NewAgent {
        name: "solo".to_owned(),
        ..NewAgent::default()
    };
    cluster.client().create_agent(&agent).await.unwrap();
    cluster
}

/// As a client does that got no answer: again with the same key, until there is one.
async fn submit(cluster: &Cluster, key: &str) -> Task {
    let (client, question) = (cluster.client(), NewTask::question("What is a quorum?"));
    eventually("the submission to be answered", LIMIT, || async {
        let answer = client.submit_task_once(key, &question).await;
        answer.map_err(|error| error.to_string())
    })
    .await
}

async fn end_of(cluster: &Cluster, id: &str) -> Task {
    let client = cluster.client();
    eventually("the task to end", LIMIT, || async {
        match client.task_result(id, Duration::from_secs(5)).await {
            Ok(task) if task.state.has_ended() => Ok(task),
            Ok(task) => Err(task.state.to_string()),
            Err(error) => Err(error.to_string()),
        }
    })
    .await
}

async fn assert_done_once(cluster: &Cluster, task: &Task) {
    assert_eq!(
        task.state,
        TaskState::Completed,
        "{:?}\n{}",
        task.error,
        cluster.logs()
    );
    let journal = Journal::read(&cluster.client(), &task.id).await;
    journal.assert_nothing_twice();
    for kind in ["task.completed", "task.created"] {
        assert!(journal.count(kind) <= 1, "{kind}: {:?}", journal.events);
    }
}

#[tokio::test]
async fn a_submission_whose_commit_went_unanswered_is_one_task_and_runs_once() {
    let server = Server::shared().await;
    let (url, line) = (server.database().await, LostAnswers::of(server).await);
    let cluster = start(&line, &url).await;
    for n in 1..=3 {
        let key = format!("order-whose-answer-is-lost-{n}");
        line.lose(&key);
        let task = submit(&cluster, &key).await;
        assert_eq!(line.lost(), n, "the answer was lost:\n{}", cluster.logs());
        let again = submit(&cluster, &key).await;
        assert_eq!(again.id, task.id);
        assert_done_once(&cluster, &end_of(&cluster, &task.id).await).await;
    }
    let all = cluster.client();
    let all = all.list_tasks(None, None, &PageRequest::default()).await;
    assert_eq!(all.unwrap().items.len(), 3);
}

#[tokio::test]
async fn a_step_whose_commit_went_unanswered_finishes_once() {
    let server = Server::shared().await;
    let (url, line) = (server.database().await, LostAnswers::of(server).await);
    let cluster = start(&line, &url).await;
    // The words of the model are first sent with the end of its step.
    line.lose(ANSWER);
    let task = submit(&cluster, "order-of-a-step").await;
    let task = end_of(&cluster, &task.id).await;
    assert_eq!(line.lost(), 1, "the answer was lost:\n{}", cluster.logs());
    assert_done_once(&cluster, &task).await;
}
