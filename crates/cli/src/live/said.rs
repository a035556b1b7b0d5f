//! Reads the data of events: pure. What is missing or of another shape reads as empty: an event of
//! a newer server must not end the view.

use serde_json::Value;
use swarm_client::Usage;

/// A text.
pub(super) fn text<'a>(data: &'a Value, key: &str) -> &'a str {
    data.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// A number.
pub(super) fn number(data: &Value, key: &str) -> u64 {
    data.get(key).and_then(Value::as_u64).unwrap_or_default()
}

/// Yes or no.
pub(super) fn flag(data: &Value, key: &str) -> bool {
    data.get(key).and_then(Value::as_bool).unwrap_or_default()
}

/// A list.
pub(super) fn list<'a>(data: &'a Value, key: &str) -> &'a [Value] {
    data.get(key)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

/// The texts of a list.
pub(super) fn texts<'a>(data: &'a Value, key: &str) -> Vec<&'a str> {
    list(data, key).iter().filter_map(Value::as_str).collect()
}

/// Tokens and calls.
pub(super) fn usage(data: &Value) -> Usage {
    let usage = data.get("usage").cloned().unwrap_or_default();
    serde_json::from_value(usage).unwrap_or_default()
}

/// Whether an event of this kind is a task's last one.
pub(super) fn is_end(kind: &str) -> bool {
    matches!(
        kind,
        "task.completed" | "task.failed" | "task.cancelled" | "task.dead_lettered"
    )
}
