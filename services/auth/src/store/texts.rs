//! Every SQL text of auth, so that a test can prepare each on both databases.

use swarm_database::check::Text::{self, Pair, Shared};

pub(super) mod first_start {
    pub(in crate::store) const IS_DONE: &str = "SELECT name FROM first_starts WHERE name = $1";
    pub(in crate::store) const CLAIM: &str =
        "INSERT INTO first_starts (name, done_at) VALUES ($1, $2) ON CONFLICT DO NOTHING";
}

pub(super) mod signing_keys {
    pub(in crate::store) const INSERT: &str =
        "INSERT INTO signing_keys (kid, seed, public_key, created_at) VALUES ($1, $2, $3, $4)";
    pub(in crate::store) const NEWEST: &str =
        "SELECT kid, seed FROM signing_keys ORDER BY created_at DESC, kid LIMIT 1";
    pub(in crate::store) const PUBLIC: &str =
        "SELECT kid, public_key FROM signing_keys ORDER BY created_at DESC, kid";
}

pub(super) mod tenants {
    pub(in crate::store) const INSERT: &str = "
        INSERT INTO tenants (tenant_id, name, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    pub(in crate::store) const GET: &str =
        "SELECT tenant_id, name, created_at FROM tenants WHERE tenant_id = $1";
    pub(in crate::store) const LIST: &str = "
        SELECT tenant_id, name, created_at FROM tenants
        WHERE tenant_id > $1 ORDER BY tenant_id LIMIT $2";
}

pub(super) mod users {
    pub(in crate::store) const CLAIM_USERNAME: &str = "
        INSERT INTO usernames (username, tenant_id, user_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    pub(in crate::store) const INSERT: &str = "
        INSERT INTO users (tenant_id, user_id, username, password_hash, roles, created_at)
        VALUES ($1, $2, $3, $4, $5, $6)";
    pub(in crate::store) const GET: &str = "
        SELECT tenant_id, user_id, username, roles, created_at FROM users
        WHERE tenant_id = $1 AND user_id = $2";
    pub(in crate::store) const LIST: &str = "
        SELECT tenant_id, user_id, username, roles, created_at FROM users
        WHERE tenant_id = $1 AND user_id > $2 ORDER BY user_id LIMIT $3";
    pub(in crate::store) const PASSWORD_HASH: &str =
        "SELECT password_hash FROM users WHERE tenant_id = $1 AND user_id = $2";
    pub(in crate::store) const CREDENTIALS: &str = "
        SELECT u.tenant_id AS tenant_id, u.user_id AS user_id, u.username AS username,
               u.roles AS roles, u.created_at AS created_at, u.password_hash AS password_hash
        FROM usernames AS n
        JOIN users AS u ON u.tenant_id = n.tenant_id AND u.user_id = n.user_id
        WHERE n.username = $1";
    /// Exactly one of two changes that begin with the same password is made.
    pub(in crate::store) const CHANGE_PASSWORD: &str = "
        UPDATE users SET password_hash = $4
        WHERE tenant_id = $1 AND user_id = $2 AND password_hash = $3";
    /// Waits for a change that is under way, so that no session of the old password begins after it.
    pub(in crate::store) const HOLD_PASSWORD_PG: &str = "
        SELECT user_id FROM users
        WHERE tenant_id = $1 AND user_id = $2 AND password_hash = $3 FOR SHARE";
    pub(in crate::store) const HOLD_PASSWORD_LITE: &str = "
        SELECT user_id FROM users
        WHERE tenant_id = $1 AND user_id = $2 AND password_hash = $3";
    pub(in crate::store) const ID_BY_USERNAME: &str =
        "SELECT user_id FROM usernames WHERE username = $1 AND tenant_id = $2";
}

pub(super) mod api_keys {
    pub(in crate::store) const CLAIM_PREFIX: &str = "
        INSERT INTO api_key_prefixes (prefix, tenant_id, key_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    pub(in crate::store) const INSERT: &str = "
        INSERT INTO api_keys
            (tenant_id, key_id, name, prefix, secret_hash, roles, created_by, created_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    pub(in crate::store) const GET: &str = "
        SELECT tenant_id, key_id, name, prefix, secret_hash, roles, created_by, created_at, expires_at, revoked_at
        FROM api_keys WHERE tenant_id = $1 AND key_id = $2";
    pub(in crate::store) const LIST: &str = "
        SELECT tenant_id, key_id, name, prefix, secret_hash, roles, created_by, created_at, expires_at, revoked_at
        FROM api_keys WHERE tenant_id = $1 AND key_id > $2 ORDER BY key_id LIMIT $3";
    pub(in crate::store) const BY_PREFIX: &str = "
        SELECT k.tenant_id AS tenant_id, k.key_id AS key_id, k.name AS name, k.prefix AS prefix,
               k.secret_hash AS secret_hash, k.roles AS roles, k.created_by AS created_by,
               k.created_at AS created_at, k.expires_at AS expires_at, k.revoked_at AS revoked_at
        FROM api_key_prefixes AS p
        JOIN api_keys AS k ON k.tenant_id = p.tenant_id AND k.key_id = p.key_id
        WHERE p.prefix = $1";
    pub(in crate::store) const REVOKE: &str = "
        UPDATE api_keys SET revoked_at = $3
        WHERE tenant_id = $1 AND key_id = $2 AND revoked_at IS NULL";
}

pub(super) mod sessions {
    pub(in crate::store) const INSERT: &str = "
        INSERT INTO sessions (tenant_id, session_id, user_id, created_at, expires_at)
        VALUES ($1, $2, $3, $4, $5)";
    pub(in crate::store) const INSERT_TOKEN: &str = "
        INSERT INTO refresh_tokens (tenant_id, session_id, token_hash, issued_at) VALUES ($1, $2, $3, $4)";
    /// Exactly one of two that come with the same token spends it.
    pub(in crate::store) const SPEND_TOKEN: &str = "
        UPDATE refresh_tokens SET spent_at = $4
        WHERE tenant_id = $1 AND session_id = $2 AND token_hash = $3 AND spent_at IS NULL";
    pub(in crate::store) const HAS_TOKEN: &str = "
        SELECT session_id FROM refresh_tokens WHERE tenant_id = $1 AND session_id = $2 AND token_hash = $3";
    pub(in crate::store) const LIVE_USER: &str = "
        SELECT user_id FROM sessions
        WHERE tenant_id = $1 AND session_id = $2 AND ended_at IS NULL AND expires_at > $3";
    pub(in crate::store) const END: &str = "
        UPDATE sessions SET ended_at = $3, end_reason = $4
        WHERE tenant_id = $1 AND session_id = $2 AND ended_at IS NULL";
    pub(in crate::store) const END_ALL: &str = "
        UPDATE sessions SET ended_at = $3, end_reason = $4
        WHERE tenant_id = $1 AND user_id = $2 AND ended_at IS NULL";
    pub(in crate::store) const DELETE_EXPIRED: &str = "DELETE FROM sessions WHERE expires_at <= $1";
}

pub(super) mod requests {
    pub(in crate::store) const CLAIM: &str = "
        INSERT INTO requests (tenant_id, key, operation, body_hash, resource_id, created_at)
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
    pub(in crate::store) const GET: &str =
        "SELECT operation, body_hash, resource_id FROM requests WHERE tenant_id = $1 AND key = $2";
    pub(in crate::store) const DELETE_BEFORE: &str = "DELETE FROM requests WHERE created_at <= $1";
}

/// Every text.
pub const TEXTS: &[Text] = &[
    Shared(first_start::IS_DONE),
    Shared(first_start::CLAIM),
    Shared(signing_keys::INSERT),
    Shared(signing_keys::NEWEST),
    Shared(signing_keys::PUBLIC),
    Shared(tenants::INSERT),
    Shared(tenants::GET),
    Shared(tenants::LIST),
    Shared(users::CLAIM_USERNAME),
    Shared(users::INSERT),
    Shared(users::GET),
    Shared(users::LIST),
    Shared(users::PASSWORD_HASH),
    Shared(users::CREDENTIALS),
    Shared(users::CHANGE_PASSWORD),
    Pair(users::HOLD_PASSWORD_PG, users::HOLD_PASSWORD_LITE),
    Shared(users::ID_BY_USERNAME),
    Shared(api_keys::CLAIM_PREFIX),
    Shared(api_keys::INSERT),
    Shared(api_keys::GET),
    Shared(api_keys::LIST),
    Shared(api_keys::BY_PREFIX),
    Shared(api_keys::REVOKE),
    Shared(sessions::INSERT),
    Shared(sessions::INSERT_TOKEN),
    Shared(sessions::SPEND_TOKEN),
    Shared(sessions::HAS_TOKEN),
    Shared(sessions::LIVE_USER),
    Shared(sessions::END),
    Shared(sessions::END_ALL),
    Shared(sessions::DELETE_EXPIRED),
    Shared(requests::CLAIM),
    Shared(requests::GET),
    Shared(requests::DELETE_BEFORE),
];
