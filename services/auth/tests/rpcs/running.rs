//! A running auth and its clients.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use swarm_auth::{AdminCredential, Config, Sockets, build_with};
use swarm_config::{Listen, Secret};
use swarm_database::{Migrate, Schema};
use swarm_errors::{Error, Result};
use swarm_identity::{Caller, Principal, Verifier};
use swarm_proto::auth::v1 as wire;
use swarm_proto::auth::v1::api_key_service_client::ApiKeyServiceClient;
use swarm_proto::auth::v1::session_service_client::SessionServiceClient;
use swarm_proto::auth::v1::tenant_service_client::TenantServiceClient;
use swarm_proto::auth::v1::user_service_client::UserServiceClient;
use swarm_runtime::Lifecycle;
use swarm_test_support::database::Fresh;
use swarm_transport::{
    Acting, BalancedChannel, Deadline, Dialer, Peer, PeersConfig, ServiceConfig, request,
};
use swarm_types::{Clock as _, ManualClock, SystemClock};
use tonic::{Response, Status};

pub(crate) const SECRET: &str = "the secret of these tests";
const SCHEMA: &Schema = &swarm_auth::SCHEMA;

pub(crate) struct Auth {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) config: Config,
    pub(crate) dialer: Dialer,
    pub(crate) address: String,
    lifecycle: Lifecycle,
    folder: tempfile::TempDir,
    database: Fresh,
}

/// Late enough for a busy machine.
pub(crate) fn deadline() -> Deadline {
    Deadline::after(Duration::from_secs(20))
}

/// Somebody who logged in.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) token: String,
    pub(crate) refresh: String,
    pub(crate) principal: Principal,
}

pub(crate) fn config(database: &Fresh, folder: &std::path::Path) -> Config {
    let mut config = Config {
        database: database.config.clone(),
        ..Config::default()
    };
    config.service.secret = Secret::new(SECRET);
    config.auth.grpc = Listen::loopback(0);
    config.auth.admin = Listen::loopback(0);
    config.auth.credential_file = folder.join("admin-credential");
    // Real hashes, only cheap.
    config.auth.password.memory_kib = 64;
    config.auth.password.iterations = 1;
    config
}

impl Auth {
    pub(crate) async fn start() -> Self {
        Self::start_on(Fresh::sqlite()).await
    }

    /// With a database that a test can look into while auth runs.
    pub(crate) async fn start_on_postgres() -> Self {
        let database = Fresh::postgres().await;
        database.open(SCHEMA).await.close().await;
        Self::start_on(database).await
    }

    async fn start_on(database: Fresh) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::new(SystemClock.now()));
        let config = config(&database, folder.path());
        let (lifecycle, dialer, address) = spawn(&config, &clock).await.unwrap();
        Self {
            clock,
            config,
            dialer,
            address,
            lifecycle,
            folder,
            database,
        }
    }

    /// Stops it in order and starts it again on the same data.
    pub(crate) async fn restart(&mut self) {
        assert!(self.lifecycle.stop().await.is_clean());
        let (lifecycle, dialer, address) = spawn(&self.config, &self.clock).await.unwrap();
        (self.lifecycle, self.dialer, self.address) = (lifecycle, dialer, address);
    }

    /// A second look into the database while auth runs: PostgreSQL only.
    pub(crate) async fn store(&self) -> swarm_auth::store::Store {
        swarm_auth::store::Store::new(self.database.open(SCHEMA).await)
    }

    pub(crate) fn credential_file(&self) -> PathBuf {
        self.folder.path().join("admin-credential")
    }

    pub(crate) fn credential(&self) -> AdminCredential {
        serde_json::from_slice(&std::fs::read(self.credential_file()).unwrap()).unwrap()
    }

    pub(crate) fn sessions(&self) -> SessionServiceClient<BalancedChannel> {
        SessionServiceClient::new(self.dialer.auth())
    }

    pub(crate) fn verifier(&self) -> Verifier {
        let channel = self.dialer.auth();
        Verifier::new(Arc::new(Keys(channel)), self.clock.clone())
    }

    pub(crate) fn users(&self) -> UserServiceClient<Peer> {
        UserServiceClient::new(self.peer())
    }

    pub(crate) fn api_keys(&self) -> ApiKeyServiceClient<Peer> {
        ApiKeyServiceClient::new(self.peer())
    }

    pub(crate) fn tenants(&self) -> TenantServiceClient<Peer> {
        TenantServiceClient::new(self.peer())
    }

    fn peer(&self) -> Peer {
        self.dialer.peer("peers.auth", &self.address).unwrap()
    }

    pub(crate) async fn try_log_in(&self, username: &str, password: &str) -> Result<wire::Tokens> {
        let message = wire::LoginRequest {
            username: username.into(),
            password: password.into(),
        };
        answer(self.sessions().login(message).await).map(|answer| answer.tokens.unwrap())
    }

    pub(crate) async fn log_in(&self, username: &str, password: &str) -> Person {
        let tokens = self.try_log_in(username, password).await.unwrap();
        self.person(tokens).await
    }

    pub(crate) async fn person(&self, tokens: wire::Tokens) -> Person {
        let principal = self.verifier().verify(&tokens.access_token).await.unwrap();
        Person {
            token: tokens.access_token,
            refresh: tokens.refresh_token,
            principal,
        }
    }

    pub(crate) async fn admin(&self) -> Person {
        let credential = self.credential();
        self.log_in(&credential.username, &credential.password)
            .await
    }

    pub(crate) async fn refresh(&self, token: &str) -> Result<wire::Tokens> {
        let message = wire::RefreshRequest {
            refresh_token: token.into(),
        };
        answer(self.sessions().refresh(message).await).map(|answer| answer.tokens.unwrap())
    }

    pub(crate) async fn create_user(
        &self,
        by: &Person,
        username: &str,
        roles: &[&str],
    ) -> Result<wire::User> {
        let message = new_user(username, roles);
        answer(self.users().create_user(by.ask(message)).await).map(|answer| answer.user.unwrap())
    }

    /// A new person with these roles, logged in.
    pub(crate) async fn new_person(&self, by: &Person, username: &str, roles: &[&str]) -> Person {
        self.create_user(by, username, roles).await.unwrap();
        self.log_in(username, PASSWORD).await
    }

    pub(crate) async fn create_key(
        &self,
        by: &Person,
        roles: &[&str],
    ) -> Result<wire::CreateApiKeyResponse> {
        answer(
            self.api_keys()
                .create_api_key(by.ask(new_key("robot", roles)))
                .await,
        )
    }

    pub(crate) async fn exchange(&self, secret: &str) -> Result<wire::Tokens> {
        let message = wire::ExchangeApiKeyRequest {
            api_key: secret.into(),
        };
        answer(self.sessions().exchange_api_key(message).await).map(|answer| answer.tokens.unwrap())
    }

    /// A second tenant and its administrator.
    pub(crate) async fn other_tenant(&self, by: &Person, name: &str) -> Person {
        let message = wire::CreateTenantRequest {
            request: None,
            name: name.into(),
            admin_username: format!("{name}-admin"),
            admin_password: PASSWORD.into(),
        };
        self.tenants().create_tenant(by.ask(message)).await.unwrap();
        self.log_in(&format!("{name}-admin"), PASSWORD).await
    }
}

