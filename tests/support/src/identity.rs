//! Tokens for any principal, without the auth service.

use std::net::Ipv4Addr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey as _;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use swarm_identity::{
    AUDIENCE, Caller, Claims, FixedKeys, ISSUER, KeySource, Principal, PrincipalKind, Role,
    Verifier,
};
use swarm_proto::auth::v1 as wire;
use swarm_proto::auth::v1::session_service_server::{SessionService, SessionServiceServer};
use swarm_types::{Clock, SystemClock, TenantId, UserId};
use tokio::net::TcpListener;
use tonic::metadata::MetadataValue;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

/// How long the tokens of tests hold.
const SECONDS: i64 = 900;

/// A signing key of its own, and the tokens that it signs.
#[derive(Clone)]
pub struct TestIssuer {
    kid: String,
    key: EncodingKey,
    jwks: String,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for TestIssuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TestIssuer")
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

impl Default for TestIssuer {
    fn default() -> Self {
        Self::new()
    }
}

impl TestIssuer {
    /// An issuer with a new random key and the machine's clock.
    #[must_use]
    pub fn new() -> Self {
        Self::with_clock(Arc::new(SystemClock))
    }

    /// An issuer with the clock of the service under test.
    #[must_use]
    pub fn with_clock(clock: Arc<dyn Clock>) -> Self {
        let signing = SigningKey::from_bytes(&rand::random());
        let public = URL_SAFE_NO_PAD.encode(signing.verifying_key().as_bytes());
        let kid = format!("test-{}", &public[..8]);
        let key = EncodingKey::from_ed_der(signing.to_pkcs8_der().unwrap().as_bytes());
        let jwk = serde_json::json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": kid, "x": public});
        let jwks = serde_json::json!({"keys": [jwk]}).to_string();
        Self {
            kid,
            key,
            jwks,
            clock,
        }
    }

    /// The public key, as auth would publish it.
    #[must_use]
    pub fn keys(&self) -> Arc<dyn KeySource> {
        Arc::new(FixedKeys(self.jwks.clone()))
    }

    /// A verifier of the tokens of this issuer, by its clock.
    #[must_use]
    pub fn verifier(&self) -> Arc<Verifier> {
        Arc::new(Verifier::new(self.keys(), self.clock.clone()))
    }

    /// Valid claims of a new person of this tenant, for tests that spoil one of them.
    #[must_use]
    pub fn claims(&self, tenant: TenantId, roles: &[Role]) -> Claims {
        let user = UserId::new().to_string();
        self.new_claims(PrincipalKind::User, user, Some(tenant), roles)
    }

    /// Signs any claims.
    #[must_use]
    pub fn sign(&self, claims: &Claims) -> String {
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(self.kid.clone());
        jsonwebtoken::encode(&header, claims, &self.key).unwrap()
    }

    /// The token of a new person of this tenant.
    #[must_use]
    pub fn user_token(&self, tenant: TenantId, roles: &[Role]) -> String {
        self.sign(&self.claims(tenant, roles))
    }

    /// The token of a service, such as `gateway`.
    #[must_use]
    pub fn service_token(&self, service: &str) -> String {
        self.sign(&self.new_claims(PrincipalKind::Service, service.to_owned(), None, &[]))
    }

    /// A new person of this tenant, as a handler sees it when the gateway has called.
    #[must_use]
    pub fn caller(&self, tenant: TenantId, roles: &[Role]) -> Caller {
        let claims = self.claims(tenant, roles);
        let token = Some(self.sign(&claims));
        let principal = Principal {
            kind: claims.kind,
            subject: claims.sub,
            name: claims.name,
            tenant: claims.tenant,
            roles: claims.roles,
        };
        Caller {
            principal,
            service: Some("gateway".to_owned()),
            token,
        }
    }

    /// A call of the gateway on behalf of a new person of this tenant, for a plain channel.
    pub fn request<T>(&self, tenant: TenantId, roles: &[Role], message: T) -> Request<T> {
        let mut request = Request::new(message);
        bear(&mut request, &self.service_token("gateway"));
        let token = MetadataValue::try_from(self.user_token(tenant, roles)).unwrap();
        request.metadata_mut().insert("x-on-behalf-of", token);
        request
    }

