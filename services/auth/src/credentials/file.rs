//! The file that hands over the first administrator's credential.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use serde::{Deserialize, Serialize};
use swarm_errors::{Code, Error, Result};

/// What the file holds, as JSON: the body of a login, so that `curl -d @file` is one. It is the
/// only place where the password is readable.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdminCredential {
    /// The name to log in with.
    pub username: String,
    /// The password.
    pub password: String,
}

impl fmt::Debug for AdminCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdminCredential")
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

impl AdminCredential {
    /// Writes the file whole or not at all, readable by its owner alone.
    ///
    /// # Errors
    /// When it cannot be written; the error names the file.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self).map_err(Error::internal)?;
        write_private(path, &format!("{text}\n")).map_err(|error| {
            let words = format!(
                "the administrator's credential cannot be written to {}: {error}",
                path.display()
            );
            Error::new(Code::FailedPrecondition, words)
                .with_field("auth.credential_file", error.to_string())
        })
    }
}

/// Deletes the file where it is this person's: the password in it opens nothing any more.
pub(crate) fn use_up(path: &Path, username: &str) {
    let Ok(text) = fs::read_to_string(path) else {
        return;
    };
    let is_theirs = serde_json::from_str::<AdminCredential>(&text)
        .is_ok_and(|credential| credential.username == username);
    if !is_theirs {
        return;
    }
    match fs::remove_file(path) {
        Ok(()) => {
            tracing::info!(file = %path.display(), "the first credential is used up and deleted");
        }
        Err(error) => {
            tracing::warn!(file = %path.display(), error = %error, "the first credential is used up and cannot be deleted");
        }
    }
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let new = path.with_extension(format!("new-{}", std::process::id()));
    // What a start that was cut off has left; a file that is there keeps its mode.
    match fs::remove_file(&new) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    File::open(folder)?.sync_all()
}
