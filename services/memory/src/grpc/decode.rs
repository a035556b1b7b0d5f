//! From the wire.

use serde_json::{Map, Value};
use swarm_errors::{Error, Result};
use swarm_proto::common::v1::RequestKey;
use swarm_proto::convert::{from_json, from_wire_time, parse_optional};
use swarm_proto::memory::v1 as wire;

use crate::validate::{MAX_BATCH, MAX_METADATA_BYTES};
use crate::{Draft, Kind, Mode, Question, Repeat};

const DEFAULT_HITS: usize = 10;

pub(super) fn drafts(memories: Vec<wire::Memory>) -> Result<Vec<Draft>> {
    if memories.len() > MAX_BATCH {
        return Err(Error::invalid(
            "memories",
            format!("must hold 1 to {MAX_BATCH} memories"),
        ));
    }
    memories
        .into_iter()
        .enumerate()
        .map(|(place, memory)| draft(place, memory))
        .collect()
}

fn draft(place: usize, memory: wire::Memory) -> Result<Draft> {
    let name = |field: &str| format!("memories[{place}].{field}");
    let expires_at = memory
        .expires_at
        .as_ref()
        .map(|at| from_wire_time(&name("expires_at"), at))
        .transpose()?;
    Ok(Draft {
        id: parse_optional(&name("id"), &memory.id)?,
        namespace: memory.namespace,
        // What is so, where the caller does not say.
        kind: kind(&name("kind"), memory.kind)?.unwrap_or(Kind::Semantic),
        content: memory.content,
        metadata: metadata(&name("metadata"), &memory.metadata_json)?,
        tags: once_each(memory.tags),
        importance: memory.importance,
        source: memory.source,
        task: parse_optional(&name("task_id"), &memory.task_id)?,
        agent: parse_optional(&name("agent_id"), &memory.agent_id)?,
        expires_at,
    })
}

fn metadata(field: &str, text: &str) -> Result<Map<String, Value>> {
    if text.len() > MAX_METADATA_BYTES {
        return Err(Error::invalid(
            field,
            format!("must be at most {MAX_METADATA_BYTES} bytes"),
        ));
    }
    if text.is_empty() {
        return Ok(Map::new());
    }
    match from_json(field, text)? {
        Value::Object(map) => Ok(map),
        _ => Err(Error::invalid(field, "must be an object")),
    }
}

fn once_each(tags: Vec<String>) -> Vec<String> {
    let mut distinct: Vec<String> = Vec::with_capacity(tags.len().min(64));
    for tag in tags {
        // A list that is too long is refused, so it need not be searched.
        if distinct.len() > 64 || !distinct.contains(&tag) {
            distinct.push(tag);
        }
    }
    distinct
}

fn kind(field: &str, number: i32) -> Result<Option<Kind>> {
    match wire::MemoryKind::try_from(number) {
        Ok(wire::MemoryKind::Unspecified) => Ok(None),
        Ok(wire::MemoryKind::Working) => Ok(Some(Kind::Working)),
        Ok(wire::MemoryKind::Episodic) => Ok(Some(Kind::Episodic)),
        Ok(wire::MemoryKind::Semantic) => Ok(Some(Kind::Semantic)),
        Ok(wire::MemoryKind::Procedural) => Ok(Some(Kind::Procedural)),
        Ok(wire::MemoryKind::LongTerm) => Ok(Some(Kind::LongTerm)),
        Err(_) => Err(Error::invalid(field, "is not a kind of memory")),
    }
}

pub(super) fn repeat(key: RequestKey) -> Repeat {
    Repeat {
        key: key.key,
        body_hash: key.body_hash,
    }
}

pub(super) fn question(request: wire::SearchMemoriesRequest) -> Result<Question> {
    let mode = match wire::SearchMode::try_from(request.mode) {
        Ok(wire::SearchMode::Unspecified | wire::SearchMode::Hybrid) => Mode::Hybrid,
        Ok(wire::SearchMode::Lexical) => Mode::Lexical,
        Ok(wire::SearchMode::Semantic) => Mode::Semantic,
        Err(_) => return Err(Error::invalid("mode", "is not a way to search")),
    };
    let limit = usize::try_from(request.limit).unwrap_or(usize::MAX);
    Ok(Question {
        namespaces: request.namespaces,
        text: request.query,
        limit: if limit == 0 { DEFAULT_HITS } else { limit },
        mode,
        kind: kind("kind", request.kind)?,
        tags: once_each(request.tags),
    })
}
