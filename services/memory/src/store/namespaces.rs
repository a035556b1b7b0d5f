//! The namespaces: how often each has changed, and how much it holds.

use std::collections::BTreeMap;

use swarm_database::{FromRow, Tx};
use swarm_errors::{Error, Result};
use swarm_types::TenantId;
use uuid::Uuid;

use super::{Store, list, sql};

/// What an index compares itself with.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct NamespaceState {
    pub(crate) namespace: String,
    pub(crate) change_number: i64,
    pub(crate) memory_count: i64,
}

impl Store {
    /// The state of those of these namespaces that were ever written to.
    pub(crate) async fn states(
        &self,
        tenant: TenantId,
        namespaces: &[String],
    ) -> Result<Vec<NamespaceState>> {
        let text = self.db.pick(sql::STATES_POSTGRES, sql::STATES_SQLITE);
        self.db
            .q(text)
            .bind(tenant.uuid())
            .bind(list::of_namespaces(namespaces))
            .all()
            .await
    }

    /// Whoever has ever put a memory.
    pub(crate) async fn tenants(&self) -> Result<Vec<TenantId>> {
        let tenants: Vec<Uuid> = self.db.q(sql::TENANTS).scalars().await?;
        Ok(tenants.into_iter().map(TenantId::from_uuid).collect())
    }
}

/// Makes these namespaces where they are new, and holds them until the transaction ends: their
/// change numbers.
pub(super) async fn lock(
    tx: &mut Tx,
    tenant: TenantId,
    namespaces: &[String],
) -> Result<BTreeMap<String, i64>> {
    tx.batch(sql::ADD_NAMESPACES_POSTGRES, sql::ADD_NAMESPACES_SQLITE)
        .column(vec![tenant.uuid(); namespaces.len()])
        .column(namespaces.to_vec())
        .exec()
        .await?;
    let text = tx.pick(sql::LOCK_STATES_POSTGRES, sql::STATES_SQLITE);
    let states: Vec<NamespaceState> = tx
        .q(text)
        .bind(tenant.uuid())
        .bind(list::of_namespaces(namespaces))
        .all()
        .await?;
    Ok(states
        .into_iter()
        .map(|state| (state.namespace, state.change_number))
        .collect())
}

/// Raises the change number of each, and adds how many memories more or fewer it holds.
pub(super) async fn count_changes(
    tx: &mut Tx,
    tenant: TenantId,
    counts: &BTreeMap<String, i64>,
) -> Result<()> {
    let changed = tx
        .batch(sql::COUNT_CHANGES_POSTGRES, sql::COUNT_CHANGES_SQLITE)
        .column(vec![tenant.uuid(); counts.len()])
        .column(counts.keys().cloned().collect())
        .column(counts.values().copied().collect())
        .exec()
        .await?;
    if changed == counts.len() as u64 {
        Ok(())
    } else {
        Err(Error::internal(format!(
            "{changed} of {} namespaces were counted",
            counts.len()
        )))
    }
}
