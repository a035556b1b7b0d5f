//! Wiring.

use std::sync::Arc;
use std::time::Instant;

use chrono::TimeDelta;
use swarm_errors::{Error, Result};
use swarm_identity::Verifier;
use swarm_runtime::{Admin, Lifecycle, OnExit, Readiness, bind};
use swarm_telemetry::Registry;
use swarm_transport::{Dialer, Server};
use swarm_types::{Clock, SystemClock};
use tokio::net::TcpListener;

use crate::Config;
use crate::deadlines::Deadlines;
use crate::grpc;
use crate::metrics::Metrics;
use crate::raft::{Group, Store};

const NAME: &str = "consensus";

/// The ports, taken before any work starts.
#[derive(Debug)]
pub struct Sockets {
    /// For probes and metrics.
    pub admin: TcpListener,
    /// For the other services.
    pub grpc: TcpListener,
}

impl Sockets {
    /// Takes the ports that the settings name.
    ///
    /// # Errors
    /// When one is taken or not ours.
    pub async fn bind(config: &Config) -> Result<Self> {
        Ok(Self {
            admin: bind("consensus.admin", config.consensus.admin).await?,
            grpc: bind("consensus.grpc", config.consensus.grpc).await?,
        })
    }
}

/// The service, ready to run.
#[derive(Debug)]
pub struct App {
    admin: Admin,
    node: Node,
}

/// What runs once the log has recovered.
#[derive(Debug)]
struct Node {
    store: Store,
    server: Server,
    ready: swarm_runtime::Flag,
    clock: Arc<dyn Clock>,
    grace: TimeDelta,
    addresses: (String, String),
    built: Instant,
}

/// Opens the data folder and wires the service, with keys from auth and the machine's clock.
///
/// # Errors
/// When the data folder is in use or damaged, or a setting is wrong.
pub async fn build(config: Config, sockets: Sockets) -> Result<App> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let dialer = Dialer::new(NAME, &config.service, &config.peers, clock.clone())?;
    build_with(config, sockets, dialer.verifier(), clock).await
}

/// As [`build`], with what verifies tokens and the clock given.
///
/// # Errors
/// As [`build`].
pub async fn build_with(
    config: Config,
    sockets: Sockets,
    verifier: Arc<Verifier>,
    clock: Arc<dyn Clock>,
) -> Result<App> {
    let built = Instant::now();
    let (registry, readiness) = (Registry::new(), Readiness::new());
    let ready = readiness.flag("raft");
    let own = &config.consensus;
    let address = |listener: &TcpListener| {
        let address = listener.local_addr().map_err(Error::internal)?;
        Ok::<_, Error>(address.to_string())
    };
    let addresses = (address(&sockets.grpc)?, address(&sockets.admin)?);
    let store = Store::open(&own.data, own.settings(), Metrics::new(&registry)).await?;
    Ok(App {
        node: Node {
            store,
            server: Server::new(NAME, sockets.grpc, verifier, &registry),
            ready,
            clock,
            grace: TimeDelta::milliseconds(i64::from(own.min_grace_ms)),
            addresses,
            built,
        },
        admin: Admin::new(sockets.admin, registry, readiness, NAME),
    })
}

impl App {
    /// Runs it until the end of this life. Calls are answered once the log has recovered.
    pub fn spawn(self, lifecycle: &Lifecycle) {
        self.admin.spawn(lifecycle);
        let life = lifecycle.clone();
        // The log outlives the calls that it still serves.
        lifecycle.spawn_last("raft", OnExit::Stop, self.node.run(life));
    }
}

impl Node {
    async fn run(self, lifecycle: Lifecycle) -> Result<()> {
        let hard = lifecycle.hard();
        let group = tokio::select! {
            started = Group::start(self.store) => started?,
            () = hard.cancelled() => return Ok(()),
        };
        let _stop = StopOnDrop(group.clone());
        let routes = grpc::routes(&group, &self.clock);
        lifecycle.spawn(
            "grpc",
            OnExit::Stop,
            self.server
                .serve(routes, lifecycle.soft(), lifecycle.hard()),
        );
        let deadlines = Deadlines {
            group: group.clone(),
            clock: self.clock,
            grace: self.grace,
        };
        lifecycle.spawn("deadlines", OnExit::Stop, deadlines.run(lifecycle.soft()));
        self.ready.set_ready();
        let (grpc, admin) = self.addresses;
        tracing::info!(
            grpc.address = grpc,
            admin.address = admin,
            elapsed_ms = u64::try_from(self.built.elapsed().as_millis()).unwrap_or(u64::MAX),
            "listening"
        );
        let end = tokio::select! {
            error = group.failed() => Err(error),
            () = hard.cancelled() => Ok(()),
        };
        self.ready.set_not_ready("stopped");
        group.shutdown().await;
        end
    }
}

/// Stops the node also when its task is aborted, as a test's crash does: openraft's own tasks
/// would go on and hold the folder.
struct StopOnDrop(Group);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let group = self.0.clone();
            runtime.spawn(async move { group.shutdown().await });
        }
    }
}
