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

/// A repeat of a step keeps the place of the first one.
macro_rules! again {
    () => {
        " ON CONFLICT (tenant_id, task_id, step_key) DO UPDATE SET state = excluded.state, attempt = excluded.attempt,
            epoch = excluded.epoch, input = excluded.input, result = excluded.result, usage = excluded.usage,
            started_at = excluded.started_at, finished_at = excluded.finished_at"
    };
}

pub(super) use again;

/// Writes starts, each with its end if that is known.
pub(crate) const START: &str = concat!(
    "INSERT INTO steps (tenant_id, task_id, step_key, id, position, kind, name, state, attempt, epoch, input, result,
        usage, started_at, finished_at)
     SELECT unhex(value->>0), unhex(value->>1), value->>2, unhex(value->>3), value->>4, value->>5, value->>6,
        value->>7, value->>8, value->>9, value->>10, value->>11, value->>12, value->>13, value->>14
     FROM json_each($1) WHERE TRUE",
    again!()
);

/// Writes an end of the attempt that was started.
pub(crate) const END: &str = "
    UPDATE steps SET state = $4, result = $5, usage = $6, finished_at = $7
    WHERE tenant_id = $1 AND task_id = $2 AND step_key = $3 AND attempt = $8 AND state = 'started'";

/// The same for many.
pub(crate) const END_ALL: &str = "
    UPDATE steps SET state = c_state, result = c_result, usage = c_usage, finished_at = c_now
    FROM (SELECT unhex(value->>0) AS c_tenant, unhex(value->>1) AS c_task, value->>2 AS c_key, value->>3 AS c_attempt,
            value->>4 AS c_state, value->>5 AS c_result, value->>6 AS c_usage, value->>7 AS c_now
          FROM json_each($1)) AS c
    WHERE tenant_id = c_tenant AND task_id = c_task AND step_key = c_key AND attempt = c_attempt AND state = 'started'";

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
    Text::SqliteBatch(START),
    Text::Shared(END),
    Text::SqliteBatch(END_ALL),
    Text::Batch(MARK_UNKNOWN_PG, MARK_UNKNOWN_LITE),
    Text::Shared(LAST_MODEL),
];
