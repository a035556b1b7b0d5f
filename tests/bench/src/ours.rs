//! The platform: six processes on PostgreSQL, or one on embedded storage.

use std::net::SocketAddr;
use std::path::Path;

use async_trait::async_trait;
use serde_json::{Value, json};
use swarm_test_cluster::{Builder, Cluster, Service, Shape};
use swarm_test_support::redis;

use crate::Failure;
use crate::http::{Connection, holds, json as read_json};
use crate::load::{Client, Subject};
use crate::postgres::Postgres;

/// A platform whose model repeats what it is asked, at once.
#[derive(Debug)]
pub struct Ours {
    name: String,
    /// Its processes.
    pub cluster: Cluster,
    /// Its database, where it is PostgreSQL.
    pub postgres: Option<(Postgres, String)>,
    _redis: Option<redis::Server>,
    shape: Shape,
    rest: SocketAddr,
    token: String,
}

impl Ours {
    /// Six processes on a PostgreSQL of their own.
    pub async fn on_postgres() -> Self {
        let builder = with_defaults(Cluster::builder(Shape::SixProcesses));
        Self::with("swarm".to_owned(), builder, None).await
    }

    /// The same with several agent-managers, which wake each other through a Redis.
    pub async fn with_replicas(count: usize) -> Self {
        let redis = redis::Server::start().await;
        let builder = with_defaults(Cluster::builder(Shape::SixProcesses))
            .replicas(Service::AgentManager, count)
            .redis(&redis.url());
        Self::with(
            format!("swarm, {count} agent-managers"),
            builder,
            Some(redis),
        )
        .await
    }

    async fn with(name: String, builder: Builder, redis: Option<redis::Server>) -> Self {
        let postgres = Postgres::start().await;
        let database = postgres.database().await;
        let cluster = builder
            .postgres(&postgres.url(&database))
            .await
            .start()
            .await;
        let postgres = Some((postgres, database));
        Self::new(name, Shape::SixProcesses, cluster, postgres, redis).await
    }

    /// One process on SQLite files.
    pub async fn embedded() -> Self {
        let cluster = with_defaults(Cluster::builder(Shape::OneProcess))
            .start()
            .await;
        let name = "swarm up, SQLite".to_owned();
        Self::new(name, Shape::OneProcess, cluster, None, None).await
    }

    /// Takes a cluster that runs, logs in, and has it run a first task.
    async fn new(
        name: String,
        shape: Shape,
        cluster: Cluster,
        postgres: Option<(Postgres, String)>,
        redis: Option<redis::Server>,
    ) -> Self {
        let rest = address(&cluster.rest());
        let token = log_in(rest, &cluster.data()).await;
        let ours = Self {
            name,
            cluster,
            postgres,
            _redis: redis,
            shape,
            rest,
            token,
        };
        let mut connection = Connection::new(rest, Some(&ours.token));
        let body = echo_task("a first task");
        let task = connection
            .post("/api/v1/tasks?wait=30s", None, body)
            .await
            .and_then(read_json)
            .unwrap_or_else(|error| panic!("{error}\n{}", ours.cluster.logs()));
        assert_eq!(task["result"]["answer"]["text"], "a first task", "{task}");
        ours
    }

    /// Logs in again: an access token lasts some minutes, a run of all benches longer.
    pub async fn renew(&mut self) {
        self.token = log_in(self.rest, &self.cluster.data()).await;
    }

    /// Where the REST API is.
    #[must_use]
    pub fn rest(&self) -> SocketAddr {
        self.rest
    }

    /// The access token of the first administrator.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The process of each service, by its name.
    #[must_use]
    pub fn services(&self) -> Vec<(String, u32)> {
        let mut all: Vec<_> = match self.shape {
            Shape::OneProcess => vec![(
                "swarm".to_owned(),
                self.cluster.process_id(Service::Gateway),
            )],
            Shape::SixProcesses => {
                let nodes = self.cluster.nodes().into_iter();
                nodes
                    .map(|node| (node.to_string(), self.cluster.process_id(node)))
                    .collect()
            }
        };
        if let Some((postgres, _)) = &self.postgres {
            all.push(("postgres".to_owned(), postgres.id()));
        }
        all
    }
}

/// The settings of a bench: what an operator of many short tasks sets, and a model that echoes.
#[must_use]
pub fn with_defaults(builder: Builder) -> Builder {
    builder
        .script(&json!({"turns": [{"echo": true, "repeat": true}]}))
        .set("agent_manager.max_workers", "256")
        .set("telemetry.log_level", "info")
        // More processes than processors.
        .set("runtime.threads", "1")
        // The cluster of the tests hashes passwords cheaply; here memory is measured.
        .set("auth.password.memory_kib", "19456")
        .set("auth.password.iterations", "2")
}

/// The body of a task with one step: one call of the model, no memories before or after.
#[must_use]
pub fn echo_task(prompt: &str) -> String {
    let input = json!({"prompt": prompt, "recall": false, "remember": false});
    json!({"kind": "echo", "input": input}).to_string()
}

/// The access token of the first administrator.
pub async fn log_in(rest: SocketAddr, data: &Path) -> String {
    let credential = std::fs::read_to_string(data.join("admin-credential")).unwrap();
    let credential: Value = serde_json::from_str(&credential).unwrap();
    let body = json!({"username": credential["username"], "password": credential["password"]});
    let mut connection = Connection::new(rest, None);
    let answer = connection
        .post("/api/v1/auth/login", None, body.to_string())
        .await
        .and_then(read_json)
        .unwrap();
    answer["access_token"].as_str().unwrap().to_owned()
}

fn address(url: &str) -> SocketAddr {
    url.trim_start_matches("http://").parse().unwrap()
}

impl Subject for Ours {
    fn name(&self) -> &str {
        &self.name
    }

    fn processes(&self) -> Vec<u32> {
        self.services().into_iter().map(|(_, id)| id).collect()
    }

    fn client(&self) -> Box<dyn Client> {
        Box::new(Caller(Connection::new(self.rest, Some(&self.token))))
    }
}

struct Caller(Connection);

#[async_trait]
impl Client for Caller {
    async fn run_one(&mut self, number: u64) -> Result<(), Failure> {
        let (run, text) = (std::process::id(), format!("hello-{number:016}"));
        let key = format!("bench-{run}-{number}");
        let path = "/api/v1/tasks?wait=30s";
        let (status, answer) = self.0.post(path, Some(&key), echo_task(&text)).await?;
        // The text stands in the task's input as well, so its result is looked for by its name.
        match status {
            200 if holds(&answer, &format!("\"text\":\"{text}\"")) => Ok(()),
            _ => Err(format!("status {status}: {}", String::from_utf8_lossy(&answer)).into()),
        }
    }
}
