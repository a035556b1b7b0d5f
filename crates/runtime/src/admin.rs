//! The admin port: `/health`, `/ready`, `/metrics`, `/version`. It takes no token, so it listens
//! where operators and probes reach it and callers do not.

use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use swarm_errors::{Error, Result};
use swarm_telemetry::Registry;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{Lifecycle, OnExit, Readiness};

/// How long open connections may take to close at the end.
const CLOSE_LIMIT: Duration = Duration::from_millis(500);

/// The admin port of one service.
#[derive(Debug)]
pub struct Admin {
    listener: TcpListener,
    about: About,
}

#[derive(Debug, Clone)]
struct About {
    registry: Registry,
    readiness: Readiness,
    name: &'static str,
}

#[derive(Debug, Serialize)]
struct Version {
    name: &'static str,
    version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    git_commit: Option<&'static str>,
}

impl Admin {
    /// The admin port of the service `name`.
    #[must_use]
    pub fn new(
        listener: TcpListener,
        registry: Registry,
        readiness: Readiness,
        name: &'static str,
    ) -> Self {
        Self {
            listener,
            about: About {
                registry,
                readiness,
                name,
            },
        }
    }

    /// Where it listens.
    ///
    /// # Errors
    /// When the system cannot say.
    pub fn local_addr(&self) -> Result<SocketAddr> {
        self.listener.local_addr().map_err(Error::internal)
    }

    /// Serves until everything else of this life has ended.
    pub fn spawn(self, lifecycle: &Lifecycle) {
        lifecycle.spawn_last(
            "admin",
            OnExit::Stop,
            self.serve(lifecycle.soft(), lifecycle.hard()),
        );
    }

    /// Serves until `hard`; not ready from `soft` on. Spawn it with [`Lifecycle::spawn_last`],
    /// since it does not end by itself at the soft stop.
    ///
    /// # Errors
    /// When the port fails.
    pub async fn serve(self, soft: CancellationToken, hard: CancellationToken) -> Result<()> {
        self.about.readiness.follow(soft);
        let server = axum::serve(self.listener, router(self.about))
            .with_graceful_shutdown(hard.clone().cancelled_owned())
            .into_future();
        let limit = async {
            hard.cancelled().await;
            tokio::time::sleep(CLOSE_LIMIT).await;
        };
        tokio::select! {
            end = server => end.map_err(Error::internal),
            () = limit => Ok(()),
        }
    }
}

fn router(about: About) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/ready", get(ready))
        .route("/metrics", get(metrics))
        .route("/version", get(version))
        .with_state(about)
}

async fn health(State(about): State<About>) -> impl IntoResponse {
    Json(serde_json::json!({"status": "alive", "name": about.name}))
}

async fn ready(State(about): State<About>) -> impl IntoResponse {
    let found = about.readiness.snapshot().await;
    let status = if found.ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(found))
}

async fn metrics(State(about): State<About>) -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, swarm_telemetry::CONTENT_TYPE)],
        about.registry.encode(),
    )
}

async fn version(State(about): State<About>) -> impl IntoResponse {
    Json(Version {
        name: about.name,
        version: env!("CARGO_PKG_VERSION"),
        // Given by the build of images; a build needs no git.
        git_commit: option_env!("QWEN_SWARM_GIT_COMMIT").filter(|commit| !commit.is_empty()),
    })
}
