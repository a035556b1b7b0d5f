//! Documents become passages in memory, under ids derived from content: a second task about the
//! same document adds nothing and embeds nothing.

use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use swarm_errors::Result;
use swarm_proto::memory::v1::{Memory, MemoryKind};
use swarm_types::{MemoryId, TenantId};

use crate::engine::{StepHandle, TaskContext};
use crate::events::NewEvent;
use crate::journal::{StepDone, StepKind, StepSpec};
use crate::tasks::Document;
use crate::work::Worker;
use crate::work::passages::{Passage, cut};

/// Where the passages of a task's documents are.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Library {
    /// One namespace a document.
    pub(crate) namespaces: Vec<String>,
    /// All passages together.
    pub(crate) passages: usize,
    /// How many were new to memory.
    pub(crate) new: u32,
}

/// Puts the documents' passages into memory.
pub(crate) async fn shelve(
    worker: &Worker,
    context: &TaskContext,
    documents: &[Document],
) -> Result<Library> {
    if documents.is_empty() {
        return Ok(Library::default());
    }
    let names: Vec<&String> = documents.iter().map(|document| &document.name).collect();
    let step = StepSpec::new(
        "passages",
        StepKind::Passages,
        "cut into passages",
        json!({ "documents": names }),
    );
    context
        .step(step, async |_: StepHandle| {
            let tenant = context.task().tenant;
            let mut library = Library::default();
            let mut memories = Vec::new();
            for document in documents {
                let namespace = namespace_of(document);
                let passages = cut(document);
                library.passages += passages.len();
                memories.extend(
                    passages
                        .iter()
                        .map(|passage| to_memory(tenant, &namespace, passage)),
                );
                library.namespaces.push(namespace);
            }
            (_, library.new) = worker.ports.put_memories(tenant, memories).await?;
            let event = NewEvent::new(
                "passages.ready",
                json!({ "passages": library.passages, "new": library.new }),
            );
            Ok(StepDone::new(library).with_event(event))
        })
        .await
}

/// `document/<hash>`: of name and text, since both are quoted.
fn namespace_of(document: &Document) -> String {
    let mut hash = Sha256::new();
    hash.update(document.name.as_bytes());
    hash.update([0]);
    hash.update(document.text.as_bytes());
    let digest = hash.finalize();
    let hex: String = digest
        .iter()
        .take(12)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("document/{hex}")
}

fn to_memory(tenant: TenantId, namespace: &str, passage: &Passage) -> Memory {
    Memory {
        id: MemoryId::derived(&[
            &tenant.to_string(),
            namespace,
            &passage.position.to_string(),
        ])
        .to_string(),
        namespace: namespace.to_owned(),
        kind: MemoryKind::Semantic.into(),
        // The heading is part of what a passage says, for words and for meaning.
        content: if passage.heading.is_empty() {
            passage.text.clone()
        } else {
            format!("{}\n{}", passage.heading, passage.text)
        },
        metadata_json: json!({ "passage": passage }).to_string(),
        source: passage.place(),
        ..Memory::default()
    }
}

/// The passage that a memory holds; `None` for a memory of another kind.
pub(crate) fn passage_of(memory: &Memory) -> Option<Passage> {
    let metadata: serde_json::Value = serde_json::from_str(&memory.metadata_json).ok()?;
    Passage::deserialize(metadata.get("passage")?).ok()
}
