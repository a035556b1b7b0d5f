//! The command line of `swarm`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use swarm_cli::{Command, Failure, Globals};
use swarm_errors::{Error, Result};

use crate::demo::{self, Demo};
use crate::{DEFAULT_DATA, Settings, migrate, up};

/// So many threads mean one for each processor.
const EACH_PROCESSOR: usize = 0;

/// A swarm of agents that work together on tasks: one server, and the commands to speak with it.
#[derive(Debug, Parser)]
#[command(name = "swarm", version, max_term_width = 100)]
struct Arguments {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Start all services in one process, on embedded storage unless told otherwise
    Up(Up),
    /// Show a swarm of three agents at work on a question about a document
    Demo(Demo),
    /// Bring the tables of PostgreSQL up to date
    Migrate(Config),
    #[command(flatten)]
    Api(Command),
}

/// Where settings come from.
#[derive(Debug, Clone, Default, Args)]
struct Config {
    /// Settings in TOML [default: qwen-swarm.toml where it exists]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// One setting, such as telemetry.log_level=debug, over file and environment; may be given several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    set: Vec<(String, String)>,
}

#[derive(Debug, Args)]
struct Up {
    #[command(flatten)]
    config: Config,
    /// Listen on free ports of this machine alone
    #[arg(long)]
    free_ports: bool,
    /// Log what happens, not only what goes wrong
    #[arg(short, long)]
    verbose: bool,
}

impl Config {
    fn settings(&self, data: &Path) -> Result<Settings> {
        let settings = Settings::new(data, self.config.as_deref())?;
        Ok(self
            .set
            .iter()
            .fold(settings, |settings, (key, value)| settings.set(key, value)))
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("must be KEY=VALUE".to_owned()),
    }
}

/// Does what the command line says.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let globals = arguments.globals;
    let end = match arguments.command {
        Task::Up(command) => run_up(&command, &globals.data_or(DEFAULT_DATA)),
        Task::Migrate(config) => {
            let settings = config.settings(&globals.data_or(DEFAULT_DATA));
            settings.and_then(|settings| {
                on_runtime(EACH_PROCESSOR, migrate::migrate(&settings)).map(|()| ExitCode::SUCCESS)
            })
        }
        Task::Demo(command) => on_runtime(
            EACH_PROCESSOR,
            demo::demo(command, &globals.data_or(demo::DATA)),
        ),
        Task::Api(command) => return speak(command, &globals),
    };
    end.unwrap_or_else(|error| {
        say(error.detail());
        swarm_runtime::exit_code(&error)
    })
}

fn run_up(command: &Up, data: &Path) -> Result<ExitCode> {
    let mut settings = command
        .config
        .settings(data)?
        .default_to("telemetry.log_level", "warn");
    if command.verbose {
        settings = settings.set("telemetry.log_level", "info");
    }
    if command.free_ports {
        settings = settings.free_ports();
    }
    on_runtime(up::threads(&settings)?, up::up(&settings))
}

fn on_runtime<T>(threads: usize, work: impl Future<Output = Result<T>>) -> Result<T> {
    swarm_runtime::block_on(threads, work)?
}

/// Speaks with a server.
fn speak(command: Command, globals: &Globals) -> ExitCode {
    let work = async { swarm_cli::execute(command, globals).await };
    let failure = match swarm_runtime::block_on(EACH_PROCESSOR, work) {
        Ok(Ok(())) => return ExitCode::SUCCESS,
        Ok(Err(failure)) => failure,
        Err(error) => Failure::Refused(Error::internal(error)),
    };
    if let Some(words) = failure.words() {
        say(&words);
    }
    ExitCode::from(failure.exit_code())
}

/// There is nobody left to tell when standard error is closed.
fn say(words: &str) {
    writeln!(std::io::stderr(), "swarm: {words}").ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definitions_hold_together() {
        <Arguments as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn settings_of_the_command_line_are_pairs() {
        assert_eq!(pair("a.b=c=d"), Ok(("a.b".to_owned(), "c=d".to_owned())));
        assert!(pair("a.b").is_err() && pair("=c").is_err());
        let error = Arguments::try_parse_from(["swarm", "up", "--set", "x"]).unwrap_err();
        assert_eq!(error.exit_code(), 2);
    }
}
