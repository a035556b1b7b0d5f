//! How a cluster is made.

use std::net::SocketAddr;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

use crate::cluster::{Cluster, Shape};
use crate::node::{Node, Service};
use crate::ports::{Ports, variable};
use crate::program::path_of;

/// Settings of a cluster before it starts.
#[derive(Debug)]
pub struct Builder {
    shape: Shape,
    folder: TempDir,
    ports: Ports,
    settings: Vec<(Option<Service>, String, String)>,
}

impl Builder {
    pub(crate) fn new(shape: Shape) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("swarm-cluster-")
            .tempdir()
            .unwrap();
        let ports = Ports::free();
        let builder = Self {
            shape,
            folder,
            ports,
            settings: Vec::new(),
        };
        builder.defaults()
    }

    fn defaults(self) -> Self {
        let data = self.folder.path().join("data");
        let path = |name: &str| data.join(name).display().to_string();
        let (database, consensus, credential) = (
            format!("sqlite:{}", data.display()),
            path("consensus"),
            path("admin-credential"),
        );
        self.set("database.url", &database)
            .set("consensus.data", &consensus)
            .set("auth.credential_file", &credential)
            .set("service.secret", "a-secret-of-this-test-cluster-alone")
            .set("telemetry.log_format", "json")
            // Passwords are hashed at full cost in auth's own tests.
            .set("auth.password.memory_kib", "8192")
            .set("auth.password.iterations", "1")
            // Nothing is embedded unless a test asks for it.
            .set("models.embeddings", "none")
    }

    /// Sets a key for all services.
    #[must_use]
    pub fn set(mut self, key: &str, value: &str) -> Self {
        self.settings.push((None, variable(key), value.to_owned()));
        self
    }

    /// Sets a key for one service: of six processes only.
    #[must_use]
    pub fn set_for(mut self, service: Service, key: &str, value: &str) -> Self {
        assert_eq!(
            self.shape,
            Shape::SixProcesses,
            "one process has one set of settings"
        );
        self.settings
            .push((Some(service), variable(key), value.to_owned()));
        self
    }

    /// Starts this many processes of a service. Those of agent-manager need [`Builder::postgres`].
    #[must_use]
    pub fn replicas(mut self, service: Service, count: usize) -> Self {
        assert_eq!(
            self.shape,
            Shape::SixProcesses,
            "one process holds one of each"
        );
        let nodes: Vec<Node> = (1..count).map(|number| service.replica(number)).collect();
        self.ports.add(&nodes);
        self
    }

    /// Lets the services share caches and wake each other through this Redis.
    #[must_use]
    pub fn redis(self, url: &str) -> Self {
        self.set("cache.url", url)
    }

    /// Keeps everything in this PostgreSQL database, with its tables made by `swarm migrate`.
    pub async fn postgres(self, url: &str) -> Self {
        let migrated = Command::new(path_of("swarm"))
            .arg("migrate")
            .current_dir(self.folder.path())
            .env(variable("database.url"), url)
            .output()
            .await
            .unwrap();
        assert!(
            migrated.status.success(),
            "{}",
            String::from_utf8_lossy(&migrated.stderr)
        );
        self.set("database.url", url)
    }

    /// Gives all services a file of settings, for what the environment cannot hold, such as tools.
    #[must_use]
    pub fn file(self, toml: &str) -> Self {
        std::fs::write(self.folder.path().join("qwen-swarm.toml"), toml).unwrap();
        self
    }

    /// Answers every model call from these turns.
    #[must_use]
    pub fn script(self, turns: &Value) -> Self {
        let path = self.folder.path().join("script.json");
        std::fs::write(&path, turns.to_string()).unwrap();
        let path = path.display().to_string();
        self.set("models.provider", "scripted")
            .set("models.scripted.path", &path)
    }

    /// Where a service will listen for its peers.
    #[must_use]
    pub fn address(&self, node: impl Into<Node>) -> SocketAddr {
        self.ports.of(node.into(), "grpc")
    }

    /// The folder that holds data and logs.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts everything and waits until all are ready.
    pub async fn start(self) -> Cluster {
        Cluster::start_all(self.shape, self.folder, self.ports, self.settings).await
    }
}
