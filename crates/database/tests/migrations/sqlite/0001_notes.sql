CREATE TABLE notes (
    tenant_id BLOB NOT NULL,
    id BLOB NOT NULL,
    name TEXT NOT NULL,
    small INTEGER NOT NULL DEFAULT 0,
    number INTEGER,
    ratio REAL,
    done INTEGER NOT NULL DEFAULT FALSE,
    body TEXT CHECK (json_valid(body)),
    bytes BLOB,
    created_at TEXT,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, name)
) STRICT;

CREATE TABLE remarks (
    tenant_id BLOB NOT NULL,
    note_id BLOB NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, note_id, seq),
    FOREIGN KEY (tenant_id, note_id) REFERENCES notes (tenant_id, id)
) STRICT;
