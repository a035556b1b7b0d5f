//! One program of the platform as a child process.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::{Child, Command};

/// A running program, killed when dropped.
#[derive(Debug)]
pub(crate) struct Program {
    child: Child,
}

impl Program {
    /// Starts a program with nothing of our own environment but what it needs; its output goes to `log`.
    pub(crate) fn start(
        name: &str,
        arguments: &[String],
        environment: &[(String, String)],
        log: &Path,
    ) -> Self {
        let output = File::options().create(true).append(true).open(log).unwrap();
        let mut command = Command::new(path_of(name));
        command
            // Where a file of settings is, if there is one.
            .current_dir(log.parent().unwrap())
            .args(arguments)
            .env_clear()
            .envs(environment.iter().cloned());
        for inherited in ["PATH", "HOME", "RUST_BACKTRACE", "QWEN_SWARM_MODELS"] {
            if let Ok(value) = std::env::var(inherited) {
                command.env(inherited, value);
            }
        }
        command
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .kill_on_drop(true);
        Self {
            child: command.spawn().unwrap(),
        }
    }

    /// The process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// The exit code, once it has ended; `None` where a signal ended it.
    pub(crate) async fn ended(&mut self) -> Option<i32> {
        self.child.wait().await.unwrap().code()
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Ends it as a crash does: SIGKILL.
    pub(crate) async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }

    /// Sends it a signal, such as `TERM`.
    pub(crate) async fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args(["-s", name, &self.id().to_string()])
            .status()
            .await
            .unwrap();
        assert!(sent.success(), "the program could not be sent a signal");
    }
}

/// The path of a program, beside the one that runs: tests are in `target/<profile>/deps`, programs
/// in `target/<profile>`.
///
/// # Panics
/// When it was not built.
#[must_use]
pub fn path_of(name: &str) -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let folder = own
        .ancestors()
        .skip(1)
        .find(|folder| !folder.ends_with("deps"))
        .unwrap();
    let path = folder.join(name);
    assert!(
        path.exists(),
        "{} is missing; run `cargo build --workspace --bins`",
        path.display()
    );
    path
}
