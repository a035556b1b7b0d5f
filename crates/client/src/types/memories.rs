//! Memories and searches.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use swarm_types::Timestamp;

/// A memory to put.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct NewMemory {
    /// An id of the caller's own, so that a repeat replaces; absent for a new one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Such as `shared`.
    pub namespace: String,
    /// `working`, `episodic`, `semantic`, `procedural` or `long_term`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The text.
    pub content: String,
    /// JSON of the caller's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Value>,
    /// Words to filter by.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// From 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub importance: Option<f32>,
    /// Where it comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// When it is forgotten.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// A memory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// Its id.
    pub id: String,
    /// Such as `shared`.
    pub namespace: String,
    /// `working`, `episodic`, `semantic`, `procedural` or `long_term`.
    #[serde(default)]
    pub kind: String,
    /// The text.
    pub content: String,
    /// JSON of the caller's own.
    #[serde(default)]
    pub metadata: Value,
    /// Words to filter by.
    #[serde(default)]
    pub tags: Vec<String>,
    /// From 0 to 1.
    #[serde(default)]
    pub importance: f32,
    /// Where it comes from.
    pub source: Option<String>,
    /// The task that wrote it.
    pub task_id: Option<String>,
    /// The agent that wrote it.
    pub agent_id: Option<String>,
    /// When it is forgotten.
    pub expires_at: Option<Timestamp>,
    /// Rises with every change.
    #[serde(default)]
    pub version: u64,
    /// When it was first put.
    pub created_at: Option<Timestamp>,
    /// When it was last changed.
    pub updated_at: Option<Timestamp>,
}

/// What to search for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Search {
    /// The namespaces, at least one.
    pub namespaces: Vec<String>,
    /// The words, or the question.
    pub query: String,
    /// How many are wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// `hybrid`, `lexical` or `semantic`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// Which memories are looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<SearchFilter>,
}

/// Which memories are looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SearchFilter {
    /// Only this kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Only those with all of these tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

/// Why a memory was found.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Why {
    /// What was used: `hybrid`, `lexical` or `semantic`.
    pub mode: String,
    /// Its rank by words, from 1.
    pub lexical_rank: Option<u32>,
    /// Its score by words.
    pub lexical_score: Option<f64>,
    /// Its rank by meaning, from 1.
    pub semantic_rank: Option<u32>,
    /// Its score by meaning.
    pub semantic_score: Option<f64>,
    /// The embedder, or what is missing to have one.
    #[serde(default)]
    pub note: String,
}

/// A memory that was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SearchHit {
    /// The memory.
    pub memory: Memory,
    /// How well it fits.
    pub score: f64,
    /// Why it was found.
    pub why: Why,
}

/// What a search found, the best first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SearchResults {
    /// The hits.
    pub results: Vec<SearchHit>,
}
