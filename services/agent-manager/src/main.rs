//! The program `swarm-agent-manager`.

fn main() -> std::process::ExitCode {
    swarm_runtime::main::<swarm_agent_manager::Program>()
}
