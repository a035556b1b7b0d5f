//! Readers that are slow, frames that are too large, and the end of the process.

use std::time::Duration;

use serde_json::{Value, json};
use swarm_errors::{Code, Error};
use swarm_identity::Role;
use swarm_proto::agents::v1 as wire;
use swarm_test_support::eventually;
use swarm_types::TaskId;
use tokio_tungstenite::tungstenite::Message;

use crate::door::{Door, LIMIT, seen};
use crate::socket::{Socket, event};

#[tokio::test]
async fn a_slow_reader_is_dropped_with_its_cursor_and_slows_nobody() {
    let door = Door::open_with(|config| config.gateway.slow_reader_seconds = 1).await;
    let task = TaskId::new();
    let topic = format!("tasks/{task}");
    let (mut slow, mut quick) = (Socket::open(&door).await, Socket::open(&door).await);
    for socket in [&mut slow, &mut quick] {
        socket
            .say(json!({"type": "subscribe", "topics": [topic]}))
            .await;
        assert_eq!(socket.hear().await["type"], "subscribed");
    }
    // More than the buffers between the two ends hold.
    let text = "x".repeat(256 * 1024);
    let count = 80;
    for seq in 1..=count {
        door.recorder.tell(wire::Event {
            data_json: json!({"text": text}).to_string(),
            ..event(task, seq, seq)
        });
    }
    let expected: Vec<Value> = (1..=count).map(|seq| json!(seq.to_string())).collect();
    assert_eq!(quick.cursors(expected.len()).await, expected);
    eventually("the slow reader's watch to end", LIMIT, || async {
        door.recorder.readers() == 1
    })
    .await;
    let mut last = Value::Null;
    let told = loop {
        let frame = slow.hear().await;
        if frame["type"] != "event" {
            break frame;
        }
        last = frame["cursor"].clone();
    };
    assert_eq!(
        (told["type"].as_str(), told["code"].as_str()),
        (Some("error"), Some("resource_exhausted"))
    );
    assert_eq!((&told["topic"], &told["cursor"]), (&json!(topic), &last));
    assert_eq!(slow.hear().await, json!({"close": 1013}));
}

#[tokio::test]
async fn a_frame_that_is_too_large_ends_the_connection() {
    let door = Door::open_with(|config| config.gateway.max_frame = 1024).await;
    let mut socket = Socket::open(&door).await;
    socket.send(Message::text("x".repeat(1025))).await;
    assert_eq!(socket.hear().await["code"], "too_large");
    assert_eq!(socket.hear().await, json!({"close": 1009}));
}

#[tokio::test]
async fn connections_are_counted_and_closed_at_the_stop() {
    let door = Door::open().await;
    let mut socket = Socket::open(&door).await;
    socket
        .say(json!({"type": "subscribe", "topics": ["tasks"], "cursor": "41"}))
        .await;
    assert_eq!(socket.hear().await["type"], "subscribed");
    let text = door
        .by(Role::Operator, "GET", "/metrics")
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(
        text.contains("websocket_connections 1") && text.contains("websocket_connections_total 1"),
        "{text}"
    );
    let (stopped, ()) = tokio::join!(door.lifecycle.stop(), async {
        let told = socket.hear().await;
        assert_eq!(
            (told["topic"].as_str(), told["cursor"].as_str()),
            (Some("tasks"), Some("41")),
            "{told}"
        );
        assert_eq!(socket.hear().await, json!({"close": 1012}));
    });
    assert!(stopped.is_clean(), "{stopped:?}");
}

#[tokio::test]
async fn the_port_has_a_sign_of_life_and_nothing_else() {
    let door = Door::open().await;
    let get = |path: &str| reqwest::get(format!("http://{}{path}", door.websocket));
    assert_eq!(
        seen(get("/ws/health").await.unwrap()).await,
        (reqwest::StatusCode::OK, json!({"status": "alive"}))
    );
    let (status, body) = seen(get("/ws").await.unwrap()).await;
    assert_eq!(
        (status.as_u16(), body["errors"][0]["field"].as_str()),
        (400, Some("Upgrade"))
    );
    assert_eq!(get("/api/v1/tasks").await.unwrap().status().as_u16(), 404);
}

#[tokio::test]
async fn the_sdk_waits_for_room_as_long_as_it_is_told() {
    let door = Door::open().await;
    let client = swarm_client::Client::new(&door.url(""))
        .unwrap()
        .with_token(door.recorder.token(Role::Developer));
    let full = || {
        Error::new(Code::ResourceExhausted, "1,000 tasks are queued")
            .with_retry_after(Duration::from_secs(1))
    };
    door.recorder.fail("SubmitTask", full());
    let new = swarm_client::NewTask::question("?");
    let refused = client
        .clone()
        .without_waiting()
        .submit_task(&new)
        .await
        .unwrap_err();
    assert_eq!(
        (refused.code(), refused.retry_after()),
        (Code::ResourceExhausted, Some(Duration::from_secs(1)))
    );
    assert_eq!(door.recorder.calls_of("SubmitTask").len(), 1);

    let room = async {
        eventually("the first try", Duration::from_secs(20), || async {
            let calls = door.recorder.calls_of("SubmitTask").len();
            if calls > 1 { Ok(()) } else { Err(calls) }
        })
        .await;
        let task = wire::Task {
            id: "task_1".into(),
            state: wire::TaskState::Queued.into(),
            ..wire::Task::default()
        };
        let answer = wire::SubmitTaskResponse { task: Some(task) };
        door.recorder.answer("SubmitTask", &answer);
    };
    let (task, ()) = tokio::join!(client.submit_task(&new), room);
    assert_eq!(task.unwrap().id, "task_1");
    let keys: Vec<_> = door
        .recorder
        .calls_of("SubmitTask")
        .iter()
        .map(|call| {
            call.message::<wire::SubmitTaskRequest>()
                .request
                .unwrap()
                .key
        })
        .collect();
    assert_eq!(keys[1], keys[2], "it is the same submission");
    assert_ne!(keys[0], keys[1]);
}
