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

/// A key that is about to be stored with its answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Key<'a> {
    pub(crate) tenant: TenantId,
    pub(crate) request: &'a RequestKey,
    pub(crate) operation: &'static str,
    pub(crate) answer: Uuid,
}

/// Stores keys and returns the answers of those that were not taken.
pub(crate) async fn insert_all(tx: &mut Tx, keys: &[Key<'_>], now: Timestamp) -> Result<Vec<Uuid>> {
    fn column<'a, T>(keys: &[Key<'a>], value: impl Fn(&Key<'a>) -> T) -> Vec<T> {
        keys.iter().map(value).collect()
    }
    let stored: Vec<(Uuid,)> = tx
        .batch(sql::INSERT_KEYS_PG, sql::INSERT_KEYS_LITE)
        .column(column(keys, |key| key.tenant.uuid()))
        .column(column(keys, |key| key.request.key.clone()))
        .column(column(keys, |key| key.operation.to_owned()))
        .column(column(keys, |key| key.request.body_hash.clone()))
        .column(column(keys, |key| key.answer))
        .column(vec![now; keys.len()])
        .all()
        .await?;
    Ok(stored.into_iter().map(|(answer,)| answer).collect())
}

/// Stores the key with its answer; `false` when another transaction was first, and this one must
/// be rolled back.
pub(crate) async fn insert(
    tx: &mut Tx,
    tenant: TenantId,
    request: Option<&RequestKey>,
    operation: &'static str,
    answer: Uuid,
    now: Timestamp,
) -> Result<bool> {
    let Some(request) = request else {
        return Ok(true);
    };
    let key = Key {
        tenant,
        request,
        operation,
        answer,
    };
    Ok(!insert_all(tx, &[key], now).await?.is_empty())
}
