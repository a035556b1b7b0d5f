//! Every text. Lists are JSON arrays of texts, which both databases take apart.

use swarm_database::check::Text;

macro_rules! memory_columns {
    () => {
        "id, namespace, kind, content, metadata, tags, importance, source, task_id, agent_id, expires_at, version, \
         created_at, updated_at"
    };
}

pub(super) const GET: &str = concat!(
    "SELECT ",
    memory_columns!(),
    " FROM memories WHERE tenant_id = $1 AND id = $2 AND (expires_at IS NULL OR expires_at > $3)"
);

pub(super) const LIST: &str = concat!(
    "SELECT ",
    memory_columns!(),
    " FROM memories WHERE tenant_id = $1 AND id > $2 AND (expires_at IS NULL OR expires_at > $3) ORDER BY id LIMIT $4"
);

pub(super) const LIST_NAMESPACE: &str = concat!(
    "SELECT ",
    memory_columns!(),
    " FROM memories WHERE tenant_id = $1 AND id > $2 AND (expires_at IS NULL OR expires_at > $3) AND namespace = $5 \
     ORDER BY id LIMIT $4"
);

pub(super) const BY_IDS_POSTGRES: &str = concat!(
    "SELECT ",
    memory_columns!(),
    " FROM memories WHERE tenant_id = $1 \
     AND id IN (SELECT j.value::uuid FROM json_array_elements_text($2::text::json) AS j(value))"
);
pub(super) const BY_IDS_SQLITE: &str = concat!(
    "SELECT ",
    memory_columns!(),
    " FROM memories WHERE tenant_id = $1 AND id IN (SELECT unhex(value) FROM json_each($2))"
);

pub(super) const LOCK_BY_IDS_POSTGRES: &str = concat!(
    "SELECT ",
    memory_columns!(),
    " FROM memories WHERE tenant_id = $1 \
     AND id IN (SELECT j.value::uuid FROM json_array_elements_text($2::text::json) AS j(value)) ORDER BY id FOR UPDATE"
);

/// What an index reads of a namespace, in the order of changes.
pub(super) const CHANGED: &str = "SELECT m.id AS id, m.kind AS kind, m.content AS content, \
     m.content_hash AS content_hash, m.tags AS tags, m.expires_at AS expires_at, m.change_number AS change_number, \
     e.vector AS vector \
     FROM memories m LEFT JOIN embeddings e \
     ON e.tenant_id = m.tenant_id AND e.content_hash = m.content_hash AND e.model = $3 \
     WHERE m.tenant_id = $1 AND m.namespace = $2 AND (m.change_number, m.id) > ($4, $5) \
     ORDER BY m.change_number, m.id LIMIT $6";

pub(super) const IDS: &str = "SELECT id FROM memories WHERE tenant_id = $1 AND namespace = $2";

pub(super) const NAMESPACE_OF: &str =
    "SELECT namespace FROM memories WHERE tenant_id = $1 AND id = $2";

pub(super) const NAMESPACES_OF_POSTGRES: &str = "SELECT DISTINCT namespace FROM memories WHERE tenant_id = $1 \
     AND id IN (SELECT j.value::uuid FROM json_array_elements_text($2::text::json) AS j(value))";
pub(super) const NAMESPACES_OF_SQLITE: &str = "SELECT DISTINCT namespace FROM memories WHERE tenant_id = $1 \
     AND id IN (SELECT unhex(value) FROM json_each($2))";

pub(super) const EXPIRED: &str = "SELECT id, namespace FROM memories WHERE tenant_id = $1 AND expires_at IS NOT NULL \
     AND expires_at <= $2 ORDER BY expires_at LIMIT $3";

/// The version is the guard: a memory that came under the same id in between is not overwritten.
pub(super) const PUT_POSTGRES: &str = "INSERT INTO memories (tenant_id, id, namespace, kind, content, content_hash, \
     metadata, tags, importance, source, task_id, agent_id, expires_at, version, change_number, created_at, updated_at) \
     SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::bytea[], $7::jsonb[], \
     $8::jsonb[], $9::double precision[], $10::text[], $11::uuid[], $12::uuid[], $13::timestamptz[], $14::bigint[], \
     $15::bigint[], $16::timestamptz[], $17::timestamptz[]) \
     ON CONFLICT (tenant_id, id) DO UPDATE SET namespace = excluded.namespace, kind = excluded.kind, \
     content = excluded.content, content_hash = excluded.content_hash, metadata = excluded.metadata, \
     tags = excluded.tags, importance = excluded.importance, source = excluded.source, task_id = excluded.task_id, \
     agent_id = excluded.agent_id, expires_at = excluded.expires_at, version = excluded.version, \
     change_number = excluded.change_number, created_at = excluded.created_at, updated_at = excluded.updated_at \
     WHERE memories.version = excluded.version - 1";
