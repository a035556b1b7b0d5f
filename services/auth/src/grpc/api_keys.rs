//! The rpcs on API keys.

use swarm_identity::Permission;
use swarm_proto::auth::v1 as wire;
use swarm_proto::auth::v1::api_key_service_server::ApiKeyService;
use swarm_proto::convert::{from_wire_time, page, parse, parse_optional};
use swarm_transport::authorize;
use swarm_types::ApiKeyId;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::{encode, request_key};
use crate::accounts::{ApiKeys, NewApiKey, check_name, check_roles};

#[derive(Debug)]
pub(super) struct ApiKeyRpcs {
    pub(super) api_keys: ApiKeys,
}

#[tonic::async_trait]
impl ApiKeyService for ApiKeyRpcs {
    async fn create_api_key(
        &self,
        request: Request<wire::CreateApiKeyRequest>,
    ) -> Result<Response<wire::CreateApiKeyResponse>, Status> {
        let (caller, tenant) = authorize(&request, Permission::KeysWrite)?;
        let wire::CreateApiKeyRequest {
            request,
            name,
            roles,
            expires_at,
        } = request.into_inner();
        let (key, body_hash) = request_key::read(request)?;
        check_name("name", &name)?;
        let new = NewApiKey {
            name,
            roles: check_roles("roles", &caller.principal.roles, &roles)?,
            created_by: caller.principal.subject,
            expires_at: expires_at
                .map(|at| from_wire_time("expires_at", &at))
                .transpose()?,
        };
        let created = self
            .api_keys
            .create(tenant, (&key, &body_hash), new, &rand::random())
            .await?;
        let (api_key, secret) = created;
        let api_key = Some(encode::api_key(api_key));
        Ok(Response::new(wire::CreateApiKeyResponse {
            api_key,
            secret,
        }))
    }

    async fn list_api_keys(
        &self,
        request: Request<wire::ListApiKeysRequest>,
    ) -> Result<Response<wire::ListApiKeysResponse>, Status> {
        let (_, tenant) = authorize(&request, Permission::KeysRead)?;
        let page = page(request.into_inner().page);
        let after = parse_optional::<ApiKeyId>("cursor", &page.cursor)?;
        let after = after.unwrap_or(ApiKeyId::from_uuid(Uuid::nil()));
        let found = self
            .api_keys
            .list(tenant, after, page.bounded_limit())
            .await?;
        Ok(Response::new(wire::ListApiKeysResponse {
            api_keys: found.items.into_iter().map(encode::api_key).collect(),
            next_cursor: found.next_cursor.unwrap_or_default(),
        }))
    }

    async fn revoke_api_key(
        &self,
        request: Request<wire::RevokeApiKeyRequest>,
    ) -> Result<Response<wire::RevokeApiKeyResponse>, Status> {
        let (caller, tenant) = authorize(&request, Permission::KeysWrite)?;
        let key = self
            .api_keys
            .revoke(tenant, parse("id", &request.get_ref().id)?)
            .await?;
        tracing::info!(key.id = %key.id, tenant.id = %tenant, by = caller.principal.subject, "API key revoked");
        Ok(Response::new(wire::RevokeApiKeyResponse {
            api_key: Some(encode::api_key(key)),
        }))
    }
}
