//! Credentials for programs.

use sqlx::FromRow;
use swarm_database::Json;
use swarm_errors::{Error, Result};
use swarm_identity::Role;
use swarm_types::{ApiKeyId, Page, TenantId, Timestamp};
use uuid::Uuid;

use super::texts::api_keys as sql;
use super::{Created, Request, Store, requests};

/// A credential for programs; of its secret there is only a hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyRecord {
    /// Whose.
    pub tenant: TenantId,
    /// Its id.
    pub id: ApiKeyId,
    /// A name for people.
    pub name: String,
    /// The start of its secret.
    pub prefix: String,
    /// SHA-256 of its secret.
    pub secret_hash: Vec<u8>,
    /// What its holder is to the platform.
    pub roles: Vec<Role>,
    /// The user or key that made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Not valid from then on.
    pub expires_at: Option<Timestamp>,
    /// Not valid since then.
    pub revoked_at: Option<Timestamp>,
}

#[derive(FromRow)]
struct Row {
    tenant_id: Uuid,
    key_id: Uuid,
    name: String,
    prefix: String,
    secret_hash: Vec<u8>,
    roles: Json<Vec<Role>>,
    created_by: String,
    created_at: Timestamp,
    expires_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
}

impl From<Row> for ApiKeyRecord {
    fn from(row: Row) -> Self {
        Self {
            tenant: TenantId::from_uuid(row.tenant_id),
            id: ApiKeyId::from_uuid(row.key_id),
            name: row.name,
            prefix: row.prefix,
            secret_hash: row.secret_hash,
            roles: row.roles.0,
            created_by: row.created_by,
            created_at: row.created_at,
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
        }
    }
}

impl Store {
    /// Keeps a new key.
    ///
    /// # Errors
    /// As the database fails, or `idempotency_mismatch`.
    pub async fn insert_api_key(
        &self,
        request: Option<Request<'_>>,
        key: &ApiKeyRecord,
    ) -> Result<Created> {
        let (tenant, id) = (key.tenant.uuid(), key.id.uuid());
        let mut tx = self.db.begin().await?;
        if let Some(before) =
            requests::claim(&mut tx, key.tenant, request, id, key.created_at).await?
        {
            tx.rollback().await?;
            return Ok(Created::Before(before));
        }
        if tx
            .q(sql::CLAIM_PREFIX)
            .bind(&key.prefix)
            .bind(tenant)
            .bind(id)
            .exec()
            .await?
            == 0
        {
            return Err(Error::internal("two API keys drew the same prefix"));
        }
        let insert = tx
            .q(sql::INSERT)
            .bind(tenant)
            .bind(id)
            .bind(&key.name)
            .bind(&key.prefix);
        let insert = insert
            .bind(key.secret_hash.as_slice())
            .bind(Json(&key.roles))
            .bind(&key.created_by);
        insert
            .bind(key.created_at)
            .bind(key.expires_at)
            .exec()
            .await?;
        tx.commit().await?;
        Ok(Created::Now)
    }

    /// The key with this id, in this tenant.
    ///
    /// # Errors
    /// As the database fails.
    pub async fn api_key(&self, tenant: TenantId, id: ApiKeyId) -> Result<Option<ApiKeyRecord>> {
        let row: Option<Row> = self
            .db
            .q(sql::GET)
            .bind(tenant.uuid())
            .bind(id.uuid())
            .opt()
            .await?;
        Ok(row.map(Into::into))
    }

    /// The keys of this tenant in the order of their ids.
    ///
    /// # Errors
    /// As the database fails.
    pub async fn api_keys(
        &self,
        tenant: TenantId,
        after: ApiKeyId,
        limit: u32,
    ) -> Result<Page<ApiKeyRecord>> {
        let list = self.db.q(sql::LIST).bind(tenant.uuid()).bind(after.uuid());
        let rows = list.bind(i64::from(limit) + 1).all::<Row>().await?;
        let items = rows.into_iter().map(Into::into).collect();
        Ok(Page::cut(items, limit, |key: &ApiKeyRecord| {
            key.id.to_string()
        }))
    }

    /// The key of any tenant whose secret starts so.
    ///
    /// # Errors
    /// As the database fails.
    pub async fn api_key_by_prefix(&self, prefix: &str) -> Result<Option<ApiKeyRecord>> {
        let row: Option<Row> = self.db.q(sql::BY_PREFIX).bind(prefix).opt().await?;
        Ok(row.map(Into::into))
    }

    /// Ends a key. A repeat leaves the first time as it is.
    ///
    /// # Errors
    /// As the database fails.
    pub async fn revoke_api_key(
        &self,
        tenant: TenantId,
        id: ApiKeyId,
        now: Timestamp,
    ) -> Result<Option<ApiKeyRecord>> {
        self.db
            .write(sql::REVOKE)
            .bind(tenant.uuid())
            .bind(id.uuid())
            .bind(now)
            .exec()
            .await?;
        self.api_key(tenant, id).await
    }
}
