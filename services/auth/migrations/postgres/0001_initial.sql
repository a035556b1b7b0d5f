-- What happens once in the life of the database, whichever replica comes first.
CREATE TABLE first_starts (
    name text PRIMARY KEY,
    done_at timestamptz NOT NULL
);

-- Every key is published; the newest one signs.
CREATE TABLE signing_keys (
    kid text PRIMARY KEY,
    seed bytea NOT NULL,
    public_key bytea NOT NULL,
    created_at timestamptz NOT NULL
);

CREATE TABLE tenants (
    tenant_id uuid PRIMARY KEY,
    name text NOT NULL,
    created_at timestamptz NOT NULL,
    UNIQUE (name)
);

CREATE TABLE users (
    tenant_id uuid NOT NULL REFERENCES tenants (tenant_id),
    user_id uuid NOT NULL,
    username text NOT NULL,
    password_hash text NOT NULL,
    roles jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, user_id)
);

-- Whoever logs in says a name and no tenant: a small directory of all tenants.
CREATE TABLE usernames (
    username text PRIMARY KEY,
    tenant_id uuid NOT NULL,
    user_id uuid NOT NULL
);

CREATE TABLE api_keys (
    tenant_id uuid NOT NULL REFERENCES tenants (tenant_id),
    key_id uuid NOT NULL,
    name text NOT NULL,
    prefix text NOT NULL,
    secret_hash bytea NOT NULL,
    roles jsonb NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz,
    PRIMARY KEY (tenant_id, key_id)
);

-- A key's secret says no tenant either.
CREATE TABLE api_key_prefixes (
    prefix text PRIMARY KEY,
    tenant_id uuid NOT NULL,
    key_id uuid NOT NULL
);

-- A login and the family of refresh tokens that came from it.
CREATE TABLE sessions (
    tenant_id uuid NOT NULL,
    session_id uuid NOT NULL,
    user_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    end_reason text,
    PRIMARY KEY (tenant_id, session_id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, user_id)
);

CREATE INDEX sessions_by_user ON sessions (tenant_id, user_id);

CREATE TABLE refresh_tokens (
    tenant_id uuid NOT NULL,
    session_id uuid NOT NULL,
    token_hash bytea NOT NULL,
    issued_at timestamptz NOT NULL,
    spent_at timestamptz,
    PRIMARY KEY (tenant_id, session_id, token_hash),
    FOREIGN KEY (tenant_id, session_id) REFERENCES sessions (tenant_id, session_id) ON DELETE CASCADE
);

-- Writes that bore a request key, so that a repeat finds what the first one made.
CREATE TABLE requests (
    tenant_id uuid NOT NULL,
    key text NOT NULL,
    operation text NOT NULL,
    body_hash bytea NOT NULL,
    resource_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, key)
);
