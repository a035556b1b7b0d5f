//! Wires auth together.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use swarm_config::Validate;
use swarm_errors::{Error, Result};
use swarm_identity::Verifier;
use swarm_runtime::{Admin, Lifecycle, OnExit, Readiness, bind};
use swarm_telemetry::{Registry, names};
use swarm_transport::Server;
use swarm_types::{Clock, SystemClock};
use tokio::net::TcpListener;
use tonic::service::Routes;

use crate::accounts::{ApiKeys, Tenants, Users};
use crate::keys::{StoredKeys, signing_key};
use crate::logins::{Limits, Throttle};
use crate::passwords::Hasher;
use crate::store::Store;
use crate::sweeper::Sweeper;
use crate::tokens::{Issuer, Lifetimes, Sessions};
use crate::{Config, LoginConfig, bootstrap, grpc};

const NAME: &str = "swarm-auth";

/// The ports of auth.
#[derive(Debug)]
pub struct Sockets {
    /// Health, readiness and metrics.
    pub admin: TcpListener,
    /// The rpcs.
    pub grpc: TcpListener,
}

impl Sockets {
    /// Takes the ports that the settings name.
    ///
    /// # Errors
    /// When one of them is taken or not allowed.
    pub async fn bind(config: &Config) -> Result<Self> {
        Ok(Self {
            admin: bind("auth.admin", config.auth.admin).await?,
            grpc: bind("auth.grpc", config.auth.grpc).await?,
        })
    }

    /// Where the rpcs are served.
    ///
    /// # Errors
    /// When the system cannot say.
    pub fn grpc_address(&self) -> Result<SocketAddr> {
        self.grpc.local_addr().map_err(Error::internal)
    }
}

/// Auth, ready to be spawned.
#[derive(Debug)]
pub struct App {
    admin: Admin,
    server: Server,
    routes: Routes,
    sweeper: Sweeper,
}

/// Builds auth with the machine's clock: opens the database, and at the first start makes the
/// signing key and the administrator.
///
/// # Errors
/// When settings are wrong, the database cannot be opened, or the credential cannot be written.
pub async fn build(config: Config, sockets: Sockets) -> Result<App> {
    build_with(config, sockets, Arc::new(SystemClock)).await
}

/// As [`build`], with a clock of the caller's.
///
/// # Errors
/// As [`build`].
pub async fn build_with(config: Config, sockets: Sockets, clock: Arc<dyn Clock>) -> Result<App> {
    config.validate()?;
    let hasher = Arc::new(Hasher::new(&config.auth.password)?);
    let store = Store::open(&config.database).await?;
    let key = signing_key(&store, clock.now()).await?;
    bootstrap::ensure_administrator(&store, &hasher, &config.credential_file(), clock.now())
        .await?;

    let registry = Registry::new();
    let readiness = Readiness::new();
    watch_database(&store, &registry, &readiness);
    let keys = StoredKeys(store.clone());
    let verifier = Arc::new(Verifier::new(Arc::new(keys.clone()), clock.clone()));
    let sessions = Sessions {
        store: store.clone(),
        clock: clock.clone(),
        hasher: hasher.clone(),
        issuer: Issuer {
            key,
            lifetimes: Lifetimes::from(&config.auth),
        },
        throttle: Mutex::new(Throttle::new(limits(&config.auth.login))),
        service_secret: config.service.secret.clone(),
        session_life: TimeDelta::seconds(i64::from(config.auth.session_seconds)),
    };
    let services = grpc::Services {
        sessions: Arc::new(sessions),
        keys,
        users: Users {
            store: store.clone(),
            clock: clock.clone(),
            hasher: hasher.clone(),
        },
        api_keys: ApiKeys {
            store: store.clone(),
            clock: clock.clone(),
        },
        tenants: Tenants {
            store: store.clone(),
            clock: clock.clone(),
            hasher,
        },
        clock: clock.clone(),
        min_password: config.auth.password.min_length,
        credential_file: config.credential_file(),
    };
    Ok(App {
        admin: Admin::new(sockets.admin, registry.clone(), readiness, NAME),
        server: Server::new(NAME, sockets.grpc, verifier, &registry).open(grpc::OPEN),
        routes: services.routes(),
        sweeper: Sweeper { store, clock },
    })
}

impl App {
    /// Starts serving.
    pub fn spawn(self, lifecycle: &Lifecycle) {
        let Self {
            admin,
            server,
            routes,
            sweeper,
        } = self;
        admin.spawn(lifecycle);
        let serve = server.serve(routes, lifecycle.soft(), lifecycle.hard());
        lifecycle.spawn("auth grpc", OnExit::Stop, serve);
        lifecycle.spawn("auth sweeper", OnExit::Stop, sweeper.run(lifecycle.soft()));
    }
}

fn limits(config: &LoginConfig) -> Limits {
    Limits {
        free_failures: config.free_failures,
        max_pause_seconds: config.max_pause_seconds,
    }
}

fn watch_database(store: &Store, registry: &Registry, readiness: &Readiness) {
    let db = store.db().clone();
    readiness.register("database", move || {
        let db = db.clone();
        async move { db.ping().await }
    });
    let (db, pool) = (
        store.db().clone(),
        registry.gauge(names::DB_POOL_CONNECTIONS),
    );
    registry.before_encode(move || {
        let stats = db.pool_stats();
        pool.with(["open"]).set(f64::from(stats.open));
        pool.with(["idle"]).set(f64::from(stats.idle));
    });
}
