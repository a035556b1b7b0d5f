//! Memories: reading, for callers and for indexes, and removing.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use swarm_database::{FromRow, Json};
use swarm_errors::Result;
use swarm_types::{MemoryId, TenantId, Timestamp};
use uuid::Uuid;

use super::namespaces::{count_changes, lock};
use super::row::{MemoryRow, hash, kind, to_vector};
use super::{Store, list, sql};
use crate::Memory;
use crate::index::Entry;

/// A memory as an index reads it.
#[derive(Debug)]
pub(crate) struct Indexed {
    pub(crate) entry: Entry,
    pub(crate) content: String,
    pub(crate) vector: Option<Vec<f32>>,
    /// Where to go on.
    pub(crate) place: (i64, Uuid),
}

#[derive(Debug, FromRow)]
struct IndexedRow {
    id: Uuid,
    kind: String,
    content: String,
    content_hash: Vec<u8>,
    tags: Json<Vec<String>>,
    expires_at: Option<Timestamp>,
    change_number: i64,
    vector: Option<Vec<u8>>,
}

#[derive(Debug, FromRow)]
struct PlaceRow {
    id: Uuid,
    namespace: String,
}

impl Store {
    /// The memory, unless it is past its expiry.
    pub(crate) async fn get(
        &self,
        tenant: TenantId,
        id: MemoryId,
        now: Timestamp,
    ) -> Result<Option<Memory>> {
        let row: Option<MemoryRow> = self
            .db
            .q(sql::GET)
            .bind(tenant.uuid())
            .bind(id.uuid())
            .bind(now)
            .opt()
            .await?;
        row.map(Memory::try_from).transpose()
    }

    /// Those of these that there are, in no certain order.
    pub(crate) async fn by_ids(&self, tenant: TenantId, ids: &[MemoryId]) -> Result<Vec<Memory>> {
        let text = self.db.pick(sql::BY_IDS_POSTGRES, sql::BY_IDS_SQLITE);
        let rows: Vec<MemoryRow> = self
            .db
            .q(text)
            .bind(tenant.uuid())
            .bind(list::of_ids(ids))
            .all()
            .await?;
        rows.into_iter().map(Memory::try_from).collect()
    }

    /// Those that follow `after` in the order of ids and are not past their expiry.
    pub(crate) async fn list(
        &self,
        tenant: TenantId,
        namespace: Option<&str>,
        after: Uuid,
        limit: i64,
        now: Timestamp,
    ) -> Result<Vec<Memory>> {
        let text = if namespace.is_some() {
            sql::LIST_NAMESPACE
        } else {
            sql::LIST
        };
        let query = self
            .db
            .q(text)
            .bind(tenant.uuid())
            .bind(after)
            .bind(now)
            .bind(limit);
        let rows: Vec<MemoryRow> = match namespace {
            Some(namespace) => query.bind(namespace).all().await?,
            None => query.all().await?,
        };
        rows.into_iter().map(Memory::try_from).collect()
    }

    /// What changed in a namespace after a place, oldest change first, with the vectors of `model`.
    pub(crate) async fn changed(
        &self,
        tenant: TenantId,
        namespace: &str,
        model: &str,
        after: (i64, Uuid),
        limit: i64,
    ) -> Result<Vec<Indexed>> {
        let query = self
            .db
            .q(sql::CHANGED)
            .bind(tenant.uuid())
            .bind(namespace)
            .bind(model);
        let rows: Vec<IndexedRow> = query.bind(after.0).bind(after.1).bind(limit).all().await?;
        rows.into_iter().map(Indexed::try_from).collect()
    }

    /// The ids of a namespace.
    pub(crate) async fn ids(&self, tenant: TenantId, namespace: &str) -> Result<HashSet<MemoryId>> {
        let ids: Vec<Uuid> = self
            .db
            .q(sql::IDS)
            .bind(tenant.uuid())
            .bind(namespace)
            .scalars()
            .await?;
        Ok(ids.into_iter().map(MemoryId::from_uuid).collect())
    }

    /// Removes a memory, and says from which namespace.
    pub(crate) async fn delete(&self, tenant: TenantId, id: MemoryId) -> Result<Option<String>> {
        let query = self
            .db
            .q(sql::NAMESPACE_OF)
            .bind(tenant.uuid())
            .bind(id.uuid());
        let Some(namespace) = query.scalar_opt::<String>().await? else {
            return Ok(None);
        };
        let found = [(id, namespace)];
        let removed = self.db.retry(|| self.remove(tenant, &found, None)).await?;
        Ok(removed.into_iter().next().map(|(_, namespace)| namespace))
    }

    /// Removes at most `limit` of a tenant's memories that are past their expiry.
    pub(crate) async fn delete_expired(
        &self,
        tenant: TenantId,
        now: Timestamp,
        limit: i64,
    ) -> Result<Vec<(MemoryId, String)>> {
        let query = self
            .db
            .q(sql::EXPIRED)
            .bind(tenant.uuid())
            .bind(now)
            .bind(limit);
        let found: Vec<(MemoryId, String)> = query
            .all::<PlaceRow>()
            .await?
            .into_iter()
            .map(place)
            .collect();
        if found.is_empty() {
            return Ok(found);
        }
        self.db
            .retry(|| self.remove(tenant, &found, Some(now)))
            .await
    }

    async fn remove(
        &self,
        tenant: TenantId,
        found: &[(MemoryId, String)],
        expired_by: Option<Timestamp>,
    ) -> Result<Vec<(MemoryId, String)>> {
        let ids = list::of_ids(found.iter().map(|(id, _)| id));
        let namespaces: BTreeSet<String> = found
            .iter()
            .map(|(_, namespace)| namespace.clone())
            .collect();
        let mut tx = self.db.begin().await?;
        lock(&mut tx, tenant, &namespaces.into_iter().collect::<Vec<_>>()).await?;
        let rows: Vec<PlaceRow> = match expired_by {
            Some(now) => {
                let text = tx.pick(sql::DELETE_EXPIRED_POSTGRES, sql::DELETE_EXPIRED_SQLITE);
                tx.q(text)
                    .bind(tenant.uuid())
                    .bind(ids)
                    .bind(now)
                    .all()
                    .await?
            }
            None => {
                let text = tx.pick(sql::DELETE_POSTGRES, sql::DELETE_SQLITE);
                tx.q(text).bind(tenant.uuid()).bind(ids).all().await?
            }
        };
        let removed: Vec<(MemoryId, String)> = rows.into_iter().map(place).collect();
        let mut counts: BTreeMap<String, i64> = BTreeMap::new();
        for (_, namespace) in &removed {
            *counts.entry(namespace.clone()).or_default() -= 1;
        }
        count_changes(&mut tx, tenant, &counts).await?;
        tx.commit().await?;
        Ok(removed)
    }
}

fn place(row: PlaceRow) -> (MemoryId, String) {
    (MemoryId::from_uuid(row.id), row.namespace)
}

impl TryFrom<IndexedRow> for Indexed {
    type Error = swarm_errors::Error;

    fn try_from(row: IndexedRow) -> Result<Self> {
        Ok(Self {
            entry: Entry {
                id: MemoryId::from_uuid(row.id),
                kind: kind(&row.kind)?,
                tags: row.tags.0,
                hash: hash(row.content_hash)?,
                expires_at: row.expires_at,
            },
            content: row.content,
            vector: row.vector.as_deref().map(to_vector),
            place: (row.change_number, row.id),
        })
    }
}
