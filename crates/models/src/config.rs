//! The `models` section of the configuration.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use swarm_config::Secret;
use swarm_errors::{Error, Result};

use crate::Limits;

/// Which adapter answers chat.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// An endpoint where a key or an address is set, else the local model.
    #[default]
    Auto,
    /// A GGUF file in this process.
    Local,
    /// An endpoint of OpenAI's format.
    Openai,
    /// A file of turns.
    Scripted,
}

/// Which adapter makes embeddings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Embeddings {
    /// The local model where its file is present, else the endpoint's where its model is named, else none.
    #[default]
    Auto,
    /// A GGUF file in this process.
    Local,
    /// The endpoint's.
    Openai,
    /// None: search is lexical only.
    None,
}

/// Settings of the model providers.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModelsConfig {
    /// Which adapter answers chat.
    pub provider: Provider,
    /// Which adapter makes embeddings.
    pub embeddings: Embeddings,
    /// The provider that is tried when the first fails before its first token.
    pub fallback: Option<Box<ModelsConfig>>,
    /// Settings of an endpoint.
    pub openai: OpenAiConfig,
    /// Settings of the local models.
    pub local: LocalConfig,
    /// Settings of the scripted provider.
    pub scripted: ScriptedConfig,
}

/// Settings of an endpoint of OpenAI's format.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OpenAiConfig {
    /// The address up to `/v1`; empty means OpenAI's own.
    pub base_url: String,
    /// The key; empty for endpoints that want none.
    pub api_key: Secret,
    /// The chat model; empty takes the usual one of OpenAI or Qwen, other endpoints need it.
    pub model: String,
    /// The embedding model, where the endpoint has one.
    pub embedding_model: Option<String>,
    /// The longest a whole call may take, in milliseconds.
    pub timeout_ms: u64,
    /// The longest to wait for a connection, in milliseconds.
    pub connect_timeout_ms: u64,
    /// The longest silence between two pieces of an answer, in milliseconds.
    pub idle_timeout_ms: u64,
    /// How often a call is tried again before its first token.
    pub max_retries: u32,
    /// Calls at the same time, over all replicas; no limit where it is not set.
    pub max_concurrency: Option<u32>,
    /// Calls a minute of each model, over all replicas; no limit where it is not set.
    pub requests_per_minute: Option<u64>,
    /// Tokens a minute of each model, over all replicas; no limit where it is not set.
    pub tokens_per_minute: Option<u64>,
}

impl Default for OpenAiConfig {
    fn default() -> Self {
        Self {
            base_url: String::new(),
            api_key: Secret::default(),
            model: String::new(),
            embedding_model: None,
            timeout_ms: 120_000,
            connect_timeout_ms: 5_000,
            idle_timeout_ms: 60_000,
            max_retries: 3,
            max_concurrency: None,
            requests_per_minute: None,
            tokens_per_minute: None,
        }
    }
}

const OPENAI_URL: &str = "https://api.openai.com/v1";

impl OpenAiConfig {
    /// The address that is asked, without a slash at its end.
    #[must_use]
    pub fn address(&self) -> &str {
        let url = if self.base_url.is_empty() {
            OPENAI_URL
        } else {
            &self.base_url
        };
        url.trim_end_matches('/')
    }

    /// The chat model that is asked.
    ///
    /// # Errors
    /// Where none is set and the endpoint is one whose models we cannot know.
    pub fn chat_model(&self) -> Result<String> {
        if !self.model.is_empty() {
            Ok(self.model.clone())
        } else if self.address().contains("dashscope") {
            Ok("qwen-plus".to_owned())
        } else if self.address() == OPENAI_URL {
            Ok("gpt-4.1-mini".to_owned())
        } else {
            Err(Error::invalid(
                "models.openai.model",
                format!("must be set for {}", self.address()),
            ))
        }
    }

    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }

    pub(crate) fn connect_timeout(&self) -> Duration {
        Duration::from_millis(self.connect_timeout_ms)
    }

    pub(crate) fn idle_timeout(&self) -> Duration {
        Duration::from_millis(self.idle_timeout_ms)
    }
}

