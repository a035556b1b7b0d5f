//! Restate, with its handlers in Node: the server and the handlers are two processes.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;
use swarm_test_support::eventually;
use tempfile::TempDir;
use tokio::process::Command;

use crate::Failure;
use crate::http::{Connection, holds, json};
use crate::load::{Client, Subject};
use crate::options::{Peers, program_of_peer};
use crate::process::{Process, free_ports, listening, local};

const LIMIT: Duration = Duration::from_secs(60);

/// A running Restate.
#[derive(Debug)]
pub struct Restate {
    server: Process,
    handlers: Process,
    ingress: SocketAddr,
    handlers_at: SocketAddr,
    node: Handlers,
    folder: TempDir,
}

/// How the handlers are started.
#[derive(Debug)]
struct Handlers {
    modules: PathBuf,
    model: String,
}

impl Handlers {
    fn start(&self, port: u16, log: &Path) -> Process {
        let mut command = Command::new("node");
        command
            .arg(program_of_peer("restate.mjs"))
            .env("NODE_ENV", "production")
            .env("RESTATE_LOGGING", "ERROR")
            .env("BENCH_MODULES", &self.modules)
            .env("BENCH_MODEL", &self.model)
            .env("BENCH_PORT", port.to_string());
        Process::start(&mut command, log)
    }
}

impl Restate {
    /// Starts server and handlers, where they are installed. `model` is the address that the slow
    /// steps of the resume bench ask.
    pub async fn start(peers: &Peers, model: &str) -> Option<Self> {
        let modules = peers.restate_modules()?;
        let folder = tempfile::Builder::new()
            .prefix("swarm-bench-restate-")
            .tempdir()
            .unwrap();
        let [ingress, admin, fabric, handlers_port] = free_ports();
        let mut command = Command::new(peers.restate_server()?);
        command
            .arg("--base-dir")
            .arg(folder.path().join("data"))
            .args([
                "--bind-ip",
                "127.0.0.1",
                "--listen-mode",
                "tcp",
                "--no-logo",
            ])
            .env("RESTATE_INGRESS__BIND_PORT", ingress.to_string())
            .env("RESTATE_ADMIN__BIND_PORT", admin.to_string())
            .env("RESTATE_BIND_PORT", fabric.to_string())
            .env("RESTATE_LOG_FILTER", "warn")
            .env("RESTATE_DISABLE_TELEMETRY", "true")
            .env("DO_NOT_TRACK", "1");
        let server = Process::start(&mut command, &folder.path().join("server.log"));
        let node = Handlers {
            modules,
            model: model.to_owned(),
        };
        let handlers = node.start(handlers_port, &folder.path().join("handlers.log"));
        let restate = Self {
            server,
            handlers,
            ingress: local(ingress),
            handlers_at: local(handlers_port),
            node,
            folder,
        };
        listening("Restate's handlers", restate.handlers_at).await;
        listening("Restate's ingress", restate.ingress).await;
        let deployment = json!({"uri": format!("http://{}", restate.handlers_at)}).to_string();
        eventually("Restate to know its handlers", LIMIT, || async {
            let mut connection = Connection::new(local(admin), None);
            json(
                connection
                    .post("/deployments", None, deployment.clone())
                    .await?,
            )
        })
        .await;
        // The first invocations find no leader of their partition yet.
        eventually("Restate to run a workflow", LIMIT, || async {
            restate.client().run_one(crate::load::next_number()).await
        })
        .await;
        Some(restate)
    }

    /// Kills the handlers, and starts them again.
    pub async fn restart_handlers(&mut self) {
        self.handlers.kill().await;
        let log = self.folder.path().join("handlers.log");
        self.handlers = self.node.start(self.handlers_at.port(), &log);
    }

    /// Sends a task of two steps without waiting for it.
    ///
    /// # Errors
    /// When it is not accepted.
    pub async fn send_two_steps(&self, id: &str) -> Result<(), Failure> {
        let mut connection = Connection::new(self.ingress, None);
        let body = json!({"id": id}).to_string();
        let path = format!("/TwoSteps/{id}/run/send");
        json(connection.post(&path, None, body).await?).map(drop)
    }

    /// Waits for the result of such a task.
    ///
    /// # Errors
    /// When it cannot be had yet.
    pub async fn result_of_two_steps(&self, id: &str) -> Result<(), Failure> {
        let mut connection = Connection::new(self.ingress, None);
        let path = format!("/restate/workflow/TwoSteps/{id}/attach");
        json(connection.get(&path).await?).map(drop)
    }
}

impl Subject for Restate {
    fn name(&self) -> &'static str {
        "restate"
    }

    fn processes(&self) -> Vec<u32> {
        vec![self.server.id(), self.handlers.id()]
    }

    fn client(&self) -> Box<dyn Client> {
        Box::new(Caller(Connection::new(self.ingress, None)))
    }
}

struct Caller(Connection);

#[async_trait]
impl Client for Caller {
    async fn run_one(&mut self, number: u64) -> Result<(), Failure> {
        let (run, text) = (std::process::id(), format!("hello-{number:016}"));
        let path = format!("/Echo/bench-{run}-{number}/run");
        let body = json!({"prompt": text}).to_string();
        let (status, answer) = self.0.post(&path, None, body).await?;
        match status {
            200 if holds(&answer, &text) => Ok(()),
            _ => Err(format!("status {status}: {}", String::from_utf8_lossy(&answer)).into()),
        }
    }
}
