//! Tools of the operator's own: a POST to an address that the settings fix.
//!
//! The model chooses the arguments and nothing else: neither address nor header.

mod call;
mod config;

use std::collections::BTreeMap;
use std::sync::Arc;

use reqwest::Client;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use serde_json::Value;
use swarm_errors::{Error, Result};
use swarm_models::{Tool, ToolCall};

pub use config::{ToolsConfig, WebhookConfig};

use crate::engine::{StepHandle, TaskContext, is_outcome_unknown};
use crate::journal::{Safety, StepDone, StepKind, StepSpec};
use crate::tasks::Usage;

/// All webhook tools, by name.
#[derive(Debug, Default)]
pub struct Webhooks {
    tools: BTreeMap<String, Arc<Webhook>>,
}

/// One of them, ready to be called.
#[derive(Debug)]
struct Webhook {
    config: WebhookConfig,
    headers: HeaderMap,
    client: Client,
}

impl Webhooks {
    /// The tools of these settings. `environment` has the secrets that they name.
    ///
    /// # Errors
    /// When a secret is missing, or a value cannot be a header's.
    pub fn new(config: &ToolsConfig, environment: impl Fn(&str) -> Option<String>) -> Result<Self> {
        if config.webhook.is_empty() {
            return Ok(Self::default());
        }
        // Another part of the process may have installed it before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            // A redirect would carry arguments and secrets to an address that nobody has set.
            .redirect(Policy::none())
            // Whether a call may be repeated is decided here, with the journal in view.
            .retry(reqwest::retry::never())
            .build()
            .map_err(Error::internal)?;
        let mut tools = BTreeMap::new();
        for (place, tool) in config.webhook.iter().enumerate() {
            let webhook = Webhook {
                headers: headers(tool, place, &environment)?,
                config: tool.clone(),
                client: client.clone(),
            };
            tools.insert(tool.name.clone(), Arc::new(webhook));
        }
        Ok(Self { tools })
    }

    /// The tools among these names, in the tool-calling format. Nobody has one without naming it.
    pub(super) fn offered(&self, names: &[String]) -> Vec<Tool> {
        names
            .iter()
            .filter_map(|name| self.tools.get(name))
            .map(|tool| {
                let config = &tool.config;
                Tool::new(&config.name, &config.description, config.parameters.clone())
            })
            .collect()
    }

    /// Makes the call of a model as a step; `None` where there is no such tool.
    pub(super) async fn run(
        &self,
        context: &TaskContext,
        key: &str,
        tool_call: &ToolCall,
    ) -> Option<Result<Said>> {
        let tool = self.tools.get(&tool_call.name)?.clone();
        Some(run(tool, context, key, tool_call).await)
    }
}

/// What a model is told of a call.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) text: String,
    /// Whether nobody knows if the call took effect: the task's result says so too.
    pub(super) is_unknown: bool,
}

async fn run(
    tool: Arc<Webhook>,
    context: &TaskContext,
    key: &str,
    tool_call: &ToolCall,
) -> Result<Said> {
    let mut step = StepSpec::new(
        key,
        StepKind::Tool,
        tool_call.name.clone(),
        tool_call.arguments.clone(),
    );
    if tool.config.safety() == Safety::AtMostOnce {
        step = step.at_most_once();
    }
    let said = context
        .step(step, async |handle: StepHandle| {
            let usage = Usage {
                tool_calls: 1,
                ..Usage::default()
            };
            let text = tool.call(&handle, &tool_call.arguments).await?;
            Ok(StepDone::new(text).with_usage(usage))
        })
        .await;
    match said {
        Ok(text) => Ok(Said {
            text,
            is_unknown: false,
        }),
        Err(error) if is_outcome_unknown(&error) => Ok(Said {
            text: format!(
                "The outcome of this call of {} is unknown: it may or may not have taken effect. It must not be made again. Tell the user so.",
                tool_call.name
            ),
            is_unknown: true,
        }),
        Err(error) => Err(error),
    }
}

fn headers(
    tool: &WebhookConfig,
    place: usize,
    environment: &impl Fn(&str) -> Option<String>,
) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    let plain = tool.headers.iter().map(|(name, value)| {
        let key = format!("tools.webhook[{place}].headers.{name}");
        (key, name, Ok(value.expose().to_owned()))
    });
    let secret = tool.headers_from.iter().map(|(name, variable)| {
        let key = format!("tools.webhook[{place}].headers_from.{name}");
        let value = environment(variable).ok_or_else(|| {
            Error::invalid(&key, format!("{variable} is not set in the environment"))
        });
        (key, name, value)
    });
    for (key, name, value) in plain.chain(secret) {
        let name = HeaderName::try_from(name.as_str())
            .map_err(|_| Error::invalid(&key, "is not a header's name"))?;
        let mut value = HeaderValue::try_from(value?)
            .map_err(|_| Error::invalid(&key, "has characters that a header cannot carry"))?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}

/// Whether arguments are what a tool can take: an object.
fn body_of(arguments: &Value) -> Option<String> {
    arguments.is_object().then(|| arguments.to_string())
}

#[cfg(test)]
#[path = "webhook_test.rs"]
mod tests;
