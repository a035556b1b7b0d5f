//! Frames in and out, over cut streams, slow readers and the end of the process.

use serde_json::{Value, json};
use swarm_errors::Error;
use swarm_identity::Role;
use swarm_proto::agents::v1 as wire;
use swarm_test_support::eventually;
use swarm_types::{AgentId, TaskId};
use tokio_tungstenite::tungstenite::{self, Message};

use crate::door::{Door, LIMIT};
use crate::socket::{Socket, event};

#[tokio::test]
async fn a_tasks_events_come_in_order_over_streams_that_are_cut() {
    let door = Door::open().await;
    let task = TaskId::new();
    let topic = format!("tasks/{task}");
    door.recorder.tell(event(task, 1, 10));
    let mut socket = Socket::open(&door).await;
    socket
        .say(json!({"type": "subscribe", "id": "s1", "topics": [topic]}))
        .await;
    assert_eq!(
        socket.hear().await,
        json!({"type": "subscribed", "id": "s1", "topics": [topic]})
    );
    let first = socket.hear().await;
    assert_eq!(
        first,
        json!({"type": "event", "topic": topic, "seq": 1, "cursor": "1", "event": {
            "task_id": task, "root_id": task, "seq": 1, "tenant_seq": 10, "type": "step.finished",
            "data": {"text": "a"}, "ephemeral": false}})
    );
    door.recorder.tell(event(task, 0, 0));
    assert_eq!(socket.cursors(1).await, [Value::Null]);
    for round in 0..3_u64 {
        door.recorder.cut();
        // Told while nobody watches, or while somebody does again: it must not matter.
        door.recorder.tell(event(task, 2 * round + 2, 11 + round));
        door.recorder.tell(event(task, 2 * round + 3, 12 + round));
        let expected = [
            json!((2 * round + 2).to_string()),
            json!((2 * round + 3).to_string()),
        ];
        assert_eq!(socket.cursors(2).await, expected);
    }
    door.recorder.answer(
        "GetTask",
        &wire::GetTaskResponse {
            task: Some(wire::Task {
                state: wire::TaskState::Completed.into(),
                last_seq: 7,
                ..wire::Task::default()
            }),
        },
    );
    door.recorder.end();
    assert_eq!(
        socket.hear().await,
        json!({"type": "ended", "topic": topic, "cursor": "7"})
    );
}

#[tokio::test]
async fn a_stream_that_ends_before_its_task_is_opened_again() {
    let door = Door::open().await;
    let task = TaskId::new();
    let running = wire::Task {
        state: wire::TaskState::Running.into(),
        ..wire::Task::default()
    };
    door.recorder.answer(
        "GetTask",
        &wire::GetTaskResponse {
            task: Some(running),
        },
    );
    // Every watch ends at once, as it does when the service is about to stop.
    door.recorder.end();
    let mut socket = Socket::open(&door).await;
    socket
        .say(json!({"type": "subscribe", "topics": [format!("tasks/{task}")]}))
        .await;
    assert_eq!(socket.hear().await["type"], "subscribed");
    eventually("a second watch", LIMIT, || async {
        door.recorder.calls_of("WatchEvents").len() >= 2
    })
    .await;
    door.recorder.tell(event(task, 1, 1));
    assert_eq!(socket.cursors(1).await, [json!("1")]);
}

#[tokio::test]
async fn a_cursor_resumes_and_a_gap_is_told() {
    let door = Door::open().await;
    let task = TaskId::new();
    for seq in 5..8 {
        door.recorder.tell(event(task, seq, seq));
    }
    let mut socket = Socket::open(&door).await;
    let topic = format!("tasks/{task}");
    socket
        .say(json!({"type": "subscribe", "topics": [topic], "cursor": "5"}))
        .await;
    socket.hear().await;
    assert_eq!(socket.cursors(2).await, [json!("6"), json!("7")]);
    socket
        .say(json!({"type": "subscribe", "topics": [topic], "cursor": "2"}))
        .await;
    socket.hear().await;
    assert_eq!(
        socket.hear().await,
        json!({"type": "gap", "topic": topic, "cursor": "4"})
    );
    assert_eq!(
        socket.cursors(3).await,
        [json!("5"), json!("6"), json!("7")]
    );
}

#[tokio::test]
async fn the_tenants_topics_begin_now_and_show_what_concerns_them() {
    let door = Door::open().await;
    let (task, agent) = (TaskId::new(), AgentId::new());
    door.recorder.tell(event(task, 1, 1));
    let mut socket = Socket::open(&door).await;
    socket.say(json!({"type": "subscribe", "topics": ["tasks", format!("agents/{agent}"), "proposals"]})).await;
    assert_eq!(socket.hear().await["type"], "subscribed");
    eventually("three watches", LIMIT, || async {
        door.recorder.readers() == 1
    })
    .await;
    // Each watch has said where it begins before it reads on; one more event shows that it has.
    door.recorder.tell(event(task, 2, 2));
    let first = socket.hear().await;
    assert_eq!(
        (first["topic"].as_str(), first["cursor"].as_str()),
        (Some("tasks"), Some("2"))
    );
    let assigned = wire::Event {
        r#type: "task.assigned".into(),
        data_json: json!({"agent_id": agent}).to_string(),
        ..event(task, 3, 3)
    };
    let vote = wire::Event {
        r#type: "ballot.vote".into(),
        ..event(task, 4, 4)
    };
    door.recorder.tell(assigned);
    door.recorder.tell(vote);
    let mut got = Vec::new();
    for _ in 0..4 {
        let frame = socket.hear().await;
        got.push(format!(
            "{} {}",
            frame["topic"].as_str().unwrap(),
            frame["cursor"].as_str().unwrap()
        ));
    }
    got.sort();
    assert_eq!(
        got,
        [
            format!("agents/{agent} 3"),
            "proposals 4".into(),
            "tasks 3".into(),
            "tasks 4".into()
        ]
    );
}

