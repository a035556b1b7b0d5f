//! To the wire.

use swarm_errors::{Error, Result};
use swarm_proto::convert::{text_or_empty, to_json, to_wire_time};
use swarm_proto::memory::v1 as wire;

use crate::{Hit, Kind, Memory, PutAnswer};

pub(super) fn memory(memory: Memory) -> Result<wire::Memory> {
    Ok(wire::Memory {
        id: memory.id.to_string(),
        namespace: memory.namespace,
        kind: kind(memory.kind).into(),
        content: memory.content,
        metadata_json: to_json(&memory.metadata)?,
        tags: memory.tags,
        importance: memory.importance,
        source: memory.source,
        task_id: text_or_empty(memory.task.as_ref()),
        agent_id: text_or_empty(memory.agent.as_ref()),
        expires_at: memory.expires_at.map(to_wire_time),
        version: u64::try_from(memory.version).map_err(Error::internal)?,
        created_at: Some(to_wire_time(memory.created_at)),
        updated_at: Some(to_wire_time(memory.updated_at)),
    })
}

fn kind(kind: Kind) -> wire::MemoryKind {
    match kind {
        Kind::Working => wire::MemoryKind::Working,
        Kind::Episodic => wire::MemoryKind::Episodic,
        Kind::Semantic => wire::MemoryKind::Semantic,
        Kind::Procedural => wire::MemoryKind::Procedural,
        Kind::LongTerm => wire::MemoryKind::LongTerm,
    }
}

pub(super) fn put_answer(answer: PutAnswer) -> Result<wire::PutMemoriesResponse> {
    let memories = answer
        .memories
        .into_iter()
        .map(memory)
        .collect::<Result<_>>()?;
    Ok(wire::PutMemoriesResponse {
        memories,
        written: answer.written,
    })
}

pub(super) fn hit(hit: Hit) -> Result<wire::SearchHit> {
    let rank = |place: Option<crate::Place>| place.map_or(0, |place| place.rank);
    let score = |place: Option<crate::Place>| place.map_or(0.0, |place| place.score);
    Ok(wire::SearchHit {
        why: Some(wire::Why {
            mode: hit.why.mode.as_str().to_owned(),
            lexical_rank: rank(hit.why.lexical),
            lexical_score: score(hit.why.lexical),
            semantic_rank: rank(hit.why.semantic),
            semantic_score: score(hit.why.semantic),
            note: hit.why.note,
        }),
        memory: Some(memory(hit.memory)?),
        score: hit.score,
    })
}
