//! Vectors, kept by content.

use std::collections::HashSet;

use swarm_database::FromRow;
use swarm_errors::Result;
use swarm_types::{TenantId, Timestamp};

use super::row::{hash, to_bytes, to_vector};
use super::{Store, list, sql};
use crate::{Content, ContentHash};

#[derive(Debug, FromRow)]
struct VectorRow {
    content_hash: Vec<u8>,
    vector: Vec<u8>,
}

#[derive(Debug, FromRow)]
struct ContentRow {
    content_hash: Vec<u8>,
    content: String,
}

impl Store {
    /// Which of these contents have a vector of this model.
    pub(crate) async fn embedded(
        &self,
        tenant: TenantId,
        model: &str,
        hashes: &[ContentHash],
    ) -> Result<HashSet<ContentHash>> {
        let text = self.db.pick(sql::EMBEDDED_POSTGRES, sql::EMBEDDED_SQLITE);
        let query = self
            .db
            .q(text)
            .bind(tenant.uuid())
            .bind(model)
            .bind(list::of_hashes(hashes));
        query
            .scalars::<Vec<u8>>()
            .await?
            .into_iter()
            .map(hash)
            .collect()
    }

    /// The vectors of this model that these contents have.
    pub(crate) async fn vectors(
        &self,
        tenant: TenantId,
        model: &str,
        hashes: &[ContentHash],
    ) -> Result<Vec<(ContentHash, Vec<f32>)>> {
        let text = self.db.pick(sql::VECTORS_POSTGRES, sql::VECTORS_SQLITE);
        let query = self
            .db
            .q(text)
            .bind(tenant.uuid())
            .bind(model)
            .bind(list::of_hashes(hashes));
        let rows: Vec<VectorRow> = query.all().await?;
        rows.into_iter()
            .map(|row| Ok((hash(row.content_hash)?, to_vector(&row.vector))))
            .collect()
    }

    /// Keeps vectors of this model.
    pub(crate) async fn put_embeddings(
        &self,
        tenant: TenantId,
        model: &str,
        vectors: &[(ContentHash, Vec<f32>)],
        now: Timestamp,
    ) -> Result<()> {
        self.db
            .write_batch(sql::PUT_EMBEDDINGS_POSTGRES, sql::PUT_EMBEDDINGS_SQLITE)
            .column(vec![tenant.uuid(); vectors.len()])
            .column(vectors.iter().map(|(hash, _)| hash.0.to_vec()).collect())
            .column(vec![model.to_owned(); vectors.len()])
            .column(
                vectors
                    .iter()
                    .map(|(_, vector)| i32::try_from(vector.len()).unwrap_or(i32::MAX))
                    .collect(),
            )
            .column(vectors.iter().map(|(_, vector)| to_bytes(vector)).collect())
            .column(vec![now; vectors.len()])
            .exec()
            .await
            .map(drop)
    }

    /// The texts of these hashes that are remembered.
    pub(crate) async fn contents(
        &self,
        tenant: TenantId,
        hashes: &[ContentHash],
    ) -> Result<Vec<Content>> {
        let text = self.db.pick(sql::CONTENTS_POSTGRES, sql::CONTENTS_SQLITE);
        let rows: Vec<ContentRow> = self
            .db
            .q(text)
            .bind(tenant.uuid())
            .bind(list::of_hashes(hashes))
            .all()
            .await?;
        rows.into_iter()
            .map(|row| {
                Ok(Content {
                    hash: hash(row.content_hash)?,
                    text: row.content,
                })
            })
            .collect()
    }

    /// Removes at most `limit` vectors that were made before a moment, of contents that nobody remembers.
    pub(crate) async fn delete_orphans(
        &self,
        tenant: TenantId,
        before: Timestamp,
        limit: i64,
    ) -> Result<u64> {
        self.db
            .write(sql::DELETE_ORPHANS)
            .bind(tenant.uuid())
            .bind(before)
            .bind(limit)
            .exec()
            .await
    }
}
