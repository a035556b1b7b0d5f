//! The first start of all replicas together: the first tenant and its administrator.

use swarm_errors::{Error, Result};
use swarm_types::Timestamp;

use super::texts::first_start as sql;
use super::users::{self, UserRecord};
use super::{Store, TenantRecord, tenants};

const ADMINISTRATOR: &str = "administrator";

impl Store {
    /// Whether the first administrator is there.
    ///
    /// # Errors
    /// As the database fails.
    pub async fn has_administrator(&self) -> Result<bool> {
        let done = self
            .db
            .q(sql::IS_DONE)
            .bind(ADMINISTRATOR)
            .scalar_opt::<String>()
            .await?;
        Ok(done.is_some())
    }

    /// Makes the first tenant and its administrator, unless another replica has. `hand_over` runs
    /// before the commit: when it fails, nothing is kept, and when the process dies after it, the
    /// next start hands over another credential.
    ///
    /// # Errors
    /// As the database or `hand_over` fails.
    pub async fn insert_administrator(
        &self,
        tenant: &TenantRecord,
        user: &UserRecord,
        password_hash: &str,
        hand_over: impl FnOnce() -> Result<()> + Send,
    ) -> Result<bool> {
        let mut tx = self.db.begin().await?;
        if claim(&mut tx, ADMINISTRATOR, user.created_at).await? {
            let made = tenants::insert(&mut tx, tenant).await?
                && users::insert(&mut tx, user, password_hash).await?;
            if !made {
                return Err(Error::internal("a tenant or user before the first start"));
            }
            hand_over()?;
            tx.commit().await?;
            return Ok(true);
        }
        tx.rollback().await?;
        Ok(false)
    }
}

/// Whether this transaction is the one that does it; others wait for its end.
pub(super) async fn claim(tx: &mut swarm_database::Tx, name: &str, now: Timestamp) -> Result<bool> {
    Ok(tx.q(sql::CLAIM).bind(name).bind(now).exec().await? == 1)
}
