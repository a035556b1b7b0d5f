//! Orders to stop from outside.

use swarm_errors::{Error, Result};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Where orders to stop come from.
#[derive(Debug)]
pub(crate) enum Signals {
    /// SIGTERM and SIGINT.
    Process {
        /// SIGTERM.
        terminate: Signal,
        /// SIGINT, as sent by Ctrl-C.
        interrupt: Signal,
    },
    /// Nowhere: only [`crate::Lifecycle::shutdown`] stops.
    None,
    /// A test.
    #[cfg(test)]
    Channel(tokio::sync::mpsc::UnboundedReceiver<&'static str>),
}

impl Signals {
    /// From now on, SIGTERM and SIGINT no longer kill the process.
    pub(crate) fn listen() -> Result<Self> {
        let stream = |kind| signal(kind).map_err(Error::internal);
        Ok(Self::Process {
            terminate: stream(SignalKind::terminate())?,
            interrupt: stream(SignalKind::interrupt())?,
        })
    }

    /// The next order's name.
    pub(crate) async fn next(&mut self) -> &'static str {
        match self {
            Self::Process {
                terminate,
                interrupt,
            } => tokio::select! {
                Some(()) = terminate.recv() => "SIGTERM",
                Some(()) = interrupt.recv() => "SIGINT",
                else => std::future::pending().await,
            },
            Self::None => std::future::pending().await,
            #[cfg(test)]
            Self::Channel(receiver) => match receiver.recv().await {
                Some(name) => name,
                None => std::future::pending().await,
            },
        }
    }
}
