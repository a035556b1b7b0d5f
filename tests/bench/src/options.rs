//! Where the peers are, and what a run is to do.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::load::Window;

/// The folder into which `scripts/bench/peers.sh` installs the peers.
#[derive(Debug, Clone)]
pub struct Peers(PathBuf);

impl Peers {
    /// Peers in this folder.
    #[must_use]
    pub fn in_folder(folder: &Path) -> Self {
        // Programs of the peers run elsewhere.
        Self(std::path::absolute(folder).unwrap())
    }

    /// Restate's server.
    #[must_use]
    pub fn restate_server(&self) -> Option<PathBuf> {
        let scope = self.restate_modules()?.join("@restatedev");
        let machine = match std::env::consts::ARCH {
            "aarch64" => "arm64",
            _ => "x64",
        };
        let program = format!("restate-server-linux-{machine}/bin/restate-server");
        Some(scope.join(program)).filter(|path| path.exists())
    }

    /// The modules of Restate's handlers.
    #[must_use]
    pub fn restate_modules(&self) -> Option<PathBuf> {
        Some(self.0.join("restate/node_modules")).filter(|path| path.exists())
    }

    /// The Python that has DBOS.
    #[must_use]
    pub fn dbos_python(&self) -> Option<PathBuf> {
        Some(self.0.join("dbos/bin/python")).filter(|path| path.exists())
    }
}

/// A program that a peer runs.
pub(crate) fn program_of_peer(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../scripts/bench/peers")
        .join(name)
}

/// A window of this many seconds, with a third of it before to warm up.
#[must_use]
pub fn window(seconds: f64) -> Window {
    Window {
        warm_up: Duration::from_secs_f64((seconds / 3.0).clamp(0.5, 2.0)),
        length: Duration::from_secs_f64(seconds),
    }
}
