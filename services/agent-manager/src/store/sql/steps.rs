//! Texts over `steps`.

use swarm_database::check::Text;

macro_rules! columns {
    () => {
        "task_id, step_key, id, position, kind, name, state, attempt, epoch, input, result, usage, started_at,
         finished_at"
    };
}

pub(crate) const FIND: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM steps WHERE tenant_id = $1 AND task_id = $2 AND step_key = $3"
);

pub(crate) const LIST: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM steps WHERE tenant_id = $1 AND task_id = $2 AND position > $3 ORDER BY position LIMIT $4"
);

/// The steps of all tasks of a tree.
pub(crate) const TREE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM steps WHERE tenant_id = $1 AND task_id IN (
        SELECT id FROM tasks WHERE tasks.tenant_id = $1 AND root_id = $2 AND parent_id IS NOT NULL
        UNION ALL SELECT id FROM tasks WHERE tasks.tenant_id = $1 AND id = $2)
      ORDER BY task_id, position"
);

/// Writes a start; a repeat keeps the place of the first one.
pub(crate) const START: &str = "
    INSERT INTO steps (tenant_id, task_id, step_key, id, position, kind, name, state, attempt, epoch, input, usage,
                       started_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, 'started', $8, $9, $10, $11, $12)
    ON CONFLICT (tenant_id, task_id, step_key) DO UPDATE SET state = 'started', attempt = excluded.attempt,
        epoch = excluded.epoch, input = excluded.input, result = NULL, usage = excluded.usage,
        started_at = excluded.started_at, finished_at = NULL";

/// Writes an end of the attempt that was started.
pub(crate) const END: &str = "
    UPDATE steps SET state = $4, result = $5, usage = $6, finished_at = $7
    WHERE tenant_id = $1 AND task_id = $2 AND step_key = $3 AND attempt = $8 AND state = 'started'";

pub(crate) const MARK_UNKNOWN_PG: &str = "
    UPDATE steps SET state = 'outcome_unknown', finished_at = c_now
    FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) AS c (c_tenant, c_task, c_now)
    WHERE tenant_id = c_tenant AND task_id = c_task AND state = 'started'";
/// Of tasks that have ended: what was still running when they did.
pub(crate) const MARK_UNKNOWN_LITE: &str = "
    UPDATE steps SET state = 'outcome_unknown', finished_at = c_now
    FROM (SELECT unhex(value->>0) AS c_tenant, unhex(value->>1) AS c_task, value->>2 AS c_now
          FROM json_each($1)) AS c
    WHERE tenant_id = c_tenant AND task_id = c_task AND state = 'started'";

/// The model that a task spoke to last.
pub(crate) const LAST_MODEL: &str = "
    SELECT name FROM steps WHERE tenant_id = $1 AND task_id = $2 AND kind = 'model' ORDER BY position DESC LIMIT 1";

pub(crate) const ALL: &[Text] = &[
    Text::Shared(FIND),
    Text::Shared(LIST),
    Text::Shared(TREE),
    Text::Shared(START),
    Text::Shared(END),
    Text::Batch(MARK_UNKNOWN_PG, MARK_UNKNOWN_LITE),
    Text::Shared(LAST_MODEL),
];
