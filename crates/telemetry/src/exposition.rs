//! From OpenMetrics, which `prometheus-client` writes, to the Prometheus text format: pure.
//!
//! OpenMetrics drops `_total` from a counter's family name, which would make the counter
//! `websocket_connections_total` and the gauge `websocket_connections` one family. The Prometheus
//! format names each family as its samples, so exported names are those of the list.

/// The content type of what [`crate::Registry::encode`] returns.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Rewrites `# HELP` and `# TYPE` of counters, and leaves out empty braces and the end mark.
pub(crate) fn prometheus(open_metrics: &str) -> String {
    let mut result = String::with_capacity(open_metrics.len() + 256);
    let mut help: Option<(&str, &str)> = None;
    for line in open_metrics.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            help = rest.split_once(' ');
        } else if let Some((name, kind)) = line
            .strip_prefix("# TYPE ")
            .and_then(|rest| rest.split_once(' '))
        {
            let suffix = if kind == "counter" { "_total" } else { "" };
            if let Some((_, words)) = help.take() {
                result.push_str(&format!("# HELP {name}{suffix} {words}\n"));
            }
            result.push_str(&format!("# TYPE {name}{suffix} {kind}\n"));
        } else if line != "# EOF" {
            push_sample(&mut result, line);
        }
    }
    result
}

fn push_sample(result: &mut String, line: &str) {
    match line.split_once('{') {
        Some((name, rest)) if rest.starts_with('}') => result.extend([name, &rest[1..], "\n"]),
        _ => result.extend([line, "\n"]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_and_a_gauge_of_nearly_the_same_name_stay_apart() {
        let open_metrics = "# HELP a Now.\n# TYPE a gauge\na{} 1\n# HELP a Ever.\n# TYPE a counter\na_total{b=\"{}\"} 2\n# EOF\n";
        assert_eq!(
            prometheus(open_metrics),
            "# HELP a Now.\n# TYPE a gauge\na 1\n# HELP a_total Ever.\n# TYPE a_total counter\na_total{b=\"{}\"} 2\n"
        );
    }
}