pub(super) const PUT_SQLITE: &str = "INSERT INTO memories (tenant_id, id, namespace, kind, content, content_hash, \
     metadata, tags, importance, source, task_id, agent_id, expires_at, version, change_number, created_at, updated_at) \
     SELECT unhex(value->>0), unhex(value->>1), value->>2, value->>3, value->>4, unhex(value->>5), value->>6, \
     value->>7, value->>8, value->>9, unhex(value->>10), unhex(value->>11), value->>12, value->>13, value->>14, \
     value->>15, value->>16 FROM json_each($1) WHERE true \
     ON CONFLICT (tenant_id, id) DO UPDATE SET namespace = excluded.namespace, kind = excluded.kind, \
     content = excluded.content, content_hash = excluded.content_hash, metadata = excluded.metadata, \
     tags = excluded.tags, importance = excluded.importance, source = excluded.source, task_id = excluded.task_id, \
     agent_id = excluded.agent_id, expires_at = excluded.expires_at, version = excluded.version, \
     change_number = excluded.change_number, created_at = excluded.created_at, updated_at = excluded.updated_at \
     WHERE memories.version = excluded.version - 1";

pub(super) const DELETE_POSTGRES: &str = "DELETE FROM memories WHERE tenant_id = $1 \
     AND id IN (SELECT j.value::uuid FROM json_array_elements_text($2::text::json) AS j(value)) \
     RETURNING id AS id, namespace AS namespace";
pub(super) const DELETE_SQLITE: &str = "DELETE FROM memories WHERE tenant_id = $1 \
     AND id IN (SELECT unhex(value) FROM json_each($2)) RETURNING id AS id, namespace AS namespace";

/// Looks again: what was expired may have been put anew.
pub(super) const DELETE_EXPIRED_POSTGRES: &str = "DELETE FROM memories WHERE tenant_id = $1 \
     AND id IN (SELECT j.value::uuid FROM json_array_elements_text($2::text::json) AS j(value)) \
     AND expires_at IS NOT NULL AND expires_at <= $3 RETURNING id AS id, namespace AS namespace";
pub(super) const DELETE_EXPIRED_SQLITE: &str = "DELETE FROM memories WHERE tenant_id = $1 \
     AND id IN (SELECT unhex(value) FROM json_each($2)) AND expires_at IS NOT NULL AND expires_at <= $3 \
     RETURNING id AS id, namespace AS namespace";

pub(super) const TENANTS: &str = "SELECT DISTINCT tenant_id FROM namespaces";

pub(super) const STATES_POSTGRES: &str = "SELECT namespace, change_number, memory_count FROM namespaces \
     WHERE tenant_id = $1 AND namespace IN (SELECT j.value FROM json_array_elements_text($2::text::json) AS j(value))";
pub(super) const STATES_SQLITE: &str = "SELECT namespace, change_number, memory_count FROM namespaces \
     WHERE tenant_id = $1 AND namespace IN (SELECT value FROM json_each($2))";

/// In one order, so that two writers of the same namespaces wait and do not clash.
pub(super) const LOCK_STATES_POSTGRES: &str = "SELECT namespace, change_number, memory_count FROM namespaces \
     WHERE tenant_id = $1 AND namespace IN (SELECT j.value FROM json_array_elements_text($2::text::json) AS j(value)) \
     ORDER BY namespace FOR UPDATE";

pub(super) const ADD_NAMESPACES_POSTGRES: &str = "INSERT INTO namespaces (tenant_id, namespace, change_number, \
     memory_count) SELECT n.tenant_id, n.namespace, 0, 0 FROM unnest($1::uuid[], $2::text[]) AS n(tenant_id, namespace) \
     ON CONFLICT (tenant_id, namespace) DO NOTHING";
pub(super) const ADD_NAMESPACES_SQLITE: &str = "INSERT INTO namespaces (tenant_id, namespace, change_number, \
     memory_count) SELECT unhex(value->>0), value->>1, 0, 0 FROM json_each($1) WHERE true \
     ON CONFLICT (tenant_id, namespace) DO NOTHING";

pub(super) const COUNT_CHANGES_POSTGRES: &str = "UPDATE namespaces SET change_number = namespaces.change_number + 1, \
     memory_count = namespaces.memory_count + d.difference \
     FROM unnest($1::uuid[], $2::text[], $3::bigint[]) AS d(tenant_id, namespace, difference) \
     WHERE namespaces.tenant_id = d.tenant_id AND namespaces.namespace = d.namespace";
pub(super) const COUNT_CHANGES_SQLITE: &str = "UPDATE namespaces SET change_number = namespaces.change_number + 1, \
     memory_count = namespaces.memory_count + d.difference \
     FROM (SELECT unhex(value->>0) AS tenant_id, value->>1 AS namespace, value->>2 AS difference FROM json_each($1)) AS d \
     WHERE namespaces.tenant_id = d.tenant_id AND namespaces.namespace = d.namespace";

pub(super) const EMBEDDED_POSTGRES: &str = "SELECT content_hash FROM embeddings WHERE tenant_id = $1 AND model = $2 \
     AND content_hash IN (SELECT decode(j.value, 'hex') FROM json_array_elements_text($3::text::json) AS j(value))";
