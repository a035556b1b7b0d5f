//! What other services are still to be told.

use serde_json::Value;
use swarm_database::{Db, FromRow, Json, Tx};
use swarm_errors::Result;
use swarm_types::{TenantId, Timestamp};
use uuid::Uuid;

use super::sql::outbox as sql;

/// One thing to tell another service.
#[derive(Debug, Clone)]
pub struct Letter {
    /// Whose it is.
    pub tenant: TenantId,
    /// By which the receiver deduplicates.
    pub id: Uuid,
    /// Who gets it.
    pub target: String,
    /// What it says.
    pub payload: Value,
    pub(crate) attempts: i64,
}

#[derive(Debug, FromRow)]
struct Row {
    tenant_id: Uuid,
    id: Uuid,
    target: String,
    payload: Json<Value>,
    attempts: i64,
}

pub(crate) async fn insert(
    tx: &mut Tx,
    tenant: TenantId,
    id: Uuid,
    target: &str,
    payload: &Value,
    now: Timestamp,
) -> Result<()> {
    tx.q(sql::INSERT)
        .bind(tenant.uuid())
        .bind(id)
        .bind(target)
        .bind(Json(payload))
        .bind(now)
        .exec()
        .await
        .map(drop)
}

pub(crate) async fn due(db: &Db, now: Timestamp) -> Result<Vec<Letter>> {
    let rows: Vec<Row> = db.q(sql::DUE).bind(now).all().await?;
    let letters = rows.into_iter().map(|row| Letter {
        tenant: TenantId::from_uuid(row.tenant_id),
        id: row.id,
        target: row.target,
        payload: row.payload.0,
        attempts: row.attempts,
    });
    Ok(letters.collect())
}

pub(crate) async fn done(db: &Db, letters: &[Letter]) -> Result<()> {
    db.write_batch(sql::DONE_PG, sql::DONE_LITE)
        .column(letters.iter().map(|letter| letter.tenant.uuid()).collect())
        .column(letters.iter().map(|letter| letter.id).collect())
        .exec()
        .await
        .map(drop)
}

pub(crate) async fn later(db: &Db, letters: &[(Letter, Timestamp)]) -> Result<()> {
    db.write_batch(sql::LATER_PG, sql::LATER_LITE)
        .column(
            letters
                .iter()
                .map(|(letter, _)| letter.tenant.uuid())
                .collect(),
        )
        .column(letters.iter().map(|(letter, _)| letter.id).collect())
        .column(letters.iter().map(|(_, next)| *next).collect())
        .exec()
        .await
        .map(drop)
}
