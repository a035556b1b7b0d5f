//! What a platform is started with.

use std::path::Path;

use swarm_config::Loader;
use swarm_errors::Result;

use super::configs::PORTS;
use crate::DataFolder;

/// A data folder, and settings that point into it where they do not say otherwise.
#[derive(Debug, Clone)]
pub struct Settings {
    folder: DataFolder,
    loader: Loader,
}

impl Settings {
    /// Settings of this process: `qwen-swarm.toml` or `config`, the environment, and the folder's defaults.
    ///
    /// # Errors
    /// When the folder cannot be made or its secret cannot be read.
    pub fn new(data: &Path, config: Option<&Path>) -> Result<Self> {
        Self::with_loader(data, Loader::from_process().file(config))
    }

    /// As [`Settings::new`], from a loader of the caller's.
    ///
    /// # Errors
    /// As [`Settings::new`].
    pub fn with_loader(data: &Path, loader: Loader) -> Result<Self> {
        let folder = DataFolder::open(data)?;
        let loader = folder
            .defaults(loader)
            .default_to("service.secret", folder.service_secret()?.expose());
        Ok(Self { folder, loader })
    }

    /// Gives a key a default, under every other source.
    #[must_use]
    pub fn default_to(mut self, key: &str, value: &str) -> Self {
        self.loader = self.loader.default_to(key, value);
        self
    }

    /// Sets a key, over every other source.
    #[must_use]
    pub fn set(mut self, key: &str, value: &str) -> Self {
        self.loader = self.loader.set(key, value);
        self
    }

    /// Listens on free ports of the loopback address alone.
    #[must_use]
    pub fn free_ports(self) -> Self {
        PORTS
            .iter()
            .fold(self, |settings, key| settings.set(key, "127.0.0.1:0"))
    }

    /// The folder.
    #[must_use]
    pub const fn folder(&self) -> &DataFolder {
        &self.folder
    }

    /// The loader.
    #[must_use]
    pub const fn loader(&self) -> &Loader {
        &self.loader
    }
}
