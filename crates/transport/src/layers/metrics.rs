//! Counts and times the calls of a server.

use std::time::Instant;

use swarm_telemetry::{Counters, Histograms, Registry, names};
use tonic::Code;

/// The metrics of calls.
#[derive(Debug)]
pub(super) struct Measure {
    handled: Counters<3>,
    seconds: Histograms<2>,
}

impl Measure {
    /// Counts into this registry.
    pub(super) fn new(registry: &Registry) -> Self {
        Self {
            handled: registry.counter(names::GRPC_SERVER_HANDLED_TOTAL),
            seconds: registry.histogram(names::GRPC_SERVER_HANDLING_SECONDS),
        }
    }
}

/// A call that runs. It is measured up to the head of its answer; a stream's later end is not part
/// of it.
#[derive(Debug)]
pub(super) struct Begun(Instant);

impl Begun {
    pub(super) fn now() -> Self {
        Self(Instant::now())
    }

    /// Counts it.
    pub(super) fn end(self, measure: &Measure, (service, method): (&str, &str), code: Code) {
        // A path that no service of ours has would let strangers make label values.
        if code == Code::Unimplemented {
            return;
        }
        let word = format!("{code:?}");
        measure.handled.with([service, method, &word]).inc();
        let seconds = self.0.elapsed().as_secs_f64();
        measure.seconds.with([service, method]).observe(seconds);
    }
}