pub(crate) const PASSWORD: &str = "a password of tests";

pub(crate) fn new_user(username: &str, roles: &[&str]) -> wire::CreateUserRequest {
    wire::CreateUserRequest {
        request: None,
        username: username.into(),
        password: PASSWORD.into(),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
    }
}

pub(crate) fn new_key(name: &str, roles: &[&str]) -> wire::CreateApiKeyRequest {
    let roles = roles.iter().map(|role| (*role).to_owned()).collect();
    wire::CreateApiKeyRequest {
        request: None,
        name: name.into(),
        roles,
        expires_at: None,
    }
}

impl Person {
    /// A call of the gateway on this person's behalf.
    pub(crate) fn ask<T>(&self, message: T) -> tonic::Request<T> {
        let caller = Caller {
            principal: self.principal.clone(),
            service: None,
            token: Some(self.token.clone()),
        };
        request(&Acting::For(caller), deadline(), message).unwrap()
    }
}

pub(crate) fn answer<T>(result: Result<Response<T>, Status>) -> Result<T> {
    result.map(Response::into_inner).map_err(Error::from)
}

pub(crate) async fn spawn(
    config: &Config,
    clock: &Arc<ManualClock>,
) -> Result<(Lifecycle, Dialer, String)> {
    let sockets = Sockets::bind(config).await?;
    let address = format!("http://{}", sockets.grpc_address()?);
    let lifecycle = Lifecycle::new(Duration::from_secs(5));
    build_with(config.clone(), sockets, clock.clone())
        .await?
        .spawn(&lifecycle);
    let peers = PeersConfig {
        auth: address.clone(),
        ..PeersConfig::default()
    };
    let service = ServiceConfig {
        secret: Secret::new(SECRET),
    };
    let dialer = Dialer::new("gateway", &service, &peers, clock.clone())?;
    Ok((lifecycle, dialer, address))
}

/// The keys as any caller fetches them.
#[derive(Debug)]
struct Keys(BalancedChannel);

impl swarm_identity::KeySource for Keys {
    fn fetch(&self) -> std::pin::Pin<Box<dyn Future<Output = Result<String>> + Send + '_>> {
        Box::pin(async {
            let keys = SessionServiceClient::new(self.0.clone())
                .get_keys(wire::GetKeysRequest {})
                .await;
            answer(keys).map(|answer| answer.jwks_json)
        })
    }
}

/// Opens the schema for a test that starts several.
pub(crate) async fn migrated_postgres() -> Fresh {
    let database = Fresh::postgres().await;
    let db = swarm_database::Db::open(&database.config, SCHEMA, Migrate::Auto)
        .await
        .unwrap();
    db.close().await;
    database
}
