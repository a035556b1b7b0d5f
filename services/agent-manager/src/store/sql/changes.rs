//! The commit lane's statements: one for the births of tasks, one for what tasks that are there
//! have to tell. Together they would be one plan of twice the size, which is set up each time.

use swarm_database::check::Text;

use super::tasks::{forward, insert_columns};

/// What became of each change, by its number from 1: the sequence of its task's newest event; or
/// -1, a birth whose key is taken; or -2, a fence that did not let it pass, or a birth without a
/// lease. The array `places` is the gate of everything else. `$1` is now, `$2` counts the changes.
macro_rules! verdict {
    ($known:literal) => {
        concat!(
            ", verdict AS MATERIALIZED (
                SELECT change, max(seq) AS seq FROM (",
            $known,
            "       UNION ALL SELECT generate_series(1, $2::int), -2
                ) AS each GROUP BY change
             ), places AS MATERIALIZED (
                SELECT array_agg(seq ORDER BY change) AS seq FROM verdict
             )"
        )
    };
}

/// Steps that are new, letters, and events, of what has passed. `upto` counts the events of a
/// tenant, whose counter is taken last.
macro_rules! tidings {
    () => {
        concat!(
            ", started AS (
                INSERT INTO steps (tenant_id, task_id, step_key, id, position, kind, name, state, attempt, epoch,
                    input, result, usage, started_at, finished_at)
                SELECT c_tenant, c_task, c_key, c_id, c_position, c_kind, c_name, c_state, c_attempt, c_epoch,
                    c_input, c_result, c_usage, $1, CASE WHEN c_state <> 'started' THEN $1 END
                FROM unnest($3::int[], $4::uuid[], $5::uuid[], $6::text[], $7::uuid[], $8::bigint[], $9::text[],
                    $10::text[], $11::text[], $12::bigint[], $13::bigint[], $14::json[], $15::json[], $16::json[])
                AS c (c_change, c_tenant, c_task, c_key, c_id, c_position, c_kind, c_name, c_state, c_attempt,
                    c_epoch, c_input, c_result, c_usage), places
                WHERE places.seq[c_change] > 0",
            super::steps::again!(),
            "), line AS MATERIALIZED (
                SELECT c_tenant, c_task, c_root, places.seq[c_change] AS seq, c_count, c_lines,
                    sum(c_count) OVER (PARTITION BY c_tenant ORDER BY c_change) AS upto,
                    sum(c_count) OVER (PARTITION BY c_tenant) AS of_tenant
                FROM unnest($17::int[], $18::uuid[], $19::uuid[], $20::uuid[], $21::int[], $22::json[])
                AS c (c_change, c_tenant, c_task, c_root, c_count, c_lines), places
                WHERE places.seq[c_change] > 0
             ), numbered AS (
                INSERT INTO tenant_counters (tenant_id, tenant_seq)
                SELECT c_tenant, sum(c_count) FROM line GROUP BY c_tenant ORDER BY c_tenant",
            super::events::more!(),
            "), listed AS (
                INSERT INTO events (tenant_id, task_id, seq, root_id, tenant_seq, lines, at)
                SELECT c_tenant, c_task, line.seq, c_root, tenant_seq - of_tenant + upto, c_lines, $1
                FROM line JOIN numbered ON tenant_id = c_tenant
             ), letter AS (
                INSERT INTO outbox (tenant_id, id, target, payload, next_at, created_at)
                SELECT c_tenant, c_id, c_target, c_payload, $1, $1
                FROM unnest($23::int[], $24::uuid[], $25::uuid[], $26::text[], $27::json[])
                AS c (c_change, c_tenant, c_id, c_target, c_payload), places WHERE places.seq[c_change] > 0
                ON CONFLICT (tenant_id, id) DO NOTHING
             )"
        )
    };
}

