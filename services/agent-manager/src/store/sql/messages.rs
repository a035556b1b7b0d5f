//! Texts over `messages`.

use swarm_database::check::Text;

macro_rules! columns {
    () => {
        "id, from_agent_id, to_agent_id, task_id, root_id, subject, body, state, sent_at, consumed_at, consumed_by"
    };
}

pub(crate) const INSERT_PG: &str = "
    INSERT INTO messages (tenant_id, id, from_agent_id, to_agent_id, task_id, root_id, subject, body, state, sent_at)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[],
                         $8::text[], $9::text[], $10::timestamptz[])";
pub(crate) const INSERT_LITE: &str = "
    INSERT INTO messages (tenant_id, id, from_agent_id, to_agent_id, task_id, root_id, subject, body, state, sent_at)
    SELECT unhex(value->>0), unhex(value->>1), unhex(value->>2), unhex(value->>3), unhex(value->>4), unhex(value->>5),
           value->>6, value->>7, value->>8, value->>9
    FROM json_each($1)";

pub(crate) const FIND: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM messages WHERE tenant_id = $1 AND id = $2"
);

pub(crate) const INBOX: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM messages WHERE tenant_id = $1 AND to_agent_id = $2 AND id > $3 AND state = 'pending' ORDER BY id LIMIT $4"
);

pub(crate) const INBOX_ALL: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM messages WHERE tenant_id = $1 AND to_agent_id = $2 AND id > $3 ORDER BY id LIMIT $4"
);

/// What waits for an agent within one tree.
pub(crate) const INBOX_OF_TREE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM messages WHERE tenant_id = $1 AND root_id = $2 AND to_agent_id = $3 AND state = 'pending'
      ORDER BY id LIMIT 100"
);

pub(crate) const OF_TREE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM messages WHERE tenant_id = $1 AND root_id = $2 ORDER BY id LIMIT 1000"
);

/// Takes a pending message up; nothing when another one was first.
pub(crate) const ACK: &str = concat!(
    "UPDATE messages SET state = 'consumed', consumed_at = $3
     WHERE tenant_id = $1 AND id = $2 AND state = 'pending' RETURNING ",
    columns!()
);

macro_rules! consume {
    ($from:literal) => {
        concat!(
            "UPDATE messages SET state = 'consumed', consumed_at = c_now, consumed_by = c_step FROM ",
            $from,
            " WHERE tenant_id = c_tenant AND id = c_id AND state = 'pending' RETURNING ",
            columns!()
        )
    };
}

pub(crate) const CONSUME_PG: &str = consume!(
    "unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[]) AS c (c_tenant, c_id, c_step, c_now)"
);
pub(crate) const CONSUME_LITE: &str = consume!(
    "(SELECT unhex(value->>0) AS c_tenant, unhex(value->>1) AS c_id, unhex(value->>2) AS c_step, value->>3 AS c_now
      FROM json_each($1)) AS c"
);

pub(crate) const ALL: &[Text] = &[
    Text::Batch(INSERT_PG, INSERT_LITE),
    Text::Shared(FIND),
    Text::Shared(INBOX),
    Text::Shared(INBOX_ALL),
    Text::Shared(INBOX_OF_TREE),
    Text::Shared(OF_TREE),
    Text::Shared(ACK),
    Text::Batch(CONSUME_PG, CONSUME_LITE),
];
