//! What a step recalled, as the journal has it: pure.

use serde::Deserialize;
use serde_json::Value;

use crate::console::clean;

/// A passage of a document, or a memory.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Recalled {
    Passage { document: String, first_line: u64, last_line: u64, text: String },
    Memory { #[serde(default)] source: String, text: String },
}

impl Recalled {
    /// All that a result holds; nothing where it holds something else.
    pub(super) fn all(result: &Value) -> Vec<Self> {
        Vec::deserialize(result).unwrap_or_default()
    }

    pub(super) fn text(&self) -> &str {
        match self {
            Self::Passage { text, .. } | Self::Memory { text, .. } => text,
        }
    }

    /// Where it stands.
    pub(super) fn place(&self) -> String {
        match self {
            Self::Passage { document, .. } => clean(&format!("{document}, {}", self.lines())),
            Self::Memory { source, .. } if source.is_empty() => "memory".to_owned(),
            Self::Memory { source, .. } => clean(source),
        }
    }

    /// Where it stands within its document.
    pub(super) fn lines(&self) -> String {
        match self {
            Self::Passage { first_line, last_line, .. } if first_line == last_line => format!("line {first_line}"),
            Self::Passage { first_line, last_line, .. } => format!("lines {first_line}-{last_line}"),
            Self::Memory { .. } => self.place(),
        }
    }
}
