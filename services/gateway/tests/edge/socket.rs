//! A WebSocket as a test sees it.

use futures::{SinkExt, StreamExt};
use serde_json::Value;
use swarm_identity::Role;
use swarm_proto::agents::v1 as wire;
use swarm_types::TaskId;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::door::{Door, LIMIT};

pub(crate) struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    /// Connects as somebody who may read.
    pub(crate) async fn open(door: &Door) -> Self {
        Self::try_open(door, Some(&door.recorder.token(Role::Viewer)))
            .await
            .unwrap()
    }

    pub(crate) async fn try_open(
        door: &Door,
        token: Option<&str>,
    ) -> Result<Self, Box<tungstenite::Error>> {
        let mut request = format!("ws://{}/ws", door.websocket)
            .into_client_request()
            .unwrap();
        if let Some(token) = token {
            request
                .headers_mut()
                .insert("authorization", format!("Bearer {token}").parse().unwrap());
        }
        Ok(Self(connect_async(request).await.map_err(Box::new)?.0))
    }

    pub(crate) async fn say(&mut self, frame: Value) {
        self.0.send(Message::text(frame.to_string())).await.unwrap();
    }

    pub(crate) async fn send(&mut self, message: Message) {
        self.0.send(message).await.unwrap();
    }

    /// The next frame; a close frame as `{"close": code}`.
    pub(crate) async fn hear(&mut self) -> Value {
        loop {
            let message = tokio::time::timeout(LIMIT, self.0.next())
                .await
                .expect("a frame in time");
            match message.expect("a frame before the end").unwrap() {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Close(frame) => {
                    return serde_json::json!({"close": frame.map(|frame| u16::from(frame.code))});
                }
                _ => {}
            }
        }
    }

    /// The next `count` frames' cursors; `null` for ephemeral ones.
    pub(crate) async fn cursors(&mut self, count: usize) -> Vec<Value> {
        let mut cursors = Vec::new();
        for _ in 0..count {
            let frame = self.hear().await;
            assert_eq!(frame["type"], "event", "{frame}");
            cursors.push(frame["cursor"].clone());
        }
        cursors
    }
}

/// An event of a task.
pub(crate) fn event(task: TaskId, seq: u64, tenant_seq: u64) -> wire::Event {
    wire::Event {
        task_id: task.to_string(),
        root_id: task.to_string(),
        seq,
        tenant_seq,
        r#type: if seq == 0 { "token" } else { "step.finished" }.to_owned(),
        data_json: r#"{"text": "a"}"#.to_owned(),
        ephemeral: seq == 0,
        ..wire::Event::default()
    }
}
