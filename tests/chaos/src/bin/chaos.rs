//! `chaos`: the long run, with `tasks=`, `seconds=` and `seed=` as arguments.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::process::ExitCode;

use swarm_test_chaos::{Options, run};

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |name: &str, default: u64| {
        let text = arguments
            .iter()
            .find_map(|argument| argument.strip_prefix(name)?.strip_prefix('='));
        match text {
            None | Some("") => default,
            Some(text) => text
                .parse()
                .unwrap_or_else(|_| panic!("{name} must be a number, not {text}")),
        }
    };
    let options = Options {
        tasks: usize::try_from(number("tasks", 10_000)).unwrap(),
        seconds: number("seconds", 600),
        seed: number("seed", rand::random_range(1..100_000)),
    };
    println!("{options:?}");
    let outcome = run(options).await;
    println!("{}", outcome.report);
    if outcome.report.is_kept() {
        return ExitCode::SUCCESS;
    }
    let path = std::env::temp_dir().join(format!("swarm-chaos-{}.log", options.seed));
    std::fs::write(&path, outcome.logs).unwrap();
    println!("the programs' logs: {}", path.display());
    ExitCode::FAILURE
}
