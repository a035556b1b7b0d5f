//! What other services are still to be told.

use serde_json::Value;
use swarm_database::{Db, FromRow, Json, JsonText, Tx};
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

/// A letter that is about to be written.
#[derive(Debug, Clone)]
pub(crate) struct NewLetter {
    pub(crate) tenant: TenantId,
    pub(crate) id: Uuid,
    pub(crate) target: &'static str,
    pub(crate) payload: Value,
}

pub(crate) async fn insert_all(tx: &mut Tx, letters: &[&NewLetter], now: Timestamp) -> Result<()> {
    fn column<T>(letters: &[&NewLetter], value: impl Fn(&NewLetter) -> T) -> Vec<T> {
        letters.iter().map(|letter| value(letter)).collect()
    }
    let payloads = letters.iter().map(|letter| JsonText::of(&letter.payload));
    let payloads = payloads.collect::<Result<Vec<_>>>()?;
    tx.batch(sql::INSERT_PG, sql::INSERT_LITE)
        .column(column(letters, |letter| letter.tenant.uuid()))
        .column(column(letters, |letter| letter.id))
        .column(column(letters, |letter| letter.target.to_owned()))
        .column(payloads)
        .column(vec![now; letters.len()])
        .column(vec![now; letters.len()])
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
