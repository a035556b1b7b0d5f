//! Bodies that are wrong.

use swarm_identity::Role;

use super::{INVALID, Line, TASKS, line};
use crate::door::Door;

pub(super) fn bodies(door: &Door) -> Vec<Line> {
    let post = |body: &str| {
        door.by(Role::Developer, "POST", TASKS)
            .header("content-type", "application/json")
            .body(body.to_owned())
    };
    let field = |name, body, field: &str, message: &str, detail| {
        line(name, post(body), INVALID, detail, &[(field, message)])
    };
    vec![
        field(
            "unknown field",
            r#"{"kind": "q", "input": {}, "prompt": "?"}"#,
            "prompt",
            "unknown field `prompt`, expected one of `kind`, `input`, `agent_id`, `pool`, `strategy`, `priority`, `deadline`, `metadata`, `depends_on`, `not_before`, `retry`, `name`",
            "prompt: unknown field `prompt`, expected one of `kind`, `input`, `agent_id`, `pool`, `strategy`, `priority`, `deadline`, `metadata`, `depends_on`, `not_before`, `retry`, `name`",
        ),
        field(
            "unknown field deep inside",
            r#"{"kind": "q", "input": {}, "strategy": {"name": "swarm", "size": 3}}"#,
            "strategy.size",
            "unknown field `size`, expected one of `name`, `members`, `rounds`",
            "strategy.size: unknown field `size`, expected one of `name`, `members`, `rounds`",
        ),
        field(
            "unknown field of a backoff",
            r#"{"kind": "q", "input": {}, "retry": {"backoff": {"initial": 3}}}"#,
            "retry.backoff.initial",
            "unknown field `initial`, expected one of `initial_ms`, `factor`, `max_ms`, `jitter`",
            "retry.backoff.initial: unknown field `initial`, expected one of `initial_ms`, `factor`, `max_ms`, `jitter`",
        ),
        field(
            "name outside a batch",
            r#"{"kind": "q", "input": {}, "name": "first"}"#,
            "name",
            "is for a task of a batch",
            "name: is for a task of a batch",
        ),
        field(
            "missing field",
            r#"{"input": {}}"#,
            "kind",
            "is missing",
            "kind: is missing",
        ),
        field(
            "wrong type",
            r#"{"kind": 7, "input": {}}"#,
            "kind",
            "invalid type: integer `7`, expected a string",
            "kind: invalid type: integer `7`, expected a string",
        ),
        field(
            "wrong word",
            r#"{"kind": "q", "input": {}, "priority": "urgent"}"#,
            "priority",
            "unknown variant `urgent`, expected one of `low`, `normal`, `high`, `critical`",
            "priority: unknown variant `urgent`, expected one of `low`, `normal`, `high`, `critical`",
        ),
        field(
            "wrong time",
            r#"{"kind": "q", "input": {}, "deadline": "tomorrow"}"#,
            "deadline",
            "input contains invalid characters",
            "deadline: input contains invalid characters",
        ),
        field(
            "NUL",
            r#"{"kind": "q", "input": {"documents": [{"text": "a\u0000b"}]}}"#,
            "input.documents[0].text",
            "must not hold the character NUL",
            "input.documents[0].text: must not hold the character NUL",
        ),
        line(
            "not JSON",
            post("kind=q"),
            INVALID,
            "the body is not JSON: expected value at line 1 column 1",
            &[],
        ),
        line(
            "cut off",
            post(r#"{"kind": "q""#),
            INVALID,
            "the body is not JSON: EOF while parsing an object at line 1 column 12",
            &[],
        ),
        line(
            "two values",
            post(r#"{"kind": "q", "input": {}} {}"#),
            INVALID,
            "the body is not JSON: trailing characters at line 1 column 28",
            &[],
        ),
        line(
            "empty",
            post(""),
            INVALID,
            "the body is empty, JSON is expected",
            &[],
        ),
        line(
            "too large",
            post(&" ".repeat(4097)),
            (413, "too_large"),
            "the body is larger than 4096 bytes",
            &[],
        ),
        line(
            "too large, in chunks",
            door.by(Role::Developer, "POST", TASKS)
                .header("content-type", "application/json")
                .body(reqwest::Body::wrap_stream(futures::stream::iter(
                    [(); 3].map(|()| Ok::<_, std::io::Error>(vec![b' '; 1500])),
                ))),
            (413, "too_large"),
            "the body is larger than 4096 bytes",
            &[],
        ),
        line(
            "another content type",
            door.by(Role::Developer, "POST", TASKS)
                .header("content-type", "text/plain")
                .body("{}"),
            (415, "unsupported_media_type"),
            "the body must be of the type application/json",
            &[("Content-Type", "must be application/json")],
        ),
    ]
}
