//! Endpoints of OpenAI's chat completions format: Qwen's compatible mode, vLLM, Ollama, llama.cpp's server, OpenAI.
//!
//! A call is tried again on 429, 5xx and connection faults, with jitter and as the endpoint's `Retry-After` asks,
//! as long as no token was delivered.

mod embed;
mod endpoint;
mod reader;
mod sse;
mod wire;

use std::time::Duration;

use async_trait::async_trait;
use futures::stream;
use swarm_errors::Result;
use tokio::time::Instant;

pub use embed::OpenAiEmbedder;

use crate::{ChatEvent, ChatProvider, ChatRequest, ChatStream, OpenAiConfig, span};
use endpoint::Endpoint;
use reader::Reader;

/// Whoever must wait for longer is told so, and waits without holding up a worker.
const PATIENCE: Duration = Duration::from_millis(500);

/// A chat model behind an endpoint.
#[derive(Debug, Clone)]
pub struct OpenAiChat {
    endpoint: Endpoint,
    model: String,
}

impl OpenAiChat {
    /// The endpoint's chat model; nothing is called yet.
    ///
    /// # Errors
    /// `InvalidArgument` where address or model are missing or wrong.
    pub fn new(config: &OpenAiConfig) -> Result<Self> {
        Ok(Self {
            endpoint: Endpoint::new(config)?,
            model: config.chat_model()?,
        })
    }
}

#[async_trait]
impl ChatProvider for OpenAiChat {
    fn name(&self) -> &str {
        "openai"
    }

    fn model(&self) -> &str {
        &self.model
    }

    async fn chat(&self, request: ChatRequest) -> Result<ChatStream> {
        request.validate()?;
        let span = span::chat(self.name(), &self.model, &request);
        let call = Call {
            endpoint: self.endpoint.clone(),
            body: wire::body(&self.model, &request).to_string(),
            deadline: self.endpoint.deadline(),
        };
        let events = stream::try_unfold(Progress::Begin(Box::new(call)), |progress| async move {
            let mut reader = match progress {
                Progress::Begin(call) => return call.open().await.map(Some),
                Progress::Reading(reader) => reader,
            };
            Ok(reader
                .next()
                .await?
                .map(|event| (event, Progress::Reading(reader))))
        });
        Ok(ChatStream::new(events, span))
    }

    async fn probe(&self) -> Result<()> {
        self.endpoint.probe().await
    }
}

enum Progress {
    Begin(Box<Call>),
    Reading(Box<Reader>),
}

struct Call {
    endpoint: Endpoint,
    body: String,
    deadline: Instant,
}

impl Call {
    /// Calls until a first event is there. Only then is the call one that cannot be tried again.
    async fn open(&self) -> Result<(ChatEvent, Progress)> {
        self.endpoint
            .retrying(self.deadline, PATIENCE, || async {
                let response = self
                    .endpoint
                    .post("/chat/completions", self.body.clone(), self.deadline)
                    .await?;
                let mut reader =
                    Box::new(Reader::new(response, self.endpoint.idle(), self.deadline));
                let event = reader.next().await?.ok_or_else(reader::broke_off)?;
                Ok((event, Progress::Reading(reader)))
            })
            .await
    }
}
