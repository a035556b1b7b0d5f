//! Reads one streamed answer.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use futures::stream::{BoxStream, StreamExt};
use reqwest::Response;
use swarm_errors::{Code, Error, Result};
use tokio::time::{Instant, timeout_at};

use super::sse::Parser;
use super::wire::Gathered;
use crate::ChatEvent;

const DONE: &str = "[DONE]";

/// The events of one response.
pub(super) struct Reader {
    pieces: BoxStream<'static, std::result::Result<Vec<u8>, reqwest::Error>>,
    parser: Parser,
    gathered: Gathered,
    /// Events that are read but not asked for yet; an error is the last.
    ready: VecDeque<Result<ChatEvent>>,
    idle: Duration,
    deadline: Instant,
    ended: bool,
}

impl Reader {
    pub(super) fn new(response: Response, idle: Duration, deadline: Instant) -> Self {
        let pieces = response
            .bytes_stream()
            .map(|piece| piece.map(|bytes| bytes.to_vec()));
        Self {
            pieces: pieces.boxed(),
            parser: Parser::default(),
            gathered: Gathered::default(),
            ready: VecDeque::new(),
            idle,
            deadline,
            ended: false,
        }
    }

    /// The next event; none after the last.
    pub(super) async fn next(&mut self) -> Result<Option<ChatEvent>> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return event.map(Some);
            }
            if self.ended {
                return Ok(None);
            }
            let limit = self.deadline.min(Instant::now() + self.idle);
            let piece = timeout_at(limit, self.pieces.next())
                .await
                .map_err(|_| too_slow())?;
            match piece {
                Some(Ok(bytes)) => self
                    .parser
                    .push(&bytes)
                    .iter()
                    .for_each(|data| self.take(data)),
                Some(Err(error)) => return Err(broke_off().with_source(error)),
                None => self.end(),
            }
        }
    }

    fn take(&mut self, data: &str) {
        if self.ended {
            return;
        }
        let event = if data.trim() == DONE {
            self.ended = true;
            self.gathered
                .answer()
                .map(|answer| Some(ChatEvent::Finished(answer)))
        } else {
            self.gathered
                .push(data)
                .map(|text| text.map(ChatEvent::Token))
        };
        self.ended |= event.is_err();
        self.ready.extend(event.transpose());
    }

    /// Some endpoints end the stream without a word; an answer that named no reason to stop was cut.
    fn end(&mut self) {
        if let Some(data) = self.parser.finish() {
            self.take(&data);
        }
        if self.gathered.is_finished() {
            self.take(DONE);
        } else if !self.ended {
            self.ended = true;
            self.ready.push_back(Err(broke_off()));
        }
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("gathered", &self.gathered)
            .finish_non_exhaustive()
    }
}

pub(super) fn broke_off() -> Error {
    Error::unavailable("the model endpoint's answer broke off")
}

fn too_slow() -> Error {
    Error::new(
        Code::DeadlineExceeded,
        "the model endpoint fell silent or took too long",
    )
}
