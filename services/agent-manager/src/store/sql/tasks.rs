//! Texts over `tasks`.
//!
//! `epoch = $3 AND state IN (...)` is the fence: what it does not find was stale.

use swarm_database::check::Text;

macro_rules! columns {
    () => {
        "tenant_id, id, root_id, parent_id, role, state, waiting_reason, priority, spec, agent_id, attempt, epoch,
         deadline, result, error_code, error_detail, input_tokens, output_tokens, cached_tokens, model_calls,
         tool_calls, last_seq, step_count, child_count, attempt_base, ready_at, dependent_count, open_dependencies,
         traceparent, created_at, started_at, finished_at"
    };
}

pub(super) use columns;

/// The columns of a new task, in the order of its values.
macro_rules! insert_columns {
    () => {
        "INSERT INTO tasks (tenant_id, id, root_id, parent_id, role, kind, state, priority, spec, agent_id, attempt,
                            epoch, lease_group, ready_at, deadline, last_seq, step_count, traceparent, created_at,
                            started_at, finished_at, result, input_tokens, output_tokens, cached_tokens, model_calls,
                            tool_calls)"
    };
}

pub(super) use insert_columns;

macro_rules! open {
    () => {
        "state IN ('queued', 'running', 'waiting', 'awaiting_approval')"
    };
}

pub(crate) const INSERT_PG: &str = concat!(
    insert_columns!(),
    " SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[],
        $8::int2[], $9::json[], $10::uuid[], $11::bigint[], $12::bigint[], $13::uuid[], $14::timestamptz[],
        $15::timestamptz[], $16::bigint[], $17::bigint[], $18::text[], $19::timestamptz[], $20::timestamptz[],
        $21::timestamptz[], $22::json[], $23::bigint[], $24::bigint[], $25::bigint[], $26::bigint[], $27::bigint[])
      ON CONFLICT (tenant_id, id) DO NOTHING RETURNING id"
);
pub(crate) const INSERT_LITE: &str = concat!(
    insert_columns!(),
    " SELECT unhex(value->>0), unhex(value->>1), unhex(value->>2), unhex(value->>3), value->>4, value->>5, value->>6,
        value->>7, value->>8, unhex(value->>9), value->>10, value->>11, unhex(value->>12), value->>13, value->>14,
        value->>15, value->>16, value->>17, value->>18, value->>19, value->>20, value->>21, value->>22, value->>23,
        value->>24, value->>25, value->>26
      FROM json_each($1) WHERE TRUE ON CONFLICT (tenant_id, id) DO NOTHING RETURNING id"
);

pub(crate) const FIND: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM tasks WHERE tenant_id = $1 AND id = $2"
);

/// A task's place: what a reader of its events must know.
pub(crate) const PLACE: &str =
    "SELECT root_id, state, last_seq FROM tasks WHERE tenant_id = $1 AND id = $2";

/// Root tasks, the newest first.
pub(crate) const LIST_ROOTS: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM tasks WHERE tenant_id = $1 AND parent_id IS NULL AND ($2 = '' OR state = $2) AND id < $3
      ORDER BY id DESC LIMIT $4"
);

/// Sub-tasks of one task, the newest first.
pub(crate) const LIST_CHILDREN: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM tasks WHERE tenant_id = $1 AND root_id = $5 AND parent_id = $6 AND ($2 = '' OR state = $2) AND id < $3
      ORDER BY id DESC LIMIT $4"
);

/// All tasks below a root, as they were made.
pub(crate) const TREE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM tasks WHERE tenant_id = $1 AND root_id = $2 AND parent_id IS NOT NULL ORDER BY created_at, id"
);

/// The same without their contents.
pub(crate) const TREE_STATES: &str = "SELECT id, parent_id, state FROM tasks WHERE tenant_id = $1 AND root_id = $2 AND parent_id IS NOT NULL";

pub(crate) const CHILD_USAGE: &str = "
    SELECT CAST(COALESCE(sum(input_tokens), 0) AS bigint) AS input_tokens,
           CAST(COALESCE(sum(output_tokens), 0) AS bigint) AS output_tokens,
           CAST(COALESCE(sum(cached_tokens), 0) AS bigint) AS cached_tokens,
           CAST(COALESCE(sum(model_calls), 0) AS bigint) AS model_calls,
           CAST(COALESCE(sum(tool_calls), 0) AS bigint) AS tool_calls
    FROM tasks WHERE tenant_id = $1 AND root_id = $2 AND parent_id = $3";

