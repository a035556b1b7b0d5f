//! The consensus service as a program of its own.

fn main() -> std::process::ExitCode {
    swarm_runtime::main::<swarm_consensus::Program>()
}
