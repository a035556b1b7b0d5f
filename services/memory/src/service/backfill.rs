//! Embedding in the background what was stored without: put while the embedder failed, or before
//! there was one.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use swarm_errors::Result;
use swarm_runtime::CancellationToken;
use tokio::sync::Notify;

use super::Memories;
use crate::index::Key;

/// Contents of one round.
const ROUND: usize = 64;
/// After an embedder has failed.
const PAUSE: Duration = Duration::from_secs(5);

/// What waits to be done.
#[derive(Debug, Default)]
pub(super) struct Backfill {
    waiting: Mutex<Waiting>,
    news: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    warm: bool,
    keys: BTreeSet<Key>,
}

impl Backfill {
    /// Has the model loaded.
    pub(super) fn warm(&self) {
        self.lock().warm = true;
        self.news.notify_one();
    }

    /// Has a namespace's contents embedded.
    pub(super) fn ask(&self, key: Key) {
        self.lock().keys.insert(key);
        self.news.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memories {
    /// Embeds what waits for it until `soft` is cancelled: a task of its own.
    ///
    /// # Errors
    /// Never: failures are logged, and tried again when a search meets what is missing.
    pub async fn run_backfill(&self, soft: CancellationToken) -> Result<()> {
        let work = async {
            loop {
                self.inner.backfill.news.notified().await;
                if let Err(error) = self.backfill_waiting().await {
                    tracing::warn!(error = error.chain(), "embedding in the background failed");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        };
        tokio::select! {
            () = soft.cancelled() => Ok(()),
            () = work => Ok(()),
        }
    }

    async fn backfill_waiting(&self) -> Result<()> {
        if std::mem::take(&mut self.inner.backfill.lock().warm) {
            self.inner.embeddings.warm().await?;
        }
        loop {
            let Some(key) = self.inner.backfill.lock().keys.pop_first() else {
                return Ok(());
            };
            self.backfill_namespace(&key).await?;
        }
    }

    async fn backfill_namespace(&self, key: &Key) -> Result<()> {
        let (tenant, namespace) = key;
        let namespaces = std::slice::from_ref(namespace);
        for (_, loaded) in self.inner.indexes.fresh(*tenant, namespaces).await? {
            loop {
                let hashes = loaded.read().some_unembedded(ROUND);
                let contents = self.inner.store.contents(*tenant, &hashes).await?;
                self.inner.embeddings.ensure(*tenant, contents).await?;
                // Nothing is left, or only what was removed meanwhile.
                if self.take_in(*tenant, &loaded, ROUND).await? == 0 {
                    break;
                }
            }
        }
        Ok(())
    }
}
