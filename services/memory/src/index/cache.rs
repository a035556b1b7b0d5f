//! The indexes that are in RAM: built at their first use, fresh at each, the least used dropped
//! when they take too much.
//!
//! A search first reads each namespace's change number. Where the index is behind, it reads what
//! changed since; where the number of memories then differs, something was removed, and it drops
//! what is gone. So a search sees every write that was answered before it, by whichever replica.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use swarm_errors::{Error, Result};
use swarm_types::{MemoryId, TenantId};
use uuid::Uuid;

use super::namespace::{NamespaceIndex, Record};
use super::terms::Terms;
use crate::store::{Indexed, NamespaceState, Store};

/// Memories that are read at once.
const PAGE: i64 = 500;

/// A namespace of a tenant.
pub(crate) type Key = (TenantId, String);

/// An index in RAM.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    index: RwLock<NamespaceIndex>,
    /// The change number up to which it is complete.
    seen: AtomicI64,
    /// Held by whoever brings it up to date.
    refresh: tokio::sync::Mutex<()>,
    bytes: AtomicUsize,
    last_use: AtomicU64,
}

impl Loaded {
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, NamespaceIndex> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, NamespaceIndex> {
        self.index.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All indexes of this process.
pub(crate) struct Indexes {
    store: Store,
    /// Whose vectors are compared; empty without an embedder.
    model: String,
    limit_bytes: usize,
    terms: Arc<Terms>,
    loaded: Mutex<HashMap<Key, Arc<Loaded>>>,
    uses: AtomicU64,
}

impl fmt::Debug for Indexes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Indexes")
            .field("loaded", &self.lock().len())
            .finish_non_exhaustive()
    }
}

impl Indexes {
    pub(crate) fn new(store: Store, model: Option<&str>, limit_bytes: usize) -> Self {
        Self {
            store,
            model: model.unwrap_or_default().to_owned(),
            limit_bytes,
            terms: Arc::default(),
            loaded: Mutex::default(),
            uses: AtomicU64::new(0),
        }
    }

    /// The different terms of a question.
    pub(crate) fn terms_of_question(&self, text: &str) -> Vec<String> {
        self.terms.of_question(text)
    }

    /// The indexes of those of these namespaces that hold anything, each with all writes that were
    /// answered before this call.
    pub(crate) async fn fresh(
        &self,
        tenant: TenantId,
        namespaces: &[String],
    ) -> Result<Vec<(Key, Arc<Loaded>)>> {
        let mut fresh = Vec::with_capacity(namespaces.len());
        for state in self.store.states(tenant, namespaces).await? {
            let key = (tenant, state.namespace.clone());
            let loaded = self.get(&key);
            self.refresh(&key, &loaded, state).await?;
            fresh.push((key, loaded));
        }
        self.drop_least_used();
        Ok(fresh)
    }

    /// Takes memories that were just removed out of their index, so that it need not look for them.
    pub(crate) fn forget<'a>(
        &self,
        tenant: TenantId,
        removed: impl IntoIterator<Item = &'a (MemoryId, String)>,
    ) {
        for (id, namespace) in removed {
            let loaded = self.lock().get(&(tenant, namespace.clone())).cloned();
            if let Some(loaded) = loaded {
                loaded.write().remove(*id);
            }
        }
    }

    /// How many indexes are in RAM.
    pub(crate) fn count(&self) -> usize {
        self.lock().len()
    }

    fn get(&self, key: &Key) -> Arc<Loaded> {
        let now = self.uses.fetch_add(1, Ordering::Relaxed);
        let loaded = self.lock().entry(key.clone()).or_default().clone();
        loaded.last_use.store(now, Ordering::Relaxed);
        loaded
    }

    async fn refresh(
        &self,
        key: &Key,
        loaded: &Arc<Loaded>,
        mut state: NamespaceState,
    ) -> Result<()> {
        if loaded.seen.load(Ordering::Acquire) == state.change_number {
            return Ok(());
        }
        let _one_at_a_time = loaded.refresh.lock().await;
        let mut seen = loaded.seen.load(Ordering::Acquire);
        if seen > state.change_number {
            // Another search was faster; or the database was put back to an earlier state.
            let now = self
                .store
                .states(key.0, std::slice::from_ref(&key.1))
                .await?
                .pop();
            state = now.ok_or_else(|| Error::unavailable("the namespace has just gone"))?;
            if seen > state.change_number {
                *loaded.write() = NamespaceIndex::default();
                seen = 0;
            }
        }
        if seen == state.change_number {
            return Ok(());
        }
        self.read_changes(key, loaded, seen).await?;
        let count = usize::try_from(state.memory_count).unwrap_or(0);
        if loaded.read().len() != count {
            let keep = self.store.ids(key.0, &key.1).await?;
            loaded.write().retain(&keep);
        }
        loaded.bytes.store(loaded.read().bytes(), Ordering::Relaxed);
        loaded.seen.store(state.change_number, Ordering::Release);
        Ok(())
    }

    async fn read_changes(&self, key: &Key, loaded: &Arc<Loaded>, seen: i64) -> Result<()> {
        let mut place = (seen, Uuid::max());
        loop {
            let page = self
                .store
                .changed(key.0, &key.1, &self.model, place, PAGE)
                .await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            place = last.place;
            let is_last = page.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
            let (terms, loaded) = (self.terms.clone(), loaded.clone());
            let put = move || put_page(&terms, &loaded, page);
            tokio::task::spawn_blocking(put)
                .await
                .map_err(Error::internal)?;
            if is_last {
                return Ok(());
            }
        }
    }

    fn drop_least_used(&self) {
        let mut all = self.lock();
        let mut total: usize = all
            .values()
            .map(|loaded| loaded.bytes.load(Ordering::Relaxed))
            .sum();
        while total > self.limit_bytes && all.len() > 1 {
            let oldest = all
                .iter()
                .min_by_key(|(_, loaded)| loaded.last_use.load(Ordering::Relaxed));
            let Some(key) = oldest.map(|(key, _)| key.clone()) else {
                return;
            };
            if let Some(dropped) = all.remove(&key) {
                total -= dropped.bytes.load(Ordering::Relaxed);
                tracing::debug!(memory.namespace = key.1, "index dropped to make room");
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Arc<Loaded>>> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Cuts texts into terms before it asks for the index.
fn put_page(terms: &Terms, loaded: &Loaded, page: Vec<Indexed>) {
    let records: Vec<Record> = page
        .into_iter()
        .map(|indexed| Record {
            entry: indexed.entry,
            terms: terms.of(&indexed.content),
            vector: indexed.vector,
        })
        .collect();
    let mut index = loaded.write();
    records.into_iter().for_each(|record| index.put(record));
}
