//! Tenants: for the administrators of the platform.

use swarm_errors::Result;
use swarm_types::{Page, PageRequest};

use super::paged;
use crate::client::Call;
use crate::{Client, NewTenant, Tenant};

impl Client {
    /// Makes a tenant: a random password of its administrator is in this answer and never shown again.
    ///
    /// # Errors
    /// When a name is taken, the server refuses it or cannot be reached.
    pub async fn create_tenant(&self, tenant: &NewTenant) -> Result<Tenant> {
        self.fetch(Call::post(&["tenants"], tenant)?).await
    }

    /// The tenants.
    ///
    /// # Errors
    /// When the server refuses it or cannot be reached.
    pub async fn list_tenants(&self, page: &PageRequest) -> Result<Page<Tenant>> {
        self.fetch(paged(Call::get(&["tenants"]), page)).await
    }

    /// One tenant.
    ///
    /// # Errors
    /// When there is none, the server refuses it or cannot be reached.
    pub async fn get_tenant(&self, id: &str) -> Result<Tenant> {
        self.fetch(Call::get(&["tenants", id])).await
    }
}
