//! Embeddings from an endpoint.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::json;
use swarm_errors::{Code, Error, Result};
use tokio::time::timeout_at;
use tracing::Instrument;

use super::endpoint::Endpoint;
use crate::vector::unit;
use crate::{Embedder, OpenAiConfig, span};

/// Qwen's endpoint takes ten texts a call, others many.
const FEW_TEXTS: usize = 10;
const MANY_TEXTS: usize = 128;

/// An embedding model behind an endpoint.
#[derive(Debug)]
pub struct OpenAiEmbedder {
    endpoint: Endpoint,
    model: String,
    dimension: AtomicUsize,
    texts_per_call: usize,
}

#[derive(Debug, Deserialize)]
struct Answer {
    data: Vec<Item>,
}

#[derive(Debug, Deserialize)]
struct Item {
    index: usize,
    embedding: Vec<f32>,
}

impl OpenAiEmbedder {
    /// The endpoint's embedding model; nothing is called yet.
    ///
    /// # Errors
    /// `InvalidArgument` where address or model are missing or wrong.
    pub fn new(config: &OpenAiConfig) -> Result<Self> {
        let model = config
            .embedding_model
            .clone()
            .filter(|model| !model.is_empty());
        let model =
            model.ok_or_else(|| Error::invalid("models.openai.embedding_model", "must be set"))?;
        let endpoint = Endpoint::new(config)?;
        let texts_per_call = if endpoint.address().contains("dashscope") {
            FEW_TEXTS
        } else {
            MANY_TEXTS
        };
        Ok(Self {
            endpoint,
            model,
            dimension: AtomicUsize::new(0),
            texts_per_call,
        })
    }

    async fn call(&self, texts: &[String]) -> Result<Vec<Vec<f32>>> {
        let deadline = self.endpoint.deadline();
        let body =
            json!({"model": self.model, "input": texts, "encoding_format": "float"}).to_string();
        let answer: Answer = self
            .endpoint
            .retrying(deadline, Duration::MAX, || async {
                let response = self
                    .endpoint
                    .post("/embeddings", body.clone(), deadline)
                    .await?;
                let answer = timeout_at(deadline, response.json()).await;
                let answer = answer.map_err(|_| {
                    Error::new(Code::DeadlineExceeded, "the embeddings took too long")
                })?;
                answer.map_err(|error| {
                    Error::unavailable("the endpoint sent what are no embeddings")
                        .with_source(error)
                })
            })
            .await?;
        let mut vectors = vec![Vec::new(); texts.len()];
        for item in answer.data {
            if let Some(place) = vectors.get_mut(item.index) {
                *place = unit(&item.embedding);
            }
        }
        let length = vectors.first().map_or(0, Vec::len);
        if length == 0 || vectors.iter().any(|vector| vector.len() != length) {
            return Err(Error::unavailable(
                "the endpoint left out embeddings, or sent some of another length",
            ));
        }
        self.dimension.store(length, Ordering::Relaxed);
        Ok(vectors)
    }
}

#[async_trait]
impl Embedder for OpenAiEmbedder {
    fn model(&self) -> &str {
        &self.model
    }

    fn dimension(&self) -> usize {
        self.dimension.load(Ordering::Relaxed)
    }

    async fn embed(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>> {
        let span = span::embeddings("openai", &self.model, texts.len());
        let mut vectors = Vec::with_capacity(texts.len());
        for texts in texts.chunks(self.texts_per_call) {
            let outcome = self.call(texts).instrument(span.clone()).await;
            vectors.extend(outcome.inspect_err(|error| span::record_error(&span, error))?);
        }
        Ok(vectors)
    }
}
