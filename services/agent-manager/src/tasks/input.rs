//! What a person hands in: a prompt and documents.

use serde::{Deserialize, Serialize};
use swarm_errors::{Code, Error, Result};

use super::{has_nul, without_place};

/// The longest prompt, in bytes.
pub const MAX_PROMPT_BYTES: usize = 64 * 1024;
/// The most documents.
pub const MAX_DOCUMENTS: usize = 32;
/// The most that all documents hold together, in bytes.
pub const MAX_DOCUMENTS_BYTES: usize = 1024 * 1024;
const MAX_NAME: usize = 200;

/// A text to work on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// Its name, such as that of its file.
    pub name: String,
    /// What is in it.
    pub text: String,
}

/// The input of a root task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// What is asked.
    pub prompt: String,
    /// The texts it is about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<Document>,
    /// Whether memories about the prompt are looked up first.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub recall: bool,
    /// Whether question and answer become a memory.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub remember: bool,
}

const fn yes() -> bool {
    true
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
const fn is_true(value: &bool) -> bool {
    *value
}

impl Input {
    /// Reads and checks the JSON text of a request.
    ///
    /// # Errors
    /// `invalid_argument` that names the field, or `too_large`.
    pub fn parse(json: &str) -> Result<Self> {
        if json.trim().is_empty() {
            return Err(Error::invalid("input", "is missing"));
        }
        let mut reader = serde_json::Deserializer::from_str(json);
        let input: Self = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
            let path = error.path().to_string();
            // Where the text is not JSON at all, no field of it can be named.
            let is_whole = path == "." || !error.inner().is_data();
            let field = if is_whole {
                "input".to_owned()
            } else {
                format!("input.{path}")
            };
            Error::invalid(field, without_place(error.inner()))
        })?;
        reader
            .end()
            .map_err(|error| Error::invalid("input", error.to_string()))?;
        input.check()?;
        Ok(input)
    }

    fn check(&self) -> Result<()> {
        if self.prompt.trim().is_empty() {
            return Err(Error::invalid("input.prompt", "must not be empty"));
        }
        if self.prompt.len() > MAX_PROMPT_BYTES {
            return Err(too_large("input.prompt", "must be at most 64 KiB"));
        }
        if has_nul(&self.prompt) {
            return Err(Error::invalid(
                "input.prompt",
                "must not hold the character U+0000",
            ));
        }
        if self.documents.len() > MAX_DOCUMENTS {
            return Err(Error::invalid(
                "input.documents",
                format!("must be at most {MAX_DOCUMENTS}"),
            ));
        }
        for (place, document) in self.documents.iter().enumerate() {
            let name = document.name.trim();
            if name.is_empty() || name.chars().count() > MAX_NAME || has_nul(name) {
                let message = format!("must have 1 to {MAX_NAME} characters, without U+0000");
                return Err(Error::invalid(
                    format!("input.documents[{place}].name"),
                    message,
                ));
            }
            if has_nul(&document.text) {
                let field = format!("input.documents[{place}].text");
                return Err(Error::invalid(field, "must not hold the character U+0000"));
            }
        }
        if self
            .documents
            .iter()
            .map(|document| document.text.len())
            .sum::<usize>()
            > MAX_DOCUMENTS_BYTES
        {
            return Err(too_large(
                "input.documents",
                "must hold at most 1 MiB together",
            ));
        }
        Ok(())
    }
}

fn too_large(field: &str, message: &str) -> Error {
    Error::new(Code::TooLarge, format!("{field}: {message}")).with_field(field, message)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_prompt_is_enough() {
        let input = Input::parse(r#"{"prompt": "why?"}"#).unwrap();
        assert_eq!((input.prompt.as_str(), input.documents.len()), ("why?", 0));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let long = format!(r#"{{"prompt": "{}"}}"#, "x".repeat(MAX_PROMPT_BYTES + 1));
        let large = format!(
            r#"{{"prompt": "p", "documents": [{{"name": "a", "text": "{}"}}]}}"#,
            "x".repeat(MAX_DOCUMENTS_BYTES + 1)
        );
        let many = serde_json::json!({"prompt": "p", "documents": vec![serde_json::json!({"name": "a", "text": ""}); 33]}).to_string();
        for (json, field) in [
            ("", "input"),
            ("{", "input"),
            ("[]", "input"),
            ("{} {}", "input"),
            (r#"{"documents": []}"#, "input"),
            (r#"{"prompt": 3}"#, "input.prompt"),
            (r#"{"prompt": "  "}"#, "input.prompt"),
            (r#"{"prompt": "\u0000"}"#, "input.prompt"),
            (r#"{"prompt": "p", "tone": "warm"}"#, "input.tone"),
            (r#"{"prompt": "p", "recall": "no"}"#, "input.recall"),
            (r#"{"prompt": "p", "remember": 0}"#, "input.remember"),
            (
                r#"{"prompt": "p", "documents": [{"name": "a", "text": "b", "size": 1}]}"#,
                "input.documents[0].size",
            ),
            (
                r#"{"prompt": "p", "documents": [{"name": "a"}]}"#,
                "input.documents[0]",
            ),
            (
                r#"{"prompt": "p", "documents": [{"name": " ", "text": "b"}]}"#,
                "input.documents[0].name",
            ),
            (
                r#"{"prompt": "p", "documents": [{"name": "a", "text": "\u0000"}]}"#,
                "input.documents[0].text",
            ),
            (long.as_str(), "input.prompt"),
            (large.as_str(), "input.documents"),
            (many.as_str(), "input.documents"),
        ] {
            let error = Input::parse(json).unwrap_err();
            assert_eq!(error.fields()[0].field, field, "{error}");
            assert!(
                !error.detail().contains(" at line ") || field == "input",
                "{error}"
            );
        }
    }
}
