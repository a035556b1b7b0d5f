//! The commit lane's one statement.

use swarm_database::check::Text;

use super::tasks::{forward, insert_columns};

/// Changes of different trees, all in one statement, which is a transaction of its own. Each row
/// says by `c_change`, from 1, to which of them it belongs.
///
/// `verdict` has what became of each: the sequence of its task's newest event; or -1, a birth
/// whose key is taken; or -2, a fence that did not let it pass, or a birth without a lease. Its
/// array `places` is the gate of everything else. Where the end of a step does not meet a start,
/// the last line divides by zero, so that nothing of the statement stays.
///
/// `x IN (SELECT ...)` beside an `OR` is looked up in a hash, also where joins may not use one.
/// The lock on the lease group makes a take-over wait for us; the counters are written last.
pub(crate) const WRITE: &str = concat!(
    "WITH held AS MATERIALIZED (
        SELECT group_id FROM lease_groups WHERE group_id = ANY($3::uuid[]) AND incarnation = $2 AND expires_at > $1
        FOR KEY SHARE
     ), birth AS MATERIALIZED (
        SELECT * FROM unnest($4::int[], $5::uuid[], $6::uuid[], $7::uuid[], $8::uuid[], $9::text[], $10::text[],
            $11::text[], $12::int2[], $13::jsonb[], $14::uuid[], $15::bigint[], $16::bigint[], $17::uuid[],
            $18::timestamptz[], $19::timestamptz[], $20::bigint[], $21::bigint[], $22::text[], $23::timestamptz[],
            $24::timestamptz[], $25::text[], $26::text[], $27::bytea[])
        AS b (b_change, b_tenant, b_id, b_root, b_parent, b_role, b_kind, b_state, b_priority, b_spec, b_agent,
            b_attempt, b_epoch, b_group, b_ready, b_deadline, b_seq, b_steps, b_trace, b_created, b_started, b_key,
            b_operation, b_hash)
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
            b_epoch, b_group, b_ready, b_deadline, b_seq, b_steps, b_trace, b_created, b_started FROM fit
     ), moved AS (",
    forward!(
        "unnest($28::int[], $29::uuid[], $30::uuid[], $31::bigint[], $32::bigint[], $33::bigint[], $34::bigint[],
            $35::bigint[], $36::bigint[], $37::bigint[], $38::bigint[], $39::text[], $40::jsonb[], $41::text[],
            $42::text[], $43::timestamptz[])
         AS c (c_change, c_tenant, c_id, c_epoch, c_events, c_steps, c_input, c_output, c_cached, c_models, c_tools,
            c_state, c_result, c_code, c_detail, c_ended)",
        "c_change, last_seq"
    ),
    "), verdict AS MATERIALIZED (
        SELECT change, max(seq) AS seq FROM (
            SELECT c_change AS change, last_seq AS seq FROM moved
            UNION ALL SELECT b_change, b_seq FROM fit
            UNION ALL SELECT b_change, -1 FROM birth
            UNION ALL SELECT generate_series(1, $44::int), -2
        ) AS each GROUP BY change
     ), places AS MATERIALIZED (
        SELECT array_agg(seq ORDER BY change) AS seq FROM verdict
     ), to_end AS MATERIALIZED (
        SELECT c.* FROM unnest($45::int[], $46::uuid[], $47::uuid[], $48::text[], $49::bigint[], $50::text[],
            $51::jsonb[], $52::jsonb[])
        AS c (c_change, c_tenant, c_task, c_key, c_attempt, c_state, c_result, c_usage), places
        WHERE places.seq[c_change] > 0
     ), ended AS (
        UPDATE steps SET state = c_state, result = c_result, usage = c_usage, finished_at = $1 FROM to_end
        WHERE tenant_id = c_tenant AND task_id = c_task AND step_key = c_key AND attempt = c_attempt
            AND state = 'started' RETURNING 1
     ), started AS (
        INSERT INTO steps (tenant_id, task_id, step_key, id, position, kind, name, state, attempt, epoch, input, usage,
            started_at)
        SELECT c_tenant, c_task, c_key, c_id, c_position, c_kind, c_name, 'started', c_attempt, c_epoch, c_input, $53::jsonb,
            $1
        FROM unnest($54::int[], $55::uuid[], $56::uuid[], $57::text[], $58::uuid[], $59::bigint[], $60::text[],
            $61::text[], $62::bigint[], $63::bigint[], $64::jsonb[])
        AS c (c_change, c_tenant, c_task, c_key, c_id, c_position, c_kind, c_name, c_attempt, c_epoch, c_input), places
        WHERE places.seq[c_change] > 0",
    super::steps::again!(),
    "), told AS (
        INSERT INTO outbox (tenant_id, id, target, payload, next_at, created_at)
        SELECT c_tenant, c_id, c_target, c_payload, $1, $1
        FROM unnest($65::int[], $66::uuid[], $67::uuid[], $68::text[], $69::jsonb[])
        AS c (c_change, c_tenant, c_id, c_target, c_payload), places WHERE places.seq[c_change] > 0
        ON CONFLICT (tenant_id, id) DO NOTHING
     ), line AS MATERIALIZED (
        SELECT c_tenant, c_task, c_root, places.seq[c_change] - c_back AS seq, c_type, c_data,
            row_number() OVER in_order AS nth, count(*) OVER (PARTITION BY c_tenant) AS of_tenant
        FROM unnest($70::int[], $71::uuid[], $72::uuid[], $73::uuid[], $74::bigint[], $75::text[], $76::jsonb[])
            WITH ORDINALITY
        AS c (c_change, c_tenant, c_task, c_root, c_back, c_type, c_data, c_nth), places
        WHERE places.seq[c_change] > 0
        WINDOW in_order AS (PARTITION BY c_tenant ORDER BY c_nth)
     ), numbered AS (
        INSERT INTO tenant_counters (tenant_id, tenant_seq)
        SELECT c_tenant, count(*) FROM line GROUP BY c_tenant ORDER BY c_tenant",
    super::events::more!(),
    "), listed AS (
        INSERT INTO events (tenant_id, task_id, seq, root_id, tenant_seq, type, data, at)
        SELECT c_tenant, c_task, line.seq, c_root, tenant_seq - of_tenant + nth, c_type, c_data, $1
        FROM line JOIN numbered ON tenant_id = c_tenant
     )
     SELECT change, seq / CAST((SELECT count(*) FROM ended) = (SELECT count(*) FROM to_end) AS int) AS seq
     FROM verdict"
);

pub(crate) const ALL: &[Text] = &[Text::Postgres(WRITE)];
