//! Texts over `pools` and `pool_slots`.

use swarm_database::check::Text;

/// Locks the pool until the end of the transaction; its first look makes its row.
pub(crate) const LOCK: &str =
    "INSERT INTO pools (name) VALUES ($1) ON CONFLICT (name) DO UPDATE SET name = excluded.name";

/// Clears away the places of tasks that no longer run in the hold that took them, and the wishes of
/// those that no longer wait or have given up.
pub(crate) const SWEEP: &str = "
    DELETE FROM pool_slots WHERE pool = $1 AND NOT EXISTS (
        SELECT 1 FROM tasks t
        WHERE t.tenant_id = pool_slots.tenant_id AND t.id = pool_slots.task_id AND t.epoch = pool_slots.epoch
          AND ((t.state = 'running' AND pool_slots.wanted_until IS NULL)
               OR (t.state = 'waiting' AND pool_slots.wanted_until > $2)))";

pub(crate) const COUNT: &str = "
    SELECT count(*) - count(wanted_until) AS held, count(wanted_until) AS wanted FROM pool_slots WHERE pool = $1";

macro_rules! hold {
    ($from:literal) => {
        concat!(
            "INSERT INTO pool_slots (pool, tenant_id, task_id, epoch) SELECT * FROM ",
            $from,
            " WHERE TRUE ON CONFLICT (pool, tenant_id, task_id)
              DO UPDATE SET epoch = excluded.epoch, wanted_until = NULL"
        )
    };
}

pub(crate) const HOLD_PG: &str =
    hold!("unnest($1::text[], $2::uuid[], $3::uuid[], $4::bigint[]) AS p");
pub(crate) const HOLD_LITE: &str =
    hold!("(SELECT value->>0, unhex(value->>1), unhex(value->>2), value->>3 FROM json_each($1))");

pub(crate) const WANT: &str = "
    INSERT INTO pool_slots (pool, tenant_id, task_id, epoch, wanted_until) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (pool, tenant_id, task_id) DO UPDATE SET epoch = excluded.epoch, wanted_until = excluded.wanted_until";

pub(crate) const ALL: &[Text] = &[
    Text::Shared(LOCK),
    Text::Shared(SWEEP),
    Text::Shared(COUNT),
    Text::Batch(HOLD_PG, HOLD_LITE),
    Text::Shared(WANT),
];
