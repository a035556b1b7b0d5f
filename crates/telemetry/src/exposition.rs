//! From OpenMetrics, which `prometheus-client` writes, to the Prometheus text format: pure.
//!
//! OpenMetrics drops `_total` from a counter's family name, which would make the counter
//! `websocket_connections_total` and the gauge `websocket_connections` one family. The Prometheus
//! format names each family as its samples, so exported names are those of the list.

/// The content type of what [`crate::Registry::encode`] returns.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Rewrites `# HELP` and `# TYPE` of counters and leaves the end mark out.
pub(crate) fn prometheus(open_metrics: &str) -> String {
    let mut result = String::with_capacity(open_metrics.len() + 256);
    let mut help: Option<(&str, &str)> = None;
    for line in open_metrics.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            help = rest.split_once(' ');
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            let suffix = if kind == "counter" { "_total" } else { "" };
            if let Some((_, words)) = help.take() {
                result.push_str(&format!("# HELP {name}{suffix} {words}\n"));
            }
            result.push_str(&format!("# TYPE {name}{suffix} {kind}\n"));
        } else if line != "# EOF" {
            result.push_str(line);
            result.push('\n');
        }
    }
    result
}
