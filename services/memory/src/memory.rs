//! A memory: pure.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use swarm_types::{AgentId, MemoryId, TaskId, Timestamp};

/// What kind of memory it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Of use while a task runs.
    Working,
    /// What happened.
    Episodic,
    /// What is so.
    Semantic,
    /// How something is done.
    Procedural,
    /// What is to stay.
    LongTerm,
}

impl Kind {
    const ALL: [Self; 5] = [
        Self::Working,
        Self::Episodic,
        Self::Semantic,
        Self::Procedural,
        Self::LongTerm,
    ];

    /// The name in the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Working => "working",
            Self::Episodic => "episodic",
            Self::Semantic => "semantic",
            Self::Procedural => "procedural",
            Self::LongTerm => "long_term",
        }
    }
}

impl FromStr for Kind {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or("is not a kind of memory")
    }
}

/// SHA-256 of a content: what its embedding is kept by.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContentHash(pub [u8; 32]);

impl ContentHash {
    /// The hash of this content.
    #[must_use]
    pub fn of(content: &str) -> Self {
        Self(Sha256::digest(content.as_bytes()).into())
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContentHash(")?;
        self.0
            .iter()
            .take(4)
            .try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str("..)")
    }
}

/// A text with the hash that its embedding is kept by.
#[derive(Debug, Clone)]
pub struct Content {
    /// Of the text.
    pub hash: ContentHash,
    /// The text.
    pub text: String,
}

/// What a caller wants to be remembered.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The id, where it is derived from the content or known from before.
    pub id: Option<MemoryId>,
    /// Within the tenant, such as `shared` or `task/<id>`.
    pub namespace: String,
    /// What kind it is.
    pub kind: Kind,
    /// The text.
    pub content: String,
    /// Whatever the caller wants to find beside it.
    pub metadata: Map<String, Value>,
    /// Names to filter by, each once.
    pub tags: Vec<String>,
    /// From 0 to 1.
    pub importance: f32,
    /// Where it comes from.
    pub source: String,
    /// The task that put it.
    pub task: Option<TaskId>,
    /// The agent that put it.
    pub agent: Option<AgentId>,
    /// When it is to be forgotten.
    pub expires_at: Option<Timestamp>,
}

/// What is remembered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// Its id.
    pub id: MemoryId,
    /// Within the tenant.
    pub namespace: String,
    /// What kind it is.
    pub kind: Kind,
    /// The text.
    pub content: String,
    /// Whatever the caller wants to find beside it.
    pub metadata: Map<String, Value>,
    /// Names to filter by.
    pub tags: Vec<String>,
    /// From 0 to 1.
    pub importance: f32,
    /// Where it comes from.
    pub source: String,
    /// The task that put it.
    pub task: Option<TaskId>,
    /// The agent that put it.
    pub agent: Option<AgentId>,
    /// When it is to be forgotten.
    pub expires_at: Option<Timestamp>,
    /// 1 at first, and one more with each change.
    pub version: i64,
    /// When it was first put.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Memory {
    /// Whether it is past its expiry.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }
}
