//! Searching.

use std::collections::HashMap;
use std::sync::Arc;

use swarm_errors::{Code, Error, Result};
use swarm_types::{MemoryId, TenantId};

use super::{Memories, fitting};
use crate::embeddings::NO_EMBEDDER;
use crate::index::{Filter, Key, Loaded, Statistics};
use crate::search::{Found, List, Scored, fuse, rank, ranked_by};
use crate::{Hit, Memory, Mode, Question, Why, validate};

/// How deep each ranking goes before the two are joined, at least. In a small namespace a deep
/// ranking by meaning holds everything, and then any shared word would lift a text to the top.
const DEPTH: usize = 20;
/// Found memories that are read beyond those asked for: some may have gone meanwhile.
const SPARE: usize = 16;
/// Contents without a vector whose vectors a search looks up, made meanwhile elsewhere.
const LOOKUP: usize = 1000;

/// By what a search is answered in the end.
struct Means {
    mode: Mode,
    vector: Option<Arc<[f32]>>,
    note: String,
}

impl Memories {
    /// The memories that fit the question best, best first.
    ///
    /// # Errors
    /// `invalid_argument`, with the field; where only meaning is asked for, `failed_precondition`
    /// without an embedder and whatever the embedder fails by; as the database fails.
    pub async fn search(&self, tenant: TenantId, question: &Question) -> Result<Vec<Hit>> {
        validate::question(question)?;
        let now = self.inner.clock.now();
        let filter = Filter {
            kind: question.kind,
            tags: question.tags.clone(),
            now,
        };
        let (means, indexes) = tokio::join!(
            self.means(tenant, question),
            self.inner.indexes.fresh(tenant, &question.namespaces)
        );
        let (mut means, indexes) = (means?, indexes?);
        if means.vector.is_some() {
            self.catch_up(tenant, &indexes, &mut means.note).await;
        }
        let found = self
            .ranked(question, &means, filter.clone(), indexes)
            .await?;
        let wanted: Vec<Found> = found.into_iter().take(question.limit + SPARE).collect();
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<MemoryId> = wanted.iter().map(|found| found.id).collect();
        let stored = self.inner.store.by_ids(tenant, &ids).await?;
        let is_meant = |memory: &Memory| {
            question.namespaces.contains(&memory.namespace) && !memory.is_expired(now)
        };
        let mut stored: HashMap<MemoryId, Memory> = stored
            .into_iter()
            .filter(is_meant)
            .map(|memory| (memory.id, memory))
            .collect();
        let hits = wanted
            .into_iter()
            .filter_map(|found| Some(hit(stored.remove(&found.id)?, &found, &means)));
        let mut hits: Vec<Hit> = hits.take(question.limit).collect();
        hits.truncate(fitting(hits.iter().map(|hit| hit.memory.content.len())));
        Ok(hits)
    }

    async fn means(&self, tenant: TenantId, question: &Question) -> Result<Means> {
        let embeddings = &self.inner.embeddings;
        let lexical = |note: String| Means {
            mode: Mode::Lexical,
            vector: None,
            note,
        };
        let model = embeddings.model().map(str::to_owned);
        match (question.mode, model) {
            (Mode::Lexical, model) => Ok(lexical(model.unwrap_or_else(|| NO_EMBEDDER.to_owned()))),
            (Mode::Semantic, None) => Err(Error::new(Code::FailedPrecondition, NO_EMBEDDER)),
            (Mode::Hybrid, None) => Ok(lexical(NO_EMBEDDER.to_owned())),
            (mode, Some(model)) => match embeddings.question(tenant, &question.text).await {
                Ok(vector) => Ok(Means {
                    mode,
                    vector: Some(vector),
                    note: model,
                }),
                Err(error) if mode == Mode::Semantic => {
                    Err(error.context(format_args!("the embedder {model} fails")))
                }
                Err(error) => {
                    tracing::warn!(error = error.chain(), "the question could not be embedded");
                    Ok(lexical(format!(
                        "the embedder {model} fails: {}",
                        error.detail()
                    )))
                }
            },
        }
    }

    /// Takes in vectors that were made since the index was, and has the rest made.
    async fn catch_up(&self, tenant: TenantId, indexes: &[(Key, Arc<Loaded>)], note: &mut String) {
        let mut missing = 0;
        for (key, loaded) in indexes {
            if loaded.read().unembedded() == 0 {
                continue;
            }
            if let Err(error) = self.take_in(tenant, loaded, LOOKUP).await {
                tracing::warn!(error = error.chain(), "vectors could not be read");
            }
            let rest = loaded.read().unembedded();
            if rest > 0 {
                self.inner.backfill.ask(key.clone());
            }
            missing += rest;
        }
        if missing > 0 {
            note.push_str(&format!("; {missing} texts are not embedded yet"));
        }
    }

    /// Gives contents without a vector the vectors that are stored, and says how many.
    pub(super) async fn take_in(
        &self,
        tenant: TenantId,
        loaded: &Loaded,
        limit: usize,
    ) -> Result<usize> {
        let Some(model) = self.inner.embeddings.model() else {
            return Ok(0);
        };
        let hashes = loaded.read().some_unembedded(limit);
        let vectors = self.inner.store.vectors(tenant, model, &hashes).await?;
        let mut index = loaded.write();
        vectors
            .iter()
            .for_each(|(hash, vector)| index.embed(*hash, vector));
        Ok(vectors.len())
    }

    /// Asks the indexes, on a thread that may take its time.
    async fn ranked(
        &self,
        question: &Question,
        means: &Means,
        filter: Filter,
        indexes: Vec<(Key, Arc<Loaded>)>,
    ) -> Result<Vec<Found>> {
        let depth = DEPTH.max(question.limit * 2);
        let terms = self.inner.indexes.terms_of_question(&question.text);
        let (mode, vector) = (means.mode, means.vector.clone());
        let ask = move || {
            let lexical = if mode == Mode::Semantic {
                Vec::new()
            } else {
                by_words(&indexes, &terms, &filter, depth)
            };
            let semantic = vector.map_or_else(Vec::new, |vector| {
                by_meaning(&indexes, &vector, &filter, depth)
            });
            match mode {
                Mode::Hybrid => fuse(&lexical, &semantic),
                Mode::Lexical => ranked_by(&lexical, List::Lexical),
                Mode::Semantic => ranked_by(&semantic, List::Semantic),
            }
        };
        tokio::task::spawn_blocking(ask)
            .await
            .map_err(Error::internal)
    }
}

fn by_words(
    indexes: &[(Key, Arc<Loaded>)],
    terms: &[String],
    filter: &Filter,
    depth: usize,
) -> Vec<Scored> {
    let mut statistics = Statistics::default();
    indexes
        .iter()
        .for_each(|(_, loaded)| loaded.read().add_statistics(terms, &mut statistics));
    let found = indexes
        .iter()
        .flat_map(|(_, loaded)| loaded.read().by_words(terms, &statistics, filter));
    rank(found.collect(), depth)
}

fn by_meaning(
    indexes: &[(Key, Arc<Loaded>)],
    vector: &[f32],
    filter: &Filter,
    depth: usize,
) -> Vec<Scored> {
    let found = indexes
        .iter()
        .flat_map(|(_, loaded)| loaded.read().by_meaning(vector, depth, filter));
    rank(found.collect(), depth)
}

fn hit(memory: Memory, found: &Found, means: &Means) -> Hit {
    let why = Why {
        mode: means.mode,
        lexical: found.lexical,
        semantic: found.semantic,
        note: means.note.clone(),
    };
    Hit {
        memory,
        score: found.score,
        why,
    }
}
