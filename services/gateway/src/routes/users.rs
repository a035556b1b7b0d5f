//! Users and API keys of the tenant.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use swarm_proto::auth::v1 as wire;

use super::{expect, location, nothing};
use crate::extract::{Body, Id, NoParams, Paging, Params};
use crate::gateway::Gate;
use crate::layers::Who;
use crate::peers::ask;
use crate::problem::Answer;
use crate::shapes::page::{Page, PageParams};
use crate::shapes::sessions::{ApiKey, NewApiKey, NewUser, Role, User};
use crate::shapes::wire::{Time, some};

/// Make a user
#[utoipa::path(post, path = "", tag = "users", request_body = NewUser,
    responses((status = 201, body = User, description = "The user was made",
        headers(("Location" = String, description = "Where the user is")))))]
pub(super) async fn create_user(
    State(gateway): Gate,
    Who(caller): Who,
    _: NoParams,
    body: Body<NewUser>,
) -> Answer<impl IntoResponse> {
    let message = wire::CreateUserRequest {
        request: Some(body.key),
        username: body.value.username,
        password: body.value.password,
        roles: Role::words(&body.value.roles),
    };
    let answer = ask!(gateway, &caller, users.create_user(message))?;
    let user = User::from(expect(answer.user)?);
    Ok((StatusCode::CREATED, location("users", &user.id), Json(user)))
}

/// List users
#[utoipa::path(get, path = "", tag = "users", params(PageParams),
    responses((status = 200, body = Page<User>, description = "A page of users")))]
pub(super) async fn list_users(
    State(gateway): Gate,
    Who(caller): Who,
    Params(params): Params<PageParams>,
) -> Answer<Json<Page<User>>> {
    let answer = ask!(
        gateway,
        &caller,
        users.list_users(wire::ListUsersRequest {
            page: params.page()?
        })
    )?;
    Ok(Json(Page::new(answer.users, answer.next_cursor)))
}

/// Get a user
#[utoipa::path(get, path = "", tag = "users", params(("id" = String, Path, description = "The user")),
    responses((status = 200, body = User, description = "The user")))]
pub(super) async fn get_user(
    State(gateway): Gate,
    Who(caller): Who,
    Id(id): Id,
    _: NoParams,
) -> Answer<Json<User>> {
    let answer = ask!(
        gateway,
        &caller,
        users.get_user(wire::GetUserRequest { id })
    )?;
    Ok(Json(expect(answer.user)?.into()))
}

/// Make an API key
///
/// Its secret is in this answer and never shown again.
#[utoipa::path(post, path = "", tag = "users", request_body = NewApiKey,
    responses((status = 201, body = ApiKey, description = "The key was made",
        headers(("Location" = String, description = "Where the key can be revoked")))))]
pub(super) async fn create_api_key(
    State(gateway): Gate,
    Who(caller): Who,
    _: NoParams,
    body: Body<NewApiKey>,
) -> Answer<impl IntoResponse> {
    let message = wire::CreateApiKeyRequest {
        request: Some(body.key),
        name: body.value.name,
        roles: Role::words(&body.value.roles),
        expires_at: body.value.expires_at.map(Time::to_wire),
    };
    let answer = ask!(gateway, &caller, keys.create_api_key(message))?;
    let mut key = ApiKey::from(expect(answer.api_key)?);
    // A repeat of the request finds the key, and no secret any more.
    key.secret = some(answer.secret);
    Ok((
        StatusCode::CREATED,
        location("api-keys", &key.id),
        Json(key),
    ))
}

/// List API keys
#[utoipa::path(get, path = "", tag = "users", params(PageParams),
    responses((status = 200, body = Page<ApiKey>, description = "A page of keys, without their secrets")))]
pub(super) async fn list_api_keys(
    State(gateway): Gate,
    Who(caller): Who,
    Params(params): Params<PageParams>,
) -> Answer<Json<Page<ApiKey>>> {
    let answer = ask!(
        gateway,
        &caller,
        keys.list_api_keys(wire::ListApiKeysRequest {
            page: params.page()?
        })
    )?;
    Ok(Json(Page::new(answer.api_keys, answer.next_cursor)))
}

/// Revoke an API key
#[utoipa::path(delete, path = "", tag = "users", params(("id" = String, Path, description = "The key")),
    responses((status = 204, description = "The key is revoked; where it was used just before, it may hold for five minutes")))]
pub(super) async fn revoke_api_key(
    State(gateway): Gate,
    Who(caller): Who,
    Id(id): Id,
    _: NoParams,
) -> Answer<impl IntoResponse> {
    ask!(
        gateway,
        &caller,
        keys.revoke_api_key(wire::RevokeApiKeyRequest { id })
    )?;
    Ok(nothing())
}
