//! The server side.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use swarm_config::Listen;
use swarm_errors::{Error, Result};
use swarm_identity::Verifier;
use swarm_runtime::CancellationToken;
use swarm_telemetry::Registry;
use tokio::net::TcpListener;
use tonic::service::Routes;
use tonic::transport::server::TcpIncoming;

use crate::layers::RulesLayer;

const KEEP_ALIVE: Duration = Duration::from_secs(20);
/// Health has no secrets, and a probe has no token.
const ALWAYS_OPEN: &str = "grpc.health.v1.Health";

/// Where a service listens for its peers, and where for probes and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerConfig {
    /// The gRPC port.
    pub grpc: Listen,
    /// The admin port.
    pub admin: Listen,
}

/// A gRPC server with our layers around its routes.
#[derive(Debug)]
pub struct Server {
    name: &'static str,
    listener: TcpListener,
    verifier: Arc<Verifier>,
    registry: Registry,
    open: Vec<&'static str>,
}

impl Server {
    /// A server of the service `name` on a bound listener.
    #[must_use]
    pub fn new(
        name: &'static str,
        listener: TcpListener,
        verifier: Arc<Verifier>,
        registry: &Registry,
    ) -> Self {
        Self {
            name,
            listener,
            verifier,
            registry: registry.clone(),
            open: vec![ALWAYS_OPEN],
        }
    }

    /// Lets calls to this gRPC service pass without a token.
    #[must_use]
    pub fn open(mut self, service: &'static str) -> Self {
        self.open.push(service);
        self
    }

    /// Serves until `soft` is cancelled and the running calls have ended, or until `hard` is.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn serve(
        self,
        routes: Routes,
        soft: CancellationToken,
        hard: CancellationToken,
    ) -> Result<()> {
        let (health, health_service) = tonic_health::server::health_reporter();
        health
            .set_service_status("", tonic_health::ServingStatus::Serving)
            .await;
        let reflection = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(swarm_proto::DESCRIPTORS)
            .build_v1()
            .map_err(Error::internal)?;
        let serving = tonic::transport::Server::builder()
            .http2_keepalive_interval(Some(KEEP_ALIVE))
            .layer(RulesLayer::new(
                self.name,
                &self.registry,
                self.verifier,
                &self.open,
            ))
            .add_routes(routes.add_service(health_service).add_service(reflection))
            .serve_with_incoming_shutdown(
                TcpIncoming::from(self.listener).with_nodelay(Some(true)),
                announce(soft, health),
            );
        tokio::select! {
            result = serving => result.map_err(Error::internal),
            () = hard.cancelled() => Ok(()),
        }
    }
}

async fn announce(soft: CancellationToken, health: tonic_health::server::HealthReporter) {
    soft.cancelled().await;
    health
        .set_service_status("", tonic_health::ServingStatus::NotServing)
        .await;
}
