//! Answers to writes that bore a key.

use swarm_database::{FromRow, Tx};
use swarm_errors::{Code, Error, Result};
use swarm_types::{TenantId, Timestamp};

use super::{Store, sql};
use crate::{PutAnswer, Repeat};

#[derive(Debug, FromRow)]
struct RequestRow {
    body_hash: Vec<u8>,
    answer: Vec<u8>,
}

/// The answer to the first request with this key.
pub(super) async fn find(
    tx: &mut Tx,
    tenant: TenantId,
    repeat: &Repeat,
) -> Result<Option<PutAnswer>> {
    let row: Option<RequestRow> = tx
        .q(sql::FIND_REQUEST)
        .bind(tenant.uuid())
        .bind(&repeat.key)
        .opt()
        .await?;
    let Some(row) = row else { return Ok(None) };
    let are_compared = !repeat.body_hash.is_empty() && !row.body_hash.is_empty();
    if are_compared && repeat.body_hash != row.body_hash {
        return Err(Error::new(
            Code::IdempotencyMismatch,
            "the request key was used with another body",
        ));
    }
    serde_json::from_slice(&row.answer)
        .map(Some)
        .map_err(Error::internal)
}

/// Keeps the answer. False where another request with this key came first.
pub(super) async fn add(
    tx: &mut Tx,
    tenant: TenantId,
    repeat: &Repeat,
    answer: &PutAnswer,
    now: Timestamp,
) -> Result<bool> {
    let answer = serde_json::to_vec(answer).map_err(Error::internal)?;
    let query = tx
        .q(sql::ADD_REQUEST)
        .bind(tenant.uuid())
        .bind(&repeat.key)
        .bind(repeat.body_hash.as_slice());
    Ok(query.bind(answer).bind(now).exec().await? == 1)
}

impl Store {
    /// Forgets answers that were given before a moment.
    pub(crate) async fn delete_requests(&self, tenant: TenantId, before: Timestamp) -> Result<u64> {
        self.db
            .write(sql::DELETE_REQUESTS)
            .bind(tenant.uuid())
            .bind(before)
            .exec()
            .await
    }
}
