//! A running platform.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use swarm_client::Client;
use swarm_test_support::eventually;
use tempfile::TempDir;

use crate::builder::Builder;
use crate::node::{Node, Service};
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

/// A platform of real processes with a data folder of its own, gone when dropped.
#[derive(Debug)]
pub struct Cluster {
    shape: Shape,
    folder: TempDir,
    ports: Ports,
    settings: Vec<(Option<Service>, String, String)>,
    programs: BTreeMap<Option<Node>, Program>,
    paused: BTreeSet<Option<Node>>,
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
        settings: Vec<(Option<Service>, String, String)>,
    ) -> Self {
        std::fs::create_dir_all(folder.path().join("data")).unwrap();
        let mut cluster = Self {
            shape,
            folder,
            ports,
            settings,
            programs: BTreeMap::new(),
            paused: BTreeSet::new(),
            client: None,
        };
        match shape {
            Shape::OneProcess => cluster.spawn(None),
            Shape::SixProcesses => {
                for node in cluster.ports.nodes() {
                    cluster.spawn(Some(node));
                }
            }
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

    /// As [`Cluster::client`], at another gateway.
    #[must_use]
    pub fn client_at(&self, gateway: usize) -> Client {
        self.client()
            .at(&self.rest_at(gateway))
            .unwrap()
            .with_websocket(&self.websocket_at(gateway))
            .unwrap()
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
        self.rest_at(0)
    }

    /// The base address of the REST API of one gateway.
    #[must_use]
    pub fn rest_at(&self, gateway: usize) -> String {
        let node = Service::Gateway.replica(gateway);
        format!("http://{}", self.ports.of(node, "rest"))
    }

    /// The address of the WebSocket.
    #[must_use]
    pub fn websocket(&self) -> String {
        self.websocket_at(0)
    }

    /// The address of the WebSocket of one gateway.
    #[must_use]
    pub fn websocket_at(&self, gateway: usize) -> String {
        let node = Service::Gateway.replica(gateway);
        format!("ws://{}/ws", self.ports.of(node, "websocket"))
    }

    /// The base address of a service's admin port.
    #[must_use]
    pub fn admin(&self, node: impl Into<Node>) -> String {
        format!("http://{}", self.ports.of(node.into(), "admin"))
    }

    /// All processes that the cluster was made of, in several processes.
    #[must_use]
    pub fn nodes(&self) -> Vec<Node> {
        self.ports.nodes()
    }

    /// The data folder.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Ends a service as a crash does (SIGKILL); in one process this ends all.
    pub async fn kill(&mut self, node: impl Into<Node>) {
        let key = self.key(node.into());
        self.paused.remove(&key);
        self.programs.remove(&key).unwrap().kill().await;
    }

    /// Asks a service to end (SIGTERM), waits for it, and returns its exit code; in one process this ends all.
    pub async fn stop(&mut self, node: impl Into<Node>) -> Option<i32> {
        let key = self.key(node.into());
        let mut program = self.programs.remove(&key).unwrap();
        program.signal("TERM").await;
        program.ended().await
    }

    /// Stops a process where it is (SIGSTOP), until [`Cluster::resume`].
    pub async fn pause(&mut self, node: impl Into<Node>) {
        let key = self.key(node.into());
        self.programs[&key].signal("STOP").await;
        self.paused.insert(key);
    }

    /// Lets a paused process go on (SIGCONT).
    pub async fn resume(&mut self, node: impl Into<Node>) {
        let key = self.key(node.into());
        self.programs[&key].signal("CONT").await;
        self.paused.remove(&key);
    }

    /// Starts a service again and waits until all that run are ready.
    pub async fn start(&mut self, node: impl Into<Node>) {
        self.launch(node);
        self.ready().await;
    }

    /// Starts a service again and does not wait.
    pub fn launch(&mut self, node: impl Into<Node>) {
        let key = self.key(node.into());
        self.spawn(key);
    }

    /// Whether a process runs and is not paused.
    #[must_use]
    pub fn is_running(&self, node: impl Into<Node>) -> bool {
        let key = self.key(node.into());
        self.programs.contains_key(&key) && !self.paused.contains(&key)
    }

    /// The processes that have ended by themselves.
    pub fn ended(&mut self) -> Vec<Node> {
        let has_ended =
            |(key, program): (&Option<Node>, &mut Program)| key.filter(|_| program.has_ended());
        self.programs.iter_mut().filter_map(has_ended).collect()
    }

    /// The id of a service's process.
    #[must_use]
    pub fn process_id(&self, node: impl Into<Node>) -> u32 {
        self.programs[&self.key(node.into())].id()
    }

    /// The resident memory of a service's process in bytes.
    #[must_use]
    pub fn resident_bytes(&self, node: impl Into<Node>) -> u64 {
        let id = self.process_id(node);
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

    fn key(&self, node: Node) -> Option<Node> {
        (self.shape == Shape::SixProcesses).then_some(node)
    }

    fn log_names(&self) -> Vec<String> {
        match self.shape {
            Shape::OneProcess => vec![log_name(None)],
            Shape::SixProcesses => self
                .nodes()
                .into_iter()
                .map(|node| log_name(Some(node)))
                .collect(),
        }
    }

    fn spawn(&mut self, key: Option<Node>) {
        let name = key.map_or_else(|| "swarm".to_owned(), |node| node.service.program());
        let data = self.data().display().to_string();
        let arguments = match key {
            None => vec!["up".to_owned(), "--data".to_owned(), data],
            Some(_) => Vec::new(),
        };
        let mut environment = self.ports.environment(key);
        environment.extend(
            self.settings
                .iter()
                .filter(|(only, ..)| only.is_none() || *only == key.map(|node| node.service))
                .map(|(_, name, value)| (name.clone(), value.clone())),
        );
        let log = self.folder.path().join(log_name(key));
        self.programs
            .insert(key, Program::start(&name, &arguments, &environment, &log));
    }

    /// Waits until all that run and are not paused are ready.
    pub async fn ready(&mut self) {
        let http = crate::http();
        for node in self.nodes() {
            let key = self.key(node);
            if !self.programs.contains_key(&key) || self.paused.contains(&key) {
                continue;
            }
            let (address, http) = (format!("{}/ready", self.admin(node)), &http);
            let ended = self.programs.get_mut(&key).map(Program::has_ended);
            assert_ne!(
                ended,
                Some(true),
                "{node} has ended at its start:\n{}",
                self.tail()
            );
            let what = format!("{node} to be ready");
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

fn log_name(key: Option<Node>) -> String {
    key.map_or_else(
        || "swarm.log".to_owned(),
        |node| format!("swarm-{node}.log"),
    )
}
