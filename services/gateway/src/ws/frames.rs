//! Frames in and out: pure.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use swarm_errors::{Error, Result};

use crate::extract::from_value;
use crate::shapes::tasks::Event;

/// What a client says.
#[derive(Debug)]
pub(super) enum Heard {
    Auth(Auth),
    Subscribe(Subscribe),
    Unsubscribe(Unsubscribe),
    Ack(Ack),
    Ping(Ping),
}

/// Proves who is calling; later, renews a proof that is about to end.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Auth {
    pub(super) token: String,
}

impl std::fmt::Debug for Auth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Auth")
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Subscribe {
    pub(super) id: Option<String>,
    pub(super) topics: Vec<String>,
    /// Where to begin: it holds for all topics of this frame.
    pub(super) cursor: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Unsubscribe {
    pub(super) id: Option<String>,
    pub(super) topics: Vec<String>,
}

/// Says that everything up to a cursor has been dealt with.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ack {
    pub(super) topic: String,
    pub(super) cursor: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ping {
    pub(super) id: Option<String>,
}

/// Reads a frame.
pub(super) fn read(text: &str) -> Result<Heard> {
    let frame: Value = serde_json::from_str(text)
        .map_err(|error| Error::invalid("frame", format!("is not JSON: {error}")))?;
    let Value::Object(mut fields) = frame else {
        return Err(Error::invalid("frame", "must be an object"));
    };
    let kind = fields
        .remove("type")
        .ok_or_else(|| Error::invalid("type", "is missing"))?;
    let fields = Value::Object(fields);
    match kind.as_str().unwrap_or_default() {
        "auth" => typed(fields).map(Heard::Auth),
        "subscribe" => typed(fields).map(Heard::Subscribe),
        "unsubscribe" => typed(fields).map(Heard::Unsubscribe),
        "ack" => typed(fields).map(Heard::Ack),
        "ping" => typed(fields).map(Heard::Ping),
        _ => Err(Error::invalid(
            "type",
            "must be auth, subscribe, unsubscribe, ack or ping",
        )),
    }
}

fn typed<T: DeserializeOwned>(fields: Value) -> Result<T> {
    from_value(fields)
}

/// What the gateway says.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Say<'a> {
    /// The token holds.
    Authenticated {
        /// Seconds until it ends, and with it the connection.
        expires_in: u64,
    },
    /// Events of these topics follow.
    Subscribed {
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<&'a str>,
        topics: &'a [String],
    },
    /// No events of these topics follow.
    Unsubscribed {
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<&'a str>,
        topics: &'a [String],
    },
    /// An event; an ephemeral one has neither seq nor cursor.
    Event {
        topic: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        seq: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cursor: Option<String>,
        event: &'a Event,
    },
    /// Events before this cursor are no longer kept.
    Gap { topic: &'a str, cursor: String },
    /// The task of this topic has ended and all was told.
    Ended {
        topic: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        cursor: Option<&'a str>,
    },
    /// Something went wrong; with a topic, its events end here.
    Error(Trouble<'a>),
    /// The answer to a ping.
    Pong {
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<&'a str>,
    },
}

/// What went wrong.
#[derive(Debug, Serialize)]
pub(super) struct Trouble<'a> {
    /// Of the frame that it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) topic: Option<&'a str>,
    pub(super) code: &'static str,
    pub(super) detail: &'a str,
    /// Where to resume.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cursor: Option<&'a str>,
}

impl<'a> Trouble<'a> {
    pub(super) fn new(error: &'a Error) -> Self {
        Self {
            id: None,
            topic: None,
            code: error.code().as_str(),
            detail: error.detail(),
            cursor: None,
        }
    }
}

impl Say<'_> {
    /// As text.
    pub(super) fn text(&self) -> String {
        // It is made of our own types; there is nothing in it that JSON could not hold.
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_wrong_frame_names_its_field() {
        for (text, field) in [
            ("{", "frame"),
            ("[]", "frame"),
            ("{}", "type"),
            (r#"{"type": "sing"}"#, "type"),
            (r#"{"type": 5}"#, "type"),
            (r#"{"type": "subscribe"}"#, "topics"),
            (r#"{"type": "subscribe", "topics": [1]}"#, "topics[0]"),
            (r#"{"type": "subscribe", "topics": [], "from": 1}"#, "from"),
            (
                r#"{"type": "ack", "topic": "tasks", "cursor": 1}"#,
                "cursor",
            ),
            (r#"{"type": "auth"}"#, "token"),
        ] {
            assert_eq!(read(text).unwrap_err().fields()[0].field, field, "{text}");
        }
    }

    #[test]
    fn frames_look_as_documented() {
        let topics = ["tasks".to_owned()];
        for (say, text) in [
            (Say::Pong { id: Some("7") }, r#"{"type":"pong","id":"7"}"#),
            (
                Say::Subscribed {
                    id: None,
                    topics: &topics,
                },
                r#"{"type":"subscribed","topics":["tasks"]}"#,
            ),
            (
                Say::Error(Trouble {
                    topic: Some("tasks"),
                    cursor: Some("4"),
                    ..Trouble::new(&Error::unavailable("no"))
                }),
                r#"{"type":"error","topic":"tasks","code":"unavailable","detail":"no","cursor":"4"}"#,
            ),
            (
                Say::Gap {
                    topic: "tasks",
                    cursor: "9".into(),
                },
                r#"{"type":"gap","topic":"tasks","cursor":"9"}"#,
            ),
        ] {
            assert_eq!(say.text(), text);
        }
    }
}
