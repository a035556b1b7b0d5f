//! Memories and searches.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use swarm_errors::{Error, Result};
use swarm_proto::memory::v1 as wire;
use utoipa::{IntoParams, ToSchema};

use super::page::paged;
use super::wire::{Time, Word, json, some, text, time, words};

words! {
    /// What kind of memory it is.
    MemoryKind = wire::MemoryKind {
        /// Of the work at hand.
        Working,
        /// Of what happened.
        Episodic,
        /// Of what is so.
        Semantic,
        /// Of how something is done.
        Procedural,
        /// To be kept.
        LongTerm,
    }

    /// How to search.
    SearchMode = wire::SearchMode {
        /// By words and by meaning.
        Hybrid,
        /// By words.
        Lexical,
        /// By meaning.
        Semantic,
    }
}

/// A memory to put.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewMemory {
    /// An id of the caller's own, so that a repeat replaces; absent for a new one.
    id: Option<String>,
    /// Within the tenant, such as `shared`.
    #[schema(example = "shared")]
    namespace: String,
    kind: Option<MemoryKind>,
    content: String,
    /// JSON of the caller's own.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Value>,
    #[serde(default)]
    tags: Vec<String>,
    /// From 0 to 1.
    importance: Option<f32>,
    /// Where it comes from.
    source: Option<String>,
    task_id: Option<String>,
    agent_id: Option<String>,
    /// When it is forgotten.
    expires_at: Option<Time>,
}

impl From<NewMemory> for wire::Memory {
    fn from(memory: NewMemory) -> Self {
        Self {
            id: text(memory.id),
            namespace: memory.namespace,
            kind: MemoryKind::or_unspecified(memory.kind),
            content: memory.content,
            metadata_json: memory
                .metadata
                .map_or_else(String::new, |value| value.to_string()),
            tags: memory.tags,
            importance: memory.importance.unwrap_or_default(),
            source: text(memory.source),
            task_id: text(memory.task_id),
            agent_id: text(memory.agent_id),
            expires_at: memory.expires_at.map(Time::to_wire),
            ..Self::default()
        }
    }
}

/// A memory.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Memory {
    pub(crate) id: String,
    namespace: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<MemoryKind>,
    content: String,
    /// JSON of the caller's own.
    #[schema(value_type = Object)]
    metadata: Value,
    tags: Vec<String>,
    /// From 0 to 1.
    importance: f32,
    /// Where it comes from: a document and a place in it, a task, a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Time>,
    /// Rises with every change.
    version: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<Time>,
}

impl From<wire::Memory> for Memory {
    fn from(memory: wire::Memory) -> Self {
        Self {
            id: memory.id,
            namespace: memory.namespace,
            kind: MemoryKind::from_wire(memory.kind),
            content: memory.content,
            metadata: json(memory.metadata_json)
                .unwrap_or_else(|| Value::Object(serde_json::Map::new())),
            tags: memory.tags,
            importance: memory.importance,
            source: some(memory.source),
            task_id: some(memory.task_id),
            agent_id: some(memory.agent_id),
            expires_at: time(memory.expires_at),
            version: memory.version,
            created_at: time(memory.created_at),
            updated_at: time(memory.updated_at),
        }
    }
}

/// What to search for. Either `namespace` or `namespaces` is given.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Search {
    #[schema(example = "shared")]
    namespace: Option<String>,
    namespaces: Option<Vec<String>>,
    /// The words, or the question.
    query: String,
    /// How many are wanted, 10 unless given.
    #[schema(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// `hybrid` unless given.
    mode: Option<SearchMode>,
    filter: Option<SearchFilter>,
}

/// Which memories are looked at.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SearchFilter {
    kind: Option<MemoryKind>,
    /// Only those with all of these tags.
    #[serde(default)]
    tags: Vec<String>,
}

impl Search {
    /// For the wire.
    pub(crate) fn into_wire(self) -> Result<wire::SearchMemoriesRequest> {
        let namespaces = match (self.namespace, self.namespaces) {
            (Some(one), None) => vec![one],
            (None, Some(many)) => many,
            (None, None) => return Err(Error::invalid("namespace", "is missing")),
            (Some(_), Some(_)) => {
                return Err(Error::invalid(
                    "namespaces",
                    "must not be given beside namespace",
                ));
            }
        };
        if self.limit == Some(0) {
            return Err(Error::invalid("limit", "must be from 1 to 100"));
        }
        let filter = self.filter.unwrap_or_default();
        Ok(wire::SearchMemoriesRequest {
            namespaces,
            query: self.query,
            limit: self.limit.unwrap_or_default(),
            mode: SearchMode::or_unspecified(self.mode),
            kind: MemoryKind::or_unspecified(filter.kind),
            tags: filter.tags,
        })
    }
}

/// Why a memory was found.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Why {
    /// What was used: `hybrid`, `lexical` or `semantic`.
    mode: String,
    /// Its rank by words, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    lexical_rank: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lexical_score: Option<f64>,
    /// Its rank by meaning, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    semantic_rank: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    semantic_score: Option<f64>,
    /// The embedder, or what is missing to have one.
    note: String,
}

/// A memory that was found.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SearchHit {
    memory: Memory,
    score: f64,
    why: Why,
}

/// What a search found, the best first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SearchResults {
    pub(crate) results: Vec<SearchHit>,
}

impl From<wire::SearchHit> for SearchHit {
    fn from(hit: wire::SearchHit) -> Self {
        let why = hit.why.unwrap_or_default();
        Self {
            memory: hit.memory.unwrap_or_default().into(),
            score: hit.score,
            why: Why {
                mode: why.mode,
                lexical_rank: (why.lexical_rank > 0).then_some(why.lexical_rank),
                lexical_score: (why.lexical_rank > 0).then_some(why.lexical_score),
                semantic_rank: (why.semantic_rank > 0).then_some(why.semantic_rank),
                semantic_score: (why.semantic_rank > 0).then_some(why.semantic_score),
                note: why.note,
            },
        }
    }
}

/// Which memories are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListMemories {
    /// The namespace.
    #[param(example = "shared")]
    pub(crate) namespace: String,
    /// How many items, 50 unless given.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

paged!(ListMemories);
