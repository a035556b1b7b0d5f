//! `swarm-memory`, the memory service as a program of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    swarm_runtime::main::<swarm_memory::Program>()
}