pub(super) const EMBEDDED_SQLITE: &str = "SELECT content_hash FROM embeddings WHERE tenant_id = $1 AND model = $2 \
     AND content_hash IN (SELECT unhex(value) FROM json_each($3))";

pub(super) const VECTORS_POSTGRES: &str = "SELECT content_hash, vector FROM embeddings WHERE tenant_id = $1 \
     AND model = $2 \
     AND content_hash IN (SELECT decode(j.value, 'hex') FROM json_array_elements_text($3::text::json) AS j(value))";
pub(super) const VECTORS_SQLITE: &str = "SELECT content_hash, vector FROM embeddings WHERE tenant_id = $1 \
     AND model = $2 AND content_hash IN (SELECT unhex(value) FROM json_each($3))";

pub(super) const PUT_EMBEDDINGS_POSTGRES: &str = "INSERT INTO embeddings (tenant_id, content_hash, model, dimension, \
     vector, created_at) SELECT * FROM unnest($1::uuid[], $2::bytea[], $3::text[], $4::integer[], $5::bytea[], \
     $6::timestamptz[]) ON CONFLICT (tenant_id, content_hash, model) DO NOTHING";
pub(super) const PUT_EMBEDDINGS_SQLITE: &str = "INSERT INTO embeddings (tenant_id, content_hash, model, dimension, \
     vector, created_at) SELECT unhex(value->>0), unhex(value->>1), value->>2, value->>3, unhex(value->>4), value->>5 \
     FROM json_each($1) WHERE true ON CONFLICT (tenant_id, content_hash, model) DO NOTHING";

pub(super) const CONTENTS_POSTGRES: &str = "SELECT DISTINCT content_hash, content FROM memories WHERE tenant_id = $1 \
     AND content_hash IN (SELECT decode(j.value, 'hex') FROM json_array_elements_text($2::text::json) AS j(value))";
pub(super) const CONTENTS_SQLITE: &str = "SELECT DISTINCT content_hash, content FROM memories WHERE tenant_id = $1 \
     AND content_hash IN (SELECT unhex(value) FROM json_each($2))";

/// Of contents that nobody remembers any more.
pub(super) const DELETE_ORPHANS: &str = "DELETE FROM embeddings WHERE tenant_id = $1 AND content_hash IN (\
     SELECT o.content_hash FROM embeddings o WHERE o.tenant_id = $1 AND o.created_at < $2 AND NOT EXISTS (\
     SELECT 1 FROM memories m WHERE m.tenant_id = o.tenant_id AND m.content_hash = o.content_hash) LIMIT $3)";

pub(super) const FIND_REQUEST: &str =
    "SELECT body_hash, answer FROM requests WHERE tenant_id = $1 AND request_key = $2";

pub(super) const ADD_REQUEST: &str = "INSERT INTO requests (tenant_id, request_key, body_hash, answer, created_at) \
     VALUES ($1, $2, $3, $4, $5) ON CONFLICT (tenant_id, request_key) DO NOTHING";

pub(super) const DELETE_REQUESTS: &str =
    "DELETE FROM requests WHERE tenant_id = $1 AND created_at < $2";

/// Every text, for the test that prepares each on both databases.
pub const TEXTS: &[Text] = &[
    Text::Shared(GET),
    Text::Shared(LIST),
    Text::Shared(LIST_NAMESPACE),
    Text::Pair(BY_IDS_POSTGRES, BY_IDS_SQLITE),
    Text::Pair(LOCK_BY_IDS_POSTGRES, BY_IDS_SQLITE),
    Text::Shared(CHANGED),
    Text::Shared(IDS),
    Text::Shared(NAMESPACE_OF),
    Text::Pair(NAMESPACES_OF_POSTGRES, NAMESPACES_OF_SQLITE),
    Text::Shared(EXPIRED),
    Text::Batch(PUT_POSTGRES, PUT_SQLITE),
    Text::Pair(DELETE_POSTGRES, DELETE_SQLITE),
    Text::Pair(DELETE_EXPIRED_POSTGRES, DELETE_EXPIRED_SQLITE),
    Text::Shared(TENANTS),
    Text::Pair(STATES_POSTGRES, STATES_SQLITE),
    Text::Pair(LOCK_STATES_POSTGRES, STATES_SQLITE),
    Text::Batch(ADD_NAMESPACES_POSTGRES, ADD_NAMESPACES_SQLITE),
    Text::Batch(COUNT_CHANGES_POSTGRES, COUNT_CHANGES_SQLITE),
    Text::Pair(EMBEDDED_POSTGRES, EMBEDDED_SQLITE),
    Text::Pair(VECTORS_POSTGRES, VECTORS_SQLITE),
    Text::Batch(PUT_EMBEDDINGS_POSTGRES, PUT_EMBEDDINGS_SQLITE),
    Text::Pair(CONTENTS_POSTGRES, CONTENTS_SQLITE),
    Text::Shared(DELETE_ORPHANS),
    Text::Shared(FIND_REQUEST),
    Text::Shared(ADD_REQUEST),
    Text::Shared(DELETE_REQUESTS),
];
