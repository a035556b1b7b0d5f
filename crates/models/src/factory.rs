//! From configuration to providers.

use std::sync::Arc;

use swarm_errors::{Error, Result};

use crate::config::{Embeddings, ModelsConfig, Provider};
use crate::fallback::FallbackChat;
use crate::files::{self, model_path};
use crate::local::{LocalChat, LocalEmbedder};
use crate::openai::{OpenAiChat, OpenAiEmbedder};
use crate::scripted::ScriptedChat;
use crate::{ChatProvider, Embedder};

/// The chat provider that the configuration asks for, with its fallback. Nothing is loaded or called yet.
///
/// # Errors
/// `InvalidArgument` that names the key.
pub fn chat_provider(config: &ModelsConfig) -> Result<Arc<dyn ChatProvider>> {
    config.validate()?;
    let first: Arc<dyn ChatProvider> = match config.chosen_provider() {
        Provider::Openai => Arc::new(OpenAiChat::new(&config.openai)?),
        Provider::Scripted => {
            let path = config.scripted.path.as_deref();
            let path = path.ok_or_else(|| Error::invalid("models.scripted.path", "must be set"))?;
            Arc::new(ScriptedChat::from_file(path)?)
        }
        Provider::Local | Provider::Auto => Arc::new(LocalChat::new(&config.local)),
    };
    match &config.fallback {
        Some(second) => Ok(Arc::new(FallbackChat::new(first, chat_provider(second)?))),
        None => Ok(first),
    }
}

/// The embedder that the configuration asks for: none where there is neither a file nor an endpoint for it.
///
/// # Errors
/// `InvalidArgument` that names the key, or `FailedPrecondition` where a file is asked for by name and missing.
pub fn embedder(config: &ModelsConfig) -> Result<Option<Arc<dyn Embedder>>> {
    config.validate()?;
    let local =
        || -> Result<Arc<dyn Embedder>> { Ok(Arc::new(LocalEmbedder::new(&config.local)?)) };
    let endpoint =
        || -> Result<Arc<dyn Embedder>> { Ok(Arc::new(OpenAiEmbedder::new(&config.openai)?)) };
    match config.embeddings {
        Embeddings::None => Ok(None),
        Embeddings::Local => local().map(Some),
        Embeddings::Openai => endpoint().map(Some),
        Embeddings::Auto => {
            let named = config.local.embedding_path.is_some();
            if named || model_path(files::EMBEDDING_FILE).is_ok() {
                local().map(Some)
            } else if config.openai.embedding_model.is_some() {
                endpoint().map(Some)
            } else {
                Ok(None)
            }
        }
    }
}
