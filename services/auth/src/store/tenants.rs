//! Tenants.

use sqlx::FromRow;
use swarm_database::Tx;
use swarm_errors::Result;
use swarm_types::{Page, TenantId, Timestamp};
use uuid::Uuid;

use super::texts::tenants as sql;
use super::{Created, Request, Store, UserRecord, requests, users};

/// A tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantRecord {
    /// Its id.
    pub id: TenantId,
    /// Its name, unique.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
}

#[derive(FromRow)]
struct Row {
    tenant_id: Uuid,
    name: String,
    created_at: Timestamp,
}

impl From<Row> for TenantRecord {
    fn from(row: Row) -> Self {
        Self {
            id: TenantId::from_uuid(row.tenant_id),
            name: row.name,
            created_at: row.created_at,
        }
    }
}

impl Store {
    /// Keeps a tenant and its first administrator.
    ///
    /// # Errors
    /// As the database fails, or `idempotency_mismatch`.
    pub async fn insert_tenant(
        &self,
        asked_by: TenantId,
        request: Option<Request<'_>>,
        tenant: &TenantRecord,
        administrator: &UserRecord,
        password_hash: &str,
    ) -> Result<Created> {
        let mut tx = self.db.begin().await?;
        let claim = requests::claim(
            &mut tx,
            asked_by,
            request,
            tenant.id.uuid(),
            tenant.created_at,
        );
        if let Some(before) = claim.await? {
            tx.rollback().await?;
            return Ok(Created::Before(before));
        }
        if !insert(&mut tx, tenant).await? {
            tx.rollback().await?;
            return Ok(Created::Taken("name"));
        }
        if !users::insert(&mut tx, administrator, password_hash).await? {
            tx.rollback().await?;
            return Ok(Created::Taken("admin_username"));
        }
        tx.commit().await?;
        Ok(Created::Now)
    }

    /// The tenant with this id.
    ///
    /// # Errors
    /// As the database fails.
    pub async fn tenant(&self, id: TenantId) -> Result<Option<TenantRecord>> {
        let row: Option<Row> = self.db.q(sql::GET).bind(id.uuid()).opt().await?;
        Ok(row.map(Into::into))
    }

    /// Tenants in the order of their ids.
    ///
    /// # Errors
    /// As the database fails.
    pub async fn tenants(&self, after: TenantId, limit: u32) -> Result<Page<TenantRecord>> {
        let list = self
            .db
            .q(sql::LIST)
            .bind(after.uuid())
            .bind(i64::from(limit) + 1);
        let rows = list.all::<Row>().await?;
        let items = rows.into_iter().map(Into::into).collect();
        Ok(Page::cut(items, limit, |tenant: &TenantRecord| {
            tenant.id.to_string()
        }))
    }
}

/// False when the id or the name is taken.
pub(super) async fn insert(tx: &mut Tx, tenant: &TenantRecord) -> Result<bool> {
    let insert = tx.q(sql::INSERT).bind(tenant.id.uuid()).bind(&tenant.name);
    Ok(insert.bind(tenant.created_at).exec().await? == 1)
}
