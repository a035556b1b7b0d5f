//! The work of the moment.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use swarm_errors::Result;
use swarm_identity::Caller;
use swarm_proto::agents::v1::GetOverviewRequest;
use swarm_proto::auth::v1::ListTenantsRequest;
use swarm_proto::common::v1::PageRequest;
use swarm_types::MAX_LIMIT;

use crate::extract::NoParams;
use crate::gateway::{Gate, Gateway};
use crate::layers::Who;
use crate::peers::ask;
use crate::problem::Answer;
use crate::shapes::overview::Overview;

/// Show queues, rates, agents at work and replicas
///
/// An administrator of the platform sees the queues of all tenants, everybody else those of their own.
#[utoipa::path(get, path = "", tag = "system",
    responses((status = 200, body = Overview, description = "The work of the moment")))]
pub(super) async fn get_overview(
    State(gateway): Gate,
    Who(caller): Who,
    _: NoParams,
) -> Answer<Json<Overview>> {
    let found = ask!(
        gateway,
        &caller,
        overviews.get_overview(GetOverviewRequest {})
    )?;
    let names = if found.platform {
        // Ids do where auth is away.
        tenant_names(&gateway, &caller).await.unwrap_or_default()
    } else {
        HashMap::new()
    };
    Ok(Json(Overview::new(found, &names)))
}

async fn tenant_names(gateway: &Arc<Gateway>, caller: &Caller) -> Result<HashMap<String, String>> {
    let page = Some(PageRequest {
        limit: MAX_LIMIT,
        cursor: String::new(),
    });
    let answer = ask!(once gateway, caller, tenants.list_tenants(ListTenantsRequest { page }))?;
    let names = answer.tenants.into_iter().map(|it| (it.id, it.name));
    Ok(names.collect())
}
