//! A running platform.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use swarm_client::Client;
use swarm_test_support::eventually;
use tempfile::TempDir;

use crate::builder::Builder;
use crate::ports::Ports;
use crate::program::Program;

/// A cold machine that compiles beside the test is slow; a ready platform ends the wait.
const START_LIMIT: Duration = Duration::from_secs(60);

/// One process, or six.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `swarm up`.
    OneProcess,
    /// One process a service.
    SixProcesses,
}

/// One of the six.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// The public door.
    Gateway,
    /// Agents and tasks.
    AgentManager,
    /// Ballots.
    Consensus,
    /// Memories.
    Memory,
    /// Choices.
    Learning,
    /// Tokens.
    Auth,
}

impl Service {
    /// All six.
    pub const ALL: [Self; 6] = [
        Self::Gateway,
        Self::AgentManager,
        Self::Consensus,
        Self::Memory,
        Self::Learning,
        Self::Auth,
    ];

    pub(crate) const fn setting(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::AgentManager => "agent_manager",
            Self::Consensus => "consensus",
            Self::Memory => "memory",
            Self::Learning => "learning",
            Self::Auth => "auth",
        }
    }

    fn program(self) -> String {
        format!("swarm-{}", self.setting().replace('_', "-"))
    }
}

/// A platform of real processes with a data folder of its own, gone when dropped.
#[derive(Debug)]
pub struct Cluster {
    shape: Shape,
    folder: TempDir,
    ports: Ports,
    environment: Vec<(Option<Service>, String, String)>,
    programs: BTreeMap<Option<Service>, Program>,
    client: Option<Client>,
}

impl Cluster {
    /// A cluster of this shape.
    #[must_use]
    pub fn builder(shape: Shape) -> Builder {
        Builder::new(shape)
    }

    pub(crate) async fn start_all(
        shape: Shape,
        folder: TempDir,
        ports: Ports,
        environment: Vec<(Option<Service>, String, String)>,
    ) -> Self {
        std::fs::create_dir_all(folder.path().join("data")).unwrap();
        let mut cluster = Self {
            shape,
            folder,
            ports,
            environment,
            programs: BTreeMap::new(),
            client: None,
        };
        match shape {
            Shape::OneProcess => cluster.spawn(None),
            Shape::SixProcesses => Service::ALL
                .into_iter()
                .for_each(|service| cluster.spawn(Some(service))),
        }
        cluster.ready().await;
        cluster.client = Some(cluster.log_in().await);
        cluster
    }

    /// A client of the first administrator.
    #[must_use]
    pub fn client(&self) -> Client {
        self.client.clone().unwrap()
    }

    /// A client without any credential.
    #[must_use]
    pub fn stranger(&self) -> Client {
        Client::new(&self.rest())
            .unwrap()
            .with_websocket(&self.websocket())
            .unwrap()
    }

    /// The base address of the REST API.
    #[must_use]
    pub fn rest(&self) -> String {
        format!("http://{}", self.ports.of("gateway.rest"))
    }

    /// The address of the WebSocket.
    #[must_use]
    pub fn websocket(&self) -> String {
        format!("ws://{}/ws", self.ports.of("gateway.websocket"))
    }

    /// The base address of a service's admin port.
    #[must_use]
    pub fn admin(&self, service: Service) -> String {
        format!(
            "http://{}",
            self.ports.of(&format!("{}.admin", service.setting()))
        )
    }

    /// The data folder.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Ends a service as a crash does (SIGKILL); in one process this ends all.
    pub async fn kill(&mut self, service: Service) {
        let key = self.key(service);
        self.programs.remove(&key).unwrap().kill().await;
    }

    /// Asks a service to end (SIGTERM), waits for it, and returns its exit code; in one process this ends all.
    pub async fn stop(&mut self, service: Service) -> Option<i32> {
        let key = self.key(service);
        let mut program = self.programs.remove(&key).unwrap();
        program.terminate().await;
        program.ended().await
    }

    /// Starts a service again and waits until all are ready.
    pub async fn start(&mut self, service: Service) {
        self.spawn(self.key(service));
        self.ready().await;
    }

    /// The resident memory of a service's process in bytes.
    #[must_use]
    pub fn resident_bytes(&self, service: Service) -> u64 {
        let id = self.programs[&self.key(service)].id();
        let pages: u64 = std::fs::read_to_string(format!("/proc/{id}/statm"))
            .unwrap()
            .split(' ')
            .nth(1)
            .unwrap()
            .parse()
            .unwrap();
        pages * 4096
    }

    /// What the programs have logged.
    #[must_use]
    pub fn logs(&self) -> String {
        let mut text = String::new();
        for name in self.log_names() {
            let log = std::fs::read_to_string(self.folder.path().join(&name)).unwrap_or_default();
            text.push_str(&format!("--- {name}\n{log}"));
        }
        text
    }

    fn key(&self, service: Service) -> Option<Service> {
        (self.shape == Shape::SixProcesses).then_some(service)
    }

    fn log_names(&self) -> Vec<String> {
        match self.shape {
            Shape::OneProcess => vec!["swarm.log".to_owned()],
            Shape::SixProcesses => Service::ALL
                .into_iter()
                .map(|service| format!("{}.log", service.program()))
                .collect(),
        }
    }

    fn spawn(&mut self, key: Option<Service>) {
        let name = key.map_or_else(|| "swarm".to_owned(), Service::program);
        let data = self.data().display().to_string();
        let arguments = match key {
            None => vec!["up".to_owned(), "--data".to_owned(), data],
            Some(_) => Vec::new(),
        };
        let environment: Vec<(String, String)> = self
            .environment
            .iter()
            .filter(|(only, ..)| only.is_none() || *only == key)
            .map(|(_, name, value)| (name.clone(), value.clone()))
            .collect();
        let log = self.folder.path().join(format!("{name}.log"));
        self.programs
            .insert(key, Program::start(&name, &arguments, &environment, &log));
    }

    async fn ready(&mut self) {
        let http = crate::http();
        for service in Service::ALL {
            if !self.programs.contains_key(&self.key(service)) {
                continue;
            }
            let (address, http) = (format!("{}/ready", self.admin(service)), &http);
            let ended = self
                .programs
                .get_mut(&self.key(service))
                .map(Program::has_ended);
            assert_ne!(
                ended,
                Some(true),
                "{service:?} has ended at its start:\n{}",
                self.tail()
            );
            let what = format!("{service:?} to be ready");
            eventually(&what, START_LIMIT, || async {
                match http.get(&address).send().await {
                    Ok(answer) if answer.status().is_success() => Ok(()),
                    Ok(answer) => Err(answer.text().await.unwrap_or_default()),
                    Err(error) => Err(format!("{error}; {}", self.tail())),
                }
            })
            .await;
        }
    }

    async fn log_in(&self) -> Client {
        let text = std::fs::read_to_string(self.data().join("admin-credential")).unwrap();
        let credential: serde_json::Value = serde_json::from_str(&text).unwrap();
        let (name, password) = (
            credential["username"].as_str().unwrap(),
            credential["password"].as_str().unwrap(),
        );
        self.stranger().login(name, password).await.unwrap()
    }

    fn tail(&self) -> String {
        let logs = self.logs();
        let lines: Vec<&str> = logs.lines().collect();
        lines[lines.len().saturating_sub(12)..].join("\n")
    }

    /// The folder that holds data and logs.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}
