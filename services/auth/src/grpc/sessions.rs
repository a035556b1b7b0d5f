//! The rpcs that take no token.

use std::sync::Arc;

use chrono::TimeDelta;
use swarm_config::Secret;
use swarm_proto::auth::v1 as wire;
use swarm_proto::auth::v1::session_service_server::SessionService;
use swarm_proto::convert::to_wire_time;
use swarm_types::Clock;
use tonic::{Request, Response, Status};

use super::encode;
use crate::keys::StoredKeys;
use crate::tokens::Sessions;

/// How long the set of public keys may be kept.
const KEYS_MINUTES: i64 = 5;

#[derive(Debug)]
pub(super) struct SessionRpcs {
    pub(super) sessions: Arc<Sessions>,
    pub(super) keys: StoredKeys,
    pub(super) clock: Arc<dyn Clock>,
}

#[tonic::async_trait]
impl SessionService for SessionRpcs {
    async fn login(
        &self,
        request: Request<wire::LoginRequest>,
    ) -> Result<Response<wire::LoginResponse>, Status> {
        let wire::LoginRequest { username, password } = request.into_inner();
        let tokens = self
            .sessions
            .log_in(&username, Secret::new(password))
            .await?;
        Ok(Response::new(wire::LoginResponse {
            tokens: Some(encode::tokens(tokens)),
        }))
    }

    async fn refresh(
        &self,
        request: Request<wire::RefreshRequest>,
    ) -> Result<Response<wire::RefreshResponse>, Status> {
        let tokens = self
            .sessions
            .refresh(&request.get_ref().refresh_token)
            .await?;
        Ok(Response::new(wire::RefreshResponse {
            tokens: Some(encode::tokens(tokens)),
        }))
    }

    async fn logout(
        &self,
        request: Request<wire::LogoutRequest>,
    ) -> Result<Response<wire::LogoutResponse>, Status> {
        self.sessions
            .log_out(&request.get_ref().refresh_token)
            .await?;
        Ok(Response::new(wire::LogoutResponse {}))
    }

    async fn exchange_api_key(
        &self,
        request: Request<wire::ExchangeApiKeyRequest>,
    ) -> Result<Response<wire::ExchangeApiKeyResponse>, Status> {
        let tokens = self
            .sessions
            .exchange_api_key(&request.get_ref().api_key)
            .await?;
        Ok(Response::new(wire::ExchangeApiKeyResponse {
            tokens: Some(encode::tokens(tokens)),
        }))
    }

    async fn issue_service_token(
        &self,
        request: Request<wire::IssueServiceTokenRequest>,
    ) -> Result<Response<wire::IssueServiceTokenResponse>, Status> {
        let wire::IssueServiceTokenRequest { service, secret } = request.into_inner();
        let tokens = self
            .sessions
            .service_token(&service, &Secret::new(secret))?;
        Ok(Response::new(wire::IssueServiceTokenResponse {
            tokens: Some(encode::tokens(tokens)),
        }))
    }

    async fn get_keys(
        &self,
        _: Request<wire::GetKeysRequest>,
    ) -> Result<Response<wire::GetKeysResponse>, Status> {
        let refresh_after = self.clock.now() + TimeDelta::minutes(KEYS_MINUTES);
        let answer = wire::GetKeysResponse {
            jwks_json: self.keys.jwks().await?,
            refresh_after: Some(to_wire_time(refresh_after)),
        };
        Ok(Response::new(answer))
    }
}
