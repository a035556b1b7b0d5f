//! Many readers of a tenant's events on one stream: nothing missed, nothing twice.

use std::time::Duration;

use serde_json::{Value, json};
use swarm_test_support::eventually;
use swarm_types::TaskId;

use crate::door::{Door, LIMIT};
use crate::socket::{Socket, event};

async fn subscribe(door: &Door, cursor: Option<&str>) -> Socket {
    let mut socket = Socket::open(door).await;
    let mut frame = json!({"type": "subscribe", "topics": ["tasks"]});
    if let Some(cursor) = cursor {
        frame["cursor"] = json!(cursor);
    }
    socket.say(frame).await;
    assert_eq!(socket.hear().await["type"], "subscribed");
    socket
}

async fn readers(door: &Door, count: u64) {
    let what = format!("{count} streams");
    eventually(&what, LIMIT, || async {
        match door.recorder.readers() {
            now if now == count => Ok(()),
            now => Err(now),
        }
    })
    .await;
}

fn cursors(numbers: std::ops::RangeInclusive<u64>) -> Vec<Value> {
    numbers.map(|number| json!(number.to_string())).collect()
}

#[tokio::test]
async fn readers_with_and_without_a_cursor_end_on_one_stream() {
    let door = Door::open().await;
    let task = TaskId::new();
    let tell = |number: u64| door.recorder.tell(event(task, number, number));
    (1..=3).for_each(tell);
    let mut first = subscribe(&door, None).await;
    readers(&door, 1).await;
    let mut second = subscribe(&door, None).await;
    tell(4);
    assert_eq!(first.cursors(1).await, cursors(4..=4));
    assert_eq!(second.cursors(1).await, cursors(4..=4));
    // One comes back from the past, one from where the others are.
    let mut third = subscribe(&door, Some("1")).await;
    let mut fourth = subscribe(&door, Some("4")).await;
    assert_eq!(third.cursors(3).await, cursors(2..=4));
    readers(&door, 1).await;
    for number in 5..=40 {
        tell(number);
        // Cut off in the middle, the one stream goes on for all.
        if number % 10 == 0 {
            door.recorder.cut();
        }
    }
    for socket in [&mut first, &mut second, &mut third, &mut fourth] {
        assert_eq!(socket.cursors(36).await, cursors(5..=40));
    }
    readers(&door, 1).await;
    drop((first, second, third, fourth));
    readers(&door, 0).await;
}

#[tokio::test]
async fn a_reader_that_falls_behind_the_shared_stream_misses_nothing() {
    const EVENTS: u64 = 6_000;
    let door = Door::open_with(|config| config.gateway.slow_reader_seconds = 60).await;
    let task = TaskId::new();
    let mut quick = subscribe(&door, None).await;
    let mut slow = subscribe(&door, None).await;
    readers(&door, 1).await;
    for number in 1..=EVENTS {
        let mut event = event(task, number, number);
        // More than the sockets' buffers hold, so that the gateway must wait for the slow one.
        event.data_json = json!({"text": "a".repeat(2_000)}).to_string();
        door.recorder.tell(event);
    }
    let all = cursors(1..=EVENTS);
    let read_all =
        tokio::time::timeout(LIMIT.max(Duration::from_secs(60)), quick.cursors(all.len()));
    assert_eq!(read_all.await.unwrap(), all);
    assert_eq!(slow.cursors(all.len()).await, all);
    readers(&door, 1).await;
}
