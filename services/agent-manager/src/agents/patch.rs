//! A change of some fields.

use std::collections::BTreeMap;

use serde::Deserialize;
use swarm_errors::{Error, Result};

use crate::tasks::without_place;

use super::{AgentKind, AgentProfile, ModelSettings};

/// The fields that change, in the public shape; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AgentPatch {
    name: Option<String>,
    kind: Option<AgentKind>,
    role: Option<String>,
    instructions: Option<String>,
    model: Option<ModelSettings>,
    capabilities: Option<Vec<String>>,
    tools: Option<Vec<String>>,
    pool: Option<String>,
    max_concurrency: Option<u32>,
    labels: Option<BTreeMap<String, String>>,
}

impl AgentPatch {
    /// Reads the JSON text of a request.
    ///
    /// # Errors
    /// `invalid_argument` that names the field.
    pub fn parse(json: &str) -> Result<Self> {
        let mut reader = serde_json::Deserializer::from_str(json);
        let patch = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
            let path = error.path().to_string();
            let field = if path == "." || !error.inner().is_data() {
                "patch".to_owned()
            } else {
                path
            };
            Error::invalid(field, without_place(error.inner()))
        })?;
        reader
            .end()
            .map_err(|error| Error::invalid("patch", error.to_string()))?;
        Ok(patch)
    }

    /// Changes the profile.
    pub fn apply(self, agent: &mut AgentProfile) {
        fn set<T>(field: &mut T, value: Option<T>) {
            if let Some(value) = value {
                *field = value;
            }
        }
        set(&mut agent.name, self.name);
        set(&mut agent.kind, self.kind);
        set(&mut agent.role, self.role);
        set(&mut agent.instructions, self.instructions);
        set(&mut agent.model, self.model);
        set(&mut agent.capabilities, self.capabilities);
        set(&mut agent.tools, self.tools);
        set(&mut agent.pool, self.pool);
        set(&mut agent.max_concurrency, self.max_concurrency);
        set(&mut agent.labels, self.labels);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_wrong_is_named() {
        for (json, field) in [
            ("", "patch"),
            ("3", "patch"),
            (r#"{"state": "paused"}"#, "state"),
            (r#"{"kind": "king"}"#, "kind"),
            (r#"{"model": {"seed": 1}}"#, "model.seed"),
            (r#"{"max_concurrency": "two"}"#, "max_concurrency"),
            ("{} {}", "patch"),
        ] {
            assert_eq!(
                AgentPatch::parse(json).unwrap_err().fields()[0].field,
                field,
                "{json}"
            );
        }
    }
}
