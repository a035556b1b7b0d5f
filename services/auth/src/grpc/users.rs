//! The rpcs on people.

use std::path::PathBuf;
use std::sync::Arc;

use swarm_config::Secret;
use swarm_errors::{Code, Error};
use swarm_identity::{Permission, Principal, PrincipalKind};
use swarm_proto::auth::v1 as wire;
use swarm_proto::auth::v1::user_service_server::UserService;
use swarm_proto::convert::{page, parse, parse_optional};
use swarm_transport::{authorize, caller};
use swarm_types::{TenantId, UserId};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::{encode, request_key};
use crate::accounts::{NewUser, Users, check_roles, check_username};
use crate::credentials::file::use_up;
use crate::passwords::policy;
use crate::tokens::{NewPassword, Sessions};

#[derive(Debug)]
pub(super) struct UserRpcs {
    pub(super) users: Users,
    pub(super) sessions: Arc<Sessions>,
    pub(super) credential_file: PathBuf,
    pub(super) min_password: usize,
}

/// Only people have passwords.
fn person(principal: &Principal) -> Result<(TenantId, UserId), Error> {
    match (principal.kind, principal.tenant) {
        (PrincipalKind::User, Some(tenant)) => Ok((tenant, parse("subject", &principal.subject)?)),
        _ => Err(Error::new(
            Code::PermissionDenied,
            "only a person who has logged in can change a password, and only their own",
        )),
    }
}

#[tonic::async_trait]
impl UserService for UserRpcs {
    async fn create_user(
        &self,
        request: Request<wire::CreateUserRequest>,
    ) -> Result<Response<wire::CreateUserResponse>, Status> {
        let (caller, tenant) = authorize(&request, Permission::UsersWrite)?;
        let wire::CreateUserRequest {
            request,
            username,
            password,
            roles,
        } = request.into_inner();
        let (key, _) = request_key::read(request)?;
        check_username("username", &username)?;
        policy::check_new("password", &password, self.min_password)?;
        let roles = check_roles("roles", &caller.principal.roles, &roles)?;
        let new = NewUser {
            username,
            password: Secret::new(password),
            roles,
        };
        let user = self.users.create(tenant, &key, new).await?;
        Ok(Response::new(wire::CreateUserResponse {
            user: Some(encode::user(user)),
        }))
    }

    async fn get_user(
        &self,
        request: Request<wire::GetUserRequest>,
    ) -> Result<Response<wire::GetUserResponse>, Status> {
        let (_, tenant) = authorize(&request, Permission::UsersRead)?;
        let user = self
            .users
            .get(tenant, parse("id", &request.get_ref().id)?)
            .await?;
        Ok(Response::new(wire::GetUserResponse {
            user: Some(encode::user(user)),
        }))
    }

    async fn change_password(
        &self,
        request: Request<wire::ChangePasswordRequest>,
    ) -> Result<Response<wire::ChangePasswordResponse>, Status> {
        let who = person(&caller(&request)?.principal)?;
        let wire::ChangePasswordRequest {
            request,
            current_password,
            new_password,
        } = request.into_inner();
        let (key, _) = request_key::read(request)?;
        policy::check_shown("current_password", &current_password)?;
        policy::check_new("new_password", &new_password, self.min_password)?;
        if new_password == current_password {
            return Err(Error::invalid("new_password", "must differ from the current one").into());
        }
        let wanted = NewPassword {
            request_key: &key,
            current: Secret::new(current_password),
            new: Secret::new(new_password),
        };
        let (user, tokens) = self.sessions.change_password(who, wanted).await?;
        use_up(&self.credential_file, &user.username);
        Ok(Response::new(wire::ChangePasswordResponse {
            tokens: Some(encode::tokens(tokens)),
        }))
    }

    async fn list_users(
        &self,
        request: Request<wire::ListUsersRequest>,
    ) -> Result<Response<wire::ListUsersResponse>, Status> {
        let (_, tenant) = authorize(&request, Permission::UsersRead)?;
        let page = page(request.into_inner().page);
        let after = parse_optional::<UserId>("cursor", &page.cursor)?;
        let after = after.unwrap_or(UserId::from_uuid(Uuid::nil()));
        let found = self.users.list(tenant, after, page.bounded_limit()).await?;
        Ok(Response::new(wire::ListUsersResponse {
            users: found.items.into_iter().map(encode::user).collect(),
            next_cursor: found.next_cursor.unwrap_or_default(),
        }))
    }
}
