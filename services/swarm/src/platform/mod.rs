//! The six services in one process: the same Apps that run as six, and gRPC between them all the same.
//!
//! All ports are bound before anything is built, so that port 0 works everywhere, and nothing is
//! written when a port is taken. Each service has a life of its own, so that they can stop in order.

mod configs;
mod lives;
mod ready;
mod settings;

use std::fs;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use swarm_cli::{Address, address_file};
use swarm_client::Client;
use swarm_errors::{Code, Error, Result};
use swarm_runtime::ExitStatus;

use crate::DataFolder;
use configs::Configs;
use lives::Lives;

pub use settings::Settings;

/// A service and its admin port.
pub(crate) type AdminAddress = (&'static str, SocketAddr);

/// Six running services. They end when this is stopped, or hard when it is dropped.
#[derive(Debug)]
pub struct Platform {
    api: SocketAddr,
    websocket: SocketAddr,
    admin: Vec<AdminAddress>,
    folder: DataFolder,
    ready_after: Duration,
    lives: Lives,
}

impl Platform {
    /// Starts all six and waits until each says that it is ready.
    ///
    /// # Errors
    /// When settings are wrong, a port is taken, a store cannot be opened, or a service does not become ready.
    pub async fn start(settings: &Settings) -> Result<Self> {
        let begun = Instant::now();
        let configs = Configs::load(settings.loader())?;
        let grace = configs.grace();
        let sockets = configs::Sockets::bind(&configs).await?;
        let addresses = sockets.addresses()?;
        let apps = configs::build(configs.meeting_at(&addresses), sockets).await?;
        let lives = Lives::spawn(apps, grace);
        let mut platform = Self {
            api: reachable(addresses.rest),
            websocket: reachable(addresses.websocket),
            admin: addresses
                .admin
                .map(|(name, address)| (name, reachable(address)))
                .to_vec(),
            folder: settings.folder().clone(),
            ready_after: Duration::ZERO,
            lives,
        };
        let ready = tokio::select! {
            ready = ready::wait(&platform.admin) => ready,
            () = platform.lives.failed() => Err(platform.lives.failure().await),
        };
        ready?;
        platform.ready_after = begun.elapsed();
        platform.write_address()?;
        Ok(platform)
    }

    /// Where the public API is.
    #[must_use]
    pub fn api(&self) -> String {
        format!("http://{}", self.api)
    }

    /// Where the WebSocket is.
    #[must_use]
    pub fn websocket(&self) -> String {
        format!("ws://{}/ws", self.websocket)
    }

    /// Each service's admin port.
    #[must_use]
    pub fn admin(&self) -> &[(&'static str, SocketAddr)] {
        &self.admin
    }

    /// Where everything is kept.
    #[must_use]
    pub const fn folder(&self) -> &DataFolder {
        &self.folder
    }

    /// How long it took from the call to all six being ready.
    #[must_use]
    pub const fn ready_after(&self) -> Duration {
        self.ready_after
    }

    /// A client that has not said who is calling.
    ///
    /// # Errors
    /// Never for an address of ours.
    pub fn stranger(&self) -> Result<Client> {
        Client::new(&self.api())?.with_websocket(&self.websocket())
    }

    /// A client of the first administrator, while the credential's file is there.
    ///
    /// # Errors
    /// When the file is gone or does not open the door any more.
    pub async fn administrator(&self) -> Result<Client> {
        let file = self.folder.credential_file();
        let Some(credential) = self.folder.credential()? else {
            let words = format!("{} is gone, so nobody can log in for you", file.display());
            return Err(Error::new(Code::FailedPrecondition, words));
        };
        let client = self.stranger()?;
        let login = client
            .login(&credential.username, credential.password.expose())
            .await;
        login.map_err(|error| error.context(format_args!("logging in with {}", file.display())))
    }

    /// Ready when a service has ended by itself, which it should not.
    pub async fn failed(&self) {
        self.lives.failed().await;
    }

    /// Stops in order: first the gateway takes no more, then work ends, then what work needs.
    /// Whatever still runs after the grace time is ended.
    pub async fn stop(&self) -> ExitStatus {
        fs::remove_file(address_file(self.folder.path())).ok();
        self.lives.stop().await
    }

    /// Ends what still runs at once, while [`Platform::stop`] waits for it.
    pub fn hurry(&self) {
        self.lives.hurry();
    }

    /// Commands on this machine find the server by it.
    fn write_address(&self) -> Result<()> {
        let path = address_file(self.folder.path());
        let address = Address {
            server: self.api(),
            websocket: self.websocket(),
        };
        let text = serde_json::to_vec(&address).map_err(Error::internal)?;
        fs::write(&path, text).map_err(|error| {
            Error::unavailable(format!("{} cannot be written", path.display())).with_source(error)
        })
    }
}

/// Where a port that listens everywhere can be called from this machine.
fn reachable(address: SocketAddr) -> SocketAddr {
    let loopback = match address {
        SocketAddr::V4(_) => std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
        SocketAddr::V6(_) => std::net::IpAddr::V6(std::net::Ipv6Addr::LOCALHOST),
    };
    if address.ip().is_unspecified() {
        SocketAddr::new(loopback, address.port())
    } else {
        address
    }
}
