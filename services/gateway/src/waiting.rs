//! The connections of calls that wait for the end of a task.
//!
//! Waits are long and many, so they leave the other connections to short calls. They share one as
//! long as it has room: calls that travel together cost fewer writes and wake-ups on both sides.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use swarm_errors::Result;
use swarm_proto::agents::v1::task_service_client::TaskServiceClient;
use swarm_transport::Peer;

const CONNECTIONS: usize = 4;
/// A server runs 200 calls of one connection at once.
const ROOM: usize = 150;

/// The connections.
#[derive(Debug)]
pub(crate) struct Waiting(Vec<Line>);

#[derive(Debug)]
struct Line {
    client: TaskServiceClient<Peer>,
    running: Arc<AtomicUsize>,
}

/// A client for one wait; it counts as running until this is dropped.
#[derive(Debug)]
pub(crate) struct Wait {
    pub(crate) client: TaskServiceClient<Peer>,
    running: Arc<AtomicUsize>,
}

impl Waiting {
    /// Connections that `peer` makes.
    pub(crate) fn new(peer: impl Fn() -> Result<Peer>) -> Result<Self> {
        let line = |_| {
            Ok(Line {
                client: TaskServiceClient::new(peer()?),
                running: Arc::default(),
            })
        };
        (0..CONNECTIONS).map(line).collect::<Result<_>>().map(Self)
    }

    /// A client for a wait of up to a minute.
    pub(crate) fn begin(&self) -> Wait {
        let running: Vec<_> = self.0.iter().map(Line::running).collect();
        let line = &self.0[choose(&running)];
        line.running.fetch_add(1, Ordering::Relaxed);
        Wait {
            client: line.client.clone(),
            running: line.running.clone(),
        }
    }
}

impl Line {
    fn running(&self) -> usize {
        self.running.load(Ordering::Relaxed)
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.running.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The first that has room, or else the one with the fewest calls.
fn choose(running: &[usize]) -> usize {
    let with_room = running.iter().position(|calls| *calls < ROOM);
    let emptiest = || (0..running.len()).min_by_key(|place| running[*place]);
    with_room.or_else(emptiest).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_share_a_connection_as_long_as_it_has_room() {
        assert_eq!(choose(&[0, 0, 0]), 0);
        assert_eq!(choose(&[ROOM - 1, 0, 0]), 0);
        assert_eq!(choose(&[ROOM, 3, 0]), 1);
        assert_eq!(choose(&[ROOM + 2, ROOM + 1, ROOM + 3]), 1);
    }
}