/// The next tenants behind a cursor that have queued tasks, found by skipping through the index.
pub(crate) const TENANTS_WITH_WORK: &str = "
    WITH RECURSIVE found AS (
        SELECT (SELECT tenant_id FROM tasks WHERE ready_at IS NOT NULL AND tenant_id > $1
                ORDER BY tenant_id LIMIT 1) AS tenant_id
        UNION ALL
        SELECT (SELECT tasks.tenant_id FROM tasks WHERE ready_at IS NOT NULL AND tasks.tenant_id > found.tenant_id
                ORDER BY tasks.tenant_id LIMIT 1)
        FROM found WHERE found.tenant_id IS NOT NULL
    )
    SELECT tenant_id FROM found WHERE tenant_id IS NOT NULL LIMIT 16";

macro_rules! lane_behind {
    ($columns:literal, $after:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM tasks t WHERE t.ready_at IS NOT NULL AND (t.tenant_id, t.pool) > (",
            $after,
            ")
             ORDER BY t.tenant_id, t.pool, t.claim_order LIMIT 1"
        )
    };
}

/// The next queues behind a cursor, of a tenant and a pool each, with what their first task is in
/// the order of claims: found by skipping through the index, whatever lies in between.
pub(crate) const LANES_PG: &str = concat!(
    "WITH RECURSIVE found AS ((",
    lane_behind!("t.tenant_id, t.pool, t.claim_order", "$1, $2"),
    ") UNION ALL SELECT next.tenant_id, next.pool, next.claim_order FROM found CROSS JOIN LATERAL (",
    lane_behind!(
        "t.tenant_id, t.pool, t.claim_order",
        "found.tenant_id, found.pool"
    ),
    ") AS next) SELECT tenant_id, pool, claim_order FROM found LIMIT 64"
);
pub(crate) const LANES_LITE: &str = concat!(
    "WITH RECURSIVE found (tenant_id, pool, claim_order) AS (SELECT * FROM (",
    lane_behind!("t.tenant_id, t.pool, t.claim_order", "$1, $2"),
    ") UNION ALL SELECT (",
    lane_behind!("t.tenant_id", "found.tenant_id, found.pool"),
    "), (",
    lane_behind!("t.pool", "found.tenant_id, found.pool"),
    "), (",
    lane_behind!("t.claim_order", "found.tenant_id, found.pool"),
    ") FROM found WHERE found.tenant_id IS NOT NULL)
     SELECT tenant_id, pool, claim_order FROM found WHERE tenant_id IS NOT NULL LIMIT 64"
);

macro_rules! candidates {
    ($tenant:literal, $pool:literal, $now:literal, $most:literal) => {
        concat!(
            "SELECT t.tenant_id AS tenant_id, t.pool AS pool, t.id AS id, t.agent_id AS agent_id
             FROM tasks t LEFT JOIN agents a ON a.tenant_id = t.tenant_id AND a.id = t.agent_id
             WHERE t.tenant_id = ",
            $tenant,
            " AND t.pool = ",
            $pool,
            "
               AND t.ready_at <= ",
            $now,
            " AND t.deadline > ",
            $now,
            "
               AND (t.agent_id IS NULL OR a.state NOT IN ('starting', 'idle', 'paused')
                    OR (a.state = 'idle' AND a.max_concurrency > (
                            SELECT count(*) FROM agent_slots s
                            WHERE s.tenant_id = t.tenant_id AND s.agent_id = t.agent_id)))
             ORDER BY t.claim_order, t.id LIMIT ",
            $most
        )
    };
}

/// Of each of these queues so many tasks that could run now, or whose agent never will take them:
/// the most urgent first. SQLite's takes one queue at a time.
pub(crate) const CANDIDATES_PG: &str = concat!(
    "SELECT next.tenant_id, next.pool, next.id, next.agent_id
     FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::timestamptz[]) WITH ORDINALITY
        AS turn (tenant_id, pool, most, now, place)
     CROSS JOIN LATERAL (",
    candidates!("turn.tenant_id", "turn.pool", "turn.now", "turn.most"),
    " FOR UPDATE OF t SKIP LOCKED) AS next ORDER BY turn.place"
);
pub(crate) const CANDIDATES_LITE: &str = candidates!(
    "(SELECT unhex(value->>0) FROM json_each($1))",
    "(SELECT value->>1 FROM json_each($1))",
    "(SELECT value->>3 FROM json_each($1))",
    "(SELECT value->>2 FROM json_each($1))"
);

