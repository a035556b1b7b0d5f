//! A memory as a row.

use std::str::FromStr;

use serde_json::{Map, Value};
use swarm_database::{FromRow, Json};
use swarm_errors::{Error, Result};
use swarm_types::{AgentId, MemoryId, TaskId, Timestamp};
use uuid::Uuid;

use crate::{ContentHash, Kind, Memory};

/// All columns of a memory that callers see.
#[derive(Debug, FromRow)]
pub(super) struct MemoryRow {
    id: Uuid,
    namespace: String,
    kind: String,
    content: String,
    metadata: Json<Map<String, Value>>,
    tags: Json<Vec<String>>,
    importance: f64,
    source: String,
    task_id: Option<Uuid>,
    agent_id: Option<Uuid>,
    expires_at: Option<Timestamp>,
    version: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl TryFrom<MemoryRow> for Memory {
    type Error = Error;

    fn try_from(row: MemoryRow) -> Result<Self> {
        Ok(Self {
            id: MemoryId::from_uuid(row.id),
            namespace: row.namespace,
            kind: kind(&row.kind)?,
            content: row.content,
            metadata: row.metadata.0,
            tags: row.tags.0,
            #[expect(
                clippy::cast_possible_truncation,
                reason = "it was widened from this type"
            )]
            importance: row.importance as f32,
            source: row.source,
            task: row.task_id.map(TaskId::from_uuid),
            agent: row.agent_id.map(AgentId::from_uuid),
            expires_at: row.expires_at,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

pub(super) fn kind(text: &str) -> Result<Kind> {
    Kind::from_str(text).map_err(|words| Error::internal(format!("{text} {words}")))
}

pub(super) fn hash(bytes: Vec<u8>) -> Result<ContentHash> {
    let bytes: [u8; 32] = bytes
        .try_into()
        .map_err(|_| Error::internal("a content hash is not 32 bytes"))?;
    Ok(ContentHash(bytes))
}

/// A vector as it is stored: the values one after the other, each in four bytes, lowest first.
pub(super) fn to_bytes(vector: &[f32]) -> Vec<u8> {
    vector
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

pub(super) fn to_vector(bytes: &[u8]) -> Vec<f32> {
    bytes
        .chunks_exact(4)
        .map(|value| f32::from_le_bytes([value[0], value[1], value[2], value[3]]))
        .collect()
}
