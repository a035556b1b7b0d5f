//! Wires agent-manager together.

use std::sync::Arc;

use swarm_cache::Cache;
use swarm_config::Validate;
use swarm_database::{Db, Migrate};
use swarm_errors::{Error, Result};
use swarm_identity::Verifier;
use swarm_runtime::{Admin, Lifecycle, OnExit, Readiness, bind};
use swarm_telemetry::Registry;
use swarm_transport::{Dialer, Server};
use swarm_types::{Clock, SystemClock};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::engine::{Courier, Engine, Executor};
use crate::events::Hub;
use crate::peers::PeerCourier;
use crate::wakes::Wakes;
use crate::work::{Models, Ports, Quota, Webhooks, Worker};
use crate::{Config, SCHEMA, grpc};

const NAME: &str = "agent-manager";
const PROGRAM: &str = "swarm-agent-manager";

/// The ports of agent-manager.
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
            admin: bind("agent_manager.admin", config.agent_manager.admin).await?,
            grpc: bind("agent_manager.grpc", config.agent_manager.grpc).await?,
        })
    }
}

/// agent-manager, ready to be spawned.
#[derive(Debug)]
pub struct App {
    admin: Admin,
    server: Server,
    engine: Arc<Engine>,
    courier: Arc<dyn Courier>,
    wakes: Option<Wakes>,
}

/// Builds agent-manager with the machine's clock and the work of real agents.
///
/// # Errors
/// When settings are wrong or the database cannot be opened.
pub async fn build(config: Config, sockets: Sockets) -> Result<App> {
    config.validate()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let dialer = Dialer::new(NAME, &config.service, &config.peers, clock.clone())?;
    let registry = Registry::new();
    let ports = Ports::new(&dialer, &config.peers)?;
    let shared = match config.has_shared_cache() {
        true => Some(Cache::open(&config.cache)?),
        false => None,
    };
    let quota = Quota::new(config.models.limits(), shared, clock.clone())?;
    let webhooks = Webhooks::new(&config.tools, |name| std::env::var(name).ok())?;
    let models = Models::new(&config.models, &registry, quota)?;
    let worker = Worker::new(ports, models, webhooks);
    let courier = PeerCourier::new(&dialer, &config.peers)?;
    let parts = Parts {
        executor: Arc::new(worker),
        courier: Arc::new(courier),
        verifier: dialer.verifier(),
        clock,
        registry,
    };
    build_with(config, sockets, parts).await
}

/// What can be given in place of the real thing.
#[derive(Debug)]
pub struct Parts {
    /// Does the work of tasks.
    pub executor: Arc<dyn Executor>,
    /// Carries what other services are told.
    pub courier: Arc<dyn Courier>,
    /// Verifies tokens.
    pub verifier: Arc<Verifier>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Takes the metrics.
    pub registry: Registry,
}

/// As [`build`], from these parts.
///
/// # Errors
/// As [`build`].
pub async fn build_with(config: Config, sockets: Sockets, parts: Parts) -> Result<App> {
    config.validate()?;
    let port = sockets.grpc.local_addr().map_err(Error::internal)?.port();
    let db = Db::open(&config.database, &SCHEMA, Migrate::Refuse).await?;
    let (hub, wakes) = hub(&config)?;
    let Parts {
        executor,
        courier,
        verifier,
        clock,
        registry,
    } = parts;
    let engine = Engine::new(
        db.clone(),
        clock,
        hub,
        &registry,
        config.engine(port),
        executor,
    );
    let readiness = Readiness::new();
    readiness.register("database", move || {
        let db = db.clone();
        async move { db.ping().await }
    });
    let begun = engine.clone();
    readiness.register("engine", move || {
        let begun = begun.has_begun();
        async move {
            if begun {
                Ok(())
            } else {
                Err(Error::unavailable("starting"))
            }
        }
    });
    if let Some(wakes) = &wakes {
        let cache = wakes.cache.clone();
        readiness.register_optional("cache", move || {
            let cache = cache.clone();
            async move { cache.ping().await }
        });
    }
    Ok(App {
        server: Server::new(NAME, sockets.grpc, verifier, &registry),
        admin: Admin::new(sockets.admin, registry, readiness, PROGRAM),
        engine,
        courier,
        wakes,
    })
}

/// With a shared cache, commits are told to other replicas.
fn hub(config: &Config) -> Result<(Hub, Option<Wakes>)> {
    if !config.has_shared_cache() {
        return Ok((Hub::default(), None));
    }
    let cache = Cache::open(&config.cache)?;
    let (sender, outgoing) = mpsc::unbounded_channel();
    Ok((Hub::with_remote(sender), Some(Wakes { cache, outgoing })))
}

impl App {
    /// Starts serving, and working.
    pub fn spawn(self, lifecycle: &Lifecycle) {
        let Self {
            admin,
            server,
            engine,
            courier,
            wakes,
        } = self;
        let (soft, hard) = (lifecycle.soft(), lifecycle.hard());
        admin.spawn(lifecycle);
        let routes = grpc::routes(&engine, soft.clone());
        lifecycle.spawn(
            "agent-manager grpc",
            OnExit::Stop,
            server.serve(routes, soft.clone(), hard.clone()),
        );
        if let Some(wakes) = wakes {
            lifecycle.spawn(
                "agent-manager wakes",
                OnExit::Stop,
                wakes.run(engine.clone(), soft.clone()),
            );
        }
        let letters = engine.clone().carry_letters(courier, soft.clone());
        lifecycle.spawn("agent-manager outbox", OnExit::Stop, letters);
        lifecycle.spawn("agent-manager engine", OnExit::Stop, engine.run(soft, hard));
    }
}
