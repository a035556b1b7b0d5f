//! openraft's log on raft-log: append-only chunks with a checksum per record, and one thread that
//! writes and syncs them in the order in which they came.

use std::fmt::Debug;
use std::io;
use std::ops::{Bound, RangeBounds};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use openraft::storage::{IOFlushed, LogState, RaftLogReader, RaftLogStorage};
use openraft::{Entry as RaftEntry, OptionalSend};
use raft_log::api::raft_log_writer::RaftLogWriter;
use raft_log::{Callback, RaftLog};
use tokio::sync::oneshot;

use super::data_folder::DataFolder;
use super::log_codec::{StoredLogId, StoredPayload, StoredVote};
use super::stored;
use super::types::{Entry, LogId, TypeConfig, Vote};

/// A chunk goes when a snapshot holds all of it, and what is left is read at the start: with
/// larger chunks the start would take seconds.
const CHUNK_BYTES: usize = 4 << 20;
const READ_BUFFER_BYTES: usize = 1 << 20;
const CACHE_BYTES: usize = 64 << 20;
const CACHE_ENTRIES: usize = 20_000;
/// How long a sync waits for company. raft-log's own millisecond would double the time of a vote;
/// none at all would give each entry a sync of its own.
const GATHER: Duration = Duration::from_micros(50);
/// Bytes that are read for one message to a follower.
const READ_BYTES: usize = 1 << 20;

/// raft-log with our records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Records;

impl raft_log::Types for Records {
    type LogId = StoredLogId;
    type LogPayload = StoredPayload;
    type Vote = StoredVote;
    type Callback = Flushed;
    type UserData = String;

    fn log_index(id: &StoredLogId) -> u64 {
        id.index
    }

    fn payload_size(payload: &StoredPayload) -> u64 {
        payload.0.len() as u64
    }
}

/// Who waits for the disk.
enum Flushed {
    Entries(IOFlushed<TypeConfig>),
    Other(oneshot::Sender<io::Result<()>>),
}

impl Callback for Flushed {
    fn send(self, result: io::Result<()>) {
        match self {
            Self::Entries(callback) => callback.io_completed(result),
            Self::Other(sender) => drop(sender.send(result)),
        }
    }
}

/// The durable log, and the vote. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct LogStore {
    inner: Arc<Inner>,
}

struct Inner {
    log: Mutex<RaftLog<Records>>,
    /// Locked for as long as anybody can write to the log.
    _folder: Arc<DataFolder>,
}

/// raft-log's own would print every entry.
impl Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Log").finish_non_exhaustive()
    }
}

impl LogStore {
    /// Opens the log in `path`, a folder inside `folder`. A record that a crash cut short at the
    /// very end is dropped, as nobody was told that it is there; any other damage is an error.
    pub(super) fn open(path: &Path, folder: Arc<DataFolder>) -> io::Result<Self> {
        let mut config = raft_log::Config::new(path.display());
        config.wal.chunk_max_size = Some(CHUNK_BYTES);
        config.wal.read_buffer_size = Some(READ_BUFFER_BYTES);
        config.wal.flush_batch_wait = Some(GATHER);
        config.log_cache_capacity = Some(CACHE_BYTES);
        config.log_cache_max_items = Some(CACHE_ENTRIES);
        let log = RaftLog::open(Arc::new(config))?;
        Ok(Self {
            inner: Arc::new(Inner {
                log: Mutex::new(log),
                _folder: folder,
            }),
        })
    }

    /// Whether nothing was ever written.
    pub(super) fn is_empty(&self) -> bool {
        let log = self.lock();
        log.log_state().vote().is_none() && log.log_state().last().is_none()
    }

    /// The last entry that is no longer there because a snapshot holds it.
    pub(super) fn purged(&self) -> Option<LogId> {
        self.lock().log_state().purged().map(|id| (*id).into())
    }

    fn lock(&self) -> MutexGuard<'_, RaftLog<Records>> {
        self.inner
            .log
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something to the log and waits until it is on disk.
    async fn durably<T>(
        &self,
        write: impl FnOnce(&mut RaftLog<Records>) -> io::Result<T>,
    ) -> io::Result<()> {
        let (sender, flushed) = oneshot::channel();
        {
            let mut log = self.lock();
            write(&mut log)?;
            log.flush(true, Some(Flushed::Other(sender)))?;
        }
        flushed
            .await
            .map_err(|_| io::Error::other("the log's writer has ended"))?
    }

    /// Entries of a range, up to about `max_bytes` but at least one.
    fn entries(&self, range: impl RangeBounds<u64>, max_bytes: usize) -> io::Result<Vec<Entry>> {
        let (from, to) = bounds(&range);
        let log = self.lock();
        let (mut entries, mut bytes) = (Vec::new(), 0_usize);
        for item in log.read(from, to) {
            let (id, payload) = item?;
            bytes = bytes.saturating_add(payload.0.len());
            if bytes > max_bytes && !entries.is_empty() {
                break;
            }
            entries.push(RaftEntry {
                log_id: id.into(),
                payload: stored::decode(&payload.0)?,
            });
        }
        Ok(entries)
    }
}

