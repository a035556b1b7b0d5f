//! Sessions: login, refresh, logout, and tokens for API keys.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::response::IntoResponse;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use swarm_errors::{Code, Error, Result};
use swarm_identity::{Permission, PrincipalKind, Role};
use swarm_proto::auth::v1 as wire;
use swarm_transport::{Acting, Retry, call, request};

use super::{expect, nothing};
use crate::extract::{Body, Form, NoParams};
use crate::gateway::Gate;
use crate::layers::Who;
use crate::peers::{ask, name_of_absent};
use crate::problem::Answer;
use crate::shapes::sessions::{
    ClientCredentials, Identity, Login, NewPassword, RefreshToken, Tokens,
};

/// Log in with a name and a password
#[utoipa::path(post, path = "", tag = "sessions", request_body = Login,
    responses((status = 200, body = Tokens, description = "An access and a refresh token")))]
pub(super) async fn login(
    State(gateway): Gate,
    _: NoParams,
    body: Body<Login>,
) -> Answer<Json<Tokens>> {
    let message = wire::LoginRequest {
        username: body.value.username,
        password: body.value.password,
    };
    // Not repeated: a wrong password must count once.
    let deadline = gateway.deadline();
    let answer = call(Retry::Never, deadline, || async {
        gateway
            .peers
            .sessions
            .clone()
            .login(request(&Acting::Itself, deadline, message.clone())?)
            .await
    })
    .await
    .map_err(|error| name_of_absent("sessions", error))?;
    Ok(Json(expect(answer.tokens)?.into()))
}

/// Get new tokens for a refresh token
///
/// The refresh token that was given is spent.
#[utoipa::path(post, path = "", tag = "sessions", request_body = RefreshToken,
    responses((status = 200, body = Tokens, description = "A new access and a new refresh token")))]
pub(super) async fn refresh(
    State(gateway): Gate,
    _: NoParams,
    body: Body<RefreshToken>,
) -> Answer<Json<Tokens>> {
    let message = wire::RefreshRequest {
        refresh_token: body.value.refresh_token,
    };
    let deadline = gateway.deadline();
    let answer = call(Retry::Never, deadline, || async {
        gateway
            .peers
            .sessions
            .clone()
            .refresh(request(&Acting::Itself, deadline, message.clone())?)
            .await
    })
    .await
    .map_err(|error| name_of_absent("sessions", error))?;
    Ok(Json(expect(answer.tokens)?.into()))
}

/// End a session
#[utoipa::path(post, path = "", tag = "sessions", request_body = RefreshToken,
    responses((status = 204, description = "The session has ended")))]
pub(super) async fn logout(
    State(gateway): Gate,
    Who(_): Who,
    _: NoParams,
    body: Body<RefreshToken>,
) -> Answer<impl IntoResponse> {
    let message = wire::LogoutRequest {
        refresh_token: body.value.refresh_token,
    };
    let deadline = gateway.deadline();
    call(Retry::Safe, deadline, || async {
        gateway
            .peers
            .sessions
            .clone()
            .logout(request(&Acting::Itself, deadline, message.clone())?)
            .await
    })
    .await
    .map_err(|error| name_of_absent("sessions", error))?;
    Ok(nothing())
}

/// Change one's own password
///
/// Every session that was opened before ends; the answer opens one. Access tokens that were given before hold until
/// they expire, and API keys stay.
#[utoipa::path(post, path = "", tag = "sessions", request_body = NewPassword,
    responses((status = 200, body = Tokens, description = "The password is changed: an access and a refresh token")))]
pub(super) async fn change_password(
    State(gateway): Gate,
    Who(caller): Who,
    _: NoParams,
    body: Body<NewPassword>,
) -> Answer<Json<Tokens>> {
    let message = wire::ChangePasswordRequest {
        request: Some(body.key),
        current_password: body.value.current_password,
        new_password: body.value.new_password,
    };
    // Not repeated: a wrong password must count once.
    let answer = ask!(once gateway, &caller, users.change_password(message))?;
    Ok(Json(expect(answer.tokens)?.into()))
}

/// Get an access token for an API key (OAuth 2.0 client credentials)
#[utoipa::path(post, path = "", tag = "sessions",
    request_body(content(
        (ClientCredentials = "application/x-www-form-urlencoded"),
        (ClientCredentials = "application/json"))),
    responses((status = 200, body = Tokens, description = "An access token")))]
pub(super) async fn token(
    State(gateway): Gate,
    _: NoParams,
    form: Form<ClientCredentials>,
) -> Answer<Json<Tokens>> {
    if form.value.grant_type != "client_credentials" {
        return Err(Error::invalid("grant_type", "must be client_credentials").into());
    }
    let (id, secret) = client(&form.headers, form.value)?;
    let tokens = gateway.doorkeeper.exchange(&secret).await?;
    let visitor = gateway.doorkeeper.by_token(&tokens.access_token).await?;
    if visitor.caller.principal.subject != id && !secret.starts_with(&id) {
        return Err(Error::new(Code::Unauthenticated, "client_id is not that of the key").into());
    }
    Ok(Json(tokens.into()))
}

/// The client's id and secret, from the Authorization header or the body.
fn client(headers: &HeaderMap, body: ClientCredentials) -> Result<(String, String)> {
    let (id, secret) = match headers.get(AUTHORIZATION) {
        Some(value) => basic(value.as_bytes()).ok_or_else(|| {
            Error::new(
                Code::Unauthenticated,
                "the Authorization header must be Basic, with id and secret",
            )
        })?,
        None => (
            body.client_id
                .ok_or_else(|| Error::invalid("client_id", "is missing"))?,
            body.client_secret
                .ok_or_else(|| Error::invalid("client_secret", "is missing"))?,
        ),
    };
    if id.is_empty() || secret.is_empty() {
        return Err(Error::new(
            Code::Unauthenticated,
            "the client's id and secret must not be empty",
        ));
    }
    Ok((id, secret))
}

fn basic(value: &[u8]) -> Option<(String, String)> {
    let text = std::str::from_utf8(value).ok()?;
    let (scheme, encoded) = text.split_once(' ')?;
    let decoded = STANDARD
        .decode(encoded.trim())
        .ok()
        .filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let (id, secret) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}

/// Show who is calling
#[utoipa::path(get, path = "", tag = "sessions",
    responses((status = 200, body = Identity, description = "The caller, and what they may do")))]
pub(super) async fn me(Who(caller): Who, _: NoParams) -> Json<Identity> {
    let principal = caller.principal;
    let permissions = Permission::ALL
        .iter()
        .filter(|permission| principal.may(**permission));
    Json(Identity {
        permissions: permissions.map(|permission| permission.as_str()).collect(),
        kind: match principal.kind {
            PrincipalKind::User => "user",
            PrincipalKind::ApiKey => "api_key",
            PrincipalKind::Service => "service",
        }
        .to_owned(),
        roles: principal.roles.iter().map(Role::to_string).collect(),
        tenant_id: principal.tenant.map(|tenant| tenant.to_string()),
        id: principal.subject,
        name: principal.name,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_credentials_are_read() {
        let read = |text: &str| basic(text.as_bytes());
        assert_eq!(
            read("Basic a2V5OnNlOmNyZXQ="),
            Some(("key".into(), "se:cret".into()))
        );
        for bad in ["Bearer a2V5OnM=", "Basic", "Basic ???", "Basic a2V5"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
