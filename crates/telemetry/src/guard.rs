//! Flushes spans when the process ends.

use std::time::Duration;

use opentelemetry_sdk::trace::SdkTracerProvider;

/// A collector that does not answer holds the exit for no longer.
const LIMIT: Duration = Duration::from_millis(1500);

/// Keeps telemetry running; spans that wait are sent when it is shut down or dropped.
#[derive(Debug)]
pub struct Guard {
    provider: Option<SdkTracerProvider>,
}

impl Guard {
    /// For spans that are exported by this provider, or for none.
    pub(crate) const fn new(provider: Option<SdkTracerProvider>) -> Self {
        Self { provider }
    }

    /// Sends the spans that wait, in less than two seconds, and stops. Prefer it to dropping the
    /// guard on an async thread, which would block that thread meanwhile.
    pub async fn shutdown(mut self) {
        let Some(provider) = self.provider.take() else {
            return;
        };
        // Sending needs the runtime's threads, so the wait must not take one.
        let flushed = tokio::task::spawn_blocking(move || flush(&provider));
        tokio::time::timeout(LIMIT + Duration::from_millis(300), flushed)
            .await
            .ok();
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(provider) = self.provider.take() {
            flush(&provider);
        }
    }
}

fn flush(provider: &SdkTracerProvider) {
    if let Err(error) = provider.shutdown_with_timeout(LIMIT) {
        tracing::warn!(%error, "the last spans were not sent");
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Instant;

    use opentelemetry::trace::{Tracer, TracerProvider};

    use super::*;
    use crate::{TelemetryConfig, trace};

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn a_silent_collector_does_not_hold_the_exit() {
        // It accepts connections and never answers.
        let collector = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let config = TelemetryConfig {
            otlp_endpoint: format!("http://{}", collector.local_addr().unwrap()),
            ..TelemetryConfig::default()
        };
        for is_dropped in [false, true] {
            let provider = trace::provider(&config, "test").unwrap().unwrap();
            drop(provider.tracer("test").start("span"));
            let start = Instant::now();
            let guard = Guard::new(Some(provider));
            if is_dropped {
                drop(guard);
            } else {
                guard.shutdown().await;
            }
            // The exporter itself would try for ten; a busy machine may add to our limit.
            assert!(
                start.elapsed() < Duration::from_secs(4),
                "{:?}",
                start.elapsed()
            );
        }
    }
}
