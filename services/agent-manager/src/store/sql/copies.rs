//! Texts of forks: what one task takes over from another.

use swarm_database::check::Text;

/// How far a task's journal is when it begins.
pub(crate) const BEGIN_WITH: &str =
    "UPDATE tasks SET step_count = $3, child_count = $4 WHERE tenant_id = $1 AND id = $2";

macro_rules! copy_ends {
    ($from:literal) => {
        concat!(
            "UPDATE tasks SET result = o.result, error_code = o.error_code, error_detail = o.error_detail,
                started_at = o.started_at, finished_at = o.finished_at FROM ",
            $from,
            ", tasks o WHERE o.tenant_id = c_tenant AND o.id = c_from
               AND tasks.tenant_id = c_tenant AND tasks.id = c_id"
        )
    };
}

/// How sub-tasks have ended, from those that they are copies of.
pub(crate) const COPY_ENDS_PG: &str =
    copy_ends!("unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS c (c_tenant, c_from, c_id)");
pub(crate) const COPY_ENDS_LITE: &str = copy_ends!(
    "(SELECT unhex(value->>0) AS c_tenant, unhex(value->>1) AS c_from, unhex(value->>2) AS c_id
      FROM json_each($1)) AS c"
);

macro_rules! copy_step {
    ($from:literal) => {
        concat!(
            "INSERT INTO steps (tenant_id, task_id, step_key, id, position, kind, name, state, attempt, epoch, input,
                                result, usage, started_at, finished_at)
             SELECT c_tenant, c_task, step_key, c_id, c_position, kind, name, state, attempt, 0, input, result,
                    c_usage, started_at, finished_at
             FROM ",
            $from,
            ", steps WHERE tenant_id = c_tenant AND task_id = c_from AND step_key = c_key"
        )
    };
}

/// Copies of steps, with their results.
pub(crate) const COPY_STEPS_PG: &str = copy_step!(
    "unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::uuid[], $6::bigint[], $7::json[])
     AS c (c_tenant, c_from, c_task, c_key, c_id, c_position, c_usage)"
);
pub(crate) const COPY_STEPS_LITE: &str = copy_step!(
    "(SELECT unhex(value->>0) AS c_tenant, unhex(value->>1) AS c_from, unhex(value->>2) AS c_task,
             value->>3 AS c_key, unhex(value->>4) AS c_id, value->>5 AS c_position, value->>6 AS c_usage
      FROM json_each($1)) AS c"
);

/// A journal without its contents: keys, places and states.
pub(crate) const OUTLINE: &str = "
    SELECT step_key, id, position, state FROM steps WHERE tenant_id = $1 AND task_id = $2 ORDER BY position";

pub(crate) const ALL: &[Text] = &[
    Text::Shared(BEGIN_WITH),
    Text::Batch(COPY_ENDS_PG, COPY_ENDS_LITE),
    Text::Batch(COPY_STEPS_PG, COPY_STEPS_LITE),
    Text::Shared(OUTLINE),
];
