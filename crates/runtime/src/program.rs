//! The body of every main.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use serde::de::DeserializeOwned;
use swarm_config::Validate;
use swarm_errors::{Code, Error, Result};
use swarm_telemetry::TelemetryConfig;
use tokio::runtime::Builder;

use crate::arguments::{self, Arguments, HELP};
use crate::{ExitStatus, Lifecycle, RuntimeConfig};

/// A wrong configuration or command line.
const EXIT_CONFIGURATION: u8 = 2;

/// A thread for blocking work ends after so long without any. With its end the allocator looks for
/// what it can give back, such as the memory of a password's hash.
const IDLE_THREAD: Duration = Duration::from_secs(2);
/// What is left on the runtime when all tasks have ended, such as a blocking call, gets this long.
const RUNTIME_LIMIT: Duration = Duration::from_secs(1);

/// A service as a program of its own.
pub trait Program {
    /// Its name, such as `swarm-auth`: `service.name` of its logs and traces.
    const NAME: &'static str;
    /// The sections of the settings that it reads.
    const SECTIONS: &'static [&'static str];
    /// Its settings.
    type Config: DeserializeOwned + Validate;

    /// The settings of logs and traces.
    fn telemetry(config: &Self::Config) -> &TelemetryConfig;

    /// The settings of the process.
    fn runtime(config: &Self::Config) -> &RuntimeConfig;

    /// Binds, builds and spawns.
    fn start(config: Self::Config, lifecycle: &Lifecycle) -> impl Future<Output = Result<()>>;
}

/// Runs a service to its end: 0 when it ended cleanly, 1 when it failed, 2 when the command line
/// or the configuration is wrong, which is said on standard error with the key.
#[must_use]
pub fn main<P: Program>() -> ExitCode {
    let (config, overrides) = match Arguments::parse(std::env::args().skip(1)) {
        Ok(Arguments::Run { config, overrides }) => (config, overrides),
        Ok(Arguments::Help) => {
            return say(
                &mut std::io::stdout(),
                &format!("Usage: {} {HELP}", P::NAME),
                ExitCode::SUCCESS,
            );
        }
        Ok(Arguments::Version) => {
            let version = format!("{} {}", P::NAME, env!("CARGO_PKG_VERSION"));
            return say(&mut std::io::stdout(), &version, ExitCode::SUCCESS);
        }
        Err(error) => return fail::<P>(&error),
    };
    let config =
        match arguments::loader(config.as_deref(), overrides).load::<P::Config>(P::SECTIONS) {
            Ok(config) => config,
            Err(error) => return fail::<P>(&error),
        };
    let threads = P::runtime(&config).threads;
    match block_on(threads, serve::<P>(config)) {
        Ok(Ok(status)) => status.into(),
        Ok(Err(error)) | Err(error) => fail::<P>(&error),
    }
}

async fn serve<P: Program>(config: P::Config) -> Result<ExitStatus> {
    let guard = swarm_telemetry::init(P::telemetry(&config), P::NAME)?;
    let grace = P::runtime(&config).grace();
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "starting");
    let end = run(grace, async |lifecycle| P::start(config, lifecycle).await).await;
    match &end {
        Ok(status) if status.is_clean() => tracing::info!("stopped"),
        Ok(status) => tracing::error!(?status, "stopped after a failure"),
        Err(error) => tracing::error!(error = error.chain(), "could not start"),
    }
    guard.shutdown().await;
    end
}

/// Starts something and lives until it is stopped by a signal or by itself.
///
/// # Errors
/// When `start` fails; what it had spawned by then is ended.
pub async fn run(
    grace: Duration,
    start: impl AsyncFnOnce(&Lifecycle) -> Result<()>,
) -> Result<ExitStatus> {
    let lifecycle = Lifecycle::new(grace);
    if let Err(error) = start(&lifecycle).await {
        lifecycle.kill();
        return Err(error);
    }
    Ok(lifecycle.wait().await)
}

/// Runs `future` on a runtime of so many threads (0 is one for each processor), which ends a
/// second after it at the latest.
///
/// # Errors
/// When the system gives no threads.
pub fn block_on<F: Future>(threads: usize, future: F) -> Result<F::Output> {
    let runtime = builder(threads)
        .enable_all()
        .thread_keep_alive(IDLE_THREAD)
        .build()
        .map_err(Error::internal)?;
    let output = runtime.block_on(future);
    runtime.shutdown_timeout(RUNTIME_LIMIT);
    Ok(output)
}

fn builder(threads: usize) -> Builder {
    match threads {
        0 => Builder::new_multi_thread(),
        // Alone, a thread needs to wake no other.
        1 => Builder::new_current_thread(),
        more => {
            let mut builder = Builder::new_multi_thread();
            builder.worker_threads(more);
            builder
        }
    }
}

/// The exit code of a program that could not start: 2 when its settings are wrong, else 1.
#[must_use]
pub fn exit_code(error: &Error) -> ExitCode {
    if error.code() == Code::InvalidArgument {
        ExitCode::from(EXIT_CONFIGURATION)
    } else {
        ExitCode::FAILURE
    }
}

fn fail<P: Program>(error: &Error) -> ExitCode {
    let words = if error.code() == Code::InvalidArgument {
        "configuration"
    } else {
        "cannot start"
    };
    say(
        &mut std::io::stderr(),
        &format!("{}: {words}: {}", P::NAME, error.detail()),
        exit_code(error),
    )
}

/// There is nobody left to tell when the stream is closed.
fn say(stream: &mut impl Write, words: &str, code: ExitCode) -> ExitCode {
    writeln!(stream, "{words}").ok();
    code
}
