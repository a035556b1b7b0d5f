//! What every request shares.

use std::sync::Arc;

use axum::extract::State;
use swarm_identity::Verifier;
use swarm_runtime::{CancellationToken, Readiness};
use swarm_telemetry::Registry;
use swarm_transport::Deadline;
use swarm_types::{Clock, Timestamp};

use crate::GatewayConfig;
use crate::doorkeeper::Doorkeeper;
use crate::follow::Shared;
use crate::layers::HttpMetrics;
use crate::openapi::Pages;
use crate::peers::Peers;
use crate::ws::WebSockets;

/// The shared state, as a handler takes it.
pub(crate) type Gate = State<Arc<Gateway>>;

/// What every request shares.
#[derive(Debug)]
pub(crate) struct Gateway {
    pub(crate) config: GatewayConfig,
    pub(crate) peers: Peers,
    pub(crate) doorkeeper: Doorkeeper,
    pub(crate) readiness: Readiness,
    pub(crate) registry: Registry,
    pub(crate) http_metrics: HttpMetrics,
    pub(crate) websockets: WebSockets,
    /// Streams of events that several readers share.
    pub(crate) shared: Shared,
    pub(crate) started_at: Timestamp,
    pub(crate) pages: Pages,
    /// Cancelled when streams and waits shall end.
    pub(crate) soft: CancellationToken,
}

impl Gateway {
    pub(crate) fn new(
        config: GatewayConfig,
        peers: Peers,
        verifier: Arc<Verifier>,
        readiness: Readiness,
        registry: Registry,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let started_at = clock.now();
        Self {
            doorkeeper: Doorkeeper::new(verifier, peers.sessions.clone(), clock),
            http_metrics: HttpMetrics::new(&registry),
            websockets: WebSockets::new(&registry),
            shared: Shared::default(),
            started_at,
            pages: Pages::render(),
            soft: CancellationToken::new(),
            config,
            peers,
            readiness,
            registry,
        }
    }

    /// The same gateway, whose streams end when `soft` is cancelled.
    pub(crate) fn stopped_by(mut self, soft: CancellationToken) -> Self {
        self.soft = soft;
        self
    }

    /// How long one call to a peer may take.
    pub(crate) fn deadline(&self) -> Deadline {
        Deadline::after(self.config.deadline())
    }
}
