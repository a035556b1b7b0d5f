//! People of a tenant.

use std::sync::Arc;

use swarm_config::Secret;
use swarm_errors::{Error, Result};
use swarm_identity::Role;
use swarm_types::{Clock, Page, TenantId, UserId};

use super::taken;
use crate::passwords::Hasher;
use crate::store::{Created, Request, Store, UserRecord};

/// A person to be made; names, roles and password are checked already.
pub(crate) struct NewUser {
    pub(crate) username: String,
    pub(crate) password: Secret,
    pub(crate) roles: Vec<Role>,
}

/// Makes and shows people.
#[derive(Debug)]
pub(crate) struct Users {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) hasher: Arc<Hasher>,
}

impl Users {
    pub(crate) async fn create(
        &self,
        tenant: TenantId,
        request_key: &str,
        new: NewUser,
    ) -> Result<UserRecord> {
        let request = password_request(request_key, "create_user");
        if let Some(before) = self.store.made_before(tenant, request).await? {
            return self.repeat(tenant, UserId::from_uuid(before), new).await;
        }
        let hash = self.hasher.hash(new.password.clone()).await?;
        let user = UserRecord {
            tenant,
            id: UserId::new(),
            username: new.username.clone(),
            roles: new.roles.clone(),
            created_at: self.clock.now(),
        };
        match self
            .store
            .db()
            .retry(|| self.store.insert_user(request, &user, &hash))
            .await?
        {
            Created::Now => Ok(user),
            Created::Before(id) => self.repeat(tenant, UserId::from_uuid(id), new).await,
            Created::Taken(field) => Err(taken(field)),
        }
    }

    async fn repeat(&self, tenant: TenantId, id: UserId, new: NewUser) -> Result<UserRecord> {
        let user = self.get(tenant, id).await?;
        let hash = self.store.password_hash(tenant, id).await?;
        let same_password = self.hasher.verify(new.password, hash).await?;
        if user.username != new.username || user.roles != new.roles || !same_password {
            return Err(crate::store::mismatch());
        }
        Ok(user)
    }

    pub(crate) async fn get(&self, tenant: TenantId, id: UserId) -> Result<UserRecord> {
        self.store
            .user(tenant, id)
            .await?
            .ok_or_else(|| Error::not_found("user", id))
    }

    pub(crate) async fn list(
        &self,
        tenant: TenantId,
        after: UserId,
        limit: u32,
    ) -> Result<Page<UserRecord>> {
        self.store.users(tenant, after, limit).await
    }
}

/// A hash of a body that holds a password would be a second, weak hash of it. So it is not kept:
/// a repeat is compared with what the first one made.
pub(crate) fn password_request<'a>(key: &'a str, operation: &'static str) -> Option<Request<'a>> {
    (!key.is_empty()).then_some(Request {
        key,
        body_hash: &[],
        operation,
    })
}
