//! Which model an agent thinks with.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use swarm_errors::Result;
use swarm_models::{ChatProvider, ModelsConfig, Provider, chat_provider};
use swarm_telemetry::{Counters, Registry, names};

use crate::agents::AgentRecord;
use crate::work::Quota;

/// The providers of this process: the configured one, and one more for each other model that an
/// agent names.
#[derive(Debug)]
pub struct Models {
    config: ModelsConfig,
    default: Arc<dyn ChatProvider>,
    named: Mutex<HashMap<String, Arc<dyn ChatProvider>>>,
    tokens: Counters<3>,
    pub(crate) quota: Quota,
}

impl Models {
    /// The providers that the configuration gives. Loads nothing yet.
    ///
    /// # Errors
    /// When the configuration is wrong.
    pub fn new(config: &ModelsConfig, registry: &Registry, quota: Quota) -> Result<Self> {
        Ok(Self {
            config: config.clone(),
            default: chat_provider(config)?,
            named: Mutex::default(),
            tokens: registry.counter(names::MODEL_TOKENS_TOTAL),
            quota,
        })
    }

    /// The provider for an agent; the default one for none.
    pub(crate) fn of(&self, agent: Option<&AgentRecord>) -> Result<Arc<dyn ChatProvider>> {
        let name = agent
            .map(|agent| agent.profile.model.name.as_str())
            .unwrap_or_default();
        if name.is_empty()
            || name == self.default.model()
            || self.config.chosen_provider() != Provider::Openai
        {
            return Ok(self.default.clone());
        }
        let mut named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(provider) = named.get(name) {
            return Ok(provider.clone());
        }
        let mut config = self.config.clone();
        name.clone_into(&mut config.openai.model);
        let provider = chat_provider(&config)?;
        named.insert(name.to_owned(), provider.clone());
        Ok(provider)
    }

    /// Whether the model is a small local one, whose verdicts are worth less than its search.
    pub(crate) fn judges_by_evidence(&self) -> bool {
        self.default.name() == "local"
    }

    pub(crate) fn count_tokens(&self, provider: &dyn ChatProvider, input: u64, output: u64) {
        let add = |kind, count: u64| {
            #[expect(
                clippy::cast_precision_loss,
                reason = "token counts are far below 2^52"
            )]
            self.tokens
                .with([provider.name(), provider.model(), kind])
                .inc_by(count as f64);
        };
        add("input", input);
        add("output", output);
    }
}
