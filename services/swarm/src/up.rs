//! `swarm up`: a platform that runs until it is told to stop.

use std::process::ExitCode;
use std::time::Duration;

use swarm_cli::console::{Line, Screen, Style, flow, hang, seconds};
use swarm_cli::program;
use swarm_errors::Result;
use swarm_telemetry::TelemetryConfig;

use crate::platform::Platform;
use crate::signals::Orders;
use crate::{DEFAULT_DATA, Settings};

/// Runs a platform to its end.
pub(crate) async fn up(settings: &Settings) -> Result<ExitCode> {
    let guard = swarm_telemetry::init(&telemetry(settings)?, "swarm")?;
    let end = run(settings).await;
    if let Err(error) = &end {
        tracing::debug!(error = error.chain(), "could not run");
    }
    guard.shutdown().await;
    end
}

/// The settings of logs and traces, which the whole process shares.
pub(crate) fn telemetry(settings: &Settings) -> Result<TelemetryConfig> {
    process(settings).map(|config| config.telemetry)
}

/// How many threads the whole process has for its work; 0 is one for each processor.
pub(crate) fn threads(settings: &Settings) -> Result<usize> {
    process(settings).map(|config| config.runtime.threads)
}

/// A configuration with the sections that all services share.
fn process(settings: &Settings) -> Result<swarm_gateway::Config> {
    use swarm_runtime::Program;
    settings.loader().load(swarm_gateway::Program::SECTIONS)
}

async fn run(settings: &Settings) -> Result<ExitCode> {
    let orders = Orders::listen()?;
    let platform = tokio::select! {
        started = Platform::start(settings) => started?,
        () = orders.stop.cancelled() => return Ok(ExitCode::SUCCESS),
    };
    let screen = Screen::of_process();
    // A server runs also when nobody reads what it has to say.
    screen.print(&told(&platform, screen.columns())).ok();
    tokio::select! {
        () = orders.stop.cancelled() => {}
        () = platform.failed() => {}
    }
    let words = "Stopping: running work may finish; a second Ctrl-C stops at once.";
    screen.print(&[Line::new().with(Style::Dim, words)]).ok();
    let status = stopped(&platform, &orders).await;
    for failure in &status.failures {
        tracing::error!(
            task.name = failure.task,
            reason = failure.reason,
            "a service failed"
        );
    }
    Ok(status.into())
}

/// Stops, and hurries at the second order.
pub(crate) async fn stopped(platform: &Platform, orders: &Orders) -> swarm_runtime::ExitStatus {
    let mut stop = Box::pin(platform.stop());
    tokio::select! {
        status = &mut stop => return status,
        () = orders.hurry.cancelled() => platform.hurry(),
    }
    stop.await
}

/// What is where, and what to try next.
fn told(platform: &Platform, columns: usize) -> Vec<Line> {
    let folder = platform.folder();
    let mut lines = vec![title(platform.ready_after()), Line::new()];
    let place = |name: &str, words: &str| hang(name_of(name), Style::Plain, words, columns);
    lines.extend(place(
        "API",
        &format!("{}  (described at /docs and /openapi.json)", platform.api()),
    ));
    lines.extend(place("WebSocket", &platform.websocket()));
    let ports = platform
        .admin()
        .iter()
        .map(|(name, address)| Line::from(format!("{name} {}", address.port())));
    lines.extend(flow(name_of("Admin ports"), ports, columns));
    let host = platform
        .admin()
        .first()
        .map(|(_, address)| address.ip().to_string())
        .unwrap_or_default();
    lines.extend(place(
        "",
        &format!("on {host}, each with /metrics, /health, /ready, /version"),
    ));
    lines.extend(place("Data", &folder.path().display().to_string()));
    let file = folder.credential_file();
    if file.exists() {
        lines.extend(place("Credential", &file.display().to_string()));
        let words = format!(
            "the first administrator's, which commands here use by themselves; make users with `{0} users create NAME`, then change its password with `{0} password`, which deletes the file",
            program()
        );
        lines.extend(place("", &words));
    }
    lines.push(Line::new());
    lines.push(Line::new().with(Style::Strong, "Try in another terminal"));
    lines.extend(
        tries(platform)
            .into_iter()
            .map(|command| Line::new().plain("  ").plain(command)),
    );
    lines.push(Line::new());
    lines.push(Line::new().with(Style::Dim, "Ctrl-C stops it."));
    lines
}

fn title(after: Duration) -> Line {
    Line::new()
        .with(Style::Good, "Qwen Swarm is ready")
        .plain(format!(" after {}", seconds(after)))
}

fn name_of(name: &str) -> Line {
    Line::new().plain("  ").with(Style::Strong, name).padded(15)
}

fn tries(platform: &Platform) -> Vec<String> {
    let (program, path) = (program(), platform.folder().path());
    let data = if path == std::path::Path::new(DEFAULT_DATA) {
        String::new()
    } else {
        format!(" --data {}", path.display())
    };
    vec![
        format!("{program} agents create --file docs/examples/agent.toml{data}"),
        format!("{program} run \"How do I back up?\" --file docs/operations.md --follow{data}"),
        format!("{program} tasks list{data}"),
    ]
}
