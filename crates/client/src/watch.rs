//! Events of a topic over WebSocket, resumed by cursor over any number of lost connections.

use std::time::{Duration, Instant};

use futures::{SinkExt, Stream, StreamExt};
use swarm_errors::{Code, Error, Result};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::answer::{self, Coded};
use crate::frames::{Heard, Say};
use crate::{Client, Event};

/// The server sends a ping every 20 s: a connection that is silent for longer is dead.
const SILENCE: Duration = Duration::from_secs(60);
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// How long a server may be away before the stream ends with an error.
const PATIENCE: Duration = Duration::from_secs(60);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// One event of a topic.
#[derive(Debug, Clone, PartialEq)]
pub struct TopicEvent {
    /// The topic.
    pub topic: String,
    /// Per task from 1; absent when it is ephemeral.
    pub seq: Option<u64>,
    /// Where to resume after it; absent when it is ephemeral.
    pub cursor: Option<String>,
    /// The event.
    pub event: Event,
}

/// What a watch yields.
#[derive(Debug, Clone, PartialEq)]
pub enum Watched {
    /// An event.
    Event(TopicEvent),
    /// Events before this cursor are no longer kept.
    Gap {
        /// The topic.
        topic: String,
        /// Where the stream goes on.
        cursor: String,
    },
}

impl Client {
    /// The events of a topic (`tasks/{id}`, `tasks/{id}/tree`, `tasks`, `agents/{id}`, `proposals`),
    /// after `cursor` or, for one task or tree, from its start. The stream ends with its task, and
    /// with an error when the server refuses or is away for more than a minute.
    pub fn watch(
        &self,
        topic: &str,
        cursor: Option<String>,
    ) -> impl Stream<Item = Result<Watched>> + Send + use<> {
        let (client, topic) = (self.clone(), topic.to_owned());
        async_stream::try_stream! {
            let mut cursor = cursor;
            let mut outage = Outage::default();
            loop {
                let mut socket = match client.subscribe(&topic, cursor.as_deref()).await {
                    Ok(socket) => socket,
                    Err(error) => {
                        outage.bear(error).await?;
                        continue;
                    }
                };
                loop {
                    match next(&mut socket).await {
                        Ok(Heard::Event { topic, seq, cursor: after, event }) => {
                            outage = Outage::default();
                            cursor = after.clone().or(cursor);
                            yield Watched::Event(TopicEvent { topic, seq, cursor: after, event });
                        }
                        Ok(Heard::Gap { topic, cursor: after }) => {
                            cursor = Some(after.clone());
                            yield Watched::Gap { topic, cursor: after };
                        }
                        Ok(Heard::Ended) => {
                            socket.close(None).await.ok();
                            return;
                        }
                        Ok(Heard::Error { code, detail, cursor: after }) => {
                            cursor = after.or(cursor);
                            let error = Error::from(Coded { code, detail });
                            // A token that ended meanwhile is renewed as the next connection is made.
                            if error.code() != Code::Unauthenticated {
                                outage.bear(error).await?;
                            }
                            break;
                        }
                        Ok(Heard::Subscribed) => outage.since = None,
                        Ok(Heard::Other) => {}
                        Err(error) => {
                            outage.bear(error).await?;
                            break;
                        }
                    }
                }
            }
        }
    }

    /// Connects and subscribes; an access token that has ended is renewed once.
    async fn subscribe(&self, topic: &str, cursor: Option<&str>) -> Result<Socket> {
        let credentials = self.credentials().await;
        let mut socket = match self.connect(credentials.header()).await {
            Err(error) if error.code() == Code::Unauthenticated => {
                match self.renewed(&credentials).await? {
                    Some(renewed) => self.connect(renewed.header()).await?,
                    None => return Err(error),
                }
            }
            connected => connected?,
        };
        let frame = Say::Subscribe {
            topics: [topic],
            cursor,
        };
        let text = serde_json::to_string(&frame).map_err(Error::internal)?;
        socket.send(Message::text(text)).await.map_err(lost)?;
        Ok(socket)
    }

    async fn connect(&self, header: Option<(&'static str, String)>) -> Result<Socket> {
        let mut request = self
            .websocket()
            .as_str()
            .into_client_request()
            .map_err(lost)?;
        if let Some((name, value)) = header {
            let value = HeaderValue::try_from(value)
                .map_err(|_| Error::invalid(name, "has characters that a header cannot carry"))?;
            request
                .headers_mut()
                .insert(HeaderName::from_static(name), value);
        }
        match tokio::time::timeout(CONNECT_LIMIT, connect_async(request)).await {
            Ok(Ok((socket, _))) => Ok(socket),
            Ok(Err(error)) => Err(lost(error).context(self.websocket())),
            Err(_) => {
                Err(Error::unavailable("the server did not answer in time")
                    .context(self.websocket()))
            }
        }
    }
}

/// A time in which nothing but errors was heard.
#[derive(Debug, Default)]
struct Outage {
    since: Option<Instant>,
    pause: Duration,
}

impl Outage {
    /// Waits before the next try, or gives the error back where another try is no use.
    async fn bear(&mut self, error: Error) -> Result<()> {
        let since = *self.since.get_or_insert_with(Instant::now);
        if !error.code().is_transient() || since.elapsed() > PATIENCE {
            return Err(error);
        }
        self.pause = (self.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
        tokio::time::sleep(self.pause).await;
        Ok(())
    }
}

/// The next frame that bears JSON.
async fn next(socket: &mut Socket) -> Result<Heard> {
    loop {
        let message = tokio::time::timeout(SILENCE, socket.next())
            .await
            .map_err(|_| Error::unavailable("the server fell silent"))?
            .ok_or_else(|| Error::unavailable("the connection was closed"))?
            .map_err(lost)?;
        match message {
            Message::Text(text) => {
                return serde_json::from_str(&text).map_err(|error| {
                    Error::new(Code::Internal, "a frame is not what this client expects")
                        .with_source(error)
                });
            }
            Message::Close(_) => {
                return Err(Error::unavailable("the server closed the connection"));
            }
            _ => {}
        }
    }
}

fn lost(error: tungstenite::Error) -> Error {
    match error {
        tungstenite::Error::Http(response) => answer::problem(
            response.status().as_u16(),
            response.body().as_deref().unwrap_or_default(),
        ),
        error => Error::unavailable("the WebSocket cannot be reached").with_source(error),
    }
}
