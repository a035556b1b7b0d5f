//! The data folder of a platform in one process: where everything is kept, and the secrets that
//! the first start makes.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rand::Rng;
use serde::Deserialize;
use swarm_config::{Loader, Secret};
use swarm_errors::{Error, Result};

/// The folder of `swarm up`, unless it is told another.
pub const DEFAULT: &str = ".swarm/data";

const SECRET_BYTES: usize = 32;

/// A folder that holds stores, the log of consensus and the first credential.
#[derive(Debug, Clone)]
pub struct DataFolder(PathBuf);

/// What opens the door the first time.
#[derive(Debug, Clone, Deserialize)]
pub struct Credential {
    /// The first administrator's name.
    pub username: String,
    /// Random, and shown nowhere else.
    pub password: Secret,
}

impl DataFolder {
    /// The folder at `path`, made where it is missing.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn open(path: &Path) -> Result<Self> {
        fs::create_dir_all(path).map_err(|error| {
            Error::unavailable(format!("the data folder {} cannot be made", path.display()))
                .with_source(error)
        })?;
        Ok(Self(path.to_owned()))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Makes the settings of every service point into this folder, where they do not say otherwise.
    #[must_use]
    pub fn defaults(&self, loader: Loader) -> Loader {
        let path = |name: &str| self.0.join(name).display().to_string();
        loader
            .default_to("database.url", format!("sqlite:{}", self.0.display()))
            .default_to("consensus.data", path("consensus"))
            .default_to("auth.credential_file", path("admin-credential"))
    }

    /// The secret that the services share, made at the first start.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn service_secret(&self) -> Result<Secret> {
        let path = self.0.join("service-secret");
        match create_private(&path) {
            Ok(mut file) => {
                let secret = random_text();
                file.write_all(secret.as_bytes())
                    .and_then(|()| file.sync_all())
                    .map_err(|error| unreadable(&path, error))?;
                Ok(Secret::new(secret))
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                let secret = fs::read_to_string(&path).map_err(|error| unreadable(&path, error))?;
                Ok(Secret::new(secret.trim()))
            }
            Err(error) => Err(unreadable(&path, error)),
        }
    }

    /// The first administrator's credential, while its file is there.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn credential(&self) -> Result<Option<Credential>> {
        let path = self.credential_file();
        match fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text)
                .map(Some)
                .map_err(|error| unreadable(&path, error)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(unreadable(&path, error)),
        }
    }

    /// Where the credential is.
    #[must_use]
    pub fn credential_file(&self) -> PathBuf {
        self.0.join("admin-credential")
    }
}

fn create_private(path: &Path) -> std::io::Result<fs::File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

fn random_text() -> String {
    let mut bytes = [0_u8; SECRET_BYTES];
    rand::rng().fill_bytes(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unreadable(path: &Path, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::unavailable(format!("{} cannot be read or written", path.display())).with_source(error)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_secret_is_made_once_and_is_private() {
        let path = std::env::temp_dir().join(format!(
            "swarm-data-{}-{}",
            std::process::id(),
            random_text()
        ));
        let folder = DataFolder::open(&path).unwrap();
        let secret = folder.service_secret().unwrap();
        assert_eq!(secret, folder.service_secret().unwrap());
        assert_eq!(secret.expose().len(), SECRET_BYTES * 2);
        let mode = fs::metadata(path.join("service-secret"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(folder.credential().unwrap().is_none());
        fs::remove_dir_all(path).unwrap();
    }
}
