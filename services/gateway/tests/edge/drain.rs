//! The end of the process: streams and waits end with words, and the stop is clean.

use std::time::Duration;

use swarm_identity::Role;
use swarm_proto::agents::v1 as wire;
use swarm_test_support::eventually;
use swarm_types::TaskId;

use crate::door::{Door, LIMIT};

#[tokio::test]
async fn a_stream_is_ended_with_words_at_the_stop() {
    let door = Door::open().await;
    let task = TaskId::new();
    door.recorder.answer(
        "GetTask",
        &wire::GetTaskResponse {
            task: Some(wire::Task::default()),
        },
    );
    let response = door
        .by(Role::Viewer, "GET", &format!("/api/v1/tasks/{task}/events"))
        .header("accept", "text/event-stream")
        .timeout(Duration::from_secs(60))
        .send()
        .await
        .unwrap();
    eventually("the watch", LIMIT, || async {
        door.recorder.readers() == 1
    })
    .await;
    let (stopped, text) = tokio::join!(door.lifecycle.stop(), response.text());
    assert!(stopped.is_clean(), "{stopped:?}");
    let text = text.unwrap();
    assert!(
        text.contains("event: end") && text.contains("server_stopping"),
        "{text}"
    );
}
