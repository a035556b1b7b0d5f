//! Writes that may come twice.

use sqlx::FromRow;
use swarm_database::Tx;
use swarm_errors::{Code, Error, Result};
use swarm_types::{TenantId, Timestamp};
use uuid::Uuid;

use super::Store;
use super::texts::requests as sql;

/// The name of one write, as the caller chose it.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The key.
    pub key: &'a str,
    /// Hash of the body; empty where bodies are not compared by it.
    pub body_hash: &'a [u8],
    /// What it does.
    pub operation: &'static str,
}

/// What a write that may come twice has made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Created {
    /// It was the first.
    Now,
    /// The same request came before, and made the thing with this id.
    Before(Uuid),
    /// The name of this field must be unique and is taken.
    Taken(&'static str),
}

#[derive(FromRow)]
struct Row {
    operation: String,
    body_hash: Vec<u8>,
    resource_id: Uuid,
}

impl Row {
    fn resource_of(&self, request: &Request<'_>) -> Result<Uuid> {
        let is_compared = !request.body_hash.is_empty() && !self.body_hash.is_empty();
        let other_body = is_compared && self.body_hash != request.body_hash;
        if self.operation != request.operation || other_body {
            return Err(mismatch());
        }
        Ok(self.resource_id)
    }
}

/// The key came back with another body.
pub(crate) fn mismatch() -> Error {
    Error::new(
        Code::IdempotencyMismatch,
        "the idempotency key was used with another request",
    )
}

impl Store {
    /// What this request has made, if it came before.
    ///
    /// # Errors
    /// `idempotency_mismatch` when the key was used with another request.
    pub async fn made_before(
        &self,
        tenant: TenantId,
        request: Option<Request<'_>>,
    ) -> Result<Option<Uuid>> {
        let Some(request) = request else {
            return Ok(None);
        };
        let row = self
            .db
            .q(sql::GET)
            .bind(tenant.uuid())
            .bind(request.key)
            .opt::<Row>()
            .await?;
        row.map(|row| row.resource_of(&request)).transpose()
    }

    /// Forgets requests made before `limit`.
    ///
    /// # Errors
    /// As the database fails.
    pub async fn forget_requests(&self, limit: Timestamp) -> Result<u64> {
        self.db.write(sql::DELETE_BEFORE).bind(limit).exec().await
    }
}

/// Takes the request's name for the thing that this transaction is about to make; `Some` is what
/// an earlier one has made.
pub(super) async fn claim(
    tx: &mut Tx,
    tenant: TenantId,
    request: Option<Request<'_>>,
    resource: Uuid,
    now: Timestamp,
) -> Result<Option<Uuid>> {
    let Some(request) = request else {
        return Ok(None);
    };
    let claim = tx
        .q(sql::CLAIM)
        .bind(tenant.uuid())
        .bind(request.key)
        .bind(request.operation);
    let claimed = claim
        .bind(request.body_hash)
        .bind(resource)
        .bind(now)
        .exec()
        .await?;
    if claimed == 1 {
        return Ok(None);
    }
    let row: Row = tx
        .q(sql::GET)
        .bind(tenant.uuid())
        .bind(request.key)
        .one()
        .await?;
    row.resource_of(&request).map(Some)
}
