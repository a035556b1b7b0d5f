//! One connection, from its first frame to its close frame.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use swarm_errors::{Code, Error, Result};
use tokio::time::{Instant, Interval, interval, sleep_until, timeout};

use super::frames::{Ack, Auth, Heard, Say, Subscribe, Trouble, Unsubscribe, read};
use super::socket::{Farewell, Socket, Stuck};
use super::subscription::Subscriptions;
use super::topics::Topic;
use crate::doorkeeper::Visitor;
use crate::follow::Update;
use crate::gateway::Gateway;

/// Pings without any sign of life after which a connection is dead.
const SILENT_BEATS: u32 = 3;

/// Serves a connection to its end.
pub(super) async fn serve(inner: WebSocket, gateway: Arc<Gateway>, visitor: Option<Visitor>) {
    let limit = Duration::from_secs(gateway.config.slow_reader_seconds);
    let mut socket = Socket { inner, limit };
    let visitor = match visitor {
        Some(visitor) => visitor,
        None => match first_frame(&mut socket, &gateway).await {
            Ok(Some(visitor)) => visitor,
            Ok(None) => return,
            Err(error) => {
                socket
                    .close(&[Say::Error(Trouble::new(&error))], Farewell::Refused)
                    .await;
                return;
            }
        },
    };
    Session::new(socket, gateway, visitor).run().await;
}

/// The visitor whom the first frame proves; `None` when the connection is gone.
async fn first_frame(socket: &mut Socket, gateway: &Gateway) -> Result<Option<Visitor>> {
    let seconds = gateway.config.websocket_auth_seconds;
    let frame = async {
        loop {
            match socket.inner.recv().await {
                Some(Ok(Message::Text(text))) => return Some(text),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                _ => return None,
            }
        }
    };
    let frame = tokio::select! {
        frame = timeout(Duration::from_secs(seconds), frame) => frame,
        () = gateway.soft.cancelled() => return Err(Error::unavailable("the gateway is about to stop")),
    };
    let words = format!(
        "the first frame must be {{\"type\": \"auth\", \"token\": ...}}, within {seconds} s"
    );
    let text = match frame {
        Ok(Some(text)) => text,
        Ok(None) => return Ok(None),
        Err(_) => return Err(Error::new(Code::Unauthenticated, words)),
    };
    match read(&text) {
        Ok(Heard::Auth(Auth { token })) => {
            let visitor = gateway.doorkeeper.by_token(&token).await?;
            let expires_in = gateway.doorkeeper.remaining(&visitor).as_secs();
            socket.say(&Say::Authenticated { expires_in }).await.ok();
            Ok(Some(visitor))
        }
        _ => Err(Error::new(Code::Unauthenticated, words)),
    }
}

/// Why a session ends.
enum End {
    /// The other side is gone or has closed.
    Gone,
    /// With words.
    Farewell(Farewell, Error),
}

struct Session {
    socket: Socket,
    gateway: Arc<Gateway>,
    visitor: Visitor,
    expiry: Instant,
    beat: Interval,
    silent: u32,
    subscriptions: Subscriptions,
}

impl Session {
    fn new(socket: Socket, gateway: Arc<Gateway>, visitor: Visitor) -> Self {
        let beat = interval(Duration::from_secs(gateway.config.heartbeat_seconds));
        let expiry = Instant::now() + gateway.doorkeeper.remaining(&visitor);
        Self {
            socket,
            gateway,
            visitor,
            expiry,
            beat,
            silent: 0,
            subscriptions: Subscriptions::default(),
        }
    }

    async fn run(mut self) {
        let soft = self.gateway.soft.clone();
        let end = loop {
            let step = tokio::select! {
                () = soft.cancelled() => Err(End::Farewell(Farewell::Stopping, Error::unavailable("the gateway is about to stop"))),
                () = sleep_until(self.expiry) => {
                    Err(End::Farewell(Farewell::Refused, Error::new(Code::Unauthenticated, "the token has expired")))
                }
                _ = self.beat.tick() => self.beat().await,
                message = self.socket.inner.recv() => self.hear(message).await,
                (topic, update) = self.subscriptions.next() => self.tell(topic, update).await,
            };
            if let Err(end) = step {
                break end;
            }
        };
        if let End::Farewell(farewell, error) = end {
            self.close(farewell, &error).await;
        }
    }

    /// Tells each topic's reader where to resume, and closes.
    async fn close(mut self, farewell: Farewell, error: &Error) {
        let left = self.subscriptions.end_all();
        let trouble = |topic, cursor| {
            Say::Error(Trouble {
                topic,
                cursor,
                ..Trouble::new(error)
            })
        };
        let mut last: Vec<Say<'_>> = left
            .iter()
            .map(|(topic, cursor)| trouble(Some(topic.as_str()), cursor.as_deref()))
            .collect();
        if last.is_empty() {
            last.push(trouble(None, None));
        }
        self.socket.close(&last, farewell).await;
    }

    async fn beat(&mut self) -> Result<(), End> {
        self.silent += 1;
        if self.silent > SILENT_BEATS {
            return Err(End::Gone);
        }
        self.socket
            .send(Message::Ping(axum::body::Bytes::new()))
            .await
            .map_err(ended)
    }

    async fn hear(&mut self, message: Option<Result<Message, axum::Error>>) -> Result<(), End> {
        self.silent = 0;
        let text = match message {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => return Ok(()),
            Some(Ok(Message::Binary(_))) => {
                let error = Error::invalid("frame", "must be text");
                return self.say(&Say::Error(Trouble::new(&error))).await;
            }
            Some(Ok(Message::Close(_))) | None => return Err(End::Gone),
            Some(Err(error)) => return Err(broken(&error, self.gateway.config.max_frame)),
        };
        match read(&text) {
            Ok(frame) => self.answer(frame).await,
            Err(error) => self.say(&Say::Error(Trouble::new(&error))).await,
        }
    }

