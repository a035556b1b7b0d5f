//! Every metric's name, help, kind, unit and labels: the one list.
//!
//! A [`Registry`](crate::Registry) makes metrics only from these constants, and the number of
//! labels is part of the type, so names and labels cannot drift. Dashboards and alerts are tested
//! against [`ALL`].

use std::marker::PhantomData;

/// What a metric does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only rises.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts observations in buckets: exported as `_bucket`, `_sum` and `_count`.
    Histogram,
}

/// What a metric's value counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Things.
    Count,
    /// Seconds that something took; buckets from a millisecond to a minute.
    Seconds,
    /// Seconds that a whole task took; buckets from a tenth of a second to a day.
    TaskSeconds,
    /// A moment, in seconds since 1970.
    UnixSeconds,
    /// Money, in US dollars.
    Dollars,
}

impl Unit {
    /// Upper bounds of a histogram's buckets.
    #[must_use]
    pub const fn buckets(self) -> &'static [f64] {
        match self {
            Self::TaskSeconds => &[
                0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0,
                3600.0, 14400.0, 86400.0,
            ],
            _ => &[
                0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
                60.0,
            ],
        }
    }
}

/// All there is to know about a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Description {
    /// The name as it is exported.
    pub name: &'static str,
    /// What it says, without a full stop.
    pub help: &'static str,
    /// What it does.
    pub kind: Kind,
    /// What its value counts.
    pub unit: Unit,
    /// The names of its labels, in the order in which values are given.
    pub labels: &'static [&'static str],
}

/// A metric of kind `K` with `N` labels.
#[derive(Debug, Clone, Copy)]
pub struct Name<K, const N: usize> {
    /// All there is to know about it.
    pub description: Description,
    kind: PhantomData<fn() -> K>,
}

/// Marks a counter.
#[derive(Debug, Clone, Copy)]
pub enum Counter {}

/// Marks a gauge.
#[derive(Debug, Clone, Copy)]
pub enum Gauge {}

/// Marks a histogram.
#[derive(Debug, Clone, Copy)]
pub enum Histogram {}

macro_rules! metrics {
    ($($constant:ident = $kind:ident $unit:ident $name:literal [$($label:literal),*] $help:literal;)*) => {
        $(
            #[doc = concat!("`", $name, "`: ", $help, ".")]
            pub const $constant: Name<$kind, { let labels: &[&str] = &[$($label),*]; labels.len() }> = Name {
                description: Description {
                    name: $name,
                    help: $help,
                    kind: Kind::$kind,
                    unit: Unit::$unit,
                    labels: &[$($label),*],
                },
                kind: PhantomData,
            };
        )*

        /// Every metric there is.
        pub const ALL: &[Description] = &[$($constant.description),*];
    };
}

metrics! {
    HTTP_REQUESTS_TOTAL = Counter Count "http_requests_total" ["method", "route", "status"]
        "HTTP requests that were answered";
    HTTP_REQUEST_DURATION_SECONDS = Histogram Seconds "http_request_duration_seconds" ["method", "route", "status"]
        "Time to answer an HTTP request";
    GRPC_SERVER_HANDLED_TOTAL = Counter Count "grpc_server_handled_total" ["grpc_service", "grpc_method", "grpc_code"]
        "Calls that the gRPC server completed";
    GRPC_SERVER_HANDLING_SECONDS = Histogram Seconds "grpc_server_handling_seconds" ["grpc_service", "grpc_method"]
        "Time from a gRPC call to its answer, or to the end of its stream";
    WEBSOCKET_CONNECTIONS = Gauge Count "websocket_connections" []
        "WebSocket connections that are open";
    WEBSOCKET_CONNECTIONS_TOTAL = Counter Count "websocket_connections_total" []
        "WebSocket connections that were opened";
    ACTIVE_AGENTS = Gauge Count "qwen_swarm_active_agents" ["pool"]
        "Agents that can take work";
    TASK_QUEUE_LENGTH = Gauge Count "qwen_swarm_task_queue_length" ["priority"]
        "Tasks that wait for a worker";
    TASKS_COMPLETED_TOTAL = Counter Count "qwen_swarm_tasks_completed_total" ["outcome"]
        "Tasks that ended";
    TASK_DURATION_SECONDS = Histogram TaskSeconds "qwen_swarm_task_duration_seconds" []
        "Time from a task's submission to its end";
    TASK_STOP_LATENCY_SECONDS = Histogram Seconds "qwen_swarm_task_stop_latency_seconds" []
        "Time from a cancellation to the end of the task's last running call";
    SCHEDULE_TICKS_TOTAL = Counter Count "qwen_swarm_schedule_ticks_total" ["outcome"]
        "Ticks of schedules that came, by what became of them";
    SCHEDULE_LATENESS_SECONDS = Histogram Seconds "qwen_swarm_schedule_lateness_seconds" []
        "Time from the moment that a schedule's tick was due to its task";
    AGENT_TASKS_TOTAL = Counter Count "qwen_swarm_agent_tasks_total" []
        "Tasks that an agent worked on to their end";
    AGENT_FAILURES_TOTAL = Counter Count "qwen_swarm_agent_failures_total" []
        "Tasks that failed while an agent worked on them";
    CONSENSUS_PROPOSALS_TOTAL = Counter Count "qwen_swarm_consensus_proposals_total" ["outcome"]
        "Proposals that were decided";
    CONSENSUS_FAILURES_TOTAL = Counter Count "qwen_swarm_consensus_failures_total" []
        "Writes that the consensus log could not commit";
    LEARNING_LAST_UPDATE = Gauge UnixSeconds "qwen_swarm_learning_last_update" []
        "When learning last took an outcome in, in seconds since 1970";
    MODEL_TOKENS_TOTAL = Counter Count "qwen_swarm_model_tokens_total" ["provider", "model", "kind"]
        "Tokens that models read and wrote";
    MODEL_COST_TOTAL = Counter Dollars "qwen_swarm_model_cost_total" ["provider", "model"]
        "What model calls cost, in US dollars";
    DB_POOL_CONNECTIONS = Gauge Count "qwen_swarm_db_pool_connections" ["state"]
        "Database connections of this service";
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_follow_the_rules_of_prometheus() {
        let mut seen = HashSet::new();
        for metric in ALL {
            assert!(seen.insert(metric.name), "{} is listed twice", metric.name);
            assert!(
                !metric.help.ends_with('.'),
                "{}: the full stop is added on export",
                metric.name
            );
            assert_eq!(
                metric.kind == Kind::Counter,
                metric.name.ends_with("_total"),
                "{}",
                metric.name
            );
            assert_eq!(
                metric.kind == Kind::Histogram,
                metric.name.ends_with("_seconds"),
                "{}",
                metric.name
            );
            let plain = |text: &str| {
                text.bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
            };
            assert!(
                plain(metric.name) && metric.labels.iter().all(|label| plain(label)),
                "{}",
                metric.name
            );
        }
    }
}
