//! The folder that belongs to this node: its lock, and who it is.

use std::fs::{File, TryLockError};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use swarm_errors::{Code, Error, Result};
use uuid::Uuid;

const LOCK: &str = "lock";
const IDENTITY: &str = "node.json";
const FORMAT: u32 = 1;

/// A process that is just ending still holds the lock for a moment.
const LOCK_TRIES: u32 = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// The locked folder. The lock goes with the last owner.
#[derive(Debug)]
pub(super) struct DataFolder {
    path: PathBuf,
    _lock: File,
}

/// Who this node is, written once its log holds the group's first entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Identity {
    format: u32,
    /// The node's id in the group.
    pub(super) node_id: u64,
    /// The group; other groups are strangers.
    pub(super) group_id: Uuid,
}

impl DataFolder {
    /// Makes the folder where it is missing, and locks it.
    pub(super) async fn open(path: &Path) -> Result<Self> {
        std::fs::create_dir_all(path).map_err(|error| unusable(path, "cannot be made", error))?;
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join(LOCK))
            .map_err(|error| unusable(path, "cannot be written to", error))?;
        for _ in 0..LOCK_TRIES {
            match file.try_lock() {
                Ok(()) => {
                    return Ok(Self {
                        path: path.to_owned(),
                        _lock: file,
                    });
                }
                Err(TryLockError::WouldBlock) => tokio::time::sleep(LOCK_PAUSE).await,
                Err(TryLockError::Error(error)) => {
                    return Err(unusable(path, "cannot be locked", error));
                }
            }
        }
        let words = format!(
            "consensus.data: another process uses {}; two of them would spoil its log",
            path.display()
        );
        Err(Error::new(Code::FailedPrecondition, words))
    }

    /// A folder inside it, made where it is missing.
    pub(super) fn sub_folder(&self, name: &str) -> Result<PathBuf> {
        let path = self.path.join(name);
        std::fs::create_dir_all(&path).map_err(|error| unusable(&path, "cannot be made", error))?;
        Ok(path)
    }

    /// Who this node is; `None` in a folder that has not joined a group yet.
    pub(super) fn identity(&self) -> Result<Option<Identity>> {
        let path = self.path.join(IDENTITY);
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unusable(&path, "cannot be read", error)),
        };
        let identity: Identity = serde_json::from_slice(&text)
            .map_err(|error| unusable(&path, "is damaged; restore it from a backup", error))?;
        if identity.format != FORMAT {
            let words = format!(
                "consensus.data: {} has format {}, this version knows {FORMAT}",
                path.display(),
                identity.format
            );
            return Err(Error::new(Code::FailedPrecondition, words));
        }
        Ok(Some(identity))
    }

    /// Writes down who this node is, durably.
    pub(super) fn set_identity(&self, node_id: u64, group_id: Uuid) -> Result<()> {
        let identity = Identity {
            format: FORMAT,
            node_id,
            group_id,
        };
        let text = serde_json::to_vec(&identity).map_err(Error::internal)?;
        write_durably(&self.path.join(IDENTITY), &text)
            .map_err(|error| unusable(&self.path, "cannot be written to", error))
    }
}

/// Replaces a file: whoever looks, even after a loss of power, finds all of the old or of the new.
pub(super) fn write_durably(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let temporary = path.with_extension("tmp");
    let mut file = File::create(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    std::fs::rename(&temporary, path)?;
    sync_folder_of(path)
}

/// Makes the names in a file's folder durable.
pub(super) fn sync_folder_of(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// An error that says what is wrong with which path.
pub(super) fn unusable(
    path: &Path,
    words: &str,
    cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> Error {
    let cause = cause.into();
    let words = format!("consensus.data: {} {words}: {cause}", path.display());
    Error::new(Code::FailedPrecondition, words).with_source(cause)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn a_second_owner_is_refused_until_the_first_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let first = DataFolder::open(folder.path()).await.unwrap();
        let error = DataFolder::open(folder.path()).await.unwrap_err();
        assert_eq!(error.code(), Code::FailedPrecondition);
        assert!(error.detail().contains("another process uses"), "{error}");
        drop(first);
        DataFolder::open(folder.path()).await.unwrap();
    }

    #[tokio::test]
    async fn the_identity_is_kept_and_a_damaged_one_refused() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::open(folder.path()).await.unwrap();
        assert_eq!(data.identity().unwrap(), None);
        data.set_identity(1, Uuid::nil()).unwrap();
        assert_eq!(data.identity().unwrap().unwrap().node_id, 1);
        std::fs::write(folder.path().join(IDENTITY), "{").unwrap();
        assert!(data.identity().unwrap_err().detail().contains("is damaged"));
    }
}
