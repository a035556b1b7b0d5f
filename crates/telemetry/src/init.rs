//! Sets up logs and traces of the process.

use std::io::{IsTerminal, stderr};

use opentelemetry::trace::TracerProvider;
use swarm_errors::{Code, Error, Result};
use tracing::Metadata;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{FilterExt, FilterFn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::filter::{Places, is_our_span};
use crate::ids::Ids;
use crate::log::{Lines, Style};
use crate::{Guard, LogFormat, TelemetryConfig, trace};

/// Sets up logs on standard error, traces, and a panic hook that logs, for the whole process.
///
/// `service` becomes `service.name`. Call it once, on the tokio runtime when traces are exported.
///
/// # Errors
/// When the level or the endpoint is malformed, or when the process has a subscriber already:
/// programs call this, tests of libraries do not.
pub fn init(config: &TelemetryConfig, service: &'static str) -> Result<Guard> {
    let filter = match std::env::var(EnvFilter::DEFAULT_ENV) {
        Ok(directives) if !directives.is_empty() => EnvFilter::try_new(directives)
            .map_err(|error| Error::invalid("RUST_LOG", error.to_string()))?,
        _ => config.filter()?,
    };
    let lines = Lines {
        service,
        style: style(config.log_format),
        writer: stderr,
    };
    let provider = trace::provider(config, service)?;
    let set_up = match (&provider, Places::of(&filter)) {
        (None, Some(places)) => tracing_subscriber::registry()
            .with(places)
            .with(Ids)
            .with(lines)
            .try_init(),
        (None, None) => tracing_subscriber::registry()
            .with(Ids)
            .with(lines.with_filter(filter.or(our_spans())))
            .try_init(),
        (Some(provider), _) => tracing_subscriber::registry()
            .with(trace::layer(provider.tracer(OWN_SCOPE)))
            .with(lines.with_filter(filter.or(our_spans())))
            .try_init(),
    };
    set_up.map_err(|error| {
        Error::new(Code::FailedPrecondition, "telemetry is set up already").with_source(error)
    })?;
    std::panic::set_hook(Box::new(log_panic));
    Ok(Guard::new(provider))
}

const OWN_SCOPE: &str = "qwen-swarm";

fn style(format: LogFormat) -> Style {
    let is_terminal = stderr().is_terminal();
    let pretty = Style::Pretty {
        colours: is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
    };
    match format {
        LogFormat::Pretty => pretty,
        LogFormat::Json => Style::Json,
        LogFormat::Auto if is_terminal => pretty,
        LogFormat::Auto => Style::Json,
    }
}

/// Our spans are always seen, so that a warning carries their fields at any level.
fn our_spans() -> FilterFn<fn(&Metadata<'_>) -> bool> {
    FilterFn::new(is_our_span as fn(&Metadata<'_>) -> bool).with_max_level_hint(LevelFilter::INFO)
}

fn log_panic(panic: &std::panic::PanicHookInfo<'_>) {
    let location = panic
        .location()
        .map(ToString::to_string)
        .unwrap_or_default();
    let message = panic.payload_as_str().unwrap_or("no message");
    tracing::error!(
        panic.message = message,
        panic.location = location,
        "a thread panicked"
    );
}
