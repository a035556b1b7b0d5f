//! Spans: which are traced, sampling, and export over OTLP.

use std::time::Duration;

use opentelemetry::{KeyValue, StringValue, Value};
use opentelemetry_otlp::WithExportConfig;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider, SpanData, SpanExporter};
use swarm_errors::{Error, Result};
use tracing::{Metadata, Subscriber, level_filters::LevelFilter};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

use crate::{TelemetryConfig, redact};

/// How the targets of our own crates begin.
pub(crate) const OURS: &str = "swarm";

/// The provider of spans that are exported; `None` without an endpoint, where spans have ids and
/// no more.
pub(crate) fn provider(
    config: &TelemetryConfig,
    service: &'static str,
) -> Result<Option<SdkTracerProvider>> {
    if config.otlp_endpoint.is_empty() {
        return Ok(None);
    }
    if tokio::runtime::Handle::try_current().is_err() {
        return Err(Error::internal(
            "traces are exported on a tokio runtime, and there is none",
        ));
    }
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_tonic()
        .with_endpoint(&config.otlp_endpoint)
        .build()
        .map_err(|error| Error::invalid("telemetry.otlp_endpoint", error.to_string()))?;
    let resource = Resource::builder()
        .with_service_name(service)
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    let provider = SdkTracerProvider::builder()
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(
            config.sample_ratio,
        ))))
        .with_resource(resource)
        .with_batch_exporter(Redacting(exporter))
        .build();
    Ok(Some(provider))
}

/// The layer that turns our spans into traces.
pub(crate) fn layer<S>(tracer: SdkTracer) -> impl Layer<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    tracing_opentelemetry::layer()
        .with_tracer(tracer)
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_filter(filter_fn(is_traced).with_max_level_hint(LevelFilter::INFO))
}

/// Our own spans from `info` up, whatever the log level; events only when they are warnings, for
/// the rest is in the log under the trace's id. Other crates' spans would bury ours.
pub(crate) fn is_traced(metadata: &Metadata<'_>) -> bool {
    let least = if metadata.is_span() {
        LevelFilter::INFO
    } else {
        LevelFilter::WARN
    };
    *metadata.level() <= least && is_ours(metadata)
}

/// Whether it comes from a crate of ours.
pub(crate) fn is_ours(metadata: &Metadata<'_>) -> bool {
    metadata.target().starts_with(OURS)
}

/// Takes secrets out of spans before they leave the process.
#[derive(Debug)]
pub(crate) struct Redacting<E>(pub(crate) E);

impl<E: SpanExporter> SpanExporter for Redacting<E> {
    fn export(&self, mut batch: Vec<SpanData>) -> impl Future<Output = OTelSdkResult> + Send {
        for span in &mut batch {
            redact_all(&mut span.attributes);
            for event in &mut span.events.events {
                event.name = redact::text(&event.name).into_owned().into();
                redact_all(&mut event.attributes);
            }
        }
        self.0.export(batch)
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.0.set_resource(resource);
    }
}

fn redact_all(attributes: &mut [KeyValue]) {
    for attribute in attributes {
        if redact::is_secret(attribute.key.as_str()) {
            attribute.value = Value::String(StringValue::from(redact::REDACTED));
        } else if let Value::String(text) = &attribute.value
            && let std::borrow::Cow::Owned(clean) = redact::text(text.as_str())
        {
            attribute.value = Value::String(clean.into());
        }
    }
}
