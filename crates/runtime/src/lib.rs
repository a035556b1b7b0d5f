//! The life of a process: start, named tasks, readiness, the admin port, two-stage shutdown.
//!
//! Every service has the same shape:
//!
//! ```text
//! // lib.rs
//! pub struct Config { .. }                                    // sections, implements Validate
//! pub struct Sockets { pub admin: TcpListener, pub grpc: TcpListener }
//! impl Sockets { pub async fn bind(config: &Config) -> Result<Self> }
//! pub async fn build(config: Config, sockets: Sockets) -> Result<App>;   // spawns nothing yet
//! impl App { pub fn spawn(self, lifecycle: &Lifecycle) }
//!
//! // main.rs
//! fn main() -> std::process::ExitCode { swarm_runtime::main::<swarm_auth::Program>() }
//! ```

mod admin;
mod allocator;
mod arguments;
mod bind;
mod config;
mod exit;
mod lifecycle;
mod program;
mod readiness;
mod signals;

pub use admin::Admin;
pub use arguments::Arguments;
pub use bind::bind;
pub use config::RuntimeConfig;
pub use exit::{ExitStatus, Failure};
pub use lifecycle::{Lifecycle, OnExit};
pub use program::{Program, block_on, exit_code, main, run};
pub use readiness::{Dependency, Flag, Readiness, Snapshot};
pub use tokio_util::sync::CancellationToken;
