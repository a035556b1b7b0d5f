//! Lease groups in the store.

use swarm_database::{Db, FromRow, Tx};
use swarm_errors::Result;
use swarm_types::Timestamp;
use uuid::Uuid;

use super::small;
use super::sql::leases as sql;

/// Who holds leases: a replica, and one life of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owner {
    /// The replica's name, the same after a restart.
    pub(crate) replica: String,
    /// Another one in each life.
    pub(crate) incarnation: Uuid,
}

/// Opens a group; false when a newer process works under this name.
pub(crate) async fn open(
    db: &Db,
    group: Uuid,
    owner: &Owner,
    expires: Timestamp,
    now: Timestamp,
) -> Result<bool> {
    db.write(sql::OPEN)
        .bind(group)
        .bind(&owner.replica)
        .bind(owner.incarnation)
        .bind(expires)
        .bind(now)
        .exec()
        .await
        .map(|opened| opened > 0)
}

/// Renews all groups of this life in one statement, and returns those that are still ours.
pub(crate) async fn renew(db: &Db, owner: &Owner, expires: Timestamp) -> Result<Vec<Uuid>> {
    db.write(sql::RENEW)
        .bind(&owner.replica)
        .bind(owner.incarnation)
        .bind(expires)
        .scalars()
        .await
}

pub(crate) async fn close(db: &Db, group: Uuid, owner: &Owner) -> Result<()> {
    db.write(sql::CLOSE)
        .bind(group)
        .bind(owner.incarnation)
        .exec()
        .await
        .map(drop)
}

/// Whether the group still is ours, from now to the end of the transaction.
pub(crate) async fn hold(tx: &mut Tx, group: Uuid, owner: &Owner, now: Timestamp) -> Result<bool> {
    let text = tx.pick(sql::HOLD_PG, sql::HOLD_LITE);
    let found: Option<Uuid> = tx
        .q(text)
        .bind(group)
        .bind(owner.incarnation)
        .bind(now)
        .scalar_opt()
        .await?;
    Ok(found.is_some())
}

/// A group that is not of this life.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub(crate) struct Foreign {
    #[sqlx(rename = "group_id")]
    pub(crate) group: Uuid,
    #[sqlx(rename = "owner")]
    pub(crate) replica: String,
    #[sqlx(rename = "expires_at")]
    pub(crate) expires: Timestamp,
}

/// Groups of other replicas that expire by `until`, and those of this one's former lives.
pub(crate) async fn foreign(db: &Db, owner: &Owner, until: Timestamp) -> Result<Vec<Foreign>> {
    db.q(sql::FOREIGN)
        .bind(until)
        .bind(&owner.replica)
        .bind(owner.incarnation)
        .all()
        .await
}

/// Locks an abandoned group, and says whether it still is one.
pub(crate) async fn seize(tx: &mut Tx, group: Uuid, owner: &Owner, now: Timestamp) -> Result<bool> {
    let text = tx.pick(sql::SEIZE_PG, sql::SEIZE_LITE);
    let query = tx
        .q(text)
        .bind(group)
        .bind(now)
        .bind(&owner.replica)
        .bind(owner.incarnation);
    Ok(query.scalar_opt::<Uuid>().await?.is_some())
}

pub(crate) async fn delete(tx: &mut Tx, group: Uuid) -> Result<()> {
    tx.q(sql::DELETE).bind(group).exec().await.map(drop)
}

#[cfg(test)]
#[path = "leases_test.rs"]
mod tests;

/// How many replicas hold leases.
pub(crate) async fn replicas(db: &Db, now: Timestamp) -> Result<u32> {
    Ok(small(db.q(sql::REPLICAS).bind(now).scalar().await?))
}
