//! What is not under `/api/v1`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::IntoResponse;
use swarm_proto::auth::v1::GetKeysRequest;
use swarm_transport::{Acting, Retry, call, request};

use crate::extract::NoParams;
use crate::gateway::Gate;
use crate::peers::name_of_absent;
use crate::problem::Answer;
use crate::shapes::system::{Alive, Ready};

const A_WHILE: &str = "public, max-age=60";

/// Show that the gateway is alive
#[utoipa::path(get, path = "", tag = "root",
    responses((status = 200, body = Alive, description = "It is alive")))]
pub(crate) async fn health(_: NoParams) -> Json<Alive> {
    Json(Alive { status: "alive" })
}

/// Show whether the gateway takes requests
///
/// It does while services behind it are away: their routes answer 503 then.
#[utoipa::path(get, path = "", tag = "root",
    responses(
        (status = 200, body = Ready, description = "It takes requests"),
        (status = 503, body = Ready, description = "It is about to stop")))]
pub(super) async fn ready(State(gateway): Gate, _: NoParams) -> impl IntoResponse {
    let found = gateway.readiness.snapshot().await;
    let status = if found.ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(Ready::from(found)))
}

/// Show the gateway's metrics, in the format of Prometheus
#[utoipa::path(get, path = "", tag = "root",
    responses((status = 200, body = String, content_type = "text/plain", description = "The metrics")))]
pub(super) async fn metrics(State(gateway): Gate, _: NoParams) -> impl IntoResponse {
    (
        [(CONTENT_TYPE, swarm_telemetry::CONTENT_TYPE)],
        gateway.registry.encode(),
    )
}

/// Show this document
#[utoipa::path(get, path = "", tag = "root",
    responses((status = 200, body = Object, description = "The OpenAPI document")))]
pub(super) async fn openapi(State(gateway): Gate, _: NoParams) -> impl IntoResponse {
    (
        [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, A_WHILE)],
        gateway.pages.openapi.clone(),
    )
}

/// Show this document as a page to read
#[utoipa::path(get, path = "", tag = "root",
    responses((status = 200, body = String, content_type = "text/html", description = "The page")))]
pub(super) async fn docs(State(gateway): Gate, _: NoParams) -> impl IntoResponse {
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, A_WHILE),
        (
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
        ),
    ];
    (headers, gateway.pages.docs.clone())
}

/// Show the public keys that verify access tokens (a JSON Web Key Set)
#[utoipa::path(get, path = "", tag = "root",
    responses((status = 200, body = Object, description = "The key set")))]
pub(super) async fn jwks(State(gateway): Gate, _: NoParams) -> Answer<impl IntoResponse> {
    let deadline = gateway.deadline();
    let answer = call(Retry::Safe, deadline, || async {
        let message = request(&Acting::Itself, deadline, GetKeysRequest {})?;
        gateway.peers.sessions.clone().get_keys(message).await
    })
    .await
    .map_err(|error| name_of_absent("sessions", error))?;
    Ok((
        [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, A_WHILE)],
        answer.jwks_json,
    ))
}
