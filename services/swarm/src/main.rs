//! The program `swarm`.

fn main() -> std::process::ExitCode {
    swarm::main()
}
