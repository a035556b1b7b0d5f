//! A gateway on free ports, with the recorder behind it.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;
use swarm_config::Listen;
use swarm_gateway::{Config, Sockets, build};
use swarm_identity::Role;
use swarm_runtime::Lifecycle;
use swarm_transport::PeersConfig;

use crate::recorder::Recorder;

pub(crate) const LIMIT: Duration = Duration::from_secs(20);

pub(crate) struct Door {
    pub(crate) recorder: Recorder,
    pub(crate) rest: SocketAddr,
    pub(crate) websocket: SocketAddr,
    pub(crate) lifecycle: Lifecycle,
    http: reqwest::Client,
}

impl Door {
    pub(crate) async fn open() -> Self {
        Self::open_with(|_| {}).await
    }

    pub(crate) async fn open_with(change: impl FnOnce(&mut Config)) -> Self {
        let (recorder, address) = Recorder::start().await;
        let mut config = Config {
            peers: PeersConfig {
                agent_manager: address.clone(),
                consensus: address.clone(),
                memory: address.clone(),
                learning: address.clone(),
                auth: address,
            },
            ..Config::default()
        };
        config.gateway.rest = Listen::loopback(0);
        config.gateway.websocket = Listen::loopback(0);
        config.gateway.admin = Listen::loopback(0);
        change(&mut config);
        let sockets = Sockets::bind(&config).await.unwrap();
        let (rest, websocket) = (
            sockets.rest.local_addr().unwrap(),
            sockets.websocket.local_addr().unwrap(),
        );
        let lifecycle = Lifecycle::new(Duration::from_secs(10));
        build(config, sockets).await.unwrap().spawn(&lifecycle);
        rustls::crypto::ring::default_provider()
            .install_default()
            .ok();
        Self {
            recorder,
            rest,
            websocket,
            lifecycle,
            http: reqwest::Client::new(),
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.rest)
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> RequestBuilder {
        self.http
            .request(
                Method::from_bytes(method.as_bytes()).unwrap(),
                self.url(path),
            )
            .timeout(LIMIT)
    }

    /// A request of somebody with this role.
    pub(crate) fn by(&self, role: Role, method: &str, path: &str) -> RequestBuilder {
        self.request(method, path)
            .bearer_auth(self.recorder.token(role))
    }
}

/// Status and JSON of an answer.
pub(crate) async fn seen(response: Response) -> (StatusCode, Value) {
    let status = response.status();
    let bytes = response.bytes().await.unwrap();
    (
        status,
        serde_json::from_slice(&bytes).unwrap_or(Value::Null),
    )
}
