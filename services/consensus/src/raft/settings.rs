//! How the group and its log behave.

use std::time::Duration;

use openraft::SnapshotPolicy;
use swarm_errors::{Error, Result};

/// Heartbeats, and the pace of openraft's timers.
const HEARTBEAT_MS: u64 = 100;
/// Long beside an fsync on a busy machine, so that a slow disk does not look like a dead leader.
const ELECTION_MS: (u64, u64) = (500, 1000);
/// A snapshot of a large state takes its time on a slow line.
const SNAPSHOT_TIMEOUT_MS: u64 = 300_000;
/// Entries in one message to a follower.
const ENTRIES_PER_MESSAGE: u64 = 1024;

/// How old the group's last word to its leader may be for a read to trust it: two thirds of the
/// lease, since clocks of two machines do not run at quite the same rate.
pub(crate) const READ_LEASE: Duration = Duration::from_millis(ELECTION_MS.1 * 2 / 3);

/// The settings of the group.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    /// Entries of the log after which a snapshot is written.
    pub(crate) snapshot_every: u64,
    /// Entries that stay in the log when a snapshot holds them.
    pub(crate) keep_entries: u64,
    /// Writes that may be on their way at once.
    pub(crate) max_in_flight: usize,
    /// Bytes of the writes that may be on their way at once.
    pub(crate) max_in_flight_bytes: usize,
}

impl Settings {
    pub(super) fn raft(self) -> Result<openraft::Config> {
        let config = openraft::Config {
            cluster_name: "qwen-swarm".to_owned(),
            heartbeat_interval: HEARTBEAT_MS,
            election_timeout_min: ELECTION_MS.0,
            election_timeout_max: ELECTION_MS.1,
            install_snapshot_timeout: SNAPSHOT_TIMEOUT_MS,
            max_payload_entries: ENTRIES_PER_MESSAGE,
            snapshot_policy: SnapshotPolicy::LogsSinceLast(self.snapshot_every),
            max_in_snapshot_log_to_keep: self.keep_entries,
            // Must exceed the distance between snapshots.
            replication_lag_threshold: 2 * self.snapshot_every + self.keep_entries,
            enable_pre_vote: Some(true),
            // Ends a leader that reaches a bridge node and no quorum.
            quorum_loss_probe_interval: Some(2 * ELECTION_MS.1),
            ..openraft::Config::default()
        };
        config.validate().map_err(Error::internal)
    }
}