/// Settings of the local models.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LocalConfig {
    /// The chat model's GGUF file; the small default model where it is not set.
    pub chat_path: Option<PathBuf>,
    /// The embedding model's GGUF file; the default one where it is not set.
    pub embedding_path: Option<PathBuf>,
    /// Threads of one model; all cores but one where it is not set.
    pub threads: Option<usize>,
    /// How many answers are generated at once.
    pub max_sequences: u32,
    /// Tokens that the model holds at once, over all answers.
    pub context: u32,
}

impl Default for LocalConfig {
    fn default() -> Self {
        Self {
            chat_path: None,
            embedding_path: None,
            threads: None,
            max_sequences: 4,
            context: 4096,
        }
    }
}

impl LocalConfig {
    /// Threads of one model. One core is left alone: spinning threads beside busy ones halve the speed.
    #[must_use]
    pub fn thread_count(&self) -> i32 {
        let cores = || std::thread::available_parallelism().map_or(1, |cores| cores.get() - 1);
        i32::try_from(self.threads.unwrap_or_else(cores).clamp(1, 512)).unwrap_or(1)
    }
}

/// Settings of the scripted provider.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScriptedConfig {
    /// The file of turns, JSON or TOML.
    pub path: Option<PathBuf>,
    /// Calls at the same time, over all replicas; no limit where it is not set.
    pub max_concurrency: Option<u32>,
    /// Calls a minute of each model, over all replicas; no limit where it is not set.
    pub requests_per_minute: Option<u64>,
    /// Tokens a minute of each model, over all replicas; no limit where it is not set.
    pub tokens_per_minute: Option<u64>,
}

impl ModelsConfig {
    /// The adapter that `auto` stands for.
    #[must_use]
    pub fn chosen_provider(&self) -> Provider {
        let endpoint = !self.openai.api_key.is_empty() || !self.openai.base_url.is_empty();
        match self.provider {
            Provider::Auto if endpoint => Provider::Openai,
            Provider::Auto => Provider::Local,
            named => named,
        }
    }

    /// What the chosen provider allows. The local one queues by itself, as `max_sequences` says.
    #[must_use]
    pub fn limits(&self) -> Limits {
        match self.chosen_provider() {
            Provider::Openai => self.openai.limits(),
            Provider::Scripted => self.scripted.limits(),
            Provider::Local | Provider::Auto => Limits::default(),
        }
    }

    /// Checks ranges.
    ///
    /// # Errors
    /// `InvalidArgument` that names the key.
    pub fn validate(&self) -> Result<()> {
        if !(1..=64).contains(&self.local.max_sequences) {
            return Err(Error::invalid(
                "models.local.max_sequences",
                "must be between 1 and 64",
            ));
        }
        if self.local.context < 256 {
            return Err(Error::invalid(
                "models.local.context",
                "must be at least 256",
            ));
        }
        if self.local.threads == Some(0) {
            return Err(Error::invalid("models.local.threads", "must be at least 1"));
        }
        if self.openai.timeout_ms == 0
            || self.openai.connect_timeout_ms == 0
            || self.openai.idle_timeout_ms == 0
        {
            return Err(Error::invalid(
                "models.openai.timeout_ms",
                "and the other time-outs must be at least 1",
            ));
        }
        if self.openai.max_retries > 10 {
            return Err(Error::invalid(
                "models.openai.max_retries",
                "must be at most 10",
            ));
        }
        self.openai.limits().validate("models.openai")?;
        self.scripted.limits().validate("models.scripted")?;
        match &self.fallback {
            Some(second) if second.fallback.is_some() => Err(Error::invalid(
                "models.fallback.fallback",
                "must not be set: there is one fallback",
            )),
            Some(second) => second.validate(),
            None => Ok(()),
        }
    }
}

macro_rules! limits {
    ($($section:ident),*) => {$(
        impl $section {
            const fn limits(&self) -> Limits {
                Limits {
                    max_concurrency: self.max_concurrency,
                    requests_per_minute: self.requests_per_minute,
                    tokens_per_minute: self.tokens_per_minute,
                }
            }
        }
    )*};
}

limits!(OpenAiConfig, ScriptedConfig);
