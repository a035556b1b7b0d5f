//! The rpcs: decode, authorize, call, encode.

mod api_keys;
mod encode;
mod request_key;
mod sessions;
mod tenants;
mod users;

use std::path::PathBuf;
use std::sync::Arc;

use swarm_proto::auth::v1::api_key_service_server::ApiKeyServiceServer;
use swarm_proto::auth::v1::session_service_server::SessionServiceServer;
use swarm_proto::auth::v1::tenant_service_server::TenantServiceServer;
use swarm_proto::auth::v1::user_service_server::UserServiceServer;
use swarm_types::Clock;
use tonic::service::Routes;

use crate::accounts::{ApiKeys, Tenants, Users};
use crate::keys::StoredKeys;
use crate::tokens::Sessions;

/// What takes no token, since it gives them.
pub(crate) const OPEN: &str = "swarm.auth.v1.SessionService";

/// All that the rpcs call.
pub(crate) struct Services {
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) keys: StoredKeys,
    pub(crate) users: Users,
    pub(crate) api_keys: ApiKeys,
    pub(crate) tenants: Tenants,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) min_password: usize,
    pub(crate) credential_file: PathBuf,
}

impl Services {
    pub(crate) fn routes(self) -> Routes {
        let Self {
            sessions,
            keys,
            users,
            api_keys,
            tenants,
            clock,
            min_password,
            credential_file,
        } = self;
        Routes::new(SessionServiceServer::new(sessions::SessionRpcs {
            sessions: sessions.clone(),
            keys,
            clock,
        }))
        .add_service(UserServiceServer::new(users::UserRpcs {
            users,
            sessions,
            credential_file,
            min_password,
        }))
        .add_service(ApiKeyServiceServer::new(api_keys::ApiKeyRpcs { api_keys }))
        .add_service(TenantServiceServer::new(tenants::TenantRpcs {
            tenants,
            min_password,
        }))
    }
}
