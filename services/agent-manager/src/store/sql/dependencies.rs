//! Texts over `dependencies`, and over the tasks that wait for others.
//!
//! A task waits for others exactly while its state is `waiting` and `open_dependencies` is above 0.

use swarm_database::check::Text;

use super::tasks::columns;

macro_rules! lock {
    ($from:literal) => {
        concat!(
            "UPDATE tasks SET dependent_count = dependent_count + c_count FROM ",
            $from,
            " WHERE tenant_id = c_tenant AND id = c_id RETURNING id, parent_id, state"
        )
    };
}

/// Counts new dependents of these tasks, and locks their rows: their ends come before or after.
pub(crate) const LOCK_PG: &str =
    lock!("unnest($1::uuid[], $2::uuid[], $3::bigint[]) AS c (c_tenant, c_id, c_count)");
pub(crate) const LOCK_LITE: &str = lock!(
    "(SELECT unhex(value->>0) AS c_tenant, unhex(value->>1) AS c_id, value->>2 AS c_count FROM json_each($1)) AS c"
);

pub(crate) const DEPEND_PG: &str = "
    INSERT INTO dependencies (tenant_id, task_id, dependent_id, place, name, state)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::text[], $6::text[])";
pub(crate) const DEPEND_LITE: &str = "
    INSERT INTO dependencies (tenant_id, task_id, dependent_id, place, name, state)
    SELECT unhex(value->>0), unhex(value->>1), unhex(value->>2), value->>3, value->>4, value->>5
    FROM json_each($1) WHERE TRUE";

macro_rules! arrange {
    ($from:literal) => {
        concat!(
            "UPDATE tasks SET open_dependencies = c_open, dependent_count = dependent_count + c_dependents,
                waiting_reason = CASE WHEN c_open > 0 THEN 'dependency' ELSE waiting_reason END FROM ",
            $from,
            " WHERE tenant_id = c_tenant AND id = c_id"
        )
    };
}

/// What an insert of tasks leaves to those that are tied to others.
pub(crate) const ARRANGE_PG: &str = arrange!(
    "unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[]) AS c (c_tenant, c_id, c_open, c_dependents)"
);
pub(crate) const ARRANGE_LITE: &str = arrange!(
    "(SELECT unhex(value->>0) AS c_tenant, unhex(value->>1) AS c_id, value->>2 AS c_open, value->>3 AS c_dependents
      FROM json_each($1)) AS c"
);

macro_rules! settle {
    ($from:literal) => {
        concat!(
            "UPDATE dependencies SET state = c_state FROM ",
            $from,
            " WHERE tenant_id = c_tenant AND task_id = c_id AND state = 'open' RETURNING task_id, dependent_id, name"
        )
    };
}

/// Writes how predecessors have ended, once.
pub(crate) const SETTLE_PG: &str =
    settle!("unnest($1::uuid[], $2::uuid[], $3::text[]) AS c (c_tenant, c_id, c_state)");
pub(crate) const SETTLE_LITE: &str = settle!(
    "(SELECT unhex(value->>0) AS c_tenant, unhex(value->>1) AS c_id, value->>2 AS c_state FROM json_each($1)) AS c"
);

macro_rules! count_down {
    ($from:literal) => {
        concat!(
            "UPDATE tasks SET open_dependencies = open_dependencies - 1 FROM ",
            $from,
            " WHERE tenant_id = c_tenant AND id = c_id AND state = 'waiting' AND open_dependencies > 0 RETURNING ",
            columns!()
        )
    };
}

/// One predecessor less.
pub(crate) const COUNT_DOWN_PG: &str =
    count_down!("unnest($1::uuid[], $2::uuid[]) AS c (c_tenant, c_id)");
pub(crate) const COUNT_DOWN_LITE: &str = count_down!(
    "(SELECT unhex(value->>0) AS c_tenant, unhex(value->>1) AS c_id FROM json_each($1)) AS c"
);

macro_rules! queue {
    ($from:literal) => {
        concat!(
            "UPDATE tasks SET state = 'queued', waiting_reason = NULL, ready_at = c_ready, last_seq = last_seq + 1
             FROM ",
            $from,
            " WHERE tenant_id = c_tenant AND id = c_id AND state = 'waiting' AND waiting_reason = 'dependency'
               AND open_dependencies = 0 RETURNING ",
            columns!()
        )
    };
}

