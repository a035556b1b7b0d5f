//! The rpcs on people.

use swarm_config::Secret;
use swarm_identity::Permission;
use swarm_proto::auth::v1 as wire;
use swarm_proto::auth::v1::user_service_server::UserService;
use swarm_proto::convert::{page, parse, parse_optional};
use swarm_transport::authorize;
use swarm_types::UserId;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::{encode, request_key};
use crate::accounts::{NewUser, Users, check_roles, check_username};
use crate::passwords::policy;

#[derive(Debug)]
pub(super) struct UserRpcs {
    pub(super) users: Users,
    pub(super) min_password: usize,
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
