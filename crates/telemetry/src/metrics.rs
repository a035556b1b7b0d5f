//! The metrics of one service.
//!
//! Every App has a registry of its own, so six in one process, or parallel tests, share no global.

use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus_client::encoding::{EncodeLabel, EncodeLabelSet, LabelSetEncoder};
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Metric;

use crate::names::{self, Description, Kind, Name, Unit};

/// A counter: `inc()`, `inc_by(2.0)`.
pub type Counter = prometheus_client::metrics::counter::Counter<f64, AtomicU64>;
/// A gauge: `set(3.0)`, `inc()`, `dec()`.
pub type Gauge = prometheus_client::metrics::gauge::Gauge<f64, AtomicU64>;
/// A histogram: `observe(elapsed.as_secs_f64())`.
pub type Histogram = prometheus_client::metrics::histogram::Histogram;

type NewHistogram = fn() -> Histogram;

/// The values of a metric's labels, with their names.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Labels<const N: usize> {
    names: &'static [&'static str],
    values: [String; N],
}

impl<const N: usize> EncodeLabelSet for Labels<N> {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> fmt::Result {
        for (name, value) in self.names.iter().zip(&self.values) {
            (*name, value.as_str()).encode(encoder.encode_label())?;
        }
        Ok(())
    }
}

macro_rules! family {
    ($(#[$doc:meta])* $family:ident of $metric:ident, $stored:ty) => {
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub struct $family<const N: usize> {
            names: &'static [&'static str],
            family: $stored,
        }

        impl<const N: usize> $family<N> {
            /// The one with these values of its labels, in the order of the list. Keep it where
            /// it is used often.
            #[must_use]
            pub fn with(&self, values: [&str; N]) -> $metric {
                self.family.get_or_create_owned(&Labels { names: self.names, values: values.map(str::to_owned) })
            }
        }
    };
}

family!(
    /// The counters of one name, by label values.
    Counters of Counter, Family<Labels<N>, Counter>
);
family!(
    /// The gauges of one name, by label values.
    Gauges of Gauge, Family<Labels<N>, Gauge>
);
family!(
    /// The histograms of one name, by label values.
    Histograms of Histogram, Family<Labels<N>, Histogram, NewHistogram>
);

impl<const N: usize> Gauges<N> {
    /// Shows none any more, until they are set again: somebody else shows them now.
    pub fn clear(&self) {
        self.family.clear();
    }
}

impl Histograms<0> {
    /// Counts an observation of a metric without labels.
    pub fn observe(&self, value: f64) {
        self.with([]).observe(value);
    }
}

/// The metrics of one service. Clones share them.
#[derive(Clone, Default)]
pub struct Registry {
    inner: Arc<Mutex<Inner>>,
}

type Refresh = Arc<dyn Fn() + Send + Sync>;

#[derive(Default)]
struct Inner {
    registry: prometheus_client::registry::Registry,
    families: HashMap<&'static str, Box<dyn Any + Send + Sync>>,
    refresh: Vec<Refresh>,
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names: Vec<_> = self.lock().families.keys().copied().collect();
        names.sort_unstable();
        f.debug_tuple("Registry").field(&names).finish()
    }
}

impl Registry {
    /// An empty registry.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The counters of this name; asking again gives the same ones.
    #[must_use]
    pub fn counter<const N: usize>(&self, name: Name<names::Counter, N>) -> Counters<N> {
        let description = name.description;
        self.family(description, || {
            let family = Family::default();
            let counters = Counters {
                names: description.labels,
                family: family.clone(),
            };
            counters.show_if_unlabelled();
            (counters, family)
        })
    }

    /// The gauges of this name; asking again gives the same ones.
    #[must_use]
    pub fn gauge<const N: usize>(&self, name: Name<names::Gauge, N>) -> Gauges<N> {
        let description = name.description;
        self.family(description, || {
            let family = Family::default();
            let gauges = Gauges {
                names: description.labels,
                family: family.clone(),
            };
            gauges.show_if_unlabelled();
            (gauges, family)
        })
    }

