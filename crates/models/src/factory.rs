//! From configuration to providers.

use std::sync::Arc;

use swarm_errors::{Error, Result};

use crate::config::{ModelsConfig, Provider};
use crate::fallback::FallbackChat;
use crate::scripted::ScriptedChat;
use crate::{ChatProvider, Embedder};

/// The chat provider that the configuration asks for, with its fallback. Nothing is loaded or called yet.
///
/// # Errors
/// `InvalidArgument` that names the key.
pub fn chat_provider(config: &ModelsConfig) -> Result<Arc<dyn ChatProvider>> {
    config.validate()?;
    let first: Arc<dyn ChatProvider> = match config.chosen_provider() {
        Provider::Openai => return Err(Error::unavailable("this build holds the scripted provider only")),
        Provider::Scripted => {
            let path = config.scripted.path.as_deref();
            let path = path.ok_or_else(|| Error::invalid("models.scripted.path", "must be set"))?;
            Arc::new(ScriptedChat::from_file(path)?)
        }
        Provider::Local | Provider::Auto => return Err(Error::unavailable("this build holds the scripted provider only")),
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
    Ok(None)
}
