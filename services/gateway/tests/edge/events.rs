//! Events as pages and as server-sent events.

use std::time::Duration;

use futures::{Stream, StreamExt};
use serde_json::json;
use swarm_identity::Role;
use swarm_proto::agents::v1 as wire;
use swarm_test_support::eventually;
use swarm_types::TaskId;

use crate::door::{Door, LIMIT, seen};
use crate::socket::event;

fn known(door: &Door, state: wire::TaskState, last_seq: u64) {
    let task = wire::Task {
        state: state.into(),
        last_seq,
        ..wire::Task::default()
    };
    door.recorder
        .answer("GetTask", &wire::GetTaskResponse { task: Some(task) });
}

/// The frames of a stream as `(id, event)`, without signs of life.
fn frames(response: reqwest::Response) -> impl Stream<Item = (String, String)> + Unpin {
    let mut text = String::new();
    let chunks = response.bytes_stream();
    Box::pin(chunks.flat_map(move |chunk| {
        text.push_str(std::str::from_utf8(&chunk.unwrap()).unwrap());
        let mut found = Vec::new();
        while let Some((frame, rest)) = text.split_once("\n\n") {
            let field = |name: &str| {
                frame
                    .lines()
                    .find_map(|line| line.strip_prefix(name))
                    .unwrap_or_default()
                    .to_owned()
            };
            found.push((field("id: "), field("event: ")));
            text = rest.to_owned();
        }
        futures::stream::iter(found)
    }))
}

#[tokio::test]
async fn a_stream_begins_behind_its_last_id_and_says_its_end() {
    let door = Door::open().await;
    let task = TaskId::new();
    known(&door, wire::TaskState::Running, 3);
    for seq in 1..=3 {
        door.recorder.tell(event(task, seq, seq));
    }
    let response = door
        .by(Role::Viewer, "GET", &format!("/api/v1/tasks/{task}/events"))
        .header("accept", "text/event-stream")
        .header("last-event-id", "1")
        .timeout(Duration::from_secs(60))
        .send()
        .await
        .unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut frames = frames(response);
    let step = |id: &str| (id.to_owned(), "step.finished".to_owned());
    assert_eq!(frames.next().await.unwrap(), step("2"));
    assert_eq!(frames.next().await.unwrap(), step("3"));
    door.recorder.tell(event(task, 0, 0));
    assert_eq!(
        frames.next().await.unwrap(),
        (String::new(), "token".to_owned())
    );
    door.recorder.cut();
    door.recorder.tell(event(task, 4, 4));
    assert_eq!(frames.next().await.unwrap(), step("4"));
    known(&door, wire::TaskState::Completed, 4);
    door.recorder.end();
    assert_eq!(
        frames.next().await.unwrap(),
        (String::new(), "end".to_owned())
    );
    assert_eq!(frames.next().await, None);
}

#[tokio::test]
async fn pages_go_on_where_the_page_before_ended() {
    let door = Door::open().await;
    let task = TaskId::new();
    let events = vec![event(task, 8, 80), event(task, 9, 90)];
    door.recorder
        .answer("ListTaskEvents", &wire::ListTaskEventsResponse { events });
    let get = |query: &str| {
        door.by(
            Role::Viewer,
            "GET",
            &format!("/api/v1/tasks/{task}/events?{query}"),
        )
        .send()
    };
    let (status, body) = seen(get("limit=2&cursor=7").await.unwrap()).await;
    assert_eq!(status.as_u16(), 200, "{body}");
    assert_eq!(
        (body["items"][1]["seq"].clone(), body["next_cursor"].clone()),
        (json!(9), json!("9"))
    );
    let sent: wire::ListTaskEventsRequest = door.recorder.calls_of("ListTaskEvents")[0].message();
    assert_eq!((sent.after_seq, sent.limit), (7, 2));
    let (_, body) = seen(get("limit=3").await.unwrap()).await;
    assert_eq!(
        body["next_cursor"],
        json!(null),
        "a page that is not full is the last one"
    );
}

#[tokio::test]
async fn a_slow_reader_of_server_sent_events_is_let_go_and_comes_back_with_its_last_id() {
    let door = Door::open_with(|config| config.gateway.slow_reader_seconds = 1).await;
    let task = TaskId::new();
    known(&door, wire::TaskState::Running, 80);
    let open = |after: u64| {
        door.by(Role::Viewer, "GET", &format!("/api/v1/tasks/{task}/events"))
            .header("accept", "text/event-stream")
            .header("last-event-id", after.to_string())
            .timeout(Duration::from_secs(60))
            .send()
    };
    let slow = open(0).await.unwrap();
    eventually("its watch to begin", LIMIT, || async {
        door.recorder.readers() == 1
    })
    .await;
    // More than the buffers between the two ends hold.
    let text = "x".repeat(256 * 1024);
    for seq in 1..=80 {
        door.recorder.tell(wire::Event {
            data_json: json!({"text": text}).to_string(),
            ..event(task, seq, seq)
        });
    }
    eventually("the slow reader's watch to end", LIMIT, || async {
        door.recorder.readers() == 0
    })
    .await;
    let mut told: Vec<_> = frames(slow).collect().await;
    assert_eq!(told.pop().unwrap(), (String::new(), "end".to_owned()));
    let mut ids: Vec<u64> = told.iter().map(|(id, _)| id.parse().unwrap()).collect();
    assert!(ids.len() < 80, "it was let go before the end");
    let seen = ids.len();
    let rest = frames(open(ids[seen - 1]).await.unwrap()).take(80 - seen);
    let rest: Vec<_> = rest.collect().await;
    ids.extend(rest.iter().map(|(id, _)| id.parse::<u64>().unwrap()));
    assert!(
        ids.into_iter().eq(1..=80),
        "none is missing, and none came twice"
    );
}
