//! The metric by which operators see that learning goes on.

use swarm_telemetry::{Gauge, Registry, names};
use swarm_types::Timestamp;

/// When the last outcome was taken in.
#[derive(Debug, Clone)]
pub(crate) struct LastUpdate(Gauge);

impl LastUpdate {
    pub(crate) fn new(registry: &Registry) -> Self {
        Self(registry.gauge(names::LEARNING_LAST_UPDATE).with([]))
    }

    pub(crate) fn set(&self, time: Timestamp) {
        #[expect(
            clippy::cast_precision_loss,
            reason = "exact to the microsecond for two centuries"
        )]
        self.0.set(time.timestamp_micros() as f64 / 1e6);
    }
}
