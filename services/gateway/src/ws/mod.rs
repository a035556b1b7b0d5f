//! The WebSocket door, on a port of its own.

mod frames;
mod sessions;
mod socket;
mod subscription;
mod topics;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use axum::routing::get;
use swarm_errors::Error;
use swarm_runtime::CancellationToken;
use swarm_telemetry::{Counter, Gauge, Registry, names};
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::extract::NoParams;
use crate::gateway::{Gate, Gateway};
use crate::layers::{self, Gatekeeper};
use crate::problem::Answer;
use crate::routes::{Access, RouteInfo, no_route, root_health, wrong_method};

/// The connections that are open.
#[derive(Debug)]
pub(crate) struct WebSockets {
    open: Gauge,
    opened: Counter,
    tracker: TaskTracker,
}

impl WebSockets {
    pub(crate) fn new(registry: &Registry) -> Self {
        Self {
            open: registry.gauge(names::WEBSOCKET_CONNECTIONS).with([]),
            opened: registry
                .counter(names::WEBSOCKET_CONNECTIONS_TOTAL)
                .with([]),
            tracker: TaskTracker::new(),
        }
    }

    /// Counts a connection as open until the guard is dropped.
    fn enter(&self) -> Open {
        self.open.inc();
        self.opened.inc();
        Open {
            gauge: self.open.clone(),
            _token: self.tracker.token(),
        }
    }

    /// Waits until every connection is closed, or until `hard` is cancelled.
    pub(crate) async fn drained(&self, hard: CancellationToken) {
        self.tracker.close();
        tokio::select! {
            () = self.tracker.wait() => {}
            () = hard.cancelled() => {}
        }
    }
}

struct Open {
    gauge: Gauge,
    _token: TaskTrackerToken,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.gauge.dec();
    }
}

/// The routes of the WebSocket port. A token may come in the first frame, so both are open here and
/// the session asks for it.
fn rules() -> [RouteInfo; 2] {
    let open = |path| RouteInfo {
        method: Method::GET,
        path,
        access: Access::Open,
    };
    [open("/ws"), open("/ws/health")]
}

/// The WebSocket door.
pub(crate) fn router(gateway: Arc<Gateway>) -> Router {
    let router = Router::new()
        .route("/ws", get(upgrade))
        .route("/ws/health", get(root_health))
        .fallback(no_route)
        .method_not_allowed_fallback(wrong_method);
    layers::around(router, Gatekeeper::new(rules()), &gateway).with_state(gateway)
}

async fn upgrade(
    State(gateway): Gate,
    _: NoParams,
    headers: HeaderMap,
    handshake: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Answer<Response> {
    let handshake = handshake.map_err(|error| Error::invalid("Upgrade", error.body_text()))?;
    // A credential that is shown must hold; without one, the first frame has to bear it.
    let visitor = gateway.doorkeeper.identify(&headers).await?;
    let open = gateway.websockets.enter();
    let limit = gateway.config.max_frame;
    let answer = handshake
        .max_frame_size(limit)
        .max_message_size(limit)
        .read_buffer_size(8 * 1024)
        .write_buffer_size(0)
        .on_upgrade(move |socket| async move {
            sessions::serve(socket, gateway, visitor).await;
            drop(open);
        });
    Ok(answer)
}
