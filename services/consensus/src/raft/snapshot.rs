//! Snapshots as files.
//!
//! ```text
//! "QWSNAP" 0 version | length record | length record ... | SHA-256 of all before
//! ```
//!
//! The first record is the header, then comes one per proposal. A file is written under another
//! name, synced and renamed, so that a name always stands for a whole snapshot; whoever reads one
//! checks the hash first.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::data_folder::sync_folder_of;
use super::state_machine::MachineState;
use super::stored::{SnapshotHeader, damaged, proposal_from, proposal_record};
use super::types::{LogId, SnapshotMeta};
use crate::voting::Register;
use prost::Message;

const MAGIC: &[u8; 8] = b"QWSNAP\0\x01";
const HASH_BYTES: usize = 32;
const EXTENSION: &str = "snapshot";
const KEEP: usize = 2;

/// A handle to a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SnapshotFile {
    path: PathBuf,
}

/// The folder of this node's snapshots.
#[derive(Debug, Clone)]
pub(super) struct SnapshotStore {
    folder: PathBuf,
}

impl SnapshotStore {
    /// The snapshots in this folder. What an interrupted write left is removed.
    pub(super) fn open(folder: PathBuf) -> io::Result<Self> {
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "tmp") {
                std::fs::remove_file(path)?;
            }
        }
        Ok(Self { folder })
    }

    /// The newest snapshot that is whole. A damaged one is set aside under another name.
    pub(super) fn newest(&self) -> io::Result<Option<(SnapshotFile, MachineState)>> {
        for path in self.paths()?.into_iter().rev() {
            let file = SnapshotFile { path };
            match file.read() {
                Ok(state) => return Ok(Some((file, state))),
                Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                    let aside = file.path.with_extension("damaged");
                    tracing::error!(
                        file = %file.path.display(),
                        aside = %aside.display(),
                        %error,
                        "snapshot is damaged and set aside"
                    );
                    std::fs::rename(&file.path, aside)?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Writes a snapshot durably and removes all but the newest ones.
    pub(super) fn write(&self, state: &MachineState) -> io::Result<SnapshotFile> {
        let path = self.folder.join(name(state.last));
        let temporary = path.with_extension("tmp");
        write_file(&temporary, state)?;
        std::fs::rename(&temporary, &path)?;
        sync_folder_of(&path)?;
        let paths = self.paths()?;
        for old in paths.iter().rev().skip(KEEP) {
            std::fs::remove_file(old)?;
        }
        Ok(SnapshotFile { path })
    }

    /// The files, the oldest first.
    fn paths(&self) -> io::Result<Vec<PathBuf>> {
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(&self.folder)? {
            let path = entry?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == EXTENSION)
            {
                paths.push(path);
            }
        }
        paths.sort();
        Ok(paths)
    }
}

impl SnapshotFile {
    /// The state in it.
    pub(super) fn read(&self) -> io::Result<MachineState> {
        let bytes = std::fs::read(&self.path)?;
        let records = verified(&bytes)?;
        decode(records)
    }
}

/// What a snapshot of this state says about itself.
pub(super) fn meta_of(state: &MachineState) -> SnapshotMeta {
    SnapshotMeta {
        last_log_id: state.last,
        last_membership: state.membership.clone(),
    }
}

/// Names sort by index.
fn name(last: Option<LogId>) -> String {
    let (term, node, index) = last.map_or((0, 0, 0), |id| {
        (id.leader_id.term, id.leader_id.node_id, id.index)
    });
    format!("{index:020}-{term}-{node}.{EXTENSION}")
}

fn write_file(path: &Path, state: &MachineState) -> io::Result<()> {
    let mut writer = Hashing {
        inner: BufWriter::new(File::create(path)?),
        hash: Sha256::new(),
    };
    writer.put(MAGIC)?;
    let count = state.register.all().count() as u64;
    let header = SnapshotHeader::new(state.last, &state.membership, state.register.now(), count);
    writer.record(&header.encode_to_vec())?;
    for (tenant, proposal) in state.register.all() {
        writer.record(&proposal_record(tenant, proposal))?;
    }
    let hash = writer.hash.finalize();
    writer.inner.write_all(hash.as_slice())?;
    let file = writer
        .inner
        .into_inner()
        .map_err(io::IntoInnerError::into_error)?;
    file.sync_all()
}

struct Hashing {
    inner: BufWriter<File>,
    hash: Sha256,
}

impl Hashing {
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hash.update(bytes);
        self.inner.write_all(bytes)
    }

    fn record(&mut self, bytes: &[u8]) -> io::Result<()> {
        let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
        self.put(&length.to_be_bytes())?;
        self.put(bytes)
    }
}

