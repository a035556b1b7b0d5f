//! Texts that walk through tables in the order of their keys and delete what is old: no index of
//! ages is kept for it, since every write would pay for that.

use swarm_database::check::Text;

/// The next keys behind a cursor.
pub(crate) const KEYS: &str = "
    SELECT tenant_id, key, created_at FROM idempotency WHERE (tenant_id, key) > ($1, $2)
    ORDER BY tenant_id, key LIMIT $3";

pub(crate) const DELETE_KEYS_PG: &str = "
    DELETE FROM idempotency USING unnest($1::uuid[], $2::text[]) AS c (c_tenant, c_key)
    WHERE tenant_id = c_tenant AND key = c_key";
pub(crate) const DELETE_KEYS_LITE: &str = "
    DELETE FROM idempotency WHERE (tenant_id, key) IN (SELECT unhex(value->>0), value->>1 FROM json_each($1))";

/// The last of the next tasks behind a cursor.
pub(crate) const LAST_TASK: &str = "
    SELECT tenant_id, id FROM tasks WHERE (tenant_id, id) > ($1, $2)
    ORDER BY tenant_id, id LIMIT 1 OFFSET $3";

/// The tasks between two cursors that have events, and whose whole tree ended before a moment.
pub(crate) const TASKS_WITH_OLD_EVENTS: &str = "
    SELECT t.tenant_id AS tenant_id, t.id AS id
    FROM tasks t JOIN tasks r ON r.tenant_id = t.tenant_id AND r.id = t.root_id
    WHERE (t.tenant_id, t.id) > ($1, $2) AND (t.tenant_id, t.id) <= ($3, $4) AND r.finished_at <= $5
      AND EXISTS (SELECT 1 FROM events e WHERE e.tenant_id = t.tenant_id AND e.task_id = t.id)
    ORDER BY t.tenant_id, t.id";

/// The oldest events of a task, so many at a time.
pub(crate) const DELETE_EVENTS: &str = "
    DELETE FROM events WHERE tenant_id = $1 AND task_id = $2 AND seq IN (
        SELECT e.seq FROM events e WHERE e.tenant_id = $1 AND e.task_id = $2 ORDER BY e.seq LIMIT $3)";

pub(crate) const ALL: &[Text] = &[
    Text::Shared(KEYS),
    Text::Batch(DELETE_KEYS_PG, DELETE_KEYS_LITE),
    Text::Shared(LAST_TASK),
    Text::Shared(TASKS_WITH_OLD_EVENTS),
    Text::Shared(DELETE_EVENTS),
];
