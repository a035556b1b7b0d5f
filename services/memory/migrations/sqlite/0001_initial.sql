-- One row a namespace of a tenant. Whoever changes a memory of it raises change_number in the
-- same transaction, so that an index knows by one number whether it is fresh.
CREATE TABLE namespaces (
    tenant_id     BLOB    NOT NULL,
    namespace     TEXT    NOT NULL,
    change_number INTEGER NOT NULL,
    memory_count  INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, namespace)
) STRICT;

CREATE TABLE memories (
    tenant_id     BLOB    NOT NULL,
    id            BLOB    NOT NULL,
    namespace     TEXT    NOT NULL,
    kind          TEXT    NOT NULL,
    content       TEXT    NOT NULL,
    content_hash  BLOB    NOT NULL,
    metadata      TEXT    NOT NULL CHECK (json_valid(metadata)),
    tags          TEXT    NOT NULL CHECK (json_valid(tags)),
    importance    REAL    NOT NULL,
    source        TEXT    NOT NULL,
    task_id       BLOB,
    agent_id      BLOB,
    expires_at    TEXT,
    version       INTEGER NOT NULL,
    change_number INTEGER NOT NULL,
    created_at    TEXT    NOT NULL,
    updated_at    TEXT    NOT NULL,
    PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE INDEX memories_by_namespace ON memories (tenant_id, namespace, id);
CREATE INDEX memories_by_change ON memories (tenant_id, namespace, change_number, id);
CREATE INDEX memories_by_content ON memories (tenant_id, content_hash);
CREATE INDEX memories_by_expiry ON memories (tenant_id, expires_at) WHERE expires_at IS NOT NULL;

-- Vectors are kept by content: equal texts share one, and a text that comes back needs none.
CREATE TABLE embeddings (
    tenant_id    BLOB    NOT NULL,
    content_hash BLOB    NOT NULL,
    model        TEXT    NOT NULL,
    dimension    INTEGER NOT NULL,
    vector       BLOB    NOT NULL,
    created_at   TEXT    NOT NULL,
    PRIMARY KEY (tenant_id, content_hash, model)
) STRICT;

-- Answers to writes that bore a key, so that a repeat gets the first one's answer.
CREATE TABLE requests (
    tenant_id   BLOB NOT NULL,
    request_key TEXT NOT NULL,
    body_hash   BLOB NOT NULL,
    answer      BLOB NOT NULL,
    created_at  TEXT NOT NULL,
    PRIMARY KEY (tenant_id, request_key)
) STRICT;
CREATE INDEX requests_by_age ON requests (tenant_id, created_at);
