//! Keys of writes, stored in the effect's own transaction.

use swarm_database::{Db, Tx};
use swarm_errors::{Code, Error, Result};
use swarm_types::{TenantId, Timestamp};
use uuid::Uuid;

use super::sql::outbox as sql;

/// A caller's name for one write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestKey {
    /// Chosen by the caller.
    pub key: String,
    /// SHA-256 of the body; empty means "do not compare".
    pub body_hash: Vec<u8>,
}

/// The id that the same write has answered with before.
///
/// # Errors
/// `idempotency_mismatch` when the key was used for something else.
pub(crate) async fn find(
    db: &Db,
    tenant: TenantId,
    request: Option<&RequestKey>,
    operation: &str,
) -> Result<Option<Uuid>> {
    let Some(request) = request else {
        return Ok(None);
    };
    let row: Option<(String, Vec<u8>, Uuid)> = db
        .q(sql::FIND_KEY)
        .bind(tenant.uuid())
        .bind(&request.key)
        .opt()
        .await?;
    let Some((stored_operation, hash, answer)) = row else {
        return Ok(None);
    };
    let same_body = hash == request.body_hash || hash.is_empty() || request.body_hash.is_empty();
    if stored_operation == operation && same_body {
        return Ok(Some(answer));
    }
    Err(Error::new(
        Code::IdempotencyMismatch,
        "the idempotency key was used with another request",
    ))
}

/// Stores the key with its answer; `false` when another transaction was first, and this one must
/// be rolled back.
pub(crate) async fn insert(
    tx: &mut Tx,
    tenant: TenantId,
    request: Option<&RequestKey>,
    operation: &str,
    answer: Uuid,
    now: Timestamp,
) -> Result<bool> {
    let Some(request) = request else {
        return Ok(true);
    };
    let rows = tx
        .q(sql::INSERT_KEY)
        .bind(tenant.uuid())
        .bind(&request.key)
        .bind(operation)
        .bind(request.body_hash.clone())
        .bind(answer)
        .bind(now)
        .exec()
        .await?;
    Ok(rows == 1)
}