    /// A call of a service by its own token, for a tenant or for none, for a plain channel.
    pub fn service_request<T>(
        &self,
        service: &str,
        tenant: Option<TenantId>,
        message: T,
    ) -> Request<T> {
        let mut request = Request::new(message);
        bear(&mut request, &self.service_token(service));
        if let Some(tenant) = tenant {
            let tenant = MetadataValue::try_from(tenant.to_string()).unwrap();
            request.metadata_mut().insert("x-swarm-tenant", tenant);
        }
        request
    }

    /// Serves keys and service tokens on a free port, as auth does, until the test's runtime ends.
    /// Returns the address for the setting `peers.auth`.
    pub async fn serve(&self) -> String {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let server = tonic::transport::Server::builder()
            .add_service(SessionServiceServer::new(Sessions(self.clone())))
            .serve_with_incoming(TcpIncoming::from(listener));
        tokio::spawn(server);
        address
    }

    fn new_claims(
        &self,
        kind: PrincipalKind,
        subject: String,
        tenant: Option<TenantId>,
        roles: &[Role],
    ) -> Claims {
        let now = self.clock.now().timestamp();
        Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            kind,
            name: subject.clone(),
            sub: subject,
            tenant,
            roles: roles.to_vec(),
            iat: now,
            exp: now + SECONDS,
            jti: UserId::new().uuid().to_string(),
        }
    }
}

fn bear<T>(request: &mut Request<T>, token: &str) {
    let bearer = MetadataValue::try_from(format!("Bearer {token}")).unwrap();
    request.metadata_mut().insert("authorization", bearer);
}

/// What the other services ask of auth. It takes any secret.
#[derive(Debug)]
struct Sessions(TestIssuer);

#[tonic::async_trait]
impl SessionService for Sessions {
    async fn login(
        &self,
        _: Request<wire::LoginRequest>,
    ) -> Result<Response<wire::LoginResponse>, Status> {
        Err(not_here())
    }

    async fn refresh(
        &self,
        _: Request<wire::RefreshRequest>,
    ) -> Result<Response<wire::RefreshResponse>, Status> {
        Err(not_here())
    }

    async fn logout(
        &self,
        _: Request<wire::LogoutRequest>,
    ) -> Result<Response<wire::LogoutResponse>, Status> {
        Err(not_here())
    }

    async fn exchange_api_key(
        &self,
        _: Request<wire::ExchangeApiKeyRequest>,
    ) -> Result<Response<wire::ExchangeApiKeyResponse>, Status> {
        Err(not_here())
    }

    async fn issue_service_token(
        &self,
        request: Request<wire::IssueServiceTokenRequest>,
    ) -> Result<Response<wire::IssueServiceTokenResponse>, Status> {
        let access_token = self.0.service_token(&request.get_ref().service);
        let expires_in = u32::try_from(SECONDS).unwrap();
        let tokens = wire::Tokens {
            access_token,
            expires_in,
            refresh_token: String::new(),
        };
        Ok(Response::new(wire::IssueServiceTokenResponse {
            tokens: Some(tokens),
        }))
    }

    async fn get_keys(
        &self,
        _: Request<wire::GetKeysRequest>,
    ) -> Result<Response<wire::GetKeysResponse>, Status> {
        let answer = wire::GetKeysResponse {
            jwks_json: self.0.jwks.clone(),
            refresh_after: None,
        };
        Ok(Response::new(answer))
    }
}

fn not_here() -> Status {
    Status::unimplemented("the auth of tests issues no tokens to people: ask the TestIssuer")
}

#[cfg(test)]
mod tests {
    use swarm_identity::Permission;

    use super::*;

    #[tokio::test]
    async fn tokens_hold_for_their_issuer_alone() {
        let (issuer, other) = (TestIssuer::new(), TestIssuer::new());
        let tenant = TenantId::new();
        let token = issuer.user_token(tenant, &[Role::Developer]);
        let person = issuer.verifier().verify(&token).await.unwrap();
        assert_eq!(
            (person.tenant, person.may(Permission::TasksWrite)),
            (Some(tenant), true)
        );
        let service = issuer
            .verifier()
            .verify(&issuer.service_token("memory"))
            .await
            .unwrap();
        assert_eq!(
            (service.kind, service.subject.as_str()),
            (PrincipalKind::Service, "memory")
        );
        assert!(other.verifier().verify(&token).await.is_err());
    }
}
