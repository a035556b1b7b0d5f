//! Readers of events, who drop their streams and come back with their cursor at another gateway.

use std::pin::pin;
use std::time::Duration;

use futures::StreamExt as _;
use swarm_client::{Client, Event, Watched};
use tokio::time::{Instant, timeout};

use crate::plan::Door;

const PAUSE: Duration = Duration::from_millis(200);
/// The longest silence on one stream before a reader tries another gateway.
const SILENCE: Duration = Duration::from_secs(15);

/// What a reader has seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) task: String,
    /// The numbers of stored events, in the order in which they came.
    pub(crate) numbers: Vec<u64>,
    /// How often a stream was left and taken up again.
    pub(crate) resumes: usize,
    pub(crate) has_ended: bool,
}

/// Reads a task's events to their end, leaving the stream after every `most` of them.
pub(crate) async fn read(
    clients: Vec<Client>,
    doors: Vec<String>,
    door: Door,
    most: usize,
    task: String,
    until: Instant,
) -> Seen {
    let mut seen = Seen {
        task,
        ..Seen::default()
    };
    while !seen.has_ended && Instant::now() < until {
        let place = seen.resumes % clients.len();
        match door {
            Door::WebSocket => by_websocket(&clients[place], most, &mut seen).await,
            Door::ServerSent => {
                // A stream that cannot be had now is asked for again.
                let _lost = by_server_sent(&clients[place], &doors[place], most, &mut seen).await;
            }
        }
        seen.resumes += 1;
        if !seen.has_ended {
            tokio::time::sleep(PAUSE).await;
        }
    }
    seen
}

async fn by_websocket(client: &Client, most: usize, seen: &mut Seen) {
    let cursor = seen.numbers.last().copied().unwrap_or_default();
    let stream = client.watch(&format!("tasks/{}", seen.task), Some(cursor.to_string()));
    let mut stream = pin!(stream);
    let mut count = 0;
    while count < most {
        match timeout(SILENCE, stream.next()).await {
            Ok(Some(Ok(Watched::Event(update)))) => {
                if let Some(number) = update.event.seq {
                    seen.numbers.push(number);
                    count += 1;
                }
            }
            Ok(None) => {
                seen.has_ended = true;
                return;
            }
            // A gap shows as numbers that are missing.
            Ok(Some(Ok(Watched::Gap { .. }))) => {}
            Ok(Some(Err(_))) | Err(_) => return,
        }
    }
}

async fn by_server_sent(
    client: &Client,
    door: &str,
    most: usize,
    seen: &mut Seen,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let cursor = seen.numbers.last().copied().unwrap_or_default();
    let answer = swarm_test_cluster::http()
        .get(format!("{door}/api/v1/tasks/{}/events", seen.task))
        .bearer_auth(client.token().await.ok_or("no token")?)
        .header("accept", "text/event-stream")
        .header("last-event-id", cursor.to_string())
        .send();
    let mut bytes = timeout(SILENCE, answer)
        .await??
        .error_for_status()?
        .bytes_stream();
    let (mut text, mut count) = (String::new(), 0);
    while count < most {
        let Some(piece) = timeout(SILENCE, bytes.next()).await? else {
            return Ok(());
        };
        text.push_str(&String::from_utf8_lossy(&piece?));
        while let Some((frame, rest)) = text.split_once("\n\n") {
            if let Some(number) = number_of(frame) {
                seen.numbers.push(number);
                count += 1;
            }
            if is_end(frame) {
                seen.has_ended = true;
                return Ok(());
            }
            text = rest.to_owned();
            if count == most {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Only stored events have an id.
fn number_of(frame: &str) -> Option<u64> {
    frame.lines().find(|line| line.starts_with("id:"))?;
    let data = frame.lines().find_map(|line| line.strip_prefix("data:"))?;
    serde_json::from_str::<Event>(data.trim()).ok()?.seq
}

/// The stream says why it ends: only the end of the task is the reader's.
fn is_end(frame: &str) -> bool {
    let is_named = frame
        .lines()
        .any(|line| line.strip_prefix("event:").map(str::trim) == Some("end"));
    is_named && frame.contains("task_ended")
}
