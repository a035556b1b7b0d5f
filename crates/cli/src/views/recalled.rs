//! What a step recalled, as the journal has it: pure.

use serde::Deserialize;
use serde_json::Value;

use crate::console::clean;

/// A passage of a document, or a memory.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Recalled {
    Passage {
        document: String,
        first_line: u64,
        last_line: u64,
        text: String,
    },
    Memory {
        #[serde(default)]
        source: String,
        text: String,
    },
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
            Self::Passage { document, .. } => clean(&format!(
                "{document}, lines {}",
                self.lines().unwrap_or_default()
            )),
            Self::Memory { source, .. } if source.is_empty() => "memory".to_owned(),
            Self::Memory { source, .. } => clean(source),
        }
    }

    /// The lines of its document.
    fn lines(&self) -> Option<String> {
        match self {
            Self::Passage {
                first_line,
                last_line,
                ..
            } if first_line == last_line => Some(first_line.to_string()),
            Self::Passage {
                first_line,
                last_line,
                ..
            } => Some(format!("{first_line}-{last_line}")),
            Self::Memory { .. } => None,
        }
    }
}

/// All in short: line numbers, or where it came from.
pub(super) fn in_short(all: &[Recalled]) -> Option<String> {
    let lines: Option<Vec<String>> = all.iter().map(Recalled::lines).collect();
    match lines {
        Some(lines) if lines.is_empty() => None,
        Some(lines) => Some(format!("lines {}", lines.join(", "))),
        None => Some(
            all.iter()
                .map(Recalled::place)
                .collect::<Vec<_>>()
                .join(", "),
        ),
    }
}
