//! Logs, traces and metrics, set up the same way in every process.
//!
//! [`init`] is called once, by the program. Libraries only use `tracing`, a [`Registry`] that is
//! handed to them, and [`propagate`].

mod config;
mod exposition;
mod fields;
mod filter;
mod guard;
mod ids;
mod init;
mod log;
mod metrics;
pub mod names;
pub mod propagate;
mod redact;
mod trace;
mod traceparent;

pub use config::{LogFormat, TelemetryConfig};
pub use exposition::CONTENT_TYPE;
pub use guard::Guard;
pub use init::init;
pub use metrics::{Counter, Counters, Gauge, Gauges, Histogram, Histograms, Registry};
pub use opentelemetry::Context;