/// The records of a file whose first bytes and hash are right.
fn verified(bytes: &[u8]) -> io::Result<&[u8]> {
    let end = bytes.len().checked_sub(HASH_BYTES);
    let (content, hash) = end
        .map(|end| bytes.split_at(end))
        .ok_or_else(|| damaged("the snapshot is cut short".to_owned()))?;
    if Sha256::digest(content).as_slice() != hash {
        return Err(damaged("the snapshot's hash is wrong".to_owned()));
    }
    content
        .strip_prefix(MAGIC)
        .ok_or_else(|| damaged("the snapshot is of an unknown version".to_owned()))
}

fn decode(mut records: &[u8]) -> io::Result<MachineState> {
    let header = SnapshotHeader::decode(next(&mut records)?)
        .map_err(|error| damaged(format!("the snapshot's header cannot be read: {error}")))?;
    let mut proposals = Vec::new();
    for _ in 0..header.proposals {
        proposals.push(proposal_from(next(&mut records)?)?);
    }
    Ok(MachineState {
        last: header.last(),
        membership: header.membership()?,
        register: Register::restore(header.now()?, proposals),
    })
}

/// Takes the next record off.
fn next<'a>(records: &mut &'a [u8]) -> io::Result<&'a [u8]> {
    let short = || damaged("a record of the snapshot is cut short".to_owned());
    let (length, rest) = records.split_first_chunk::<4>().ok_or_else(short)?;
    let length = u32::from_be_bytes(*length) as usize;
    let (record, rest) = rest.split_at_checked(length).ok_or_else(short)?;
    *records = rest;
    Ok(record)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::raft::types::LeaderId;

    fn state(index: u64) -> MachineState {
        let leader_id = LeaderId {
            term: 2,
            node_id: 1,
        };
        MachineState {
            last: Some(LogId { leader_id, index }),
            ..MachineState::default()
        }
    }

    fn store() -> (tempfile::TempDir, SnapshotStore) {
        let folder = tempfile::tempdir().unwrap();
        let store = SnapshotStore::open(folder.path().to_owned()).unwrap();
        (folder, store)
    }

    #[test]
    fn the_newest_two_are_kept() {
        let (_folder, store) = store();
        for index in [9, 10, 100] {
            store.write(&state(index)).unwrap();
        }
        assert_eq!(store.paths().unwrap().len(), KEEP);
        assert_eq!(store.newest().unwrap().unwrap().1, state(100));
    }

    #[test]
    fn every_flipped_byte_is_found_and_the_one_before_serves() {
        let (_folder, store) = store();
        store.write(&state(9)).unwrap();
        let newest = store.write(&state(10)).unwrap();
        let whole = std::fs::read(&newest.path).unwrap();
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x10;
            std::fs::write(&newest.path, bytes).unwrap();
            assert_eq!(
                newest.read().unwrap_err().kind(),
                io::ErrorKind::InvalidData
            );
        }
        assert_eq!(store.newest().unwrap().unwrap().1, state(9));
        assert!(newest.path.with_extension("damaged").exists());
    }

    #[test]
    fn what_an_interrupted_write_left_is_removed() {
        let (folder, _store) = store();
        let left = folder.path().join("00000000000000000009-1-1.tmp");
        std::fs::write(&left, "half").unwrap();
        let store = SnapshotStore::open(folder.path().to_owned()).unwrap();
        assert!(!left.exists());
        assert!(store.newest().unwrap().is_none());
    }
}
