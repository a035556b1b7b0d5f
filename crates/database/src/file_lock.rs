//! A lock on a SQLite file that lasts as long as its owner lives.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use swarm_errors::{Code, Error, Result};
use tokio::time::Instant;

const TRY_EVERY: Duration = Duration::from_millis(20);

/// An exclusive lock of the operating system, which ends with the process however that ends.
///
/// It is on a file of its own: closing any handle of the database file would drop SQLite's locks.
#[derive(Debug)]
pub(crate) struct FileLock {
    file: File,
    path: PathBuf,
}

impl FileLock {
    pub(crate) async fn acquire(path: &Path, wait: Duration) -> Result<Self> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(|error| unusable(path, error))?;
        let deadline = Instant::now() + wait;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                    tokio::time::sleep(TRY_EVERY).await;
                }
                Err(TryLockError::WouldBlock) => return Err(in_use(path, file)),
                Err(TryLockError::Error(error)) => return Err(unusable(path, error)),
            }
        }
        let lock = Self {
            file,
            path: path.to_owned(),
        };
        lock.write_owner().map_err(|error| unusable(path, error))?;
        Ok(lock)
    }

    /// The process id is for the message of whoever is refused; the lock does not depend on it.
    fn write_owner(&self) -> std::io::Result<()> {
        let mut file = &self.file;
        file.set_len(0)?;
        file.rewind()?;
        writeln!(file, "{}", std::process::id())
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        if let Err(error) = self.file.unlock() {
            tracing::warn!(path = %self.path.display(), %error, "file lock not released before close");
        }
    }
}

fn in_use(path: &Path, mut file: File) -> Error {
    let mut owner = String::new();
    let owner = match file.read_to_string(&mut owner) {
        Ok(_) if !owner.trim().is_empty() => format!("process {}", owner.trim()),
        _ => "another process".to_owned(),
    };
    let words = format!(
        "{} is in use by {owner}: a SQLite file serves one replica; stop that one, or use PostgreSQL",
        path.with_extension("db").display()
    );
    Error::new(Code::FailedPrecondition, words)
}

fn unusable(path: &Path, error: std::io::Error) -> Error {
    Error::new(
        Code::FailedPrecondition,
        format!("{} cannot be locked: {error}", path.display()),
    )
    .with_source(error)
}
