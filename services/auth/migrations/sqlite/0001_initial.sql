-- What happens once in the life of the database, whichever replica comes first.
CREATE TABLE first_starts (
    name TEXT PRIMARY KEY,
    done_at TEXT NOT NULL
) STRICT;

-- Every key is published; the newest one signs.
CREATE TABLE signing_keys (
    kid TEXT PRIMARY KEY,
    seed BLOB NOT NULL,
    public_key BLOB NOT NULL,
    created_at TEXT NOT NULL
) STRICT;

CREATE TABLE tenants (
    tenant_id BLOB PRIMARY KEY,
    name TEXT NOT NULL,
    created_at TEXT NOT NULL,
    UNIQUE (name)
) STRICT;

CREATE TABLE users (
    tenant_id BLOB NOT NULL REFERENCES tenants (tenant_id),
    user_id BLOB NOT NULL,
    username TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    roles TEXT NOT NULL CHECK (json_valid(roles)),
    created_at TEXT NOT NULL,
    PRIMARY KEY (tenant_id, user_id)
) STRICT;

-- Whoever logs in says a name and no tenant: a small directory of all tenants.
CREATE TABLE usernames (
    username TEXT PRIMARY KEY,
    tenant_id BLOB NOT NULL,
    user_id BLOB NOT NULL
) STRICT;

CREATE TABLE api_keys (
    tenant_id BLOB NOT NULL REFERENCES tenants (tenant_id),
    key_id BLOB NOT NULL,
    name TEXT NOT NULL,
    prefix TEXT NOT NULL,
    secret_hash BLOB NOT NULL,
    roles TEXT NOT NULL CHECK (json_valid(roles)),
    created_by TEXT NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT,
    revoked_at TEXT,
    PRIMARY KEY (tenant_id, key_id)
) STRICT;

-- A key's secret says no tenant either.
CREATE TABLE api_key_prefixes (
    prefix TEXT PRIMARY KEY,
    tenant_id BLOB NOT NULL,
    key_id BLOB NOT NULL
) STRICT;

-- A login and the family of refresh tokens that came from it.
CREATE TABLE sessions (
    tenant_id BLOB NOT NULL,
    session_id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    ended_at TEXT,
    end_reason TEXT,
    PRIMARY KEY (tenant_id, session_id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, user_id)
) STRICT;

CREATE INDEX sessions_by_user ON sessions (tenant_id, user_id);

CREATE TABLE refresh_tokens (
    tenant_id BLOB NOT NULL,
    session_id BLOB NOT NULL,
    token_hash BLOB NOT NULL,
    issued_at TEXT NOT NULL,
    spent_at TEXT,
    PRIMARY KEY (tenant_id, session_id, token_hash),
    FOREIGN KEY (tenant_id, session_id) REFERENCES sessions (tenant_id, session_id) ON DELETE CASCADE
) STRICT;

-- Writes that bore a request key, so that a repeat finds what the first one made.
CREATE TABLE requests (
    tenant_id BLOB NOT NULL,
    key TEXT NOT NULL,
    operation TEXT NOT NULL,
    body_hash BLOB NOT NULL,
    resource_id BLOB NOT NULL,
    created_at TEXT NOT NULL,
    PRIMARY KEY (tenant_id, key)
) STRICT;
