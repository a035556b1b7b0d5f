//! The two traits.

use std::fmt::Debug;

use async_trait::async_trait;
use swarm_errors::Result;

use crate::{ChatRequest, ChatStream};

/// A chat model that can be asked.
#[async_trait]
pub trait ChatProvider: Send + Sync + Debug {
    /// The adapter: `local`, `openai`, `scripted`.
    fn name(&self) -> &str;

    /// The model, as it stands in traces, metrics and journal.
    fn model(&self) -> &str;

    /// Whether a call costs nothing and leaves nothing outside this process, so that one that was
    /// made in vain does no harm.
    fn is_free(&self) -> bool {
        false
    }

    /// Asks, and streams the answer. Dropping the stream cancels the generation.
    ///
    /// # Errors
    /// `InvalidArgument` for a request that cannot be asked. What goes wrong later comes through the stream,
    /// as its last item.
    async fn chat(&self, request: ChatRequest) -> Result<ChatStream>;

    /// Whether the model can answer: reaches the endpoint, or loads the file.
    ///
    /// # Errors
    /// Says what is wrong and, for a file, which command brings it.
    async fn probe(&self) -> Result<()>;
}

/// An embedding model.
#[async_trait]
pub trait Embedder: Send + Sync + Debug {
    /// The model, kept beside each vector: vectors of two models do not compare.
    fn model(&self) -> &str;

    /// The length of a vector; 0 until the first answer tells.
    fn dimension(&self) -> usize;

    /// One vector of unit length for each text, in order.
    ///
    /// # Errors
    /// Where the model cannot be reached or loaded.
    async fn embed(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>>;
}
