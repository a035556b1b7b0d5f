//! The gateway as a program of its own.

fn main() -> std::process::ExitCode {
    swarm_runtime::main::<swarm_gateway::Program>()
}
