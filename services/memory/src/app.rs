//! The service as a whole: binds, builds, spawns.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use swarm_database::{Db, Migrate};
use swarm_errors::{Error, Result};
use swarm_models::Embedder;
use swarm_proto::memory::v1::memory_service_server::MemoryServiceServer;
use swarm_runtime::{Admin, Lifecycle, OnExit, Readiness, RuntimeConfig, bind};
use swarm_telemetry::{Registry, TelemetryConfig, names};
use swarm_transport::{Dialer, Server};
use swarm_types::{Clock, SystemClock};
use tokio::net::TcpListener;
use tonic::service::Routes;

use crate::grpc::MemoryGrpc;
use crate::store::SCHEMA;
use crate::{Config, Memories};

const NAME: &str = "swarm-memory";

/// The listeners, taken before any work starts.
#[derive(Debug)]
pub struct Sockets {
    /// For probes.
    pub admin: TcpListener,
    /// For the other services.
    pub grpc: TcpListener,
}

impl Sockets {
    /// Listens where the settings say.
    ///
    /// # Errors
    /// When an address cannot be had; the error names key and address.
    pub async fn bind(config: &Config) -> Result<Self> {
        Ok(Self {
            admin: bind("memory.admin", config.memory.admin).await?,
            grpc: bind("memory.grpc", config.memory.grpc).await?,
        })
    }

    /// Where it listens for the other services.
    ///
    /// # Errors
    /// When the system cannot say.
    pub fn grpc_addr(&self) -> Result<SocketAddr> {
        self.grpc.local_addr().map_err(Error::internal)
    }
}

/// What a test may want to be another than the settings make it.
#[derive(Debug)]
pub struct Parts {
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes embeddings.
    pub embedder: Option<Arc<dyn Embedder>>,
}

impl Parts {
    /// The machine's clock, and the embedder of the settings. Loads and calls nothing.
    ///
    /// # Errors
    /// When the settings of the embedder are wrong.
    pub fn new(config: &Config) -> Result<Self> {
        Ok(Self {
            clock: Arc::new(SystemClock),
            embedder: swarm_models::embedder(&config.models)?,
        })
    }
}

/// The service, ready to be spawned.
#[derive(Debug)]
pub struct App {
    memories: Memories,
    admin: Admin,
    server: Server,
    sweep_interval: Duration,
}

/// Opens the database and puts everything together. Spawns nothing, and calls nobody else.
///
/// # Errors
/// When the database cannot be opened, or the settings are wrong.
pub async fn build(config: Config, sockets: Sockets) -> Result<App> {
    let parts = Parts::new(&config)?;
    build_with(config, sockets, parts).await
}

/// As [`build`], with these parts.
///
/// # Errors
/// As [`build`].
pub async fn build_with(config: Config, sockets: Sockets, parts: Parts) -> Result<App> {
    let registry = Registry::new();
    let verifier = Dialer::new(
        "memory",
        &config.service,
        &config.peers,
        parts.clock.clone(),
    )?
    .verifier();
    let db = Db::open(&config.database, &SCHEMA, Migrate::Refuse).await?;
    show_pool(&registry, &db);
    match &parts.embedder {
        Some(embedder) => {
            tracing::info!(model = embedder.model(), "embeddings are made at first use");
        }
        None => tracing::warn!("there is no embedder, so search is by words alone"),
    }
    let memories = Memories::new(
        db,
        parts.clock,
        parts.embedder,
        config.memory.index_mib << 20,
    );
    Ok(App {
        admin: Admin::new(sockets.admin, registry.clone(), readiness(&memories), NAME),
        server: Server::new(NAME, sockets.grpc, verifier, &registry),
        memories,
        sweep_interval: Duration::from_secs(config.memory.sweep_seconds),
    })
}

fn readiness(memories: &Memories) -> Readiness {
    let readiness = Readiness::new();
    let memories = memories.clone();
    readiness.register("database", move || {
        let memories = memories.clone();
        async move { memories.ping().await }
    });
    readiness
}

fn show_pool(registry: &Registry, db: &Db) {
    let connections = registry.gauge(names::DB_POOL_CONNECTIONS);
    let (in_use, idle) = (connections.with(["in_use"]), connections.with(["idle"]));
    let db = db.clone();
    registry.before_encode(move || {
        let stats = db.pool_stats();
        in_use.set(f64::from(stats.open - stats.idle));
        idle.set(f64::from(stats.idle));
    });
}

impl App {
    /// The service behind the doors.
    #[must_use]
    pub fn memories(&self) -> Memories {
        self.memories.clone()
    }

    /// Starts the servers and the background tasks.
    pub fn spawn(self, lifecycle: &Lifecycle) {
        self.admin.spawn(lifecycle);
        let routes = Routes::new(MemoryServiceServer::new(MemoryGrpc::new(
            self.memories.clone(),
        )));
        lifecycle.spawn(
            "memory grpc",
            OnExit::Stop,
            self.server
                .serve(routes, lifecycle.soft(), lifecycle.hard()),
        );
        let (memories, soft, interval) =
            (self.memories.clone(), lifecycle.soft(), self.sweep_interval);
        lifecycle.spawn("memory sweeper", OnExit::Stop, async move {
            memories.run_sweeper(interval, soft).await
        });
        let (memories, soft) = (self.memories, lifecycle.soft());
        lifecycle.spawn("memory embedding", OnExit::Stop, async move {
            memories.run_backfill(soft).await
        });
    }
}

/// `swarm-memory` as a program of its own.
#[derive(Debug)]
pub struct Program;

impl swarm_runtime::Program for Program {
    const NAME: &'static str = NAME;
    const SECTIONS: &'static [&'static str] = &[
        "telemetry",
        "runtime",
        "database",
        "peers",
        "service",
        "models",
        "memory",
    ];
    type Config = Config;

    fn telemetry(config: &Config) -> &TelemetryConfig {
        &config.telemetry
    }

    fn runtime(config: &Config) -> &RuntimeConfig {
        &config.runtime
    }

    async fn start(config: Config, lifecycle: &Lifecycle) -> Result<()> {
        let sockets = Sockets::bind(&config).await?;
        build(config, sockets).await?.spawn(lifecycle);
        Ok(())
    }
}
