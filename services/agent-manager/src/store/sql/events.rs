//! Texts over `events`, whose rows each hold what one commit told of a task, and over the counter
//! that numbers them.

use swarm_database::check::Text;

macro_rules! columns {
    () => {
        "task_id, seq, root_id, tenant_seq, lines, at"
    };
}

pub(crate) const INSERT_PG: &str = "
    INSERT INTO events (tenant_id, task_id, seq, root_id, tenant_seq, lines, at)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::uuid[], $5::bigint[], $6::json[],
                         $7::timestamptz[])";
pub(crate) const INSERT_LITE: &str = "
    INSERT INTO events (tenant_id, task_id, seq, root_id, tenant_seq, lines, at)
    SELECT unhex(value->>0), unhex(value->>1), value->>2, unhex(value->>3), value->>4, value->>5, value->>6
    FROM json_each($1)";

macro_rules! more {
    () => {
        " ON CONFLICT (tenant_id) DO UPDATE SET tenant_seq = tenant_counters.tenant_seq + excluded.tenant_seq
          RETURNING tenant_id, tenant_seq"
    };
}

pub(super) use more;

macro_rules! next {
    ($from:literal) => {
        concat!(
            "INSERT INTO tenant_counters (tenant_id, tenant_seq) SELECT ",
            $from,
            more!()
        )
    };
}

/// Takes the next numbers of tenants and holds them until the commit, so it comes last. Every
/// transaction takes the tenants in the same order.
pub(crate) const NEXT_PG: &str =
    next!("* FROM unnest($1::uuid[], $2::bigint[]) AS c (c_tenant, c_count) ORDER BY c_tenant");
pub(crate) const NEXT_LITE: &str =
    next!("unhex(value->>0), value->>1 FROM json_each($1) WHERE TRUE");

pub(crate) const NEWEST: &str = "SELECT tenant_seq FROM tenant_counters WHERE tenant_id = $1";

pub(crate) const OF_TASK: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM events WHERE tenant_id = $1 AND task_id = $2 AND seq > $3 ORDER BY seq LIMIT $4"
);

pub(crate) const OF_TREE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM events WHERE tenant_id = $1 AND tenant_seq > $3 AND task_id IN (
        SELECT id FROM tasks WHERE tasks.tenant_id = $1 AND root_id = $2 AND parent_id IS NOT NULL
        UNION ALL SELECT id FROM tasks WHERE tasks.tenant_id = $1 AND id = $2)
      ORDER BY tenant_seq LIMIT $4"
);

pub(crate) const OF_TENANT: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM events WHERE tenant_id = $1 AND tenant_seq > $2 ORDER BY tenant_seq LIMIT $3"
);

pub(crate) const ALL: &[Text] = &[
    Text::Batch(INSERT_PG, INSERT_LITE),
    Text::Batch(NEXT_PG, NEXT_LITE),
    Text::Shared(NEWEST),
    Text::Shared(OF_TASK),
    Text::Shared(OF_TREE),
    Text::Shared(OF_TENANT),
];
