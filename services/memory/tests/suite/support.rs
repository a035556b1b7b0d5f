//! What the cases share.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use swarm_database::Db;
use swarm_errors::{Error, Result};
use swarm_memory::{Draft, Hit, Kind, Memories, Mode, Question};
use swarm_models::Embedder;
use swarm_types::{Clock, ManualClock, MemoryId, SystemClock};

const DIMENSION: usize = 64;

/// An embedder for tests: a text's vector is the sum of its words' directions, where some words
/// mean the same. It counts what it embeds, and fails when told to.
#[derive(Debug, Default)]
pub(crate) struct WordEmbedder {
    pub(crate) embedded: AtomicUsize,
    pub(crate) fails: AtomicBool,
}

impl WordEmbedder {
    pub(crate) fn count(&self) -> usize {
        self.embedded.load(Ordering::SeqCst)
    }

    pub(crate) fn fail(&self, fails: bool) {
        self.fails.store(fails, Ordering::SeqCst);
    }

    fn vector(text: &str) -> Vec<f32> {
        let same = HashMap::from([("automobile", "car"), ("feline", "cat"), ("halt", "stop")]);
        let mut vector = vec![0.01; DIMENSION];
        for word in text
            .to_lowercase()
            .split(|letter: char| !letter.is_alphanumeric())
            .filter(|word| word.len() > 2)
        {
            let mut hasher = DefaultHasher::new();
            same.get(word).unwrap_or(&word).hash(&mut hasher);
            vector[usize::try_from(hasher.finish() % DIMENSION as u64).unwrap()] += 1.0;
        }
        let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
        vector.iter().map(|value| value / length).collect()
    }
}

#[async_trait]
impl Embedder for WordEmbedder {
    fn model(&self) -> &str {
        "words"
    }

    fn dimension(&self) -> usize {
        DIMENSION
    }

    async fn embed(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>> {
        if self.fails.load(Ordering::SeqCst) {
            return Err(Error::unavailable("the endpoint is away"));
        }
        self.embedded.fetch_add(texts.len(), Ordering::SeqCst);
        Ok(texts.iter().map(|text| Self::vector(text)).collect())
    }
}

pub(crate) const INDEX_BYTES: usize = 64 << 20;

/// A service with a word embedder.
pub(crate) fn embedding(db: &Db) -> (Memories, Arc<WordEmbedder>) {
    let embedder = Arc::new(WordEmbedder::default());
    let memories = Memories::new(
        db.clone(),
        Arc::new(SystemClock),
        Some(embedder.clone()),
        INDEX_BYTES,
    );
    (memories, embedder)
}

/// A service without an embedder.
pub(crate) fn lexical(db: &Db) -> Memories {
    Memories::new(db.clone(), Arc::new(SystemClock), None, INDEX_BYTES)
}

/// A service whose time stands still, and its clock.
pub(crate) fn timed(db: &Db) -> (Memories, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new(SystemClock.now()));
    (
        Memories::new(db.clone(), clock.clone(), None, INDEX_BYTES),
        clock,
    )
}

pub(crate) fn draft(content: &str) -> Draft {
    Draft {
        id: None,
        namespace: "shared".into(),
        kind: Kind::Semantic,
        content: content.into(),
        metadata: serde_json::Map::new(),
        tags: Vec::new(),
        importance: 0.0,
        source: String::new(),
        task: None,
        agent: None,
        expires_at: None,
    }
}

/// A draft whose id is derived from its content.
pub(crate) fn derived(content: &str) -> Draft {
    Draft {
        id: Some(MemoryId::derived(&["shared", content])),
        ..draft(content)
    }
}

pub(crate) fn question(text: &str) -> Question {
    Question {
        namespaces: vec!["shared".into()],
        text: text.into(),
        limit: 10,
        mode: Mode::Hybrid,
        kind: None,
        tags: Vec::new(),
    }
}

pub(crate) fn contents(hits: &[Hit]) -> Vec<&str> {
    hits.iter().map(|hit| hit.memory.content.as_str()).collect()
}
