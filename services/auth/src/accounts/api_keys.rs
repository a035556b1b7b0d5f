//! Credentials for programs of a tenant.

use std::sync::Arc;

use swarm_errors::{Error, Result};
use swarm_identity::Role;
use swarm_types::{ApiKeyId, Clock, Page, TenantId, Timestamp};

use crate::credentials::api_key::{Entropy, NewSecret};
use crate::store::{ApiKeyRecord, Created, Request, Store};

/// A key to be made; name and roles are checked already.
pub(crate) struct NewApiKey {
    pub(crate) name: String,
    pub(crate) roles: Vec<Role>,
    pub(crate) created_by: String,
    pub(crate) expires_at: Option<Timestamp>,
}

/// Makes, shows and ends keys.
#[derive(Debug)]
pub(crate) struct ApiKeys {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
}

impl ApiKeys {
    /// The key, and its secret, which nobody can ask for again: a repeat of the request gets the
    /// key and an empty secret.
    pub(crate) async fn create(
        &self,
        tenant: TenantId,
        (request_key, body_hash): (&str, &[u8]),
        new: NewApiKey,
        entropy: &Entropy,
    ) -> Result<(ApiKeyRecord, String)> {
        let now = self.clock.now();
        if new.expires_at.is_some_and(|at| at <= now) {
            return Err(Error::invalid("expires_at", "must be in the future"));
        }
        let request = Request {
            key: request_key,
            body_hash,
            operation: "create_api_key",
        };
        let request = (!request_key.is_empty()).then_some(request);
        let NewSecret {
            secret,
            prefix,
            hash,
        } = NewSecret::from_entropy(entropy);
        let key = ApiKeyRecord {
            tenant,
            id: ApiKeyId::new(),
            name: new.name,
            prefix,
            secret_hash: hash,
            roles: new.roles,
            created_by: new.created_by,
            created_at: now,
            expires_at: new.expires_at,
            revoked_at: None,
        };
        match self
            .store
            .db()
            .retry(|| self.store.insert_api_key(request, &key))
            .await?
        {
            Created::Before(id) => Ok((
                self.get(tenant, ApiKeyId::from_uuid(id)).await?,
                String::new(),
            )),
            Created::Now => Ok((key, secret)),
            Created::Taken(field) => Err(super::taken(field)),
        }
    }

    async fn get(&self, tenant: TenantId, id: ApiKeyId) -> Result<ApiKeyRecord> {
        self.store
            .api_key(tenant, id)
            .await?
            .ok_or_else(|| Error::not_found("API key", id))
    }

    pub(crate) async fn list(
        &self,
        tenant: TenantId,
        after: ApiKeyId,
        limit: u32,
    ) -> Result<Page<ApiKeyRecord>> {
        self.store.api_keys(tenant, after, limit).await
    }

    pub(crate) async fn revoke(&self, tenant: TenantId, id: ApiKeyId) -> Result<ApiKeyRecord> {
        let revoked = self
            .store
            .revoke_api_key(tenant, id, self.clock.now())
            .await?;
        revoked.ok_or_else(|| Error::not_found("API key", id))
    }
}