macro_rules! claim {
    ($from:literal) => {
        concat!(
            "UPDATE tasks SET state = 'running', waiting_reason = NULL, epoch = epoch + 1, lease_group = c_group,
                ready_at = NULL, started_at = COALESCE(started_at, c_now), last_seq = last_seq + 1 FROM ",
            $from,
            " WHERE tenant_id = c_tenant AND id = c_id AND state = 'queued' RETURNING ",
            columns!()
        )
    };
}

pub(crate) const CLAIM_PG: &str = claim!(
    "unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[]) AS c (c_tenant, c_id, c_group, c_now)"
);
pub(crate) const CLAIM_LITE: &str = claim!(
    "(SELECT unhex(value->>0) AS c_tenant, unhex(value->>1) AS c_id, unhex(value->>2) AS c_group, value->>3 AS c_now
      FROM json_each($1)) AS c"
);

/// Numbers events, steps and sub-tasks of a held task, adds what was used, and locks its row.
pub(crate) const ADVANCE: &str = "
    UPDATE tasks SET last_seq = last_seq + $4, step_count = step_count + $5, child_count = child_count + $6,
        input_tokens = input_tokens + $7, output_tokens = output_tokens + $8, cached_tokens = cached_tokens + $9,
        model_calls = model_calls + $10, tool_calls = tool_calls + $11
    WHERE tenant_id = $1 AND id = $2 AND epoch = $3 AND state IN ('running', 'waiting')
    RETURNING last_seq, step_count";

/// Moves held tasks on, by what `c` says of each.
macro_rules! forward {
    ($from:literal, $returning:literal) => {
        concat!(
            "UPDATE tasks SET last_seq = last_seq + c_events, step_count = step_count + c_steps,
                input_tokens = input_tokens + c_input, output_tokens = output_tokens + c_output,
                cached_tokens = cached_tokens + c_cached, model_calls = model_calls + c_models,
                tool_calls = tool_calls + c_tools, state = COALESCE(c_state, state), result = c_result,
                error_code = c_code, error_detail = c_detail, finished_at = c_ended,
                waiting_reason = CASE WHEN c_state IS NULL THEN waiting_reason END
             FROM ",
            $from,
            " WHERE tenant_id = c_tenant AND id = c_id AND epoch = c_epoch AND state IN ('running', 'waiting')
                AND (c_state IS NULL OR (child_count = 0 AND dependent_count = 0 AND agent_id IS NULL))
              RETURNING ",
            $returning
        )
    };
}

pub(super) use forward;

/// Moves many held tasks on, and ends those to which nothing else belongs: no agent's place, no
/// sub-tasks, nothing that waits for them.
pub(crate) const FORWARD: &str = forward!(
    "(SELECT unhex(value->>0) AS c_tenant, unhex(value->>1) AS c_id, value->>2 AS c_epoch, value->>3 AS c_events,
        value->>4 AS c_steps, value->>5 AS c_input, value->>6 AS c_output, value->>7 AS c_cached, value->>8 AS c_models,
        value->>9 AS c_tools, value->>10 AS c_state, value->>11 AS c_result, value->>12 AS c_code,
        value->>13 AS c_detail, value->>14 AS c_ended FROM json_each($1)) AS c",
    "id, last_seq"
);

/// Numbers an event that comes from outside, such as a message.
pub(crate) const ANNOTATE: &str = concat!(
    "UPDATE tasks SET last_seq = last_seq + $3 WHERE tenant_id = $1 AND id = $2 AND ",
    open!(),
    " RETURNING last_seq, root_id"
);

pub(crate) const WAIT: &str = concat!(
    "UPDATE tasks SET state = 'waiting', waiting_reason = $4, last_seq = last_seq + 1
     WHERE tenant_id = $1 AND id = $2 AND epoch = $3 AND state = 'running' RETURNING ",
    columns!()
);

pub(crate) const RESUME: &str = concat!(
    "UPDATE tasks SET state = 'running', waiting_reason = NULL, last_seq = last_seq + 1
     WHERE tenant_id = $1 AND id = $2 AND epoch = $3 AND state = 'waiting' RETURNING ",
    columns!()
);

pub(crate) const ASSIGN: &str = concat!(
    "UPDATE tasks SET agent_id = $4, last_seq = last_seq + 1
     WHERE tenant_id = $1 AND id = $2 AND epoch = $3 AND state = 'running' AND agent_id IS NULL RETURNING ",
    columns!()
);