impl RaftLogReader<TypeConfig> for LogStore {
    async fn try_get_log_entries<R>(&mut self, range: R) -> io::Result<Vec<Entry>>
    where
        R: RangeBounds<u64> + Clone + Debug + OptionalSend,
    {
        self.entries(range, usize::MAX)
    }

    async fn limited_get_log_entries(&mut self, start: u64, end: u64) -> io::Result<Vec<Entry>> {
        self.entries(start..end, READ_BYTES)
    }

    async fn read_vote(&mut self) -> io::Result<Option<Vote>> {
        Ok(self.lock().log_state().vote().map(|vote| (*vote).into()))
    }
}

impl RaftLogStorage<TypeConfig> for LogStore {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> io::Result<LogState<TypeConfig>> {
        let log = self.lock();
        let state = log.log_state();
        Ok(LogState {
            last_purged_log_id: state.purged().map(|id| (*id).into()),
            last_log_id: state.last().map(|id| (*id).into()),
        })
    }

    async fn get_log_reader(&mut self) -> Self {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> io::Result<()> {
        self.durably(|log| log.save_vote(vote.into())).await
    }

    /// Written without waiting: after a crash an older one only means that more is read again.
    async fn save_committed(&mut self, committed: Option<LogId>) -> io::Result<()> {
        let Some(committed) = committed.map(StoredLogId::from) else {
            return Ok(());
        };
        let mut log = self.lock();
        // A follower may hear of commits that its log has not reached.
        if log.log_state().last() < Some(&committed) {
            return Ok(());
        }
        log.commit(committed)?;
        log.flush(false, None)
    }

    async fn read_committed(&mut self) -> io::Result<Option<LogId>> {
        Ok(self.lock().log_state().committed().map(|id| (*id).into()))
    }

    async fn append<I>(&mut self, entries: I, callback: IOFlushed<TypeConfig>) -> io::Result<()>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let encoded = entries.into_iter().map(|entry| {
            let payload = StoredPayload(stored::encode(&entry.payload).into());
            (StoredLogId::from(entry.log_id), payload)
        });
        let mut log = self.lock();
        log.append(encoded)?;
        log.flush(true, Some(Flushed::Entries(callback)))
    }

    async fn truncate_after(&mut self, last: Option<LogId>) -> io::Result<()> {
        let last = last.map(StoredLogId::from);
        let has_more = self.lock().log_state().last() > last.as_ref();
        if !has_more {
            return Ok(());
        }
        let next = last.map_or(0, |id| id.index + 1);
        self.durably(|log| log.truncate(next)).await
    }

    async fn purge(&mut self, id: LogId) -> io::Result<()> {
        self.durably(|log| log.purge(id.into())).await
    }
}

fn bounds(range: &impl RangeBounds<u64>) -> (u64, u64) {
    let from = match range.start_bound() {
        Bound::Included(index) => *index,
        Bound::Excluded(index) => index.saturating_add(1),
        Bound::Unbounded => 0,
    };
    let to = match range.end_bound() {
        Bound::Included(index) => index.saturating_add(1),
        Bound::Excluded(index) => *index,
        Bound::Unbounded => u64::MAX,
    };
    (from, to.max(from))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use openraft::EntryPayload;
    use openraft::type_config::TypeConfigExt;

    use super::*;
    use crate::raft::types::LeaderId;

    fn entry(index: u64) -> Entry {
        let leader_id = LeaderId {
            term: 1,
            node_id: 1,
        };
        RaftEntry {
            log_id: LogId { leader_id, index },
            payload: EntryPayload::Blank,
        }
    }

    async fn open(directory: &Path) -> LogStore {
        let folder = Arc::new(DataFolder::open(directory).await.unwrap());
        let path = folder.sub_folder("log").unwrap();
        LogStore::open(&path, folder).unwrap()
    }

    fn syncs(log: &LogStore) -> u64 {
        log.lock().stat().flush_metrics.sync_batch_count
    }

    #[tokio::test]
    async fn entries_and_votes_are_acknowledged_after_a_sync() {
        let directory = tempfile::tempdir().unwrap();
        let mut log = open(directory.path()).await;
        for index in 0..3 {
            let before = syncs(&log);
            let (sender, flushed) = TypeConfig::oneshot();
            let callback = IOFlushed::signal(sender);
            log.append([entry(index)], callback).await.unwrap();
            flushed.await.unwrap().unwrap();
            assert!(syncs(&log) > before, "entry {index}");
        }
        let before = syncs(&log);
        log.save_vote(&Vote::new_committed(2, 1)).await.unwrap();
        assert!(syncs(&log) > before);
    }

    #[tokio::test]
    async fn a_reader_gets_at_least_one_entry_and_about_what_it_asked_for() {
        let directory = tempfile::tempdir().unwrap();
        let mut log = open(directory.path()).await;
        let entries: Vec<Entry> = (0..10).map(entry).collect();
        log.append(entries, IOFlushed::noop()).await.unwrap();
        assert_eq!(log.entries(2..9, 0).unwrap().len(), 1);
        let size = stored::encode(&EntryPayload::Blank).len();
        assert_eq!(log.entries(2..9, 3 * size).unwrap().len(), 3);
        assert_eq!(log.entries(2..9, usize::MAX).unwrap().len(), 7);
    }
}
