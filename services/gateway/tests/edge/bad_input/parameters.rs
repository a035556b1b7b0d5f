//! Queries, ids and headers that are wrong.

use serde_json::json;
use swarm_identity::Role;
use swarm_types::TaskId;

use super::{INVALID, Line, TASKS, line};
use crate::door::Door;

pub(super) fn parameters(door: &Door) -> Vec<Line> {
    let get = |path: &str| door.by(Role::Viewer, "GET", path);
    let result = format!("{TASKS}/{}/result?wait=forever", TaskId::new());
    let agent = door
        .by(Role::Developer, "PATCH", "/api/v1/agents/agent_1")
        .json(&json!({}));
    vec![
        line(
            "unknown parameter",
            get("/api/v1/tasks?page=2"),
            INVALID,
            "page: unknown field `page`, expected one of `state`, `parent_id`, `limit`, `cursor`",
            &[(
                "page",
                "unknown field `page`, expected one of `state`, `parent_id`, `limit`, `cursor`",
            )],
        ),
        line(
            "a wait that is too long",
            door.by(Role::Developer, "POST", "/api/v1/tasks?wait=61s")
                .json(&json!({"kind": "echo", "input": {"prompt": "x"}})),
            INVALID,
            "wait: must be a time such as 500ms or 30s, at most 60s",
            &[("wait", "must be a time such as 500ms or 30s, at most 60s")],
        ),
        line(
            "wrong parameter",
            get("/api/v1/tasks?limit=many"),
            INVALID,
            "limit: must be a whole number",
            &[("limit", "must be a whole number")],
        ),
        line(
            "limit out of range",
            get("/api/v1/tasks?limit=501"),
            INVALID,
            "limit: must be from 1 to 500",
            &[("limit", "must be from 1 to 500")],
        ),
        line(
            "wrong state",
            get("/api/v1/agents?state=asleep"),
            INVALID,
            "state: unknown variant `asleep`, expected one of `starting`, `idle`, `busy`, `paused`, `draining`, `failed`, `stopped`",
            &[(
                "state",
                "unknown variant `asleep`, expected one of `starting`, `idle`, `busy`, `paused`, `draining`, `failed`, `stopped`",
            )],
        ),
        line(
            "missing parameter",
            get("/api/v1/memories"),
            INVALID,
            "namespace: is missing",
            &[("namespace", "is missing")],
        ),
        line(
            "wrong wait",
            get(&result),
            INVALID,
            "wait: must be a time such as 500ms or 30s, at most 60s",
            &[("wait", "must be a time such as 500ms or 30s, at most 60s")],
        ),
        line(
            "wrong Last-Event-ID",
            get("/api/v1/tasks/task_1/events").header("last-event-id", "abc"),
            INVALID,
            "Last-Event-ID: must be the id of an event, a whole number",
            &[(
                "Last-Event-ID",
                "must be the id of an event, a whole number",
            )],
        ),
        line(
            "malformed id of a stream",
            get("/api/v1/tasks/task_1/events").header("accept", "text/event-stream"),
            INVALID,
            "id: must be an id of the form task_ followed by 26 characters",
            &[(
                "id",
                "must be an id of the form task_ followed by 26 characters",
            )],
        ),
        line(
            "endless id",
            get(&format!("/api/v1/tasks/{}", "x".repeat(201))),
            INVALID,
            "id: must be 1 to 200 characters without control characters",
            &[(
                "id",
                "must be 1 to 200 characters without control characters",
            )],
        ),
        line(
            "wrong idempotency key",
            door.by(Role::Developer, "POST", TASKS)
                .header("idempotency-key", "x".repeat(256))
                .json(&json!({})),
            INVALID,
            "Idempotency-Key: must be 1 to 255 printable ASCII characters",
            &[(
                "Idempotency-Key",
                "must be 1 to 255 printable ASCII characters",
            )],
        ),
        line(
            "wrong If-Match",
            agent.header("if-match", "3"),
            INVALID,
            "If-Match: must be an ETag of this agent, such as \"3\"",
            &[("If-Match", "must be an ETag of this agent, such as \"3\"")],
        ),
        line(
            "both ways to name a namespace",
            door.by(Role::Viewer, "POST", "/api/v1/memories/search")
                .json(&json!({"query": "q", "namespace": "a", "namespaces": ["b"]})),
            INVALID,
            "namespaces: must not be given beside namespace",
            &[("namespaces", "must not be given beside namespace")],
        ),
    ]
}
