//! The `[telemetry]` section.

use std::str::FromStr;

use serde::Deserialize;
use swarm_config::Validate;
use swarm_errors::{Error, Result};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// How log lines look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Pretty on a terminal, JSON elsewhere.
    #[default]
    Auto,
    /// For people.
    Pretty,
    /// One JSON object a line.
    Json,
}

/// The settings of logs and traces.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TelemetryConfig {
    /// How log lines look.
    pub log_format: LogFormat,
    /// A level for our own code, such as `debug`, or a whole filter, such as `info,h2=debug`.
    /// `RUST_LOG` wins over it.
    pub log_level: String,
    /// Where to send traces over OTLP gRPC, such as `http://127.0.0.1:4317`; empty sends none.
    pub otlp_endpoint: String,
    /// The share of new traces that is kept, from 0 to 1. A caller's own decision is followed.
    pub sample_ratio: f64,
}

impl Default for TelemetryConfig {
    fn default() -> Self {
        Self {
            log_format: LogFormat::Auto,
            log_level: "info".to_owned(),
            otlp_endpoint: String::new(),
            sample_ratio: 1.0,
        }
    }
}

impl Validate for TelemetryConfig {
    fn validate(&self) -> Result<()> {
        if !(0.0..=1.0).contains(&self.sample_ratio) {
            return Err(Error::invalid(
                "telemetry.sample_ratio",
                "must be from 0 to 1",
            ));
        }
        if !self.otlp_endpoint.is_empty() && !self.otlp_endpoint.starts_with("http://") {
            return Err(Error::invalid(
                "telemetry.otlp_endpoint",
                "must begin with http:// (a collector on the same machine or in the same pod adds TLS)",
            ));
        }
        self.filter().map(drop)
    }
}

impl TelemetryConfig {
    /// The filter of log lines.
    pub(crate) fn filter(&self) -> Result<EnvFilter> {
        EnvFilter::try_new(directives(&self.log_level))
            .map_err(|error| Error::invalid("telemetry.log_level", error.to_string()))
    }
}

/// A bare level is meant for our own code; other crates speak up from warnings on.
fn directives(log_level: &str) -> String {
    let log_level = log_level.trim();
    match LevelFilter::from_str(log_level) {
        Ok(LevelFilter::OFF) => "off".to_owned(),
        Ok(LevelFilter::ERROR) => "error".to_owned(),
        Ok(level) => format!("warn,{}={level}", crate::trace::OURS),
        Err(_) => log_level.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_bare_level_concerns_our_own_code() {
        assert_eq!(directives("info"), "warn,swarm=info");
        assert_eq!(directives(" DEBUG "), "warn,swarm=debug");
        assert_eq!(directives("error"), "error");
        assert_eq!(directives("off"), "off");
        assert_eq!(directives("info,h2=debug"), "info,h2=debug");
    }

    #[test]
    fn the_wrong_key_is_named() {
        let good = TelemetryConfig::default();
        good.validate().unwrap();
        for (config, key) in [
            (
                TelemetryConfig {
                    sample_ratio: 1.5,
                    ..good.clone()
                },
                "telemetry.sample_ratio",
            ),
            (
                TelemetryConfig {
                    sample_ratio: f64::NAN,
                    ..good.clone()
                },
                "telemetry.sample_ratio",
            ),
            (
                TelemetryConfig {
                    log_level: "swarm=loud".into(),
                    ..good.clone()
                },
                "telemetry.log_level",
            ),
            (
                TelemetryConfig {
                    otlp_endpoint: "https://x".into(),
                    ..good.clone()
                },
                "telemetry.otlp_endpoint",
            ),
        ] {
            assert_eq!(config.validate().unwrap_err().fields()[0].field, key);
        }
    }
}
