//! Vectors of contents and of questions, each made once.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use moka::future::Cache;
use swarm_errors::{Code, Error, Result};
use swarm_models::Embedder;
use swarm_types::{Clock, TenantId};

use crate::store::Store;
use crate::{Content, ContentHash};

/// Contents that are embedded at once: a question waits for no more than these.
const CHUNK: usize = 16;
/// Questions whose vectors are kept.
const QUESTIONS: u64 = 512;

/// What stands in `why` where nothing makes embeddings.
pub(crate) const NO_EMBEDDER: &str =
    "no embedder: run `make models`, or set models.openai.embedding_model";

/// Makes vectors, and keeps them.
pub(crate) struct Embeddings {
    embedder: Option<Arc<dyn Embedder>>,
    store: Store,
    clock: Arc<dyn Clock>,
    questions: Cache<(TenantId, String), Arc<[f32]>>,
    /// Held by whoever embeds contents, so that no content is embedded twice.
    contents: tokio::sync::Mutex<()>,
    is_warmed: AtomicBool,
}

impl fmt::Debug for Embeddings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embeddings")
            .field("embedder", &self.embedder)
            .finish_non_exhaustive()
    }
}

impl Embeddings {
    pub(crate) fn new(
        embedder: Option<Arc<dyn Embedder>>,
        store: Store,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            embedder,
            store,
            clock,
            questions: Cache::new(QUESTIONS),
            contents: tokio::sync::Mutex::new(()),
            is_warmed: AtomicBool::new(false),
        }
    }

    /// The embedder's model, where there is an embedder.
    pub(crate) fn model(&self) -> Option<&str> {
        self.embedder.as_deref().map(Embedder::model)
    }

    /// Whether the model should be loaded now, since questions are to come: true once at most.
    pub(crate) fn wants_warmth(&self) -> bool {
        self.embedder
            .as_deref()
            .is_some_and(|embedder| embedder.dimension() == 0)
            && !self.is_warmed.swap(true, Ordering::Relaxed)
    }

    /// Loads the model.
    pub(crate) async fn warm(&self) -> Result<()> {
        self.vectors(vec!["warm-up".to_owned()]).await.map(drop)
    }

    /// The vector of a question.
    pub(crate) async fn question(&self, tenant: TenantId, text: &str) -> Result<Arc<[f32]>> {
        let vector = async {
            let mut vectors = self.vectors(vec![text.to_owned()]).await?;
            vectors
                .pop()
                .map(Arc::from)
                .ok_or_else(|| Error::unavailable("the embedder sent no vector"))
        };
        let vector = self
            .questions
            .try_get_with((tenant, text.to_owned()), vector)
            .await;
        vector.map_err(|error: Arc<Error>| error.for_another())
    }

    /// Embeds those of these contents that have no vector yet, and keeps their vectors.
    pub(crate) async fn ensure(&self, tenant: TenantId, contents: Vec<Content>) -> Result<()> {
        let Some(model) = self.model() else {
            return Ok(());
        };
        let mut distinct: HashMap<ContentHash, String> = contents
            .into_iter()
            .map(|content| (content.hash, content.text))
            .collect();
        let hashes: Vec<ContentHash> = distinct.keys().copied().collect();
        for known in self.store.embedded(tenant, model, &hashes).await? {
            distinct.remove(&known);
        }
        let mut missing: Vec<(ContentHash, String)> = distinct.into_iter().collect();
        while !missing.is_empty() {
            let rest = missing.split_off(missing.len().min(CHUNK));
            self.embed(tenant, model, missing).await?;
            missing = rest;
        }
        Ok(())
    }

    async fn embed(
        &self,
        tenant: TenantId,
        model: &str,
        chunk: Vec<(ContentHash, String)>,
    ) -> Result<()> {
        let _one_at_a_time = self.contents.lock().await;
        let hashes: Vec<ContentHash> = chunk.iter().map(|(hash, _)| *hash).collect();
        // Another put of the same contents may have been faster.
        let known = self.store.embedded(tenant, model, &hashes).await?;
        let (hashes, texts): (Vec<_>, Vec<_>) = chunk
            .into_iter()
            .filter(|(hash, _)| !known.contains(hash))
            .unzip();
        if texts.is_empty() {
            return Ok(());
        }
        let vectors = self.vectors(texts).await?;
        let rows: Vec<(ContentHash, Vec<f32>)> = hashes.into_iter().zip(vectors).collect();
        self.store
            .put_embeddings(tenant, model, &rows, self.clock.now())
            .await
    }

    async fn vectors(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>> {
        let embedder = self
            .embedder
            .as_ref()
            .ok_or_else(|| Error::new(Code::FailedPrecondition, NO_EMBEDDER))?;
        let count = texts.len();
        let vectors = embedder.embed(texts).await?;
        let is_vector =
            |vector: &Vec<f32>| !vector.is_empty() && vector.iter().all(|value| value.is_finite());
        if vectors.len() != count || !vectors.iter().all(is_vector) {
            return Err(Error::unavailable(
                "the embedder sent what are no vectors of these texts",
            ));
        }
        Ok(vectors)
    }
}
