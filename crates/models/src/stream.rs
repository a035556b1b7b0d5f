//! An answer as it comes.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::stream::{BoxStream, Stream, StreamExt};
use swarm_errors::{Code, Error, Result};
use tracing::Span;

use crate::{ChatAnswer, span};

/// One piece of a streamed answer.
#[derive(Debug, Clone, PartialEq)]
pub enum ChatEvent {
    /// The next piece of the text.
    Token(String),
    /// The whole answer: the last event of a stream that went well.
    Finished(ChatAnswer),
}

/// A streamed answer: tokens, then [`ChatEvent::Finished`], or an error as the last item.
///
/// Dropping it cancels the generation.
pub struct ChatStream {
    events: BoxStream<'static, Result<ChatEvent>>,
    span: Span,
    ended: bool,
}

impl ChatStream {
    /// Wraps a provider's events; usage and errors are recorded on `span`.
    pub fn new(events: impl Stream<Item = Result<ChatEvent>> + Send + 'static, span: Span) -> Self {
        Self {
            events: events.boxed(),
            span,
            ended: false,
        }
    }

    /// Waits for the whole answer.
    ///
    /// # Errors
    /// What the provider reports, or `Unavailable` where the stream ends without an answer.
    pub async fn answer(mut self) -> Result<ChatAnswer> {
        while let Some(event) = self.next().await {
            if let ChatEvent::Finished(answer) = event? {
                return Ok(answer);
            }
        }
        Err(Error::new(
            Code::Unavailable,
            "the model's answer broke off",
        ))
    }
}

impl Stream for ChatStream {
    type Item = Result<ChatEvent>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let this = &mut *self;
        let polled = this.span.in_scope(|| this.events.poll_next_unpin(context));
        if let Poll::Ready(event) = &polled {
            match event {
                Some(Ok(ChatEvent::Token(_))) => {}
                Some(Ok(ChatEvent::Finished(answer))) => span::record_answer(&this.span, answer),
                Some(Err(error)) => span::record_error(&this.span, error),
                None => {}
            }
            this.ended = !matches!(event, Some(Ok(ChatEvent::Token(_))));
        }
        polled
    }
}

impl fmt::Debug for ChatStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChatStream")
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}
