//! Records to messages.

use swarm_identity::Role;
use swarm_proto::auth::v1 as wire;
use swarm_proto::convert::to_wire_time;

use crate::store::{ApiKeyRecord, TenantRecord, UserRecord};
use crate::tokens::Tokens;

pub(super) fn tokens(tokens: Tokens) -> wire::Tokens {
    wire::Tokens {
        access_token: tokens.access.token,
        expires_in: tokens.access.expires_in,
        refresh_token: tokens.refresh.unwrap_or_default(),
    }
}

pub(super) fn user(user: UserRecord) -> wire::User {
    wire::User {
        id: user.id.to_string(),
        tenant_id: user.tenant.to_string(),
        username: user.username,
        roles: roles(&user.roles),
        created_at: Some(to_wire_time(user.created_at)),
    }
}

pub(super) fn api_key(key: ApiKeyRecord) -> wire::ApiKey {
    wire::ApiKey {
        id: key.id.to_string(),
        name: key.name,
        prefix: key.prefix,
        roles: roles(&key.roles),
        created_at: Some(to_wire_time(key.created_at)),
        expires_at: key.expires_at.map(to_wire_time),
        revoked_at: key.revoked_at.map(to_wire_time),
    }
}

pub(super) fn tenant(tenant: TenantRecord) -> wire::Tenant {
    wire::Tenant {
        id: tenant.id.to_string(),
        name: tenant.name,
        created_at: Some(to_wire_time(tenant.created_at)),
    }
}

fn roles(roles: &[Role]) -> Vec<String> {
    roles.iter().map(ToString::to_string).collect()
}
