//! Tenants: for the administrators of the platform, which auth checks beside the permission.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use swarm_proto::auth::v1 as wire;

use super::{expect, location};
use crate::extract::{Body, Id, NoParams, Paging, Params};
use crate::gateway::Gate;
use crate::layers::Who;
use crate::peers::ask;
use crate::problem::Answer;
use crate::shapes::page::{Page, PageParams};
use crate::shapes::tenants::{NewTenant, Tenant};

/// Make a tenant
///
/// Where no password is given for its first administrator, a random one is in this answer and never shown again.
#[utoipa::path(post, path = "", tag = "tenants", request_body = NewTenant,
    responses((status = 201, body = Tenant, description = "The tenant was made",
        headers(("Location" = String, description = "Where the tenant is")))))]
pub(super) async fn create_tenant(
    State(gateway): Gate,
    Who(caller): Who,
    _: NoParams,
    body: Body<NewTenant>,
) -> Answer<impl IntoResponse> {
    let message = wire::CreateTenantRequest {
        request: Some(body.key),
        name: body.value.name,
        admin_username: body.value.admin_username,
        admin_password: body.value.admin_password.unwrap_or_default(),
    };
    let answer = ask!(gateway, &caller, tenants.create_tenant(message))?;
    let tenant = Tenant::from(expect(answer.tenant)?).with_password(answer.admin_password);
    Ok((
        StatusCode::CREATED,
        location("tenants", &tenant.id),
        Json(tenant),
    ))
}

/// List tenants
#[utoipa::path(get, path = "", tag = "tenants", params(PageParams),
    responses((status = 200, body = Page<Tenant>, description = "A page of tenants")))]
pub(super) async fn list_tenants(
    State(gateway): Gate,
    Who(caller): Who,
    Params(params): Params<PageParams>,
) -> Answer<Json<Page<Tenant>>> {
    let answer = ask!(
        gateway,
        &caller,
        tenants.list_tenants(wire::ListTenantsRequest {
            page: params.page()?
        })
    )?;
    Ok(Json(Page::new(answer.tenants, answer.next_cursor)))
}

/// Get a tenant
#[utoipa::path(get, path = "", tag = "tenants", params(("id" = String, Path, description = "The tenant")),
    responses((status = 200, body = Tenant, description = "The tenant")))]
pub(super) async fn get_tenant(
    State(gateway): Gate,
    Who(caller): Who,
    Id(id): Id,
    _: NoParams,
) -> Answer<Json<Tenant>> {
    let answer = ask!(
        gateway,
        &caller,
        tenants.get_tenant(wire::GetTenantRequest { id })
    )?;
    Ok(Json(expect(answer.tenant)?.into()))
}
