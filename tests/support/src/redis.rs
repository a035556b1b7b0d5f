//! A real Redis.

use std::ffi::OsString;
use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::OnceCell;

use crate::eventually;
use crate::process::{Supervised, folder_for};
use crate::programs::{redis_server, unprivileged};

const START_LIMIT: Duration = Duration::from_secs(20);
const PORTS_TO_TRY: u32 = 10;

static SHARED: OnceCell<Server> = OnceCell::const_new();

/// A running Redis that keeps nothing. It is gone when this is dropped or the process ends.
#[derive(Debug)]
pub struct Server {
    process: Supervised,
    port: u16,
}

impl Server {
    /// The one server that all tests of this process share: use keys of your own.
    pub async fn shared() -> &'static Self {
        SHARED.get_or_init(Self::start).await
    }

    /// Starts a server on a free port.
    pub async fn start() -> Self {
        for _ in 0..PORTS_TO_TRY {
            let server = Self::start_on(free_port());
            if server.answers().await {
                return server;
            }
        }
        panic!("no free port for Redis in {PORTS_TO_TRY} tries")
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Shuts it down.
    pub fn stop(&self) {
        self.process.stop();
    }

    /// Starts it again after [`Server::stop`], empty and on the same port.
    pub async fn start_again(&self) {
        self.process.start_again();
        assert!(
            self.answers().await,
            "Redis did not start again:\n{}",
            self.process.log()
        );
    }

    fn start_on(port: u16) -> Self {
        let user = unprivileged();
        let folder = folder_for(user, "swarm-redis-");
        let port_text = port.to_string();
        let options = [
            "--port",
            &port_text,
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
        ];
        let mut command: Vec<OsString> = vec![redis_server().into()];
        command.extend(options.iter().map(OsString::from));
        Self {
            process: Supervised::start(folder, user, "TERM", &command),
            port,
        }
    }

    /// False when it has ended, because somebody else took the port.
    async fn answers(&self) -> bool {
        let look = || async {
            if !self.process.is_alive() {
                return Ok(false);
            }
            self.ping().await.map(|()| true)
        };
        // Whoever answers on the port is ours only if ours still runs.
        eventually("Redis to answer", START_LIMIT, look).await && self.process.is_alive()
    }

    async fn ping(&self) -> std::io::Result<()> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await?;
        stream.write_all(b"PING\r\n").await?;
        let mut answer = [0; 7];
        stream.read_exact(&mut answer).await?;
        if answer == *b"+PONG\r\n" {
            Ok(())
        } else {
            Err(std::io::Error::other("not a Redis"))
        }
    }
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}
