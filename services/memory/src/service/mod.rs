//! The memory service itself: what every door calls.

mod backfill;
mod find;
mod sweep;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use backfill::Backfill;
use swarm_database::Db;
use swarm_errors::{Error, Result};
use swarm_models::Embedder;
use swarm_types::{Clock, MemoryId, Page, PageRequest, TenantId};
use uuid::Uuid;

pub use sweep::Swept;

use crate::embeddings::Embeddings;
use crate::index::Indexes;
use crate::store::Store;
use crate::validate::{self, MAX_MESSAGE_BYTES};
use crate::{Content, ContentHash, Draft, Memory, PutAnswer, Repeat};

/// How long a put waits for its embeddings; what is missing then is embedded in the background.
const EMBED_LIMIT: Duration = Duration::from_secs(20);

/// Puts, gets, lists, deletes, searches, sweeps. Clones share it all.
#[derive(Debug, Clone)]
pub struct Memories {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: Store,
    clock: Arc<dyn Clock>,
    embeddings: Embeddings,
    indexes: Indexes,
    backfill: Backfill,
}

impl Memories {
    /// The service on an open database, with indexes of at most so many bytes.
    #[must_use]
    pub fn new(
        db: Db,
        clock: Arc<dyn Clock>,
        embedder: Option<Arc<dyn Embedder>>,
        index_bytes: usize,
    ) -> Self {
        let store = Store::new(db);
        let model = embedder.as_deref().map(Embedder::model);
        let indexes = Indexes::new(store.clone(), model, index_bytes);
        let embeddings = Embeddings::new(embedder, store.clone(), clock.clone());
        Self {
            inner: Arc::new(Inner {
                store,
                clock,
                embeddings,
                indexes,
                backfill: Backfill::default(),
            }),
        }
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<()> {
        self.inner.store.ping().await
    }

    /// How many namespaces have an index in RAM.
    #[must_use]
    pub fn loaded_indexes(&self) -> usize {
        self.inner.indexes.count()
    }

    /// Writes what differs from what is stored, then embeds it. When this has answered, the
    /// memories are durable, and the next search finds them.
    ///
    /// # Errors
    /// `invalid_argument` and `too_large`, with the field; `idempotency_mismatch`; as the database
    /// fails. An embedder that fails is no error: the memories are found by words meanwhile.
    pub async fn put(
        &self,
        tenant: TenantId,
        drafts: &[Draft],
        repeat: Option<&Repeat>,
    ) -> Result<PutAnswer> {
        let now = self.inner.clock.now();
        validate::drafts(drafts, now)?;
        repeat.map_or(Ok(()), validate::repeat)?;
        if self.inner.embeddings.wants_warmth() {
            self.inner.backfill.warm();
        }
        let answer = self.inner.store.put(tenant, drafts, repeat, now).await?;
        // Also what is not new: its embeddings may have failed before.
        self.embed(tenant, &answer.memories).await;
        Ok(answer)
    }

    async fn embed(&self, tenant: TenantId, memories: &[Memory]) {
        let content = |memory: &Memory| Content {
            hash: ContentHash::of(&memory.content),
            text: memory.content.clone(),
        };
        let contents = memories.iter().map(content).collect();
        let reason =
            match tokio::time::timeout(EMBED_LIMIT, self.inner.embeddings.ensure(tenant, contents))
                .await
            {
                Ok(Ok(())) => return,
                Ok(Err(error)) => error.chain(),
                Err(_) => format!("not done within {} s", EMBED_LIMIT.as_secs()),
            };
        tracing::warn!(
            reason,
            "memories were stored without embeddings, which follow later"
        );
        let namespaces: BTreeSet<&String> =
            memories.iter().map(|memory| &memory.namespace).collect();
        namespaces
            .into_iter()
            .for_each(|namespace| self.inner.backfill.ask((tenant, namespace.clone())));
    }

    /// The memory with this id.
    ///
    /// # Errors
    /// `not_found`; as the database fails.
    pub async fn get(&self, tenant: TenantId, id: MemoryId) -> Result<Memory> {
        let found = self
            .inner
            .store
            .get(tenant, id, self.inner.clock.now())
            .await?;
        found.ok_or_else(|| Error::not_found("memory", id))
    }

    /// A page of the tenant's memories, of one namespace or of all, in the order of ids. It ends
    /// early where its texts become too much for one answer.
    ///
    /// # Errors
    /// `invalid_argument`; as the database fails.
    pub async fn list(
        &self,
        tenant: TenantId,
        namespace: &str,
        page: &PageRequest,
    ) -> Result<Page<Memory>> {
        let namespace = Some(namespace).filter(|namespace| !namespace.is_empty());
        namespace.map_or(Ok(()), |namespace| {
            validate::namespace("namespace", namespace)
        })?;
        let after = match page.cursor.as_str() {
            "" => Uuid::nil(),
            cursor => {
                let id = cursor.parse::<MemoryId>();
                id.map_err(|_| Error::invalid("cursor", "is not one that a list has given"))?
                    .uuid()
            }
        };
        let limit = page.bounded_limit();
        let rows = self
            .inner
            .store
            .list(
                tenant,
                namespace,
                after,
                i64::from(limit) + 1,
                self.inner.clock.now(),
            )
            .await?;
        let fitting = fitting(rows.iter().map(|memory| memory.content.len()));
        let limit = limit.min(u32::try_from(fitting).unwrap_or(u32::MAX));
        Ok(Page::cut(rows, limit, |memory| memory.id.to_string()))
    }

    /// Removes a memory.
    ///
    /// # Errors
    /// `not_found`; as the database fails.
    pub async fn delete(&self, tenant: TenantId, id: MemoryId) -> Result<()> {
        self.get(tenant, id).await?;
        let namespace = self.inner.store.delete(tenant, id).await?;
        let removed = namespace
            .map(|namespace| (id, namespace))
            .ok_or_else(|| Error::not_found("memory", id))?;
        self.inner.indexes.forget(tenant, [&removed]);
        Ok(())
    }
}

/// How many of these texts fit into one answer: at least one.
fn fitting(sizes: impl Iterator<Item = usize>) -> usize {
    let mut total = 0;
    sizes
        .take_while(|size| {
            total += size;
            total <= MAX_MESSAGE_BYTES
        })
        .count()
        .max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_holds_what_fits_and_at_least_one() {
        assert_eq!(fitting([MAX_MESSAGE_BYTES, 1].into_iter()), 1);
        assert_eq!(fitting([MAX_MESSAGE_BYTES + 1, 1].into_iter()), 1);
        assert_eq!(fitting([1, 2, 3].into_iter()), 3);
        assert_eq!(fitting(std::iter::empty()), 1);
    }
}
