//! Orders to stop.

use swarm_errors::{Error, Result};
use swarm_runtime::CancellationToken;
use tokio::signal::unix::{SignalKind, signal};

/// What SIGTERM and Ctrl-C ask for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Orders {
    /// After the first one.
    pub(crate) stop: CancellationToken,
    /// After the second one.
    pub(crate) hurry: CancellationToken,
}

impl Orders {
    /// From now on the two signals no longer kill the process.
    pub(crate) fn listen() -> Result<Self> {
        let orders = Self::default();
        let mut terminate = signal(SignalKind::terminate()).map_err(Error::internal)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(Error::internal)?;
        let given = orders.clone();
        tokio::spawn(async move {
            for order in [given.stop, given.hurry] {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
                order.cancel();
            }
        });
        Ok(orders)
    }
}
