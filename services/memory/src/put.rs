//! What a put changes: pure.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use swarm_types::{MemoryId, Timestamp};

use crate::{Draft, Memory};

/// The key of a write, so that its repeat finds the first one's answer.
#[derive(Debug, Clone)]
pub struct Repeat {
    /// Chosen by the caller.
    pub key: String,
    /// SHA-256 of the body; empty means that bodies are not compared.
    pub body_hash: Vec<u8>,
}

/// The answer to a put.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PutAnswer {
    /// In the order of the request.
    pub memories: Vec<Memory>,
    /// How many were new or changed.
    pub written: u32,
}

/// What a put does to the store.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) answer: PutAnswer,
    /// Places in the answer of what is to be written.
    pub(crate) changed: Vec<usize>,
    /// By namespace, how many memories more or fewer it holds; those that change have a row.
    pub(crate) counts: BTreeMap<String, i64>,
}

/// Sets each draft against what is stored under its id. Drafts bear distinct ids or none.
pub(crate) fn plan(
    drafts: &[Draft],
    mut stored: HashMap<MemoryId, Memory>,
    now: Timestamp,
) -> Plan {
    let mut plan = Plan {
        answer: PutAnswer {
            memories: Vec::with_capacity(drafts.len()),
            written: 0,
        },
        changed: Vec::new(),
        counts: BTreeMap::new(),
    };
    for (place, draft) in drafts.iter().enumerate() {
        let id = draft.id.unwrap_or_else(MemoryId::new);
        let known = stored.remove(&id);
        if let Some(known) = known.as_ref().filter(|known| says_the_same(draft, known)) {
            plan.answer.memories.push(known.clone());
            continue;
        }
        if let Some(known) = &known {
            *plan.counts.entry(known.namespace.clone()).or_default() -= 1;
        }
        *plan.counts.entry(draft.namespace.clone()).or_default() += 1;
        plan.changed.push(place);
        plan.answer.written += 1;
        plan.answer
            .memories
            .push(written(draft, id, known.as_ref(), now));
    }
    plan
}

/// Who put it does not count: the same thing, put again by another task, is left as it is.
fn says_the_same(draft: &Draft, known: &Memory) -> bool {
    draft.namespace == known.namespace
        && draft.kind == known.kind
        && draft.content == known.content
        && draft.metadata == known.metadata
        && draft.tags == known.tags
        && draft.importance.to_bits() == known.importance.to_bits()
        && draft.source == known.source
        && draft.expires_at == known.expires_at
}

fn written(draft: &Draft, id: MemoryId, known: Option<&Memory>, now: Timestamp) -> Memory {
    Memory {
        id,
        namespace: draft.namespace.clone(),
        kind: draft.kind,
        content: draft.content.clone(),
        metadata: draft.metadata.clone(),
        tags: draft.tags.clone(),
        importance: draft.importance,
        source: draft.source.clone(),
        task: draft.task,
        agent: draft.agent,
        expires_at: draft.expires_at,
        version: known.map_or(1, |known| known.version + 1),
        created_at: known.map_or(now, |known| known.created_at),
        updated_at: now,
    }
}

#[cfg(test)]
mod tests {
    use swarm_types::{Clock, SystemClock, TaskId};

    use super::*;
    use crate::Kind;

    fn draft(id: Option<MemoryId>, content: &str) -> Draft {
        Draft {
            id,
            namespace: "shared".into(),
            kind: Kind::Semantic,
            content: content.into(),
            metadata: serde_json::Map::new(),
            tags: vec!["a".into()],
            importance: 0.3,
            source: String::new(),
            task: None,
            agent: None,
            expires_at: None,
        }
    }

    fn stored(plan: &Plan) -> HashMap<MemoryId, Memory> {
        plan.answer
            .memories
            .iter()
            .map(|memory| (memory.id, memory.clone()))
            .collect()
    }

    #[test]
    fn only_a_difference_is_written() {
        let now = SystemClock.now();
        let id = MemoryId::derived(&["a"]);
        let first = plan(
            &[draft(Some(id), "one"), draft(None, "two")],
            HashMap::new(),
            now,
        );
        assert_eq!(
            (first.changed.as_slice(), first.counts["shared"]),
            ([0, 1].as_slice(), 2)
        );
        let by_another_task = Draft {
            task: Some(TaskId::new()),
            ..draft(Some(id), "one")
        };
        let again = plan(&[by_another_task], stored(&first), now);
        assert_eq!(
            (
                again.changed.len(),
                again.counts.len(),
                again.answer.written
            ),
            (0, 0, 0)
        );
        assert_eq!(again.answer.memories[0], first.answer.memories[0]);
        let other = plan(
            &[Draft {
                tags: Vec::new(),
                ..draft(Some(id), "one")
            }],
            stored(&first),
            now,
        );
        assert_eq!(
            (other.answer.memories[0].version, other.counts["shared"]),
            (2, 0)
        );
    }

    #[test]
    fn a_move_changes_both_namespaces() {
        let now = SystemClock.now();
        let id = MemoryId::derived(&["a"]);
        let first = plan(&[draft(Some(id), "one")], HashMap::new(), now);
        let moved = plan(
            &[Draft {
                namespace: "other".into(),
                ..draft(Some(id), "one")
            }],
            stored(&first),
            now,
        );
        assert_eq!((moved.counts["shared"], moved.counts["other"]), (-1, 1));
    }
}
