//! The settings of webhook tools: pure.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use swarm_config::{Secret, Validate};
use swarm_errors::{Error, Result};

use crate::journal::Safety;
use crate::work::tools::BUILT_IN;

const MAX_TOOLS: usize = 100;
const MAX_DESCRIPTION: usize = 2_000;

/// Section `tools`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ToolsConfig {
    /// Tools that are calls of a web service.
    pub webhook: Vec<WebhookConfig>,
}

/// One `[[tools.webhook]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookConfig {
    /// By which agents and models call it.
    pub name: String,
    /// What it does, for the model.
    pub description: String,
    /// Where the arguments are posted.
    pub url: String,
    /// The arguments, as a JSON schema of an object.
    #[serde(default = "any_object")]
    pub parameters: Value,
    /// Whether a call whose end is unknown may be repeated. There is no default: only who knows the
    /// service can say.
    pub safety: WebhookSafety,
    /// How long one call may take.
    #[serde(default = "thirty_seconds")]
    pub timeout_ms: u64,
    /// Headers with their values.
    #[serde(default)]
    pub headers: BTreeMap<String, Secret>,
    /// Headers whose values are in environment variables.
    #[serde(default)]
    pub headers_from: BTreeMap<String, String>,
}

/// [`Safety`] as the settings spell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WebhookSafety {
    /// A repeat with the same `Idempotency-Key` has no second effect.
    Idempotent,
    /// A call is never repeated.
    AtMostOnce,
}

fn any_object() -> Value {
    json!({ "type": "object" })
}

const fn thirty_seconds() -> u64 {
    30_000
}

impl WebhookConfig {
    pub(super) const fn safety(&self) -> Safety {
        match self.safety {
            WebhookSafety::Idempotent => Safety::Idempotent,
            WebhookSafety::AtMostOnce => Safety::AtMostOnce,
        }
    }

    pub(super) const fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }

    fn check(&self) -> Result<(), (&'static str, &'static str)> {
        let is_word = |letter: char| letter.is_ascii_alphanumeric() || "_-".contains(letter);
        if !(1..=64).contains(&self.name.len()) || !self.name.chars().all(is_word) {
            return Err((
                "name",
                "must be 1 to 64 of the characters a-z, A-Z, 0-9, _ and -",
            ));
        }
        if BUILT_IN.contains(&self.name.as_str()) {
            return Err(("name", "is the name of a built-in tool"));
        }
        if !(1..=MAX_DESCRIPTION).contains(&self.description.len()) {
            return Err(("description", "must have 1 to 2000 bytes"));
        }
        let url = reqwest::Url::parse(&self.url).map_err(|_| ("url", "is not an address"))?;
        if !["http", "https"].contains(&url.scheme()) || url.host().is_none() {
            return Err(("url", "must be an address of http or https"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(("url", "must hold no credential: use headers"));
        }
        if self.parameters["type"] != "object" {
            return Err(("parameters", "must be a JSON schema with type object"));
        }
        if !(1..=600_000).contains(&self.timeout_ms) {
            return Err(("timeout_ms", "must be between 1 and 600000"));
        }
        Ok(())
    }
}

impl Validate for ToolsConfig {
    fn validate(&self) -> Result<()> {
        if self.webhook.len() > MAX_TOOLS {
            return Err(Error::invalid(
                "tools.webhook",
                format!("must be at most {MAX_TOOLS}"),
            ));
        }
        let mut names = BTreeSet::new();
        for (place, tool) in self.webhook.iter().enumerate() {
            let wrong = |(key, message): (&str, &str)| {
                Error::invalid(format!("tools.webhook[{place}].{key}"), message)
            };
            tool.check().map_err(wrong)?;
            if !names.insert(&tool.name) {
                return Err(wrong(("name", "is the name of another tool")));
            }
        }
        Ok(())
    }
}