/// Back to the queue: its worker hands it over.
pub(crate) const RELEASE: &str = concat!(
    "UPDATE tasks SET state = 'queued', waiting_reason = NULL, lease_group = NULL, ready_at = $4,
        epoch = epoch + 1, last_seq = last_seq + 1
     WHERE tenant_id = $1 AND id = $2 AND epoch = $3 AND state IN ('running', 'waiting') RETURNING ",
    columns!()
);

/// Back to the queue: the workers of these lease groups are gone.
pub(crate) const RECOVER: &str = concat!(
    "UPDATE tasks SET state = 'queued', waiting_reason = NULL, lease_group = NULL, ready_at = $2,
        epoch = epoch + 1, last_seq = last_seq + 1
     WHERE lease_group = $1 AND state IN ('running', 'waiting') RETURNING ",
    columns!()
);

pub(crate) const END: &str = concat!(
    "UPDATE tasks SET state = $4, result = $5, error_code = $6, error_detail = $7, finished_at = $8,
        waiting_reason = NULL, ready_at = NULL, open_dependencies = 0, last_seq = last_seq + 1
     WHERE tenant_id = $1 AND id = $2 AND epoch = $3 AND ",
    open!(),
    " RETURNING ",
    columns!()
);

pub(crate) const ADD_USAGE: &str = "
    UPDATE tasks SET input_tokens = input_tokens + $3, output_tokens = output_tokens + $4,
        cached_tokens = cached_tokens + $5, model_calls = model_calls + $6, tool_calls = tool_calls + $7
    WHERE tenant_id = $1 AND id = $2";

macro_rules! cancel {
    ($from:literal) => {
        concat!(
            "UPDATE tasks SET state = 'cancelled', error_code = 'cancelled', error_detail = c_reason,
                finished_at = c_now, waiting_reason = NULL, ready_at = NULL, open_dependencies = 0,
                last_seq = last_seq + 1 FROM ",
            $from,
            " WHERE tenant_id = c_tenant AND id = c_id AND ",
            open!(),
            " RETURNING ",
            columns!()
        )
    };
}

/// One level of a tree.
pub(crate) const CANCEL_PG: &str = cancel!(
    "unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[]) AS c (c_tenant, c_id, c_reason, c_now)"
);
pub(crate) const CANCEL_LITE: &str = cancel!(
    "(SELECT unhex(value->>0) AS c_tenant, unhex(value->>1) AS c_id, value->>2 AS c_reason, value->>3 AS c_now
      FROM json_each($1)) AS c"
);

/// Queued tasks whose deadline has passed.
pub(crate) const OVERDUE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM tasks WHERE ready_at IS NOT NULL AND deadline <= $1 ORDER BY deadline LIMIT 100"
);

pub(crate) const QUEUE_LENGTHS: &str =
    "SELECT priority, count(*) AS length FROM tasks WHERE ready_at IS NOT NULL GROUP BY priority";

/// How many tasks of a tenant wait for a worker, up to a limit.
pub(crate) const QUEUED_OF: &str = "
    SELECT count(*) AS length FROM (SELECT 1 FROM tasks WHERE tenant_id = $1 AND ready_at IS NOT NULL LIMIT $2) AS q";

pub(crate) const ALL: &[Text] = &[
    Text::Batch(INSERT_PG, INSERT_LITE),
    Text::Shared(FIND),
    Text::Shared(PLACE),
    Text::Shared(LIST_ROOTS),
    Text::Shared(LIST_CHILDREN),
    Text::Shared(TREE),
    Text::Shared(TREE_STATES),
    Text::Shared(CHILD_USAGE),
    Text::Shared(TENANTS_WITH_WORK),
    Text::Pair(LANES_PG, LANES_LITE),
    Text::Batch(CANDIDATES_PG, CANDIDATES_LITE),
    Text::Shared(QUEUED_OF),
    Text::Batch(CLAIM_PG, CLAIM_LITE),
    Text::Shared(ADVANCE),
    Text::SqliteBatch(FORWARD),
    Text::Shared(ANNOTATE),
    Text::Shared(WAIT),
    Text::Shared(RESUME),
    Text::Shared(ASSIGN),
    Text::Shared(RELEASE),
    Text::Shared(RECOVER),
    Text::Shared(END),
    Text::Shared(ADD_USAGE),
    Text::Batch(CANCEL_PG, CANCEL_LITE),
    Text::Shared(OVERDUE),
    Text::Shared(QUEUE_LENGTHS),
];
