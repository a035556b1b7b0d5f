//! What an agent must look like. Fields are named as in the public shape.

use swarm_errors::{Error, Result};

use super::AgentProfile;
use crate::tasks::has_nul;

const MAX_NAME: usize = 200;
const MAX_INSTRUCTIONS: usize = 64 * 1024;
const MAX_WORDS: usize = 64;
const MAX_CONCURRENCY: u32 = 1_000;
const MAX_TOKENS: u32 = 1_000_000;

/// Checks an agent.
///
/// # Errors
/// `invalid_argument` that names the field.
pub fn validate(agent: &AgentProfile) -> Result<()> {
    if agent.name.trim().is_empty() {
        return Err(Error::invalid("name", "must not be empty"));
    }
    short("name", &agent.name)?;
    short("role", &agent.role)?;
    short("pool", &agent.pool)?;
    short("model.provider", &agent.model.provider)?;
    short("model.name", &agent.model.name)?;
    if agent.instructions.len() > MAX_INSTRUCTIONS {
        return Err(Error::invalid("instructions", "must be at most 64 KiB"));
    }
    if has_nul(&agent.instructions) {
        return Err(nul("instructions"));
    }
    if agent
        .model
        .temperature
        .is_some_and(|value| !(0.0..=2.0).contains(&value))
    {
        return Err(Error::invalid(
            "model.temperature",
            "must be between 0 and 2",
        ));
    }
    if agent
        .model
        .max_tokens
        .is_some_and(|value| !(1..=MAX_TOKENS).contains(&value))
    {
        return Err(Error::invalid(
            "model.max_tokens",
            format!("must be between 1 and {MAX_TOKENS}"),
        ));
    }
    if !(1..=MAX_CONCURRENCY).contains(&agent.max_concurrency) {
        return Err(Error::invalid(
            "max_concurrency",
            format!("must be between 1 and {MAX_CONCURRENCY}"),
        ));
    }
    words("capabilities", &agent.capabilities)?;
    words("tools", &agent.tools)?;
    if agent.labels.len() > MAX_WORDS {
        return Err(Error::invalid(
            "labels",
            format!("must be at most {MAX_WORDS}"),
        ));
    }
    for (key, value) in &agent.labels {
        let field = format!("labels.{key}");
        if key.is_empty() {
            return Err(Error::invalid("labels", "must not have an empty key"));
        }
        short(&field, key)?;
        short(&field, value)?;
    }
    Ok(())
}

fn words(field: &str, words: &[String]) -> Result<()> {
    if words.len() > MAX_WORDS {
        return Err(Error::invalid(
            field,
            format!("must be at most {MAX_WORDS}"),
        ));
    }
    for (place, word) in words.iter().enumerate() {
        let field = format!("{field}[{place}]");
        if word.trim().is_empty() {
            return Err(Error::invalid(field, "must not be empty"));
        }
        short(&field, word)?;
    }
    Ok(())
}

fn short(field: &str, text: &str) -> Result<()> {
    if text.chars().count() > MAX_NAME {
        return Err(Error::invalid(
            field,
            format!("must have at most {MAX_NAME} characters"),
        ));
    }
    if has_nul(text) {
        return Err(nul(field));
    }
    Ok(())
}

fn nul(field: &str) -> Error {
    Error::invalid(field, "must not hold the character U+0000")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::agents::{AgentKind, ModelSettings};

    pub(crate) fn agent() -> AgentProfile {
        AgentProfile {
            name: "reader".into(),
            kind: AgentKind::Worker,
            role: "reader".into(),
            instructions: String::new(),
            model: ModelSettings::default(),
            capabilities: Vec::new(),
            tools: Vec::new(),
            pool: "default".into(),
            max_concurrency: 1,
            labels: Default::default(),
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        type Change = fn(&mut AgentProfile);
        let changes: [(&str, Change); 13] = [
            ("name", |agent| agent.name = " ".into()),
            ("name", |agent| agent.name = "x".repeat(201)),
            ("name", |agent| agent.name = "a\0".into()),
            ("role", |agent| agent.role = "x".repeat(201)),
            ("instructions", |agent| {
                agent.instructions = "x".repeat(65_537);
            }),
            ("instructions", |agent| agent.instructions = "\0".into()),
            ("model.temperature", |agent| {
                agent.model.temperature = Some(f32::NAN);
            }),
            ("model.max_tokens", |agent| agent.model.max_tokens = Some(0)),
            ("max_concurrency", |agent| agent.max_concurrency = 0),
            ("capabilities", |agent| {
                agent.capabilities = vec!["x".into(); 65];
            }),
            ("tools[1]", |agent| {
                agent.tools = vec!["a".into(), " ".into()];
            }),
            ("labels.a", |agent| {
                drop(agent.labels.insert("a".into(), "\0".into()));
            }),
            ("pool", |agent| agent.pool = "x".repeat(201)),
        ];
        validate(&agent()).unwrap();
        for (field, change) in changes {
            let mut wrong = agent();
            change(&mut wrong);
            assert_eq!(validate(&wrong).unwrap_err().fields()[0].field, field);
        }
    }
}