    /// The histograms of this name; asking again gives the same ones.
    #[must_use]
    pub fn histogram<const N: usize>(&self, name: Name<names::Histogram, N>) -> Histograms<N> {
        let description = name.description;
        self.family(description, || {
            let new: NewHistogram = match description.unit {
                Unit::TaskSeconds => || Histogram::new(Unit::TaskSeconds.buckets().iter().copied()),
                _ => || Histogram::new(Unit::Seconds.buckets().iter().copied()),
            };
            let family = Family::new_with_constructor(new);
            let histograms = Histograms {
                names: description.labels,
                family: family.clone(),
            };
            histograms.show_if_unlabelled();
            (histograms, family)
        })
    }

    /// Runs `refresh` before each export: for gauges that are read, not counted.
    pub fn before_encode(&self, refresh: impl Fn() + Send + Sync + 'static) {
        self.lock().refresh.push(Arc::new(refresh));
    }

    /// All metrics in the Prometheus text format, of content type [`crate::CONTENT_TYPE`].
    #[must_use]
    pub fn encode(&self) -> String {
        // Without the lock, so that a refresh may ask for its gauge.
        let refresh = self.lock().refresh.clone();
        for run in refresh {
            run();
        }
        let mut text = String::new();
        if let Err(error) =
            prometheus_client::encoding::text::encode(&mut text, &self.lock().registry)
        {
            tracing::error!(%error, "metrics could not be encoded");
        }
        crate::exposition::prometheus(&text)
    }

