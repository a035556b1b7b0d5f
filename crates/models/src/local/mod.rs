//! Models in this process, through llama.cpp: any GGUF file, for chat and for embeddings.
//!
//! One thread owns a model and its context. Requests reach it over a channel and are served together:
//! each step decodes one token of every answer and at most [`PREFILL_CHUNK`] tokens of a prompt, so that a new
//! request joins between two steps and a cancelled one ends with the step it is in. Async threads never wait in it.

mod backend;
mod embed;
mod engine;
mod generation;
mod prefix;
mod prepare;
mod prompt;
mod sampler;
mod vocabulary;
mod worker;

use std::path::PathBuf;

use async_trait::async_trait;
use futures::stream;
use swarm_errors::{Error, Result};
use tokio::sync::{mpsc, oneshot};

pub use backend::backend;
pub use embed::LocalEmbedder;

use crate::files::{self, model_name, model_path};
use crate::{ChatProvider, ChatRequest, ChatStream, LocalConfig, span};
use engine::Job;
use worker::Worker;

/// The most tokens of prompts that one step computes: what a cancelled request may still cost.
pub const PREFILL_CHUNK: usize = 128;

/// A chat model in this process. It is loaded at its first use.
#[derive(Debug)]
pub struct LocalChat {
    model: String,
    worker: Worker<Job>,
}

impl LocalChat {
    /// A model that is loaded when it is first asked.
    #[must_use]
    pub fn new(config: &LocalConfig) -> Self {
        let model = config
            .chat_path
            .as_deref()
            .map_or_else(|| model_name(files::CHAT_FILE.as_ref()), model_name);
        let config = config.clone();
        Self {
            model,
            worker: Worker::new("local-chat", move |jobs| engine::run(&config, jobs)),
        }
    }

    /// Loads the model, where it is not loaded yet.
    ///
    /// # Errors
    /// Where the file is missing or damaged, or the processor too old.
    pub async fn warm(&self) -> Result<()> {
        let (done, loaded) = oneshot::channel();
        self.worker.send(Job::Warm(done))?;
        loaded
            .await
            .map_err(|_| Error::unavailable("the local model's thread ended"))?
    }
}

#[async_trait]
impl ChatProvider for LocalChat {
    fn name(&self) -> &str {
        "local"
    }

    fn model(&self) -> &str {
        &self.model
    }

    fn is_free(&self) -> bool {
        true
    }

    async fn chat(&self, request: ChatRequest) -> Result<ChatStream> {
        request.validate()?;
        let span = span::chat(self.name(), self.model(), &request);
        let (events, received) = mpsc::unbounded_channel();
        self.worker.send(Job::Chat {
            request: Box::new(request),
            events,
        })?;
        let received = stream::unfold(received, |mut events| async move {
            Some((events.recv().await?, events))
        });
        Ok(ChatStream::new(received, span))
    }

    async fn probe(&self) -> Result<()> {
        self.warm().await
    }
}

/// The file that is named, or the default one.
fn resolve(named: Option<&PathBuf>, default: &str) -> Result<PathBuf> {
    named.map_or_else(|| model_path(default), |path| Ok(path.clone()))
}