    async fn answer(&mut self, frame: Heard) -> Result<(), End> {
        match frame {
            Heard::Ping(ping) => {
                self.say(&Say::Pong {
                    id: ping.id.as_deref(),
                })
                .await
            }
            Heard::Auth(auth) => self.renew(&auth).await,
            Heard::Subscribe(frame) => self.subscribe(&frame).await,
            Heard::Unsubscribe(frame) => self.unsubscribe(&frame).await,
            Heard::Ack(ack) => match self.acknowledge(ack) {
                Ok(()) => Ok(()),
                Err(error) => self.say(&Say::Error(Trouble::new(&error))).await,
            },
        }
    }

    /// A newer token of the same person keeps the connection open for longer.
    async fn renew(&mut self, auth: &Auth) -> Result<(), End> {
        let renewed = self
            .gateway
            .doorkeeper
            .by_token(&auth.token)
            .await
            .and_then(|visitor| {
                let (new, old) = (&visitor.caller.principal, &self.visitor.caller.principal);
                if (&new.subject, new.tenant) == (&old.subject, old.tenant) {
                    return Ok(visitor);
                }
                Err(Error::new(
                    Code::PermissionDenied,
                    "the token is somebody else's",
                ))
            });
        match renewed {
            Ok(visitor) => {
                let remaining = self.gateway.doorkeeper.remaining(&visitor);
                self.expiry = Instant::now() + remaining;
                self.visitor = visitor;
                self.say(&Say::Authenticated {
                    expires_in: remaining.as_secs(),
                })
                .await
            }
            Err(error) => self.say(&Say::Error(Trouble::new(&error))).await,
        }
    }

    async fn subscribe(&mut self, frame: &Subscribe) -> Result<(), End> {
        let id = frame.id.as_deref();
        let caller = &self.visitor.caller;
        let begun = Subscriptions::read(caller, &frame.topics).and_then(|topics| {
            self.subscriptions
                .begin(&self.gateway, caller, &topics, frame.cursor.as_deref())
        });
        match begun {
            Ok(()) => {
                self.say(&Say::Subscribed {
                    id,
                    topics: &frame.topics,
                })
                .await
            }
            Err(error) => {
                self.say(&Say::Error(Trouble {
                    id,
                    ..Trouble::new(&error)
                }))
                .await
            }
        }
    }

    async fn unsubscribe(&mut self, frame: &Unsubscribe) -> Result<(), End> {
        let id = frame.id.as_deref();
        match Subscriptions::read(&self.visitor.caller, &frame.topics) {
            Ok(topics) => {
                self.subscriptions.end(&topics);
                self.say(&Say::Unsubscribed {
                    id,
                    topics: &frame.topics,
                })
                .await
            }
            Err(error) => {
                self.say(&Say::Error(Trouble {
                    id,
                    ..Trouble::new(&error)
                }))
                .await
            }
        }
    }

    fn acknowledge(&mut self, ack: Ack) -> Result<()> {
        let topic = ack
            .topic
            .parse()
            .map_err(|why: String| Error::invalid("topic", why))?;
        if ack.cursor.parse::<u64>().is_err() {
            return Err(Error::invalid("cursor", "must be the cursor of an event"));
        }
        self.subscriptions.acknowledged(topic, ack.cursor)
    }

    async fn tell(&mut self, topic: Topic, update: Update) -> Result<(), End> {
        let name = topic.to_string();
        match update {
            Update::Event { cursor, event } => {
                let cursor = cursor.map(|cursor| cursor.to_string());
                let say = Say::Event {
                    topic: &name,
                    seq: event.seq,
                    cursor: cursor.clone(),
                    event: &event,
                };
                let sent = self.socket.say(&say).await;
                if let Some(cursor) = cursor.filter(|_| matches!(sent, Ok(()) | Err(Stuck::Behind)))
                {
                    self.subscriptions.sent(topic, cursor);
                }
                sent.map_err(ended)
            }
            Update::Gap(cursor) => {
                let cursor = cursor.to_string();
                let sent = self
                    .socket
                    .say(&Say::Gap {
                        topic: &name,
                        cursor: cursor.clone(),
                    })
                    .await;
                self.subscriptions.sent(topic, cursor);
                sent.map_err(ended)
            }
            Update::Ended => {
                let cursor = self.subscriptions.ended(topic);
                self.say(&Say::Ended {
                    topic: &name,
                    cursor: cursor.as_deref(),
                })
                .await
            }
            Update::Failed(error) => {
                let cursor = self.subscriptions.ended(topic);
                let trouble = Trouble {
                    topic: Some(&name),
                    cursor: cursor.as_deref(),
                    ..Trouble::new(&error)
                };
                self.say(&Say::Error(trouble)).await
            }
        }
    }

    async fn say(&mut self, say: &Say<'_>) -> Result<(), End> {
        self.socket.say(say).await.map_err(ended)
    }
}

fn ended(stuck: Stuck) -> End {
    match stuck {
        Stuck::Gone => End::Gone,
        Stuck::Before | Stuck::Behind => {
            let error = Error::new(
                Code::ResourceExhausted,
                "the reader is too slow: come back with the cursor",
            );
            End::Farewell(Farewell::TooSlow, error)
        }
    }
}

/// What a frame that cannot be read means.
fn broken(error: &axum::Error, limit: usize) -> End {
    let too_large = format!("{error:?}").contains("TooLong");
    if !too_large {
        return End::Gone;
    }
    let words = format!("a frame is larger than {limit} bytes");
    End::Farewell(Farewell::TooLarge, Error::new(Code::TooLarge, words))
}
