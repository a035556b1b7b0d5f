//! Tenants: the business of the platform's own administrators.

use std::sync::Arc;

use swarm_config::Secret;
use swarm_errors::{Error, Result};
use swarm_identity::Role;
use swarm_types::{Clock, Page, TenantId, UserId};

use super::taken;
use super::users::password_request;
use crate::passwords::{self, Hasher};
use crate::store::{Created, Store, TenantRecord, UserRecord};

/// A tenant to be made, with its first administrator; names and password are checked already.
pub(crate) struct NewTenant {
    pub(crate) name: String,
    pub(crate) admin_username: String,
    /// Where there is none, a random one is made.
    pub(crate) admin_password: Option<Secret>,
}

/// A tenant, and the random password of its administrator where this call has made it.
pub(crate) struct MadeTenant {
    pub(crate) tenant: TenantRecord,
    pub(crate) admin_password: Option<String>,
}

/// Makes and shows tenants.
#[derive(Debug)]
pub(crate) struct Tenants {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) hasher: Arc<Hasher>,
}

impl Tenants {
    pub(crate) async fn create(
        &self,
        asked_by: TenantId,
        request_key: &str,
        new: NewTenant,
    ) -> Result<MadeTenant> {
        let request = password_request(request_key, "create_tenant");
        if let Some(before) = self.store.made_before(asked_by, request).await? {
            return self.repeat(TenantId::from_uuid(before), new).await;
        }
        let random = new.admin_password.is_none().then(passwords::random);
        let password = match (&new.admin_password, &random) {
            (Some(chosen), _) => chosen.clone(),
            (None, random) => Secret::new(random.clone().unwrap_or_default()),
        };
        let hash = self.hasher.hash(password).await?;
        let now = self.clock.now();
        let tenant = TenantRecord {
            id: TenantId::new(),
            name: new.name.clone(),
            created_at: now,
        };
        let administrator = UserRecord {
            tenant: tenant.id,
            id: UserId::new(),
            username: new.admin_username.clone(),
            roles: vec![Role::Admin],
            created_at: now,
        };
        let insert = || {
            self.store
                .insert_tenant(asked_by, request, &tenant, &administrator, &hash)
        };
        match self.store.db().retry(insert).await? {
            Created::Now => Ok(MadeTenant {
                tenant,
                admin_password: random,
            }),
            Created::Before(id) => self.repeat(TenantId::from_uuid(id), new).await,
            Created::Taken(field) => Err(taken(field)),
        }
    }

    async fn repeat(&self, id: TenantId, new: NewTenant) -> Result<MadeTenant> {
        let tenant = self.get(id).await?;
        let administrator = self.store.user_named(id, &new.admin_username).await?;
        let hash = match administrator {
            Some(user) => self.store.password_hash(id, user).await?,
            None => None,
        };
        let is_same = match new.admin_password {
            Some(password) => self.hasher.verify(password, hash).await?,
            // The random one is not known any more; the name is that of this tenant's person.
            None => hash.is_some(),
        };
        if tenant.name != new.name || !is_same {
            return Err(crate::store::mismatch());
        }
        Ok(MadeTenant {
            tenant,
            admin_password: None,
        })
    }

    pub(crate) async fn get(&self, id: TenantId) -> Result<TenantRecord> {
        self.store
            .tenant(id)
            .await?
            .ok_or_else(|| Error::not_found("tenant", id))
    }

    pub(crate) async fn list(&self, after: TenantId, limit: u32) -> Result<Page<TenantRecord>> {
        self.store.tenants(after, limit).await
    }
}
