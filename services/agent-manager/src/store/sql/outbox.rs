//! Texts over `outbox` and `idempotency`.

use swarm_database::check::Text;

macro_rules! insert {
    ($from:literal) => {
        concat!(
            "INSERT INTO outbox (tenant_id, id, target, payload, next_at, created_at) SELECT ",
            $from,
            " ON CONFLICT (tenant_id, id) DO NOTHING"
        )
    };
}

pub(crate) const INSERT_PG: &str = insert!(
    "* FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::json[], $5::timestamptz[], $6::timestamptz[])"
);
pub(crate) const INSERT_LITE: &str = insert!(
    "unhex(value->>0), unhex(value->>1), value->>2, value->>3, value->>4, value->>5 FROM json_each($1) WHERE TRUE"
);

pub(crate) const DUE: &str = "
    SELECT tenant_id, id, target, payload, attempts FROM outbox WHERE next_at <= $1 ORDER BY next_at LIMIT 100";

pub(crate) const DONE_PG: &str = "DELETE FROM outbox USING unnest($1::uuid[], $2::uuid[]) AS c (c_tenant, c_id) WHERE tenant_id = c_tenant AND id = c_id";
pub(crate) const DONE_LITE: &str = "
    DELETE FROM outbox WHERE (tenant_id, id) IN (SELECT unhex(value->>0), unhex(value->>1) FROM json_each($1))";

macro_rules! later {
    ($from:literal) => {
        concat!(
            "UPDATE outbox SET attempts = attempts + 1, next_at = c_next FROM ",
            $from,
            " WHERE tenant_id = c_tenant AND id = c_id"
        )
    };
}

pub(crate) const LATER_PG: &str =
    later!("unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) AS c (c_tenant, c_id, c_next)");
pub(crate) const LATER_LITE: &str = later!(
    "(SELECT unhex(value->>0) AS c_tenant, unhex(value->>1) AS c_id, value->>2 AS c_next FROM json_each($1)) AS c"
);

pub(crate) const FIND_KEY: &str =
    "SELECT operation, body_hash, answer_id FROM idempotency WHERE tenant_id = $1 AND key = $2";

macro_rules! insert_keys {
    ($from:literal) => {
        concat!(
            "INSERT INTO idempotency (tenant_id, key, operation, body_hash, answer_id, created_at) SELECT ",
            $from,
            " ON CONFLICT (tenant_id, key) DO NOTHING RETURNING answer_id"
        )
    };
}

pub(crate) const INSERT_KEYS_PG: &str = insert_keys!(
    "* FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bytea[], $5::uuid[], $6::timestamptz[])"
);
pub(crate) const INSERT_KEYS_LITE: &str = insert_keys!(
    "unhex(value->>0), value->>1, value->>2, unhex(value->>3), unhex(value->>4), value->>5
     FROM json_each($1) WHERE TRUE"
);

pub(crate) const ALL: &[Text] = &[
    Text::Batch(INSERT_PG, INSERT_LITE),
    Text::Shared(DUE),
    Text::Batch(DONE_PG, DONE_LITE),
    Text::Batch(LATER_PG, LATER_LITE),
    Text::Shared(FIND_KEY),
    Text::Batch(INSERT_KEYS_PG, INSERT_KEYS_LITE),
];
