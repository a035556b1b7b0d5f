CREATE TABLE notes (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    small smallint NOT NULL DEFAULT 0,
    number bigint,
    ratio double precision,
    done boolean NOT NULL DEFAULT FALSE,
    body jsonb,
    bytes bytea,
    created_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, name)
);

CREATE TABLE remarks (
    tenant_id uuid NOT NULL,
    note_id uuid NOT NULL,
    seq bigint NOT NULL,
    PRIMARY KEY (tenant_id, note_id, seq),
    FOREIGN KEY (tenant_id, note_id) REFERENCES notes (tenant_id, id)
);
