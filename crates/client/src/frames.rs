//! Frames of the WebSocket.

use serde::{Deserialize, Serialize};

use crate::types::tasks::Event;

/// What the client says.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Say<'a> {
    Subscribe {
        topics: [&'a str; 1],
        #[serde(skip_serializing_if = "Option::is_none")]
        cursor: Option<&'a str>,
    },
}

/// What the server says, as far as one subscription needs it.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Heard {
    Subscribed,
    Event {
        topic: String,
        seq: Option<u64>,
        cursor: Option<String>,
        event: Event,
    },
    Gap {
        topic: String,
        cursor: String,
    },
    Ended,
    Error {
        code: String,
        #[serde(default)]
        detail: String,
        cursor: Option<String>,
    },
    #[serde(other)]
    Other,
}
