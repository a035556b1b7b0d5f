//! Texts over `lease_groups`.

use swarm_database::check::Text;

/// A process that comes back after a newer one of its name has begun stays without a lease: else
/// each would take the other for its former life.
pub(crate) const OPEN: &str = "
    INSERT INTO lease_groups (group_id, owner, incarnation, expires_at) SELECT $1, $2, $3, $4
    WHERE NOT EXISTS (SELECT 1 FROM lease_groups WHERE owner = $2 AND incarnation > $3 AND expires_at > $5)";

/// The one write of a heartbeat.
pub(crate) const RENEW: &str = "
    UPDATE lease_groups SET expires_at = $3 WHERE owner = $1 AND incarnation = $2 RETURNING group_id";

pub(crate) const CLOSE: &str = "DELETE FROM lease_groups WHERE group_id = $1 AND incarnation = $2";

/// Whether a group still is ours. On PostgreSQL a take-over waits until our transaction has ended,
/// so that no task is put into a group that was just emptied.
pub(crate) const HOLD_PG: &str = "
    SELECT group_id FROM lease_groups WHERE group_id = $1 AND incarnation = $2 AND expires_at > $3 FOR KEY SHARE";
pub(crate) const HOLD_LITE: &str = "SELECT group_id FROM lease_groups WHERE group_id = $1 AND incarnation = $2 AND expires_at > $3";

/// Groups whose replica is gone, or may be soon: they expire, or are of our own former life.
pub(crate) const FOREIGN: &str = "
    SELECT group_id, owner, expires_at FROM lease_groups
    WHERE incarnation <> $3 AND (expires_at <= $1 OR (owner = $2 AND incarnation < $3))
    ORDER BY expires_at LIMIT 100";

/// Locks an abandoned group in a statement of its own: what its tasks are is asked in the next
/// one, which sees all that was committed meanwhile.
pub(crate) const SEIZE_PG: &str = "
    SELECT group_id FROM lease_groups
    WHERE group_id = $1 AND incarnation <> $4 AND (expires_at <= $2 OR (owner = $3 AND incarnation < $4)) FOR UPDATE SKIP LOCKED";
pub(crate) const SEIZE_LITE: &str = "
    SELECT group_id FROM lease_groups
    WHERE group_id = $1 AND incarnation <> $4 AND (expires_at <= $2 OR (owner = $3 AND incarnation < $4))";

pub(crate) const DELETE: &str = "DELETE FROM lease_groups WHERE group_id = $1";

/// How many replicas hold leases.
pub(crate) const REPLICAS: &str =
    "SELECT count(DISTINCT owner) AS replicas FROM lease_groups WHERE expires_at > $1";

pub(crate) const ALL: &[Text] = &[
    Text::Shared(OPEN),
    Text::Shared(RENEW),
    Text::Shared(CLOSE),
    Text::Pair(HOLD_PG, HOLD_LITE),
    Text::Shared(FOREIGN),
    Text::Pair(SEIZE_PG, SEIZE_LITE),
    Text::Shared(DELETE),
    Text::Shared(REPLICAS),
];
