//! Offices that one replica holds at a time, for work that is done once for all of them.

use swarm_database::Db;
use swarm_errors::Result;
use swarm_types::Timestamp;

use super::leases::Owner;
use super::sql::elections as sql;

/// Takes or keeps the office until `until`, and says whether this replica holds it.
pub(crate) async fn stand(
    db: &Db,
    office: &str,
    owner: &Owner,
    until: Timestamp,
    now: Timestamp,
) -> Result<bool> {
    let written = db
        .write(sql::STAND)
        .bind(office)
        .bind(owner.incarnation)
        .bind(until)
        .bind(now)
        .exec()
        .await?;
    Ok(written > 0)
}

/// Gives the office up, so that another one takes it at once.
pub(crate) async fn resign(db: &Db, office: &str, owner: &Owner) -> Result<()> {
    db.write(sql::RESIGN)
        .bind(office)
        .bind(owner.incarnation)
        .exec()
        .await
        .map(drop)
}
