//! The rpcs on tenants.

use swarm_config::Secret;
use swarm_errors::{Code, Error};
use swarm_identity::{Permission, platform_tenant};
use swarm_proto::auth::v1 as wire;
use swarm_proto::auth::v1::tenant_service_server::TenantService;
use swarm_proto::convert::{page, parse, parse_optional};
use swarm_transport::authorize;
use swarm_types::TenantId;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::{encode, request_key};
use crate::accounts::{NewTenant, Tenants, check_name, check_username};
use crate::passwords::policy;

#[derive(Debug)]
pub(super) struct TenantRpcs {
    pub(super) tenants: Tenants,
    pub(super) min_password: usize,
}

/// An administrator of one tenant has no business with the others: only the default tenant's may.
fn authorize_platform<T>(request: &Request<T>, permission: Permission) -> Result<TenantId, Error> {
    let (_, tenant) = authorize(request, permission)?;
    if tenant != platform_tenant() {
        let words =
            "tenants are for the administrators of the platform, who belong to the default tenant";
        return Err(Error::new(Code::PermissionDenied, words));
    }
    Ok(tenant)
}

#[tonic::async_trait]
impl TenantService for TenantRpcs {
    async fn create_tenant(
        &self,
        request: Request<wire::CreateTenantRequest>,
    ) -> Result<Response<wire::CreateTenantResponse>, Status> {
        let asked_by = authorize_platform(&request, Permission::TenantsWrite)?;
        let wire::CreateTenantRequest {
            request,
            name,
            admin_username,
            admin_password,
        } = request.into_inner();
        let (key, _) = request_key::read(request)?;
        check_name("name", &name)?;
        check_username("admin_username", &admin_username)?;
        let is_random = admin_password.is_empty();
        if !is_random {
            policy::check_new("admin_password", &admin_password, self.min_password)?;
        }
        let new = NewTenant {
            name,
            admin_username,
            admin_password: (!is_random).then(|| Secret::new(admin_password)),
        };
        let made = self.tenants.create(asked_by, &key, new).await?;
        tracing::info!(tenant.id = %made.tenant.id, "tenant created");
        Ok(Response::new(wire::CreateTenantResponse {
            tenant: Some(encode::tenant(made.tenant)),
            admin_password: made.admin_password.unwrap_or_default(),
        }))
    }

    async fn get_tenant(
        &self,
        request: Request<wire::GetTenantRequest>,
    ) -> Result<Response<wire::GetTenantResponse>, Status> {
        authorize_platform(&request, Permission::TenantsRead)?;
        let tenant = self
            .tenants
            .get(parse("id", &request.get_ref().id)?)
            .await?;
        Ok(Response::new(wire::GetTenantResponse {
            tenant: Some(encode::tenant(tenant)),
        }))
    }

    async fn list_tenants(
        &self,
        request: Request<wire::ListTenantsRequest>,
    ) -> Result<Response<wire::ListTenantsResponse>, Status> {
        authorize_platform(&request, Permission::TenantsRead)?;
        let page = page(request.into_inner().page);
        let after = parse_optional::<TenantId>("cursor", &page.cursor)?;
        let after = after.unwrap_or(TenantId::from_uuid(Uuid::nil()));
        let found = self.tenants.list(after, page.bounded_limit()).await?;
        Ok(Response::new(wire::ListTenantsResponse {
            tenants: found.items.into_iter().map(encode::tenant).collect(),
            next_cursor: found.next_cursor.unwrap_or_default(),
        }))
    }
}
