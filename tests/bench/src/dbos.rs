//! DBOS behind FastAPI, on a PostgreSQL of its own: the usual way to run it.

use std::net::SocketAddr;

use async_trait::async_trait;
use serde_json::json;
use tempfile::TempDir;
use tokio::process::Command;

use crate::Failure;
use crate::http::{Connection, holds};
use crate::load::{Client, Subject};
use crate::options::{Peers, program_of_peer};
use crate::postgres::Postgres;
use crate::process::{Process, free_ports, listening, local};

/// A running application.
#[derive(Debug)]
pub struct Dbos {
    application: Process,
    postgres: Postgres,
    address: SocketAddr,
    _folder: TempDir,
}

impl Dbos {
    /// Starts it, where it is installed.
    pub async fn start(peers: &Peers) -> Option<Self> {
        let python = peers.dbos_python()?;
        let folder = tempfile::Builder::new()
            .prefix("swarm-bench-dbos-")
            .tempdir()
            .unwrap();
        let postgres = Postgres::start().await;
        let database = postgres.database().await;
        let [port] = free_ports();
        let mut command = Command::new(python);
        command
            .arg(program_of_peer("dbos_app.py"))
            .env("BENCH_DATABASE", postgres.url_of_libpq(&database))
            .env("BENCH_PORT", port.to_string())
            .current_dir(folder.path());
        let application = Process::start(&mut command, &folder.path().join("log"));
        listening("DBOS", local(port)).await;
        Some(Self {
            application,
            postgres,
            address: local(port),
            _folder: folder,
        })
    }
}

impl Subject for Dbos {
    fn name(&self) -> &'static str {
        "dbos"
    }

    fn processes(&self) -> Vec<u32> {
        vec![self.application.id(), self.postgres.id()]
    }

    fn client(&self) -> Box<dyn Client> {
        Box::new(Caller(Connection::new(self.address, None)))
    }
}

struct Caller(Connection);

#[async_trait]
impl Client for Caller {
    async fn run_one(&mut self, number: u64) -> Result<(), Failure> {
        let (run, text) = (std::process::id(), format!("hello-{number:016}"));
        let body = json!({"id": format!("bench-{run}-{number}"), "prompt": text}).to_string();
        let (status, answer) = self.0.post("/echo", None, body).await?;
        match status {
            200 if holds(&answer, &text) => Ok(()),
            _ => Err(format!("status {status}: {}", String::from_utf8_lossy(&answer)).into()),
        }
    }
}