#[tokio::test]
async fn wrong_frames_are_answered_and_end_nothing() {
    let door = Door::open().await;
    let mut socket = Socket::open(&door).await;
    for (frame, field) in [
        (
            json!({"type": "sing"}),
            "type: must be auth, subscribe, unsubscribe, ack or ping",
        ),
        (
            json!({"type": "subscribe", "topics": ["system"]}),
            "topics[0]: the topic system is not offered yet",
        ),
        (
            json!({"type": "subscribe", "topics": ["tasks", "tasks/x"]}),
            "topics[1]: its id must be an id of the form task_ followed by 26 characters",
        ),
        (
            json!({"type": "subscribe", "topics": []}),
            "topics: must name at least one topic",
        ),
        (
            json!({"type": "subscribe", "topics": ["tasks"], "cursor": "x"}),
            "cursor: must be the cursor of an event",
        ),
        (
            json!({"type": "ack", "topic": "tasks", "cursor": "1"}),
            "topic: is not subscribed to",
        ),
        (
            json!({"type": "subscribe", "topics": ["tasks"], "from": 1}),
            "from: unknown field `from`, expected one of `id`, `topics`, `cursor`",
        ),
    ] {
        socket.say(frame).await;
        let answer = socket.hear().await;
        assert_eq!(
            (answer["type"].as_str(), answer["code"].as_str()),
            (Some("error"), Some("invalid_argument"))
        );
        assert_eq!(answer["detail"], field);
    }
    socket.send(Message::binary(vec![1, 2, 3])).await;
    assert_eq!(socket.hear().await["detail"], "frame: must be text");
    socket.say(json!({"type": "ping", "id": "p"})).await;
    assert_eq!(socket.hear().await, json!({"type": "pong", "id": "p"}));
    assert!(door.recorder.calls_of("WatchEvents").is_empty());
}

#[tokio::test]
async fn an_unknown_task_is_told_on_its_topic_and_others_go_on() {
    let door = Door::open().await;
    let task = TaskId::new();
    door.recorder
        .fail("WatchEvents", Error::not_found("task", task));
    let mut socket = Socket::open(&door).await;
    let topic = format!("tasks/{task}");
    socket
        .say(json!({"type": "subscribe", "topics": [topic]}))
        .await;
    socket.hear().await;
    let told = json!({"type": "error", "topic": topic, "code": "not_found", "detail": format!("there is no task {task}"), "cursor": null});
    let mut heard = socket.hear().await;
    heard["cursor"] = Value::Null;
    assert_eq!(heard, told);
    socket.say(json!({"type": "ping"})).await;
    assert_eq!(socket.hear().await, json!({"type": "pong"}));
}

#[tokio::test]
async fn a_token_comes_in_the_header_or_in_the_first_frame() {
    let door = Door::open_with(|config| config.gateway.websocket_auth_seconds = 1).await;
    // In the header it must hold.
    match Socket::try_open(&door, Some("abc"))
        .await
        .map(drop)
        .map_err(|error| *error)
    {
        Err(tungstenite::Error::Http(response)) => assert_eq!(response.status().as_u16(), 401),
        other => panic!("{other:?}"),
    }
    let mut socket = Socket::try_open(&door, None).await.unwrap();
    socket
        .say(json!({"type": "auth", "token": door.recorder.token(Role::Viewer)}))
        .await;
    assert_eq!(socket.hear().await["type"], "authenticated");
    socket.say(json!({"type": "ping"})).await;
    assert_eq!(socket.hear().await["type"], "pong");
    // A token that does not hold, another frame, and none in time.
    for frame in [
        Some(json!({"type": "auth", "token": "abc"})),
        Some(json!({"type": "ping"})),
        None,
    ] {
        let mut socket = Socket::try_open(&door, None).await.unwrap();
        if let Some(frame) = frame {
            socket.say(frame).await;
        }
        let answer = socket.hear().await;
        assert_eq!(
            (answer["type"].as_str(), answer["code"].as_str()),
            (Some("error"), Some("unauthenticated"))
        );
        assert_eq!(socket.hear().await, json!({"close": 1008}));
    }
}

#[tokio::test]
async fn a_connection_ends_with_its_token_unless_that_is_renewed() {
    let door = Door::open().await;
    let claims = door
        .recorder
        .issuer
        .claims(door.recorder.tenant, &[Role::Viewer]);
    let mut short = claims.clone();
    // Over already, within the leeway that clocks are given.
    short.exp = short.iat;
    let short = door.recorder.issuer.sign(&short);
    let mut socket = Socket::try_open(&door, Some(&short)).await.unwrap();
    let told = socket.hear().await;
    assert_eq!(
        (told["code"].as_str(), told["detail"].as_str()),
        (Some("unauthenticated"), Some("the token has expired"))
    );
    assert_eq!(socket.hear().await, json!({"close": 1008}));
    // Somebody else's token does not take a connection over.
    let mut socket = Socket::try_open(&door, Some(&door.recorder.issuer.sign(&claims)))
        .await
        .unwrap();
    socket
        .say(json!({"type": "auth", "token": door.recorder.token(Role::Admin)}))
        .await;
    assert_eq!(socket.hear().await["code"], "permission_denied");
    socket
        .say(json!({"type": "auth", "token": door.recorder.issuer.sign(&claims)}))
        .await;
    assert_eq!(socket.hear().await["type"], "authenticated");
}
