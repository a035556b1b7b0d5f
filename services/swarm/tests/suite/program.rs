//! The program `swarm` as a child process.

use std::io::{Seek, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// The program with nothing of this environment but what it needs, in the repository's folder,
/// where the models are found.
pub(crate) fn swarm(arguments: &[&str]) -> Command {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut command = Command::new(env!("CARGO_BIN_EXE_swarm"));
    command
        .args(arguments)
        .current_dir(root)
        .env_clear()
        .stdin(Stdio::null());
    for name in ["PATH", "HOME", "QWEN_SWARM_MODELS"] {
        command.envs(std::env::var_os(name).map(|value| (name, value)));
    }
    command
}

/// What it said, and how it ended.
pub(crate) fn run(arguments: &[&str]) -> Said {
    Said::of(&swarm(arguments).output().unwrap())
}

/// As [`run`], with these lines on standard input.
pub(crate) fn run_with_input(arguments: &[&str], input: &str) -> Said {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(input.as_bytes()).unwrap();
    file.rewind().unwrap();
    Said::of(&swarm(arguments).stdin(file).output().unwrap())
}

/// What a program said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    pub(crate) fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self {
            code: output.status.code(),
            out: text(&output.stdout),
            err: text(&output.stderr),
        }
    }
}