/// Births. The lock on the lease group makes a take-over wait for us; a task that ends at its birth
/// needs no lease any more. `IN (SELECT ...)` beside an
/// `OR` is looked up in a hash, also where joins may not use one.
pub(crate) const BIRTHS: &str = concat!(
    "WITH held AS MATERIALIZED (
        SELECT group_id FROM lease_groups WHERE group_id = ANY($29::uuid[]) AND incarnation = $28 AND expires_at > $1
        FOR KEY SHARE
     ), birth AS MATERIALIZED (
        SELECT * FROM unnest($30::int[], $31::uuid[], $32::uuid[], $33::uuid[], $34::uuid[], $35::text[], $36::text[],
            $37::text[], $38::int2[], $39::json[], $40::uuid[], $41::bigint[], $42::bigint[], $43::uuid[],
            $44::timestamptz[], $45::timestamptz[], $46::bigint[], $47::bigint[], $48::text[], $49::timestamptz[],
            $50::timestamptz[], $51::timestamptz[], $52::json[], $53::bigint[], $54::bigint[], $55::bigint[],
            $56::bigint[], $57::bigint[], $58::text[], $59::text[], $60::bytea[])
        AS b (b_change, b_tenant, b_id, b_root, b_parent, b_role, b_kind, b_state, b_priority, b_spec, b_agent,
            b_attempt, b_epoch, b_group, b_ready, b_deadline, b_seq, b_steps, b_trace, b_created, b_started, b_ended,
            b_result, b_input, b_output, b_cached, b_models, b_tools, b_key, b_operation, b_hash)
        WHERE b_group IN (SELECT group_id FROM held)
     ), keyed AS (
        INSERT INTO idempotency (tenant_id, key, operation, body_hash, answer_id, created_at)
        SELECT b_tenant, b_key, b_operation, b_hash, b_id, $1 FROM birth WHERE b_key IS NOT NULL
        ON CONFLICT (tenant_id, key) DO NOTHING RETURNING answer_id
     ), fit AS MATERIALIZED (
        SELECT * FROM birth WHERE b_key IS NULL OR b_id IN (SELECT answer_id FROM keyed)
     ), born AS (",
    insert_columns!(),
    "   SELECT b_tenant, b_id, b_root, b_parent, b_role, b_kind, b_state, b_priority, b_spec, b_agent, b_attempt,
            b_epoch, CASE WHEN b_ended IS NULL THEN b_group END, b_ready, b_deadline, b_seq, b_steps, b_trace,
            b_created, b_started, b_ended, b_result, b_input, b_output, b_cached, b_models, b_tools FROM fit
     )",
    verdict!("SELECT b_change AS change, b_seq AS seq FROM fit UNION ALL SELECT b_change, -1 FROM birth"),
    tidings!(),
    " SELECT change, seq FROM verdict"
);

/// What tasks tell that are there. Where the end of a step does not meet its start, the last line
/// divides by zero, so that nothing of the statement stays.
pub(crate) const MOVES: &str = concat!(
    "WITH moved AS (",
    forward!(
        "unnest($28::int[], $29::uuid[], $30::uuid[], $31::bigint[], $32::bigint[], $33::bigint[], $34::bigint[],
            $35::bigint[], $36::bigint[], $37::bigint[], $38::bigint[], $39::text[], $40::json[], $41::text[],
            $42::text[], $43::timestamptz[])
         AS c (c_change, c_tenant, c_id, c_epoch, c_events, c_steps, c_input, c_output, c_cached, c_models, c_tools,
            c_state, c_result, c_code, c_detail, c_ended)",
        "c_change, last_seq"
    ),
    ")",
    verdict!("SELECT c_change AS change, last_seq AS seq FROM moved"),
    ", to_end AS MATERIALIZED (
        SELECT c.* FROM unnest($44::int[], $45::uuid[], $46::uuid[], $47::text[], $48::bigint[], $49::text[],
            $50::json[], $51::json[])
        AS c (c_change, c_tenant, c_task, c_key, c_attempt, c_state, c_result, c_usage), places
        WHERE places.seq[c_change] > 0
     ), ended AS (
        UPDATE steps SET state = c_state, result = c_result, usage = c_usage, finished_at = $1 FROM to_end
        WHERE tenant_id = c_tenant AND task_id = c_task AND step_key = c_key AND attempt = c_attempt
            AND state = 'started' RETURNING 1
     )",
    tidings!(),
    " SELECT change, seq / CAST((SELECT count(*) FROM ended) = (SELECT count(*) FROM to_end) AS int) AS seq
      FROM verdict"
);

pub(crate) const ALL: &[Text] = &[Text::Postgres(BIRTHS), Text::Postgres(MOVES)];
