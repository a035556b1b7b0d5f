//! From settings and bound ports to a running gateway.

use std::sync::Arc;

use axum::Router;
use axum::serve::ListenerExt;
use swarm_errors::{Error, Result};
use swarm_runtime::{Admin, CancellationToken, Lifecycle, OnExit, Readiness, bind};
use swarm_telemetry::Registry;
use swarm_transport::Dialer;
use swarm_types::SystemClock;
use tokio::net::TcpListener;

use crate::Config;
use crate::gateway::Gateway;
use crate::peers::Peers;
use crate::{routes, ws};

/// The bound ports.
#[derive(Debug)]
pub struct Sockets {
    /// For REST.
    pub rest: TcpListener,
    /// For WebSockets.
    pub websocket: TcpListener,
    /// For probes and metrics.
    pub admin: TcpListener,
}

impl Sockets {
    /// Takes the ports that the settings name.
    ///
    /// # Errors
    /// When one of them cannot be had; the error names its key.
    pub async fn bind(config: &Config) -> Result<Self> {
        let gateway = &config.gateway;
        Ok(Self {
            rest: bind("gateway.rest", gateway.rest).await?,
            websocket: bind("gateway.websocket", gateway.websocket).await?,
            admin: bind("gateway.admin", gateway.admin).await?,
        })
    }
}

/// A gateway that is ready to start.
#[derive(Debug)]
pub struct App {
    gateway: Gateway,
    sockets: Sockets,
}

/// Builds the gateway; nothing is called or spawned yet.
///
/// # Errors
/// When an address in the settings is not one.
// Async because the `build` of every service is.
pub async fn build(config: Config, sockets: Sockets) -> Result<App> {
    let clock = Arc::new(SystemClock);
    let dialer = Dialer::new("gateway", &config.service, &config.peers, clock.clone())?;
    let peers = Peers::new(dialer.clone(), config.peers)?;
    let readiness = Readiness::new();
    peers.register(&readiness);
    let gateway = Gateway::new(
        config.gateway,
        peers,
        dialer.verifier(),
        readiness,
        Registry::new(),
        clock,
    );
    Ok(App { gateway, sockets })
}

impl App {
    /// Starts it.
    pub fn spawn(self, lifecycle: &Lifecycle) {
        let Self { gateway, sockets } = self;
        let gateway = Arc::new(gateway.stopped_by(lifecycle.soft()));
        Admin::new(
            sockets.admin,
            gateway.registry.clone(),
            gateway.readiness.clone(),
            "gateway",
        )
        .spawn(lifecycle);
        let (soft, hard) = (lifecycle.soft(), lifecycle.hard());
        let rest = serve(
            sockets.rest,
            routes::router(gateway.clone()),
            soft.clone(),
            hard.clone(),
        );
        lifecycle.spawn("rest", OnExit::Stop, rest);
        lifecycle.spawn("websocket", OnExit::Stop, async move {
            serve(
                sockets.websocket,
                ws::router(gateway.clone()),
                soft,
                hard.clone(),
            )
            .await?;
            // A WebSocket outlives its request, so the server does not wait for it.
            gateway.websockets.drained(hard).await;
            Ok(())
        });
    }
}

/// Serves until `soft` is cancelled and running requests have ended, or until `hard` is.
async fn serve(
    listener: TcpListener,
    router: Router,
    soft: CancellationToken,
    hard: CancellationToken,
) -> Result<()> {
    // A small answer must not wait for more to come.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps small packets back");
        }
    });
    let server = axum::serve(listener, router)
        .with_graceful_shutdown(soft.cancelled_owned())
        .into_future();
    tokio::select! {
        end = server => end.map_err(Error::internal),
        () = hard.cancelled() => Ok(()),
    }
}