    fn family<F, M>(&self, description: Description, new: impl FnOnce() -> (F, M)) -> F
    where
        F: Clone + Send + Sync + 'static,
        M: Metric,
    {
        let mut inner = self.lock();
        if let Some(known) = inner
            .families
            .get(description.name)
            .and_then(|known| known.downcast_ref::<F>())
        {
            return known.clone();
        }
        let (family, metric) = new();
        // The encoder appends `_total` to counters.
        let name = match description.kind {
            Kind::Counter => description
                .name
                .strip_suffix("_total")
                .unwrap_or(description.name),
            Kind::Gauge | Kind::Histogram => description.name,
        };
        inner.registry.register(name, description.help, metric);
        inner
            .families
            .insert(description.name, Box::new(family.clone()));
        family
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A metric without labels is exported from the start, as zero, so that its absence is an alarm.
trait ShowIfUnlabelled {
    fn show_if_unlabelled(&self);
}

macro_rules! show_if_unlabelled {
    ($($family:ident),*) => {$(
        impl<const N: usize> ShowIfUnlabelled for $family<N> {
            fn show_if_unlabelled(&self) {
                if N == 0 {
                    drop(self.with([""; N]));
                }
            }
        }
    )*};
}

show_if_unlabelled!(Counters, Gauges, Histograms);

#[cfg(test)]
mod tests {
    use super::*;

    /// One sample of every metric of the list.
    fn full() -> Registry {
        let registry = Registry::new();
        registry
            .counter(names::HTTP_REQUESTS_TOTAL)
            .with(["GET", "/api/v1/tasks/{id}", "200"])
            .inc();
        registry
            .histogram(names::HTTP_REQUEST_DURATION_SECONDS)
            .with(["GET", "/", "200"])
            .observe(0.02);
        registry
            .counter(names::GRPC_SERVER_HANDLED_TOTAL)
            .with(["s", "m", "OK"])
            .inc();
        registry
            .histogram(names::GRPC_SERVER_HANDLING_SECONDS)
            .with(["s", "m"])
            .observe(0.02);
        registry
            .gauge(names::WEBSOCKET_CONNECTIONS)
            .with([])
            .set(2.0);
        registry
            .counter(names::WEBSOCKET_CONNECTIONS_TOTAL)
            .with([])
            .inc_by(5.0);
        registry
            .gauge(names::ACTIVE_AGENTS)
            .with(["default"])
            .set(3.0);
        registry
            .gauge(names::TASK_QUEUE_LENGTH)
            .with(["high"])
            .set(4.0);
        registry
            .counter(names::TASKS_COMPLETED_TOTAL)
            .with(["completed"])
            .inc();
        registry
            .histogram(names::TASK_DURATION_SECONDS)
            .observe(100.0);
        let _ = registry.histogram(names::TASK_STOP_LATENCY_SECONDS);
        registry
            .counter(names::SCHEDULE_TICKS_TOTAL)
            .with(["fired"])
            .inc();
        let _ = registry.histogram(names::SCHEDULE_LATENESS_SECONDS);
        let _ = registry.counter(names::AGENT_TASKS_TOTAL);
        let _ = registry.counter(names::AGENT_FAILURES_TOTAL);
        registry
            .counter(names::CONSENSUS_PROPOSALS_TOTAL)
            .with(["accepted"])
            .inc();
        let _ = registry.counter(names::CONSENSUS_FAILURES_TOTAL);
        let _ = registry.gauge(names::LEARNING_LAST_UPDATE);
        registry
            .counter(names::MODEL_TOKENS_TOTAL)
            .with(["local", "smol", "input"])
            .inc_by(7.0);
        registry
            .counter(names::MODEL_COST_TOTAL)
            .with(["openai", "m"])
            .inc_by(0.25);
        registry
            .gauge(names::DB_POOL_CONNECTIONS)
            .with(["idle"])
            .set(1.0);
        registry
    }

    #[test]
    fn exported_names_and_kinds_are_those_of_the_list() {
        let text = full().encode();
        for metric in names::ALL {
            let kind = format!("{:?}", metric.kind).to_lowercase();
            let head = format!(
                "# HELP {0} {1}.\n# TYPE {0} {kind}\n",
                metric.name, metric.help
            );
            assert_eq!(text.matches(&head).count(), 1, "{head}\n{text}");
        }
        let families = text
            .lines()
            .filter(|line| line.starts_with("# TYPE "))
            .count();
        assert_eq!(families, names::ALL.len(), "{text}");
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let name = line.split(['{', ' ']).next().unwrap_or_default();
            let known = names::ALL.iter().any(|metric| match metric.kind {
                Kind::Histogram => name
                    .strip_prefix(metric.name)
                    .is_some_and(|suffix| ["_bucket", "_sum", "_count"].contains(&suffix)),
                _ => name == metric.name,
            });
            assert!(known, "{line}");
        }
    }

    #[test]
    fn samples_carry_labels_and_values() {
        let text = full().encode();
        for line in [
            "http_requests_total{method=\"GET\",route=\"/api/v1/tasks/{id}\",status=\"200\"} 1.0",
            "http_request_duration_seconds_bucket{le=\"0.01\",method=\"GET\",route=\"/\",status=\"200\"} 0",
            "http_request_duration_seconds_bucket{le=\"0.025\",method=\"GET\",route=\"/\",status=\"200\"} 1",
            "websocket_connections 2.0",
            "websocket_connections_total 5.0",
            "qwen_swarm_task_duration_seconds_bucket{le=\"120.0\"} 1",
            "qwen_swarm_task_duration_seconds_bucket{le=\"60.0\"} 0",
            "qwen_swarm_agent_failures_total 0.0",
            "qwen_swarm_model_cost_total{provider=\"openai\",model=\"m\"} 0.25",
        ] {
            assert!(text.lines().any(|got| got == line), "{line}\n{text}");
        }
        assert!(!text.contains("# EOF"));
    }

    #[test]
    fn asking_twice_gives_the_same_metric_and_registries_share_nothing() {
        let (one, other) = (Registry::new(), Registry::new());
        one.counter(names::AGENT_TASKS_TOTAL).with([]).inc();
        one.counter(names::AGENT_TASKS_TOTAL).with([]).inc();
        let _ = other.counter(names::AGENT_TASKS_TOTAL);
        assert!(one.encode().contains("qwen_swarm_agent_tasks_total 2.0\n"));
        assert!(
            other
                .encode()
                .contains("qwen_swarm_agent_tasks_total 0.0\n")
        );
    }

    #[test]
    fn label_values_cannot_forge_lines() {
        let registry = Registry::new();
        registry
            .counter(names::TASKS_COMPLETED_TOTAL)
            .with(["a\"} 1\n# TYPE x counter"])
            .inc();
        assert_eq!(registry.encode().lines().count(), 3);
    }

    #[test]
    fn gauges_are_refreshed_before_an_export() {
        let registry = Registry::new();
        let pool = registry.clone();
        registry.before_encode(move || {
            pool.gauge(names::DB_POOL_CONNECTIONS).with(["idle"]).inc();
        });
        let _ = registry.encode();
        assert!(
            registry
                .encode()
                .contains("qwen_swarm_db_pool_connections{state=\"idle\"} 2.0")
        );
    }
}
