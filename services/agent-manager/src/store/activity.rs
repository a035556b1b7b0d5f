//! What replicas have seen, for each other.

use swarm_database::{Db, FromRow, Json};
use swarm_errors::Result;
use swarm_types::{TenantId, Timestamp};
use uuid::Uuid;

use super::sql::activity as sql;
use crate::activity::Seen;

/// What one replica has seen of one tenant.
#[derive(Debug, Clone)]
pub(crate) struct Report {
    pub(crate) tenant: TenantId,
    pub(crate) replica: String,
    pub(crate) at: Timestamp,
    pub(crate) seen: Seen,
}

#[derive(Debug, FromRow)]
struct Row {
    tenant_id: Uuid,
    replica: String,
    at: Timestamp,
    seen: Json<Seen>,
}

fn reports(rows: Vec<Row>) -> Vec<Report> {
    rows.into_iter()
        .map(|row| Report {
            tenant: TenantId::from_uuid(row.tenant_id),
            replica: row.replica,
            at: row.at,
            seen: row.seen.0,
        })
        .collect()
}

/// Puts them in the place of what these replicas said before.
pub(crate) async fn put(db: &Db, reports: &[Report]) -> Result<()> {
    let seen = reports
        .iter()
        .map(|report| serde_json::to_value(&report.seen).map(Json))
        .collect::<Result<Vec<_>, _>>()
        .map_err(swarm_errors::Error::internal)?;
    db.write_batch(sql::PUT_PG, sql::PUT_LITE)
        .column(reports.iter().map(|it| it.tenant.uuid()).collect())
        .column(reports.iter().map(|it| it.replica.clone()).collect())
        .column(reports.iter().map(|it| it.at).collect())
        .column(seen)
        .exec()
        .await
        .map(drop)
}

pub(crate) async fn forget(db: &Db, before: Timestamp) -> Result<()> {
    db.write(sql::FORGET).bind(before).exec().await.map(drop)
}

pub(crate) async fn of_tenant(db: &Db, tenant: TenantId, since: Timestamp) -> Result<Vec<Report>> {
    let rows = db.q(sql::OF_TENANT).bind(tenant.uuid()).bind(since);
    Ok(reports(rows.all().await?))
}

/// Of every tenant, and of all together under the nil tenant.
pub(crate) async fn of_all(db: &Db, since: Timestamp) -> Result<Vec<Report>> {
    Ok(reports(db.q(sql::OF_ALL).bind(since).all().await?))
}