/// Into the queue: nothing is left to wait for.
pub(crate) const QUEUE_PG: &str =
    queue!("unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) AS c (c_tenant, c_id, c_ready)");
pub(crate) const QUEUE_LITE: &str = queue!(
    "(SELECT unhex(value->>0) AS c_tenant, unhex(value->>1) AS c_id, value->>2 AS c_ready FROM json_each($1)) AS c"
);

macro_rules! fail {
    ($from:literal) => {
        concat!(
            "UPDATE tasks SET state = 'failed', error_code = 'failed_precondition', error_detail = c_detail,
                finished_at = c_now, waiting_reason = NULL, ready_at = NULL, open_dependencies = 0,
                last_seq = last_seq + 1 FROM ",
            $from,
            " WHERE tenant_id = c_tenant AND id = c_id AND state = 'waiting' AND open_dependencies > 0 RETURNING ",
            columns!()
        )
    };
}

/// Fails those whose predecessor did not complete.
pub(crate) const FAIL_PG: &str = fail!(
    "unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[]) AS c (c_tenant, c_id, c_detail, c_now)"
);
pub(crate) const FAIL_LITE: &str = fail!(
    "(SELECT unhex(value->>0) AS c_tenant, unhex(value->>1) AS c_id, value->>2 AS c_detail, value->>3 AS c_now
      FROM json_each($1)) AS c"
);

/// What goes before a task, in the order it was named.
pub(crate) const OF: &str = "
    SELECT task_id, name, place, state FROM dependencies WHERE tenant_id = $1 AND dependent_id = $2 ORDER BY place";

/// The results of what went before a task.
pub(crate) const RESULTS: &str = "
    SELECT d.task_id AS task_id, d.name AS name, t.result AS result
    FROM dependencies d JOIN tasks t ON t.tenant_id = d.tenant_id AND t.id = d.task_id
    WHERE d.tenant_id = $1 AND d.dependent_id = $2 ORDER BY d.place";

/// A dependency as it is now: the task is retried.
pub(crate) const REOPEN: &str = "UPDATE dependencies SET state = $4 WHERE tenant_id = $1 AND dependent_id = $2 AND task_id = $3";

pub(crate) const HOLD_BACK: &str = "
    UPDATE tasks SET state = 'waiting', waiting_reason = 'dependency', ready_at = NULL, open_dependencies = $3
    WHERE tenant_id = $1 AND id = $2 AND state = 'queued'";

/// Open dependencies on tasks that have ended: their ends were not followed up.
pub(crate) const ABANDONED: &str = "
    SELECT DISTINCT d.tenant_id AS tenant_id, d.task_id AS task_id
    FROM dependencies d JOIN tasks t ON t.tenant_id = d.tenant_id AND t.id = d.task_id
    WHERE d.state = 'open' AND t.state IN ('completed', 'failed', 'cancelled', 'dead_lettered') LIMIT 100";

/// Those that wait for others and whose deadline has passed.
pub(crate) const OVERDUE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM tasks WHERE open_dependencies > 0 AND state = 'waiting' AND deadline <= $1 ORDER BY deadline LIMIT 100"
);

pub(crate) const ALL: &[Text] = &[
    Text::Batch(LOCK_PG, LOCK_LITE),
    Text::Batch(DEPEND_PG, DEPEND_LITE),
    Text::Batch(ARRANGE_PG, ARRANGE_LITE),
    Text::Batch(SETTLE_PG, SETTLE_LITE),
    Text::Batch(COUNT_DOWN_PG, COUNT_DOWN_LITE),
    Text::Batch(QUEUE_PG, QUEUE_LITE),
    Text::Batch(FAIL_PG, FAIL_LITE),
    Text::Shared(OF),
    Text::Shared(RESULTS),
    Text::Shared(REOPEN),
    Text::Shared(HOLD_BACK),
    Text::Shared(ABANDONED),
    Text::Shared(OVERDUE),
];
