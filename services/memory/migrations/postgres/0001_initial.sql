-- One row a namespace of a tenant. Whoever changes a memory of it raises change_number in the
-- same transaction, so that an index knows by one number whether it is fresh.
CREATE TABLE namespaces (
    tenant_id     uuid   NOT NULL,
    namespace     text   NOT NULL,
    change_number bigint NOT NULL,
    memory_count  bigint NOT NULL,
    PRIMARY KEY (tenant_id, namespace)
);

CREATE TABLE memories (
    tenant_id     uuid             NOT NULL,
    id            uuid             NOT NULL,
    namespace     text             NOT NULL,
    kind          text             NOT NULL,
    content       text             NOT NULL,
    content_hash  bytea            NOT NULL,
    metadata      jsonb            NOT NULL,
    tags          jsonb            NOT NULL,
    importance    double precision NOT NULL,
    source        text             NOT NULL,
    task_id       uuid,
    agent_id      uuid,
    expires_at    timestamptz,
    version       bigint           NOT NULL,
    change_number bigint           NOT NULL,
    created_at    timestamptz      NOT NULL,
    updated_at    timestamptz      NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX memories_by_namespace ON memories (tenant_id, namespace, id);
CREATE INDEX memories_by_change ON memories (tenant_id, namespace, change_number, id);
CREATE INDEX memories_by_content ON memories (tenant_id, content_hash);
CREATE INDEX memories_by_expiry ON memories (tenant_id, expires_at) WHERE expires_at IS NOT NULL;

-- Vectors are kept by content: equal texts share one, and a text that comes back needs none.
CREATE TABLE embeddings (
    tenant_id    uuid        NOT NULL,
    content_hash bytea       NOT NULL,
    model        text        NOT NULL,
    dimension    integer     NOT NULL,
    vector       bytea       NOT NULL,
    created_at   timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, content_hash, model)
);

-- Answers to writes that bore a key, so that a repeat gets the first one's answer.
CREATE TABLE requests (
    tenant_id   uuid        NOT NULL,
    request_key text        NOT NULL,
    body_hash   bytea       NOT NULL,
    answer      bytea       NOT NULL,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, request_key)
);
CREATE INDEX requests_by_age ON requests (tenant_id, created_at);
