//! A second provider for when the first one fails.

use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::{self, StreamExt};
use swarm_errors::Result;
use tracing::Span;

use crate::{ChatProvider, ChatRequest, ChatStream};

/// Asks the first provider, and the second where the first fails before its first token with an error that may pass.
#[derive(Debug, Clone)]
pub struct FallbackChat {
    first: Arc<dyn ChatProvider>,
    second: Arc<dyn ChatProvider>,
}

impl FallbackChat {
    /// Puts `second` behind `first`.
    #[must_use]
    pub fn new(first: Arc<dyn ChatProvider>, second: Arc<dyn ChatProvider>) -> Self {
        Self { first, second }
    }

    async fn open(self, request: ChatRequest) -> Result<ChatStream> {
        let failure = match self.first.chat(request.clone()).await {
            Ok(mut events) => match events.next().await {
                Some(Err(error)) if error.code().is_transient() => error,
                Some(first) => {
                    return Ok(ChatStream::new(
                        stream::iter([first]).chain(events),
                        Span::none(),
                    ));
                }
                None => return Ok(events),
            },
            Err(error) if error.code().is_transient() => error,
            Err(error) => return Err(error),
        };
        tracing::warn!(
            error = %failure,
            model.first = self.first.model(),
            model.second = self.second.model(),
            "model provider failed, asking its fallback"
        );
        self.second.chat(request).await
    }
}

#[async_trait]
impl ChatProvider for FallbackChat {
    fn name(&self) -> &str {
        self.first.name()
    }

    fn model(&self) -> &str {
        self.first.model()
    }

    fn is_free(&self) -> bool {
        self.first.is_free() && self.second.is_free()
    }

    async fn chat(&self, request: ChatRequest) -> Result<ChatStream> {
        request.validate()?;
        let opening = self.clone().open(request);
        let events = stream::once(opening).flat_map(|opened| match opened {
            Ok(events) => events.left_stream(),
            Err(error) => stream::iter([Err(error)]).right_stream(),
        });
        Ok(ChatStream::new(events, Span::current()))
    }

    async fn probe(&self) -> Result<()> {
        match self.first.probe().await {
            Ok(()) => Ok(()),
            Err(_) => self.second.probe().await,
        }
    }
}
