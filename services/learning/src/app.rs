//! Wires learning together.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use swarm_config::Validate;
use swarm_errors::{Error, Result};
use swarm_proto::learning::v1::learning_service_server::LearningServiceServer;
use swarm_runtime::{Admin, Lifecycle, OnExit, Readiness, bind};
use swarm_telemetry::{Registry, names};
use swarm_transport::{Dialer, Server};
use swarm_types::{Clock, SystemClock};
use tokio::net::TcpListener;
use tonic::service::Routes;

use crate::Config;
use crate::grpc::{LastUpdate, LearningRpcs};
use crate::store::Store;

const NAME: &str = "swarm-learning";
const SERVICE: &str = "learning";

/// The ports of learning.
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
            admin: bind("learning.admin", config.learning.admin).await?,
            grpc: bind("learning.grpc", config.learning.grpc).await?,
        })
    }

    /// Where the rpcs are served.
    ///
    /// # Errors
    /// When the system cannot say.
    pub fn grpc_address(&self) -> Result<SocketAddr> {
        self.grpc.local_addr().map_err(Error::internal)
    }

    /// Where health, readiness and metrics are served.
    ///
    /// # Errors
    /// When the system cannot say.
    pub fn admin_address(&self) -> Result<SocketAddr> {
        self.admin.local_addr().map_err(Error::internal)
    }
}

/// Learning, ready to be spawned.
#[derive(Debug)]
pub struct App {
    admin: Admin,
    server: Server,
    routes: Routes,
}

/// Builds learning with the machine's clock and a random seed.
///
/// # Errors
/// When settings are wrong or the database cannot be opened.
pub async fn build(config: Config, sockets: Sockets) -> Result<App> {
    build_with(config, sockets, Arc::new(SystemClock), rand::random()).await
}

/// As [`build`], with a clock and a seed of the caller's.
///
/// # Errors
/// As [`build`].
pub async fn build_with(
    config: Config,
    sockets: Sockets,
    clock: Arc<dyn Clock>,
    seed: u64,
) -> Result<App> {
    config.validate()?;
    let dialer = Dialer::new(SERVICE, &config.service, &config.peers, clock.clone())?;
    let store = Store::open(&config.database).await?;
    let registry = Registry::new();
    let readiness = Readiness::new();
    watch_database(&store, &registry, &readiness);
    let last_update = LastUpdate::new(&registry);
    if let Some(time) = store.newest_update().await? {
        last_update.set(time);
    }
    let random = Mutex::new(StdRng::seed_from_u64(seed));
    let rpcs = LearningRpcs {
        store,
        clock,
        random,
        last_update,
    };
    Ok(App {
        admin: Admin::new(sockets.admin, registry.clone(), readiness, NAME),
        server: Server::new(NAME, sockets.grpc, dialer.verifier(), &registry),
        routes: Routes::new(LearningServiceServer::new(rpcs)),
    })
}

impl App {
    /// Starts serving.
    pub fn spawn(self, lifecycle: &Lifecycle) {
        let Self {
            admin,
            server,
            routes,
        } = self;
        admin.spawn(lifecycle);
        let serve = server.serve(routes, lifecycle.soft(), lifecycle.hard());
        lifecycle.spawn("learning grpc", OnExit::Stop, serve);
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
